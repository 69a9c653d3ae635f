"""Distances between points of runs on disk, from what the runs hold."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from lossatlas._arrays import InputError
from lossatlas.distance.cloud import SketchCloud, cloud
from lossatlas.distance.pairwise import Origin, Pairwise, pairwise
from lossatlas.distance.sketched import Sketches, sketched_pairwise, sketches
from lossatlas.distance.source import point_source, refuse_other_runs
from lossatlas.sketch import Sketch
from lossatlas.store import Run


def recorded_pairwise(
    runs: Sequence[Run], *, kept: Sequence[Sequence[int]] | None = None, origin: Origin = "zero"
) -> tuple[Pairwise, float]:
    """All distances between points of runs, from weights where all have them, else from sketches, and a distance's error.

    Args:
        runs: Of one model.
        kept: The points of each run; by default all.
        origin: Where cosines will be measured.

    Returns:
        Distances, and the standard error of one over itself: 0 from weights.

    Raises:
        InputError: the runs have neither all weights nor all sketches, or cannot be compared, or all distances of so many points
            are more than the memory.
    """
    _refuse_too_many(sum(map(len, kept or [range(run.n_points) for run in runs])))
    if all(run.has_weights for run in runs):
        return pairwise(point_source(runs, kept=kept), origin=origin), 0.0
    _refuse_without_sketches(runs)
    about = _of_sketches(origin)
    points = recorded_sketches(runs, kept=kept, origin=about)
    return sketched_pairwise(points, origin=about), points.relative_error


def recorded_cloud(runs: Sequence[Run], *, kept: Sequence[Sequence[int]] | None = None, origin: Origin = "zero") -> SketchCloud:
    """Points in the space of their sketches, for maps of so many that all their distances are more than the memory.

    Sketches are read one at a time where the runs hold them; else weights are sketched in one pass, about the first point.

    Args:
        runs: Of one model.
        kept: The points of each run; by default all.
        origin: Where cosines will be measured.

    Raises:
        InputError: as for :func:`recorded_pairwise`, save for the memory.
    """
    about = _of_sketches(origin)
    if not all(run.has_sketches for run in runs) and all(run.has_weights for run in runs):
        return cloud(sketches(point_source(runs, kept=kept)), origin=about)
    _refuse_without_sketches(runs)
    is_shared = _common_start(runs, about) is not None
    points = [range(run.n_points) for run in runs] if kept is None else kept
    made = SketchCloud.about(runs[0].start(), n=sum(map(len, points)), is_shared=is_shared, origin=about)
    for row, (point, own) in enumerate(_read(runs, points)):
        made.place(row, point, own)
    return made


def recorded_sketches(runs: Sequence[Run], *, kept: Sequence[Sequence[int]] | None = None, origin: str = "zero") -> Sketches:
    """Sketches that runs hold, recorded with ``keep="sketch"`` or ``"both"``.

    Displacements are counted from the start that all runs share. Where they began at different weights, it is zero: the
    sketch is linear, S(θ) = S(θ - θ_start) + S(θ_start), so that distances within a run and between runs are estimated alike.

    Args:
        runs: Of one model.
        kept: The points of each run; by default all.
        origin: Where cosines will be measured.

    Raises:
        InputError: a run holds no sketches, other parameters, or a point that is not finite; or the origin is a start that the
            runs do not share.
    """
    start = _common_start(runs, origin)
    points = [
        point if start is not None else _about_zero(point, own)
        for point, own in _read(runs, [range(run.n_points) for run in runs] if kept is None else kept)
    ]
    return Sketches.of(points, start=_zero_like(runs[0].start()) if start is None else start)


def _common_start(runs: Sequence[Run], origin: str) -> Sketch | None:
    """Return the sketch of the start that all runs share, or None."""
    refuse_other_runs(runs)
    for run in runs[1:]:
        if run.tensors is not runs[0].tensors and run.names != runs[0].names:
            raise InputError(f"runs {runs[0].name!r} and {run.name!r} were sketched in another order of tensors; map them apart")
    start = runs[0].start()
    if all(np.array_equal(run.start().values, start.values) for run in runs[1:]):
        return start
    if origin == "start":
        raise InputError("the runs did not start at the same weights, so origin='start' names no place; pass origin='zero'")
    return None


def _read(runs: Sequence[Run], kept: Sequence[Sequence[int]]) -> Iterator[tuple[Sketch, Sketch]]:
    """Yield the sketch of each point, and that of its run's start."""
    for run, numbers in zip(runs, kept, strict=True):
        own = run.start()
        for point in numbers:
            made = run.sketch(point)
            if not made.is_finite:
                raise InputError(
                    f"{run.describe(point)} has weights that are NaN or infinite; leave it out, as atlas does with "
                    "diverged='skip' (--diverged skip)"
                )
            yield made, own


def _about_zero(sketch: Sketch, start: Sketch) -> Sketch:
    return replace(sketch, values=sketch.values + start.values, squared_displacement=sketch.squared_norm, dot=0.0)


def _zero_like(sketch: Sketch) -> Sketch:
    return replace(sketch, values=np.zeros_like(sketch.values), squared_norm=0.0, squared_displacement=0.0, dot=0.0)


def _refuse_without_sketches(runs: Sequence[Run]) -> None:
    weighed = next((run for run in runs if not run.has_sketches), None)
    if weighed is not None:
        alone = next(run for run in runs if not run.has_weights)
        raise InputError(
            f"run {alone.name!r} holds sketches and no weights, run {weighed.name!r} weights and no sketches, so nothing can be "
            "compared; record with keep='both'"
        )


def _of_sketches(origin: Origin) -> Literal["zero", "start"]:
    """Return an origin that sketches know, or refuse it."""
    if isinstance(origin, str) and origin in {"zero", "start"}:
        return "start" if origin == "start" else "zero"
    place = origin if isinstance(origin, str) else "a point"
    raise InputError(f"sketches have distances about zero and the start, not about {place!r}; pass one of these")


def _refuse_too_many(n: int) -> None:
    if not hasattr(os, "sysconf"):
        return
    memory, needed = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), 8 * n * n
    if needed > memory:
        raise InputError(
            f"all distances of {n:,} points are {needed / 1e9:,.0f} GB, and this machine has {memory / 1e9:,.0f} GB; "
            "pass max_points=5000 (--max-points 5000), by which all are mapped and so many shown"
        )
