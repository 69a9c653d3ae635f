"""Sets of images on the disk, by torchvision; nothing is downloaded."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import torch

from lossatlas._arrays import InputError
from lossatlas.experiments.data.batches import Samples
from lossatlas.experiments.data.splitting import scaled, split_by_class

# Of the red, green and blue of the training images of CIFAR-10, from 0 to 255, as the authors of the paper have them.
MEAN = (125.3, 123.0, 113.9)
DEVIATION = (63.0, 62.1, 66.7)
BLACK = tuple(-mean / deviation for mean, deviation in zip(MEAN, DEVIATION, strict=True))  # as it is after scaling


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A set that torchvision reads.

    Attributes:
        title: Its name for people.
        reader: Its name in ``torchvision.datasets``.
        shape: Of an image.
        n_classes: Number of classes.
        n_train: Images to train on.
        n_test: Images to test on.
        scale: Mean and deviation of each channel; None measures them on the training images.
    """

    title: str
    reader: str
    shape: tuple[int, ...]
    n_classes: int = 10
    n_train: int = 60_000
    n_test: int = 10_000
    scale: tuple[tuple[float, ...], tuple[float, ...]] | None = None


KEPT: Mapping[str, Kept] = MappingProxyType(
    {
        "cifar10": Kept(title="CIFAR-10", reader="CIFAR10", shape=(3, 32, 32), n_train=50_000, scale=(MEAN, DEVIATION)),
        "cifar100": Kept(title="CIFAR-100", reader="CIFAR100", shape=(3, 32, 32), n_classes=100, n_train=50_000),
        "mnist": Kept(title="MNIST", reader="MNIST", shape=(1, 28, 28)),
        "fashion_mnist": Kept(title="Fashion-MNIST", reader="FashionMNIST", shape=(1, 28, 28)),
    }
)


def on_disk(name: str, *, folder: str = "data", n_train: int | None = None, split: int = 0) -> Samples:
    """Return a set of ``KEPT``, its channels brought to mean 0 and deviation 1 over all of its training images.

    Args:
        name: Which.
        folder: Where it is.
        n_train: So many of its training images, of each class as large a share; None takes all.
        split: Seed of which they are.

    Raises:
        InputError: torchvision or the images are not there, or they are fewer.
    """
    kept = KEPT[name]
    train, test = (_read(kept, folder, is_train=is_train) for is_train in (True, False))
    (x, y), (x_test, y_test) = (_bytes(part) for part in (train, test))
    mean, deviation = _scale(x) if kept.scale is None else map(torch.tensor, kept.scale)
    if n_train is not None and n_train != len(y):
        chosen = split_by_class(x, y.numpy(), n_train=n_train, split=split)
        x, y = chosen.train_x, chosen.train_y
    return scaled(Samples(x, y, x_test, y_test), mean, deviation)


def cifar10(folder: str) -> Samples:
    """Return all of CIFAR-10; see :func:`on_disk`."""
    return on_disk("cifar10", folder=folder)


def _read(kept: Kept, folder: str, *, is_train: bool) -> Any:  # noqa: ANN401 - one of torchvision's
    try:
        from torchvision import datasets
    except (ImportError, RuntimeError) as error:  # the second: it is there, but of another build than torch
        raise InputError(
            f"{kept.title} is read by torchvision, which cannot be imported ({_said(error)}); install the one that fits your "
            "torch (pip install torchvision), or take data that come along, as digits"
        ) from None
    reader: Callable[..., Any] = getattr(datasets, kept.reader)
    try:
        return reader(folder, train=is_train)
    except (RuntimeError, OSError) as error:
        raise InputError(
            f"{kept.title} is not in {folder!r} ({_said(error)}); fetch it once: "
            f'python -c "import torchvision; torchvision.datasets.{kept.reader}({folder!r}, download=True)"'
        ) from None


def _said(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__).rstrip(".")


def _bytes(part: Any) -> tuple[torch.Tensor, torch.Tensor]:  # noqa: ANN401 - one of torchvision's
    """Return images ``(n, channels, height, width)`` as bytes, and their classes."""
    pixels = torch.as_tensor(part.data)
    images = pixels[:, None] if pixels.dim() == 3 else pixels.permute(0, 3, 1, 2)
    return images.contiguous(), torch.as_tensor(part.targets)


def _scale(images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return mean and deviation of each channel, from how often each of the 256 values occurs: no copy as numbers is made."""
    values = torch.arange(256).double()
    counts = torch.from_numpy(np.stack([np.bincount(channel.numpy().ravel(), minlength=256) for channel in images.unbind(1)]))
    share = counts.double() / counts.sum(1, keepdim=True)
    mean = share @ values
    return mean, (share @ values**2 - mean**2).sqrt()
