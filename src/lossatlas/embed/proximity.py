"""What PHATE asks of the points: who is near whom, who is a copy, and how far some are from all."""

from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int
from scipy.sparse import csgraph, csr_array, eye_array, triu

from lossatlas._arrays import Distances, Indices, Points
from lossatlas.distance import Origin, cross_distances, neighbours_within, pairwise, point_source, spent
from lossatlas.distance.kernels import add_rows
from lossatlas.distance.threads import over_rows, workers
from lossatlas.embed.connect import bridged, components, joined
from lossatlas.embed.kernel import Neighbourhood, neighbourhood, reach, refuse_knn
from lossatlas.embed.near import measure_gaps
from lossatlas.embed.settings import PhateSettings

_BACK_AND_FORTH = 20


@runtime_checkable
class Proximity(Protocol):
    """Points of which neighbours and rows of distances can be had."""

    @property
    def n_points(self) -> int:
        """Number of points."""
        ...

    def groups(self) -> Indices:
        """Group of each point, where those at distance 0 from each other are one."""
        ...

    def kept(self, points: Int[np.ndarray, " k"]) -> "Proximity":
        """Return the same for some of the points."""
        ...

    def neighbourhood(self, settings: PhateSettings, bandwidth: float | np.ndarray | None) -> Neighbourhood:
        """Return the neighbours that each point's kernel reaches."""
        ...

    def bridged(self, affinities: csr_array) -> csr_array:
        """Affinities with the pieces of their graph joined where they are near."""
        ...

    def rows(self, points: Int[np.ndarray, " k"]) -> Float[np.ndarray, "k n"]:
        """Distances from some points to all."""
        ...


@dataclass(frozen=True, eq=False)
class DistanceMatrix:
    """All distances at once."""

    distances: Distances

    @property
    def n_points(self) -> int:
        """Number of points."""
        return len(self.distances)

    def groups(self) -> Indices:
        """Group of each point, where those at distance 0 from each other are one."""
        return _groups(csr_array(self.distances == 0))

    def kept(self, points: Int[np.ndarray, " k"]) -> "DistanceMatrix":
        """Return the same for some of the points."""
        return DistanceMatrix(self.distances[np.ix_(points, points)])

    def neighbourhood(self, settings: PhateSettings, bandwidth: float | np.ndarray | None) -> Neighbourhood:
        """Return the neighbours that each point's kernel reaches."""
        return neighbourhood(
            self.distances,
            knn=settings.knn,
            decay=settings.decay,
            knn_max=settings.knn_max,
            bandwidth=bandwidth,
            bandwidth_scale=settings.bandwidth_scale,
        )

    def bridged(self, affinities: csr_array) -> csr_array:
        """Affinities with the pieces of their graph joined along the minimum spanning tree."""
        return bridged(affinities, self.rows)

    def rows(self, points: Int[np.ndarray, " k"]) -> Float[np.ndarray, "k n"]:
        """Distances from some points to all."""
        return self.distances[points]


