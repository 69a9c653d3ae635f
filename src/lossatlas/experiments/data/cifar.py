"""CIFAR-10 from the disk, by torchvision; nothing is downloaded."""

from typing import Any

import torch

from lossatlas._arrays import InputError
from lossatlas.experiments.data.batches import Images

# Of the red, green and blue of the training images, as the authors of the paper have them.
MEAN = (125.3 / 255, 123.0 / 255, 113.9 / 255)
DEVIATION = (63.0 / 255, 62.1 / 255, 66.7 / 255)
BLACK = tuple(-mean / deviation for mean, deviation in zip(MEAN, DEVIATION, strict=True))  # as it is after scaling


def cifar10(folder: str) -> Images:
    """Return the 50,000 and 10,000 images, channels brought to mean 0 and deviation 1.

    Raises:
        InputError: torchvision or the images are not there.
    """
    try:
        from torchvision.datasets import CIFAR10
    except ImportError:
        raise InputError(
            "CIFAR-10 is read by torchvision, which is not installed; install it (pip install torchvision), "
            "or take the experiment on digits, table-1"
        ) from None
    try:
        train, test = CIFAR10(folder, train=True), CIFAR10(folder, train=False)
    except (RuntimeError, OSError) as error:
        said = next(iter(str(error).splitlines()), type(error).__name__).rstrip(".")
        raise InputError(
            f"CIFAR-10 is not in {folder!r} ({said}); fetch it once: "
            f'python -c "import torchvision; torchvision.datasets.CIFAR10({folder!r}, download=True)"'
        ) from None
    return Images(_scaled(train.data), torch.tensor(train.targets), _scaled(test.data), torch.tensor(test.targets))


def _scaled(images: Any) -> torch.Tensor:  # noqa: ANN401 - bytes, (n, height, width, channels)
    x = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255
    mean, deviation = (torch.tensor(values).reshape(1, 3, 1, 1) for values in (MEAN, DEVIATION))
    return ((x - mean) / deviation).contiguous()
