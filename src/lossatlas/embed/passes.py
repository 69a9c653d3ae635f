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
_PLANE = 2


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
        add_pulls = _add_pulls_in_the_plane if len(points) == _PLANE else _add_pulls
        self._run(lambda first, stride: add_pulls(self._distances, points, self._triangles, first, stride, raw, pulls))
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
def _add_pulls_in_the_plane(
    distances: np.ndarray, points: np.ndarray, bounds: np.ndarray, first: int, stride: int, raw: np.ndarray, pulls: np.ndarray
) -> None:
    """Do what `_add_pulls` does for two axes: nothing waits in memory, and a pass takes six tenths."""
    n = points.shape[1]
    x, y = points[0], points[1]
    for part in range(first, PARTS, stride):
        moved = pulls[part]
        moved[:] = 0.0
        moved_x, moved_y = moved[0], moved[1]
        total = 0.0
        for i in range(bounds[part], bounds[part + 1]):
            given = distances[i, i + 1 :]
            others_x, others_y = x[i + 1 :], y[i + 1 :]
            theirs_x, theirs_y = moved_x[i + 1 :], moved_y[i + 1 :]
            here_x, here_y = x[i], y[i]
            error = 0.0
            mine_x = 0.0
            mine_y = 0.0
            for j in range(n - i - 1):
                gap_x = here_x - others_x[j]
                gap_y = here_y - others_y[j]
                square = max(gap_x**2 + gap_y**2, LEAST)
                inverse = 1.0 / np.sqrt(square)
                error += (square * inverse - given[j]) ** 2
                weight = given[j] * inverse
                step_x = weight * gap_x
                step_y = weight * gap_y
                mine_x += step_x
                mine_y += step_y
                theirs_x[j] -= step_x
                theirs_y[j] -= step_y
            total += error
            moved_x[i] += mine_x
            moved_y[i] += mine_y
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
