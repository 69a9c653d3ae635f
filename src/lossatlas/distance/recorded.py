"""Distances between points of runs on disk, from what the runs hold."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lossatlas._arrays import InputError
from lossatlas.distance.pairwise import Origin, Pairwise, pairwise
from lossatlas.distance.sketched import Sketches, sketched_pairwise
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
        InputError: the runs have neither all weights nor all sketches, or cannot be compared.
    """
    if all(run.has_weights for run in runs):
        return pairwise(point_source(runs, kept=kept), origin=origin), 0.0
    weighed = next((run for run in runs if not run.has_sketches), None)
    if weighed is not None:
        alone = next(run for run in runs if not run.has_weights)
        raise InputError(
            f"run {alone.name!r} holds sketches and no weights, run {weighed.name!r} weights and no sketches, so nothing can be "
            "compared; record with keep='both'"
        )
    if not isinstance(origin, str) or origin == "centroid":
        place = origin if isinstance(origin, str) else "a point"
        raise InputError(f"sketches have distances about zero and the start, not about {place!r}; pass one of these")
    points = recorded_sketches(runs, kept=kept, origin=origin)
    return sketched_pairwise(points, origin="start" if origin == "start" else "zero"), points.relative_error


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
    refuse_other_runs(runs)
    for run in runs[1:]:
        if run.names != runs[0].names:
            raise InputError(f"runs {runs[0].name!r} and {run.name!r} were sketched in another order of tensors; map them apart")
    starts = [run.start() for run in runs]
    is_one = all(np.array_equal(start.values, starts[0].values) for start in starts)
    if not is_one and origin == "start":
        raise InputError("the runs did not start at the same weights, so origin='start' names no place; pass origin='zero'")
    points = []
    for run, start, numbers in zip(runs, starts, kept or [range(run.n_points) for run in runs], strict=True):
        for point in numbers:
            made = run.sketch(point)
            if not made.is_finite:
                raise InputError(
                    f"{run.describe(point)} has weights that are NaN or infinite; leave it out, as atlas does with "
                    "diverged='skip' (--diverged skip)"
                )
            points.append(made if is_one else _about_zero(made, start))
    return Sketches.of(points, start=starts[0] if is_one else _zero_like(starts[0]))


def _about_zero(sketch: Sketch, start: Sketch) -> Sketch:
    return replace(sketch, values=sketch.values + start.values, squared_displacement=sketch.squared_norm, dot=0.0)


def _zero_like(sketch: Sketch) -> Sketch:
    return replace(sketch, values=np.zeros_like(sketch.values), squared_norm=0.0, squared_displacement=0.0, dot=0.0)
