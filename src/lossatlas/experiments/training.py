"""Train a task and record it; what is finished is not done again."""

import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from lossatlas._arrays import InputError
from lossatlas.record import Recorder, load_tensors
from lossatlas.sample import Task, evaluation, fixed_randomness
from lossatlas.sample.start import Start, start_tensors
from lossatlas.sample.task import update
from lossatlas.store import Run, open_run, unwritable


@dataclass(frozen=True, kw_only=True, eq=False)
class Training:
    """One training: a task, its length and schedule, and the key by which it is known to be done."""

    task: Task
    path: Path
    epochs: int
    milestones: Sequence[int]  # epochs after which the learning rate is divided by 10
    seed: int  # of the order of data and the augmentation
    key: str
    group: str | None = None  # what it is one of, on a map of many
    start: Start | None = None  # in place of the task's own initialisation
    begin: int = 0  # epochs that lie behind the start: of all epochs those that are left are trained

    @property
    def is_done(self) -> bool:
        """Whether its run is there and complete.

        Raises:
            InputError: another run is there.
        """
        if not (self.path / "run.json").exists():
            return False
        found = open_run(self.path)
        if found.settings.get("key") != self.key:
            raise taken(self.path)
        return found.is_complete


def taken(folder: Path) -> InputError:
    """Return the error of a folder that holds work of other settings."""
    return InputError(f"{str(folder)!r} was made with other settings; choose another folder or remove that one")


def trained(trainings: Sequence[Training], *, executor: Executor | None = None) -> list[Run]:
    """Do the trainings that are not done, and return the runs of all.

    Raises:
        InputError: a folder holds another run, or cannot be written.
    """
    missing = [training for training in trainings if not training.is_done]
    for training in missing:
        try:
            training.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise unwritable(training.path.parent, error) from error
    if executor is None:
        for training in missing:
            train(training)
    else:
        for future in [executor.submit(train, training) for training in missing]:
            future.result()
    return [open_run(training.path) for training in trainings]


def train(training: Training) -> None:
    """Train from the task's own initialisation or another start; every epoch, and the start itself, is a point.

    Of what came before a start the weights and the schedule are known. The optimiser begins anew: momentum is built up again
    within some ten steps.
    """
    task, model = training.task, training.task.model
    if training.start is not None:
        load_tensors(model, start_tensors(training.start))
    optimizer = task.optimizer(model.parameters())
    for group in optimizer.param_groups:
        group["lr"] *= 0.1 ** sum(epoch <= training.begin for epoch in training.milestones)
    left = [epoch - training.begin for epoch in training.milestones if epoch > training.begin]
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, left)
    described: dict[str, Any] = {
        "kind": "training",
        "task": task.name,
        "epochs": training.epochs,
        "seed": training.seed,
        "key": training.key,
    }
    described |= {} if training.group is None else {"group": training.group}
    described |= {"begin": training.begin} if training.begin else {}
    recorder = Recorder(training.path, model, if_exists="replace", initial=evaluation(task, model), settings=described)
    with recorder, fixed_randomness(training.seed):
        for _ in range(training.begin, training.epochs):
            model.train()
            for batch in task.train:
                update(task, model, optimizer, batch)
            schedule.step()
            recorder.step(**evaluation(task, model))


def digest(settings: dict[str, Any]) -> str:
    """Return a short name of settings, equal for equal settings alone."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]
