"""A small convolutional network for images of 8 x 8 pixels."""

from torch import nn

from lossatlas.sample import fixed_randomness


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
