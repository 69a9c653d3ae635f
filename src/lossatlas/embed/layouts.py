"""The ways to draw distances, by their names, with settings that fit few points too."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from typing import Literal, TypeAlias, get_args

from lossatlas._arrays import InputError
from lossatlas.distance import Pairwise
from lossatlas.embed.baselines import UMAP_IS_MISSING, isomap, pca, tsne, umap
from lossatlas.embed.embedding import Embedding
from lossatlas.embed.given import Own
from lossatlas.embed.inpca import inpca
from lossatlas.embed.phate import phate

# What an atlas draws beside its own map, and all that draws distances.
Method: TypeAlias = Literal["pca", "tsne", "umap", "isomap"]
AnyMethod: TypeAlias = Literal["phate", "pca", "tsne", "umap", "isomap", "inpca"]

# Of the others the same distances give the same map, whatever the seed: t-SNE starts from principal coordinates.
WITH_CHANCE = ("umap",)


def missing_methods() -> dict[str, str]:
    """Return the methods whose package is not installed, and the line that says what to do."""
    return {"umap": UMAP_IS_MISSING} if find_spec("umap") is None else {}


def refuse_methods(methods: Sequence[str], *, known: Sequence[str] = get_args(Method)) -> None:
    """Refuse names of no method, and methods whose package is missing, before any work is done.

    Raises:
        InputError: a name is unknown, or umap-learn is missing.
    """
    for method in methods:
        if method not in known:
            raise InputError(f"methods must be of {', '.join(known)}, but {method!r} came; choose of these")
    for method, line in missing_methods().items():
        if method in methods:
            raise InputError(line)


def layout(method: AnyMethod, points: Pairwise, *, metric: Own, n_components: int = 2, seed: int = 0) -> Embedding:
    """Map by a method with its own defaults, and fewer neighbours where there are few points.

    Args:
        method: Its name.
        points: Distances.
        metric: Which of them.
        n_components: Axes of the map.
        seed: Seed of what chance there is.

    Raises:
        InputError: the points cannot be mapped by this method.
    """
    return _DRAWN[method](points, metric, n_components, seed)


def _phate(points: Pairwise, metric: Own, n_components: int, seed: int) -> Embedding:
    knn = min(5, len(points.squared) - 1)
    return phate(points, metric=metric, knn=knn, n_components=n_components, n_landmark=None, seed=seed)


def _pca(points: Pairwise, metric: Own, n_components: int, _: int) -> Embedding:
    return pca(points, metric=metric, n_components=n_components)


def _tsne(points: Pairwise, metric: Own, n_components: int, seed: int) -> Embedding:
    # Each point is to have neighbours at three perplexities (van der Maaten and Hinton 2008).
    perplexity = min(30.0, (len(points.squared) - 1) / 3)
    return tsne(points, metric=metric, n_components=n_components, perplexity=perplexity, seed=seed)


def _umap(points: Pairwise, metric: Own, n_components: int, seed: int) -> Embedding:
    n = len(points.squared)
    if n < 3:
        raise InputError(f"umap needs at least 3 points, but there are {n}; leave it out")
    return umap(points, metric=metric, n_components=n_components, n_neighbors=min(15, n - 1), seed=seed)


def _isomap(points: Pairwise, metric: Own, n_components: int, _: int) -> Embedding:
    return isomap(points, metric=metric, n_components=n_components, n_neighbors=min(5, len(points.squared) - 1))


def _inpca(points: Pairwise, metric: Own, n_components: int, _: int) -> Embedding:
    # Squared lengths, as principal components have them: it differs from these where lengths are none of points in a space.
    made = inpca(2 * points.cosine if metric == "cosine" else points.squared, n_components=n_components)
    return replace(made, settings=replace(made.settings, metric=metric, origin=points.origin))


# A method is a name here, in the types above, and its words in draw/layouts.py.
_DRAWN: Mapping[str, Callable[[Pairwise, Own, int, int], Embedding]] = {
    "phate": _phate,
    "pca": _pca,
    "tsne": _tsne,
    "umap": _umap,
    "isomap": _isomap,
    "inpca": _inpca,
}
