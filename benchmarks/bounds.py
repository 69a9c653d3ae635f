"""Where our time goes, and how far each stage is from what this machine can do."""

import functools
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np

from benchmarks.data import walks
from benchmarks.sizes import SIZES, Size
from benchmarks.tables import table
from benchmarks.ways import ours, warm
from lossatlas.embed import Embedding

# The stage that a function of lossatlas.embed stands for, wherever it is called from; the innermost has the time.
STAGES = {
    "given": "distances",
    "neighbours_within": "distances",
    "graph": "kernel, bridges",
    "landmarks": "landmarks",
    "walk_length": "spectrum, t",
    "lasting": "powers, potential",
    "walked": "powers, potential",
    "potential_distances": "distances of potentials",
    "drawing": "scaling",
}
HEAD = ("n × p", "stage", "s", "of all", "bound s", "bound by", "times the bound")


@dataclass
class Profile:
    """Seconds of each stage of one call, those of the stages inside it left out."""

    total: float = 0.0
    seconds: dict[str, float] = field(default_factory=dict)
    inside: list[float] = field(default_factory=list)  # seconds spent in inner stages, of each stage that is open

    def add(self, stage: str, seconds: float) -> None:
        """Count a visit."""
        self.seconds[stage] = self.seconds.get(stage, 0.0) + seconds


@dataclass(frozen=True)
class Rates:
    """What this machine does at the shapes of a problem."""

    ssyrk: float  # nominal float32 operations a second of a product with its own transpose, at 2 n² p
    sgemm: float  # of a product of two float32 matrices
    dgemm: float  # of two float64 matrices, m × m
    bandwidth: float  # bytes read a second


def profiled(call: Callable[[], Any]) -> tuple[Profile, Any]:
    """Time the stages of a call of :func:`lossatlas.phate`; what no stage has is the rest."""
    profile = Profile()
    start = time.perf_counter()
    with _watched(profile):
        result = call()
    profile.total = time.perf_counter() - start
    profile.add("the rest", profile.total - sum(profile.seconds.values()))
    return profile, result


def rates(n: int, p: int, m: int, *, megabytes: float = 128) -> Rates:
    """Measure the rates, each the best of three."""
    rng = np.random.default_rng(0)
    width = min(p, max(1, int(megabytes * 2**20 / (4 * n))))
    one, other = rng.standard_normal((2, n, width), dtype=np.float32)
    wide = rng.standard_normal((m, m))
    long = np.ones(2**27, dtype=np.float32)  # 512 MiB, well beyond any cache
    halves = (long[: len(long) // 2], long[len(long) // 2 :])
    with ThreadPoolExecutor(2) as pool:
        reading = _best(lambda: list(pool.map(np.max, halves)))
    return Rates(
        ssyrk=2 * n * n * width / _best(lambda: one @ one.T),
        sgemm=2 * n * n * width / _best(lambda: one @ other.T),
        dgemm=2 * m**3 / _best(lambda: wide @ wide),
        bandwidth=long.nbytes / reading,
    )


def bounds(size: Size, embedding: Embedding, rate: Rates) -> dict[str, tuple[float, str]]:
    """Least seconds of the stages that have a bound, and what sets it.

    Distances: 2 n² p operations, or n p numbers read once. Spectrum: 4/3 m³ operations bring a symmetric matrix to three
    diagonals. Powers: m³ for each square of a symmetric matrix, and as much for the distances of the potentials. Scaling: each
    pass reads one half of the m × m distances.
    """
    n, p, m = size.n, size.p, len(embedding.potential)
    flops, read = 2 * n * n * p / rate.ssyrk, 4 * n * p / rate.bandwidth
    t = int(embedding.t)
    squares = t.bit_length() - 1
    return {
        "distances": (max(flops, read), "ssyrk" if flops > read else "memory"),
        "spectrum, t": (4 / 3 * m**3 / rate.dgemm, "dgemm"),
        "powers, potential": (m**3 * squares / rate.dgemm, "dgemm"),
        "distances of potentials": (m**3 / rate.dgemm, "dgemm"),
        "scaling": (embedding.iterations * 4 * m * m / rate.bandwidth, "memory"),
    }


def bounds_table(sizes: Sequence[Size] = SIZES, *, rounds: int = 2, say: Callable[[str], object] = print) -> str:
    """Return the rates and, for each size, the stages beside their bounds."""
    spoken, rows = [], []
    for size in sizes:
        if refusal := _refusal(size):
            rows.append([str(size), refusal, *["–"] * 5])
            continue
        points = walks(size.n, size.p)
        calls = [profiled(lambda points=points, size=size: ours(points, n_landmark=size.n_landmark)) for _ in range(rounds)]
        profile, drawn = min(calls, key=lambda call: call[0].total)
        rate = rates(size.n, size.p, len(drawn.made.potential))
        spoken.append(
            f"- {size}: ssyrk {rate.ssyrk / 1e9:.0f}, sgemm {rate.sgemm / 1e9:.0f} and dgemm {rate.dgemm / 1e9:.0f} GFLOP/s, "
            f"reads {rate.bandwidth / 1e9:.0f} GB/s; t = {drawn.made.t}, {drawn.made.iterations} passes"
        )
        rows += _rows(size, profile, bounds(size, drawn.made, rate))
        say(spoken[-1])
    return "\n".join(spoken) + "\n\n" + table(HEAD, rows)


def _rows(size: Size, profile: Profile, bound: dict[str, tuple[float, str]]) -> list[list[str]]:
    rows = []
    for stage, seconds in profile.seconds.items():
        row = [str(size), stage, f"{seconds:.3f}", f"{seconds / profile.total:.0%}"]
        least, by = bound.get(stage, (0.0, ""))
        rows.append([*row, f"{least:.3f}", by, f"{seconds / least:.1f}"] if by else [*row, "–", "–", "–"])
    whole = sum(seconds for seconds, _ in bound.values())
    last = [str(size), "all", f"{profile.total:.3f}", "100%", f"{whole:.3f}", "the sum", f"{profile.total / whole:.1f}"]
    return [*rows, last]


def _refusal(size: Size) -> str:
    try:
        warm("lossatlas", with_landmarks=size.n > size.n_landmark)
    except Exception as error:  # noqa: BLE001 - whatever it is, the table says it
        return str(error).splitlines()[0]
    return ""


def _best(call: Callable[[], object]) -> float:
    call()
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


@contextmanager
def _watched(profile: Profile) -> Iterator[None]:
    """Put a watch around the stages' functions wherever the modules of lossatlas.embed name them."""
    changed: list[tuple[ModuleType, str, Any]] = []
    for module in [module for name, module in sys.modules.items() if name.startswith("lossatlas.embed.")]:
        for name, stage in STAGES.items():
            value = vars(module).get(name)
            if callable(value) and not isinstance(value, ModuleType):
                changed.append((module, name, value))
                setattr(module, name, _watch(profile, stage, value))
    try:
        yield
    finally:
        for module, name, value in changed:
            setattr(module, name, value)


def _watch(profile: Profile, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def watched(*args: Any, **kwargs: Any) -> Any:
        profile.inside.append(0.0)
        start = time.perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            seconds = time.perf_counter() - start
            profile.add(stage, seconds - profile.inside.pop())
            if profile.inside:
                profile.inside[-1] += seconds

    return watched
