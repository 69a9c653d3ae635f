"""Who is near whom: shares in neighbourhoods and ranks of distances, row by row; compiled, and run outside Python's lock."""

import numpy as np
from jaxtyping import Float, Int

from lossatlas._compiled import compiled

# The last 20 of the 52 bits of a mantissa: distances that differ by rounding alone become equal.
_LAST = np.int64(20)
_HALF = np.int64(1) << (_LAST - 1)
_NEVER = np.iinfo(np.int64).max  # as far as nothing is


def without_rounding(distances: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """Distances from 0 on to 32 binary digits each, so that ties which rounding has broken are ties again.

    >>> 0.1 + 0.2 == 0.3, without_rounding(np.array([0.1 + 0.2])) == without_rounding(np.array([0.3]))
    (False, array([ True]))
    """
    # Of numbers from 0 on, bits are in the order of values, so that a half can be added and the rest cut off.
    bits = np.ascontiguousarray(distances, dtype=np.float64).view(np.int64)
    return ((bits + _HALF) >> _LAST << _LAST).view(np.float64)


def neighbour_sums(
    distances: Float[np.ndarray, "n n"], drawn: Float[np.ndarray, "n d"], run: Int[np.ndarray, " n"], knn: int, rows: slice
) -> Float[np.ndarray, "5 b"]:
    r"""Of each of some rows what the ``knn`` nearest have in common by the true and by the drawn distances.

    Shares :math:`s_{ij}` are 1 for the nearest, 0 for the far; points that tie for the last places have an equal share in what
    is left, so that a row sums to ``knn`` and the order of points does not matter. The rank of a point is 1 and the number of
    points that are nearer. The five sums are

    .. math:: \sum_j s'_{ij} \max(r_{ij} - k, 0), \quad \sum_j s_{ij} \max(r'_{ij} - k, 0), \quad
              \sum_j \min(s_{ij}, s'_{ij}), \quad \sum_{j \sim i} \min(s_{ij}, s'_{ij}), \quad \sum_{j \sim i} s_{ij}

    with a dash on the map, the last two over points of the same run.

    >>> row = np.array([[0.0, 1.0, 2.0, 3.0]])
    >>> neighbour_sums(abs(row - row.T), np.array([[0.0], [3.0], [1.0], [2.0]]), np.zeros(4, np.int64), 1, slice(0, 1))
    array([[1.],
           [2.],
           [0.],
           [0.],
           [1.]])
    """
    return np.asarray(_neighbour_sums(distances, drawn, run, knn, (rows.start, rows.stop)))


@compiled
def _neighbour_sums(distances: np.ndarray, drawn: np.ndarray, run: np.ndarray, knn: int, rows: tuple[int, int]) -> np.ndarray:
    n, d = drawn.shape
    found = np.empty((5, rows[1] - rows[0]))
    lengths = np.empty(n)
    true, there, heap = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(knn, np.int64)
    for row in range(found.shape[1]):
        i = rows[0] + row
        for j in range(n):
            lengths[j] = distances[i, j]
        _to_others(lengths, i, true)
        for j in range(n):
            squared = 0.0
            for axis in range(d):
                between = drawn[i, axis] - drawn[j, axis]
                squared += between * between
            lengths[j] = np.sqrt(squared)
        _to_others(lengths, i, there)
        last, part = _edge(true, knn, heap)
        last_there, part_there = _edge(there, knn, heap)
        found[0, row] = _beyond(there, (last_there, part_there), true, last, knn)
        found[1, row] = _beyond(true, (last, part), there, last_there, knn)
        kept, own_kept, own = 0.0, 0.0, 0.0
        for j in range(n):
            if true[j] <= last:
                share = 1.0 if true[j] < last else part
                both = min(share, 0.0 if there[j] > last_there else part_there if there[j] == last_there else 1.0)
                kept += both
                if run[j] == run[i]:
                    own_kept += both
                    own += share
        found[2, row], found[3, row], found[4, row] = kept, own_kept, own
    return found


@compiled
def _to_others(lengths: np.ndarray, i: int, out: np.ndarray) -> None:
    """Write lengths without rounding as the whole numbers that their bits are; no point is near itself."""
    bits = lengths.view(np.int64)
    for j in range(len(lengths)):
        out[j] = (bits[j] + _HALF) >> _LAST << _LAST
    out[i] = _NEVER


@compiled
def _edge(others: np.ndarray, knn: int, heap: np.ndarray) -> tuple[int, float]:
    """Return the ``knn``-th least, and the share of those that tie for the last places."""
    for j in range(knn):
        heap[j] = others[j]
    for parent in range(knn // 2 - 1, -1, -1):
        _sink(heap, parent)
    for j in range(knn, len(others)):
        if others[j] < heap[0]:
            heap[0] = others[j]
            _sink(heap, 0)
    last, nearer, tied = heap[0], 0, 0
    for j in range(len(others)):
        nearer += others[j] < last
        tied += others[j] == last
    return last, (knn - nearer) / tied


@compiled
def _sink(heap: np.ndarray, parent: int) -> None:
    """Put an entry of a heap, whose largest is the first, where it belongs."""
    value = heap[parent]
    child = 2 * parent + 1
    while child < len(heap):
        if child + 1 < len(heap) and heap[child + 1] > heap[child]:
            child += 1
        if heap[child] <= value:
            break
        heap[parent] = heap[child]
        parent = child
        child = 2 * parent + 1
    heap[parent] = value


@compiled
def _beyond(near: np.ndarray, edge: tuple[int, float], others: np.ndarray, others_last: int, knn: int) -> float:
    """By how much the ranks of the near ones among the others exceed ``knn``, each times its share."""
    n, m = len(near), 0
    last, part = edge
    wanted, weights = np.empty(n, np.int64), np.empty(n)
    for j in range(n):
        if near[j] <= last and others[j] > others_last:  # at the last place a rank is knn at most
            wanted[m] = others[j]
            weights[m] = 1.0 if near[j] < last else part
            m += 1
    if m == 0:
        return 0.0
    order = np.argsort(wanted[:m])
    in_order = wanted[:m][order]
    counts = np.zeros(m + 1, np.int64)
    for j in range(n):
        low, high = 0, 0 if others[j] <= others_last else m
        while low < high:
            middle = (low + high) // 2
            if in_order[middle] <= others[j]:
                low = middle + 1
            else:
                high = middle
        counts[low] += 1
    sum_of_ranks, nearer = 0.0, 0
    for place in range(m):
        nearer += counts[place]
        sum_of_ranks += weights[order[place]] * (nearer + 1 - knn)
    return sum_of_ranks
