"""Distances of some pairs of points, apart for each stretch of the parameters: one pass, and no table of all pairs."""

from collections.abc import Sequence
from itertools import pairwise as neighbours

import numpy as np
from jaxtyping import Float

from lossatlas._arrays import Indices
from lossatlas.distance.kernels import add_differences
from lossatlas.distance.source import PointSource, blocks, refuse_lost, slabs
from lossatlas.distance.threads import over_rows, workers


def pair_squares(
    source: PointSource, first: Indices, second: Indices, *, cuts: Sequence[int], megabytes: float = 512
) -> Float[np.ndarray, "l n"]:
    r"""Squared distances ``(l, m)`` of m pairs of points, within each of l stretches of the parameters.

    Sums of squared differences in float64: no digit is lost where points are near. The stretches of a pair add up to its whole
    squared distance.

    Args:
        source: Points.
        first: One point of each pair.
        second: The other.
        cuts: Where stretches begin, and where the last one ends: ``l + 1`` numbers of parameters, ascending.
        megabytes: How much float64 a block of what is read may hold; one is read while another is worked on.

    Raises:
        InputError: a point holds NaN or infinite values, or such that cannot be squared.

    >>> from lossatlas.distance import point_source
    >>> points = point_source(np.array([[0.0, 0.0, 0.0], [3.0, 4.0, 1.0]]))
    >>> pair_squares(points, np.array([0]), np.array([1]), cuts=[0, 2, 3])
    array([[25.],
           [ 1.]])
    """
    sums = np.zeros((len(cuts) - 1, len(first)))
    with workers() as pool:
        for slab in slabs(source, np.arange(source.n_points), megabytes=megabytes):
            shift = slab.start - slab.first  # from the number of a parameter to its column
            for stretch, (low, high) in enumerate(neighbours(cuts)):
                start, stop = max(low + shift, slab.start), min(high + shift, slab.stop)
                if start >= stop:
                    continue

                def add(
                    a: int, b: int, points: np.ndarray = slab.points, at: tuple[int, int, int] = (stretch, start, stop)
                ) -> None:
                    add_differences(points, points, first[a:b], second[a:b], at[1], at[2], sums[at[0], a:b])

                over_rows(pool, add, len(first))
    if not np.isfinite(sums).all():
        _refuse_lost(source, megabytes)
    return sums


def _refuse_lost(source: PointSource, megabytes: float) -> None:
    for columns, block in blocks(source, megabytes=megabytes):  # of runs, names the point itself
        lost = np.flatnonzero(~np.isfinite(block).all(axis=1))
        if len(lost):
            refuse_lost(source, int(lost[0]), columns)
    refuse_lost(source, -1, slice(0, source.n_parameters))
