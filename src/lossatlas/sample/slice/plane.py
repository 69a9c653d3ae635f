"""The loss on a plane through a point, and on the plane that a trajectory spans."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float

from lossatlas._arrays import InputError, Vector
from lossatlas.sample.directions import Biases, DirectionNorm, orthogonal_direction
from lossatlas.sample.slice.grid import checked_count, coarse_to_fine
from lossatlas.sample.slice.losses import Losses, Progress, losses
from lossatlas.sample.slice.middle import automatic_range, middle
from lossatlas.sample.slice.picture import Picture
from lossatlas.sample.slice.principal import Projected
from lossatlas.sample.slice.settings import SliceSettings
from lossatlas.sample.start import Start, Tensors
from lossatlas.sample.task import Task


@dataclass(frozen=True, eq=False)
class LossPlane(Picture):
    """The loss on a grid of a plane through a point.

    Attributes:
        x: Steps along the first direction, ``(nx,)``.
        y: Steps along the second, ``(ny,)``.
        loss: At ``x[i]``, ``y[j]``: ``(nx, ny)``.
        losses: What was measured, and the points themselves, row by row.
        cosine: Of the angle between the two directions, over all parameters.
        lengths: Of a step of 1 along each.
        trajectory: The run that spans the plane, where one does.
    """

    x: Vector
    y: Float[np.ndarray, " m"]
    loss: Float[np.ndarray, "n m"]
    losses: Losses
    cosine: float
    lengths: tuple[float, float]
    trajectory: Projected | None = field(default=None)


def loss_plane(
    task: Task,
    start: Start,
    *,
    directions: tuple[Mapping[str, torch.Tensor], Mapping[str, torch.Tensor]] | None = None,
    seed: int = 0,
    norm: DirectionNorm = "filter",
    biases: Biases = "zero",
    orthogonal: bool = False,
    reach: float | None = None,
    n: int = 51,
    settings: SliceSettings | None = None,
    path: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> LossPlane:
    r"""Measure the loss on a plane through a point, by default in two random filter-normalised directions.

    .. math:: f(a, b) = L(\theta + a\, d + b\, e), \qquad a, b \in [-r, r]

    (Li, Xu, Taylor, Studer, Goldstein 2018, Sections 3 and 4). Random directions of many dimensions are nearly orthogonal, not
    exactly; ``cosine`` says how nearly.

    Args:
        task: Model, data and loss; the model stays as it is.
        start: A run (its last point), a ``run.snapshot(point)``, or a state dict.
        directions: Tensors of the parameters to use as they are, see :func:`lossatlas.sample.normalized_direction`; by default
            two random ones are drawn.
        seed: Of the random directions.
        norm: What of random directions is brought to the weights' length.
        biases: What becomes of tensors of one dimension in random directions.
        orthogonal: Whether the second direction is turned to a right angle with the first, filter by filter, and so stays
            filter-normalised.
        reach: Half the width ``r``, where 1 is 100 % of the weights' length; by default it is found from the loss.
        n: Points along each axis; an odd number has the point itself among them.
        settings: Data, batch norm and engine; by default ``SliceSettings()``.
        path: A file that keeps what was measured, so that the same call goes on where it was stopped.
        progress: Called with the numbers of points done and in all.

    Raises:
        InputError: the point or a direction is not of this model, or a number is out of its range.
    """
    checked_count(n)
    if orthogonal and (norm != "filter" or biases != "zero" or directions is not None):
        raise InputError(
            "orthogonal=True turns random directions with norm='filter' and biases='zero'; leave those as they are by default"
        )
    settings = settings or SliceSettings()
    held = middle(task, start, settings)
    given = directions or (None, None)
    seeds = np.random.SeedSequence((seed, 2)).generate_state(2)
    d, e = (held.direction(one, seed=int(own_seed), norm=norm, biases=biases) for one, own_seed in zip(given, seeds, strict=True))
    if orthogonal:
        e = orthogonal_direction(e, d, held.parameters)
    frame = held.along({"first direction": d, "second direction": e})
    r = automatic_range(task, frame, settings) if reach is None else held.checked_reach(reach)
    steps = np.linspace(-r, r, n)
    measured = losses(
        task, frame, plane_coefficients(steps, steps), settings=settings, order=coarse_to_fine(n, n), path=path, progress=progress
    )
    lengths = held.length(d), held.length(e)
    return LossPlane(steps, steps, measured.loss.reshape(n, n), measured, _inner(d, e) / (lengths[0] * lengths[1]), lengths)


def plane_coefficients(x: np.ndarray, y: np.ndarray) -> Float[np.ndarray, "n 3"]:
    """Return rows ``(1, x, y)`` for each point of a grid, row by row."""
    first, second = np.meshgrid(x, y, indexing="ij")
    return np.stack([np.ones(first.size), first.ravel(), second.ravel()], axis=1)


def _inner(first: Tensors, second: Tensors) -> float:
    return sum(float((tensor.double() * second[name].double()).sum()) for name, tensor in first.items() if name in second)
