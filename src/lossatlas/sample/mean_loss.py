"""The mean loss over the data and its gradient, as a function of one flat vector of weights."""

import copy
import math
from collections.abc import Iterable, Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import nn

from lossatlas.sample.batches import Batch, SameBatches
from lossatlas.sample.evaluate import EVALUATION_SEED
from lossatlas.sample.randomness import fixed_randomness
from lossatlas.sample.task import Task, batch_on_device, batch_size

Weights = Float[torch.Tensor, " p"]


def trained_parameters(model: nn.Module) -> dict[str, nn.Parameter]:
    """Return the parameters that training moves."""
    return {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}


def flat(tensors: Sequence[torch.Tensor]) -> Weights:
    """Return tensors as one vector, in their order.

    >>> flat([torch.ones(1, 2), torch.zeros(1)])
    tensor([1., 1., 0.])
    """
    return torch.cat([tensor.detach().reshape(-1) for tensor in tensors])


class MeanLoss:
    """The mean loss over the samples in evaluation mode, at any weights; statistics of batch norm are the model's own.

    Args:
        task: The loss.
        model: Becomes this object's: whoever calls passes a copy at the point where the weights are now.
        data: What the loss is a mean over.

    Attributes:
        parameters: Those that are trained.
        batches: The data, in even batches where these have the same loss.
        n: Number of samples.
    """

    def __init__(self, task: Task, model: nn.Module, data: SameBatches) -> None:
        self.model = model.eval()
        self.parameters = list(trained_parameters(model).values())
        self.of_batch = copy.deepcopy(task.loss)  # a module may keep something of its last call
        self.n = sum(batch_size(batch) for batch in data)
        self.batches: Iterable[Batch] = [batch_on_device(batch, model) for batch in data] if data.is_kept else data
        self._deal_anew(data)

    def _deal_anew(self, data: SameBatches) -> None:
        """Take even batches where they have the same loss, being a mean over samples that look at no others: fewer calls."""
        even = data.even()
        if even is None or len(even) == data.n:
            return
        as_given, given = self.value(self.weights), self.batches
        self.batches = [batch_on_device(batch, self.model) for batch in even]
        if not math.isclose(self.value(self.weights), as_given, rel_tol=1e-6):
            self.batches = given

    @property
    def weights(self) -> Weights:
        """The weights where the model stands."""
        return flat([parameter.data for parameter in self.parameters])

    def move(self, weights: Weights) -> None:
        """Put the model at other weights."""
        with torch.no_grad():
            for parameter, part in zip(self.parameters, weights.split([p.numel() for p in self.parameters]), strict=True):
                parameter.copy_(part.reshape(parameter.shape))

    def value(self, weights: Weights) -> float:
        """Return the loss at these weights."""
        self.move(weights)
        with torch.no_grad(), fixed_randomness(EVALUATION_SEED):
            return sum(float(self._share(batch)) for batch in self.batches)

    def value_and_gradient(self, weights: Weights) -> tuple[float, Weights]:
        """Return the loss at these weights and its gradient."""
        self.move(weights)
        total, gradient = 0.0, torch.zeros_like(weights)
        with torch.enable_grad(), fixed_randomness(EVALUATION_SEED):
            for batch in self.batches:
                loss = self._share(batch)
                total += float(loss.detach())
                gradient += gradient_of(loss, self.parameters)
        return total, gradient

    def _share(self, batch: Batch) -> torch.Tensor:
        x, y = batch_on_device(batch, self.model)
        return self.of_batch(self.model(x), y) * (batch_size(batch) / self.n)


def gradient_of(loss: torch.Tensor, parameters: Sequence[nn.Parameter]) -> Weights:
    """Return the gradient as one vector, zero where the loss does not depend on a parameter."""
    parts = torch.autograd.grad(loss, parameters, allow_unused=True)
    return flat([torch.zeros_like(own) if part is None else part for part, own in zip(parts, parameters, strict=True)])


def as_numpy(vector: Weights) -> Float[np.ndarray, " p"]:
    """Return a vector in float64, where scipy works."""
    return vector.detach().double().cpu().numpy()
