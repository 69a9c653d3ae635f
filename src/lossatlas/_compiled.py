"""Loops that BLAS cannot serve, compiled by numba."""

import inspect
from collections.abc import Callable
from typing import Any

import numba


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile ``function``, cached on disk where that can be written; it lets other threads run."""
    # Sums in another order are done many at a time; for given code and processor the order is always the same. NaN and
    # infinity keep their meaning. A check of every divisor would keep divisions from being done many at a time.
    return _compiled(function, fastmath={"reassoc", "contract", "nsz"}, error_model="numpy")


def compiled_in_order(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile ``function`` with every sum in the order in which it is written."""
    return _compiled(function)


def _compiled(function: Callable[..., Any], **choices: Any) -> Callable[..., Any]:  # noqa: ANN401 - numba's own
    # The tests wrap every function in a check of its annotations, which numba cannot compile: it gets what is inside.
    inside = inspect.unwrap(function)
    try:
        return numba.njit(cache=True, nogil=True, **choices)(inside)
    except RuntimeError:  # neither the package's folder nor the home can be written: compiled anew in each process
        return numba.njit(nogil=True, **choices)(inside)
