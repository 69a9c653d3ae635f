"""What else draws points, on the very distances that PHATE gets: PCA, t-SNE, UMAP and Isomap."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csgraph
from threadpoolctl import threadpool_limits

from lossatlas._arrays import Coordinates, Distances, InputError
from lossatlas.distance import Origin
from lossatlas.embed.embedding import Embedding
from lossatlas.embed.given import GivenPoints, Metric, given_distances
from lossatlas.embed.scaling import principal, stress

UMAP_IS_MISSING = "umap needs umap-learn, which is not installed; run: pip install 'lossatlas[compare]'"


@dataclass(frozen=True, kw_only=True)
class BaselineSettings:
    """Every choice that made a baseline's map; None where a choice is not the method's."""

    metric: str
    origin: str
    n_components: int
    perplexity: float | None = None
    n_neighbors: int | None = None
    min_dist: float | None = None
    seed: int | None = None


def pca(points: GivenPoints, *, metric: Metric = "cosine", origin: Origin = "zero", n_components: int = 2) -> Embedding:
    r"""Principal components, exact through the n x n matrix of inner products, whatever the number of parameters.

    .. math:: -\tfrac12 J D^{\circ 2} J = V \Lambda V^T, \qquad X = V_d \Lambda_d^{1/2}

    With the Euclidean metric this is the PCA of the centred points; with the cosine, that of their directions from the origin,
    whose squared distances are :math:`2 d`; with any other, principal coordinates (Gower 1966).

    The diagnostics hold ``explained_variance_1``, … and, beside each, ``random_walk_1``, …: the same of a random walk of as many
    points in many dimensions, :math:`\lambda_k \propto 1 / \sin^2(\pi k / 2n)`, which is 61 % on the first axis and draws
    Lissajous curves (Antognini and Sohl-Dickstein 2018). A trajectory whose shares are those shows no more than that.

    >>> line = np.outer([0.0, 1.0, 2.0, 6.0], np.ones(3))
    >>> pca(line, metric="euclidean").coordinates[:, 0].round(3) + 0.0
    array([-3.897, -2.165, -0.433,  6.495])
    """
    return pcas(points, axes=(n_components,), metric=metric, origin=origin)[0]


def pcas(
    points: GivenPoints, *, axes: Sequence[int], metric: Metric = "cosine", origin: Origin = "zero"
) -> tuple[Embedding, ...]:
    """Principal components as :func:`pca` has them, in each of several numbers of axes, of one decomposition."""
    for n_components in axes:
        _refuse_no_axes(n_components)
    D, name = given_distances(points, metric=metric, origin=origin)
    chord = np.sqrt(2 * D) if metric == "cosine" else D
    values, vectors = principal(chord, max(axes))
    n = len(D)
    squared = chord**2
    spread = float(squared.sum()) / (2 * n)  # the trace of the matrix of inner products
    null = 1 / np.sin(np.pi * np.arange(1, n) / (2 * n)) ** 2
    null = np.pad(null / null.sum(), (0, max(max(axes) - len(null), 0)))
    made = []
    for n_components in axes:
        diagnostics = {f"explained_variance_{k + 1}": float(values[k]) / spread if spread else 0.0 for k in range(n_components)}
        diagnostics |= {f"random_walk_{k + 1}": float(null[k]) for k in range(n_components)}
        coordinates = vectors[:, :n_components] * np.sqrt(values[:n_components])
        made.append(_made("pca", chord, coordinates, diagnostics, metric=metric, origin=name))
    return tuple(made)


def tsne(
    points: GivenPoints,
    *,
    metric: Metric = "cosine",
    origin: Origin = "zero",
    n_components: int = 2,
    perplexity: float = 30.0,
    seed: int = 0,
) -> Embedding:
    """Map by t-SNE (van der Maaten and Hinton 2008), through scikit-learn, from a start by principal coordinates.

    Args:
        points: As for :func:`phate`, also the next two.
        metric: Distance between points.
        origin: Where the cosine is measured.
        n_components: Axes of the map, 1 to 3.
        perplexity: About how many neighbours a point minds; default of scikit-learn.
        seed: Seed of what chance there is.

    Raises:
        InputError: the points cannot be mapped, or there are no more of them than the perplexity.
    """
    from sklearn.manifold import TSNE

    D, name = given_distances(points, metric=metric, origin=origin)
    if not 0 < perplexity < len(D):
        raise InputError(f"perplexity must be above 0 and below the {len(D)} points, but is {perplexity}; pass another")
    if not 1 <= n_components <= 3:
        raise InputError(f"t-SNE draws 1 to 3 axes, but n_components is {n_components}; pass one of these")
    values, vectors = principal(D, n_components)
    start = vectors * np.sqrt(values)
    start = start / max(float(start[:, 0].std()), np.finfo(float).tiny) * 1e-4  # as scikit-learn starts from components
    method = TSNE(n_components, perplexity=perplexity, metric="precomputed", init=start.astype(np.float32), random_state=seed)
    drawn = method.fit_transform(D).astype(np.float64)
    diagnostics = {"kl_divergence": float(method.kl_divergence_)}
    return _made("tsne", D, drawn, diagnostics, metric=metric, origin=name, perplexity=perplexity, seed=seed)


def umap(
    points: GivenPoints,
    *,
    metric: Metric = "cosine",
    origin: Origin = "zero",
    n_components: int = 2,
    n_neighbors: int = 15,
    min_dist: float = 0.1,
    seed: int = 0,
) -> Embedding:
    """Map by UMAP (McInnes, Healy and Melville 2018), through umap-learn, the extra ``compare``.

    Args:
        points: As for :func:`phate`, also the next two.
        metric: Distance between points.
        origin: Where the cosine is measured.
        n_components: Axes of the map.
        n_neighbors: Neighbours of each point; default of umap-learn.
        min_dist: How near points may be drawn; default of umap-learn.
        seed: Seed of what chance there is.

    Raises:
        InputError: the points cannot be mapped, there are no more of them than neighbours, or umap-learn is missing.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that its sister, which is not used, needs TensorFlow
            from umap import UMAP
    except ImportError as error:
        raise InputError(UMAP_IS_MISSING) from error
    D, name = given_distances(points, metric=metric, origin=origin)
    _refuse_no_axes(n_components)
    _refuse_neighbours(n_neighbors, len(D), least=2)
    method = UMAP(
        n_neighbors=n_neighbors,
        n_components=n_components,
        min_dist=min_dist,
        metric="precomputed",
        random_state=seed,
        n_jobs=1,
        init="spectral" if len(D) > n_components + 1 else "random",  # the spectral start needs so many eigenvectors
    )
    # Numba gives OpenMP a thread a core as it begins, and PyTorch in this process with it; the limit sets none and restores all.
    with threadpool_limits(None), warnings.catch_warnings():
        # That distances alone cannot be transformed, and that pieces were joined: neither is for the reader of a map.
        warnings.simplefilter("ignore")
        drawn = np.asarray(method.fit_transform(D), dtype=np.float64)
    return _made("umap", D, drawn, {}, metric=metric, origin=name, n_neighbors=n_neighbors, min_dist=min_dist, seed=seed)


