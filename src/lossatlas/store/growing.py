"""A run that may be being written, looked at again and again: what was appended is read, and what is not wanted forgotten."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lossatlas._arrays import InputError
from lossatlas.store.files import Files
from lossatlas.store.manifest import Description, read_description, read_manifest
from lossatlas.store.run import Run

_Stamp = tuple[int, int, int]


@dataclass(frozen=True, eq=False)
class _Read:
    """What has been read of a manifest."""

    lines: dict[int, Mapping[str, Any]] = field(default_factory=dict)  # of the points that are not forgotten
    n_points: int = 0
    n_lines: int = 0
    n_bytes: int = 0
    ended: str | None = None


class GrowingRun:
    """The run in a folder, as long as it grows.

    Memory is that of the points that were kept, and a look costs what came since the last one, whatever the length of the
    run. Only where its writer took points out is the manifest read from its beginning.

    Args:
        folder: Of the run, absolute.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._about: Description | None = None
        self._stamps: tuple[_Stamp | None, _Stamp | None] = (None, None)
        self._read = _Read()

    @property
    def n_points(self) -> int:
        """How many points the run had at the last look, those that are forgotten included."""
        return self._read.n_points

    def look(self) -> bool:
        """Read what has come since the last look; return whether anything has.

        Raises:
            InputError: there is no run, or not all that its manifest names. What was known stays; the next look tries again.
        """
        stamps = _stamp(self.folder / "run.json"), _stamp(self.folder / "snapshots.jsonl")
        if self._about is not None and stamps == self._stamps:
            return False
        is_same = self._about is not None and stamps[0] == self._stamps[0] and _is_longer(self._stamps[1], stamps[1])
        about = self._about if is_same and self._about else read_description(self.folder)
        self._read = self._read_on(about, self._read if is_same else _Read())
        self._about, self._stamps = about, stamps
        return True

    def _read_on(self, about: Description, before: _Read) -> _Read:
        file = self.folder / "snapshots.jsonl"
        more = read_manifest(file, after=before.n_bytes, line=before.n_lines)
        if more.has_dropped and before.n_lines:  # points have other numbers from here on
            before = _Read()
            more = read_manifest(file)
        numbers = range(before.n_points, before.n_points + len(more.lines))
        Files(self.folder, about, more.lines, {}, numbers).refuse_unfit(is_whole=before.n_points == 0)
        return _Read(
            lines=before.lines | dict(zip(numbers, more.lines, strict=True)),
            n_points=before.n_points + len(more.lines),
            n_lines=before.n_lines + more.n_lines,
            n_bytes=more.n_bytes,
            ended=more.ended if more.n_lines else before.ended,
        )

    def run(self, points: Sequence[int]) -> Run:
        """Return these points as a run of their own; where some were forgotten all is read again.

        Raises:
            InputError: the run cannot be read any more.
        """
        about = self._about or read_description(self.folder)
        if not self._has(points):
            self._read = self._read_on(about, _Read())
        if not self._has(points):
            raise InputError(f"run {self.folder.name!r}: points were taken out while it was read; look again")
        lines = tuple(self._read.lines[point] for point in points)
        is_complete = self._read.ended == "complete"
        return Run(self.folder, about.tensors, about.settings, lines, is_complete, about.keep, about.sketch, tuple(points))

    def _has(self, points: Sequence[int]) -> bool:
        return self._read.lines.keys() >= set(points)

    def forget_all_but(self, points: Iterable[int]) -> None:
        """Let go of what is known of other points."""
        kept = set(points)
        for point in self._read.lines.keys() - kept:
            del self._read.lines[point]


def _stamp(file: Path) -> _Stamp | None:
    """What changes when a file does."""
    try:
        state = file.stat()
    except OSError:
        return None
    return state.st_ino, state.st_size, state.st_mtime_ns


def _is_longer(before: _Stamp | None, now: _Stamp | None) -> bool:
    return before is None or (now is not None and before[0] == now[0] and before[1] <= now[1])
