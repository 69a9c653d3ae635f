"""The files of a run, read: which there are, whether they are what was written, and the tensors in them."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from io import FileIO
from pathlib import Path
from typing import Any

import numpy as np

from lossatlas._arrays import InputError
from lossatlas.sketch import Sketch
from lossatlas.store.direct import DirectFile
from lossatlas.store.durable import checksum
from lossatlas.store.manifest import Description, Mark
from lossatlas.store.sketches import START, read_sketch
from lossatlas.store.snapshot import Places, Snapshot, TensorEntry, layout, mismatch


@dataclass(frozen=True, eq=False)
class Point:
    """A snapshot that is open: its own file, and the first one's where that has tensors which it leaves out."""

    own: Snapshot
    first: Snapshot | None = None

    def holding(self, name: str) -> Snapshot:
        """Return the file that has a tensor."""
        return self.own if self.first is None or name in self.own.layout else self.first

    def values(self, tensor: TensorEntry, start: int, count: int) -> np.ndarray:
        """Return ``count`` values of a flattened tensor from ``start`` on; bfloat16 comes as float32."""
        return self.holding(tensor.name).values(tensor, start, count)

    def raw(self, name: str) -> memoryview:
        """Return the bytes of one tensor as they are in the file."""
        return self.holding(name).raw(name)

    def read(self, tensor: TensorEntry, start: int, out: np.ndarray) -> None:
        """Fill ``out`` with values of a flattened tensor from ``start`` on, as its type."""
        self.holding(tensor.name).read(tensor, start, out)


