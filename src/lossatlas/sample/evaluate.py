"""Loss and accuracy of a model where it stands, and batch norm statistics that belong there."""

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Literal

import torch
from torch import nn

from lossatlas._arrays import InputError
from lossatlas.sample.randomness import fixed_randomness
from lossatlas.sample.task import Batches, Task, batch_on_device, batch_size

BatchNorm = Literal["recompute", "stale"]
BatchNormLayer = nn.modules.batchnorm._BatchNorm

# Every evaluation draws the same augmentation and the same order, so that two points differ by their weights alone.
EVALUATION_SEED = 0


def evaluation(task: Task, model: nn.Module) -> dict[str, float]:
    """Train and test loss, and accuracy where targets are classes, of ``model`` in evaluation mode.

    The loss is the mean over samples. The model's mode and every random generator are as before afterwards.
    """
    with _modes_given_back(model):
        model.eval()
        train, test = (_mean_loss_and_accuracy(task, model, data) for data in (task.evaluated, task.test))
    numbers = {"train_loss": train[0], "test_loss": test[0], "train_accuracy": train[1], "test_accuracy": test[1]}
    return {name: number for name, number in numbers.items() if number is not None}


def refuse_unrepeatable(task: Task, model: nn.Module) -> dict[str, float]:
    """Evaluate twice and refuse a loss that differs, since a landscape of it would be noise."""
    first, second = evaluation(task, model), evaluation(task, model)
    for name, value in first.items():
        if name.endswith("_loss") and not math.isfinite(value):
            raise InputError(f"the {name.replace('_', ' ')} at the start is {value}; check the data, the loss and the start")
        # Threads may add up in another order: half of float32's digits must agree.
        if not math.isclose(value, second[name], rel_tol=1e-4, abs_tol=1e-7):
            raise InputError(
                f"the {name.replace('_', ' ')} is not repeatable ({value:.6g}, then {second[name]:.6g} at the same weights); "
                "use data without randomness of its own for train_eval and test"
            )
    return first


def recompute_batchnorm(model: nn.Module, data: Batches) -> None:
    """Set the running statistics of batch norm to their mean over one pass of ``data`` at the present weights.

    After a jump the stored statistics belong to other weights, and the loss would measure that rather than the landscape.
    Everything else is as in evaluation, dropout too, so that the statistics repeat. The model's mode and every random
    generator are as before afterwards.
    """
    norms = batch_norms(model)
    if not norms:
        return
    with _modes_given_back(model), torch.no_grad(), fixed_randomness(EVALUATION_SEED, data):
        model.eval()
        for norm in norms.values():
            norm.reset_running_stats()
        for number, batch in enumerate(data, start=1):
            average_in(norms.values(), number)
            model(batch_on_device(batch, model)[0])


def average_in(norms: Iterable[BatchNormLayer], number: int) -> None:
    """Let the next forward pass count as the ``number``-th batch of a mean of the statistics, each of equal weight."""
    for norm in norms:
        norm.training = True
        norm.momentum = 1 / number


def batch_norms(model: nn.Module) -> dict[str, BatchNormLayer]:
    """Return the model's layers of batch norm that keep statistics, by name."""
    return {
        name: module
        for name, module in model.named_modules()
        if isinstance(module, BatchNormLayer) and module.running_mean is not None
    }


@contextmanager
def _modes_given_back(model: nn.Module) -> Iterator[None]:
    modes = {module: module.training for module in model.modules()}
    momenta = {module: module.momentum for module in modes if isinstance(module, BatchNormLayer)}
    try:
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode
        for norm, momentum in momenta.items():
            norm.momentum = momentum


def _mean_loss_and_accuracy(task: Task, model: nn.Module, data: Batches) -> tuple[float, float | None]:
    total, count, hits, asked, is_classes = 0.0, 0, 0, 0, True
    with torch.no_grad(), fixed_randomness(EVALUATION_SEED, data):
        for batch in data:
            x, y = batch_on_device(batch, model)
            output = model(x)
            size = batch_size((x, y))
            total += float(task.loss(output, y)) * size
            count += size
            is_classes = is_classes and are_classes(output, y)
            if is_classes:
                hits += int((output.argmax(dim=1) == y).sum())
                asked += y.numel()
    if not count:
        raise InputError("train_eval and test must hold samples to evaluate, but one holds none; pass at least one sample")
    return total / count, hits / asked if is_classes else None


def are_classes(output: object, target: object) -> bool:
    """Whether the output is a score for each class and the target the number of the right one.

    Classes are along axis 1, and further axes hold places that each have a class of their own, as torch's cross-entropy has them.
    """
    return (
        isinstance(output, torch.Tensor)
        and isinstance(target, torch.Tensor)
        and not target.is_floating_point()
        and output.dim() >= 2
        and output.shape[1] > 1  # one logit is no choice among classes
        and target.shape == output.shape[:1] + output.shape[2:]
    )
