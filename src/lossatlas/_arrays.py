"""Array types with their axes, the checks at the door, and the one error that they raise.

Axes, everywhere in the package: ``n`` points, ``p`` parameters, ``d`` drawing axes, ``r`` runs, ``b`` batch.
"""

from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Bool, Float, Int

Array: TypeAlias = Any  # of NumPy, or of torch on a device of its own
Points: TypeAlias = Float[np.ndarray, "n p"]
Distances: TypeAlias = Float[np.ndarray, "n n"]
Affinities: TypeAlias = Float[np.ndarray, "n n"]
Coordinates: TypeAlias = Float[np.ndarray, "n d"]
Vector: TypeAlias = Float[np.ndarray, " n"]
Mask: TypeAlias = Bool[np.ndarray, " n"]
Indices: TypeAlias = Int[np.ndarray, " n"]


class InputError(ValueError):
    """What came is not what was expected; the message is one line and says what to do."""


def checked_points(points: np.ndarray, *, at_least: int = 2) -> Points:
    """Return ``points`` as float64 rows, or say what is wrong with them.

    >>> checked_points(np.eye(2)).dtype
    dtype('float64')
    >>> checked_points(np.array([[1.0, np.nan], [0.0, 1.0]]))
    Traceback (most recent call last):
    ...
    lossatlas._arrays.InputError: point 0 has 1 value that is NaN or infinite; leave that point out
    """
    array = np.asarray(points)
    if array.ndim != 2:
        raise InputError(f"points must be a table with one row a point, but the array has {array.ndim} axes; reshape it")
    if array.dtype.kind not in "fiub":
        raise InputError(f"points must be real numbers, but their type is {array.dtype}; convert them first")
    if len(array) < at_least:
        raise InputError(f"a map needs at least {at_least} points, but there is {len(array)}; record or sample more")
    bad = ~np.isfinite(array)
    if bad.any():
        point = int(np.flatnonzero(bad.any(axis=1))[0])
        raise InputError(not_finite(f"point {point}", int(bad[point].sum())))
    return array.astype(np.float64, copy=False)


def not_finite(what: str, count: int) -> str:
    """Return the sentence that names a point with values which cannot be mapped."""
    values = "value that is" if count == 1 else "values that are"
    return f"{what} has {count} {values} NaN or infinite; leave that point out"


def checked_distances(distances: np.ndarray) -> Distances:
    """Return a square, symmetric, finite float64 matrix with a zero diagonal, or say what is wrong with it.

    >>> checked_distances(np.array([[0.0, 1.0], [2.0, 0.0]]))
    Traceback (most recent call last):
    ...
    lossatlas._arrays.InputError: distances must be symmetric, but D and D.T differ by up to 1; pass (D + D.T) / 2 if \
the difference is rounding
    """
    D = _square(distances, "distances")
    if not np.isfinite(D).all():
        raise InputError("distances must be finite, but some are NaN or infinite; leave those points out")
    if (D < 0).any():
        raise InputError(f"distances must not be negative, but the least is {D.min():.3g}; pass distances, not affinities")
    scale = max(float(D.max()), np.finfo(float).tiny)
    if float(np.abs(np.diagonal(D)).max()) > 1e-12 * scale:
        raise InputError("distances must be 0 on the diagonal, but they are not; pass distances, not affinities")
    skew = float(np.abs(D - D.T).max())
    if skew > 1e-12 * scale:
        raise InputError(
            f"distances must be symmetric, but D and D.T differ by up to {skew:.3g}; "
            "pass (D + D.T) / 2 if the difference is rounding"
        )
    return D


def checked_affinities(affinities: np.ndarray) -> Affinities:
    """Return a square, symmetric, finite float64 matrix of numbers from 0 on with a positive diagonal, or say what is wrong.

    >>> checked_affinities(np.array([[0.0, 1.0], [1.0, 0.0]]))
    Traceback (most recent call last):
    ...
    lossatlas._arrays.InputError: affinities must be above 0 on the diagonal, but they are not; pass affinities, not distances
    """
    K = _square(affinities, "affinities")
    if not np.isfinite(K).all() or (K < 0).any():
        raise InputError("affinities must be finite and not negative, but some are; leave those points out")
    if (np.diagonal(K) <= 0).any():
        raise InputError("affinities must be above 0 on the diagonal, but they are not; pass affinities, not distances")
    skew = float(np.abs(K - K.T).max())
    if skew > 1e-12 * float(K.max()):
        raise InputError(f"affinities must be symmetric, but K and K.T differ by up to {skew:.3g}; pass (K + K.T) / 2")
    return K


def _square(matrix: np.ndarray, what: str) -> Float[np.ndarray, "n n"]:
    M = np.asarray(matrix)
    if M.ndim != 2 or M.shape[0] != M.shape[1]:
        raise InputError(f"{what} must be a square matrix, but the shape is {M.shape}; pass one row and column a point")
    if len(M) < 2:
        raise InputError(f"a map needs at least 2 points, but there is {len(M)}; record or sample more")
    return M.astype(np.float64, copy=False)
