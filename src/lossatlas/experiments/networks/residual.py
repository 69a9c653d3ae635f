"""Residual networks and their plain twins: He et al. 2016, for small images, with shortcuts that have no weights."""

import torch
from torch import nn
from torch.nn import functional

from lossatlas._arrays import InputError
from lossatlas.experiments.catalogue import refuse_small
from lossatlas.experiments.networks.layers import convolution, refuse_other_shapes
from lossatlas.sample import fixed_randomness

_STAGES = 3


def residual(
    *,
    seed: int,
    shape: tuple[int, ...] = (1, 8, 8),
    n_classes: int = 10,
    depth: int = 8,
    width: int = 8,
    skips: bool = True,
) -> nn.Module:
    """Return a network of ``depth`` layers, initialised from ``seed``; with or without skips it has the same tensors.

    Its three stages have ``width``, twice and four times as many channels, and the last two halve the image. Where the shape
    changes, a skip takes every second pixel and adds channels of zeros (option A of the paper). So the two share their weights,
    and both can be in one map.

    >>> with_skips, without = (residual(seed=0, skips=skips).state_dict() for skips in (True, False))
    >>> all(torch.equal(with_skips[name], without[name]) for name in without)
    True

    Args:
        seed: Of the initialisation.
        shape: Of an image, ``(channels, height, width)``.
        n_classes: Number of classes.
        depth: 6 n + 2, with n blocks of two convolutions in each stage.
        width: Channels of the first stage; the paper has 16.
        skips: Whether what comes into a block is added to what its convolutions make of it.

    Raises:
        InputError: there is no such depth, the samples are no images, or a value is out of its range.
    """
    refuse_other_shapes("residual", shape, "channels, height, width")
    refuse_small(1, width=width, n_classes=n_classes)
    n_blocks, rest = divmod(depth - 2, 2 * _STAGES)
    if rest or n_blocks < 1:
        raise InputError(f"depth must be 6 n + 2, as 8, 14, 20, but is {depth}; change it")
    with fixed_randomness(seed):
        layers: list[nn.Module] = [convolution(shape[0], width, 3), nn.BatchNorm2d(width), nn.ReLU()]
        before = width
        for stage in range(_STAGES):
            for number in range(n_blocks):
                channels = width * 2**stage
                layers.append(Block(before, channels, stride=2 if stage and not number else 1, has_skip=skips))
                before = channels
        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(before, n_classes))


class Block(nn.Module):
    """Two convolutions, each before batch norm, a skip beside them or none, and ReLU.

    Args:
        before: Channels that come in.
        channels: Channels that go out.
        stride: By how much the image becomes smaller.
        has_skip: Whether what comes in is added.
    """

    def __init__(self, before: int, channels: int, *, stride: int, has_skip: bool) -> None:
        super().__init__()
        self.first = convolution(before, channels, 3, stride)
        self.first_norm = nn.BatchNorm2d(channels)
        self.second = convolution(channels, channels, 3)
        self.second_norm = nn.BatchNorm2d(channels)
        self.stride = stride
        self.n_added = channels - before
        self.has_skip = has_skip

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the images of the block, ``(n, channels, height, width)``."""
        made: torch.Tensor = self.second_norm(self.second(functional.relu(self.first_norm(self.first(x)))))
        return functional.relu(made + self._beside(x) if self.has_skip else made)

    def _beside(self, x: torch.Tensor) -> torch.Tensor:
        if self.stride > 1:
            x = x[..., :: self.stride, :: self.stride]
        return functional.pad(x, (0, 0, 0, 0, 0, self.n_added)) if self.n_added else x
