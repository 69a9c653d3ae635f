"""Inner products of all pairs of points about their mean, streamed over blocks of columns that stay in cache."""

import math
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from lossatlas.distance.kernels import add_tile, centre
from lossatlas.distance.source import Slab
from lossatlas.distance.threads import n_cores

# Bytes of a block of centred columns, of which three are in use at once.
_BLOCK = 12 * 2**20
_LEAST_BYTES = 4096  # of a row in a block, below which a product spends its time on moving results
_MANY = 1500
_LEAST_BLOCKS = 12
_SIDE = 400  # rows of a tile of the Gram matrix, at most
_KINDS = {"zero": 0, "centroid": 1, "start": 2}
_BUFFERS = 3
NONE = np.zeros(0)


class NotFiniteError(ValueError):
    """The squares of a row are NaN or infinite, over the parameters ``start`` to ``stop``."""

    def __init__(self, row: int, start: int, stop: int) -> None:
        super().__init__(row, start, stop)
        self.row, self.start, self.stop = row, start, stop


@dataclass
class Gram:
    r"""Sums over columns seen so far; the upper half of ``products`` alone is meant.

    Products of a block are taken in ``dtype`` and added up in float64. In float32 the error of :math:`2 (a-c)(b-c)` is
    some :math:`\kappa\, (\lVert a-c \rVert^2 + \lVert b-c \rVert^2)`, where :math:`\kappa` was 3e-8 to 6e-7 for random
    walks, clusters, smooth curves and layers of unlike scale, and 6e-6 for columns that are all alike, whose rounding
    repeats. It is not assumed but measured on the points at hand: see :meth:`relative_error`.
    """

    products: np.ndarray
    dtype: type
    norms: np.ndarray = field(init=False)  # squared, about the origin
    own: np.ndarray = field(init=False)  # squared, about the mean, in float64 whatever `dtype` is

    def __post_init__(self) -> None:
        n = len(self.products)
        self.norms, self.own = np.zeros(n), np.zeros(n)
        self._lost = np.zeros((2, n))

    def add_sums(self, norms: np.ndarray, own: np.ndarray) -> None:
        """Add a block's squared norms without losing what rounding drops (Kahan 1965): blocks may be many."""
        for sums, lost, part in ((self.norms, self._lost[0], norms), (self.own, self._lost[1], own)):
            part = part - lost  # noqa: PLW2901 - the next lines are its meaning
            total = sums + part
            lost[:] = (total - sums) - part
            sums[:] = total

    def relative_error(self) -> float:
        r"""Largest relative error of a squared norm among the products, :math:`\max_i |G_{ii} - g_i| / g_i`.

        The squares on the diagonal are the sums in which rounding adds up most, and their true values are known: they are
        summed in float64 while a block is centred. NaN or infinite if products left the range of ``dtype``.
        """
        there = self.own > 0
        if not there.any():
            return 0.0
        return float((np.abs(np.diagonal(self.products) - self.own)[there] / self.own[there]).max())


