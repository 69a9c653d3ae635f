"""All small comparisons as one site; what is up to date by its settings is not made again."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lossatlas._arrays import InputError
from lossatlas.draw import json_text
from lossatlas.experiments import EXPERIMENTS, experiment
from lossatlas.experiments.comparison import Preset
from lossatlas.experiments.pages import page
from lossatlas.experiments.report import refuse_unwritable_folder, write_report
from lossatlas.sample.jump.cost import spoken
from lossatlas.store import write_durably

_MADE = "made.json"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A comparison of the gallery: its folder's name, and what its summary says."""

    name: str
    summary: Mapping[str, Any]


def presets() -> dict[str, Preset]:
    """Return the comparisons that have a place in the gallery, in the order in which they are told."""
    found = {name: experiment(name) for name in EXPERIMENTS}
    return {name: preset for name, preset in found.items() if isinstance(preset, Preset)}


def make_gallery(
    folder: Path,
    names: Sequence[str] = (),
    *,
    executor: Executor | None = None,
    progress: Callable[[str, int, int, str], None] | None = None,
) -> Path:
    """Run the comparisons that are not up to date, write the site, and return its first page.

    Args:
        folder: Of the site; a folder in it for each comparison, with its runs.
        names: Which ones are made; by default all. The site shows every one that ``folder`` holds.
        executor: Processes, such as :class:`lossatlas.sample.LocalPool`.
        progress: Called with a comparison's name, the pieces of its work that are done and in all, and what is being done.

    Raises:
        InputError: there is no such comparison, or ``folder`` cannot be written.
    """
    known = presets()
    if unknown := [name for name in names if name not in known]:
        raise InputError(f"the gallery has {', '.join(known)}, but {unknown[0]!r} was asked for; choose one of them")
    refuse_unwritable_folder(folder)
    report = progress or (lambda _name, _done, _of, _what: None)
    for name in names or known:
        preset, own = known[name], folder / name
        settings = preset.default_settings()
        n_units = preset.n_units(settings)
        if is_up_to_date(own, preset.key(settings)):
            report(name, n_units, n_units, "up to date")
            continue

        def told(done: int, what: str, name: str = name, n_units: int = n_units) -> None:
            report(name, done, n_units, what)

        made = preset.run(own, settings, executor=executor, progress=told, stale="replace")
        written = write_report(replace(made, home="../index.html"), own)
        _sign(own, preset.key(settings), written)
        _write_front(folder, known)  # after each: whoever stops here has a site
    return _write_front(folder, known)


def is_up_to_date(folder: Path, key: str) -> bool:
    """Whether a comparison of these settings is there, every file of it as it was written."""
    path = folder / _MADE
    if not path.exists():
        return False
    made = json.loads(path.read_text())
    return made["key"] == key and all(_digest(folder / name) == digest for name, digest in made["files"].items())


def entries(folder: Path, names: Sequence[str]) -> list[Entry]:
    """Return what the folder of a gallery holds, in the order of ``names``."""
    return [
        Entry(name=name, summary=json.loads((folder / name / "summary.json").read_text()))
        for name in names
        if (folder / name / _MADE).exists()
    ]


def _sign(folder: Path, key: str, written: Sequence[Path]) -> None:
    files = {path.name: _digest(path) for path in written}
    write_durably(folder / _MADE, [json_text({"key": key, "files": files}).encode()])


def _digest(path: Path) -> str | None:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else None


def _write_front(folder: Path, known: Mapping[str, Preset]) -> Path:
    found = entries(folder, list(known))
    front = folder / "index.html"
    shown = [
        {
            "name": entry.name,
            "title": entry.summary["settings"]["title"],
            "question": entry.summary["settings"]["question"],
            "finding": entry.summary["conclusions"][0],
            "claims": entry.summary["claims"],
            "took": spoken(entry.summary["seconds"]),
        }
        for entry in found
    ]
    missing = [name for name in known if name not in {entry.name for entry in found}]
    write_durably(front, [page("gallery.html", title="What maps of training show", entries=shown, missing=missing).encode()])
    return front
