"""Angles of triangles from their sides alone."""

import numpy as np

from lossatlas._arrays import Vector


def angles(one: Vector, other: Vector, opposite: Vector) -> Vector:
    r"""Angle between two sides of each triangle, in degrees; NaN where one of the two is 0, which has no direction.

    .. math:: \tan \frac{\gamma}{2} = \sqrt{\frac{(c + (a - b))\, (c - (a - b))}{(a + b + c)\, ((a + b) - c)}}

    with the differences formed so that none cancels more than the sides do (Kahan 2014, "Miscalculating Area and Angles of a
    Needle-like Triangle", Section 3): the cosine rule would lose half of the digits of a small angle. Sides that miss the
    triangle inequality by rounding make an angle of 0 or 180.

    >>> angles(np.array([3.0, 1.0, 0.0]), np.array([4.0, 2.0, 1.0]), np.array([5.0, 1.0, 1.0]))
    array([90.,  0., nan])
    """
    return _doubled(*_halves(one, other, opposite), one, other)


def turns(before: Vector, after: Vector, across: Vector) -> Vector:
    """Angle by which a path turns where two of its steps meet, in degrees: 0 straight on, 180 back; NaN as :func:`angles`.

    It is 180 less the angle between the steps, formed without that difference.

    >>> turns(np.array([1.0, 1.0]), np.array([1.0, 1.0]), np.array([2.0, 0.0]))
    array([  0., 180.])
    """
    opening, closing = _halves(before, after, across)
    return _doubled(closing, opening, before, after)


def _halves(one: Vector, other: Vector, opposite: Vector) -> tuple[Vector, Vector]:
    """Return two numbers whose ratio is the tangent of half the angle."""
    a, b, c = np.maximum(one, other), np.minimum(one, other), opposite
    least = np.where(b >= c, c - (a - b), b - (a - c))
    # Roots one by one: products of lengths could leave the range of numbers.
    return (
        np.sqrt(c + (a - b)) * np.sqrt(np.maximum(least, 0)),
        np.sqrt(a + (b + c)) * np.sqrt(np.maximum((a - c) + b, 0)),
    )


def _doubled(rise: Vector, run: Vector, one: Vector, other: Vector) -> Vector:
    return np.where((one > 0) & (other > 0), np.degrees(2 * np.arctan2(rise, run)), np.nan)
