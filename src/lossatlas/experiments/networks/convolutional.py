"""Small convolutional networks for images and for signals."""

from torch import nn

from lossatlas._arrays import InputError
from lossatlas.experiments.catalogue import refuse_small
from lossatlas.sample import fixed_randomness

_OVER = {
    2: (nn.Conv1d, nn.BatchNorm1d, nn.MaxPool1d),
    3: (nn.Conv2d, nn.BatchNorm2d, nn.MaxPool2d),
}


def convolutional(
    *, seed: int, shape: tuple[int, ...] = (1, 8, 8), n_classes: int = 10, depth: int = 2, width: int = 16
) -> nn.Module:
    """Return convolutions, each before batch norm and ReLU, and a linear layer, initialised from ``seed`` by torch's defaults.

    After each but the last the largest of two neighbours along each axis is taken, and the next has twice as many channels. As
    it comes, for 8 x 8 pixels, the network has 9,978 parameters.

    Args:
        seed: Of the initialisation.
        shape: Of an image ``(channels, height, width)`` or a signal ``(channels, length)``.
        n_classes: Number of classes.
        depth: Number of convolutions.
        width: Channels of the first.

    Raises:
        InputError: the samples are neither, or too small for so many convolutions, or a value is out of its range.
    """
    refuse_small(1, depth=depth, width=width, n_classes=n_classes)
    if len(shape) not in _OVER:
        raise InputError(
            f"convolutional takes samples of shape (channels, height, width) or (channels, length), but theirs is {shape}; "
            "take other data, or an mlp"
        )
    convolution, norm, pool = _OVER[len(shape)]
    before, *size = shape
    if min(size) < 2 ** (depth - 1):
        raise InputError(f"{depth} convolutions halve samples {depth - 1} times, but they are {size} wide; take a smaller depth")
    with fixed_randomness(seed):
        layers: list[nn.Module] = []
        for number in range(depth):
            channels = width * 2**number
            layers += [convolution(before, channels, 3, padding=1, bias=False), norm(channels), nn.ReLU()]
            before = channels
            if number < depth - 1:
                layers.append(pool(2))
                size = [side // 2 for side in size]
        for side in size:
            before *= side
        return nn.Sequential(*layers, nn.Flatten(), nn.Linear(before, n_classes))
