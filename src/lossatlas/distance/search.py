"""Exact lists of nearest neighbours by tiles: chosen with some slack, measured in float64, and proved complete."""

from collections import deque
from concurrent.futures import Executor, Future

import numpy as np

from lossatlas._arrays import InputError
from lossatlas.distance.kernels import add_differences, add_rows, add_tile, keep_nearest, shift_rows, squared_norms
from lossatlas.distance.source import ArraySource, refuse_lost
from lossatlas.distance.threads import n_cores, over_rows

_SIDE = 1024  # rows of a tile
_WIDTH = 1024  # columns of a tile that are multiplied at once
_SAFETY = 3.0  # as for all pairs: the error of a product beside those on the diagonal
_WIDE_ERROR = 1e-13  # share of error of products in float64, generously
_PAIRS = 2**17  # pairs that are measured at once


class Search:
    """Points in memory, and what their distances need: the mean, norms about it, and norms about the origin."""

    def __init__(self, source: ArraySource, origin: str | np.ndarray, pool: Executor, *, is_cosine: bool) -> None:
        points = np.ascontiguousarray(source.points)
        n, p = points.shape
        self.points, self.pool, self.is_cosine = points, pool, is_cosine
        mean = np.zeros(p)
        over_rows(pool, lambda a, b: add_rows(points, np.arange(n), a, b, mean), p)
        self.mean = mean / n
        place = np.zeros(p)
        if not isinstance(origin, str):
            place = np.asarray(origin, np.float64)
        elif origin != "zero":
            place = self.mean if origin == "centroid" else points[0].astype(np.float64)
        self.own, squares = np.empty(n), np.empty(n)
        over_rows(pool, lambda a, b: squared_norms(points, self.mean, a, b, self.own), n)
        over_rows(pool, lambda a, b: squared_norms(points, place, a, b, squares), n)
        if not np.isfinite(self.own).all() or not np.isfinite(squares).all():
            bad = [i for i in range(n) if not np.isfinite(points[i]).all()]
            refuse_lost(source, bad[0] if bad else -1, slice(0, p))
        self.norms = np.sqrt(squares)
        if is_cosine and isinstance(origin, str) and origin != "start" and not self.norms.all():
            raise InputError(at_origin(int(np.flatnonzero(self.norms == 0)[0]), origin))
        self._errors: dict[type, float] = {np.float64: _WIDE_ERROR}

    def nearest(self, rows: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Return numbers and distances of the ``k`` nearest of some rows."""
        n = len(self.points)
        indices, distances = np.empty((len(rows), k), np.int64), np.empty((len(rows), k))
        open_ = np.arange(len(rows))
        most = k + max(8, k // 4)
        # The error of float32 is measured where all rows meet all points; before that a few rows are cheap in float64.
        is_measured = len(rows) == n or np.float32 in self._errors
        for dtype in (np.float32, np.float64) if is_measured else (np.float64,):
            if len(open_) and most < n - 1:
                chosen, candidates = self._candidates(rows[open_], most, dtype)
                step = max(1, _PAIRS // most)
                for start in range(0, len(open_), step):
                    at = open_[start : start + step]
                    indices[at], distances[at] = self._ordered(rows[at], candidates[start : start + step], k)
                error = self._errors[dtype] * self._share(rows[open_])
                last = distances[open_, -1]
                # What was not chosen is at least as far as the last that was, less the error of its product.
                open_ = open_[~(chosen[:, -1] - error > (last if self.is_cosine else last**2))]
        step = max(1, _PAIRS // n)
        for start in range(0, len(open_), step):  # every pair of what is left
            part = open_[start : start + step]
            candidates = np.broadcast_to(np.arange(n), (len(part), n))
            indices[part], distances[part] = self._ordered(rows[part], candidates, k)
        return indices, distances

    def _share(self, rows: np.ndarray) -> np.ndarray:
        """Return, for each row, the most by which a share of error in a product can change a distance to any point."""
        if not self.is_cosine:
            return self.own[rows] + self.own.max()
        norms = np.where(self.norms == 0, np.inf, self.norms)  # at the origin a cosine is 1 without any product
        share = self.own[rows] * (1 / norms).max() + (self.own / norms).max()
        return share / (2 * norms[rows])

    def _candidates(self, rows: np.ndarray, most: int, dtype: type) -> tuple[np.ndarray, np.ndarray]:
        """Return the ``most`` least distances, squared if Euclidean, of some rows or all, and whose they are."""
        n = len(self.points)
        values, indices = np.full((len(rows), most), np.inf), np.zeros((len(rows), most), np.int64)
        is_all = len(rows) == n
        everything = np.arange(n)
        tiles = [(a, b) for a in range(0, len(rows), _SIDE) for b in range(a if is_all else 0, n, _SIDE)]
        spaces = [_Space(min(_SIDE, n), min(_WIDTH, self.points.shape[1]), dtype) for _ in range(n_cores() + 1)]
        pending: deque[tuple[int, int, _Space, Future]] = deque()

        def take() -> None:
            a, b, space, job = pending.popleft()
            products = job.result()
            left, right = rows[a : a + _SIDE], everything[b : b + _SIDE]
            if dtype is np.float32 and is_all and a == b:
                own = self.own[left]
                off = np.abs(np.diagonal(products) - own)[own > 0] / own[own > 0]
                self._errors[dtype] = max(self._errors.get(dtype, 1e-7), _SAFETY * float(off.max(initial=0.0)))
            keep_nearest(products, left, right, self.own, self.norms, self.is_cosine, a, is_all, values, indices)
            spaces.append(space)

        for a, b in tiles:
            while not spaces:
                take()
            space = spaces.pop()
            job = self.pool.submit(self._products, rows[a : a + _SIDE], everything[b : b + _SIDE], space)
            pending.append((a, b, space, job))
        while pending:
            take()
        return values, indices

    def _products(self, left: np.ndarray, right: np.ndarray, space: "_Space") -> np.ndarray:
        p = self.points.shape[1]
        total = space.total[: len(left), : len(right)]
        total[:] = 0.0
        for start in range(0, p, _WIDTH):
            stop = min(start + _WIDTH, p)
            a = space.left[: len(left), : stop - start]
            shift_rows(self.points, left, start, stop, self.mean, a)
            b = a
            if left is not right and not np.array_equal(left, right):
                b = space.right[: len(right), : stop - start]
                shift_rows(self.points, right, start, stop, self.mean, b)
            with np.errstate(all="ignore"):
                part = np.matmul(a, b.T, out=space.part[: len(left), : len(right)])
            add_tile(total, part)
        return total

    def _ordered(self, rows: np.ndarray, candidates: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the ``k`` nearest of the candidates of each row, measured in float64; equal ones by their number."""
        distances = self._measured(np.repeat(rows, candidates.shape[1]), candidates.ravel()).reshape(candidates.shape)
        distances[candidates == rows[:, None]] = np.inf
        order = np.lexsort((candidates, distances))[:, :k]
        return np.take_along_axis(candidates, order, axis=1), np.take_along_axis(distances, order, axis=1)

    def _measured(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        squared = np.zeros(len(first))
        points = self.points

        def add(a: int, b: int) -> None:
            add_differences(points, points, first[a:b], second[a:b], 0, points.shape[1], squared[a:b])

        over_rows(self.pool, add, len(first))
        if not self.is_cosine:
            return np.sqrt(squared)
        return cosines(squared, self.norms[first], self.norms[second])


class _Space:
    """What a thread needs for a tile."""

    def __init__(self, side: int, width: int, dtype: type) -> None:
        self.left: np.ndarray = np.empty((side, width + 16), dtype)
        self.right: np.ndarray = np.empty((side, width + 16), dtype)
        self.part: np.ndarray = np.empty((side, side), dtype)
        self.total = np.empty((side, side))


def cosines(squared: np.ndarray, norms: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return cosine distances of pairs from squared distances and norms; 1 between a point at the origin and any other."""
    product = 2 * norms * others
    part = np.maximum(squared - (norms - others) ** 2, 0.0)
    found = np.minimum(np.divide(part, product, out=np.ones_like(part), where=product > 0), 2.0)
    found[(norms == 0) & (others == 0)] = 0.0
    return found


def at_origin(point: int, origin: str) -> str:
    """Return the sentence that refuses a cosine of a point at the origin."""
    return f"point {point} lies at the origin ({origin}), where a cosine has no meaning; leave it out, or pass another origin"
