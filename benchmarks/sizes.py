"""Maps of several sizes, ours beside the others': time, memory, and how true they are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.data import walks
from benchmarks.measures import Geodesics, demap, disparity, geodesics, knn_preservation
from benchmarks.memory import Alone, alone
from benchmarks.pairs import Pair, paired, timed_in_turn
from benchmarks.tables import number, table
from benchmarks.ways import N_LANDMARK, WAYS, Drawn, their_scaling, warm
from lossatlas.distance import pairwise
from lossatlas.embed import metric_scaling, stress
from lossatlas.embed.views import beginning


@dataclass(frozen=True)
class Size:
    """How many points of how many weights, and how many times faster than phate is asked for: 0 asks for nothing."""

    n: int
    p: int
    faster: float = 0.0
    n_landmark: int = N_LANDMARK

    def __str__(self) -> str:
        return f"{self.n:,} × {self.p:,}"


SIZES = (Size(304, 1_000_000, 15), Size(640, 100_000, 10), Size(2_000, 20_000, 6), Size(5_000, 5_000, 6))
QUICK = (Size(120, 5_000), Size(400, 1_000, n_landmark=200))
COMPARED = ("lossatlas", "phate")  # these take part in every round, however slow
MEMORY_SHARE = 1 / 3  # of phate's peak over the data that ours may take

HEAD = (
    "n × p", "way", "s", "times ours (range)", "CPU s", "times ours (range)", "MB over data", "times ours",
    "stress, own", "stress, phate's potential", "kNN kept, k=10", "DEMaP", "Procrustes to ours",
)  # fmt: skip


@dataclass(frozen=True)
class Settings:
    """How long to look."""

    rounds: int = 2
    threads: int = 2
    patience: float = 180.0  # seconds after which a way is given up


@dataclass(frozen=True)
class Measured:
    """All that is known of one way at one size."""

    alone: Alone
    wall: Pair | None = None  # against ours, if it is quick enough to take part in the rounds
    cpu: Pair | None = None
    drawn: Drawn | None = None
    own_stress: float = float("nan")
    shared_stress: float = float("nan")


def measured(size: Size, settings: Settings) -> dict[str, Measured]:
    """Measure every way: memory alone in a process each, then time in turn in this one, then what was drawn."""
    every = {way: _alone(way, size, settings) for way in WAYS}
    # A guest that takes longer than this is timed once, alone: rounds of minutes measure the machine's weather.
    longest = {way: np.inf if way in COMPARED else settings.patience / (1 + settings.rounds) for way in WAYS}
    quick = [way for way, one in every.items() if one.seconds <= longest[way]]
    points = walks(size.n, size.p)
    drawn: dict[str, Drawn] = {}
    for way in quick:
        warm(way, with_landmarks=size.n > size.n_landmark)
    seconds = timed_in_turn({way: _keeping(way, points, size, drawn) for way in quick}, rounds=settings.rounds)
    for way, one in every.items():
        if way not in drawn and one.coordinates is not None:
            drawn[way] = Drawn(one.coordinates, None)
    in_turn = quick if "lossatlas" in quick else []
    wall = {way: paired(seconds["lossatlas"].wall, seconds[way].wall) for way in in_turn}
    cpu = {way: paired(seconds["lossatlas"].cpu, seconds[way].cpu) for way in in_turn}
    own, shared = _stresses(drawn)
    return {
        way: Measured(one, wall.get(way), cpu.get(way), drawn.get(way), own.get(way, np.nan), shared.get(way, np.nan))
        for way, one in every.items()
    }


def sizes_table(sizes: Sequence[Size], settings: Settings, *, say: Callable[[str], object] = print) -> str:
    """Return the table of all sizes, and below it what was asked for beside what came."""
    rows, goals = [], []
    for size in sizes:
        found = measured(size, settings)
        between = pairwise(walks(size.n, size.p))
        paths = geodesics(between.euclidean, knn=min(30, size.n // 4))
        rows += [_row(size, way, found, between.cosine, paths) for way in WAYS]
        goals += _goals(size, found) if size.faster else []
        say("\n".join(" ".join(row) for row in rows[-len(WAYS) :]))
    asked = "\n\n" + table(("n × p", "asked", "measured", "met"), goals) if goals else ""
    return table(HEAD, rows) + asked


def _alone(way: str, size: Size, settings: Settings) -> Alone:
    patience = settings.patience * (3 if way in COMPARED else 1)
    return alone(way, size.n, size.p, n_landmark=size.n_landmark, threads=settings.threads, patience=patience)


def _keeping(way: str, points: np.ndarray, size: Size, drawn: dict[str, Drawn]) -> Callable[[], None]:
    def call() -> None:
        drawn[way] = WAYS[way](points, n_landmark=size.n_landmark)

    return call


def _stresses(drawn: dict[str, Drawn]) -> tuple[dict[str, float], dict[str, float]]:
    """Stress of each on its own potential; and on phate's, of its coordinates and of our scaling of that very matrix."""
    own, shared = {}, {}
    if "lossatlas" in drawn and drawn["lossatlas"].made is not None:
        own["lossatlas"] = drawn["lossatlas"].made.stress
    if "phate" in drawn and drawn["phate"].made is not None:
        distances, theirs = their_scaling(drawn["phate"].made)
        own["phate"] = shared["phate"] = stress(distances, theirs)
        shared["lossatlas"] = stress(distances, metric_scaling(distances, beginning(distances))[0])
    return own, shared


def _row(size: Size, way: str, found: dict[str, Measured], distances: np.ndarray, paths: Geodesics) -> list[str]:
    one, ours = found[way], found["lossatlas"]
    if one.drawn is None:
        return [str(size), way, one.alone.reason, *["–"] * (len(HEAD) - 3)]
    coordinates = one.drawn.coordinates
    apart = f" ({paths.unreachable:.0%} of pairs apart)" if paths.unreachable else ""
    if one.wall and one.cpu:
        times = [number(one.wall.theirs, 2), str(one.wall), number(one.cpu.theirs, 2), str(one.cpu)]
    else:
        times = [f"{one.alone.seconds:.1f} (once, alone)", number(one.alone.seconds / ours.alone.seconds, 1), "–", "–"]
    return [
        str(size), way, *times,
        number(one.alone.megabytes, 0), number(one.alone.megabytes / ours.alone.megabytes, 1),
        number(one.own_stress, 4), number(one.shared_stress, 4),
        number(knn_preservation(distances, coordinates)), number(demap(paths, coordinates)) + apart,
        number(disparity(ours.drawn.coordinates, coordinates)) if ours.drawn else "–",
    ]  # fmt: skip


def _goals(size: Size, found: dict[str, Measured]) -> list[list[str]]:
    ours, theirs = found["lossatlas"], found["phate"]
    faster = theirs.wall.ratio if theirs.wall else float("nan")
    share = ours.alone.megabytes / theirs.alone.megabytes
    met = {True: "yes", False: "no"}
    return [
        [str(size), f"{size.faster:.0f} times faster", number(faster, 1), met[faster >= size.faster]],
        [str(size), "at most a third of the memory", number(share), met[share <= MEMORY_SHARE]],
        [
            str(size), "stress no higher on phate's potential", f"{ours.shared_stress:.4f} beside {theirs.shared_stress:.4f}",
            met[ours.shared_stress <= theirs.shared_stress],
        ],
    ]  # fmt: skip
