"""What an update and a point of a task take, timed before all of them are done."""

import copy
import itertools
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from lossatlas.record import Recorder
from lossatlas.sample import Task, evaluation
from lossatlas.sample.task import checked_optimizer, update

_TIMED = 3


def seconds_of_update(task: Task) -> float:
    """Return what one step of the optimiser takes on one batch."""
    model = copy.deepcopy(task.model).train()
    optimizer = checked_optimizer(task, model)
    batches = itertools.cycle(list(task.train))

    def step() -> None:
        update(task, model, optimizer, next(batches))
        next(model.parameters()).flatten()[0].item()  # a device must have done all that it was told

    return best_of_some(step)


def seconds_of_evaluation(task: Task, *, n_samples: int) -> float:
    """Return what it takes to evaluate a point on so many samples, from those that the task has."""
    model = copy.deepcopy(task.model)
    n = sum(len(y) for data in (task.evaluated, task.test) for _, y in data)
    return best_of_some(lambda: evaluation(task, model)) * n_samples / n


def seconds_of_recording(task: Task) -> float:
    """Return what it takes to record a point."""
    model = copy.deepcopy(task.model)
    with tempfile.TemporaryDirectory() as folder, Recorder(Path(folder) / "run", model, initial={}) as recorder:
        return best_of_some(recorder.step)


def best_of_some(step: Callable[[], object]) -> float:
    """Return the seconds of the best of some, after one that is not timed: what else the machine does only adds."""
    step()
    times = []
    for _ in range(_TIMED):
        began = time.perf_counter()
        step()
        times.append(time.perf_counter() - began)
    return min(times)


def n_bytes(task: Task) -> int:
    """Return the size of a point on disk."""
    return sum(tensor.nbytes for tensor in task.model.state_dict().values())


def said_size(size: int) -> str:
    """Return a number of bytes in words."""
    return f"{size / 1e9:.3g} GB" if size >= 1e9 else f"{size / 1e6:.3g} MB"
