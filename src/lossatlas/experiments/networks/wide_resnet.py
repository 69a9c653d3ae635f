"""Wide residual networks for images of 32 x 32 pixels: Zagoruyko and Komodakis 2016, pre-activation, as in Horoi et al. 2022."""

import torch
from torch import nn
from torch.nn import functional

from lossatlas._arrays import InputError
from lossatlas.experiments.networks.layers import convolution, refuse_other_shapes
from lossatlas.sample import fixed_randomness

_CHANNELS = (16, 32, 64)  # of the three groups, times the width
_FACTORS = (1, 2, 2)  # by which each group makes the image smaller


def wide_resnet(depth: int, width: int, *, seed: int, n_classes: int = 10, n_channels: int = 3) -> nn.Module:
    """Return WRN-``depth``-``width``, initialised from ``seed``; the convolutions have no bias.

    >>> sum(parameter.numel() for parameter in wide_resnet(10, 1, seed=0).parameters())
    77850

    Raises:
        InputError: there is no such depth or width.
    """
    n_blocks, rest = divmod(depth - 4, 6)
    if rest or n_blocks < 1:
        raise InputError(f"depth must be 6 n + 4, as 10, 16, 22, but is {depth}; change it")
    if width < 1:
        raise InputError(f"width must be 1 or more, but is {width}; change it")
    with fixed_randomness(seed):
        layers: list[nn.Module] = [convolution(n_channels, _CHANNELS[0], 3)]
        before = _CHANNELS[0]
        for channels, factor in zip(_CHANNELS, _FACTORS, strict=True):
            for number in range(n_blocks):
                layers.append(Block(before, channels * width, stride=1 if number else factor))
                before = channels * width
        end = [nn.BatchNorm2d(before), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(before, n_classes)]
        return nn.Sequential(*layers, *end)


def wide_resnet_for(
    *, seed: int, shape: tuple[int, ...] = (3, 32, 32), n_classes: int = 10, depth: int = 10, width: int = 1
) -> nn.Module:
    """Return the same for images of a shape ``(channels, height, width)``."""
    refuse_other_shapes("wide_resnet", shape, "channels, height, width")
    return wide_resnet(depth, width, seed=seed, n_classes=n_classes, n_channels=shape[0])


class Block(nn.Module):
    """Two convolutions, each after batch norm and ReLU, beside a shortcut that has weights where the shape changes.

    Args:
        before: Channels that come in.
        channels: Channels that go out.
        stride: By how much the image becomes smaller.
    """

    def __init__(self, before: int, channels: int, *, stride: int) -> None:
        super().__init__()
        self.first_norm = nn.BatchNorm2d(before)
        self.first = convolution(before, channels, 3, stride)
        self.second_norm = nn.BatchNorm2d(channels)
        self.second = convolution(channels, channels, 3)
        self.shortcut = None if before == channels else convolution(before, channels, 1, stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the images of the block, ``(n, channels, height, width)``."""
        active = functional.relu(self.first_norm(x))
        beside = x if self.shortcut is None else self.shortcut(active)
        return self.second(functional.relu(self.second_norm(self.first(active)))) + beside
