"""New points on a standing map."""

import numpy as np
from jaxtyping import Float

from lossatlas._arrays import Coordinates, InputError
from lossatlas.embed.kernel import reach


def affinities_to(
    distances: Float[np.ndarray, "q n"],
    *,
    knn: int,
    decay: float | None,
    knn_max: int | None = None,
    bandwidth_scale: float = 1.0,
) -> Float[np.ndarray, "q n"]:
    r"""Shares of the points of a map in new ones, :math:`A_{ij} / \sum_j A_{ij}`, with :math:`\varepsilon_i` their own.

    The ``knn``-th nearest point of the map sets the bandwidth (Moon et al. 2019, Methods). A new point at distance 0 from
    points of the map is theirs alone.
    """
    n = distances.shape[1]
    if not 1 <= knn <= n:
        raise InputError(f"knn={knn} needs as many points on the map, but there are {n}; pass another knn")
    nearest = np.partition(distances, knn - 1, axis=1)[:, knn - 1 : knn]
    ratio = distances / np.where(nearest > 0, nearest * bandwidth_scale, 1.0)
    with np.errstate(over="ignore"):
        shares = (ratio <= 1).astype(float) if decay is None else np.exp(-(ratio**decay))
    shares[ratio > reach(decay) * (1 + 1e-12)] = 0.0
    # A narrow kernel may reach nothing: the nearest is then what there is.
    bare = ~shares.any(axis=1)
    shares[bare, distances[bare].argmin(axis=1)] = 1.0
    if knn_max is not None and knn_max < n:
        order = np.argsort(distances, axis=1, kind="stable")
        np.put_along_axis(shares, order[:, knn_max:], 0.0, axis=1)
    same = (distances == 0).any(axis=1)
    shares[same] = distances[same] == 0
    return shares / shares.sum(axis=1, keepdims=True)


def checked_new_distances(distances: np.ndarray, n: int, *, what: str = "distances") -> Float[np.ndarray, "q n"]:
    """Return distances from new points to those of a map, or say what is wrong with them."""
    D = np.asarray(distances)
    if D.ndim != 2 or D.shape[1] != n:
        raise InputError(
            f"{what} of new points must have a column for each of the map's {n} points, but their shape is {D.shape}"
        )
    if D.dtype.kind not in "fiub" or not np.isfinite(D).all() or (D < 0).any():
        raise InputError(f"{what} of new points must be finite and not negative, but some are not; leave those points out")
    return D.astype(np.float64, copy=False)


def placed(shares: Float[np.ndarray, "q n"], coordinates: Coordinates) -> Float[np.ndarray, "q d"]:
    """Coordinates of new points: the mean of those of the map, each by its share."""
    return shares @ coordinates
