"""Samples to train and to test on, and batches of them that any process can make again."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch.nn import functional


@dataclass(frozen=True, eq=False)
class Samples:
    """Samples to train on and samples to test on, with their classes.

    Attributes:
        train_x: Vectors ``(n, features)``, signals ``(n, channels, length)`` or images ``(n, channels, height, width)``.
        train_y: Classes from 0 on, ``(n,)``.
        test_x: As ``train_x``.
        test_y: As ``train_y``.
        empty: What nothing looks like, such as black: a number a channel, or one for all.
    """

    train_x: torch.Tensor
    train_y: torch.Tensor
    test_x: torch.Tensor
    test_y: torch.Tensor
    empty: tuple[float, ...] = (0.0,)

    @property
    def tensors(self) -> dict[str, torch.Tensor]:
        """Samples and classes of both parts, by their names."""
        return {name: value for name, value in vars(self).items() if isinstance(value, torch.Tensor)}

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one sample."""
        return tuple(self.train_x.shape[1:])

    @property
    def n_classes(self) -> int:
        """Number of classes: one more than the greatest."""
        return int(torch.cat([self.train_y, self.test_y]).max()) + 1


@dataclass(frozen=True, eq=False)
class Batches:
    """Batches in a new order at each pass, drawn from torch's generator, which whoever iterates sets."""

    x: torch.Tensor
    y: torch.Tensor
    size: int
    passes: int = 1  # over the data in one iteration
    shift: int = 0  # each image is moved by up to so many pixels along both axes
    is_flipped: bool = False  # each image is mirrored, left to right, by chance of one half
    empty: tuple[float, ...] = (0.0,)  # what comes in where an image is moved, a number a channel or one for all

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        for _ in range(self.passes):
            for chosen in torch.randperm(len(self.y)).split(self.size):
                x = self.x[chosen]
                if self.shift:
                    empty = torch.tensor(self.empty).reshape(1, -1, 1, 1)
                    x = shifted(x - empty, self.shift) + empty
                yield (flipped(x) if self.is_flipped else x), self.y[chosen]


def shifted(images: torch.Tensor, most: int) -> torch.Tensor:
    """Move each image by up to ``most`` pixels along both axes, with 0 where nothing comes in."""
    n, channels, height, width = images.shape
    padded = functional.pad(images, (most,) * 4)
    down, right = torch.randint(2 * most + 1, (2, n, 1))
    rows = (down + torch.arange(height))[:, None, :, None]
    columns = (right + torch.arange(width))[:, None, None, :]
    return padded[torch.arange(n)[:, None, None, None], torch.arange(channels)[:, None, None], rows, columns]


def flipped(images: torch.Tensor) -> torch.Tensor:
    """Mirror each image, left to right, with a chance of a half."""
    is_mirrored = torch.rand(len(images)) < 0.5
    return torch.where(is_mirrored[:, None, None, None], images.flip(-1), images)
