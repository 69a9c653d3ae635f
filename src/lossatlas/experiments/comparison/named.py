"""Losses and optimisers by the names that settings have for them."""

import functools
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

import torch
from torch import nn

from lossatlas._arrays import InputError
from lossatlas.experiments.losses import squared_error
from lossatlas.experiments.sharpness_aware import SharpnessAware


def lbfgs(parameters: Iterable[nn.Parameter], *, lr: float, weight_decay: float = 0.0, **options: Any) -> torch.optim.LBFGS:  # noqa: ANN401
    """Return limited-memory BFGS with a line search, which knows no decay of the weights.

    Raises:
        InputError: it is asked to.
    """
    if weight_decay:
        raise InputError(f"lbfgs has no weight decay, but weight_decay is {weight_decay}; leave it out, or take adamw")
    return torch.optim.LBFGS(parameters, lr=lr, line_search_fn="strong_wolfe", **options)


LOSSES: Mapping[str, Callable[[Any, Any], torch.Tensor]] = MappingProxyType(
    {"cross-entropy": nn.CrossEntropyLoss(), "squared": squared_error}
)

OPTIMIZERS: Mapping[str, Callable[..., torch.optim.Optimizer]] = MappingProxyType(
    {
        "sgd": torch.optim.SGD,
        "momentum": functools.partial(torch.optim.SGD, momentum=0.9),
        "nesterov": functools.partial(torch.optim.SGD, momentum=0.9, nesterov=True),
        "adam": torch.optim.Adam,
        "adamw": torch.optim.AdamW,
        "rmsprop": torch.optim.RMSprop,
        "adadelta": torch.optim.Adadelta,
        "sharpness-aware": functools.partial(SharpnessAware, base=functools.partial(torch.optim.SGD, momentum=0.9)),
        "lbfgs": lbfgs,
    }
)
