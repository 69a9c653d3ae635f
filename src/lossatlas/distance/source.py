"""Where points come from: an array, or runs on disk read a block of parameters at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from lossatlas._arrays import InputError, Points, checked_points
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
        blocks = []
        for run, points in zip(self.runs, self.kept, strict=True):
            block = run.block(start, stop, points)
            refuse_not_finite(run, points, block)
            blocks.append(block)
        return np.concatenate(blocks)


def point_source(points: np.ndarray | Run | Sequence[Run], *, kept: Sequence[Sequence[int]] | None = None) -> PointSource:
    """Return the source of an array ``(n, p)``, a run, or runs of the same model.

    Raises:
        InputError: there are fewer than two points, or the runs hold other parameters, or a value is not finite.
    """
    if isinstance(points, np.ndarray):
        array = points if points.ndim == 2 and points.dtype == np.float32 else checked_points(points)
        if array.dtype == np.float32:  # left as it is, so that no second copy of the data is made
            checked_points(array[:, :0])
            _refuse_not_finite_array(array)
        return ArraySource(array)
    runs = (points,) if isinstance(points, Run) else tuple(points)
    if not runs or not all(isinstance(run, Run) for run in runs):
        raise InputError("points must be an array (n, p), a run, or a list of runs; open folders with lossatlas.open_runs")
    for run in runs[1:]:
        _refuse_other_parameters(runs[0], run)
    source = RunSource(runs, tuple(map(tuple, kept)) if kept is not None else tuple(tuple(range(run.n_points)) for run in runs))
    if source.n_points < 2:
        count = "only 1" if source.n_points else "none"
        raise InputError(f"a map needs at least 2 points, but there is {count} in {runs[0].name!r}; record or sample more")
    return source


def blocks(source: PointSource, *, megabytes: float = 128) -> Iterator[tuple[slice, Points]]:
    """Yield all columns in blocks of at most ``megabytes`` of float64."""
    width = max(1, int(megabytes * 2**20 / (8 * source.n_points)))
    for start in range(0, source.n_parameters, width):
        columns = slice(start, min(start + width, source.n_parameters))
        yield columns, source.block(columns.start, columns.stop)


def _refuse_not_finite_array(array: np.ndarray) -> None:
    for start in range(0, len(array), 64):
        rows = array[start : start + 64]
        if not np.isfinite(rows).all():
            point = int(np.flatnonzero(~np.isfinite(rows).all(axis=1))[0])
            raise InputError(f"point {start + point} holds values that are NaN or infinite; leave that point out")


def _refuse_other_parameters(first: Run, other: Run) -> None:
    mine, theirs = ([(tensor.name, tensor.shape) for tensor in run.parameters] for run in (first, other))
    if mine == theirs:
        return
    different = next((pair for pair in zip(mine, theirs, strict=False) if pair[0] != pair[1]), None)
    what = f"{different[0]} and {different[1]}" if different else f"{len(mine)} and {len(theirs)} tensors"
    raise InputError(f"runs {first.name!r} and {other.name!r} have different parameters ({what}), so no distance; map them apart")
