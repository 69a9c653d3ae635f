"""Trainings and watchers in processes of their own, and pages that look at them."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from growing_runs import Growing

_HERE = Path(__file__).parent
# What the browser itself writes to the console when a server is away; no page can keep it from that.
AWAY = re.compile(r"Failed to load resource: net::ERR_(CONNECTION_REFUSED|CONNECTION_RESET|EMPTY_RESPONSE)")


@dataclass
class Training:
    """A process that trains, and when each of its snapshots was on its way to the disk."""

    process: subprocess.Popen
    said: dict[int, float] = field(default_factory=dict)

    def listen(self) -> None:
        for line in self.process.stdout:
            n, when = line.split()
            self.said[int(n)] = float(when)


@dataclass
class Watcher:
    """A process that watches."""

    process: subprocess.Popen
    url: str
    said: list[str]


@pytest.fixture
def train(tmp_path: Path) -> Iterator[Callable[..., Training]]:
    """Yield a function that begins a training at ``runs/NAME``."""
    begun = []

    def begin(name: str, *options: Any) -> Training:
        command = [sys.executable, _HERE / "training.py", tmp_path / "runs" / name, *map(str, options)]
        training = Training(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        thread = threading.Thread(target=training.listen)
        thread.start()
        begun.append((training, thread))
        return training

    yield begin
    for training, thread in begun:
        training.process.kill()
        training.process.wait()
        thread.join()
        training.process.stdout.close()


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Callable[..., Watcher]]:
    """Yield a function that watches ``runs/*`` with the command line, keeping its address in a folder of the test's."""
    begun = []

    def begin(*options: Any, runs: str = "runs/*") -> Watcher:
        environment = os.environ | {"XDG_STATE_HOME": str(tmp_path / "state"), "NO_COLOR": "1", "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-W", "error", "-m", "lossatlas", "watch", runs, "--no-browser", *map(str, options)]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path, env=environment
        )
        begun.append(process)
        said = []
        for line in process.stdout:
            said.append(line)
            if "Ctrl-C" in line:
                break
        urls = re.findall(r"http://\S+", "".join(said))
        assert urls, process.stderr.read()
        return Watcher(process, urls[0], said)

    yield begin
    for process in begun:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


@pytest.fixture
def looking(browser: Any) -> Iterator[Callable[[str], Any]]:
    """Yield a function that opens a page; none may ask elsewhere, fail, or complain of more than that its server is away."""
    contexts, complaints, hosts = [], [], set()

    def look(url: str) -> Any:
        context = browser.new_context(viewport={"width": 1200, "height": 900})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
        page.on("console", lambda message: complaints.append(message.text) if not AWAY.match(message.text) else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: (complaints.append(f"dialog {dialog.message}"), dialog.dismiss()))
        page.goto(url, wait_until="domcontentloaded")
        return page

    yield look
    for context in contexts:
        context.close()
    assert complaints == []
    assert all(host.startswith("127.0.0.1:") for host in hosts)


@pytest.fixture
def growing() -> Iterator[Callable[..., Growing]]:
    """Yield what begins a run that a test lets grow."""
    begun = []

    def begin(*arguments: Any, **options: Any) -> Growing:
        begun.append(Growing(*arguments, **options))
        return begun[-1]

    yield begin
    for run in begun:
        run.writer.close()
