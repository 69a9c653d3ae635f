"""Two layers with squares between them: the network that learns addition modulo a number late, and whose solution is known."""

import math

import torch
from torch import nn

from lossatlas.experiments.catalogue import refuse_small
from lossatlas.sample import fixed_randomness


def quadratic(*, seed: int, shape: tuple[int, ...] = (62,), n_classes: int = 31, width: int = 256) -> nn.Module:
    r"""Return a network without biases whose activation is the square, in mean-field scaling (Gromov 2023, arXiv 2301.02679).

    .. math:: f(x) = \frac{1}{N}\, V \Big(\frac{W x}{\sqrt D}\Big)^2, \qquad W \in R^{N \times D},\ V \in R^{C \times N}

    Weights are standard normal: outputs are small at first, and weights have to go far before they fit.

    Args:
        seed: Of the initialisation.
        shape: Of a sample, of D numbers in all.
        n_classes: Number of classes, C.
        width: Squares between the layers, N.

    Raises:
        InputError: a value is out of its range.
    """
    refuse_small(1, width=width, n_classes=n_classes)
    with fixed_randomness(seed):
        return Quadratic(math.prod(shape), n_classes, width)


class Quadratic(nn.Module):
    """The network of :func:`quadratic`.

    Args:
        n_inputs: Numbers that come in.
        n_classes: Scores that go out.
        width: Squares between them.
    """

    def __init__(self, n_inputs: int, n_classes: int, width: int) -> None:
        super().__init__()
        self.first = nn.Linear(n_inputs, width, bias=False)
        self.second = nn.Linear(width, n_classes, bias=False)
        for layer in (self.first, self.second):
            nn.init.normal_(layer.weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the scores, ``(n, n_classes)``."""
        scores: torch.Tensor = self.second(self.first(x.flatten(1)).square())
        return scores / (self.first.in_features * self.second.in_features)
