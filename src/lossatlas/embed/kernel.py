"""Distances become affinities: the alpha-decay kernel, and bridges between parts that it leaves apart."""

import numpy as np
from scipy.sparse import csgraph, csr_array

from lossatlas._arrays import Affinities, Distances, Indices, InputError

# Affinities below this are none: Moon et al. 2019 and every release of PHATE.
_THRESHOLD = 1e-4
# A bridge is as strong as the edge to a point's own knn-th neighbour, exp(-1): the least that the kernel means to keep.
_BRIDGE = np.exp(-1.0)


def alpha_decay_affinities(distances: Distances, *, knn: int = 5, decay: float | None = 40.0) -> Affinities:
    r"""Affinity of all pairs of points, with a bandwidth of its own at each point.

    .. math:: A_{ij} = \exp\bigl(-(d_{ij} / \varepsilon_i)^{\alpha}\bigr), \qquad K = (A + A^T) / 2,

    where :math:`\varepsilon_i` is the distance from i to its ``knn``-th neighbour, itself not counted, and values of A
    below 1e-4 are none (Moon et al. 2019, Methods). With ``decay`` = 40 a neighbour counts until 1.06 bandwidths.

    Args:
        distances: ``(n, n)``.
        knn: Neighbours that set the bandwidth. Default of Moon et al. 2019.
        decay: The exponent alpha; None counts the ``knn`` neighbours alike. Default of Moon et al. 2019.

    Raises:
        InputError: ``knn`` is not from 1 to n - 1, or ``decay`` not positive.

    >>> line = np.abs(np.subtract.outer(np.arange(3.0), np.arange(3.0)))
    >>> alpha_decay_affinities(line, knn=1).round(3)
    array([[1.   , 0.368, 0.   ],
           [0.368, 1.   , 0.368],
           [0.   , 0.368, 1.   ]])
    """
    n = len(distances)
    if not 1 <= knn < n:
        raise InputError(
            f"knn={knn} needs at least {max(knn, 1) + 1} points, but there are {n}; record more or pass another knn, 1 to {n - 1}"
        )
    if decay is not None and not decay > 0:
        raise InputError(f"decay must be above 0, but is {decay}; 40 is the usual value")
    # Position 0 of a sorted row is the point itself.
    bandwidth = np.partition(distances, knn, axis=1)[:, knn, np.newaxis]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        ratio = distances / bandwidth
        # 0/0: copies of a point that has knn copies are as near as can be.
        ratio[np.isnan(ratio)] = 0.0
        affinities = (ratio <= 1.0).astype(float) if decay is None else np.exp(-(ratio**decay))
    affinities[affinities < _THRESHOLD] = 0.0
    np.fill_diagonal(affinities, 1.0)
    return (affinities + affinities.T) / 2


def components(affinities: Affinities) -> tuple[int, Indices]:
    """Number of connected components of the graph, and the component of each point."""
    count, labels = csgraph.connected_components(csr_array(affinities > 0), directed=False)
    return int(count), labels.astype(np.int64)


def bridged(affinities: Affinities, distances: Distances) -> Affinities:
    """Affinities with the components joined along the minimum spanning tree of the distances.

    Between components every potential would be capped, and their distance on the map arbitrary. The tree's edges that
    run between components get the affinity exp(-1), that of a ``knn``-th neighbour.
    """
    count, labels = components(affinities)
    if count == 1:
        return affinities
    tree = csgraph.minimum_spanning_tree(distances).tocoo()
    between = labels[tree.row] != labels[tree.col]
    rows, columns = tree.row[between], tree.col[between]
    joined = affinities.copy()
    joined[rows, columns] = joined[columns, rows] = _BRIDGE
    return joined
