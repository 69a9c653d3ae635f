"""Distances from new points to those of a map, and those of other metrics."""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float

from lossatlas._arrays import Distances, InputError, checked_points
from lossatlas.distance.close import CANCELLED
from lossatlas.distance.kernels import add_differences
from lossatlas.distance.neighbours import AnyPoints, Metric, refuse_unknown
from lossatlas.distance.pairwise import Origin
from lossatlas.distance.search import at_origin, cosines
from lossatlas.distance.source import PointSource, columns_in, point_source, refuse_lost
from lossatlas.store import Run


def cross_distances(
    new: AnyPoints, points: AnyPoints, *, metric: Metric = "cosine", origin: Origin = "zero", megabytes: float = 64
) -> Float[np.ndarray, "m n"]:
    """Distance of each new point to each point of a map, streamed over the parameters in float64.

    The formula and its digits are those of :func:`pairwise`: inner products about the centroid of ``points``, and what lies
    too near for these from differences. Memory is two blocks of parameters and a few times ``m n`` numbers.

    Args:
        new: Points ``(m, p)``, one at least, or runs.
        points: The points of the map ``(n, p)``, or runs: ``"centroid"`` and ``"start"`` are theirs.
        metric: ``"cosine"`` about ``origin``, or ``"euclidean"``.
        origin: As for :func:`cosine_distances`.
        megabytes: How much float64 a block of what is read may hold.

    Raises:
        InputError: the two have different numbers of parameters; else as for :func:`cosine_distances`.

    >>> cross_distances(np.array([[0.0, 1.0]]), np.array([[0.0, 3.0], [4.0, 0.0]]))
    array([[0., 1.]])
    """
    if isinstance(new, np.ndarray) and new.ndim == 2 and len(new) == 1:
        return cross_distances(np.repeat(new, 2, axis=0), points, metric=metric, origin=origin, megabytes=megabytes)[:1]
    ours, theirs = (point_source(x) if isinstance(x, (np.ndarray, Run, Sequence)) else x for x in (new, points))
    refuse_unknown(metric, origin, theirs)
    if ours.n_parameters != theirs.n_parameters:
        raise InputError(
            f"new points must have the {theirs.n_parameters} parameters of the map's, but have {ours.n_parameters}; "
            "take those of the same model"
        )
    squared, norms, others = squared_between(ours, theirs, origin, megabytes)
    if metric == "euclidean":
        return np.sqrt(squared, out=squared)
    for side in (norms, others):
        if isinstance(origin, str) and origin != "start" and not side.all():
            raise InputError(at_origin(int(np.flatnonzero(side == 0)[0]), origin))
    return cosines(squared, norms[:, None], others[None, :])


def squared_between(
    ours: PointSource, theirs: PointSource, origin: Origin, megabytes: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Squared distances ``(m, n)`` of two sets of points, and the norms about ``origin`` of the one and of the other."""
    m, n = ours.n_points, theirs.n_points
    width = columns_in(megabytes, m + n)
    products, own, other_own, norms, others = np.zeros((m, n)), np.zeros(m), np.zeros(n), np.zeros(m), np.zeros(n)
    starts = range(0, ours.n_parameters, width)
    for start in starts:
        a, b = _blocks(ours, theirs, start, width)
        middle = b.mean(axis=0)
        place: np.ndarray | float = 0.0
        if isinstance(origin, np.ndarray):
            place = origin[start : start + width]
        elif origin != "zero":
            place = middle if origin == "centroid" else b[0]
        norms += _squares(a - place)
        others += _squares(b - place)
        a -= middle
        b -= middle
        own += _squares(a)
        other_own += _squares(b)
        products += a @ b.T
    sums = own[:, None] + other_own
    squared = np.maximum(sums - 2 * products, 0.0)
    first, second = np.nonzero(squared < CANCELLED * sums)
    if len(first):
        near = np.zeros(len(first))
        for start in starts:
            a, b = _blocks(ours, theirs, start, width)
            add_differences(a, b, first, second, 0, a.shape[1], near)
        squared[first, second] = near
    return squared, np.sqrt(norms), np.sqrt(others)


def _squares(rows: np.ndarray) -> np.ndarray:
    return np.einsum("ij,ij->i", rows, rows)


def _blocks(ours: PointSource, theirs: PointSource, start: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    stop = min(start + width, ours.n_parameters)
    found = []
    for source in (ours, theirs):
        block = np.array(source.block(start, stop), order="C")
        if not np.isfinite(block).all():
            refuse_lost(source, int(np.flatnonzero(~np.isfinite(block).all(axis=1))[0]), slice(start, stop))
        found.append(block)
    return found[0], found[1]


def metric_distances(points: np.ndarray, metric: str | Callable[[np.ndarray, np.ndarray], float]) -> Distances:
    """Distances ``(n, n)`` by any metric that scikit-learn knows, or by a function of two points.

    Args:
        points: Points ``(n, p)`` in memory.
        metric: A name that :func:`sklearn.metrics.pairwise_distances` takes, such as ``"manhattan"``, or a function.

    Raises:
        InputError: the points are runs, or the metric is unknown.

    >>> metric_distances(np.array([[0.0, 0.0], [1.0, 2.0]]), "manhattan")
    array([[0., 3.],
           [3., 0.]])
    """
    if not isinstance(points, np.ndarray):
        raise InputError(f"metric {metric!r} needs points in memory; pass run.weights()")
    found = _by_scikit_learn(checked_points(points), None, metric)
    np.fill_diagonal(found, 0.0)  # rounding leaves some metrics a little beside 0, and beside symmetry
    return (found + found.T) / 2


def metric_cross_distances(
    new: np.ndarray, points: np.ndarray, metric: str | Callable[[np.ndarray, np.ndarray], float]
) -> Float[np.ndarray, "m n"]:
    """Distances ``(m, n)`` from new points to those of a map, by a metric as for :func:`metric_distances`."""
    return _by_scikit_learn(checked_points(new, at_least=1), checked_points(points), metric)


def _by_scikit_learn(
    first: np.ndarray, second: np.ndarray | None, metric: str | Callable[[np.ndarray, np.ndarray], float]
) -> np.ndarray:
    from sklearn.metrics import pairwise_distances

    try:
        return pairwise_distances(first, second, metric=metric).astype(np.float64, copy=False)
    except (ValueError, KeyError):
        raise InputError(
            "metric must be cosine, euclidean, precomputed, precomputed_affinity, a function, or one that scikit-learn takes for "
            f"these points, but is {metric!r}; choose another"
        ) from None
