"""What was trained, on what, and how: the user's own model, data and loss."""

import copy
import functools
import inspect
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn

from lossatlas._arrays import InputError
from lossatlas.sample.randomness import fixed_randomness

Batches = Iterable[tuple[Any, Any]]


@dataclass(frozen=True, eq=False)
class Task:
    """A model with the data, the loss and the optimiser that train it.

    Args:
        model: The module; sampling works on copies of it, so it stays as it is. Copies are trained in training mode if all of
            it is in evaluation mode, else in the modes that its parts have: what you froze stays frozen.
        loss: ``loss(output, target) -> scalar``, the mean over the batch.
        train: Batches ``(x, y)`` of one epoch; may shuffle and augment, and can be iterated again.
        test: Batches ``(x, y)`` that are only looked at.
        optimizer: ``optimizer(parameters) -> torch.optim.Optimizer``. One whose step needs a closure, as that of LBFGS does, is
            given one that evaluates the batch.
        train_eval: The training data as it is evaluated, without augmentation; by default ``train``.
        name: Names the task in what it makes; sampling that was stopped goes on only under the same name.

    Raises:
        InputError: a part is not what it should be.
    """

    model: nn.Module
    loss: Callable[[Any, Any], torch.Tensor]
    train: Batches
    test: Batches
    optimizer: Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer]
    train_eval: Batches | None = None
    name: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.model, nn.Module):
            raise InputError(
                f"Task: model must be a torch.nn.Module, but is a {type(self.model).__name__}; pass the module itself"
            )
        for what, value in (("loss", self.loss), ("optimizer", self.optimizer)):
            if not callable(value):
                raise InputError(f"Task: {what} must be a function, but is a {type(value).__name__}; pass the function itself")
        for what, batches in (("train", self.train), ("test", self.test), ("train_eval", self.train_eval)):
            is_left_out = what == "train_eval" and batches is None
            # Not through iter(): a DataLoader draws from its generator for every iterator.
            if not is_left_out and (not isinstance(batches, Iterable) or isinstance(batches, Iterator)):
                raise InputError(
                    f"Task: {what} must give batches each time it is iterated, but is a {type(batches).__name__}; "
                    "pass a list or a DataLoader"
                )

    @property
    def evaluated(self) -> Batches:
        """The training data as it is evaluated."""
        return self.train if self.train_eval is None else self.train_eval


def refuse_unfit(task: Task) -> None:
    """Try one batch and one optimiser on a copy of the model, and refuse a task that returns the wrong thing.

    Raises:
        InputError: a batch is no pair, the loss no mean or no scalar, nothing can be trained, or the optimiser is none, one of
            other parameters, or one that needs more than a closure to step.
    """
    if not isinstance(task, Task):
        raise InputError(f"a lossatlas.Task was expected, but a {type(task).__name__} came; return Task(model, loss, train, …)")
    model = copy.deepcopy(task.model)
    with fixed_randomness(0, task.train, task.test, task.evaluated):
        for what, batches in (("train", task.train), ("test", task.test), ("train_eval", task.evaluated)):
            batch = next(iter(batches), None)
            if batch is None:
                raise InputError(f"Task: {what} gives no batch; pass at least one")
            if not isinstance(batch, (tuple, list)) or len(batch) != 2:
                raise InputError(
                    f"Task: {what} must give pairs (x, y), but gave a {type(batch).__name__}; wrap it so that it does"
                )
        x, y = batch_on_device(next(iter(task.train)), model)
        _refuse_other_losses(task, copy.deepcopy(model).eval(), x, y)
        _refuse_what_cannot_be_trained(task, model, x, y)


def train_mode(model: nn.Module) -> None:
    """Put a lent model into training mode, unless some of its parts are already: then the others are frozen on purpose."""
    if not any(module.training for module in model.modules()):
        model.train()


