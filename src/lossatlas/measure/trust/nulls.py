"""What a map would show of trajectories without a landscape: the nulls beside which its scores are read."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from lossatlas._arrays import Coordinates, Distances, InputError, Vector
from lossatlas.distance import Pairwise
from lossatlas.embed import Own, pca
from lossatlas.measure.trust.stability import part_of

# Shares of variance within so much of a random walk's are those of one: over walks of 40 steps in 1,000 dimensions the first
# has a standard deviation of 0.01, and steps of a training are not equally long.
_ALIKE = 0.05
_LEAST = 8  # points of a run whose shares say anything


@dataclass(frozen=True, kw_only=True, eq=False)
class WalkShares:
    """A run's own principal components beside those of a random walk of as many points.

    Attributes:
        run: Number of the run.
        shares: Of its variance on its first two components.
        walk: The same of a random walk: of many points 6 / pi^2 = 0.61, and 0.15.
    """

    run: int
    shares: Float[np.ndarray, " d"]
    walk: Float[np.ndarray, " d"]

    @property
    def is_alike(self) -> bool:
        """Whether both shares are those of a random walk, whose components draw Lissajous' figures."""
        return bool((np.abs(self.shares - self.walk) <= _ALIKE).all())


def walk_shares(between: Pairwise, runs: Sequence[tuple[int, int]], *, metric: Own = "euclidean") -> tuple[WalkShares, ...]:
    r"""Compare the principal components of each run, of 8 points or more, with those of a random walk.

    Of a random walk of n points in many dimensions the k-th component holds a share in proportion to
    :math:`1 / \sin^2(\pi k / 2n)`, in the limit :math:`6 / (\pi k)^2`, and runs along it as a cosine of k half periods
    (Antognini and Sohl-Dickstein 2018): a run that does as much shows no more of a landscape than that it moves.

    Args:
        between: Distances of the points.
        runs: First row, and row after the last, of each trajectory.
        metric: Which of the distances.

    >>> from lossatlas.distance import pairwise
    >>> walk = np.random.default_rng(0).normal(size=(200, 4000)).cumsum(axis=0)
    >>> found = walk_shares(pairwise(walk), [(0, 200)])[0]
    >>> found.shares.round(2), found.is_alike
    (array([0.61, 0.15]), True)
    """
    found = []
    for number, (start, stop) in enumerate(runs):
        if stop - start < _LEAST:
            continue
        diagnostics = pca(part_of(between, np.arange(start, stop)), metric=metric).diagnostics
        own, walk = (np.array([diagnostics[f"{of}_{k}"] for k in (1, 2)]) for of in ("explained_variance", "random_walk"))
        found.append(WalkShares(run=number, shares=own, walk=walk))
    return tuple(found)


def random_walks(between: Pairwise, runs: Sequence[tuple[int, int]]) -> Pairwise:
    r"""Distances of random walks that begin where the runs do, with steps as long as theirs.

    In many dimensions steps of random directions are at right angles to each other and to all else, so that distances follow
    from the lengths h of the steps alone, without weights: after i and j steps of walks that begin at a and b,

    .. math:: \lVert x - y \rVert^2 = \sum_{s=i+1}^{j} h_s^2 \ \text{ of one walk}, \qquad
              \lVert a - b \rVert^2 + \sum_{s \le i} h_s^2 + \sum_{s \le j} h_s^2 \ \text{ of two}

    and norms about the origin grow alike. Points of no run stay where they are. The walk that Antognini and Sohl-Dickstein
    (2018) compare the PCA of a training with, for any number of runs, their starts, and any embedding.

    Args:
        between: Distances of the recorded points.
        runs: First row, and row after the last, of each trajectory, in the order of time; no row is in two.

    Raises:
        InputError: two runs overlap, or one leaves the table.

    >>> from lossatlas.distance import pairwise
    >>> there_and_back = pairwise(np.array([[1.0, 1.0], [1.0, 2.0], [1.0, 1.0]]))
    >>> random_walks(there_and_back, [(0, 3)]).squared
    array([[0., 1., 2.],
           [1., 0., 1.],
           [2., 1., 0.]])
    """
    n = len(between.squared)
    start, walked = np.arange(n), np.zeros(n)
    for first, stop in checked_runs(runs, n):
        rows = np.arange(first, stop)
        start[rows] = first
        walked[rows[1:]] = np.cumsum(between.squared[rows[:-1], rows[1:]])
    squared = between.squared[np.ix_(start, start)]
    squared += np.add.outer(walked, walked)  # at once: symmetric to the last bit
    for first, stop in runs:
        own = walked[first:stop]
        squared[first:stop, first:stop] = np.abs(np.subtract.outer(own, own))
    norms = _about_centroid(squared) if between.origin == "centroid" else np.sqrt(np.square(between.norms[start]) + walked)
    return Pairwise(squared, norms, between.origin, between.n_parameters)


def shuffled(coordinates: Coordinates, *, seed: int = 0) -> Coordinates:
    """Places of a map given to its points at random: the least that any map of that look scores."""
    return np.random.default_rng(seed).permutation(coordinates)


def checked_runs(runs: Sequence[tuple[int, int]], n: int) -> Sequence[tuple[int, int]]:
    """Return runs of a table of ``n`` rows as they are.

    Raises:
        InputError: two overlap, or one leaves the table.
    """
    taken = np.zeros(n, dtype=np.int64)
    for first, stop in runs:
        if not 0 <= first <= stop <= n:
            raise InputError(f"a run spans rows {first} to {stop}, but there are {n} points; pass first row and row after last")
        taken[first:stop] += 1
    if (taken > 1).any():
        raise InputError(f"row {int(np.argmax(taken > 1))} is in two runs; pass runs that do not overlap")
    return runs


def _about_centroid(squared: Distances) -> Vector:
    means = squared.mean(axis=1)
    return np.sqrt(np.maximum(means - means.mean() / 2, 0))
