"""Other ways to draw what PHATE draws, by their names, with settings that fit few points too."""

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Literal, TypeAlias, get_args

from lossatlas._arrays import InputError
from lossatlas.distance import Pairwise
from lossatlas.embed.baselines import UMAP_IS_MISSING, isomap, pca, tsne, umap
from lossatlas.embed.embedding import Embedding
from lossatlas.embed.given import Own

Method: TypeAlias = Literal["pca", "tsne", "umap", "isomap"]


def refuse_methods(methods: Sequence[str]) -> None:
    """Refuse names of no method, and methods whose package is missing, before any work is done.

    Raises:
        InputError: a name is unknown, or umap-learn is missing.
    """
    for method in methods:
        if method not in get_args(Method):
            raise InputError(f"methods must be of {', '.join(get_args(Method))}, but {method!r} came; choose of these")
    if "umap" in methods and find_spec("umap") is None:
        raise InputError(UMAP_IS_MISSING)


def layout(method: Method, points: Pairwise, *, metric: Own, n_components: int = 2, seed: int = 0) -> Embedding:
    """Map by another method with its own defaults, and fewer neighbours where there are few points.

    Args:
        method: Its name.
        points: Distances, as PHATE got them.
        metric: Which of them.
        n_components: Axes of the map.
        seed: Seed of what chance there is.

    Raises:
        InputError: the points cannot be mapped by this method.
    """
    n = len(points.squared)
    match method:
        case "pca":
            return pca(points, metric=metric, n_components=n_components)
        case "tsne":  # each point is to have neighbours at three perplexities (van der Maaten and Hinton 2008)
            return tsne(points, metric=metric, n_components=n_components, perplexity=min(30.0, (n - 1) / 3), seed=seed)
        case "umap":
            if n < 3:
                raise InputError(f"umap needs at least 3 points, but there are {n}; leave it out")
            return umap(points, metric=metric, n_components=n_components, n_neighbors=min(15, n - 1), seed=seed)
        case "isomap":
            return isomap(points, metric=metric, n_components=n_components, n_neighbors=min(5, n - 1))
