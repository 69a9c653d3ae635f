"""What makes work the same work, so that what was stopped can go on and what is done is not done again."""

import copy
import hashlib
import json
from collections.abc import Mapping

import torch
from torch import nn

from lossatlas.sample.task import Task


def digest(settings: object, *points: Mapping[str, torch.Tensor]) -> str:
    """Return a key of settings and points, equal for equal ones alone.

    Args:
        settings: Whatever JSON can hold.
        points: Tensors by name, on the CPU.

    >>> digest({}, {"w": torch.zeros(2)}) == digest({}, {"w": torch.zeros(2)}, {}), len(digest({}))
    (False, 64)
    """
    made = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for number, tensors in enumerate(points):
        if number:
            made.update(b"|")
        for name, tensor in sorted(tensors.items()):
            made.update(name.encode())
            made.update(tensor.detach().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return made.hexdigest()


def visible(task: Task) -> dict[str, str]:
    """Return what can be seen of a task from outside: another of these is other work."""
    optimizer = task.optimizer(copy.deepcopy(task.model).parameters())
    groups = [{name: value for name, value in group.items() if name != "params"} for group in optimizer.param_groups]
    is_module = isinstance(task.loss, nn.Module)
    loss = repr(task.loss) if is_module else getattr(task.loss, "__qualname__", type(task.loss).__name__)
    return {"task": task.name, "optimizer": type(optimizer).__qualname__, "groups": repr(groups), "loss": loss}
