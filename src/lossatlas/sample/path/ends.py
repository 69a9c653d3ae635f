"""Two minima, and what a search between them needs."""

import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from lossatlas._arrays import InputError
from lossatlas.sample.key import digest, visible
from lossatlas.sample.path.descent import TrainingLoss
from lossatlas.sample.path.kept import Kept
from lossatlas.sample.path.settings import BandSettings, BendSettings
from lossatlas.sample.slice.middle import middle
from lossatlas.sample.slice.settings import SliceSettings
from lossatlas.sample.start import Start, Tensors, start_tensors
from lossatlas.sample.task import Task


@dataclass(frozen=True, eq=False)
class Ends:
    """Two points of the task's model, known to fit it and to have a loss that repeats."""

    task: Task
    points: tuple[Tensors, Tensors]
    loss: TrainingLoss
    settings: BandSettings | BendSettings  # how the path between them is found
    measure: SliceSettings  # how it is measured
    seed: int
    kept: Kept


def opened_ends(
    task: Task,
    start: Start,
    end: Start,
    *,
    settings: BandSettings | BendSettings,
    measure: SliceSettings | None,
    seed: int,
    path: str | os.PathLike[str] | None,
) -> Ends:
    """Return the ends of a search, with the file that keeps what it has come to.

    Raises:
        InputError: the points are not of this model, a loss does not repeat, or the path cannot be measured so.
    """
    measure = _whole(measure)
    held = middle(task, start, measure)
    points = (held.tensors, start_tensors(end, what="end"))
    held.through({"end": points[1]})
    own = {**visible(task), "seed": seed, "settings": asdict(settings), "measure": asdict(measure)}
    kept = Kept(None if path is None else Path(path), digest(own, *points))
    return Ends(task, points, TrainingLoss(task, held.model), settings, measure, seed, kept)


def _whole(settings: SliceSettings | None) -> SliceSettings:
    """Return how a path is measured: as a slice, but whole."""
    settings = settings or SliceSettings()
    if settings.batchnorm == "interpolate":
        raise InputError("a path's points have no statistics to interpolate; pass batchnorm='recompute' or 'stale'")
    return replace(settings, seconds=None)
