"""A path between two minima, and what was measured along it."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from lossatlas._arrays import Vector
from lossatlas.sample.path.ends import Ends
from lossatlas.sample.path.settings import BandSettings, BendSettings
from lossatlas.sample.slice.frame import Coefficients, Frame
from lossatlas.sample.slice.line import LossLine, linear_path
from lossatlas.sample.slice.losses import Losses, losses
from lossatlas.sample.slice.picture import Picture
from lossatlas.sample.start import Tensors
from lossatlas.sample.task import Task
from lossatlas.store import Run

Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class LowLossPath(Picture):
    r"""A path from start to end and the loss along it, beside the straight line.

    Attributes:
        positions: Of the points, as fractions of the path's length, ``(n,)``.
        losses: What was measured at each, and the points themselves as combinations of the path's pivots.
        barrier: :math:`\max_s L(s) - \max(L(0), L(1))`: how far the path rises above the higher of its ends.
        excess: :math:`\max_s L(s) - ((1-s) L(0) + s L(1))`, the rise above the straight line between the ends' losses.
        length: Of the path, over all parameters; ``straight.length`` is the distance of its ends.
        straight: The loss on the straight line, measured alike.
        loss: At each point, ``(n,)``.
        settings: How the path was found.
        diagnostics: Steps, pivots, seconds.
    """

    positions: Vector
    losses: Losses
    barrier: float
    excess: float
    length: float
    straight: LossLine
    loss: Vector = field(repr=False)  # losses.loss
    settings: BandSettings | BendSettings
    diagnostics: dict[str, Any] = field(repr=False)

    @property
    def weights(self) -> Float[np.ndarray, "n p"]:
        """The parameters at each point, in float64; ``losses.frame`` holds the few vectors that they are combined from."""
        frame = self.losses.frame
        rows = [np.concatenate([vector[name].double().numpy().ravel() for name in frame.vectors[-1]]) for vector in frame.vectors]
        return self.losses.coefficients @ np.stack(rows)

    @property
    def saddle(self) -> int:
        """The point of the greatest loss."""
        return int(np.argmax(self.loss))

    @property
    def mode_connectivity(self) -> float:
        r"""Mean of the ends' losses less that where the path is farthest from it; see :func:`mode_connectivity`."""
        return mode_connectivity(self.loss)

    def record(self, path: str | os.PathLike[str], task: Task) -> tuple[Run, Run]:
        """Write the path and the straight line as two runs, ``path`` and ``line``, to be put on a map together.

        Raises:
            InputError: a folder holds a run already, or cannot be written.
        """
        folder = Path(path)
        return self.losses.record(folder / "path", task, is_path=True), self.straight.losses.record(folder / "line", task)


def mode_connectivity(loss: Vector) -> float:
    r"""Return how the loss between the ends of a path departs from their mean, where it does so most.

    .. math:: \tfrac12 (L(0) + L(1)) - L(s^*), \qquad s^* = \arg\max_s \big|\tfrac12 (L(0) + L(1)) - L(s)\big|

    Below 0 a barrier parts the ends, near 0 they are connected, and above 0 the path runs lower than its ends, which were not
    trained to the bottom (Yang et al. 2021, NeurIPS, "Taxonomizing local versus global structure in neural network loss
    landscapes", Section 2).

    >>> mode_connectivity(np.array([1.0, 4.0, 2.0])), mode_connectivity(np.array([1.0, 0.25, 1.0]))
    (-2.5, 0.75)
    """
    fall = (loss[0] + loss[-1]) / 2 - loss[1:-1]
    return float(fall[np.argmax(np.abs(fall))])


def measured_path(
    ends: Ends, pivots: list[Tensors], table: Coefficients, *, diagnostics: dict[str, Any], progress: Progress | None = None
) -> LowLossPath:
    """Measure a path at combinations of the start, the pivots between, and the end.

    Args:
        ends: Whole points, and how the path was found and is to be measured.
        pivots: Parameters between them.
        table: A row a point, in order.
        diagnostics: What is known of how it went.
        progress: Called with the numbers of points done and in all, the straight line's included.
    """
    frame = chain_frame(ends.points, pivots)
    n = len(table)
    told = progress or (lambda _, __: None)
    along = losses(ends.task, frame, table, settings=ends.measure, progress=lambda done, _: told(done, 2 * n))
    straight = linear_path(ends.task, *ends.points, n=n, settings=ends.measure, progress=lambda done, _: told(n + done, 2 * n))
    steps = _distances(frame, table)
    length = float(steps.sum())
    positions = np.concatenate([[0.0], np.cumsum(steps) / length if length else np.linspace(0, 1, n)[1:]])
    positions[-1] = 1.0
    L = along.loss
    line = (1 - positions) * L[0] + positions * L[-1]
    return LowLossPath(
        positions=positions,
        losses=along,
        barrier=float(np.max(L) - max(L[0], L[-1])),  # a NaN on the way is a finding, and stays
        excess=float(np.max(L - line)),
        length=length,
        straight=straight,
        loss=L,
        settings=ends.settings,
        diagnostics=diagnostics,
    )


def chain_frame(ends: tuple[Tensors, Tensors], pivots: list[Tensors]) -> Frame:
    """Return the frame of a path: the start as a whole point, the pivots' and the end's parameters."""
    start, end = ends
    parameters = pivots[0].keys()
    buffers = frozenset(name for name in start if name not in parameters)
    return Frame((start, *pivots, {name: end[name] for name in parameters}), buffers)


def _distances(frame: Frame, table: Coefficients) -> Float[np.ndarray, " steps"]:
    """Return the lengths of the steps from point to point, over all parameters.

    A point is the first vector and shares of the differences between neighbouring ones, so that a step needs their k x k inner
    products alone, and nothing large cancels.
    """
    k = len(frame.vectors)
    gram = np.zeros((k - 1, k - 1))
    for name in frame.vectors[-1]:
        rows = np.stack([vector[name].double().numpy().ravel() for vector in frame.vectors])
        differences = np.diff(rows, axis=0)
        gram += differences @ differences.T
    shares = np.diff(np.cumsum(table[:, ::-1], axis=1)[:, ::-1][:, 1:], axis=0)
    return np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", shares, gram, shares), 0.0))
