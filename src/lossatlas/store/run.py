"""A run, read."""

import math
import os
import warnings
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from io import FileIO
from pathlib import Path
from typing import Any

import numpy as np

from lossatlas._arrays import InputError, Points, not_finite
from lossatlas.store.direct import DirectFile
from lossatlas.store.manifest import read_description, read_manifest
from lossatlas.store.snapshot import LazyTensor, Places, Snapshot, TensorEntry, layout, mismatch

_PIECE = 1 << 20  # bytes that are read at once for a checksum


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
    _places: dict[str, Places] = field(default_factory=dict, repr=False)  # of each file that was opened, read once

    @property
    def name(self) -> str:
        """Name of the run: its folder's."""
        return self.path.name

    @property
    def n_points(self) -> int:
        """Number of snapshots."""
        return len(self.lines)

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
        with self._opened(point) as snapshot:
            return {t.name: snapshot.values(t, 0, t.size).reshape(t.shape) for t in self.tensors}

    def lazy(self, point: int) -> dict[str, LazyTensor]:
        """Return one point's tensors as they were stored, each read when it is asked for."""
        return {t.name: LazyTensor(t.dtype, t.shape, partial(self._raw, point, t.name)) for t in self.tensors}

    def _raw(self, point: int, name: str) -> memoryview:
        with self._opened(point) as snapshot:
            return snapshot.raw(name)

    def refuse_damaged(self, point: int) -> None:
        """Read a point's file whole, and compare it with its checksum; runs of older versions have none.

        Raises:
            InputError: the file is not what was written.
        """
        with self._opened(point):
            line = self.lines[point]
            if "crc32" not in line:
                return
            found = 0
            with (self.path / "snapshots" / line["file"]).open("rb") as stream:
                while piece := stream.read(_PIECE):
                    found = zlib.crc32(piece, found)
        if f"{found:08x}" != line["crc32"]:
            raise InputError(
                f"{self.describe(point)}: its file {line['file']} is not what was written (checksum {found:08x}, "
                f"not {line['crc32']}); restore it or remove its line"
            )

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
            with self._opened(point, direct=direct) as snapshot:
                first = 0
                for tensor in self.parameters:
                    a, b = max(start, first), min(stop, first + tensor.size)
                    if a < b:
                        snapshot.read(tensor, a - first, out[row, a - start : b - start])
                    first += tensor.size

    def diverged(self) -> list[int]:
        """Return the points with NaN or infinite weights, read one at a time."""
        return [point for point in range(self.n_points) if not np.isfinite(self.block(0, self.n_parameters, [point])).all()]

    def describe(self, point: int) -> str:
        """Return how messages name a point."""
        return f"run {self.name!r}, point {point} (step {self.lines[point]['step']})"

    @contextmanager
    def _opened(self, point: int, *, direct: bool = False) -> Iterator[Snapshot]:
        if not -self.n_points <= point < self.n_points:
            raise InputError(f"run {self.name!r} has {self.n_points} points, but point {point} was asked for; name one of them")
        file = self.path / "snapshots" / self.lines[point]["file"]
        try:
            with _stream(file, direct=direct) as stream:
                yield self._read_header(point, file, stream)
        except FileNotFoundError:
            raise InputError(f"{self.describe(point)}: its file {file.name} is missing; restore it or remove its line") from None

    def _read_header(self, point: int, file: Path, stream: FileIO | DirectFile) -> Snapshot:
        known = self._places.get(file.name)
        snapshot = Snapshot(file, stream, places=known)
        if known is None:
            if difference := mismatch(layout(self.tensors), snapshot.layout):
                raise InputError(f"{self.describe(point)}: {difference}; one run has one layout, record the other as its own")
            self._places[file.name] = snapshot.places
        return snapshot

    def _refuse_unfit_files(self) -> None:
        """Look that every file is there and whole: by its size where the manifest has it, else by its header."""
        folder = self.path / "snapshots"
        sizes = _sizes(folder)
        for point, line in enumerate(self.lines):
            if point and "bytes" in line and sizes.get(line["file"]) == line["bytes"]:
                continue  # its header is read when the file is
            with self._opened(point) as snapshot:
                is_whole = snapshot.is_whole
            if not is_whole:
                raise InputError(f"{self.describe(point)}: its file is cut short; restore it or remove its line")


def _sizes(folder: Path) -> dict[str, int]:
    """Return the size of each file; a link that leads nowhere has none."""
    if not folder.is_dir():
        return {}
    sizes = {}
    with os.scandir(folder) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):
                sizes[entry.name] = entry.stat().st_size
    return sizes


def _stream(file: Path, *, direct: bool) -> FileIO | DirectFile:
    if direct:
        with suppress(OSError):  # then by the cache
            return DirectFile(file)
    return FileIO(file)


def open_run(path: str | os.PathLike[str]) -> Run:
    """Return the run in the folder ``path``.

    Raises:
        InputError: there is no run, or one of a newer format, or a snapshot is missing, cut short, or has other tensors.
    """
    folder = Path(path).absolute()  # the run stays readable when the process changes its folder
    tensors, settings = read_description(folder)
    manifest = read_manifest(folder / "snapshots.jsonl")
    if manifest.is_torn:
        warnings.warn(
            f"run {folder.name!r}: the last line of its manifest was cut short, so that snapshot is left out; "
            "it had not been acknowledged",
            stacklevel=2,
        )
    run = Run(folder, tensors, settings, manifest.lines, manifest.ended == "complete")
    run._refuse_unfit_files()
    return run


def refuse_not_finite(run: Run, points: Sequence[int], block: Points) -> None:
    """Refuse NaN and infinite weights by the name of their point."""
    rows = np.flatnonzero(~np.isfinite(block).all(axis=1))
    if len(rows):
        count = int((~np.isfinite(block[rows[0]])).sum())
        raise InputError(
            not_finite(run.describe(points[int(rows[0])]), count) + ", as atlas does with diverged='skip' (--diverged skip)"
        )