def isomap(
    points: GivenPoints, *, metric: Metric = "cosine", origin: Origin = "zero", n_components: int = 2, n_neighbors: int = 5
) -> Embedding:
    """Map by Isomap (Tenenbaum, de Silva and Langford 2000), through scikit-learn.

    Pieces of the neighbour graph are joined where they are nearest; ``connected_components`` in the diagnostics is how many
    there were.

    Args:
        points: As for :func:`phate`, also the next two.
        metric: Distance between points.
        origin: Where the cosine is measured.
        n_components: Axes of the map.
        n_neighbors: Neighbours of each point; default of scikit-learn.

    Raises:
        InputError: the points cannot be mapped, or there are no more of them than neighbours.
    """
    from sklearn.manifold import Isomap
    from sklearn.neighbors import kneighbors_graph

    D, name = given_distances(points, metric=metric, origin=origin)
    _refuse_no_axes(n_components)
    _refuse_neighbours(n_neighbors, len(D), least=1)
    method = Isomap(n_neighbors=n_neighbors, n_components=n_components, metric="precomputed", eigen_solver="dense")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that pieces are joined, which the diagnostics say
        drawn = np.asarray(method.fit_transform(D), dtype=np.float64)
    near = kneighbors_graph(D, n_neighbors, metric="precomputed", include_self=False)
    diagnostics = {"connected_components": float(csgraph.connected_components(near, directed=False)[0])}
    return _made("isomap", D, drawn, diagnostics, metric=metric, origin=name, n_neighbors=n_neighbors)


def _refuse_no_axes(n_components: int) -> None:
    if n_components < 1:
        raise InputError(f"n_components must be 1 or more, but is {n_components}; a map has 2")


def _refuse_neighbours(n_neighbors: int, n: int, *, least: int) -> None:
    if not least <= n_neighbors < n:
        raise InputError(f"n_neighbors must be from {least} to {n - 1} for {n} points, but is {n_neighbors}; pass another")


def _made(
    method: str,
    distances: Distances,
    coordinates: Coordinates,
    diagnostics: dict[str, float],
    *,
    metric: Metric,
    **choices: Any,  # noqa: ANN401 - fields of the settings
) -> Embedding:
    name = metric if isinstance(metric, str) else "callable"
    return Embedding(
        method=method,
        coordinates=coordinates,
        stress=stress(distances, coordinates),
        settings=BaselineSettings(metric=name, n_components=coordinates.shape[1], **choices),
        diagnostics=diagnostics,
    )
