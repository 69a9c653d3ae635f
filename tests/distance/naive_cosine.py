"""The formula of the cosine distance in the machine's widest float, pair by pair."""

import numpy as np


def cosine_distances_naive(points, origin):
    """``1 - cos`` of the angle at ``origin``, as ``|a/|a| - b/|b||^2 / 2``, which loses nothing when a and b are near."""
    rows = np.asarray(points, dtype=np.longdouble) - np.asarray(origin, dtype=np.longdouble)
    unit = [row / np.sqrt((row * row).sum()) for row in rows]
    n = len(unit)
    result = np.zeros((n, n), dtype=np.longdouble)
    for i in range(n):
        for j in range(n):
            gap = unit[i] - unit[j]
            result[i, j] = (gap * gap).sum() / 2
    return result


def euclidean_distances_naive(points):
    """Distances pair by pair."""
    rows = np.asarray(points, dtype=np.longdouble)
    return np.array([[np.sqrt(((a - b) ** 2).sum()) for b in rows] for a in rows])