@dataclass(frozen=True, eq=False)
class Files:
    """What a run's folder holds.

    Attributes:
        folder: Of the run.
        about: What its ``run.json`` says.
        lines: Of its manifest, one a point.
        places: Headers that were read, by file; shared by all that read this run.
        numbers: Of the points in their run, where these are some of them.
    """

    folder: Path
    about: Description
    lines: tuple[Mapping[str, Any], ...]
    places: dict[str, Places]
    numbers: Sequence[int] | None = None

    @property
    def name(self) -> str:
        """Name of the run."""
        return self.folder.name

    @cached_property
    def n_parameters(self) -> int:
        """Number of trained values of a point; added up once, since a sketch is asked for ten thousand times."""
        return self.about.n_parameters

    @property
    def has_weights(self) -> bool:
        """Whether there are weights, and not sketches alone."""
        return self.about.keep != "sketch"

    @property
    def has_sketches(self) -> bool:
        """Whether there are sketches."""
        return self.about.keep != "weights"

    def describe(self, point: int) -> str:
        """Return how messages name a point."""
        number = point if self.numbers is None else self.numbers[point]
        return f"run {self.name!r}, point {number} (step {self.lines[point]['step']})"

    @contextmanager
    def opened(self, point: int, *, direct: bool = False) -> Iterator[Point]:
        """Open a point's weights; ``direct`` reads past the system's cache, where that is possible.

        Raises:
            InputError: the run holds none, or there is no such point, or its file is missing or has another layout.
        """
        self._refuse_absent(point)
        if not self.has_weights:
            raise InputError(
                f"run {self.name!r} holds sketches and no weights, which this needs; record with keep='both' or 'weights'"
            )
        line = self.lines[point]
        with ExitStack() as stack:
            try:
                own = self._snapshot(line["file"], stack, direct=direct)
                made = Point(own, self._snapshot(line["first"], stack, direct=direct) if "first" in line else None)
                self._refuse_other_layout(point, made)
                yield made
            except FileNotFoundError as error:
                missing = Path(error.filename).name if error.filename else line["file"]
                raise InputError(
                    f"{self.describe(point)}: its file {missing} is missing; restore it or remove its line"
                ) from None

    def _snapshot(self, name: str, stack: ExitStack, *, direct: bool) -> Snapshot:
        path = self.folder / "snapshots" / name
        stream = _stream(path, direct=direct)
        stack.callback(stream.close)
        return Snapshot(path, stream, places=self.places.get(name))

    def _refuse_other_layout(self, point: int, opened: Point) -> None:
        line = self.lines[point]
        if line["file"] in self.places:
            return
        held = opened.own.layout if opened.first is None else {**opened.first.layout, **opened.own.layout}
        if difference := mismatch(layout(self.about.tensors), held):
            raise InputError(f"{self.describe(point)}: {difference}; one run has one layout, record the other as its own")
        self.places[line["file"]] = opened.own.places
        if opened.first is not None:
            self.places[line["first"]] = opened.first.places

    def sketch(self, point: int) -> Sketch:
        """Return a point's sketch.

        Raises:
            InputError: the run holds none, or its file is missing or not what was written.
        """
        self._refuse_absent(point)
        return self._sketch(self.lines[point]["file"], self.describe(point), self.lines[point].get("sketch"))

    def start(self) -> Sketch:
        """Return the sketch of the weights that all displacements are counted from.

        Raises:
            InputError: the run holds none, or its file is missing.
        """
        return self._sketch(START, f"run {self.name!r}", None)

    def _sketch(self, name: str, what: str, mark: Mark | None) -> Sketch:
        if self.about.sketch is None:
            raise InputError(f"run {self.name!r} holds weights and no sketches, which this needs; record with keep='both'")
        file = self.folder / "sketches" / name
        try:
            if mark is not None:
                _refuse_changed(file, what, mark)
            return read_sketch(file, self.about.sketch, n_parameters=self.n_parameters)
        except FileNotFoundError:
            raise InputError(f"{what}: its sketch {name} is missing; restore it or remove its line") from None

    def refuse_damaged(self, point: int) -> None:
        """Read a point's files whole, and compare them with their checksums; runs of older versions have none.

        Raises:
            InputError: a file is not what was written.
        """
        self._refuse_absent(point)
        line, what = self.lines[point], self.describe(point)
        if not self.has_weights:
            self.sketch(point)
            return
        with self.opened(point):
            first = next((other for other in self.lines if other["file"] == line.get("first")), None)
            for marked in (line, first):
                if marked is not None and "crc32" in marked:
                    mark = Mark(bytes=marked["bytes"], crc32=marked["crc32"])
                    _refuse_changed(self.folder / "snapshots" / marked["file"], what, mark)

    def refuse_unfit(self, *, is_whole: bool = True) -> None:
        """Look that every file is there and whole: by its size where the manifest has it, else by its header.

        Args:
            is_whole: Whether the lines are all of the run, from its first on, whose header is read; else only what they name is
                looked at.

        Raises:
            InputError: one is missing or cut short.
        """
        if self.has_weights:
            self._refuse_unfit_weights(is_whole=is_whole)
        if not self.has_sketches:
            return
        sizes = self._sizes("sketches", is_whole=is_whole)
        for point, line in enumerate(self.lines):
            found = sizes.get(line["file"])
            if found != line["sketch"]["bytes"]:
                is_what = "is missing" if found is None else "is cut short"
                raise InputError(f"{self.describe(point)}: its sketch {line['file']} {is_what}; restore it or remove its line")

    def _refuse_unfit_weights(self, *, is_whole: bool) -> None:
        sizes = self._sizes("snapshots", is_whole=is_whole)
        for point, line in enumerate(self.lines):
            if (point or not is_whole) and sizes.get(line["file"]) == line.get("bytes", -1):
                continue  # its header is read when the file is
            with self.opened(point) as opened:
                has_all = opened.own.is_whole and (opened.first is None or opened.first.is_whole)
            if not has_all:
                raise InputError(f"{self.describe(point)}: its file is cut short; restore it or remove its line")

    def _sizes(self, folder: str, *, is_whole: bool) -> dict[str, int]:
        return _sizes(self.folder / folder, None if is_whole else [line["file"] for line in self.lines])

    def _refuse_absent(self, point: int) -> None:
        if not -len(self.lines) <= point < len(self.lines):
            raise InputError(f"run {self.name!r} has {len(self.lines)} points, but point {point} was asked for; name one of them")


def _refuse_changed(file: Path, what: str, mark: Mark) -> None:
    found = checksum(file)
    if found != mark["crc32"]:
        raise InputError(
            f"{what}: its file {file.name} is not what was written (checksum {found}, not {mark['crc32']}); "
            "restore it or remove its line"
        )


def _sizes(folder: Path, names: Sequence[str] | None) -> dict[str, int]:
    """Return the size of each file, or of those of these names; a link that leads nowhere has none."""
    sizes = {}
    if names is not None:
        for name in names:
            with suppress(FileNotFoundError):
                sizes[name] = (folder / name).stat().st_size
        return sizes
    if not folder.is_dir():
        return {}
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
