"""The neighbour graph on which a loss is looked at."""

import numpy as np
from jaxtyping import Int
from scipy.sparse import coo_array

from lossatlas._arrays import Distances, InputError
from lossatlas.embed.connect import bridged


def neighbour_graph(distances: Distances, *, knn: int = 20) -> Int[np.ndarray, "m 2"]:
    """Edges of the simple graph that joins each point to its ``knn`` nearest others.

    Two points are joined if either is among the nearest of the other; each edge is listed once, the lower point first.
    Ties go to the lower point.

    Raises:
        InputError: ``knn`` is not from 1 to n - 1.

    >>> neighbour_graph(np.abs(np.subtract.outer(np.arange(3.0), np.arange(3.0))), knn=1)
    array([[0, 1],
           [1, 2]])
    """
    n = len(distances)
    if not 1 <= knn < n:
        raise InputError(f"knn={knn} needs at least {max(knn, 1) + 1} points, but there are {n}; pass another knn")
    others = distances.copy()
    np.fill_diagonal(others, np.inf)
    last = np.partition(others, knn - 1, axis=1)[:, knn - 1 : knn]
    nearer, tied = others < last, others == last
    left = knn - nearer.sum(axis=1, keepdims=True)
    is_near = nearer | (tied & (np.cumsum(tied, axis=1) <= left))
    return np.argwhere(np.triu(is_near | is_near.T))


def bridged_graph(edges: Int[np.ndarray, "m 2"], distances: Distances) -> Int[np.ndarray, "e 2"]:
    """Edges with those of the minimum spanning tree between the graph's pieces, one fewer than there are pieces.

    >>> bridged_graph(np.array([[0, 1], [2, 3]]), np.abs(np.subtract.outer(np.arange(4.0), np.arange(4.0))))
    array([[0, 1],
           [1, 2],
           [2, 3]])
    """
    both = np.concatenate([edges, edges[:, ::-1]])
    graph = coo_array((np.ones(len(both)), both.T), shape=distances.shape).tocsr()
    rows, columns = bridged(graph, distances).nonzero()
    found = np.stack([rows, columns], axis=1)[rows < columns].astype(np.int64)
    return found[np.lexsort(found.T[::-1])]