@dataclass(frozen=True, eq=False)
class PointCloud:
    """More points than all their distances should be held of: neighbours are found a tile at a time."""

    points: Points
    metric: Literal["cosine", "euclidean"]
    origin: Origin
    knn: int
    decay: float | None
    knn_max: int | None
    bandwidth_scale: float
    known: Neighbourhood | None = None  # where the neighbours were found already

    @property
    def n_points(self) -> int:
        """Number of points."""
        return len(self.points)

    @cached_property
    def _neighbours(self) -> Neighbourhood:
        return self._looked_for() if self.known is None else self.known

    def _looked_for(self, rows: Int[np.ndarray, " k"] | None = None) -> Neighbourhood:
        """Return the neighbours of some rows among all points, by default of all."""
        refuse_knn(self.knn, self.n_points)
        found, nearest = neighbours_within(
            self.points,
            knn=self.knn,
            radius_factor=reach(self.decay) * self.bandwidth_scale,
            knn_max=self.knn_max,
            rows=rows,
            metric=self.metric,
            origin=self.origin,
        )
        return Neighbourhood(found, nearest * self.bandwidth_scale)

    def groups(self) -> Indices:
        """Group of each point, where those at distance 0 from each other are one."""
        found = self._neighbours.distances
        copies = csr_array((found.data == 0, found.indices.copy(), found.indptr.copy()), shape=found.shape)
        copies.eliminate_zeros()
        return _groups(copies)

    def kept(self, points: Int[np.ndarray, " k"]) -> "PointCloud":
        """Return the same for some of the points, about the same origin; where most stay, what is known of them stays too."""
        kept = replace(self, points=self.points[points], known=None)
        if "_neighbours" not in self.__dict__ or 2 * len(points) < self.n_points:
            return kept
        left, again = _without_others(self._neighbours, points, scale=self.bandwidth_scale, is_cut=self.knn_max is not None)
        return replace(kept, known=_replaced(left, again, kept._looked_for(again)))

    def neighbourhood(self, settings: PhateSettings, bandwidth: float | np.ndarray | None) -> Neighbourhood:  # noqa: ARG002
        """Return the neighbours that each point's kernel reaches, by the settings that it was made for."""
        return self._neighbours

    def bridged(self, affinities: csr_array) -> csr_array:
        """Affinities with the pieces of their graph joined along the minimum spanning tree of their middle points.

        The tree of all points would need all their distances. Each of its edges leads from piece to piece where going back
        and forth between the nearest of one and the nearest of the other ends, at most so many times.
        """
        count, labels = components(affinities)
        if count == 1:
            return affinities
        pieces = [np.flatnonzero(labels == piece) for piece in range(count)]
        with workers() as pool:
            middles = np.array([self._nearest_to_mean(piece, pool) for piece in pieces])
        # One table of their distances, and no copy of it: each of ten thousand retrainings can be a piece of its own.
        between = spent(pairwise(self.points[middles], origin=self.origin), self.metric)
        tree = triu(bridged(eye_array(count, format="csr"), between), k=1).tocoo()
        with workers() as pool:
            edges = [self._passage(pieces[i], pieces[j], int(middles[j]), pool) for i, j in zip(tree.row, tree.col, strict=True)]
        return joined(affinities, edges)

    def _passage(self, one: Int[np.ndarray, " k"], other: Int[np.ndarray, " l"], end: int, pool: Executor) -> tuple[int, int]:
        begin = -1
        for _ in range(_BACK_AND_FORTH):
            nearest = self._nearest(end, one, pool)
            if nearest == begin:
                break
            begin, end = nearest, self._nearest(nearest, other, pool)
        return begin, end

    def _nearest(self, point: int, piece: Indices, pool: Executor) -> int:
        seen_from = self._origin
        place = self.points[point] - seen_from
        if self.metric == "cosine":
            place = place / np.linalg.norm(place)
        return self._least_gap(piece, place, seen_from, pool, is_direction=self.metric == "cosine")

    def _nearest_to_mean(self, piece: Indices, pool: Executor) -> int:
        sums = np.zeros(self.points.shape[1])
        over_rows(pool, lambda a, b: add_rows(self.points, piece, a, b, sums), len(sums))
        return self._least_gap(piece, sums / len(piece), np.zeros_like(sums), pool, is_direction=False)

    def _least_gap(
        self,
        piece: Indices,
        place: Float[np.ndarray, " p"],
        origin: Float[np.ndarray, " p"],
        pool: Executor,
        *,
        is_direction: bool,
    ) -> int:
        found = np.empty(len(piece))
        over_rows(pool, lambda a, b: measure_gaps(self.points, piece[a:b], place, origin, is_direction, found[a:b]), len(piece))
        return int(piece[found.argmin()])

    @property
    def _origin(self) -> Float[np.ndarray, " p"]:
        has_one = self.metric == "cosine" and isinstance(self.origin, np.ndarray)
        return np.asarray(self.origin, dtype=np.float64) if has_one else np.zeros(self.points.shape[1])

    def rows(self, points: Int[np.ndarray, " k"]) -> Float[np.ndarray, "k n"]:
        """Distances from some points to all."""
        return cross_distances(self.points[points], self.points, metric=self.metric, origin=self.origin)


def point_cloud(
    points: np.ndarray, settings: PhateSettings, metric: Literal["cosine", "euclidean"], origin: Origin
) -> PointCloud:
    """Points whose neighbours are looked for about an origin that stays where it is when copies are left out."""
    point_source(points)  # refuses what is no cloud of points
    if isinstance(origin, str) and origin != "zero":
        origin = points[0] if origin == "start" else points.mean(axis=0, dtype=np.float64)
    return PointCloud(points, metric, origin, settings.knn, settings.decay, settings.knn_max, settings.bandwidth_scale)


def _groups(copies: csr_array) -> Indices:
    return csgraph.connected_components(copies, directed=False)[1].astype(np.int64)


def _without_others(
    known: Neighbourhood, points: Int[np.ndarray, " k"], *, scale: float, is_cut: bool
) -> tuple[Neighbourhood, Int[np.ndarray, " r"]]:
    """Return the neighbours of some points among these, and which of their rows have to be looked at again.

    These are the rows that lose one of the neighbours by which their width is measured, or any of a list that was cut.
    """
    place = np.full(len(known.bandwidths), -1)
    place[points] = np.arange(len(points))
    found, widths = known.distances[points], known.bandwidths[points]
    row = np.repeat(np.arange(len(points)), np.diff(found.indptr))
    stays = place[found.indices] >= 0
    again = np.unique(row[~stays & ((found.data * scale <= widths[row]) | is_cut)])
    return _listed(row[stays], place[found.indices[stays]], found.data[stays], widths), again


def _replaced(known: Neighbourhood, rows: Int[np.ndarray, " r"], new: Neighbourhood) -> Neighbourhood:
    """Return neighbours with those of some rows replaced."""
    row = np.repeat(np.arange(len(known.bandwidths)), np.diff(known.distances.indptr))
    stays = ~np.isin(row, rows)
    widths = known.bandwidths.copy()
    widths[rows] = new.bandwidths
    return _listed(
        np.concatenate([row[stays], np.repeat(rows, np.diff(new.distances.indptr))]),
        np.concatenate([known.distances.indices[stays], new.distances.indices]),
        np.concatenate([known.distances.data[stays], new.distances.data]),
        widths,
    )


def _listed(row: np.ndarray, column: np.ndarray, distances: np.ndarray, widths: np.ndarray) -> Neighbourhood:
    """Return neighbours from their rows, columns and distances; within a row their order stays: the nearest first."""
    n = len(widths)
    order = np.argsort(row, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=n))])
    return Neighbourhood(csr_array((distances[order], column[order], starts), shape=(n, n)), widths)
