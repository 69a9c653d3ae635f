"""A run, read."""

import math
import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from lossatlas._arrays import InputError, Points, not_finite
from lossatlas.sketch import Sketch
from lossatlas.store.files import Files
from lossatlas.store.manifest import Description, Keep, read_description, read_manifest
from lossatlas.store.snapshot import LazyTensor, Places, TensorEntry


@dataclass(frozen=True, eq=False)
class Run:
    """A recorded trajectory, read from its folder: ``n`` points of ``p`` parameters each, with their metrics.

    Get it from :func:`open_run`; it shows what was on disk when it was opened.
    """

    path: Path
    tensors: tuple[TensorEntry, ...] = field(repr=False)
    settings: Mapping[str, Any]  # what made the run
    lines: tuple[Mapping[str, Any], ...] = field(repr=False)
    is_complete: bool  # whether its writer ended it in good order
    keep: Keep = "weights"  # what each point has
    sketch_settings: Mapping[str, int] | None = field(default=None, repr=False)  # "k" and "seed", where there are sketches
    numbers: tuple[int, ...] | None = field(default=None, repr=False)  # of the points, where these are some of a longer run's
    _places: dict[str, Places] = field(default_factory=dict, repr=False)  # of each file that was opened, read once

    @cached_property
    def _files(self) -> Files:
        about = Description(self.tensors, self.settings, self.keep, self.sketch_settings)
        return Files(self.path, about, self.lines, self._places, self.numbers)

    @property
    def name(self) -> str:
        """Name of the run: its folder's."""
        return self.path.name

    @property
    def n_points(self) -> int:
        """Number of snapshots."""
        return len(self.lines)

    @property
    def has_weights(self) -> bool:
        """Whether the weights of each point are there, and not sketches alone."""
        return self.keep != "sketch"

    @property
    def has_sketches(self) -> bool:
        """Whether there is a sketch of each point."""
        return self.keep != "weights"

    @property
    def parameters(self) -> tuple[TensorEntry, ...]:
        """The trained tensors in the order of the model; buffers are stored too, but are no axes of a map."""
        return tuple(tensor for tensor in self.tensors if tensor.kind == "parameter")

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters, in the order of the columns of :meth:`weights`."""
        return tuple(tensor.name for tensor in self.parameters)

    def ordered_as(self, names: Sequence[str]) -> "Run":
        """Return the run with its parameters, which have these names, in this order."""
        if tuple(names) == self.names:
            return self
        place = {name: number for number, name in enumerate(names)}
        tensors = sorted(self.tensors, key=lambda tensor: place.get(tensor.name, len(place)))
        return replace(self, tensors=tuple(tensors))

    @property
    def n_parameters(self) -> int:
        """Number of columns of :meth:`weights`."""
        return sum(tensor.size for tensor in self.parameters)

    @property
    def steps(self) -> np.ndarray:
        """Step of each point, ``(n,)``: how often the training loop had called."""
        return np.array([line["step"] for line in self.lines], dtype=np.int64)

    @property
    def metrics(self) -> Mapping[str, np.ndarray]:
        """Each metric as ``(n,)`` float64; NaN where a point has none."""
        names = dict.fromkeys(name for line in self.lines for name in line["metrics"])
        return {name: np.array([float(line["metrics"].get(name, math.nan)) for line in self.lines]) for name in names}

    def snapshot(self, point: int = -1) -> dict[str, np.ndarray]:
        """Return parameters and buffers of one point under their own names; bfloat16 comes as float32."""
        self.refuse_damaged(point)
        with self._files.opened(point) as snapshot:
            return {t.name: snapshot.values(t, 0, t.size).reshape(t.shape) for t in self.tensors}

    def lazy(self, point: int) -> dict[str, LazyTensor]:
        """Return one point's tensors as they were stored, each read when it is asked for."""
        return {t.name: LazyTensor(t.dtype, t.shape, partial(self._raw, point, t.name)) for t in self.tensors}

    def _raw(self, point: int, name: str) -> memoryview:
        with self._files.opened(point) as snapshot:
            return snapshot.raw(name)

    def sketch(self, point: int) -> Sketch:
        """Return the sketch of one point about the start.

        Raises:
            InputError: the run holds none, or its file is missing or damaged.
        """
        return self._files.sketch(point)

    def start(self) -> Sketch:
        """Return the sketch of the start itself, about zero.

        Raises:
            InputError: the run holds none, or its file is missing or damaged.
        """
        return self._files.start()

    def refuse_damaged(self, point: int) -> None:
        """Read a point's files whole, and compare them with their checksums; runs of older versions have none.

        Raises:
            InputError: a file is not what was written.
        """
        self._files.refuse_damaged(point)

    def weights(self, dtype: str = "float64") -> np.ndarray:
        """Return all points as rows, ``(n, p)``: the parameters flattened in the order of :attr:`names`.

        The whole table is in memory then; :func:`lossatlas.cosine_distances` streams it instead.
        """
        return self.block(0, self.n_parameters).astype(dtype, copy=False)

    def block(self, start: int, stop: int, points: Sequence[int] | None = None) -> Points:
        """Return columns ``start`` to ``stop`` of :meth:`weights` as float64, reading only these from the disk."""
        chosen = range(self.n_points) if points is None else points
        block = np.empty((len(chosen), stop - start))
        self.read(start, stop, chosen, block)
        return block

    @property
    def precision(self) -> type:
        """The type that holds every parameter as it was stored: float32 where none is wider, else float64."""
        return np.float32 if {tensor.dtype for tensor in self.parameters} <= {"F32", "F16", "BF16"} else np.float64

    def read(self, start: int, stop: int, points: Sequence[int], out: np.ndarray, *, direct: bool = False) -> None:
        """Write columns ``start`` to ``stop`` of some points to the rows of ``out``; from several threads, if one likes.

        ``direct`` reads past the system's cache, where that is possible.
        """
        for row, point in enumerate(points):
            with self._files.opened(point, direct=direct) as snapshot:
                first = 0
                for tensor in self.parameters:
                    a, b = max(start, first), min(stop, first + tensor.size)
                    if a < b:
                        snapshot.read(tensor, a - first, out[row, a - start : b - start])
                    first += tensor.size

    def diverged(self, points: Sequence[int] | None = None) -> list[int]:
        """Return which points, by default of all, have NaN or infinite weights: read one at a time, or told by their sketches."""
        asked = range(self.n_points) if points is None else points
        if not self.has_weights:
            return [point for point in asked if not self.sketch(point).is_finite]
        return [point for point in asked if not np.isfinite(self.block(0, self.n_parameters, [point])).all()]

    def describe(self, point: int) -> str:
        """Return how messages name a point."""
        return self._files.describe(point)