@torch.no_grad()
def _refuse_other_losses(task: Task, model: nn.Module, x: object, y: object) -> None:
    loss = task.loss(model(x), y)
    if not isinstance(loss, torch.Tensor) or loss.numel() != 1:
        came = f"a tensor of shape {tuple(loss.shape)}" if isinstance(loss, torch.Tensor) else f"a {type(loss).__name__}"
        raise InputError(f"Task: loss(output, target) must return one number as a tensor, but returned {came}; take its mean")
    if isinstance(x, torch.Tensor) and isinstance(y, torch.Tensor) and y.dim():
        twice = task.loss(model(torch.cat([x, x])), torch.cat([y, y]))
        if float(loss) != 0 and math.isclose(float(twice), 2 * float(loss), rel_tol=1e-3):
            raise InputError(
                "Task: loss(output, target) doubles when a batch is given twice; take the mean over the batch, not the sum"
            )


def _refuse_what_cannot_be_trained(task: Task, model: nn.Module, x: object, y: object) -> None:
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise InputError("Task: no parameter of the model requires a gradient, so it cannot be retrained; unfreeze some")
    train_mode(model)
    optimizer = checked_optimizer(task, model)
    try:
        update(task, model, optimizer, (x, y))
    except TypeError as error:
        raise InputError(
            f"Task: the optimiser must step by itself or with a closure alone ({error}); pass one such as SGD or LBFGS"
        ) from None


def checked_optimizer(task: Task, model: nn.Module) -> torch.optim.Optimizer:
    """Return the task's optimiser of this copy's parameters, or say why it is none."""
    optimizer = task.optimizer(model.parameters())
    if not isinstance(optimizer, torch.optim.Optimizer):
        raise InputError(
            f"Task: optimizer(parameters) must return a torch.optim.Optimizer, but returned a {type(optimizer).__name__}; "
            "pass a function such as lambda parameters: torch.optim.SGD(parameters, lr=0.1)"
        )
    own = {id(parameter) for parameter in model.parameters()}
    if any(id(parameter) not in own for group in optimizer.param_groups for parameter in group["params"]):
        raise InputError("Task: optimizer(parameters) uses other parameters than it was given; build it from its argument")
    return optimizer


def update(task: Task, model: nn.Module, optimizer: torch.optim.Optimizer, batch: tuple[Any, Any] | list[Any]) -> None:
    """Take one step of the optimiser on a batch; one that needs a closure may evaluate the batch as often as it likes."""
    x, y = batch_on_device(batch, model)

    def evaluate() -> torch.Tensor:
        optimizer.zero_grad(set_to_none=True)
        loss = task.loss(model(x), y)
        loss.backward()
        return loss

    if _needs_closure(type(optimizer)):  # type: ignore[arg-type]  # a class can be hashed
        optimizer.step(evaluate)  # type: ignore[arg-type]  # torch says float, and takes tensors
    else:
        # Not by a closure: what was hooked before its step, such as clipping, is to find the gradient.
        evaluate()
        optimizer.step()


@functools.cache
def _needs_closure(kind: type[torch.optim.Optimizer]) -> bool:
    closure = inspect.signature(kind.step).parameters.get("closure")
    return closure is not None and closure.default is inspect.Parameter.empty


def batch_on_device(batch: tuple[Any, Any] | list[Any], model: nn.Module) -> tuple[Any, Any]:
    """Return a batch where the model is."""
    device = next(model.parameters()).device
    x, y = (part.to(device) if isinstance(part, torch.Tensor) else part for part in batch)
    return x, y


def on_device(task: Task, device: str) -> Task:
    """Return the task with a copy of its model on a device; an empty name leaves it as it is.

    Raises:
        InputError: torch has no such device here.
    """
    if not device:
        return task
    try:
        return replace(task, model=copy.deepcopy(task.model).to(device))
    except (RuntimeError, AssertionError) as error:
        said = str(error).splitlines()[0]
        raise InputError(f"device {device!r} cannot be used ({said}); pass one that torch has here, such as cpu") from None


def batch_size(batch: tuple[Any, Any]) -> int:
    """Return the number of samples in a batch: as many as it has targets."""
    target = batch[1]
    return len(target) if isinstance(target, torch.Tensor) and target.dim() else 1
