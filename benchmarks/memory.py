"""Peak memory of one call over its data, in a process of its own: ``python -m benchmarks.memory`` is that process."""

import argparse
import gc
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.data import walks
from benchmarks.machine import hold_threads
from benchmarks.ways import WAYS, warm


@dataclass(frozen=True)
class Alone:
    """What one call took in a fresh process, or why there is no such thing."""

    seconds: float = float("nan")
    megabytes: float = float("nan")
    coordinates: np.ndarray | None = None
    reason: str = ""


def alone(way: str, n: int, p: int, *, n_landmark: int, threads: int, patience: float) -> Alone:
    """Call a way once on walks in a fresh process, and give it up after ``patience`` seconds."""
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder) / "coordinates.npy"
        sizes = [str(number) for number in (n, p, n_landmark, threads)]
        command = [sys.executable, "-m", "benchmarks.memory", way, *sizes, str(kept)]
        with (Path(folder) / "errors").open("w+") as errors:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
            try:
                process.stdout.readline()  # "ready": what comes before it, imports and data, costs no patience
                said, _ = process.communicate(timeout=patience)
            except subprocess.TimeoutExpired:
                return Alone(reason=f"given up after {patience:.0f} s")
            finally:
                process.kill()
                process.wait()
            if process.returncode:
                errors.seek(0)
                last = (errors.read().strip().splitlines() or [f"ended with {process.returncode}"])[-1]
                return Alone(reason=last.removeprefix("lossatlas._arrays."))
        told = json.loads(said.splitlines()[-1])
        return Alone(told["seconds"], told["megabytes"], np.load(kept))


def resident(what: str = "VmRSS") -> int:
    """Bytes of this process in memory, now (``VmRSS``) or at most since the last reset (``VmHWM``)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(what))


def reset_peak() -> None:
    """Let ``VmHWM`` begin anew."""
    Path("/proc/self/clear_refs").write_text("5")


def main() -> None:
    """Make the data, warm up, and print seconds and megabytes of one call."""
    parser = argparse.ArgumentParser()
    parser.add_argument("way")
    for name in ("n", "p", "n_landmark", "threads"):
        parser.add_argument(name, type=int)
    parser.add_argument("kept", type=Path)
    asked = parser.parse_args()
    hold_threads(asked.threads)
    warm(asked.way, with_landmarks=asked.n > asked.n_landmark)
    points = walks(asked.n, asked.p)
    gc.collect()
    print("ready", flush=True)
    reset_peak()
    before, start = resident(), time.perf_counter()
    drawn = WAYS[asked.way](points, n_landmark=asked.n_landmark)
    seconds, peak = time.perf_counter() - start, resident("VmHWM")
    np.save(asked.kept, drawn.coordinates)
    print(json.dumps({"seconds": seconds, "megabytes": (peak - before) / 2**20}))


if __name__ == "__main__":
    main()
