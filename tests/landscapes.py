"""Losses with closed forms, as tasks: the model is a point, and the loss a function of it."""

import functools
from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from lossatlas.sample import Task


class Point(nn.Module):
    """A model whose output is its weights, a row a sample."""

    def __init__(self, at: np.ndarray) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.as_tensor(at, dtype=torch.float64).reshape(1, -1).clone())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.w.expand(len(x), -1)


def landscape(function: Callable[[torch.Tensor], torch.Tensor], at: np.ndarray) -> Task:
    """Return a task whose loss at weights ``w`` is ``function(w)``."""
    x = [(torch.zeros(2, 1), torch.zeros(2)), (torch.zeros(1, 1), torch.zeros(1))]
    optimizer = functools.partial(torch.optim.SGD, lr=0.01)
    return Task(Point(at), lambda output, _: function(output[0]), x, x, optimizer)


def state(at: np.ndarray) -> dict[str, torch.Tensor]:
    """Return the state dict of the model at a point."""
    return Point(at).state_dict()


def quadratic(hessian: np.ndarray, centre: np.ndarray, level: float = 0.0) -> Callable[[torch.Tensor], torch.Tensor]:
    """Return ``level + (w - c)ᵀ H (w - c) / 2``."""
    H, c = torch.as_tensor(hessian), torch.as_tensor(centre)
    return lambda w: level + 0.5 * (w - c) @ H @ (w - c)
