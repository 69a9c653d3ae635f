"""Awareness of time: how long a trajectory remembers where it was, and affinities that remember with it."""

import numpy as np
from jaxtyping import Float
from scipy.sparse import csr_array

from lossatlas._arrays import Indices
from lossatlas.embed.connect import DistancesFrom


def autocorrelation(squared_distances_from: DistancesFrom, trajectories: Indices) -> Float[np.ndarray, " lags"]:
    r"""Autocorrelation of trajectories at lags 0, 1, …, up to the last before it first is not positive.

    .. math:: \rho(k) = \frac{\sum_i \langle x_i - \bar x, x_{i+k} - \bar x \rangle}{\sum_i \lVert x_i - \bar x \rVert^2}

    summed over trajectories, each about its own mean. The inner products come from the squared distances within the
    trajectory, :math:`-\tfrac12 J D^{\circ 2} J`, so that no coordinates are needed, and large coordinates count for more.

    >>> steps = np.arange(4.0)
    >>> squared = np.subtract.outer(steps, steps) ** 2
    >>> autocorrelation(lambda rows: squared[rows], np.zeros(4, dtype=int))
    array([1.  , 0.25])
    """
    runs = [np.flatnonzero(trajectories == run) for run in np.unique(trajectories)]
    products = np.zeros(max(map(len, runs)))
    for run in runs:
        squared = squared_distances_from(run)[:, run]
        B = -(squared - squared.mean(axis=0) - squared.mean(axis=1, keepdims=True) + squared.mean()) / 2
        products[: len(run)] += [np.trace(B, offset=lag) for lag in range(len(run))]
    if products[0] <= 0:  # every trajectory is one point, or stands still
        return np.ones(1)
    correlation = products / products[0]
    past = np.flatnonzero(correlation <= 0)
    return correlation[: past[0]] if len(past) else correlation


def remembered(affinities: csr_array, correlation: Float[np.ndarray, " lags"], trajectories: Indices) -> csr_array:
    r"""Affinities :math:`T K T` of a walk that goes along in time before and after each step in space.

    :math:`T_{ij} = \rho(|i - j|)` for two points of one trajectory, :math:`|i - j|` snapshots apart, and 0 for points of two. As
    in T-PHATE (Busch et al. 2023, Nature Computational Science 3) the autocorrelation says how far in time points belong
    together; unlike it T stands on both sides, so that the affinities stay symmetric and the walk reversible.

    Assumes that the snapshots of a trajectory are equally far apart in time, and that it is stationary: where it began and
    where it is must not differ more than it wanders. Training runs drift, and drift looks like a long memory; then the map shows
    mostly time.
    """
    n = affinities.shape[0]
    rows, columns, values = [np.arange(n)], [np.arange(n)], [np.ones(n)]
    for run in np.unique(trajectories):
        points = np.flatnonzero(trajectories == run)
        for lag in range(1, min(len(correlation), len(points))):
            before, after = points[:-lag], points[lag:]
            rows += [before, after]
            columns += [after, before]
            values += [np.full(2 * len(before), correlation[lag])]
    T = csr_array((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape=(n, n))
    together = (T @ affinities @ T).tocsr()
    return ((together + together.T) / 2).tocsr()  # sums in another order differ by a rounding
