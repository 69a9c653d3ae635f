"""More points than are shown: all are mapped, through landmarks, and of each run some are shown and measured."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Int

from lossatlas._arrays import InputError
from lossatlas.distance import Origin, recorded_cloud, recorded_pairwise
from lossatlas.embed import PhateEmbedding, Preset
from lossatlas.store import Run

LEAST = 8  # points: those that five neighbours need, and some
_LANDMARKS = 2000  # as many as phate takes; up to so many points all distances are as cheap


def refuse_many(max_points: int, *, metric: str, preset: Preset, is_asked: bool) -> None:
    """Refuse what is not made of more points than are shown.

    Raises:
        InputError: the number is too small, or the map is one of all distances.
    """
    if max_points < LEAST:
        raise InputError(f"max_points must be {LEAST} or more, but is {max_points}; a map of fewer shows nothing")
    if metric == "predictions" or is_asked:
        raise InputError("max_points is for maps of weights, but predictions came; leave one of the two out")
    if preset == "paper":
        raise InputError("max_points needs preset='sound': the paper's has components of all distances; leave one of the two out")


def shown_points(kinds: Sequence[str], kept: Sequence[tuple[int, ...]], *, most: int) -> Sequence[tuple[int, ...]]:
    """Return the points of each run that are shown, ``most`` in all: first and last of each, and others evenly.

    Where even the ends are too many some runs show none, evenly, and first of the kinds that have the most runs: thousands of
    retrainings make room for the optimum that they began at. A run that is shown has both its ends, so that how far it went and
    returned is told of it as of all of them.
    """
    if sum(map(len, kept)) <= most:
        return kept
    ends = [tuple(dict.fromkeys((points[0], points[-1]))) if len(points) else () for points in kept]
    chosen: set[int] = set()
    room = most
    for group in _by_kind(kinds):
        places = [group[i] for i in evenly(len(group), min(len(group), room // 2))]
        chosen.update(places)
        room -= sum(len(ends[place]) for place in places)
    others = [(place, point) for place in sorted(chosen) for point in kept[place] if point not in ends[place]]
    further: dict[int, list[int]] = {}
    for i in evenly(len(others), min(len(others), room)):
        further.setdefault(others[i][0], []).append(others[i][1])
    return [tuple(sorted({*ends[place], *further.get(place, ())})) if place in chosen else () for place in range(len(kept))]


def evenly(n: int, count: int) -> Int[np.ndarray, " k"]:
    """Return ``count`` of n numbers, no more than there are, in the middle of as many equal parts."""
    return (np.arange(count) * n + n // 2) // max(count, 1)


def mapped(
    runs: Sequence[Run],
    kept: Sequence[Sequence[int]],
    shown: Sequence[Sequence[int]],
    *,
    origin: Origin,
    embedded: Callable[..., PhateEmbedding],
) -> tuple[PhateEmbedding, float]:
    """Embed all points of runs, and return the map of those that are shown, and the error of a distance."""
    rows = _rows(kept, shown)
    if sum(map(len, kept)) <= _LANDMARKS:
        between, error = recorded_pairwise(runs, kept=kept, origin=origin)
        return embedded(between).picked(rows), error
    cloud = recorded_cloud(runs, kept=kept, origin=origin)
    embedding = embedded(cloud.points, origin=cloud.origin, n_landmark=_LANDMARKS)
    settings = replace(embedding.settings, origin=str(origin))
    return replace(embedding, settings=settings).picked(rows), cloud.relative_error


def _rows(kept: Sequence[Sequence[int]], shown: Sequence[Sequence[int]]) -> Int[np.ndarray, " k"]:
    """Return the rows of the shown points among the kept ones, which rise in each run."""
    starts = np.cumsum([0, *map(len, kept)])
    return np.concatenate(
        [start + np.searchsorted(all_, some) for start, all_, some in zip(starts[:-1], kept, shown, strict=True)]
    ).astype(np.int64)


def _by_kind(kinds: Sequence[str]) -> list[list[int]]:
    """Return the places of runs of each kind, the rarest first."""
    places: dict[str, list[int]] = {}
    for place, kind in enumerate(kinds):
        places.setdefault(kind, []).append(place)
    return sorted(places.values(), key=len)