def block_width(n: int, p: int, dtype: type, *, most: int) -> int:
    """Return how many of ``p`` columns of ``n`` points make a block, ``most`` at most."""
    itemsize = np.dtype(dtype).itemsize
    wide = _BLOCK // (n * itemsize)
    if n >= _MANY:
        # The Gram matrix fills the cache and the memory, so that blocks gain nothing by their width; of few columns, as
        # those of a potential, the three blocks in use are to be small beside it.
        wide = min(_LEAST_BYTES // itemsize, -(-p // _LEAST_BLOCKS))
    return max(1, min(most, wide))


class Part(NamedTuple):
    """A slab, and the place that its points are seen from where the origin is one, over the columns of the slab."""

    slab: Slab
    place: np.ndarray = NONE


def add_parts(gram: Gram, parts: Iterable[Part], pool: Executor, *, width: int, origin: str = "zero") -> None:
    """Add the products of the points over the columns of all parts.

    Blocks are centred ahead of the products that need them, products run side by side, and all are added in one order, so
    that the number of threads changes no digit; no core waits where one part ends. The next part is asked for once all of
    the one before is centred. In memory: three blocks, and a tile of the Gram matrix for each thread.
    """
    _Stream(gram, pool, width=width, origin=origin).run(parts)


class _Block(NamedTuple):
    part: Part
    start: int
    stop: int


class _Stream:
    """The blocks of one call on their way from centring through products to the sum."""

    def __init__(self, gram: Gram, pool: Executor, *, width: int, origin: str) -> None:
        n = len(gram.products)
        self.gram, self.pool, self.width, self.origin = gram, pool, width, _KINDS.get(origin, 3)
        self.buffers: list[np.ndarray] = []
        side = math.ceil(n / math.ceil(n / _SIDE))
        edges = range(0, n, side)
        self.tiles = [(slice(i, i + side), slice(j, j + side)) for i in edges for j in edges if i <= j]
        self.free: list[np.ndarray] = [np.empty((side, side), gram.dtype) for _ in range(n_cores() + 1)]
        self.pending: deque[tuple[int, Future, tuple[slice, slice], np.ndarray]] = deque()

    def run(self, parts: Iterable[Part]) -> None:
        try:
            for number, block in self._centred(self._blocks(parts)):
                for tile in self.tiles:
                    while not self.free:
                        self._take()
                    out = self.free.pop()
                    self.pending.append((number, self.pool.submit(self._product, block, tile, out), tile, out))
            while self.pending:
                self._take()
        finally:
            for _, job, _, _ in self.pending:
                job.cancel()

    def _blocks(self, parts: Iterable[Part]) -> Iterator[_Block]:
        for part in parts:
            for start in range(part.slab.start, part.slab.stop, self.width):
                yield _Block(part, start, min(start + self.width, part.slab.stop))

    def _centred(self, blocks: Iterator[_Block]) -> Iterator[tuple[int, np.ndarray]]:
        # One block ahead of the products; the third buffer is that of the block whose last products still run.
        ahead = self._ahead(0, next(blocks, None))
        number = 0
        while ahead:
            out, job = ahead
            norms, own = job.result()
            self.gram.add_sums(norms, own)
            ahead = self._ahead(number + 1, next(blocks, None))
            yield number, out
            number += 1

    def _ahead(self, number: int, block: _Block | None) -> tuple[np.ndarray, Future] | None:
        if block is None:
            return None
        if number < _BUFFERS:
            # The rows of a buffer are not a power of two apart, which would put them all in one place of the cache.
            self.buffers.append(np.empty((len(self.gram.products), self.width + 16), self.gram.dtype))
        while self.pending and self.pending[0][0] <= number - _BUFFERS:
            self._take()
        out = self.buffers[number % _BUFFERS]  # whole: a part of its columns would not be known to lie side by side
        return out[:, : block.stop - block.start], self.pool.submit(self._centre, block, out)

    def _centre(self, block: _Block, out: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        (slab, place), n = block.part, len(out)
        norms, own = np.empty(n), np.empty(n)
        here = place[block.start - slab.start : block.stop - slab.start]
        centre(slab.points, slab.rows, block.start, block.stop, self.origin, here, out, norms, own)
        if not (np.isfinite(own).all() and np.isfinite(norms).all()):
            before = slab.first - slab.start
            row = culprit(slab.points[slab.rows, block.start : block.stop])
            raise NotFiniteError(row, before + block.start, before + block.stop)
        return norms, own

    def _product(self, block: np.ndarray, tile: tuple[slice, slice], out: np.ndarray) -> np.ndarray:
        a, b = block[tile[0]], block[tile[1]]
        # NumPy hands a product with its own transpose to the symmetric BLAS routine. What leaves float32 shows in
        # relative_error.
        with np.errstate(all="ignore"):
            return np.matmul(a, b.T, out=out[: len(a), : len(b)])

    def _take(self) -> None:
        _, job, tile, out = self.pending.popleft()
        part = job.result()
        add_tile(self.gram.products[tile], part)
        self.free.append(out)


def culprit(block: np.ndarray) -> int:
    """Return the first row that is not finite, or -1 where only squares are not."""
    bad = np.flatnonzero(~np.isfinite(block).all(axis=1))
    return int(bad[0]) if len(bad) else -1
