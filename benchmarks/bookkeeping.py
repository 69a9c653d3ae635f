"""``python -m benchmarks.bookkeeping``: the files, distances, map and page of more points than any one machine trains.

A model of 10^10 weights can't be here, and need not: a run that is recorded with ``keep="sketch"`` never sees it whole either.
What the processes that train would hand over is made up, 4,096 numbers and three sums each, added up and written through the
store as a recorder writes it. From then on everything is what it would be: the files, their reading, the map, the page.

The made-up networks move in the space of their sketches, where lengths are what they would be but for 1.1 %: trainings from one
start, a walk with a drift to the optimum that slows down, and retrainings that jump from it and come part of the way back.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.machine import described, hold_threads
from benchmarks.memory import reset_peak, resident
from benchmarks.tables import table
from lossatlas import atlas
from lossatlas.distance import nearest, recorded_cloud
from lossatlas.sketch import K, Sketch
from lossatlas.store import RunWriter, TensorEntry, open_runs

_NORM = 2000.0  # of the weights: 10^10 of them at a standard deviation of 0.02
_AT_ONCE = 8  # runs that are written at the same time: a disk syncs several as quickly as one


@dataclass(frozen=True, kw_only=True)
class Bookkeeping:
    """How much there is to be kept, and shown.

    Attributes:
        snapshots: Points in all.
        weights: Of the model, as its runs say.
        retrainings: Runs from the optimum; nine tenths of the points are theirs.
        trainings: Runs from the start.
        ranks: Processes that share a model, each with a sketch of its part.
        max_points: Points that the page shows.
    """

    snapshots: int = 10**5
    weights: int = 10**10
    retrainings: int = 10**4
    trainings: int = 10
    ranks: int = 8
    max_points: int = 5000

    @property
    def lengths(self) -> tuple[int, int]:
        """Points of a training and of a retraining."""
        of_one = max(2, round(0.9 * self.snapshots / self.retrainings))
        return max(2, (self.snapshots - of_one * self.retrainings) // self.trainings), of_one


@dataclass(frozen=True)
class Stage:
    """What one part of the work took."""

    name: str
    seconds: float
    processor: float  # seconds of all processors for this process
    peak: int  # bytes of the process while it went on
    note: str = ""


def transformer(weights: int) -> list[TensorEntry]:
    """Return the tensors of a transformer of exactly so many weights: 48 blocks, the rest its embedding."""
    width = max(1, int((weights / (48 * 12)) ** 0.5) // 8 * 8)
    shapes = {"attention.qkv": (3 * width, width), "attention.out": (width, width), "up": (4 * width, width)}
    shapes |= {"down": (width, 4 * width), "norm1": (width,), "norm2": (width,)}
    entries = [
        TensorEntry(f"blocks.{block}.{name}.weight", shape, "BF16", "parameter")
        for block in range(48)
        for name, shape in shapes.items()
    ]
    rest = weights - sum(entry.size for entry in entries)
    if rest < 0:
        return [TensorEntry("weight", (weights,), "BF16", "parameter")]
    return [*entries, TensorEntry("embedding.weight", (rest,), "BF16", "parameter")]


@dataclass(frozen=True, eq=False)
class Planned:
    """A run that is to be written: its folder, what it says of itself, where it begins, and its points from there."""

    path: Path
    settings: dict
    start: np.ndarray
    points: np.ndarray


def runs(folder: Path, asked: Bookkeeping) -> Iterator[Planned]:
    """Yield the runs, in the space of their sketches."""
    long, short = asked.lengths
    rng = np.random.default_rng(0)
    root = np.sqrt(K)
    start = rng.standard_normal(K) * (_NORM / root)
    optimum = start + rng.standard_normal(K) * (0.5 * _NORM / root)
    for number in range(asked.trainings):
        time_of = 1 - np.exp(-4 * np.arange(long) / long)
        wander = rng.standard_normal((long, K)).cumsum(axis=0) * (0.2 * _NORM / root / np.sqrt(long))
        points = start + np.multiply.outer(time_of, optimum - start) + wander * time_of[:, None]
        yield Planned(folder / f"training-{number:03d}", {"every": "step", "seed": number}, start, points)
    yield Planned(folder / "around" / "optimum", {"kind": "optimum"}, optimum, optimum[None].copy())
    for number in range(asked.retrainings):
        jump = (0.25, 0.5, 0.75, 1.0)[number % 4]
        direction = rng.standard_normal(K) / root
        back = 1 - 0.3 * (1 - np.exp(-3 * np.arange(short) / short))
        wander = rng.standard_normal((short, K)).cumsum(axis=0) * (0.02 * _NORM / root)
        points = optimum + jump * _NORM * np.multiply.outer(back, direction) + wander
        settings = {"kind": "retraining", "seed": number, "step": jump, "every": "epoch"}
        yield Planned(folder / "around" / f"retraining-{number:05d}", settings, points[0], points)


def handed_over(point: np.ndarray, start: np.ndarray, asked: Bookkeeping) -> Sketch:
    """Return the sum of what the processes hand over of a point, each of its part of the weights."""
    moved = point - start
    moments = np.array([point @ point, moved @ moved, moved @ start])
    parts = asked.ranks
    total = Sketch.of(moved / parts, moments / parts, n_parameters=asked.weights // parts + asked.weights % parts, seed=0)
    for _ in range(parts - 1):
        total += Sketch.of(moved / parts, moments / parts, n_parameters=asked.weights // parts, seed=0)
    return total


def written(plan: Planned, tensors: Sequence[TensorEntry], asked: Bookkeeping) -> int:
    """Write a run and return its points."""
    zero = np.zeros(K)
    start = handed_over(plan.start, zero, asked)
    with RunWriter(plan.path, tensors, settings=plan.settings, keep="sketch", start=start) as writer:
        for step, point in enumerate(plan.points):
            loss = float(1e-3 + np.linalg.norm(point - plan.points[-1]) / _NORM)
            writer.append({}, step=step, metrics={"train_loss": loss}, sketch=handed_over(point, plan.start, asked))
        writer.end("complete")
    return len(plan.points)


@contextmanager
def timed(stages: list[Stage], name: str) -> Iterator[list[str]]:
    """Note what the block takes; what it puts into the list stands beside."""
    reset_peak()
    notes: list[str] = []
    start, processor = time.perf_counter(), time.process_time()
    yield notes
    seconds, processor = time.perf_counter() - start, time.process_time() - processor
    stages.append(Stage(name, seconds, processor, resident("VmHWM"), ", ".join(notes)))
    print(
        f"{name}: {seconds:.1f} s, {processor:.1f} of processors, {stages[-1].peak / 1e9:.2f} GB; {stages[-1].note}", flush=True
    )


def bytes_below(folder: Path) -> int:
    """Return the bytes of all files below a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def kept_books(folder: Path, asked: Bookkeeping) -> list[Stage]:
    """Write, open, read, search, map and draw, and return what each took."""
    stages: list[Stage] = []
    with timed(stages, "write") as notes:
        tensors = transformer(asked.weights)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            count = sum(_few_at_once(pool, lambda plan: written(plan, tensors, asked), runs(folder / "runs", asked)))
        notes.append(f"{count:,} points, {bytes_below(folder / 'runs') / 1e9:.2f} GB on disk")
    with timed(stages, "open") as notes:
        opened = open_runs(folder / "runs")
        notes.append(f"{len(opened):,} runs of {opened[0].n_parameters:,} weights")
    with timed(stages, "manifests") as notes:
        known = [(run.steps, run.metrics["train_loss"]) for run in opened]
        notes.append(f"{sum(len(steps) for steps, _ in known):,} lines")
    with timed(stages, "sketches") as notes:
        cloud = recorded_cloud(opened)
        notes.append(f"{cloud.points.nbytes / 1e9:.2f} GB in memory")
    with timed(stages, "neighbours") as notes:
        found = nearest(cloud.points, k=5, origin=cloud.origin)
        notes.append(f"{found.indices.size:,} pairs of {len(cloud.points) ** 2:.1e}")
    del cloud, known
    with timed(stages, "map") as notes:
        made = atlas(opened, max_points=asked.max_points)
        notes.append(f"{made.n_mapped:,} points, {len(made.embedding.potential):,} landmarks, t {made.embedding.t}")
    with timed(stages, "page") as notes:
        made.write_html(folder / "atlas.html")
        notes.append(f"{made.n_points:,} points, {(folder / 'atlas.html').stat().st_size / 1e6:.1f} MB")
    return stages


