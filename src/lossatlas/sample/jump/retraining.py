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
from lossatlas.sample.task import Batches, Task, batch_on_device, checked_optimizer, train_mode


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
    """Jump, train on, and record both; what another one left half-done in the folder is replaced."""
    model = copy.deepcopy(item.task.model)
    load_tensors(model, item.start)
    direction = random_direction(model.named_parameters(), seed=item.seed, norm=item.settings.norm)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.add_(direction[name], alpha=item.step)
    if item.settings.batchnorm == "recompute":
        recompute_batchnorm(model, item.task.evaluated)
    described = {
        "kind": "retraining",
        "task": item.task.name,
        "seed": item.seed,
        "step": item.step,
        **{name: value for name, value in asdict(item.settings).items() if name not in {"seeds", "steps"}},
        "key": item.key,
    }
    with Recorder(item.path, model, if_exists="replace", initial=evaluation(item.task, model), settings=described) as recorder:
        _train(item, model, recorder)


def _train(item: Retraining, model: nn.Module, recorder: Recorder) -> None:
    optimizer = checked_optimizer(item.task, model)
    if item.optimizer_state is not None:
        # A copy: loading keeps the tensors of a state that is where the parameters are, and steps would change the caller's.
        optimizer.load_state_dict(copy.deepcopy(dict(item.optimizer_state)))
    if item.settings.learning_rate is not None:
        for group in optimizer.param_groups:
            group["lr"] = item.settings.learning_rate
    train_mode(model)
    # The order of data must not follow from the numbers that drew the direction, yet be the same for every step of a seed.
    own_seed = item.seed if item.settings.data_seed is None else item.settings.data_seed
    data_seed = int(np.random.SeedSequence((own_seed, 1)).generate_state(1)[0])
    with fixed_randomness(data_seed, item.task.train):
        for epoch in _epochs(item.task.train, item.settings):
            for batch in epoch:
                x, y = batch_on_device(batch, model)
                optimizer.zero_grad(set_to_none=True)
                item.task.loss(model(x), y).backward()
                optimizer.step()
            recorder.step(**evaluation(item.task, model))


def _epochs(train: Batches, settings: JumpSettings) -> Iterator[Iterable[tuple[Any, Any]]]:
    """Yield the batches of each epoch: a pass, or so many that go on from pass to pass."""
    endless = (batch for _ in itertools.count() for batch in train)
    for _ in range(settings.epochs):
        yield train if settings.updates is None else itertools.islice(endless, settings.updates)
