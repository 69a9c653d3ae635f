"""Linear sketches to choose from, bare: one vector to ``k`` numbers, without the exact norms that the package keeps beside."""

from collections.abc import Callable
from typing import TypeAlias

import numba
import numpy as np

from lossatlas.sketch.kernels import _GAMMA, _fill_signs, _mixed

Construction: TypeAlias = Callable[[np.ndarray, int, int], np.ndarray]  # (x, k, seed) -> values
compiled = numba.njit(cache=True, nogil=True)


@compiled
def count(x, k, seed):
    """Return a count sketch: a place and a sign for each coordinate, from one mixed number."""
    key, sums = _mixed(np.uint64(seed) + _GAMMA), np.zeros(k)
    for i in range(len(x)):
        bits = _mixed(key + np.uint64(i) * _GAMMA)
        place = ((bits >> np.uint64(32)) * np.uint64(k)) >> np.uint64(32)
        sums[np.int64(place)] += (1 - 2 * np.int64(bits & np.uint64(1))) * x[i]
    return sums


@compiled
def multiply_shift(x, k, seed):
    """Return a count sketch whose place and sign are the upper bits of a·i + b: pairs independent, fours not."""
    a, b = _mixed(np.uint64(seed) + _GAMMA) | np.uint64(1), _mixed(np.uint64(seed) - _GAMMA)
    sums = np.zeros(k)
    for i in range(len(x)):
        bits = (a * np.uint64(i) + b) >> np.uint64(32)
        half = bits * np.uint64(2 * k) >> np.uint64(32)
        sums[np.int64(half >> np.uint64(1))] += (1 - 2 * np.int64(half & np.uint64(1))) * x[i]
    return sums


@compiled
def _sparse(x, k, seed, s):
    key, sums, width = _mixed(np.uint64(seed) + _GAMMA), np.zeros(k), np.uint64(k // s)
    for i in range(len(x)):
        bits = _mixed(key + np.uint64(i) * _GAMMA)
        for part in range(s):
            place = ((bits >> np.uint64(32)) * width) >> np.uint64(32)
            sums[part * (k // s) + np.int64(place)] += (1 - 2 * np.int64(bits & np.uint64(1))) * x[i]
            bits = _mixed(bits + _GAMMA)
    return sums / np.sqrt(s)


def sparse(s: int) -> Construction:
    """Return the sketch with ``s`` places a coordinate, one in each of s parts (Kane and Nelson 2014, block construction)."""
    return lambda x, k, seed: _sparse(x, k, seed, s)


@compiled
def _blocks_of_signs(x, k, seed, turned):
    places = _mixed(np.uint64(seed) + _GAMMA)
    flips, signs, sums = _mixed(places + _GAMMA), np.empty(k), np.zeros(2 * k)
    for first in range(0, len(x), k):
        part = x[first : first + k]
        _fill_signs(signs, first, len(part), flips)
        bits = _mixed(places + np.uint64(first // k) * _GAMMA) >> np.uint64(32)
        _add_products(part, signs, sums[np.int64((bits * np.uint64(k)) >> np.uint64(32)) if turned else 0 :])
    return sums[:k] + sums[k:]


@compiled
def _add_products(part, signs, sums):
    for j in range(len(part)):
        sums[j] += signs[j] * part[j]


def strided(x: np.ndarray, k: int, seed: int) -> np.ndarray:
    """Return signed sums of the coordinates that stand k apart."""
    return _blocks_of_signs(x, k, seed, False)  # noqa: FBT003 - compiled


def turned(x: np.ndarray, k: int, seed: int) -> np.ndarray:
    """Return the package's: each block of k turned by a random shift."""
    return _blocks_of_signs(x, k, seed, True)  # noqa: FBT003 - compiled


@compiled
def hadamard(x, k, seed):
    """Return the sum of blocks of k, each signed, transformed by Hadamard's matrix, and signed again: k a power of two."""
    places = _mixed(np.uint64(seed) + _GAMMA)
    flips, signs, sums, y = _mixed(places + _GAMMA), np.empty(k), np.zeros(k), np.zeros(k)
    for first in range(0, len(x), k):
        part = x[first : first + k]
        _fill_signs(signs, first, len(part), flips)
        y[:] = 0
        _add_products(part, signs, y)
        _transform(y)
        _fill_signs(signs, first, k, places)
        _add_products(y, signs, sums)
    return sums / np.sqrt(k)


@compiled
def _transform(y):
    half = 1
    while half < len(y):
        for first in range(0, len(y), 2 * half):
            low, high = y[first : first + half], y[first + half : first + 2 * half]
            for j in range(half):
                a, b = low[j], high[j]
                low[j], high[j] = a + b, a - b
        half *= 2


@compiled
def sampled_hadamard(x, k, seed):
    """Return k places, drawn without repetition, of Hadamard's transform of the signed whole (SRHT): needs all of x at once."""
    n = 1
    while n < max(len(x), k):
        n *= 2
    key, signs, y = _mixed(np.uint64(seed) + _GAMMA), np.empty(n), np.zeros(n)
    _fill_signs(signs, 0, len(x), key)
    _add_products(x, signs, y)
    _transform(y)
    order = np.arange(n)
    for j in range(k):  # Fisher and Yates, as far as k
        bits = _mixed(key - np.uint64(j + 1) * _GAMMA) >> np.uint64(32)
        other = j + np.int64((bits * np.uint64(n - j)) >> np.uint64(32))
        order[j], order[other] = order[other], order[j]
    return y[order[:k]] / np.sqrt(k)


@compiled
def dense(x, k, seed):
    """Return products with k rows of signs: k operations a weight."""
    key, signs, sums = _mixed(np.uint64(seed) + _GAMMA), np.empty(k), np.zeros(k)
    for i in range(len(x)):
        _fill_signs(signs, i * k, k, key)
        for j in range(k):
            sums[j] += signs[j] * x[i]
    return sums / np.sqrt(k)


CONSTRUCTIONS: dict[str, Construction] = {
    "turned blocks of signs (chosen)": turned,
    "strided signs, not turned": strided,
    "count sketch": count,
    "count sketch, multiply-shift": multiply_shift,
    "sparse, s = 2": sparse(2),
    "sparse, s = 4": sparse(4),
    "sparse, s = 8": sparse(8),
    "Hadamard blocks": hadamard,
    "SRHT of the whole": sampled_hadamard,
}
