"""Whether a map of noisy points keeps the shape of what they were before the noise: DEMaP."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial.distance import cdist
from scipy.stats import rankdata

from lossatlas._arrays import Coordinates, Distances, InputError, Points, checked_distances, checked_points
from lossatlas.distance import pairwise
from lossatlas.embed import Embedding
from lossatlas.measure.topology.graph import neighbour_graph

# Paths are measured from so many points that they make half a million pairs: from all of up to 707 points.
_PAIRS = 500_000


@dataclass(frozen=True, kw_only=True)
class Demap:
    """How well a map keeps the geodesics of the truth.

    Attributes:
        correlation: Of geodesics and drawn distances (Spearman); 1 if the map keeps their order, 0 if it knows nothing of it,
            NaN where all of either are one.
        unreachable: Share of the pairs that no path joins. They count as tied, farther than all others.
        knn: Neighbours of the graph of paths.
    """

    correlation: float
    unreachable: float
    knn: int


def demap(
    true: Points | Distances,
    drawn: Embedding | Coordinates,
    *,
    knn: int = 30,
    metric: Literal["euclidean", "precomputed"] = "euclidean",
    seed: int = 0,
) -> Demap:
    """Rank correlation between shortest paths among noise-free points and distances on the map of the noisy ones.

    Paths go over the graph that joins each point to its ``knn`` nearest, an edge as long as its ends are apart: the
    denoised embedding manifold preservation of Moon et al. (2019, Nature Biotechnology 37, Methods). It needs the truth,
    so that it judges a method on made data, not a map of weights.

    Args:
        true: The points without noise ``(n, p)``, or distances between them with ``metric="precomputed"``.
        drawn: The map of the same points, in their order.
        knn: Neighbours in the graph. Default of Moon et al. 2019.
        metric: What ``true`` is.
        seed: Of the choice of points from which paths are measured, where there are more than half a million pairs.

    Raises:
        InputError: the map has other points, or ``knn`` does not fit.

    >>> circle = np.array([[np.cos(a), np.sin(a)] for a in np.linspace(0, 5.5, 40)])  # but for a gap
    >>> unrolled, as_it_is = np.linspace(0, 1, 40)[:, np.newaxis], circle
    >>> round(demap(circle, unrolled, knn=3).correlation, 2), round(demap(circle, as_it_is, knn=3).correlation, 2)
    (1.0, 0.87)
    """
    D = checked_distances(true) if metric == "precomputed" else pairwise(checked_points(true)).euclidean
    places = drawn.coordinates if isinstance(drawn, Embedding) else np.asarray(drawn, dtype=np.float64)
    n = len(D)
    if places.ndim != 2 or len(places) != n or not np.isfinite(places).all():
        raise InputError(f"the truth has {n} points, but the map's shape is {places.shape}; pass finite coordinates (n, d)")
    i, j = neighbour_graph(D, knn=knn).T
    edges = coo_array((D[i, j], (i, j)), shape=(n, n)).tocsr()
    count = n if n * (n - 1) // 2 <= _PAIRS else max(1, _PAIRS // n)
    sources = np.sort(np.random.default_rng(seed).permutation(n)[:count])
    paths = dijkstra(edges, directed=False, indices=sources)
    is_pair = np.arange(n) != sources[:, np.newaxis]
    paths, lengths = paths[is_pair], cdist(places[sources], places)[is_pair]
    a, b = (rankdata(values) - (len(values) + 1) / 2 for values in (paths, lengths))
    spread = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return Demap(
        correlation=float((a * b).sum() / spread) if spread else float("nan"),
        unreachable=float(np.isinf(paths).mean()),
        knn=knn,
    )
