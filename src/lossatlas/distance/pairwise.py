"""Distances between all points from one pass over the parameters: never n x p in memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

import numpy as np
from jaxtyping import Float

from lossatlas._arrays import Distances, InputError, Points, Vector
from lossatlas.distance.source import PointSource, blocks, point_source
from lossatlas.store import Run

Origin: TypeAlias = Literal["zero", "centroid", "start"] | np.ndarray
Pairs: TypeAlias = tuple[np.ndarray, np.ndarray]

# ‖a-b‖² from a Gram matrix about the centroid is off by some eps (‖a-c‖² + ‖b-c‖²). Below this share of that sum it has
# fewer than 8 good digits left, and the pair is measured directly.
_CANCELLED = 1e-7


@dataclass(frozen=True, eq=False)
class Pairwise:
    """Squared Euclidean distances of all pairs of points, and each point's distance from the origin of the cosine."""

    squared: Distances
    norms: Vector
    origin: str
    n_parameters: int

    @cached_property
    def euclidean(self) -> Distances:
        """Euclidean distances, in units of the weights."""
        return np.sqrt(self.squared)

    @cached_property
    def cosine(self) -> Distances:
        r"""Cosine distances about the origin, from 0 to 2.

        .. math:: 1 - \cos(a, b) = \frac{\lVert a-b \rVert^2 - (\lVert a \rVert - \lVert b \rVert)^2}
                                        {2\, \lVert a \rVert\, \lVert b \rVert}

        A point at the origin itself has no direction: its distance is 1 to every other place, as if at a right angle.

        Raises:
            InputError: the origin is zero or the centroid, and a point lies there.
        """
        lost = np.flatnonzero(self.norms == 0)
        if len(lost) and self.origin in {"zero", "centroid"}:
            raise InputError(
                f"point {lost[0]} lies at the origin ({self.origin}), where a cosine has no meaning; "
                "leave it out, or pass another origin"
            )
        safe = np.where(self.norms == 0, 1.0, self.norms)
        # The difference of squares is never negative but by rounding.
        part = np.maximum(self.squared - np.subtract.outer(self.norms, self.norms) ** 2, 0.0)
        distances = np.minimum(part / (2 * np.multiply.outer(safe, safe)), 2.0)
        distances[lost, :] = distances[:, lost] = 1.0
        distances[np.ix_(lost, lost)] = 0.0  # copies of one point, as of the start that several runs share
        np.fill_diagonal(distances, 0.0)
        return distances


def cosine_distances(runs_or_array: np.ndarray | Run | Sequence[Run], *, origin: Origin = "zero") -> Distances:
    """Cosine distance ``(n, n)`` of all pairs of points, streamed over the parameters in float64.

    Memory is one block of parameters and n² numbers, whatever the number of parameters. Snapshots that nearly coincide keep
    their digits: 1 - cos is not formed by a subtraction from 1, and close pairs are measured from their differences.

    Args:
        runs_or_array: Points ``(n, p)``, a run, or runs of one model.
        origin: Where the angle is measured: ``"zero"``; ``"centroid"`` of the points (what the code of Horoi et al. 2022
            computed through PHATE's centred PCA); ``"start"``, the first point; or a point ``(p,)``.

    Raises:
        InputError: fewer than two points, values that are not finite, other parameters in one run, or a point at the origin.

    >>> cosine_distances(np.array([[1.0, 0.0], [0.0, 2.0], [-3.0, 0.0]]))
    array([[0., 1., 2.],
           [1., 0., 1.],
           [2., 1., 0.]])
    """
    return pairwise(runs_or_array, origin=origin).cosine


def pairwise(
    points: np.ndarray | Run | Sequence[Run] | PointSource, *, origin: Origin = "zero", megabytes: float = 128
) -> Pairwise:
    """Squared distances of all pairs of points, and norms about ``origin``; see :func:`cosine_distances`."""
    source = point_source(points) if isinstance(points, (np.ndarray, Run, Sequence)) else points
    _refuse_unknown(origin, source.n_parameters)
    gram = np.zeros((source.n_points, source.n_points))
    squared_norms = np.zeros(source.n_points)
    for columns, block in blocks(source, megabytes=megabytes):
        centred = block - block.mean(axis=0)
        gram += centred @ centred.T  # NumPy hands a product with its own transpose to the symmetric BLAS routine
        seen = _seen_from(origin, block, centred, columns)
        squared_norms += np.einsum("ij,ij->i", seen, seen)
    own = np.diagonal(gram)
    sums = np.add.outer(own, own)
    squared = np.maximum(sums - 2 * gram, 0.0)
    close = np.triu(squared < _CANCELLED * sums, k=1)
    if close.any():
        first, second = np.nonzero(close)
        squared[first, second] = squared[second, first] = _direct(source, (first, second), megabytes)
    np.fill_diagonal(squared, 0.0)
    return Pairwise(squared, np.sqrt(squared_norms), origin if isinstance(origin, str) else "point", source.n_parameters)


def _seen_from(origin: Origin, block: Points, centred: Points, columns: slice) -> Points:
    if isinstance(origin, np.ndarray):
        return block - origin[columns]
    return {"zero": block, "centroid": centred, "start": block - block[0]}[origin]


def _direct(source: PointSource, pairs: Pairs, megabytes: float) -> Float[np.ndarray, " m"]:
    """Squared distances of a few pairs from their differences."""
    squared = np.zeros(len(pairs[0]))
    for _, block in blocks(source, megabytes=megabytes):
        rows = max(1, int(megabytes * 2**20 / (8 * block.shape[1])))
        for start in range(0, len(squared), rows):
            part = slice(start, start + rows)
            difference: Points = block[pairs[0][part]] - block[pairs[1][part]]
            squared[part] += np.einsum("ij,ij->i", difference, difference)
    return squared


def _refuse_unknown(origin: Origin, n_parameters: int) -> None:
    if isinstance(origin, np.ndarray):
        if origin.shape != (n_parameters,):
            raise InputError(f"origin must be a point of {n_parameters} values, but its shape is {origin.shape}; flatten it")
    elif origin not in {"zero", "centroid", "start"}:
        raise InputError(f"origin must be 'zero', 'centroid', 'start' or a point, but is {origin!r}; choose one of these")
