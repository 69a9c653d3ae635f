"""Sketches as points of a space of their own, for more points than all distances should be held of."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from lossatlas._arrays import InputError
from lossatlas.distance.sketched import Sketches
from lossatlas.sketch import Sketch, refuse_others


@dataclass(frozen=True, eq=False, kw_only=True)
class SketchCloud:
    r"""Points whose distances estimate those of the weights: ``k + 1`` float32 numbers each, whatever the number of weights.

    With :math:`\theta = (1 + c)\,\theta_\text{start} + y` and y at a right angle to the start, a point is

    .. math:: \bigl( c\, \lVert \theta_\text{start} \rVert,\; S y \bigr).

    The first number is exact. Runs that began at different weights have a sketch of all of :math:`\theta` there, less that of
    the first run's start. Distances are those of S, within :attr:`relative_error`; :func:`sketched_pairwise` uses the exact
    norms too, which takes all pairs.

    Attributes:
        points: One row a point.
        origin: Where the cosine's origin lies among them.
        start: Of the first run, about zero.
        is_shared: Whether all began there.
    """

    points: Float[np.ndarray, "n k1"]
    origin: Float[np.ndarray, " k1"]
    start: Sketch
    is_shared: bool

    @classmethod
    def about(cls, start: Sketch, *, n: int, is_shared: bool, origin: Literal["zero", "start"]) -> "SketchCloud":
        """Return room for ``n`` points of runs that began at ``start``: all of them, or the first alone.

        Raises:
            InputError: there are fewer than two points.
        """
        if n < 2:
            raise InputError(f"a map needs at least 2 points, but there is {n}; record or sample more")
        place = np.zeros(len(start.values) + 1)
        if origin == "zero" and is_shared:
            place[0] = -math.sqrt(start.squared_norm)
        elif origin == "zero":
            place[1:] = -start.values
        return cls(points=np.empty((n, len(place)), np.float32), origin=place, start=start, is_shared=is_shared)

    def place(self, row: int, point: Sketch, own: Sketch) -> None:
        """Write a point, whose run began at ``own``, to its row.

        Raises:
            InputError: ``k`` or seed is another.
        """
        refuse_others((len(self.start.values), self.start.seed), (len(point.values), point.seed))
        c = point.dot / self.start.squared_norm if self.is_shared and self.start.squared_norm else 0.0
        self.points[row, 0] = c * math.sqrt(self.start.squared_norm)
        self.points[row, 1:] = point.values + (own.values - (1 + c) * self.start.values)

    @property
    def relative_error(self) -> float:
        r"""Standard error of a distance over itself, at most :math:`1 / \sqrt{2k}`."""
        return 1 / math.sqrt(2 * (self.points.shape[1] - 1))


def cloud(sketches: Sketches, *, origin: Literal["zero", "start"] = "zero") -> SketchCloud:
    """Return sketches of points about one start as points of a space of their own.

    >>> from lossatlas.distance import pairwise, sketches
    >>> walk = np.random.default_rng(0).normal(size=(5, 20_000)).cumsum(axis=0)
    >>> made = cloud(sketches(walk))
    >>> off = np.linalg.norm(made.points[1:] - made.points[:-1], axis=1) / np.diagonal(pairwise(walk).euclidean, 1) - 1
    >>> bool(np.abs(off).max() < 4 * made.relative_error)
    True
    """
    made = SketchCloud.about(sketches.start, n=len(sketches.values), is_shared=True, origin=origin)
    for row in range(len(sketches.values)):
        made.place(row, sketches.point(row), sketches.start)
    return made
