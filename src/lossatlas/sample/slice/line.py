"""The loss on a straight line: between two points, or along a direction."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch

from lossatlas._arrays import InputError, Vector
from lossatlas.sample.directions import Biases, DirectionNorm
from lossatlas.sample.slice.grid import checked_count, coarse_to_fine
from lossatlas.sample.slice.losses import Losses, Progress, losses
from lossatlas.sample.slice.middle import Middle, automatic_range, middle
from lossatlas.sample.slice.picture import Picture
from lossatlas.sample.slice.settings import SliceSettings
from lossatlas.sample.start import Start, start_tensors
from lossatlas.sample.task import Task


@dataclass(frozen=True, eq=False)
class LossLine(Picture):
    r"""The loss at ``n`` points of a straight line.

    Attributes:
        positions: Of the points, ``(n,)``. Between two points 0 is the start and 1 the end; along a direction 1 is 100 % of the
            weights' length.
        losses: What was measured at each, and the points themselves.
        barrier: :math:`\max_a L(a) - \max(L(0), L(1))` over the points between the ends: how far the line rises above the higher
            of them. NaN along a direction, or where a loss between the ends is.
        excess: :math:`\max_a L(a) - ((1-a) L(0) + a L(1))`, the rise above the straight line between the ends' losses
            (Entezari et al. 2022). Frankle et al. 2020 subtract the mean of both ends, which where they are equal is the same.
        is_monotone: Whether the loss only falls from start to end (Goodfellow et al. 2015); None along a direction.
        length: Distance between the ends, or of a step of 1 along the direction, over all parameters.
    """

    positions: Vector
    losses: Losses
    barrier: float
    excess: float
    is_monotone: bool | None
    length: float
    loss: Vector = field(repr=False)  # losses.loss


def linear_path(
    task: Task,
    start: Start,
    end: Start,
    *,
    n: int = 51,
    within: tuple[float, float] = (0.0, 1.0),
    settings: SliceSettings | None = None,
    path: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> LossLine:
    r"""Measure the loss on the straight line between two points (Goodfellow, Vinyals, Saxe 2015).

    .. math:: L\bigl((1 - a)\,\theta_\text{start} + a\,\theta_\text{end}\bigr), \qquad a \in [0, 1] \text{ or wider}

    Args:
        task: Model, data and loss; the model stays as it is.
        start: A run (its last point), a ``run.snapshot(point)``, or a state dict.
        end: Likewise.
        n: Points, evenly spaced; 0 and 1 are among them wherever the range is -k to 1+k.
        within: First and last ``a``.
        settings: Data, batch norm and engine; by default ``SliceSettings()``.
        path: A file that keeps what was measured, so that the same call goes on where it was stopped.
        progress: Called with the numbers of points done and in all.

    Raises:
        InputError: a point is not of this model, or a number is out of its range.
    """
    checked_count(n)
    if not (np.isfinite(within).all() and within[0] <= 0 and within[1] >= 1):
        raise InputError(f"within must hold the range from 0 to 1, but is {within!r}; widen it")
    settings = settings or SliceSettings()
    held = middle(task, start, settings)
    other = start_tensors(end, what="end")
    frame = held.through({"end": other})
    positions = np.linspace(*within, n)
    if within == (0, 1):
        positions[-1] = 1.0
    coefficients = np.stack([1 - positions, positions], axis=1)
    measured = losses(task, frame, coefficients, settings=settings, order=coarse_to_fine(n), path=path, progress=progress)
    return _between(positions, measured, held.distance(other))


def loss_line(
    task: Task,
    start: Start,
    *,
    direction: Mapping[str, torch.Tensor] | None = None,
    seed: int = 0,
    norm: DirectionNorm = "filter",
    biases: Biases = "zero",
    reach: float | None = None,
    n: int = 51,
    settings: SliceSettings | None = None,
    path: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> LossLine:
    r"""Measure the loss along one direction from a point, by default a random filter-normalised one (Li et al. 2018).

    .. math:: L(\theta + a\, d), \qquad a \in [-r, r]

    Args:
        task: Model, data and loss; the model stays as it is.
        start: A run (its last point), a ``run.snapshot(point)``, or a state dict.
        direction: Tensors of the parameters to use as they are; by default a random one is drawn.
        seed: Of the random direction.
        norm: What of a random direction is brought to the weights' length.
        biases: What becomes of tensors of one dimension in a random direction.
        reach: Half the width ``r``; by default it is found from the loss.
        n: Points, evenly spaced.
        settings: Data, batch norm and engine; by default ``SliceSettings()``.
        path: A file that keeps what was measured, so that the same call goes on where it was stopped.
        progress: Called with the numbers of points done and in all.

    Raises:
        InputError: the point or the direction is not of this model, or a number is out of its range.
    """
    checked_count(n)
    settings = settings or SliceSettings()
    held: Middle = middle(task, start, settings)
    d = held.direction(direction, seed=seed, norm=norm, biases=biases)
    frame = held.along({"direction": d})
    r = automatic_range(task, frame, settings) if reach is None else held.checked_reach(reach)
    positions = np.linspace(-r, r, n)
    coefficients = np.stack([np.ones(n), positions], axis=1)
    measured = losses(task, frame, coefficients, settings=settings, order=coarse_to_fine(n), path=path, progress=progress)
    return LossLine(positions, measured, np.nan, np.nan, None, held.length(d), measured.loss)


def _between(positions: Vector, measured: Losses, length: float) -> LossLine:
    inside = (positions >= 0) & (positions <= 1)
    a, loss = positions[inside], measured.loss[inside]
    first, last = (float(np.interp(end, a, loss)) for end in (0.0, 1.0))
    barrier = float(np.max(loss) - max(first, last))  # a NaN between the ends is a finding, and stays
    excess = float(np.max(loss - ((1 - a) * first + a * last)))
    return LossLine(positions, measured, barrier, excess, bool(np.all(np.diff(loss) <= 0)), length, measured.loss)
