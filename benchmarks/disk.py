"""``python -m benchmarks.disk``: distances of a run that does not fit in memory, beside what the disk and the cores allow."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from lossatlas.store import RawTensor, RunWriter, TensorEntry, open_run

LAYERS = (0.002, 0.008, 0.09, 0.3, 0.599, 0.001)  # shares of the weights


def layers(weights: int) -> list[TensorEntry]:
    """Return the tensors of a network of so many weights."""
    sizes = [int(weights * share) for share in LAYERS[:-1]]
    sizes.append(weights - sum(sizes))
    return [TensorEntry(f"layer{i}.weight", (size,), "F32", "parameter") for i, size in enumerate(sizes)]


def write_walk(path: Path, snapshots: int, weights: int) -> None:
    """Write a random walk; each step is a piece of one long noise from another place of it, which is cheap."""
    rng = np.random.default_rng(0)
    noise = rng.standard_normal(weights + 2**22, dtype=np.float32) * np.float32(1e-2)
    point = rng.standard_normal(weights, dtype=np.float32)
    entries = layers(weights)
    with RunWriter(path, entries) as writer:
        for step in range(snapshots):
            start = int(rng.integers(2**22))
            point += noise[start : start + weights]
            first, tensors = 0, {}
            for entry in entries:
                part = point[first : first + entry.size]
                tensors[entry.name] = RawTensor("F32", entry.shape, part.view(np.uint8).data)
                first += entry.size
            writer.append(tensors, step=step, metrics={})
        writer.end("complete")


def forget(path: Path) -> list[Path]:
    """Drop the snapshots from the page cache, and return them."""
    files = sorted((path / "snapshots").iterdir())
    for file in files:
        descriptor = os.open(file, os.O_RDONLY)
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)
    return files


def bandwidth(path: Path) -> float:
    """Return bytes a second of whole files read by four threads, 4 MB at a time; the best of two tries."""

    def read(file: Path) -> int:
        buffer, count = bytearray(2**22), 0
        with file.open("rb", buffering=0) as stream:
            while got := stream.readinto(buffer):
                count += got
        return count

    best = 0.0
    for turn in range(2):
        files = forget(path)
        chosen = files[turn :: max(1, len(files) // 50)]
        start = time.perf_counter()
        with ThreadPoolExecutor(4) as pool:
            count = sum(pool.map(read, chosen))
        best = max(best, count / (time.perf_counter() - start))
    return best


def syrk_rate(n: int) -> tuple[float, float]:
    """Return operations (2 n² a column) of float32 products of a block's shape, the best of some tries.

    Two rates: a second with one product on each core, and a second of processor time.
    """
    from lossatlas.distance.gram import block_width
    from lossatlas.distance.threads import n_cores, workers

    width = block_width(n, 2**30, np.float32, most=2**20)
    blocks = [np.random.default_rng(i).standard_normal((n, width), dtype=np.float32) for i in range(n_cores())]
    outs = [np.empty((n, n), np.float32) for _ in blocks]
    best, least = 0.0, np.inf
    with workers() as pool:
        for _ in range(8):
            start, processor = time.perf_counter(), time.process_time()
            list(pool.map(lambda i: [np.matmul(blocks[i], blocks[i].T, out=outs[i]) for _ in range(4)], range(len(blocks))))
            count = len(blocks) * 4 * 2 * n * n * width
            best = max(best, count / (time.perf_counter() - start))
            least = min(least, (time.process_time() - processor) / count)
    return best, 1 / least


def resident() -> int:
    """Return the bytes of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def measure(path: Path, megabytes: float | None) -> None:
    """Print seconds, processor seconds and peak memory of ``pairwise`` in this process, which is a fresh one."""
    from lossatlas.distance import pairwise

    run = open_run(path)
    warm = np.random.default_rng(0).standard_normal((40, 2**13), dtype=np.float32)
    pairwise(warm)  # compiles
    before, peak, is_over = resident(), [0], threading.Event()

    def watch() -> None:
        while not is_over.wait(0.01):
            peak[0] = max(peak[0], resident())

    watcher = threading.Thread(target=watch)
    watcher.start()
    start, processor = time.perf_counter(), os.times()
    pairwise(run, **({} if megabytes is None else {"megabytes": megabytes}))
    seconds, after = time.perf_counter() - start, os.times()
    user, system = after.user - processor.user, after.system - processor.system
    is_over.set()
    watcher.join()
    print(json.dumps({"seconds": seconds, "processor": user + system, "system": system, "peak": peak[0] - before}))


def report(path: Path, snapshots: int, weights: int, megabytes: float | None) -> None:
    """Measure bounds and distances, and print them."""
    size = snapshots * weights * 4
    disk, (rate, processor_rate) = bandwidth(path), syrk_rate(snapshots)
    forget(path)
    command = [sys.executable, "-m", "benchmarks.disk", "--measure", str(path)]
    command += [] if megabytes is None else ["--megabytes", str(megabytes)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    bounds = {"disk": size / disk, "products": 2 * snapshots**2 * weights / rate}
    name = max(bounds, key=lambda key: bounds[key])
    print(
        f"{snapshots} snapshots of {weights:,} float32 weights, {size / 1e9:.1f} GB, {megabytes or 'default'} megabytes a block"
    )
    print(f"disk {disk / 1e9:.2f} GB/s: {bounds['disk']:.1f} s; products {rate / 1e9:.0f} GF/s: {bounds['products']:.1f} s")
    processors = f"{found['processor']:.1f} s of processors, {found['system']:.1f} s of it the system's"
    print(f"pairwise {found['seconds']:.1f} s ({processors}), {found['peak'] / 1e6:.0f} MB at the peak")
    print(f"{bounds[name] / found['seconds']:.0%} of the larger bound, {name}")
    # On a machine that others use too, seconds are shared out and processor time is not.
    products = 2 * snapshots**2 * weights / processor_rate
    print(f"products alone: {products:.1f} s of processors, {products / found['processor']:.0%} of all", flush=True)


def main() -> None:
    """Write a run, measure, and remove it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--snapshots", type=int, default=400)
    parser.add_argument("--weights", type=int, default=11_000_000)
    parser.add_argument("--folder", type=Path, help="where the run is written, and removed; by default the system's place")
    parser.add_argument("--megabytes", type=float, nargs="+", help="of float64 a block; several are measured in turn")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.measure:
        measure(chosen.measure, chosen.megabytes[0] if chosen.megabytes else None)
        return
    with tempfile.TemporaryDirectory(dir=chosen.folder) as folder:
        path = Path(folder) / "run"
        start = time.perf_counter()
        write_walk(path, chosen.snapshots, chosen.weights)
        print(f"written in {time.perf_counter() - start:.0f} s", flush=True)
        for megabytes in chosen.megabytes or [None]:
            report(path, chosen.snapshots, chosen.weights, megabytes)


if __name__ == "__main__":
    main()
