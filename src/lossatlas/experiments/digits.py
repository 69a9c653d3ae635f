"""Handwritten digits, a small convolutional network, and batches of them that any process can make again."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.nn import functional

from lossatlas.sample import fixed_randomness


@dataclass(frozen=True, eq=False)
class Images:
    """Images to train on and images to test on, with their classes."""

    train_x: torch.Tensor  # (n, channels, height, width)
    train_y: torch.Tensor  # (n,)
    test_x: torch.Tensor
    test_y: torch.Tensor


def digits(*, n_train: int, split: int, random_labels: bool = False) -> Images:
    """Return ``n_train`` digits to train on, as many of each class, and the rest to test on.

    They are scans of 8 x 8 pixels from 0 to 1, 1,797 in all: scikit-learn's ``load_digits``. With ``random_labels`` each training
    label is replaced by a class drawn evenly from the ten; test labels stay true.
    """
    images, labels = load_digits(return_X_y=True)
    train_x, test_x, train_y, test_y = train_test_split(images, labels, train_size=n_train, stratify=labels, random_state=split)
    x, x_test = (torch.from_numpy(part / 16).float().reshape(-1, 1, 8, 8) for part in (train_x, test_x))
    y, y_test = (torch.from_numpy(part).long() for part in (train_y, test_y))
    if random_labels:
        y = torch.randint(10, y.shape, generator=torch.Generator().manual_seed(split))
    return Images(x, y, x_test, y_test)


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


def network(seed: int) -> nn.Module:
    """Return a convolutional network with batch norm and 9,978 parameters, initialised from ``seed``."""
    with fixed_randomness(seed):
        return nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1, bias=False),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1, bias=False),
            nn.BatchNorm2d(32),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(32 * 16, 10),
        )
