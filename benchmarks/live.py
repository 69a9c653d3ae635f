"""What ``lossatlas watch`` keeps in memory, and how late it is, while snapshots come fast; ``python -m benchmarks.live``.

Twenty minutes of a training in fast motion: a small model is recorded so many times as quickly as the disk takes it, a watcher
in another process follows, and a page in Chromium follows the watcher. Every so many snapshots, once all have been seen, the
resident memory of the watcher and the JavaScript heap of the page after a collection are read.
"""

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

import lossatlas as la
from benchmarks.machine import described
from benchmarks.tables import table

_LOOKS = 10


@dataclass(frozen=True)
class Course:
    """How long it goes."""

    n: int = 2000  # snapshots
    most: int = 400  # points on the map
    warm_up: int = 800  # snapshots before growth is counted: the map is full, and has been thinned
    interval: float = 0.05  # seconds between two looks
    pause: float = 0.0  # seconds after each snapshot


@dataclass(frozen=True)
class Look:
    """What is there after so many snapshots."""

    n: int
    server: float  # MB
    page: float  # MB
    seconds: float  # from the last line on the disk to its point on the page


@dataclass(frozen=True)
class Growth:
    """From the end of the warm-up to the end."""

    looks: tuple[Look, ...]
    warm_up: int

    @property
    def server_megabytes(self) -> float:
        """Of the watcher: the highest look after the warm-up over the highest up to its end."""
        return max(look.server for look in self._after) - max(look.server for look in self._before)

    @property
    def page_megabytes(self) -> float:
        """Of the page, likewise."""
        return max(look.page for look in self._after) - max(look.page for look in self._before)

    @property
    def _before(self) -> list[Look]:
        return [look for look in self.looks if look.n <= self.warm_up]

    @property
    def _after(self) -> list[Look]:
        return [look for look in self.looks if look.n > self.warm_up]


@contextmanager
def watching(folder: Path, course: Course) -> Iterator[tuple[subprocess.Popen, str]]:
    """Yield a watcher of ``folder/runs`` and its address."""
    command = [sys.executable, "-m", "lossatlas", "watch", str(folder / "runs"), "--no-browser"]
    command += ["--interval", str(course.interval), "--max-points", str(course.most)]
    environment = os.environ | {"XDG_STATE_HOME": str(folder / "state"), "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        said = "".join(process.stdout.readline() for _ in range(2))
        yield process, re.findall(r"http://\S+", said)[0]
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def growth(folder: Path, browser: Any, course: Course) -> Growth:
    """Record, watch, and look at memory on the way."""
    model = nn.Sequential(nn.Linear(8, 32), nn.Tanh(), nn.Linear(32, 3))
    generator = torch.Generator().manual_seed(0)
    looks = []
    with watching(folder, course) as (process, url), la.Recorder(folder / "runs" / "sgd", model) as recorder:
        page = browser.new_page(viewport={"width": 1200, "height": 900})
        page.set_default_timeout(60_000)
        page.goto(url, wait_until="domcontentloaded")
        heap = page.context.new_cdp_session(page)
        heap.send("Performance.enable")
        for n in range(1, course.n + 1):
            with torch.no_grad():
                for parameter in model.parameters():
                    parameter.add_(0.05 * torch.randn(parameter.shape, generator=generator))
            recorder.step(loss=1 / n)
            if n % max(1, course.n // _LOOKS) == 0:
                recorder.flush()
                began = time.time()
                _until_time(page, n)
                seconds = time.time() - began
                looks.append(Look(n, _resident(process.pid), _heap(heap), seconds))
            time.sleep(course.pause)
        page.close()
    return Growth(tuple(looks), course.warm_up)


def _until_time(page: Any, n: int) -> None:
    page.wait_for_function("n => Number(document.querySelector('.page')?.dataset.time ?? 0) >= n", arg=n, polling=50)


def _resident(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


def _heap(session: Any) -> float:
    session.send("HeapProfiler.collectGarbage")
    metrics = {metric["name"]: metric["value"] for metric in session.send("Performance.getMetrics")["metrics"]}
    return metrics["JSHeapUsedSize"] / 2**20


def growth_table(found: Growth) -> str:
    """Return the looks as a table, and the growth after the warm-up."""
    rows = [[f"{look.n:,}", f"{look.server:.0f}", f"{look.page:.1f}", f"{look.seconds:.2f}"] for look in found.looks]
    late = statistics.median(look.seconds for look in found.looks)
    return (
        table(("snapshots", "watcher MB", "page MB", "s from line to page"), rows)
        + f"\n\nAfter {found.warm_up:,} snapshots the watcher grew by {found.server_megabytes:.1f} MB and the page by "
        f"{found.page_megabytes:.1f} MB; median from line to page {late:.2f} s."
    )


def main() -> None:
    """Print the table."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(prog="python -m benchmarks.live", description=__doc__)
    parser.add_argument("--n", type=int, default=Course.n, help=f"snapshots ({Course.n})")
    parser.add_argument("--most", type=int, default=Course.most, help=f"points on the map ({Course.most})")
    parser.add_argument("--warm-up", type=int, default=Course.warm_up, help=f"snapshots before growth counts ({Course.warm_up})")
    parser.add_argument("--pause", type=float, default=Course.pause, help="seconds after each snapshot (0)")
    asked = parser.parse_args()
    print(described(("numpy", "torch")))
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        path = shutil.which("chromium") or playwright.chromium.executable_path
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        course = Course(n=asked.n, most=asked.most, warm_up=asked.warm_up, pause=asked.pause)
        print("\n" + growth_table(growth(Path(folder), browser, course)))
        browser.close()


if __name__ == "__main__":
    main()
