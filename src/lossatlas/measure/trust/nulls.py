"""What a map would show of trajectories without a landscape: the nulls beside which its scores are read."""

from collections.abc import Sequence

import numpy as np

from lossatlas._arrays import Coordinates, Distances, InputError, Vector
from lossatlas.distance import Pairwise


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
    for first, stop in _checked(runs, n):
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


def _checked(runs: Sequence[tuple[int, int]], n: int) -> Sequence[tuple[int, int]]:
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
