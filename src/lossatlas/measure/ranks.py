"""Who is near whom: shares in neighbourhoods and ranks of distances, a block of rows at a time."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float

# Distances of a block of rows: 8 MB of them.
_CELLS = 1 << 20
# The last 20 of the 52 bits of a mantissa: distances that differ by rounding alone become equal.
_LAST = np.int64(20)

Block = Float[np.ndarray, "b n"]


def blocks(n: int) -> Iterator[slice]:
    """Yield rows of an ``(n, n)`` matrix, as many at a time as memory should hold."""
    height = max(1, _CELLS // n)
    for start in range(0, n, height):
        yield slice(start, min(start + height, n))


def without_rounding(distances: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """Distances from 0 on to 32 binary digits each, so that ties which rounding has broken are ties again.

    >>> 0.1 + 0.2 == 0.3, without_rounding(np.array([0.1 + 0.2])) == without_rounding(np.array([0.3]))
    (False, array([ True]))
    """
    # Of numbers from 0 on, bits are in the order of values, so that a half can be added and the rest cut off.
    bits = np.ascontiguousarray(distances, dtype=np.float64).view(np.int64)
    half = np.int64(1) << (_LAST - 1)
    return ((bits + half) >> _LAST << _LAST).view(np.float64)


def to_others(distances: Block, rows: slice) -> Block:
    """Rows of distances without rounding, in which no point is near itself."""
    others = without_rounding(distances)
    others[np.arange(len(others)), np.arange(rows.start, rows.stop)] = np.inf
    return others


def shares(others: Block, knn: int) -> Block:
    """Share of each point in the neighbourhood of each row: 1 for the nearest, 0 for the far.

    Points that tie for the last places have an equal share in what is left, so that a row sums to ``knn`` and the order of
    points does not matter.

    >>> shares(np.array([[np.inf, 1.0, 2.0, 2.0, 3.0]]), 2)
    array([[0. , 1. , 0.5, 0.5, 0. ]])
    """
    last = np.partition(others, knn - 1, axis=1)[:, knn - 1 : knn]
    nearer, tied = others < last, others == last
    left = knn - nearer.sum(axis=1, keepdims=True)
    return nearer + tied * (left / tied.sum(axis=1, keepdims=True))


def beyond(members: Block, others: Block, knn: int) -> Float[np.ndarray, " b"]:
    r"""By how much the ranks of each row's members exceed ``knn``, :math:`\sum_j s_{ij} \max(r_{ij} - k, 0)`.

    The rank of a point is 1 and the number of points that are nearer.

    >>> beyond(np.array([[0.0, 1.0, 0.0, 1.0]]), np.array([[np.inf, 1.0, 2.0, 3.0]]), 2)
    array([1.])
    """
    found = np.zeros(len(others))
    for row, in_order in enumerate(np.sort(others, axis=1)):
        near = np.flatnonzero(members[row])
        ranks = np.searchsorted(in_order, others[row, near], side="left") + 1
        found[row] = (members[row, near] * np.maximum(ranks - knn, 0)).sum()
    return found
