"""Sketches of many points become distances: estimates within a stated error, from numbers that fit into memory."""

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from lossatlas._arrays import InputError, Points, Vector
from lossatlas.distance.angles import fit_angles
from lossatlas.distance.pairwise import Pairwise, pairwise
from lossatlas.distance.source import PointSource, blocks, point_source, refuse_lost
from lossatlas.sketch import K, Sketch, Sketcher, refuse_numbers, refuse_others
from lossatlas.store import Run


@dataclass(frozen=True, eq=False, kw_only=True)
class Sketches:
    """Sketches of ``n`` points about one start, or of the same shard of all of them."""

    start: Sketch  # of θ_start itself, about zero
    values: Float[np.ndarray, "n k"]
    squared_norms: Vector
    squared_displacements: Vector
    dots: Vector

    @classmethod
    def of(cls, points: Sequence[Sketch], *, start: Sketch) -> "Sketches":
        """Return the sketches of ``points`` as one object.

        Raises:
            InputError: there are fewer than two, or ``k``, seeds or numbers of parameters differ.
        """
        if len(points) < 2:
            raise InputError(f"a map needs at least 2 points, but there is {len(points)}; record or sample more")
        for point in points:
            refuse_others((len(start.values), start.seed), (len(point.values), point.seed))
            if point.n_parameters != start.n_parameters:
                raise InputError(
                    f"points must have the start's {start.n_parameters} parameters, but one has {point.n_parameters}; "
                    "add all shards of each"
                )
        return cls(
            start=start,
            values=np.array([point.values for point in points]),
            squared_norms=np.array([point.squared_norm for point in points]),
            squared_displacements=np.array([point.squared_displacement for point in points]),
            dots=np.array([point.dot for point in points]),
        )

    def point(self, row: int) -> Sketch:
        """Return the sketch of one point."""
        moments = np.array([self.squared_norms[row], self.squared_displacements[row], self.dots[row]])
        return Sketch.of(self.values[row], moments, n_parameters=self.start.n_parameters, seed=self.start.seed)

    @property
    def norms(self) -> Vector:
        """Exact norms of the points."""
        return np.sqrt(self.squared_norms)

    @property
    def displacements(self) -> Vector:
        """Exact distances from the start."""
        return np.sqrt(self.squared_displacements)

    @property
    def relative_error(self) -> float:
        r"""Standard error of a distance over itself, at most :math:`1 / \sqrt{2k}`: half that of its square."""
        return 1 / math.sqrt(2 * self.values.shape[1])

    def __add__(self, other: "Sketches") -> "Sketches":
        """Return the sketches of both shards, point by point.

        Raises:
            InputError: they hold another number of points, or were made with another ``k`` or seed.
        """
        if len(self.values) != len(other.values):
            raise InputError(
                f"shards must hold the same points, but one has {len(self.values)} and one {len(other.values)}; sketch the same"
            )
        return Sketches(
            start=self.start + other.start,
            values=self.values + other.values,
            squared_norms=self.squared_norms + other.squared_norms,
            squared_displacements=self.squared_displacements + other.squared_displacements,
            dots=self.dots + other.dots,
        )


def sketches(
    points: np.ndarray | Run | Sequence[Run] | PointSource,
    *,
    k: int = K,
    seed: int = 0,
    offset: int = 0,
    megabytes: float = 128,
) -> Sketches:
    """Sketches of all points about the first of them, streamed over blocks of parameters; see :func:`lossatlas.sketch.sketch`.

    >>> walk = np.random.default_rng(0).normal(size=(5, 1000)).cumsum(axis=0)
    >>> made = sketches(walk[:, :400]) + sketches(walk[:, 400:], offset=400)
    >>> made.values.shape, made.start.n_parameters
    ((5, 4096), 1000)
    """
    refuse_numbers(k=k, seed=seed, offset=offset)
    source = point_source(points) if isinstance(points, (np.ndarray, Run, Sequence)) else points
    n = source.n_points
    sketchers = [Sketcher(k=k, seed=seed) for _ in range(n + 1)]
    with ThreadPoolExecutor() as threads:
        for columns, block in blocks(source, megabytes=megabytes):
            # The last is the start about zero. A row is one task, so that sums do not depend on the number of threads.
            starts: list[np.ndarray | None] = [*[block[0]] * n, None]

            def add(row: int, block: Points = block, starts: list[np.ndarray | None] = starts, at: int = columns.start) -> None:
                sketchers[row].add(block[row % n], starts[row], offset=offset + at)

            list(threads.map(add, range(n + 1)))
    made = [sketcher.sketch() for sketcher in sketchers]
    lost = [row for row, one in enumerate(made) if not one.is_finite]
    if lost:
        refuse_lost(source, lost[0], slice(0, source.n_parameters))
    return Sketches.of(made[:-1], start=made[-1])


def sketched_pairwise(sketches: Sketches, *, origin: Literal["zero", "start"] = "zero") -> Pairwise:
    r"""Squared distances of all pairs from their sketches, and exact norms about ``origin``.

    With :math:`\theta = (1 + c)\,\theta_\text{start} + y` and y at a right angle to the start, c and ‖y‖ are exact, and only
    the angle between two y is estimated:

    .. math:: d^2 = (c_a - c_b)^2 \lVert \theta_\text{start} \rVert^2 + (\lVert y_a \rVert - \lVert y_b \rVert)^2
                    + 2 \lVert y_a \rVert \lVert y_b \rVert\, \delta, \qquad
              \delta^3 - (3 - w)\,\delta^2 + (2 + D)\,\delta - D = 0,

    :math:`w = \langle u, v \rangle`, :math:`D = \lVert u - v \rVert^2`, u and v the sketches of y over their exact norms. δ is
    1 - cos at the greatest likelihood given those norms (Li, Hastie, Church 2006), written so that near points keep their
    digits: as good as ‖S(a-b)‖² for near pairs, with half its variance at a right angle. No δ lies outside 0 to 2, so that
    d is never below the difference of norms about either origin, and no cosine has to be clipped.

    Raises:
        InputError: ``origin`` is another.

    >>> walk = np.random.default_rng(0).normal(size=(5, 20_000)).cumsum(axis=0)
    >>> estimated = sketched_pairwise(sketches(walk)).euclidean
    >>> bool(np.abs(estimated[0, 1:] / pairwise(walk).euclidean[0, 1:] - 1).max() < 1e-9)  # from the start: exact
    True
    """
    if origin not in {"zero", "start"}:
        raise InputError(f"origin must be 'zero' or 'start', but is {origin!r}; other origins need the weights: use pairwise")
    squared_start = sketches.start.squared_norm
    c = sketches.dots / squared_start if squared_start else np.zeros_like(sketches.dots)
    # Never negative but by rounding, when a point moved along its start alone.
    y = np.sqrt(np.maximum(sketches.squared_displacements - c**2 * squared_start, 0.0))
    unit = (sketches.values - np.multiply.outer(c, sketches.start.values)) / np.where(y == 0, 1.0, y)[:, None]
    squared = pairwise(unit).squared
    fit_angles(unit @ unit.T, squared)
    squared *= 2 * np.multiply.outer(y, y)
    squared += np.subtract.outer(y, y) ** 2 + squared_start * np.subtract.outer(c, c) ** 2
    norms = sketches.norms if origin == "zero" else sketches.displacements
    return Pairwise(squared, norms, origin, sketches.start.n_parameters)
