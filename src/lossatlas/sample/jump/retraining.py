"""One retraining: a jump, and the training after it."""

import copy
import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from lossatlas.record import Recorder, load_tensors
from lossatlas.sample.directions import random_direction
from lossatlas.sample.evaluate import evaluation, recompute_batchnorm
from lossatlas.sample.jump.settings import JumpSettings
from lossatlas.sample.randomness import fixed_randomness
from lossatlas.sample.task import Task, checked_optimizer, train_mode, update


@dataclass(frozen=True)
class Retraining:
    """One piece of work: all that a process needs to do it, and a key by which it is known to be done."""

    task: Task
    start: Mapping[str, torch.Tensor]
    seed: int
    step: float
    settings: JumpSettings
    path: Path
    key: str
    optimizer_state: Mapping[str, Any] | None = None


def retrain(item: Retraining) -> None:
    """Jump, train on, and record both; what another one left half-done in the folder is replaced.

    A retraining whose weights are no longer finite after an epoch has diverged, which is a finding: it ends with that point.
    """
    model = jumped(item)
    with new_recorder(item, model) as recorder:
        train_mode(model)
        optimizer = new_optimizer(item, model)
        with fixed_randomness(data_seed(item), item.task.train):
            for epoch in epochs(item):
                if not is_finite(model):
                    return
                for batch in epoch:
                    update(item.task, model, optimizer, batch)
                recorder.step(**evaluation(item.task, model))


def jumped(item: Retraining) -> nn.Module:
    """Return a copy of the model where the jump ends."""
    model = copy.deepcopy(item.task.model)
    load_tensors(model, item.start)
    direction = random_direction(model.named_parameters(), seed=item.seed, norm=item.settings.norm)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.add_(direction[name], alpha=item.step)
    if item.settings.batchnorm == "recompute":
        recompute_batchnorm(model, item.task.evaluated)
    return model


def new_recorder(item: Retraining, model: nn.Module) -> Recorder:
    """Return a recorder of the model, which stands where the jump ends, in place of what the folder holds."""
    described = {
        "kind": "retraining",
        "task": item.task.name,
        "seed": item.seed,
        "step": item.step,
        **{name: value for name, value in asdict(item.settings).items() if name not in {"seeds", "steps"}},
        "key": item.key,
    }
    return Recorder(item.path, model, if_exists="replace", initial=evaluation(item.task, model), settings=described)


def new_optimizer(item: Retraining, model: nn.Module) -> torch.optim.Optimizer:
    """Return the task's optimiser of this copy's parameters, fresh or restored, with the learning rate of the settings."""
    optimizer = checked_optimizer(item.task, model)
    if item.optimizer_state is not None:
        # A copy: loading keeps the tensors of a state that is where the parameters are, and steps would change the caller's.
        optimizer.load_state_dict(copy.deepcopy(dict(item.optimizer_state)))
    if item.settings.learning_rate is not None:
        for group in optimizer.param_groups:
            group["lr"] = item.settings.learning_rate
    return optimizer


def data_seed(item: Retraining) -> int:
    """Return the seed of the order of data: not the numbers that drew the direction, yet the same for every step of a seed."""
    own_seed = item.seed if item.settings.data_seed is None else item.settings.data_seed
    return int(np.random.SeedSequence((own_seed, 1)).generate_state(1)[0])


def epochs(item: Retraining) -> Iterator[Iterable[tuple[Any, Any]]]:
    """Yield the batches of each epoch: a pass, or so many that go on from pass to pass."""
    train, updates = item.task.train, item.settings.updates
    endless = (batch for _ in itertools.count() for batch in train)
    for _ in range(item.settings.epochs):
        yield train if updates is None else itertools.islice(endless, updates)


def is_finite(model: nn.Module) -> bool:
    """Whether all that is recorded of a model is finite; a mask of infinities that is not stored says nothing."""
    return all(bool(torch.isfinite(tensor).all()) for tensor in model.state_dict().values())
