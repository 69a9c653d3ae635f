"""How long the experiment will take and how much disk, before it begins."""

import itertools
import time
from dataclasses import dataclass, replace

import numpy as np
import torch

from lossatlas.experiments.data.batches import Samples
from lossatlas.experiments.table_one.classification import ClassificationSettings, accuracy
from lossatlas.experiments.table_one.features import MEANINGS, TARGETS
from lossatlas.experiments.table_one.settings import Network, Settings
from lossatlas.experiments.table_one.task import images, task
from lossatlas.experiments.timing import n_bytes, said_size, seconds_of_evaluation, seconds_of_recording, seconds_of_update
from lossatlas.sample.jump.cost import one_thread, spoken

_STANDING_IN = 64  # images in place of CIFAR-10, which need not be there
_CIFAR = (50_000, 10_000)
_BYTES_OF_NUMBER = 20  # in a file of text


@dataclass(frozen=True)
class Cost:
    """What a run will take from its beginning; what is done already is not counted off.

    >>> print(Cost(n_networks=108, n_points=640, seconds=3.1e6, n_bytes=40_000_000_000, n_bytes_kept=9_000_000, workers=2))
    108 networks, 3 x 640 points each: about 36 days on 2 processes, up to 40 GB on disk meanwhile, 9 MB afterwards
    """

    n_networks: int
    n_points: int
    seconds: float
    n_bytes: int
    n_bytes_kept: int
    workers: int

    def __str__(self) -> str:
        processes = "one process" if self.workers == 1 else f"{self.workers} processes"
        return (
            f"{self.n_networks} networks, 3 x {self.n_points} points each: about {spoken(self.seconds)} on {processes}, "
            f"up to {said_size(self.n_bytes)} on disk meanwhile, {said_size(self.n_bytes_kept)} afterwards"
        )


def cost(settings: Settings, *, workers: int = 1) -> Cost:
    """Time some updates, some points and some classifiers, and return what all of it will take.

    The other processes are taken to be as fast as this one is with one thread. CIFAR-10 need not be there.
    """
    is_cifar = settings.data == "cifar10"
    data = _stand_in() if is_cifar else images(settings)
    counts = _CIFAR if is_cifar else (len(data.train_y), len(data.test_y))
    seconds, largest = 0.0, 0
    same = len(settings.weight_decays) * len(settings.augmentations)
    # Of CIFAR-10 one batch size is timed for all: a processor is busy with so many images, and they are slow.
    batches = (min(settings.batches),) if is_cifar else settings.batches
    with one_thread(is_wanted=workers > 1):
        for depth, width in itertools.product(settings.depths, settings.widths):
            for batch in batches:
                network = Network(depth=depth, width=width, batch=batch, weight_decay=0.0, is_augmented=True)
                each = _seconds_of_network(network, settings, data, counts)
                seconds += same * each * len(settings.batches) / len(batches)
            largest = max(largest, n_bytes(task(network, settings, data)))
        seconds += _seconds_of_classification(settings)
    n_networks = len(settings.networks)
    return Cost(
        n_networks=n_networks,
        n_points=settings.n_points,
        seconds=seconds / workers,
        n_bytes=min(workers, n_networks) * largest * (settings.epochs + 1 + 3 * settings.n_points),
        n_bytes_kept=n_networks * 3 * settings.n_points * 2 * _BYTES_OF_NUMBER,
        workers=workers,
    )


def _seconds_of_network(network: Network, settings: Settings, data: Samples, counts: tuple[int, int]) -> float:
    """Return what a network takes on as many images to train and to test on as ``counts`` says."""
    n_train, n_test = counts
    around, whole = (task(network, settings, data, is_sampling=is_sampling) for is_sampling in (True, False))
    of_epoch = -(-n_train // network.batch) * seconds_of_update(around)
    recording = seconds_of_recording(around)
    of_point = recording + seconds_of_evaluation(around, n_samples=n_train)
    of_whole_point = recording + seconds_of_evaluation(whole, n_samples=n_train + n_test)
    training = settings.epochs * (of_epoch + of_whole_point)
    retraining = settings.n_jumps * settings.jump.epochs * settings.passes * of_epoch
    # The rivals' points pass over the data twice: for batch norm, and to be evaluated.
    n_passes = 5 if settings.jump.batchnorm == "recompute" else 3
    return training + retraining + n_passes * settings.n_points * of_point


def _stand_in() -> Samples:
    x, y = torch.rand(_STANDING_IN, 3, 32, 32, generator=torch.Generator().manual_seed(0)), torch.arange(_STANDING_IN) % 10
    return Samples(x, y, x, y)


def _seconds_of_classification(settings: Settings) -> float:
    """Return what all rows and targets take, from one round of two folds on noise."""
    own, n = settings.classification, max(len(settings.networks), 4)
    noise = np.random.default_rng(0).lognormal(size=(n, 2 * settings.n_points))
    few: ClassificationSettings = replace(own, rounds=1, folds=2)
    times = own.rounds * own.folds / 2 * len(MEANINGS) * len(TARGETS)
    began = time.perf_counter()
    accuracy(noise, np.arange(n) % 2, few)
    return (time.perf_counter() - began) * times
