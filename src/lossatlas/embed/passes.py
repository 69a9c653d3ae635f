"""Passes over all pairs of points, fused: no n x n array is made, and the order of sums never depends on threads."""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import joblib
import numpy as np
from jaxtyping import Float

from lossatlas._arrays import Distances, Indices, Vector
from lossatlas._compiled import compiled

# Rows are dealt to a fixed number of shares, whatever the number of threads; fewer points are not worth a thread.
_SHARES = 8
_FEW = 400


@contextmanager
def threads(n: int) -> Iterator[Executor | None]:
    """Threads for passes over ``n`` points; none for few points, or on one processor."""
    count = min(joblib.cpu_count(), _SHARES)
    if n < _FEW or count == 1:
        yield None
        return
    with ThreadPoolExecutor(count) as executor:
        yield executor


def stress_and_gradient(
    distances: Distances, points: Float[np.ndarray, "d n"], executor: Executor | None
) -> tuple[float, Float[np.ndarray, "d n"]]:
    r"""Raw stress :math:`\sum_{i<j} (d_{ij}(X) - \delta_{ij})^2`, and its gradient; 0 along a pair that coincides."""
    shares = [np.zeros_like(points) for _ in range(_SHARES)]
    bounds = _equal_triangles(points.shape[1])
    raw = _dealt(executor, lambda k: _stress_rows(distances, points, bounds[k], bounds[k + 1], shares[k]))
    return float(sum(raw)), 2 * np.add.reduce(shares)


def length_sums(
    distances: Distances, points: Float[np.ndarray, "d n"], factor: float, executor: Executor | None
) -> tuple[float, float, float]:
    r"""Sums over pairs: of drawn lengths squared, of drawn times given, and of (factor drawn - given) squared."""
    bounds = _equal_triangles(points.shape[1])
    shares = _dealt(executor, lambda k: _sum_rows(distances, points, factor, bounds[k], bounds[k + 1]))
    drawn, both, misfit = np.add.reduce(shares)
    return float(drawn), float(both), float(misfit)


def squared_product(distances: Distances, vector: Vector, executor: Executor | None) -> Vector:
    """Product of the matrix of squared distances, which is not made, with a vector."""
    n = len(distances)
    out = np.empty(n)
    bounds = np.linspace(0, n, _SHARES + 1).astype(int)
    _dealt(executor, lambda k: _product_rows(distances, vector, bounds[k], bounds[k + 1], out))
    return out


def _dealt(executor: Executor | None, share: Callable[[int], Any]) -> list[Any]:
    return list(map(share, range(_SHARES)) if executor is None else executor.map(share, range(_SHARES)))


def _equal_triangles(n: int) -> Indices:
    """Rows that bound shares of as many pairs i < j each."""
    return np.round(n * (1 - np.sqrt(1 - np.arange(_SHARES + 1) / _SHARES))).astype(int)


@compiled
def _stress_rows(distances: np.ndarray, points: np.ndarray, first: int, last: int, gradient: np.ndarray) -> float:
    # Every inner loop runs over the points after i, from 0 on and along one row, so that it is done many at a time.
    d, n = points.shape
    buffer = np.empty(n)
    raw = 0.0
    for i in range(first, last):
        after = n - i - 1
        part = buffer[:after]
        _squared_lengths(points, i, part)
        wanted = distances[i, i + 1 :]
        here = 0.0
        for j in range(after):
            length = np.sqrt(part[j])
            excess = length - wanted[j]
            here += excess * excess
            part[j] = excess / max(length, 1e-300)
        raw += here
        for k in range(d):
            own = points[k, i]
            others = points[k, i + 1 :]
            slope = gradient[k, i + 1 :]
            total = 0.0
            for j in range(after):
                pull = part[j] * (own - others[j])
                total += pull
                slope[j] -= pull
            gradient[k, i] += total
    return raw


@compiled
def _squared_lengths(points: np.ndarray, i: int, out: np.ndarray) -> None:
    for k in range(points.shape[0]):
        own = points[k, i]
        others = points[k, i + 1 :]
        if k == 0:
            for j in range(len(out)):
                out[j] = (own - others[j]) ** 2
        else:
            for j in range(len(out)):
                out[j] += (own - others[j]) ** 2


@compiled
def _sum_rows(distances: np.ndarray, points: np.ndarray, factor: float, first: int, last: int) -> np.ndarray:
    n = points.shape[1]
    buffer = np.empty(n)
    sums = np.zeros(3)
    for i in range(first, last):
        part = buffer[: n - i - 1]
        _squared_lengths(points, i, part)
        wanted = distances[i, i + 1 :]
        drawn, both, misfit = 0.0, 0.0, 0.0
        for j in range(len(part)):
            length = np.sqrt(part[j])
            excess = factor * length - wanted[j]
            drawn += part[j]
            both += length * wanted[j]
            misfit += excess * excess
        sums[0] += drawn
        sums[1] += both
        sums[2] += misfit
    return sums


@compiled
def _product_rows(distances: np.ndarray, vector: np.ndarray, first: int, last: int, out: np.ndarray) -> None:
    for i in range(first, last):
        row = distances[i]
        total = 0.0
        for j in range(len(vector)):
            total += row[j] * row[j] * vector[j]
        out[i] = total
