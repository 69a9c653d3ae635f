"""The two text files of a run: its description, and the manifest whose lines make snapshots exist."""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypedDict

from lossatlas._arrays import InputError
from lossatlas.store.snapshot import TensorEntry

FORMAT = "lossatlas-run"
VERSION = 2  # 1 had no sketches and no snapshots that leave out what the first one has; at its beginning no checksums either
_READ = (1, 2)
_NAME = re.compile(r"[\w-][\w.-]*")


Keep = Literal["weights", "sketch", "both"]


class Mark(TypedDict):
    """What the manifest says of a file."""

    bytes: int
    crc32: str  # eight hexadecimal digits


class Description(NamedTuple):
    """What ``run.json`` says of a run."""

    tensors: tuple[TensorEntry, ...]
    settings: Mapping[str, Any]
    keep: Keep = "weights"
    sketch: Mapping[str, int] | None = None  # "k" and "seed", where there are sketches

    @property
    def parameters(self) -> tuple[TensorEntry, ...]:
        """The trained tensors, in their order."""
        return tuple(tensor for tensor in self.tensors if tensor.kind == "parameter")

    @property
    def n_parameters(self) -> int:
        """How many values they have."""
        return sum(tensor.size for tensor in self.parameters)


class Manifest(NamedTuple):
    """The lines of a run that can be trusted."""

    lines: tuple[Mapping[str, Any], ...]
    ended: str | None  # why the run ended, if it says so
    is_torn: bool  # whether the last line was cut short
    n_lines: int  # of the file: snapshots, and what else it says
    n_bytes: int  # up to the end of the last whole one
    has_dropped: bool  # whether snapshots were taken out


def description_text(about: Description) -> bytes:
    """Return the text of ``run.json``.

    Raises:
        InputError: the settings are not plain values.
    """
    sketch = {} if about.sketch is None else {"sketch": about.sketch}
    fields = {
        "format": FORMAT,
        "version": VERSION,
        "keep": about.keep,
        **sketch,
        "settings": about.settings,
        "tensors": [tensor._asdict() for tensor in about.tensors],
    }
    try:
        return json.dumps(fields, indent=1).encode()
    except (TypeError, ValueError) as error:
        raise InputError(
            f"the settings of a run must be plain values ({error}); pass numbers, text, lists or dictionaries"
        ) from None


def read_description(folder: Path) -> Description:
    """Return what describes the run in ``folder``.

    Raises:
        InputError: there is no run, or one that this version cannot read.
    """
    try:
        fields = json.loads((folder / "run.json").read_text())
    except (FileNotFoundError, NotADirectoryError):
        what = "is not there" if not folder.exists() else "has no run.json" if folder.is_dir() else "is no folder"
        raise InputError(f"{str(folder)!r} is not a run: it {what}; record one with lossatlas.Recorder") from None
    except (OSError, ValueError) as error:
        raise InputError(f"'{folder / 'run.json'}' cannot be read ({error}); restore it or record the run again") from None
    if not isinstance(fields, dict) or fields.get("format") != FORMAT:
        raise InputError(f"{str(folder)!r} is not a run: its run.json was written by something else; name a run folder")
    if fields.get("version") not in _READ:
        versions = " and ".join(map(str, _READ))
        raise InputError(
            f"the run {str(folder)!r} has format {fields.get('version')}, and this lossatlas reads {versions}; update lossatlas"
        )
    try:
        tensors = tuple(TensorEntry(t["name"], tuple(t["shape"]), t["dtype"], t["kind"]) for t in fields["tensors"])
        keep = fields.get("keep", "weights")
        sketch = None if keep == "weights" else {name: int(fields["sketch"][name]) for name in ("k", "seed")}
        return Description(_one_of_all(tensors), fields["settings"], keep, sketch)
    except (KeyError, TypeError):
        raise InputError(f"'{folder / 'run.json'}' is damaged; restore it or record the run again") from None


@lru_cache(maxsize=16)
def _one_of_all(tensors: tuple[TensorEntry, ...]) -> tuple[TensorEntry, ...]:
    """Return the tensors of the first run that has the same: ten thousand runs of one model hold them once."""
    return tensors


def read_manifest(file: Path, *, after: int = 0, line: int = 0) -> Manifest:
    """Return the lines of ``snapshots.jsonl`` that were written whole; those after so many bytes, which are so many lines."""
    lines: list[Mapping[str, Any]] = []
    ended: str | None = None
    size, n_lines, has_dropped = after, 0, False
    for raw in whole_lines(file, after=after, line=line):
        size += len(raw)
        n_lines += 1
        said = json.loads(raw)
        ended = said.get("end")
        if "dropped" in said:
            has_dropped = True
            gone = set(said["dropped"])
            lines = [kept for kept in lines if kept["file"] not in gone]
        elif ended is None:
            lines.append(said)
    is_torn = file.exists() and file.stat().st_size > size
    return Manifest(tuple(lines), ended, is_torn, n_lines, size, has_dropped)


def whole_lines(file: Path, *, after: int = 0, line: int = 0) -> Iterator[bytes]:
    """Yield the lines up to one that was cut short by the death of its writer, which can only be the last."""
    for number, raw in enumerate(_raw_lines(file, after), start=line + 1):
        try:
            said = json.loads(raw)
            is_line = isinstance(said, dict) and ("end" in said or isinstance(said.get("dropped"), list) or _is_snapshot(said))
        except ValueError:
            is_line = False
        if not raw.endswith(b"\n"):
            return
        if not is_line:
            raise InputError(f"line {number} of {str(file)!r} is damaged; restore it, or cut the file before that line")
        yield raw


def _raw_lines(file: Path, after: int) -> list[bytes]:
    if not file.exists():
        return []
    with file.open("rb") as stream:
        stream.seek(after)
        return stream.read().splitlines(keepends=True)


def _is_snapshot(line: Mapping[str, Any]) -> bool:
    # A name that is a path would lead out of the run.
    names = [str(line[name]) for name in ("file", "first") if name in line]
    return line.keys() >= {"step", "file", "metrics"} and all(_NAME.fullmatch(name) for name in names)


def snapshot_line(
    point: int,
    step: int,
    file: str,
    metrics: Mapping[str, float],
    *,
    weights: Mark | None,
    sketch: Mark | None = None,
    first: str | None = None,
) -> bytes:
    """Return the line that makes a snapshot exist, with the sizes and checksums of its files.

    ``first`` is the file that has the tensors which this one leaves out.
    """
    # JSON has no NaN: a value that is not finite is written as a word, which float() reads back.
    plain = {name: value if math.isfinite(value) else str(value) for name, value in metrics.items()}
    line = {
        "point": point,
        "step": step,
        "file": file,
        **(weights or {}),
        **({"first": first} if first else {}),
        **({"sketch": sketch} if sketch else {}),
        "metrics": plain,
    }
    return json.dumps(line, allow_nan=False).encode() + b"\n"


def drop_line(files: Sequence[str]) -> bytes:
    """Return the line after which snapshots exist no more."""
    return json.dumps({"dropped": list(files)}).encode() + b"\n"


def end_line(reason: str) -> bytes:
    """Return the line that says why a run ended; further snapshots may follow it."""
    return json.dumps({"end": reason}).encode() + b"\n"