def open_run(path: str | os.PathLike[str], *, is_growing: bool = False) -> Run:
    """Return the run in the folder ``path``.

    Args:
        path: The run's folder.
        is_growing: Whether it may be being written at this moment: then a last line that is not whole yet is no cause to warn.

    Raises:
        InputError: there is no run, or one of a newer format, or a snapshot is missing, cut short, or has other tensors.
    """
    folder = Path(path).absolute()  # the run stays readable when the process changes its folder
    about = read_description(folder)
    manifest = read_manifest(folder / "snapshots.jsonl")
    if manifest.is_torn and not is_growing:
        warnings.warn(
            f"run {folder.name!r}: the last line of its manifest was cut short, so that snapshot is left out; "
            "it had not been acknowledged",
            stacklevel=2,
        )
    ended = manifest.ended == "complete"
    run = Run(folder, about.tensors, about.settings, manifest.lines, ended, about.keep, about.sketch)
    run._files.refuse_unfit()
    return run


def refuse_not_finite(run: Run, points: Sequence[int], block: Points) -> None:
    """Refuse NaN and infinite weights by the name of their point."""
    rows = np.flatnonzero(~np.isfinite(block).all(axis=1))
    if len(rows):
        count = int((~np.isfinite(block[rows[0]])).sum())
        raise InputError(
            not_finite(run.describe(points[int(rows[0])]), count) + ", as atlas does with diverged='skip' (--diverged skip)"
        )
