"""Find runs by path, folder and pattern."""

import os
import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from lossatlas._arrays import InputError
from lossatlas.store.run import Run, open_run


def open_runs(paths: str | os.PathLike[str] | Run | Iterable[str | os.PathLike[str] | Run]) -> list[Run]:
    """Return the runs at ``paths``: runs, folders with runs below them, or patterns such as ``"runs/*"``.

    Runs are sorted as people count: ``run2`` before ``run10``. What is no run inside a folder or pattern is passed over.

    Raises:
        InputError: a path or pattern leads to no run.
    """
    if isinstance(paths, (str, os.PathLike, Run)):
        paths = [paths]
    runs: list[Run] = []
    for path in paths:
        runs.extend([path] if isinstance(path, Run) else _opened(Path(path)))
    # A run that is named twice, by itself and by its folder, say, has its points on the map once.
    runs = list({run.path.resolve(): run for run in runs}.values())
    if not runs:
        raise InputError("no run was given; name at least one run folder")
    return runs


def run_folders(paths: Iterable[str | os.PathLike[str]]) -> list[Path]:
    """Return the folders of the runs that are at ``paths`` now, in the order of :func:`open_runs`; none is no error."""
    folders: list[Path] = []
    for path in map(Path, paths):
        matches = [path] if path.exists() else _matches(path)
        folders.extend(sorted({run for match in matches for run in _runs_below(match)}, key=natural))
    return list({folder.resolve(): folder for folder in folders}.values())


def named_point(name: str) -> tuple[Run, int]:
    """Return the run and the point that ``RUN`` or ``RUN@STEP`` names: its last, or the one recorded at that step.

    Raises:
        InputError: there is no such run, or no point at that step.
    """
    where, at, step = name.rpartition("@")
    if not at or Path(name).exists():
        run = open_run(name)
        if not run.n_points:
            raise InputError(f"run {run.name!r} holds no point yet; name another")
        return run, run.n_points - 1
    run = open_run(where)
    if not step.isdecimal():
        raise InputError(f"{name!r}: a point is RUN@STEP with a whole number, but {step!r} came; name a step")
    found = np.flatnonzero(run.steps == int(step))
    if not len(found):
        nearest = sorted({int(s) for s in run.steps}, key=lambda s: abs(s - int(step)))[:2]
        near = " and ".join(map(str, sorted(nearest))) or "none"
        raise InputError(f"run {run.name!r} has no point at step {step}; the nearest recorded are {near}")
    return run, int(found[-1])


def _opened(path: Path) -> list[Run]:
    if path.exists() or not any(sign in str(path) for sign in "*?["):
        # With nothing below it, opening the path itself says what is wrong with it.
        return [open_run(folder) for folder in _runs_below(path) or [path]]
    folders = [run for match in _matches(path) for run in _runs_below(match)]
    if not folders:
        raise InputError(f"no run matches {str(path)!r}; record one with lossatlas.Recorder, or check the pattern")
    return [open_run(folder) for folder in sorted(set(folders), key=natural)]


def _matches(pattern: Path) -> Iterable[Path]:
    root = Path(pattern.anchor)
    try:
        return list(root.glob(str(pattern.relative_to(root))))
    except ValueError as error:
        raise InputError(f"{str(pattern)!r} is no pattern ({error}); write ** between slashes, as in 'runs/**'") from error


def _runs_below(folder: Path) -> list[Path]:
    if (folder / "run.json").exists():
        return [folder]
    found = []
    for here, below, files in os.walk(folder):
        if "run.json" in files:
            found.append(Path(here))
            below[:] = [name for name in below if name not in {"snapshots", "sketches"}]  # thousands of files, and no run
    return sorted(found, key=natural)


def natural(path: Path) -> list[tuple[bool, int, str]]:
    """Return the key that puts ``step-9`` before ``step-10``."""
    return [(not part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in re.split(r"(\d+)", str(path))]
