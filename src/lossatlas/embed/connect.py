"""Bridges between parts of the neighbour graph that the kernel leaves apart."""

import math
from collections.abc import Callable
from typing import Literal, TypeAlias

import numpy as np
from jaxtyping import Float, Int
from scipy.sparse import coo_array, csgraph, csr_array

from lossatlas._arrays import Distances, Indices

Connect: TypeAlias = Literal["mst", "temporal"]
# Distances from some points, given by their rows, to all points.
DistancesFrom: TypeAlias = Callable[[Int[np.ndarray, " k"]], Float[np.ndarray, "k n"]]

# A bridge is as strong as the edge to a point's own knn-th neighbour, exp(-1): the least that the kernel means to keep.
_BRIDGE = math.exp(-1)
_ROWS = 256


def components(affinities: csr_array) -> tuple[int, Indices]:
    """Number of connected components of the graph, and the component of each point."""
    count, labels = csgraph.connected_components(affinities, directed=False)
    return int(count), labels.astype(np.int64)


def bridged(affinities: csr_array, distances: Distances | DistancesFrom) -> csr_array:
    """Affinities with the components joined along the minimum spanning tree of the distances.

    Between components every potential would be capped, and their distance on the map arbitrary. The tree's edges that
    run between components get the affinity exp(-1), that of a ``knn``-th neighbour. In each round (Borůvka 1926) every
    component but the largest is joined to the point nearest to it, so only the rows of their points are asked for.

    Args:
        affinities: ``(n, n)``, symmetric.
        distances: ``(n, n)``, or a function that gives the rows of it that it is asked for.
    """
    rows_of: DistancesFrom = distances if callable(distances) else lambda rows: distances[rows]
    edges: list[tuple[int, int]] = []
    count, labels = components(affinities)
    while count > 1:
        edges.extend(_nearest_outside(labels, count, rows_of))
        count, labels = components(joined(affinities, edges))
    return joined(affinities, edges) if edges else affinities


def _nearest_outside(labels: Indices, count: int, rows_of: DistancesFrom) -> list[tuple[int, int]]:
    """Return the shortest edge out of each component but the largest; of equals the first, and none that closes a ring."""
    largest = int(np.bincount(labels).argmax())
    best = np.full(count, np.inf)
    ends = np.zeros((count, 2), dtype=np.int64)
    asked = np.flatnonzero(labels != largest)
    for start in range(0, len(asked), _ROWS):
        rows = asked[start : start + _ROWS]
        outside = np.where(labels[rows][:, np.newaxis] == labels, np.inf, rows_of(rows))
        nearest = outside.argmin(axis=1)
        for row, column, length in zip(rows, nearest, outside[np.arange(len(rows)), nearest], strict=True):
            if length < best[labels[row]]:
                best[labels[row]] = length
                ends[labels[row]] = row, column
    parent = np.arange(count)

    def root(component: int) -> int:
        while parent[component] != component:
            component = int(parent[component])
        return component

    edges = []
    for component in np.argsort(best, kind="stable")[: count - 1]:  # the largest has no edge of its own: it stands last
        first, second = (root(int(labels[end])) for end in ends[component])
        if first != second:
            parent[first] = second
            edges.append((int(ends[component][0]), int(ends[component][1])))
    return edges


def chained(affinities: csr_array, trajectories: Indices, *, places: Indices | None = None) -> csr_array:
    """Affinities in which consecutive points of one trajectory are joined by at least exp(-1).

    Args:
        affinities: ``(m, m)``, symmetric.
        trajectories: ``(n,)``, the trajectory of each point; points of one stand in the order of time.
        places: ``(n,)``, of each point its row of the affinities, which copies share; None where each has its own.
    """
    order = np.argsort(trajectories, kind="stable")
    follows = trajectories[order][1:] == trajectories[order][:-1]
    place = order if places is None else places[order]
    ends = zip(place[:-1][follows].tolist(), place[1:][follows].tolist(), strict=True)
    return joined(affinities, [(first, second) for first, second in ends if first != second])


def joined(affinities: csr_array, edges: list[tuple[int, int]]) -> csr_array:
    """Affinities in which the ends of each edge are joined by at least exp(-1)."""
    if not edges:
        return affinities
    rows, columns = np.array(edges).T
    strength = np.full(2 * len(edges), _BRIDGE)
    bridges = coo_array((strength, (np.r_[rows, columns], np.r_[columns, rows])), shape=affinities.shape).tocsr()
    bridges.data[:] = _BRIDGE  # an edge that is named twice is no stronger
    return affinities.maximum(bridges).tocsr()
