"""Where points come from: an array, or runs on disk read a block of parameters at a time."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np

from lossatlas._arrays import InputError, Points, checked_points, not_finite
from lossatlas.store import Run, refuse_not_finite


@runtime_checkable
class PointSource(Protocol):
    """``n`` points of ``p`` parameters of which any range of columns can be read."""

    @property
    def n_points(self) -> int:
        """Number of points."""
        ...

    @property
    def n_parameters(self) -> int:
        """Number of parameters of each."""
        ...

    def block(self, start: int, stop: int) -> Points:
        """Return columns ``start`` to ``stop`` as float64."""
        ...


@dataclass(frozen=True)
class ArraySource:
    """Points in memory."""

    points: np.ndarray

    @property
    def n_points(self) -> int:
        """Number of points."""
        return len(self.points)

    @property
    def n_parameters(self) -> int:
        """Number of parameters of each."""
        return self.points.shape[1]

    def block(self, start: int, stop: int) -> Points:
        """Return columns ``start`` to ``stop`` as float64."""
        return self.points[:, start:stop].astype(np.float64, copy=False)


_CACHED = 0.5  # of the memory: what the system keeps of files that were read


@dataclass(frozen=True)
class RunSource:
    """Points of several runs of one model, one run after the other.

    ``kept`` names the points of each run that are read; by default all of them.
    """

    runs: tuple[Run, ...]
    kept: tuple[tuple[int, ...], ...]

    @property
    def n_points(self) -> int:
        """Number of points."""
        return sum(len(points) for points in self.kept)

    @property
    def n_parameters(self) -> int:
        """Number of parameters of each."""
        return self.runs[0].n_parameters

    def block(self, start: int, stop: int) -> Points:
        """Return columns ``start`` to ``stop`` as float64.

        Raises:
            InputError: a point holds NaN or infinite weights.
        """
        block = np.empty((self.n_points, stop - start))
        self.read(start, stop, np.arange(self.n_points), block)
        for run, points, rows in self._parts(np.arange(self.n_points)):
            refuse_not_finite(run, points, block[rows])
        return block

    @property
    def precision(self) -> type:
        """float32 where no weight was stored wider than that, else float64."""
        return np.float64 if any(run.precision == np.float64 for run in self.runs) else np.float32

    @cached_property
    def is_larger_than_the_cache(self) -> bool:
        """Whether the system would read all of it anew every time, since only part of it stays in memory."""
        size = self.n_points * self.n_parameters * np.dtype(self.precision).itemsize
        return size > _CACHED * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else False

    def read(self, start: int, stop: int, points: np.ndarray, out: np.ndarray) -> None:
        """Write columns of some points to the rows of ``out``, whether finite or not."""
        for run, numbers, rows in self._parts(points):
            run.read(start, stop, numbers, out[rows], direct=self.is_larger_than_the_cache)

    def _parts(self, points: np.ndarray) -> Iterator[tuple[Run, tuple[int, ...], slice]]:
        # Rising numbers of points become numbers within their runs.
        first = 0
        for run, kept in zip(self.runs, self.kept, strict=True):
            a, b = np.searchsorted(points, [first, first + len(kept)])
            yield run, tuple(kept[point - first] for point in points[a:b]), slice(int(a), int(b))
            first += len(kept)

    def name_not_finite(self, point: int, block: Points) -> None:
        """Refuse a point, whose values ``block`` holds, by the name of its run."""
        for run, numbers, _ in self._parts(np.array([point])):
            if numbers:
                refuse_not_finite(run, numbers, block)


class Slab(NamedTuple):
    """Columns ``start`` to ``stop`` of ``points``, whose ``rows`` are the points that were asked for."""

    points: np.ndarray
    rows: np.ndarray
    start: int
    stop: int
    first: int  # the number of the parameter in column `start`


def point_source(points: np.ndarray | Run | Sequence[Run], *, kept: Sequence[Sequence[int]] | None = None) -> PointSource:
    """Return the source of an array ``(n, p)``, a run, or runs of the same model.

    Raises:
        InputError: there are fewer than two points, or the runs hold other parameters.
    """
    if isinstance(points, np.ndarray):
        if points.ndim != 2 or points.dtype not in (np.float32, np.float64):
            return ArraySource(checked_points(points))
        checked_points(points[:, :0])  # values are looked at when they are read
        return ArraySource(points)
    runs = (points,) if isinstance(points, Run) else tuple(points)
    if not runs or not all(isinstance(run, Run) for run in runs):
        raise InputError("points must be an array (n, p), a run, or a list of runs; open folders with lossatlas.open_runs")
    refuse_other_runs(runs)
    # Files of other writers have their tensors in orders of their own.
    runs = tuple(run.ordered_as(runs[0].names) for run in runs)
    source = RunSource(runs, tuple(map(tuple, kept)) if kept is not None else tuple(tuple(range(run.n_points)) for run in runs))
    if source.n_points < 2:
        count = "only 1" if source.n_points else "none"
        raise InputError(f"a map needs at least 2 points, but there is {count} in {runs[0].name!r}; record or sample more")
    return source


def blocks(source: PointSource, *, megabytes: float = 128) -> Iterator[tuple[slice, Points]]:
    """Yield all columns in blocks of at most ``megabytes`` of float64."""
    width = columns_in(megabytes, source.n_points)
    for start in range(0, source.n_parameters, width):
        columns = slice(start, min(start + width, source.n_parameters))
        yield columns, source.block(columns.start, columns.stop)


def columns_in(megabytes: float, n: int, *, multiple: int = 1) -> int:
    """Return how many columns of ``n`` points fit into ``megabytes`` of float64, one at least."""
    width = max(1, int(megabytes * 2**20 / (8 * n)))
    return width // multiple * multiple or width


def slabs(source: PointSource, rows: np.ndarray, *, megabytes: float, multiple: int = 1) -> Iterator[Slab]:
    """Yield the columns of some points in C order, in the type that they have; what is not in memory, in pieces.

    The next piece is read while the caller works on one, so two of ``megabytes`` (of float64) are in memory. A piece is
    overwritten once the next but one has been asked for.
    """
    p = source.n_parameters
    if isinstance(source, ArraySource) and source.points.flags.c_contiguous:
        yield Slab(source.points, rows, 0, p, 0)
    elif isinstance(source, RunSource):
        yield from _read_ahead(source, rows, columns_in(megabytes, len(rows), multiple=multiple))
    else:
        width = columns_in(megabytes, source.n_points, multiple=multiple)
        for start in range(0, p, width):
            stop = min(start + width, p)
            block = source.points[:, start:stop] if isinstance(source, ArraySource) else source.block(start, stop)
            yield Slab(np.ascontiguousarray(block), rows, 0, stop - start, start)


def precision(source: PointSource) -> type:
    """Return float32 if a source holds nothing wider, else float64."""
    if isinstance(source, ArraySource):
        return np.float32 if source.points.dtype == np.float32 else np.float64
    return source.precision if isinstance(source, RunSource) else np.float64


_READERS = 4  # files that are read at once: a disk answers several questions faster than one after the other


def _read_ahead(source: RunSource, rows: np.ndarray, width: int) -> Iterator[Slab]:
    p = source.n_parameters
    width = min(width, p)
    buffers: list[np.ndarray] = [np.empty((len(rows), width), source.precision) for _ in range(1 if width == p else 2)]

    def read(number: int) -> list[Future]:
        start, out = number * width, buffers[number % len(buffers)]
        stop = min(start + width, p)
        parts = np.array_split(np.arange(len(rows)), min(len(rows), 4 * _READERS))
        return [pool.submit(source.read, start, stop, rows[k], out[k[0] : k[-1] + 1, : stop - start]) for k in parts]

    with ThreadPoolExecutor(_READERS) as pool:
        ahead = read(0)
        for number, start in enumerate(range(0, p, width)):
            for job in ahead:
                job.result()
            if start + width < p:
                ahead = read(number + 1)
            yield Slab(buffers[number % 2], np.arange(len(rows)), 0, min(width, p - start), start)


def refuse_lost(source: PointSource, point: int, columns: slice) -> None:
    """Refuse the point whose squares were NaN or infinite in some columns, or all of them if ``point`` is -1."""
    if point >= 0:
        if isinstance(source, RunSource):
            block = np.empty((1, source.n_parameters))
            source.read(0, source.n_parameters, np.array([point]), block)
            source.name_not_finite(point, block)
        values = source.points[point] if isinstance(source, ArraySource) else source.block(columns.start, columns.stop)[point]
        raise InputError(not_finite(f"point {point}", int((~np.isfinite(values)).sum())))
    raise InputError("points must be small enough to be squared, but some squares exceed float64; divide all by one number")


def refuse_other_runs(runs: Sequence[Run]) -> None:
    """Refuse runs of several models."""
    for run in runs[1:]:
        _refuse_other_parameters(runs[0], run)


def _refuse_other_parameters(first: Run, other: Run) -> None:
    if other.tensors is first.tensors:  # as they are of runs of one model that were opened together
        return
    mine, theirs = ([(tensor.name, tensor.shape) for tensor in run.parameters] for run in (first, other))
    if sorted(mine) == sorted(theirs):
        return
    different = next((pair for pair in zip(mine, theirs, strict=False) if pair[0] != pair[1]), None)
    what = f"{different[0]} and {different[1]}" if different else f"{len(mine)} and {len(theirs)} tensors"
    raise InputError(f"runs {first.name!r} and {other.name!r} have different parameters ({what}), so no distance; map them apart")
