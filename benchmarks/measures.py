"""How true a map is to what it shows."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import procrustes
from scipy.spatial.distance import cdist
from scipy.stats import rankdata


@dataclass(frozen=True)
class Geodesics:
    """Shortest paths from some points to all over the graph of nearest neighbours, in the unit of the distances."""

    lengths: np.ndarray  # (s, n), infinite where there is no path
    sources: np.ndarray  # (s,)

    @property
    def unreachable(self) -> float:
        """Fraction of pairs without a path."""
        return float(np.isinf(self.lengths).mean())


def geodesics(distances: np.ndarray, *, knn: int = 30, sources: int = 1000) -> Geodesics:
    """Return shortest paths over the graph that joins each point to its ``knn`` nearest others.

    Of more than ``sources`` points, evenly spaced ones are the beginnings: all pairs of 5,000 points take minutes.
    """
    n = len(distances)
    nearest = _nearest(distances, knn)
    rows = np.repeat(np.arange(n), knn)
    graph = csr_array((distances[rows, nearest.ravel()], (rows, nearest.ravel())), shape=(n, n))
    chosen = np.unique(np.linspace(0, n - 1, min(n, sources)).round().astype(int))
    return Geodesics(dijkstra(graph, directed=False, indices=chosen), chosen)


def demap(paths: Geodesics, coordinates: np.ndarray) -> float:
    """Spearman correlation of geodesics of the noise-free data with distances on the map of the noisy data (DEMaP).

    Moon et al. 2019. Pairs without a path are tied as the farthest.
    """
    others = np.ones(paths.lengths.shape, dtype=bool)
    others[np.arange(len(paths.sources)), paths.sources] = False
    drawn = cdist(coordinates[paths.sources], coordinates)
    return float(np.corrcoef(rankdata(paths.lengths[others]), rankdata(drawn[others]))[0, 1])


def knn_preservation(distances: np.ndarray, coordinates: np.ndarray, *, k: int = 10) -> float:
    """Mean fraction of each point's ``k`` nearest others that are among its ``k`` nearest on the map."""
    given, drawn = _nearest(distances, k), _nearest(cdist(coordinates, coordinates), k)
    return float(np.mean([np.isin(a, b).mean() for a, b in zip(given, drawn, strict=True)]))


def disparity(one: np.ndarray, other: np.ndarray) -> float:
    """Procrustes disparity: what is left between two maps of norm 1 after shift, turn and scale; 0 same, 1 unlike."""
    return float(procrustes(one, other)[2])


def _nearest(distances: np.ndarray, k: int) -> np.ndarray:
    others = distances.copy()
    np.fill_diagonal(others, np.inf)
    return np.argpartition(others, k - 1, axis=1)[:, :k]
