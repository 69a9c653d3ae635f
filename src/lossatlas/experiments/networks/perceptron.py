"""Perceptrons of any depth: each layer sees all of the one before."""

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

from torch import nn

from lossatlas.experiments.catalogue import named, refuse_small
from lossatlas.sample import fixed_randomness

ACTIVATIONS: Mapping[str, Callable[[], nn.Module]] = MappingProxyType(
    {"relu": nn.ReLU, "tanh": nn.Tanh, "gelu": nn.GELU, "silu": nn.SiLU}
)


def mlp(
    *,
    seed: int,
    shape: tuple[int, ...] = (1, 8, 8),
    n_classes: int = 10,
    depth: int = 2,
    width: int = 64,
    activation: str = "relu",
    batch_norm: bool = False,
) -> nn.Module:
    """Return a perceptron for samples of any shape, initialised from ``seed`` by torch's defaults.

    Args:
        seed: Of the initialisation.
        shape: Of a sample.
        n_classes: Number of classes.
        depth: Hidden layers; 0 is a linear classifier.
        width: Units of each.
        activation: One of ``ACTIVATIONS``.
        batch_norm: Whether one stands before each activation; the layers before them then have no bias.

    Raises:
        InputError: a value is out of its range.
    """
    refuse_small(0, depth=depth)
    refuse_small(1, width=width, n_classes=n_classes)
    active = named("activation", activation, ACTIVATIONS)
    with fixed_randomness(seed):
        layers: list[nn.Module] = [nn.Flatten()]
        before = math.prod(shape)
        for _ in range(depth):
            layers += [nn.Linear(before, width, bias=not batch_norm), *([nn.BatchNorm1d(width)] if batch_norm else []), active()]
            before = width
        return nn.Sequential(*layers, nn.Linear(before, n_classes))
