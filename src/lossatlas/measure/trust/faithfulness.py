"""How far a map can be trusted: its neighbours, the order of its distances, its trajectories; whole and point by point."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from lossatlas._arrays import Coordinates, Distances, Indices, InputError, Vector, checked_distances
from lossatlas.distance.threads import over_rows, workers
from lossatlas.embed import Embedding
from lossatlas.measure.trust.nulls import checked_runs
from lossatlas.measure.trust.ranks import neighbour_sums, without_rounding
from lossatlas.store import Run

# Pairs of points whose distances are put in order: all of them up to 1,000 points. A rank correlation of so many pairs
# that are drawn at random has a standard error of 0.0014.
_PAIRS = 500_000
# A step is torn that is drawn longer than foreseen by more than this share of the map's spread.
_TORN = 0.1
_KNN = 20


@dataclass(frozen=True, kw_only=True, eq=False)
class Faithfulness:
    """How faithfully a map draws distances: each number is at most 1, which is a perfect map.

    Attributes:
        trustworthiness: Whether neighbours on the map are neighbours.
        continuity: Whether neighbours are neighbours on the map.
        neighbours_kept: Share of the ``knn`` nearest that are among the ``knn`` nearest on the map; by chance, knn / (n - 1).
        kept_within_runs: The same of those that are of the point's own run; None where there are none.
        kept_between_runs: The same of those that are of another run or of none.
        rank_correlation: Of true and drawn distances (Spearman); NaN where all distances are one.
        trajectory_continuity: Share of the steps from one snapshot to the next that are not torn; None without steps.
        point_trustworthiness: The first of each point, ``(n,)``: their mean is that of the map. So the next two.
        point_continuity: The second.
        point_neighbours_kept: The third.
        step_excess: How much longer the step to each point is drawn than foreseen, in parts of the map's spread, ``(n,)``; NaN
            where there is no step.
        knn: Number of neighbours.
        seed: Of the choice of pairs.
    """

    trustworthiness: float
    continuity: float
    neighbours_kept: float
    kept_within_runs: float | None
    kept_between_runs: float | None
    rank_correlation: float
    trajectory_continuity: float | None
    point_trustworthiness: Vector
    point_continuity: Vector
    point_neighbours_kept: Vector
    step_excess: Vector
    knn: int
    seed: int

    def summary(self) -> dict[str, float | None]:
        """Return the numbers of the whole, as plain values."""
        return {
            "trustworthiness": self.trustworthiness,
            "continuity": self.continuity,
            "neighbours_kept": self.neighbours_kept,
            "kept_within_runs": self.kept_within_runs,
            "kept_between_runs": self.kept_between_runs,
            "rank_correlation": self.rank_correlation,
            "trajectory_continuity": self.trajectory_continuity,
        }


def faithfulness(
    distances: Distances,
    embedding: Embedding | Coordinates,
    runs: Sequence[tuple[int, int] | Run] | None = None,
    *,
    knn: int | None = None,
    seed: int = 0,
) -> Faithfulness:
    r"""Measure how faithfully a map draws distances.

    With :math:`N_i` the k nearest of point i and :math:`r_{ij}` the rank of j among them all, those on the map with a dash,
    trustworthiness and continuity of a point are (Venna and Kaski 2006, Neural Networks 19, Section 4)

    .. math::

        T_i = 1 - \frac{2}{k (2n - 3k - 1)} \sum_{j \in N'_i} \max(r_{ij} - k, 0), \qquad
        C_i = 1 - \frac{2}{k (2n - 3k - 1)} \sum_{j \in N_i} \max(r'_{ij} - k, 0)

    both 0 at the worst. Points that tie for the last places among the nearest share in them, and a point is as far as the
    points are many that are nearer: the order of points does not matter.

    A step between consecutive snapshots, of true length :math:`\delta` and drawn length :math:`\ell`, is foreseen to be drawn
    as long as the distances of the same rank are: with F and F' the distributions of true and drawn distances over the pairs of
    points,

    .. math:: \ell > F'^{-1}(F(\delta)) + 0.1\, S, \qquad S^2 = \tfrac{2}{n (n - 1)} \sum_{i<j} \lVert y_i - y_j \rVert^2

    is torn. A map that only stretches distances tears none, one that shatters a trajectory does.

    Args:
        distances: The true ones, ``(n, n)``.
        embedding: The map, or its coordinates ``(n, d)``.
        runs: The trajectories: each as its first row and the row after its last, or all the runs whose points the rows are.
        knn: Number of neighbours, below half the points; by default 20, or as many as there can be.
        seed: Of the half million pairs that stand for all where there are more.

    Raises:
        InputError: the map has other points or none to see, ``knn`` does not fit, or a run leaves the map.

    >>> line = np.abs(np.subtract.outer(np.arange(6.0), np.arange(6.0)))
    >>> folded = np.array([[0.0], [1.0], [2.0], [3.0], [4.0], [0.5]])
    >>> found = faithfulness(line, folded, [(0, 6)], knn=1)
    >>> round(found.trustworthiness, 3), round(found.neighbours_kept, 3), found.trajectory_continuity
    (0.521, 0.417, 0.8)
    """
    return truth(distances, runs, knn=knn, seed=seed).of(embedding)


@dataclass(frozen=True, kw_only=True, eq=False)
class Truth:
    """True distances as maps of them are scored against, so that what is in order once stays so for all of them."""

    distances: Distances
    run: Indices  # of each point; -1 for points of none
    steps: Int[np.ndarray, " s"]  # rows from which a step goes to the next row
    knn: int
    seed: int
    pairs: tuple[Int[np.ndarray, " m"], Int[np.ndarray, " m"]]  # whose distances are put in order
    ranks: Float[np.ndarray, " m"]  # of their true distances, about the mean
    in_order: Float[np.ndarray, " m"]  # these distances

    def of(self, embedding: Embedding | Coordinates) -> Faithfulness:
        """Return how faithfully a map draws these distances.

        Raises:
            InputError: the map has other points or none to see.
        """
        n = len(self.distances)
        drawn = _checked_coordinates(embedding.coordinates if isinstance(embedding, Embedding) else embedding, n)
        trust, continuity, kept, within = self._neighbours(drawn)
        lengths = without_rounding(_lengths(drawn, *self.pairs))
        order = np.argsort(lengths)
        excess = self._step_excess(drawn, lengths[order])
        has_step = np.isfinite(excess)
        return Faithfulness(
            trustworthiness=float(trust.mean()),
            continuity=float(continuity.mean()),
            neighbours_kept=float(kept.mean()),
            kept_within_runs=within[0],
            kept_between_runs=within[1],
            rank_correlation=_correlation(self.ranks, _ranks(lengths, order)),
            trajectory_continuity=float((excess[has_step] <= _TORN).mean()) if has_step.any() else None,
            point_trustworthiness=trust,
            point_continuity=continuity,
            point_neighbours_kept=kept,
            step_excess=excess,
            knn=self.knn,
            seed=self.seed,
        )

    def _neighbours(self, drawn: Coordinates) -> tuple[Vector, Vector, Vector, tuple[float | None, float | None]]:
        """Trustworthiness, continuity and share of neighbours kept of each point; the last within and between runs."""
        n, knn = len(self.distances), self.knn
        sums = np.empty((5, n))

        def fill(start: int, stop: int) -> None:
            sums[:, start:stop] = neighbour_sums(self.distances, drawn, self.run, knn, slice(start, stop))

        with workers() as pool:
            over_rows(pool, fill, n)
        intruders, lost, kept, own_kept, own = sums
        worst = knn * (2 * n - 3 * knn - 1) / 2
        of_runs = self.run >= 0
        parts = [(own_kept, own), (kept - own_kept, knn - own)]
        within, between = (_share(part[of_runs].sum(), whole[of_runs].sum(), knn * n) for part, whole in parts)
        return 1 - intruders / worst, 1 - lost / worst, kept / knn, (within, between)

    def whole_steps(
        self,
        embedding: Embedding | Coordinates,
        starts: Sequence[Int[np.ndarray, " s"]],
        ends: Sequence[Int[np.ndarray, " s"]],
    ) -> Float[np.ndarray, " o"]:
        """Return the share of steps that are not torn, for each of several ways to step between the points."""
        drawn = _checked_coordinates(
            embedding.coordinates if isinstance(embedding, Embedding) else embedding, len(self.distances)
        )
        lengths = np.sort(without_rounding(_lengths(drawn, *self.pairs)))
        torn = [self._excess(drawn, lengths, a, b) > _TORN for a, b in zip(starts, ends, strict=True)]
        return 1 - np.array([one.mean() for one in torn])

    def _step_excess(self, drawn: Coordinates, lengths: Float[np.ndarray, " m"]) -> Vector:
        excess = np.full(len(drawn), np.nan)
        excess[self.steps + 1] = self._excess(drawn, lengths, self.steps, self.steps + 1)
        return excess

    def _excess(
        self,
        drawn: Coordinates,
        lengths: Float[np.ndarray, " m"],
        starts: Int[np.ndarray, " s"],
        ends: Int[np.ndarray, " s"],
    ) -> Float[np.ndarray, " s"]:
        """How much longer steps are drawn than foreseen; ``lengths`` are those of the pairs in order."""
        spread = float(np.sqrt(2 * np.square(drawn - drawn.mean(axis=0)).sum() / (len(drawn) - 1)))
        # Of true distances that tie, the longest drawn is foreseen: which of them is which is not known.
        place = np.searchsorted(self.in_order, without_rounding(self.distances[starts, ends]), side="right") - 1
        steps = without_rounding(_lengths(drawn, starts, ends))
        return (steps - lengths[np.maximum(place, 0)]) / (spread or 1.0)


def truth(
    distances: Distances, runs: Sequence[tuple[int, int] | Run] | None = None, *, knn: int | None = None, seed: int = 0
) -> Truth:
    """Return true distances ready for many maps of them; arguments as for :func:`faithfulness`.

    Raises:
        InputError: ``knn`` does not fit, or a run leaves the map.
    """
    D = checked_distances(distances)
    n = len(D)
    if knn is None:
        knn = min(_KNN, (n - 1) // 2)
    if knn != int(knn) or not 1 <= knn < n / 2:
        raise InputError(f"knn must be from 1 to below half the {n} points, but is {knn}; pass another")
    spans = _spans(runs or ())
    steps = _steps(spans, n)
    run = np.full(n, -1)
    for number, (start, stop) in enumerate(spans):
        run[start:stop] = number
    i, j = _pairs(n, seed)
    lengths = without_rounding(D[i, j])
    order = np.argsort(lengths)
    return Truth(
        distances=D,
        run=run,
        steps=steps,
        knn=int(knn),
        seed=seed,
        pairs=(i, j),
        ranks=_ranks(lengths, order),
        in_order=lengths[order],
    )


def _checked_coordinates(coordinates: np.ndarray, n: int) -> Coordinates:
    drawn = np.asarray(coordinates, dtype=np.float64)
    if drawn.ndim != 2 or len(drawn) != n:
        raise InputError(f"the distances are of {n} points, but the map's shape is {drawn.shape}; pass coordinates (n, d)")
    if not np.isfinite(drawn).all():
        raise InputError("the map has coordinates that are NaN or infinite; leave those points out of map and distances")
    return drawn


def _pairs(n: int, seed: int) -> tuple[Int[np.ndarray, " m"], Int[np.ndarray, " m"]]:
    """All pairs of points, or as many as are enough."""
    if n * (n - 1) // 2 <= _PAIRS:
        return np.triu_indices(n, 1)
    rng = np.random.default_rng(seed)
    i = rng.integers(n, size=_PAIRS)
    return i, (i + rng.integers(1, n, size=_PAIRS)) % n


def _lengths(drawn: Coordinates, i: Int[np.ndarray, " m"], j: Int[np.ndarray, " m"]) -> Float[np.ndarray, " m"]:
    return np.sqrt(np.square(drawn[i] - drawn[j]).sum(axis=1))


def _ranks(values: Float[np.ndarray, " m"], order: Int[np.ndarray, " m"]) -> Float[np.ndarray, " m"]:
    """Ranks about their mean, of values whose order is known; ties take the mean of their ranks."""
    in_order = values[order]
    begins = np.flatnonzero(np.r_[True, in_order[1:] != in_order[:-1]])
    ends = np.r_[begins[1:], len(values)]
    ranks = np.empty(len(values))
    ranks[order] = np.repeat((begins + ends - 1) / 2, ends - begins)
    return ranks - (len(values) - 1) / 2


def _correlation(a: Float[np.ndarray, " m"], b: Float[np.ndarray, " m"]) -> float:
    spread = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum() / spread) if spread else float("nan")


def _share(part: float, whole: float, scale: float) -> float | None:
    return float(part / whole) if whole > 1e-12 * scale else None  # shares of ties round


def _spans(runs: Sequence[tuple[int, int] | Run]) -> list[tuple[int, int]]:
    """First row, and row after the last, of each; runs lie one after the other."""
    spans: list[tuple[int, int]] = []
    for run in runs:
        start = spans[-1][1] if spans else 0
        spans.append((start, start + run.n_points) if isinstance(run, Run) else (run[0], run[1]))
    return spans


def _steps(runs: Sequence[tuple[int, int]], n: int) -> Int[np.ndarray, " s"]:
    """Rows from which a step goes to the next row."""
    spans = checked_runs(runs, n)
    return np.concatenate([np.zeros(0, np.int64), *(np.arange(start, stop - 1) for start, stop in spans)])
