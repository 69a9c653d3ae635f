"""How one network is made and trained: plain values, as a TOML file has them, and the task they name."""

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import torch
from pydantic import ConfigDict

from lossatlas._arrays import InputError
from lossatlas.experiments.catalogue import Value, named, refuse_small
from lossatlas.experiments.comparison.named import LOSSES, OPTIMIZERS
from lossatlas.experiments.data import Samples, n_samples, samples, stand_in
from lossatlas.experiments.data.batches import Batches
from lossatlas.experiments.networks import network
from lossatlas.experiments.networks.initialization import initialised
from lossatlas.experiments.networks.precision import MixedPrecision
from lossatlas.sample import Task, on_device

STRICT = ConfigDict(extra="forbid")  # a name that is not known is a slip


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How one network is made and trained. An epoch is ``passes`` passes over the training data."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    data: str = "digits"
    data_options: Mapping[str, Value] = field(default_factory=dict)
    random_share: float = 0.0  # of the training labels, replaced by classes drawn evenly
    network: str = "convolutional"
    network_options: Mapping[str, Value] = field(default_factory=dict)
    initialization: str = "default"
    loss: str = "cross-entropy"
    optimizer: str = "momentum"
    optimizer_options: Mapping[str, Value] = field(default_factory=dict)
    learning_rate: float = 0.05
    weight_decay: float = 0.0
    milestones: tuple[float, ...] = (0.5, 0.75)  # shares of the epochs after which the learning rate is divided by 10
    batch: int = 40  # 0 takes all at once
    passes: int = 2
    epochs: int = 60
    shift: int = 0  # pixels; augmentation
    is_flipped: bool = False  # augmentation
    fork: int | None = None  # epoch at which it leaves a training that is its twin so far; only forks asks for it
    device: str = "cpu"  # as torch names it; "auto" takes a GPU where there is one
    precision: Literal["float32", "bfloat16"] = "float32"

    def __post_init__(self) -> None:
        named("loss", self.loss, LOSSES)
        named("optimizer", self.optimizer, OPTIMIZERS)
        refuse_small(0, batch=self.batch, shift=self.shift, fork=self.fork or 0)
        refuse_small(1, passes=self.passes, epochs=self.epochs)
        if not 0 < self.learning_rate < math.inf:
            raise InputError(f"learning_rate must be above 0, but is {self.learning_rate}; change it")

    def drop_after(self) -> list[int]:
        """Return the epochs after which the learning rate is divided by 10."""
        return [max(round(self.epochs * share), 1) for share in self.milestones]

    def samples(self) -> Samples:
        """Return what it is trained and tested on."""
        options: dict[str, Any] = dict(self.data_options)
        return samples(self.data, random_share=self.random_share, **options)

    def stand_in(self) -> Samples:
        """Return samples of the same shapes that need not be there."""
        options: dict[str, Any] = dict(self.data_options)
        return stand_in(self.data, **options)

    def n_samples(self) -> tuple[int, int]:
        """Return how many samples it is trained and tested on, which need not be there."""
        options: dict[str, Any] = dict(self.data_options)
        return n_samples(self.data, **options)


def task_of(recipe: Recipe, seed: int, *, name: str, data: Samples | None = None, passes: int | None = None) -> Task:
    """Return the task of a recipe, initialised from ``seed``.

    Args:
        recipe: How.
        seed: Of the initialisation.
        name: Of the task.
        data: In place of what the recipe names.
        passes: Over the data in an epoch, in place of the recipe's.
    """
    own = recipe.samples() if data is None else data
    made = network(recipe.network, shape=own.shape, n_classes=own.n_classes, seed=seed, **recipe.network_options)
    model = initialised(made, recipe.initialization, seed=seed)
    batches = Batches(
        own.train_x,
        own.train_y,
        recipe.batch or len(own.train_y),
        recipe.passes if passes is None else passes,
        recipe.shift,
        recipe.is_flipped,
        own.empty,
    )
    task = Task(
        model=MixedPrecision(model) if recipe.precision == "bfloat16" else model,
        loss=LOSSES[recipe.loss],
        train=batches,
        test=in_parts(own.test_x, own.test_y),
        optimizer=functools.partial(
            OPTIMIZERS[recipe.optimizer],
            lr=recipe.learning_rate,
            weight_decay=recipe.weight_decay,
            **recipe.optimizer_options,
        ),
        train_eval=in_parts(own.train_x, own.train_y),
        name=name,
    )
    has_gpu = torch.cuda.is_available()
    return on_device(task, ("cuda" if has_gpu else "cpu") if recipe.device == "auto" else recipe.device)


def in_parts(x: torch.Tensor, y: torch.Tensor, size: int = 2_000) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Return samples in batches that fit in memory, in their order."""
    return list(zip(x.split(size), y.split(size), strict=True))
