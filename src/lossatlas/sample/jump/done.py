"""What a folder of sampled runs holds already, and whether it is the work that is asked for."""

import math
import os
from pathlib import Path

import numpy as np
from torch import nn

from lossatlas._arrays import InputError
from lossatlas.record import Recorder
from lossatlas.sample.evaluate import evaluation, refuse_unrepeatable
from lossatlas.sample.task import Task
from lossatlas.store import Run, open_run, unwritable


def recorded_optimum(task: Task, model: nn.Module, path: Path, *, key: str) -> Run:
    """Return the start as a run of one point with its metrics, recorded unless it is there.

    Raises:
        InputError: its loss does not repeat, or the folder was made with other data.
    """
    if is_done(path, key):
        _refuse_other_data(task, model, open_run(path))
    else:
        metrics = refuse_unrepeatable(task, model)
        settings = {"kind": "optimum", "task": task.name, "key": key}
        with Recorder(path, model, if_exists="replace", initial=metrics, settings=settings):
            pass
    return open_run(path)


def made_folder(path: str | os.PathLike[str]) -> Path:
    """Return the folder for the runs, made if it is not there.

    Raises:
        InputError: it cannot be made.
    """
    folder = Path(path).absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(folder, error) from error
    return folder


def _refuse_other_data(task: Task, model: nn.Module, optimum: Run) -> None:
    """Refuse to go on where data or loss give the optimum other numbers than those on disk."""
    for name, value in evaluation(task, model).items():
        stored = float(optimum.metrics.get(name, np.full(1, np.nan))[0])
        # Another number of threads adds up in another order.
        if not math.isclose(value, stored, rel_tol=1e-4, abs_tol=1e-7):
            raise InputError(
                f"{str(optimum.path.parent)!r} was made with other data or another loss (the optimum's {name.replace('_', ' ')} "
                f"is {stored:.6g} there and {value:.6g} now); choose another folder, or remove that one first"
            )


def is_done(path: Path, key: str) -> bool:
    """Whether this very piece of work is finished in its folder; other work there is refused, never overwritten."""
    if not (path / "run.json").exists():
        return False
    run = open_run(path)
    if run.settings.get("key") != key:
        raise InputError(
            f"{str(path)!r} was made from another start, task or settings; choose another folder, or remove that one first"
        )
    return run.is_complete
