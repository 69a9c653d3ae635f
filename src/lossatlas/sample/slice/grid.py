"""Grids, and the order in which their points are measured."""

import numpy as np

from lossatlas._arrays import Indices, InputError


def checked_count(n: int, *, least: int = 3) -> None:
    """Refuse a number of points that makes no line."""
    if not isinstance(n, int) or isinstance(n, bool) or n < least:
        raise InputError(f"n must be a whole number of points from {least} on, but is {n!r}; change it")


def coarse_to_fine(*shape: int) -> Indices:
    """Return the flat indices of a grid so that every beginning of them covers it evenly: first every 2^k-th point of each axis.

    >>> coarse_to_fine(5).tolist()
    [0, 4, 2, 1, 3]
    """
    levels = np.zeros(shape, dtype=np.int64)
    for axis, n in enumerate(shape):
        along = _levels(n).reshape([-1 if a == axis else 1 for a in range(len(shape))])
        levels = np.maximum(levels, along)
    return np.argsort(levels.ravel(), kind="stable")


def _levels(n: int) -> Indices:
    """Return for each of ``n`` points the grid on which it first appears: 0 is the coarsest, and holds both ends."""
    levels = np.full(n, -1)
    step = 1 << max(0, int(n - 2).bit_length())
    level = 0
    levels[n - 1] = 0
    while (levels < 0).any():
        points = np.arange(0, n, max(1, step))
        levels[points[levels[points] < 0]] = level
        step //= 2
        level += 1
    return levels