def _few_at_once(pool: ThreadPoolExecutor, work, plans: Iterator[Planned]) -> Iterator[int]:
    """Yield results while no more plans are in memory than are worked on, twice over."""
    waiting = []
    for plan in plans:
        waiting.append(pool.submit(work, plan))
        if len(waiting) >= 2 * _AT_ONCE:
            yield waiting.pop(0).result()
    for job in waiting:
        yield job.result()


def stages_table(stages: Sequence[Stage]) -> str:
    """Return the table of what each stage took."""
    rows = [[one.name, f"{one.seconds:.1f}", f"{one.processor:.1f}", f"{one.peak / 1e9:.2f}", one.note] for one in stages]
    return table(("stage", "s", "CPU s", "GB at the peak", ""), rows)


def main(argv: list[str] | None = None) -> None:
    """Keep the books in a folder that is removed, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bookkeeping", description=__doc__)
    usual = Bookkeeping()
    for name in ("snapshots", "weights", "retrainings", "trainings", "ranks", "max_points"):
        value = getattr(usual, name)
        parser.add_argument(f"--{name.replace('_', '-')}", type=lambda text: int(float(text)), default=value, help=f"{value:,}")
    parser.add_argument("--threads", type=int, default=2, help="processors to keep to (2)")
    parser.add_argument("--folder", type=Path, help="where the files go, and are removed; by default the system's place")
    asked = vars(parser.parse_args(argv))
    hold_threads(asked.pop("threads"))
    print(described(), flush=True)
    with tempfile.TemporaryDirectory(dir=asked.pop("folder")) as folder:
        stages = kept_books(Path(folder), Bookkeeping(**asked))
    print(stages_table(stages))


if __name__ == "__main__":
    main()
