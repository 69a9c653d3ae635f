"""Layers that several networks have, and what refuses samples that do not fit them."""

from torch import nn

from lossatlas._arrays import InputError


def convolution(before: int, channels: int, size: int, stride: int = 1) -> nn.Conv2d:
    """Return a convolution without bias that keeps the size of images, but for its stride; He et al.'s initialisation."""
    made = nn.Conv2d(before, channels, size, stride=stride, padding=size // 2, bias=False)
    nn.init.kaiming_normal_(made.weight, mode="fan_out", nonlinearity="relu")
    return made


def refuse_other_shapes(name: str, shape: tuple[int, ...], axes: str) -> None:
    """Refuse samples with another number of axes than those that are named.

    Raises:
        InputError: there are more or fewer.
    """
    if len(shape) != len(axes.split(", ")):
        raise InputError(f"{name} takes samples of shape ({axes}), but theirs is {shape}; take other data, or an mlp")
