"""A run, written: each snapshot is whole on disk before anyone can see it."""

import json
import os
import shutil
from collections.abc import Collection, Mapping, Sequence
from io import FileIO
from pathlib import Path
from typing import Any, Literal, get_args

import filelock

from lossatlas._arrays import InputError
from lossatlas.sketch import Sketch
from lossatlas.store.durable import Counted, checksum, unwritable, write_durably
from lossatlas.store.manifest import Description, Keep, Mark, description_text, drop_line, end_line, snapshot_line, whole_lines
from lossatlas.store.run import Run, open_run
from lossatlas.store.sketches import START, sketch_tensors
from lossatlas.store.snapshot import Snapshot, TensorEntry, Tensors, chunks, layout, mismatch

IfExists = Literal["refuse", "append", "replace"]


def refuse_taken(path: Path, *, if_exists: IfExists = "refuse") -> None:
    """Refuse a folder that another run or other files have, before the work whose points it should hold.

    Raises:
        InputError: it is taken.
    """
    exists = (path / "run.json").exists()
    if exists and if_exists == "refuse":
        raise InputError(f"{str(path)!r} holds a run already; choose another path, or if_exists='append' or 'replace'")
    if not exists and path.is_dir() and not _is_leftover(path):
        raise InputError(f"{str(path)!r} is a folder with other files in it; choose another path for the run")


