"""Other scales on which a loss can be read: each keeps the order of the values, so each keeps which class ends at which."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal, TypeAlias

import numpy as np
from scipy.stats import rankdata

from lossatlas._arrays import InputError, Vector

Scale: TypeAlias = Literal["raw", "log", "rank", "range"]


def scaled(values: Vector, scale: Scale) -> Vector:
    r"""Finite values on a scale: :math:`f`, :math:`\ln f`, rank from 0 to 1, or :math:`(f - \min) / (\max - \min)`.

    Equal values share the mean of their ranks.

    Raises:
        InputError: the logarithm of a value that is 0 or less is asked for, or the range of equal values.

    >>> scaled(np.array([1.0, 8.0, 2.0, 2.0, 9.0]), "rank")
    array([0.   , 0.75 , 0.375, 0.375, 1.   ])
    """
    return _SCALES[scale](values)


def _log(values: Vector) -> Vector:
    if values.min() <= 0:
        raise InputError(f"scale='log' needs values above 0, but the lowest is {values.min():.3g}; pass scale='rank' or 'range'")
    return np.log(values)


def _rank(values: Vector) -> Vector:
    return (rankdata(values) - 1) / (len(values) - 1)


def _range(values: Vector) -> Vector:
    low, high = values.min(), values.max()
    if low == high:
        raise InputError(f"scale='range' needs values that differ, but all are {low:.3g}; pass scale='raw'")
    # Halves: the range of values near ±1e308 is no number.
    return (values / 2 - low / 2) / (high / 2 - low / 2)


_SCALES: Mapping[Scale, Callable[[Vector], Vector]] = MappingProxyType(
    {"raw": lambda values: values, "log": _log, "rank": _rank, "range": _range}
)
