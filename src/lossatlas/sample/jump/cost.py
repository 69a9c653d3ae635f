"""How long a sampling will take and how much disk, before it begins."""

import itertools
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from lossatlas._arrays import InputError
from lossatlas.sample.evaluate import evaluation
from lossatlas.sample.jump.settings import JumpSettings
from lossatlas.sample.probe import probed
from lossatlas.sample.randomness import fixed_randomness
from lossatlas.sample.start import Start, start_tensors
from lossatlas.sample.task import Task, checked_optimizer, train_mode, update

# Updates that are timed, after one that is not.
_TIMED = 10


@dataclass(frozen=True)
class JumpCost:
    """What ``jump_and_retrain`` with some settings will take, from a few updates and one evaluation that were timed.

    >>> print(JumpCost(n_retrainings=16, n_points=656, seconds=731.0, n_bytes=26_000_000, workers=2))
    16 retrainings, 656 points: about 12 min on 2 processes, 26 MB on disk
    """

    n_retrainings: int
    n_points: int
    seconds: float
    n_bytes: int
    workers: int

    def __str__(self) -> str:
        processes = "one process" if self.workers == 1 else f"{self.workers} processes"
        return (
            f"{self.n_retrainings} retrainings, {self.n_points} points: about {spoken(self.seconds)} on {processes}, "
            f"{self.n_bytes / 1e6:.3g} MB on disk"
        )


def jump_cost(task: Task, start: Start, *, settings: JumpSettings | None = None, workers: int = 1) -> JumpCost:
    """Time some updates and an evaluation, and return what all of :func:`jump_and_retrain` will take.

    The other processes are taken to be as fast as this one is with one thread; what is done already is not counted off.

    Args:
        task: As it will be sampled; the model stays as it is.
        start: The minimum.
        settings: Seeds, steps, epochs and so on.
        workers: Processes that will share the work.

    Raises:
        InputError: the task or the start does not fit.
    """
    if workers < 1:
        raise InputError(f"workers must be 1 or more, but is {workers}; change it")
    settings = settings or JumpSettings()
    model = probed(task, start_tensors(start))
    with one_thread(is_wanted=workers > 1):
        began = time.perf_counter()
        evaluation(task, model)
        of_evaluation = time.perf_counter() - began
        of_update = _seconds_of_update(task, model)
    updates = settings.updates or _n_batches(task)
    n_retrainings = len(settings.seeds) * len(settings.steps)
    each = settings.epochs * (updates * of_update + of_evaluation) + of_evaluation
    size = sum(tensor.nbytes for tensor in model.state_dict().values())
    n_points = n_retrainings * (settings.epochs + 1) + 1
    return JumpCost(n_retrainings, n_points, each * math.ceil(n_retrainings / workers), n_points * size, workers)


def _seconds_of_update(task: Task, model: torch.nn.Module) -> float:
    train_mode(model)
    optimizer = checked_optimizer(task, model)
    with fixed_randomness(0, task.train):
        batches = itertools.islice((batch for _ in itertools.count() for batch in task.train), _TIMED + 1)
        began = time.perf_counter()
        for number, batch in enumerate(batches):
            if number == 1:
                began = time.perf_counter()
            update(task, model, optimizer, batch)
    return (time.perf_counter() - began) / _TIMED


def _n_batches(task: Task) -> int:
    try:
        return len(task.train)  # type: ignore[arg-type]
    except TypeError:
        with fixed_randomness(0, task.train):
            return sum(1 for _ in task.train)


@contextmanager
def one_thread(*, is_wanted: bool) -> Iterator[None]:
    """Let torch have one thread meanwhile, as it has in the workers of a pool."""
    before = torch.get_num_threads()
    if is_wanted:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def spoken(seconds: float) -> str:
    """Return a time in two digits, in the unit that people would say it in.

    >>> spoken(71.4), spoken(100), spoken(1.04e7)
    ('71 s', '1.7 min', '120 days')
    """
    for unit, length in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 1.5 * length:
            return f"{float(f'{seconds / length:.2g}'):g} {unit}"
    return f"{seconds:.2g} s"
