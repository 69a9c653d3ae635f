"""A network of the grid as a task: its model, its data, its optimiser."""

import functools

import torch
from torch import nn

from lossatlas.experiments.data.batches import Batches, Samples
from lossatlas.experiments.data.digits import digits
from lossatlas.experiments.data.on_disk import BLACK, cifar10
from lossatlas.experiments.networks.wide_resnet import wide_resnet
from lossatlas.experiments.table_one.settings import Network, Settings
from lossatlas.sample import Task, fixed_randomness, on_device

# Images that are evaluated at once: all digits, and of CIFAR-10 what fits beside a network.
_EVALUATED = 1000
# Test images at sampled points, whose test loss nobody reads.
_FEW = 10


@functools.lru_cache(maxsize=1)
def _images(data: str, folder: str, n_train: int, split: int) -> Samples:
    return digits(n_train=n_train, split=split) if data == "digits" else cifar10(folder)


def images(settings: Settings) -> Samples:
    """Return the images of the settings, loaded once a process.

    Raises:
        InputError: CIFAR-10 or what reads it is not there.
    """
    return _images(settings.data, settings.folder, settings.n_train, settings.split)


def task(network: Network, settings: Settings, data: Samples, *, is_sampling: bool = False) -> Task:
    """Return a network of the grid with its data and its optimiser.

    Training losses are those of the images as they are; the authors evaluate with the augmentation and without a tenth.

    Args:
        network: Which.
        settings: Of the experiment.
        data: Samples to train on and to test on.
        is_sampling: Around the minimum, where the epochs are those of retrainings, and of the test images a few are enough.
    """
    is_cifar = settings.data == "cifar10"
    train = Batches(
        data.train_x,
        data.train_y,
        network.batch,
        passes=settings.passes if is_sampling else 1,
        shift=settings.shift if network.is_augmented else 0,
        is_flipped=network.is_augmented and is_cifar,
        empty=BLACK if is_cifar else (0.0,),
    )
    few = _FEW if is_sampling else len(data.test_y)
    made = Task(
        model=_model(network, settings),
        loss=nn.CrossEntropyLoss(),
        train=train,
        test=_parts(data.test_x[:few], data.test_y[:few]),
        optimizer=functools.partial(torch.optim.SGD, lr=settings.learning_rate, momentum=0.9, weight_decay=network.weight_decay),
        train_eval=_parts(data.train_x, data.train_y),
        name=f"{network.name} {settings.key(network)}",
    )
    return on_device(made, settings.device)


def _parts(x: torch.Tensor, y: torch.Tensor) -> list[tuple[torch.Tensor, torch.Tensor]]:
    return list(zip(x.split(_EVALUATED), y.split(_EVALUATED), strict=True))


def _model(network: Network, settings: Settings) -> nn.Module:
    if settings.data == "cifar10":
        return wide_resnet(network.depth, network.width, seed=settings.seed)
    return small_network(network.depth, network.width, seed=settings.seed)


def small_network(depth: int, width: int, *, seed: int) -> nn.Module:
    """Return a network for images of 8 x 8 pixels, with ``depth`` convolutions of ``width`` channels, each before batch norm.

    The first makes 4 x 4 of 8 x 8 by its stride: on a processor that is a fifth of the time of pooling.
    """
    with fixed_randomness(seed):
        layers: list[nn.Module] = []
        for number in range(depth):
            convolution = nn.Conv2d(width if number else 1, width, 3, stride=1 if number else 2, padding=1, bias=False)
            layers += [convolution, nn.BatchNorm2d(width), nn.ReLU()]
        return nn.Sequential(*layers, nn.Flatten(), nn.Linear(16 * width, 10))