class RunWriter:
    """Append snapshots to a run folder; a context manager that holds the folder's lock.

    Args:
        path: The run's folder, made if it is not there.
        tensors: What every snapshot will hold.
        settings: What makes the run; plain values, stored with it.
        if_exists: Whether a run that is there already is refused, appended to, or replaced.
        keep: Whether each point has its weights, a sketch of them, or both.
        start: Where there are sketches: that of the weights which displacements are counted from, about zero.

    Raises:
        InputError: the folder cannot be written, holds a run already, holds other tensors, or another writer has it.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        tensors: Sequence[TensorEntry],
        *,
        settings: Mapping[str, Any] | None = None,
        if_exists: IfExists = "refuse",
        keep: Keep = "weights",
        start: Sketch | None = None,
    ) -> None:
        if if_exists not in get_args(IfExists):
            raise InputError(f"if_exists must be one of {', '.join(get_args(IfExists))}, but is {if_exists!r}; choose one")
        self.path = Path(path).absolute()  # the loop may change its folder
        self.tensors = tuple(tensors)
        self._keep, self._start = keep, start
        self._files: list[str] = []  # of the points, in their order
        self._sizes: list[int] = []
        self._is_shared = False  # whether some leave out what the first one has
        self._number = 0  # of the next file: never that of one that was dropped
        self.last_step = 0
        try:
            self._open(if_exists, dict(settings or {}))
        except OSError as error:
            raise unwritable(self.path, error) from error

    def _open(self, if_exists: IfExists, settings: Mapping[str, Any]) -> None:
        refuse_taken(self.path, if_exists=if_exists)
        self.path.mkdir(parents=True, exist_ok=True)
        self._lock = filelock.FileLock(self.path / ".lock")
        try:
            self._lock.acquire(timeout=0)
        except filelock.Timeout:
            raise InputError(
                f"another writer holds the run {str(self.path)!r}; choose another path, or wait until it has ended"
            ) from None
        try:
            # Again, now that nobody else can write: another writer may have come and gone in between.
            refuse_taken(self.path, if_exists=if_exists)
            if if_exists == "append" and (self.path / "run.json").exists():
                self._continue(settings)
            else:
                self._begin(settings)
            self._lines = (self.path / "snapshots.jsonl").open("ab", buffering=0)
        except BaseException:
            self._lock.release()
            raise

    def _begin(self, settings: Mapping[str, Any]) -> None:
        sketch = None if self._start is None else {"k": len(self._start.values), "seed": self._start.seed}
        # May refuse the settings: before the old run is gone.
        text = description_text(Description(self.tensors, settings, self._keep, sketch))
        # In this order no reader sees the description of one run beside the lines of another, and what a death in between
        # leaves is an empty run or a leftover.
        for name in ("snapshots.jsonl", "run.json"):
            (self.path / name).unlink(missing_ok=True)
        for name, is_kept in (("snapshots", self._keep != "sketch"), ("sketches", self._start is not None)):
            shutil.rmtree(self.path / name, ignore_errors=True)
            if is_kept:
                (self.path / name).mkdir()
        if self._start is not None:
            write_durably(self.path / "sketches" / START, chunks(sketch_tensors(self._start, dtype="F64")))
        write_durably(self.path / "run.json", [text])

    def _continue(self, settings: Mapping[str, Any]) -> None:
        run = open_run(self.path)
        if not run.n_points:  # its writer died before the first: the start that it wrote is not that of this one
            self._begin(settings)
            return
        if run.tensors != self.tensors:
            what = mismatch(layout(run.tensors), layout(self.tensors)) or "the order of its tensors differs"
            raise InputError(f"the run {str(self.path)!r} holds another model ({what}); choose another path")
        self._refuse_other_keep(run)
        self._files = [str(line["file"]) for line in run.lines]
        self._sizes = [
            sum(file.stat().st_size for kind in ("snapshots", "sketches") if (file := self.path / kind / name).exists())
            for name in self._files
        ]
        self._is_shared = any("first" in line for line in run.lines)
        self._number = 1 + max((int(Path(name).stem) for name in self._numbered()), default=-1)
        self.last_step = int(run.steps[-1])
        # Of this version from now on: its lines may say what older ones do not read.
        about = Description(run.tensors, run.settings, run.keep, run.sketch_settings)
        write_durably(self.path / "run.json", [description_text(about)])
        write_durably(self.path / "snapshots.jsonl", list(whole_lines(self.path / "snapshots.jsonl")))

    def _refuse_other_keep(self, run: Run) -> None:
        if run.keep != self._keep:
            raise InputError(f"the run {str(self.path)!r} was recorded with keep={run.keep!r}, not {self._keep!r}; pass the same")
        if self._keep == "sketch":
            raise InputError(
                f"the run {str(self.path)!r} has sketches alone, and the weights they are counted from are not on disk; "
                "go on in another folder, and map both"
            )

    def append(
        self,
        tensors: Tensors,
        *,
        step: int,
        metrics: Mapping[str, float],
        sketch: Sketch | None = None,
        left_out: Collection[str] = (),
    ) -> None:
        """Store one snapshot; it is on disk when this returns.

        Args:
            tensors: The weights; looked at, and not written, where the run keeps sketches alone.
            step: Of the training loop.
            metrics: Measured there.
            sketch: Of the weights, where the run keeps one.
            left_out: Names of tensors that are the first point's to the last bit: they are not written again.

        Raises:
            InputError: the tensors are not those that the run was opened with, or the disk refuses.
        """
        self.refuse_other(tensors, point=self.n_points, left_out=left_out)
        file = f"{self._number:06d}.safetensors"
        marks: dict[str, Mark] = {}
        try:
            if self._keep != "sketch":
                own = {name: tensor for name, tensor in tensors.items() if name not in left_out}
                marks["snapshots"] = self._write(self.path / "snapshots" / file, own)
            if sketch is not None:
                marks["sketches"] = self._write(self.path / "sketches" / file, sketch_tensors(sketch))
            self._enter(file, step, metrics, marks, first=self._files[0] if left_out and self._keep != "sketch" else None)
        except OSError as error:
            raise unwritable(self.path, error) from error

    @staticmethod
    def _write(file: Path, tensors: Tensors) -> Mark:
        written = Counted(chunks(tensors))
        write_durably(file, written)
        return written.mark

    def _enter(
        self, file: str, step: int, metrics: Mapping[str, float], marks: Mapping[str, Mark], *, first: str | None = None
    ) -> None:
        weights, sketch = marks.get("snapshots"), marks.get("sketches")
        self._write_line(snapshot_line(self._number, step, file, metrics, weights=weights, sketch=sketch, first=first))
        self._files.append(file)
        self._sizes.append(sum(mark["bytes"] for mark in marks.values()))
        self._number += 1
        self._is_shared = self._is_shared or first is not None
        self.last_step = step

    def drop(self, points: Sequence[int]) -> None:
        """Take points out of the run, by their places in it; the line that says so is on disk before their files go.

        Raises:
            InputError: the disk refuses.
        """
        gone = set(points)
        if 0 in gone and self._is_shared:
            raise InputError(f"the first point of run {self.path.name!r} has tensors that others leave out; keep it")
        files = [self._files[point] for point in sorted(gone)]
        if not files:
            return
        self._write_line(drop_line(files))
        kept = [place for place in range(len(self._files)) if place not in gone]
        self._files, self._sizes = [self._files[place] for place in kept], [self._sizes[place] for place in kept]
        for file in files:
            for kind in ("snapshots", "sketches"):
                (self.path / kind / file).unlink(missing_ok=True)

    @property
    def n_points(self) -> int:
        """Points of the run."""
        return len(self._files)

    @property
    def n_bytes(self) -> int:
        """Bytes of their files."""
        return sum(self._sizes)

    def _numbered(self) -> list[str]:
        """Return the names of all files that there are or were."""
        lines = [json.loads(line) for line in whole_lines(self.path / "snapshots.jsonl")]
        return [line["file"] for line in lines if "file" in line]

    def link(self, file: Path, *, step: int, metrics: Mapping[str, float]) -> None:
        """Take a safetensors file that lies elsewhere as the next snapshot: a link to it, no copy.

        Raises:
            InputError: it holds other tensors than the run was opened with, or the disk refuses.
        """
        with FileIO(file) as stream:
            difference = mismatch(layout(self.tensors), Snapshot(file, stream).layout)
        if difference:
            raise InputError(f"snapshot {self.n_points} of run {self.path.name!r}: {difference}; record it as a run of its own")
        name = f"{self._number:06d}.safetensors"
        try:
            mark: Mark = {"bytes": file.stat().st_size, "crc32": checksum(file)}
            place = self.path / "snapshots" / name
            place.unlink(missing_ok=True)  # what a death left before its line was written
            place.symlink_to(file.absolute())
            self._enter(name, step, metrics, {"snapshots": mark})
        except OSError as error:
            raise unwritable(self.path, error) from error

    def refuse_other(self, tensors: Tensors, *, point: int, left_out: Collection[str] = ()) -> None:
        """Refuse tensors that are not those that the run was opened with, by the number that their snapshot would have."""
        if self._keep == "sketch":
            return  # their places were compared when they were sketched
        expected = {name: kind for name, kind in layout(self.tensors).items() if name in tensors or name not in left_out}
        if difference := mismatch(expected, layout(tensors)):
            raise InputError(f"snapshot {point} of run {self.path.name!r}: {difference}; record it as a run of its own")

    def end(self, reason: str) -> None:
        """Note why the run has ended: ``"complete"``, or the name of what stopped it.

        Raises:
            InputError: the disk refuses.
        """
        self._write_line(end_line(reason))

    def close(self) -> None:
        """Let go of the folder."""
        self._lines.close()
        self._lock.release()

    def _write_line(self, line: bytes) -> None:
        size = os.fstat(self._lines.fileno()).st_size
        rest = memoryview(line)
        try:
            while rest:  # a full disk takes part of a line, and refuses the rest
                rest = rest[self._lines.write(rest) :]
            os.fsync(self._lines.fileno())
        except OSError as error:
            self._lines.truncate(size)  # leave none of a line that was not acknowledged
            raise unwritable(self.path, error) from error

    def __enter__(self) -> "RunWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _is_leftover(folder: Path) -> bool:
    """Whether a folder is empty or holds only what a writer leaves when it dies before its run.json is in place."""
    return {entry.name for entry in folder.iterdir()} <= {".lock", "snapshots", "sketches", "run.json.part"}
