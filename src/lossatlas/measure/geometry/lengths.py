"""How far points are: from one of them, and after a retraining from where it began."""

from lossatlas._arrays import InputError, Vector
from lossatlas.distance import Pairwise


def distances_from(point: int, between: Pairwise) -> Vector:
    """Euclidean distance of each point from one of them, in units of the weights."""
    if not 0 <= point < len(between.squared):
        raise InputError(f"there are {len(between.squared)} points, but point {point} was asked for; name one of them")
    return between.euclidean[point]


def return_ratio(distances: Vector) -> float:
    """Last of a retraining's distances from the optimum over the first, just after the jump.

    0 is a full return, 1 is standing still, and above 1 it moves away.

    Raises:
        InputError: the retraining begins at the optimum itself.

    >>> import numpy as np
    >>> return_ratio(np.array([2.0, 1.5, 0.5]))
    0.25
    """
    if distances[0] == 0:
        raise InputError("a retraining that begins at the optimum has no return ratio; give it a jump")
    return float(distances[-1] / distances[0])
