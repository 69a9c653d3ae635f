"""Passes over all pairs of points, compiled, with no n x n array made, and the threads that share one pass.

Work is cut into a fixed number of parts whose sums are added in a fixed order: threads change the time, never a digit.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeAlias

import joblib
import numpy as np
from jaxtyping import Float, Int

from lossatlas._arrays import Distances
from lossatlas._compiled import compiled

Rows: TypeAlias = Float[np.ndarray, "d n"]  # coordinates, an axis a row: the inner loops run along memory
# Runs a pass, given what does the parts first, first + stride, first + 2 stride, … of it.
Sharing: TypeAlias = Callable[[Callable[[int, int], Any]], None]

PARTS = 8
# Below so many pairs a pass is done before a second thread has woken.
_PAIRS_WORTH_A_THREAD = 100_000
# The square of a length that stands for 0: its gap is 0, so that whatever pulls along it moves nothing.
LEAST = 1e-300


@contextmanager
def shared(n: int) -> Iterator[Sharing]:
    """Lend threads for passes over the pairs of ``n`` points: as many as there are processors, or none where n is small."""
    count = min(joblib.cpu_count(), PARTS) if n * (n - 1) // 2 >= _PAIRS_WORTH_A_THREAD else 1
    if count == 1:
        yield lambda work: work(0, 1)
        return
    with ThreadPoolExecutor(count - 1) as pool:

        def run(work: Callable[[int, int], Any]) -> None:
            others = [pool.submit(work, first, count) for first in range(1, count)]
            work(0, count)
            for other in others:
                other.result()

        yield run


def _triangle_parts(n: int) -> Int[np.ndarray, " bounds"]:
    """First row of each part, so that all hold about as many pairs i < j; and n."""
    share = np.arange(PARTS + 1) / PARTS
    return np.round(n * (1 - np.sqrt(1 - share))).astype(np.int64)


def _even_parts(n: int) -> Int[np.ndarray, " bounds"]:
    """First row of each part, so that all hold about as many rows; and n."""
    return np.round(np.linspace(0, n, PARTS + 1)).astype(np.int64)


class HostPasses:
    """Passes over the pairs of one matrix of distances, which threads share."""

    def __init__(self, distances: Distances, run: Sharing) -> None:
        self._distances, self._run = np.ascontiguousarray(distances), run
        n = len(distances)
        self._triangles, self._rows = _triangle_parts(n), _even_parts(n)

    def raw_stress_and_pulls(self, points: Rows) -> tuple[float, Rows]:
        """Raw stress over pairs i < j, and for each point the sum of delta_ij (x_i - x_j) / |x_i - x_j|."""
        raw, pulls = np.empty(PARTS), np.empty((PARTS, *points.shape))
        self._run(lambda first, stride: _add_pulls(self._distances, points, self._triangles, first, stride, raw, pulls))
        return float(raw.sum()), pulls.sum(axis=0)

    def length_sums(self, points: Rows, factor: float) -> tuple[float, float, float]:
        """Sums over pairs: of lengths squared, of length times distance, and of (factor length - distance) squared."""
        sums = np.empty((PARTS, 3))
        self._run(lambda first, stride: _add_errors(self._distances, points, self._triangles, first, stride, factor, sums))
        norm, product, error = sums.sum(axis=0)
        return float(norm), float(product), float(error)

    def times_squares(self, vectors: Rows) -> Rows:
        """Products of the squared distances with vectors, which are rows."""
        out = np.empty_like(vectors)
        self._run(lambda first, stride: _multiply_squares(self._distances, vectors, self._rows, first, stride, out))
        return out


@compiled
def _add_pulls(
    distances: np.ndarray, points: np.ndarray, bounds: np.ndarray, first: int, stride: int, raw: np.ndarray, pulls: np.ndarray
) -> None:
    """Sum, part by part, the raw stress over pairs i < j, and for each point delta_ij (x_i - x_j) / |x_i - x_j|."""
    d, n = points.shape
    lengths = np.empty(n)
    for part in range(first, PARTS, stride):
        moved = pulls[part]
        moved[:] = 0.0
        total = 0.0
        for i in range(bounds[part], bounds[part + 1]):
            # The row to the right of the diagonal, axis by axis: each inner loop is one that fills vector registers.
            w = n - i - 1
            given, length = distances[i, i + 1 :], lengths[:w]
            length[:] = 0.0
            for k in range(d):
                here, others = points[k, i], points[k, i + 1 :]
                for j in range(w):
                    length[j] += (here - others[j]) ** 2
            error = 0.0
            for j in range(w):
                square = max(length[j], LEAST)
                inverse = 1.0 / np.sqrt(square)
                error += (square * inverse - given[j]) ** 2
                length[j] = given[j] * inverse
            total += error
            for k in range(d):
                here, others, theirs = points[k, i], points[k, i + 1 :], moved[k, i + 1 :]
                mine = 0.0
                for j in range(w):
                    step = length[j] * (here - others[j])
                    mine += step
                    theirs[j] -= step
                moved[k, i] += mine
        raw[part] = total


@compiled
def _add_errors(
    distances: np.ndarray, points: np.ndarray, bounds: np.ndarray, first: int, stride: int, factor: float, sums: np.ndarray
) -> None:
    """Sum, part by part over pairs i < j, the squared length, length times distance, and (factor length - distance)^2."""
    d, n = points.shape
    squares = np.empty(n)
    for part in range(first, PARTS, stride):
        norm = product = error = 0.0
        for i in range(bounds[part], bounds[part + 1]):
            w = n - i - 1
            given, square = distances[i, i + 1 :], squares[:w]
            square[:] = 0.0
            for k in range(d):
                here, others = points[k, i], points[k, i + 1 :]
                for j in range(w):
                    square[j] += (here - others[j]) ** 2
            for j in range(w):
                length = np.sqrt(square[j])
                norm += square[j]
                product += length * given[j]
                error += (factor * length - given[j]) ** 2
        sums[part, 0], sums[part, 1], sums[part, 2] = norm, product, error


@compiled
def _multiply_squares(
    distances: np.ndarray, vectors: np.ndarray, bounds: np.ndarray, first: int, stride: int, out: np.ndarray
) -> None:
    """Write the products of the squared distances with each of the vectors, which are rows."""
    b, n = vectors.shape
    squares = np.empty(n)
    for part in range(first, PARTS, stride):
        for i in range(bounds[part], bounds[part + 1]):
            row = distances[i]
            for j in range(n):
                squares[j] = row[j] * row[j]
            for k in range(b):
                vector = vectors[k]
                total = 0.0
                for j in range(n):
                    total += squares[j] * vector[j]
                out[k, i] = total
