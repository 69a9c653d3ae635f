"""A look at a task before hours are spent on it: its loss must repeat, and where it does not, the reason is named."""

import copy
import itertools
import math
from typing import Any

import torch
from torch import nn

from lossatlas._arrays import InputError
from lossatlas.record import load_tensors
from lossatlas.sample.evaluate import EVALUATION_SEED
from lossatlas.sample.randomness import fixed_randomness
from lossatlas.sample.start import Tensors
from lossatlas.sample.task import Batches, Task, batch_on_device, refuse_unfit

# Batches that are looked at: noise shows in the first.
_LOOKED_AT = 4
# Half of float32's digits: threads may add up in another order.
_REPEATS = 1e-4


def probed(task: Task, start: Tensors, *, data: str = "train") -> nn.Module:
    """Return a copy of the task's model at a point where its loss is a number that repeats.

    Raises:
        InputError: the data come in another order or with other augmentation each time and nothing can fix it; the model draws
            noise in evaluation mode, as dropout called without ``training=self.training`` does; batch norm stays in training
            mode; or the loss is not finite.
    """
    refuse_unfit(task)
    model = copy.deepcopy(task.model)
    load_tensors(model, start)
    batches = task.evaluated if data == "train" else task.test
    looked_at = _repeating_batches(
        batches, "test" if data == "test" else "train_eval" if task.train_eval is not None else "train"
    )
    model.eval()
    _refuse_noise(model, task, looked_at)
    _refuse_what_keeps_training(model, looked_at)
    with torch.no_grad(), fixed_randomness(EVALUATION_SEED):
        for batch in looked_at:
            x, y = batch_on_device(batch, model)
            loss = float(task.loss(model(x), y))
            if not math.isfinite(loss):
                raise InputError(f"the {data} loss at the start is {loss}; check the data, the loss and the start")
    return model


def _repeating_batches(batches: Batches, name: str) -> list[Any]:
    passes = []
    for _ in range(2):
        with fixed_randomness(EVALUATION_SEED, batches):
            passes.append(list(itertools.islice(batches, _LOOKED_AT)))
    for first, second in zip(*passes, strict=True):
        if not all(_is_same(a, b) for a, b in zip(first, second, strict=True)):
            raise InputError(
                f"Task: {name} gives other batches each time it is iterated, though every random generator is set: it shuffles "
                "or augments by chance of its own; pass a list, or a loader without shuffling, as train_eval or test"
            )
    return passes[0]


def _is_same(first: object, second: object) -> bool:
    if isinstance(first, torch.Tensor) and isinstance(second, torch.Tensor):
        return first.shape == second.shape and torch.equal(torch.nan_to_num(first), torch.nan_to_num(second))
    return True  # what is no tensor cannot be compared in general; the loss is


def _refuse_noise(model: nn.Module, task: Task, batches: list[Any]) -> None:
    x, y = batch_on_device(batches[0], model)
    losses, traces = [], []
    for seed in (EVALUATION_SEED, EVALUATION_SEED + 1):
        trace: list[tuple[str, Any]] = []
        hooks = [
            module.register_forward_hook(lambda _, __, output, name=name, trace=trace: trace.append((name, output)))
            for name, module in model.named_modules()
            if name
        ]
        try:
            with torch.no_grad(), fixed_randomness(seed):
                losses.append(float(task.loss(model(x), y)))
        finally:
            for hook in hooks:
                hook.remove()
        traces.append(trace)
    if math.isclose(*losses, rel_tol=_REPEATS, abs_tol=1e-7) or not all(map(math.isfinite, losses)):
        return
    culprit = next((name for (name, a), (_, b) in zip(*traces, strict=False) if not _is_same(a, b)), None)
    where = f"its part {culprit!r} ({type(model.get_submodule(culprit)).__name__})" if culprit else "it"
    raise InputError(
        f"the loss at the start is not repeatable ({losses[0]:.6g}, then {losses[1]:.6g} on the same batch): the model is in "
        f"evaluation mode, but {where} draws noise, as dropout does in training; let it follow self.training"
    )


def _refuse_what_keeps_training(model: nn.Module, batches: list[Any]) -> None:
    before = {name: buffer.clone() for name, buffer in model.named_buffers()}
    with torch.no_grad(), fixed_randomness(EVALUATION_SEED):
        model(batch_on_device(batches[0], model)[0])
    changed = [name for name, buffer in model.named_buffers() if not _is_same(before[name], buffer)]
    if changed:
        raise InputError(
            f"the model's buffer {changed[0]!r} changes while it is evaluated: that part stays in training mode, as batch norm "
            "whose train() was overridden does; let it follow model.eval()"
        )
