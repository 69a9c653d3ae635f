"""The nearest of many points, without the n x n matrix: tiles in float32 choose, float64 measures and proves."""

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
from jaxtyping import Float, Int
from scipy.sparse import csr_array

from lossatlas._arrays import InputError
from lossatlas.distance.pairwise import Origin, Pairwise, pairwise, refuse_unknown_origin
from lossatlas.distance.search import Search
from lossatlas.distance.source import ArraySource, PointSource, point_source
from lossatlas.distance.threads import workers
from lossatlas.store import Run

Metric: TypeAlias = Literal["cosine", "euclidean"]
AnyPoints: TypeAlias = np.ndarray | Run | Sequence[Run] | PointSource


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The ``k`` nearest other points of each point, the nearest first; of equally near ones the lower number."""

    indices: Int[np.ndarray, "n k"]
    distances: Float[np.ndarray, "n k"]


def nearest(points: AnyPoints, *, k: int, metric: Metric = "cosine", origin: Origin = "zero") -> Neighbours:
    """The ``k`` nearest neighbours of each point, exactly: brute force over the upper half of all pairs.

    Points in memory are multiplied tile by tile in float32, which chooses some more candidates than ``k``; these are
    measured in float64, and where the error of float32 could have hidden a neighbour the row is looked at again in
    float64. Memory is some tiles and ``n k`` numbers. Of runs, whose columns come one block after the other, all
    ``n^2`` distances are made, 8 bytes each.

    Args:
        points: Points ``(n, p)``, a run, or runs of one model.
        k: Number of neighbours, from 1 to ``n - 1``.
        metric: ``"cosine"`` about ``origin``, or ``"euclidean"``.
        origin: As for :func:`cosine_distances`.

    Raises:
        InputError: ``k`` or the metric is not among those; else as for :func:`cosine_distances`.

    >>> nearest(np.array([[0.0], [1.0], [3.0]]), k=1, metric="euclidean").indices.ravel()
    array([1, 0, 1])
    """
    source = point_source(points) if isinstance(points, (np.ndarray, Run, Sequence)) else points
    n = source.n_points
    refuse_unknown(metric, origin, source)
    if not 1 <= k < n:
        raise InputError(f"k must be from 1 to {n - 1}, one less than there are points, but is {k}; choose one of these")
    with workers() as pool:
        indices, distances = _lists(source, metric, origin, pool).nearest(np.arange(n), k)
    return Neighbours(indices, distances)


def neighbours_within(
    points: AnyPoints,
    *,
    knn: int,
    radius_factor: float,
    knn_max: int | None = None,
    rows: Int[np.ndarray, " m"] | None = None,
    metric: Metric = "cosine",
    origin: Origin = "zero",
) -> tuple[csr_array, Float[np.ndarray, " m"]]:
    r"""All neighbours that an adaptive kernel reaches: ``(m, n)`` sparse distances, and the widths.

    .. math:: \{ j \ne i : d_{ij} \le f\, \epsilon_i \}, \qquad \epsilon_i = d(i, \text{its knn-th neighbour})

    Row ``i`` holds what ``i`` reaches, which need not reach back. Distances of 0, between copies, are stored; the diagonal
    is not.

    Args:
        points: Points ``(n, p)``, a run, or runs of one model.
        knn: Neighbour that sets the width, itself not counted.
        radius_factor: How many widths a point reaches, :math:`f`.
        knn_max: Most neighbours of a row, the nearest of them; by default all.
        rows: The points whose neighbours are looked for, among all; by default all.
        metric: As for :func:`nearest`.
        origin: As for :func:`cosine_distances`.

    Raises:
        InputError: ``knn`` is not from 1 to ``n - 1``, or ``knn_max`` is less; else as for :func:`nearest`.
    """
    source = point_source(points) if isinstance(points, (np.ndarray, Run, Sequence)) else points
    n = source.n_points
    refuse_unknown(metric, origin, source)
    if not 1 <= knn < n:
        raise InputError(f"knn must be from 1 to {n - 1}, one less than there are points, but is {knn}; choose one of these")
    if not radius_factor > 0:
        raise InputError(f"radius_factor must be positive, but is {radius_factor}; choose a larger one")
    if knn_max is not None and knn_max < knn:
        raise InputError(f"knn_max must be at least knn, {knn}, but is {knn_max}; choose a larger one")
    asked, most = (np.arange(n) if rows is None else rows), (n - 1 if knn_max is None else min(knn_max, n - 1))
    with workers() as pool:
        lists = _lists(source, metric, origin, pool)
        found, widths = _within(lists, asked, knn=knn, radius_factor=radius_factor, most=most)
    starts = np.concatenate([[0], np.cumsum([len(row) for row, _ in found])])
    columns = np.concatenate([np.zeros(0, np.int64), *(row for row, _ in found)])
    distances = np.concatenate([np.zeros(0), *(d for _, d in found)])
    return csr_array((distances, columns, starts), shape=(len(asked), n)), widths


def _within(
    lists: "Search | _Dense", rows: np.ndarray, *, knn: int, radius_factor: float, most: int
) -> tuple[list[tuple[np.ndarray, np.ndarray]], np.ndarray]:
    """Return whom each of some rows reaches and how far away they are, and the rows' widths."""
    k = min(most, max(2 * knn, knn + 8))
    open_ = np.arange(len(rows))
    indices, distances = lists.nearest(rows, k)
    widths = distances[:, knn - 1].copy()
    found: list[tuple[np.ndarray, np.ndarray]] = [(np.zeros(0, np.int64), np.zeros(0))] * len(rows)
    while True:
        reach = radius_factor * widths[open_]
        counts = (distances <= reach[:, None]).sum(axis=1)
        is_done = (counts < k) | (k == most)
        for at in np.flatnonzero(is_done):
            found[open_[at]] = (indices[at, : counts[at]].copy(), distances[at, : counts[at]].copy())
        open_ = open_[~is_done]
        if not len(open_):
            return found, widths
        k = min(most, 4 * k)
        indices, distances = lists.nearest(rows[open_], k)


class _Dense:
    """Lists from all distances, for points that are not in memory."""

    def __init__(self, between: Pairwise, metric: Metric) -> None:
        self._distances = between.cosine if metric == "cosine" else between.euclidean

    def nearest(self, rows: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        indices, distances = np.empty((len(rows), k), np.int64), np.empty((len(rows), k))
        for at, row in enumerate(rows):
            values = self._distances[row].copy()
            values[row] = np.inf
            indices[at] = np.argsort(values, kind="stable")[:k]
            distances[at] = values[indices[at]]
        return indices, distances


def _lists(source: PointSource, metric: Metric, origin: Origin, pool: Executor) -> "Search | _Dense":
    if isinstance(source, ArraySource):
        return Search(source, origin, pool, is_cosine=metric == "cosine")
    return _Dense(pairwise(source, origin=origin), metric)


def refuse_unknown(metric: str, origin: Origin, source: PointSource) -> None:
    """Refuse a metric or an origin that there is not."""
    if metric not in get_args(Metric):
        raise InputError(f"metric must be 'cosine' or 'euclidean', but is {metric!r}; choose one")
    refuse_unknown_origin(origin, source.n_parameters)
