"""Distances of points that became more: those that are known stay, only the new rows are measured."""

from typing import Literal

import numpy as np
from jaxtyping import Int

from lossatlas._arrays import InputError
from lossatlas.distance.cross import squared_between
from lossatlas.distance.pairwise import Pairwise, pairwise
from lossatlas.distance.source import PointSource


def extended(between: Pairwise, points: PointSource, new: PointSource, *, megabytes: float = 64) -> Pairwise:
    r"""Distances ``(n + m, n + m)`` from those of ``n`` points, and ``m`` new ones behind them.

    One pass over the parameters reads both, and takes :math:`m n` products in place of :math:`(n + m)^2 / 2`.

    Args:
        between: Of the ``n`` points, about zero.
        points: These points, in its order.
        new: The ``m`` new ones, one at least.
        megabytes: How much float64 a block of what is read may hold.

    Raises:
        InputError: ``between`` is about another origin, or is not of as many points; else as for :func:`pairwise`.

    >>> from lossatlas.distance.source import point_source
    >>> walk = np.random.default_rng(0).normal(size=(6, 50)).cumsum(axis=0)
    >>> more = extended(pairwise(walk[:4]), point_source(walk[:4]), point_source(walk[4:]))
    >>> bool(np.allclose(more.squared, pairwise(walk).squared))
    True
    """
    n, m = len(between.norms), new.n_points
    if between.origin != "zero":
        raise InputError(f"distances are extended about 'zero', but these are about {between.origin!r}; measure them about zero")
    if points.n_points != n:
        raise InputError(
            f"the distances are of {n} points, but {points.n_points} points came; pass those that they were measured of"
        )
    across, norms, _ = squared_between(new, points, "zero", megabytes)
    squared = np.zeros((n + m, n + m))
    squared[:n, :n] = between.squared
    squared[n:, :n] = across
    squared[:n, n:] = across.T
    if m > 1:
        squared[n:, n:] = pairwise(new, megabytes=megabytes).squared
    return Pairwise(squared, np.concatenate([between.norms, norms]), "zero", between.n_parameters)


def picked(between: Pairwise, points: Int[np.ndarray, " k"]) -> Pairwise:
    """Distances of some of the points, in the order in which they are named."""
    return Pairwise(between.squared[np.ix_(points, points)], between.norms[points], between.origin, between.n_parameters)


def seen_from(between: Pairwise, origin: Literal["zero", "centroid", "start"]) -> Pairwise:
    r"""The same distances with norms about another origin, which distances alone tell.

    .. math:: \lVert x_i - \bar{x} \rVert^2 = \frac1n \sum_j d_{ij}^2 - \frac1{2 n^2} \sum_{jk} d_{jk}^2

    about the centroid, and the distance from the first point about the start. The centroid's loses the digits by which the
    spread of the points exceeds a point's own distance from it.

    >>> seen_from(pairwise(np.array([[0.0, 1.0], [4.0, 1.0]])), "centroid").norms
    array([2., 2.])
    """
    if origin == "zero":
        return between
    squared = between.squared
    if origin == "start":
        return Pairwise(squared, np.sqrt(squared[0]), "start", between.n_parameters)
    norms = np.sqrt(np.maximum(squared.mean(axis=1) - squared.mean() / 2, 0.0))
    return Pairwise(squared, norms, "centroid", between.n_parameters)
