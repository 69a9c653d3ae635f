"""Loss and gradient of a training batch at any weights, as a path's steps need them."""

import copy
import itertools
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from lossatlas.sample.mean_loss import Weights, flat, gradient_of
from lossatlas.sample.start import Tensors
from lossatlas.sample.task import Task, batch_on_device, train_mode


class TrainingLoss:
    """The loss of a batch in training mode, at weights that need not be the model's.

    Args:
        task: Loss and data.
        model: Becomes this object's: whoever calls passes a copy.
    """

    def __init__(self, task: Task, model: nn.Module) -> None:
        train_mode(model)
        self._model = model
        self._loss = copy.deepcopy(task.loss)
        self._task = task
        self._parameters = dict(model.named_parameters())
        self._is_trained = torch.cat(
            [torch.full((p.numel(),), p.requires_grad, device=p.device) for p in self._parameters.values()]
        )

    def batches(self) -> Iterator[tuple[Any, Any]]:
        """Yield training batches without end, one pass after another."""
        return ((x, y) for _ in itertools.count() for x, y in self._task.train)

    def flat(self, tensors: Tensors) -> Weights:
        """Return a point's parameters as one vector."""
        own = self._parameters
        return flat([tensors[name].to(parameter.device, parameter.dtype) for name, parameter in own.items()])

    def tensors(self, weights: Weights) -> Tensors:
        """Return a vector as tensors under the parameters' names."""
        parts = weights.split([parameter.numel() for parameter in self._parameters.values()])
        return {
            name: part.reshape(own.shape).detach().cpu().clone()
            for (name, own), part in zip(self._parameters.items(), parts, strict=True)
        }

    @torch.no_grad()
    def value(self, weights: Weights, batch: tuple[Any, Any]) -> float:
        """Return the loss of a batch."""
        return float(self._at(weights, batch))

    @torch.enable_grad()
    def value_and_gradient(self, weights: Weights, batch: tuple[Any, Any]) -> tuple[float, Weights]:
        """Return the loss of a batch and its gradient, zero for frozen parameters."""
        loss = self._at(weights, batch)
        trained = [parameter for parameter in self._parameters.values() if parameter.requires_grad]
        gradient = torch.zeros_like(weights)
        gradient[self._is_trained] = gradient_of(loss, trained)
        return float(loss.detach()), gradient

    def _at(self, weights: Weights, batch: tuple[Any, Any]) -> torch.Tensor:
        with torch.no_grad():
            parts = weights.split([parameter.numel() for parameter in self._parameters.values()])
            for parameter, part in zip(self._parameters.values(), parts, strict=True):
                parameter.copy_(part.reshape(parameter.shape))
        x, y = batch_on_device(batch, self._model)
        loss: torch.Tensor = self._loss(self._model(x), y)
        return loss
