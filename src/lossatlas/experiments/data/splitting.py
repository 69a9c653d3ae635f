"""Samples in two parts: to train on, and to test on."""

from dataclasses import replace

import numpy as np
import torch
from sklearn.model_selection import train_test_split

from lossatlas._arrays import InputError
from lossatlas.experiments.data.batches import Samples


def split_by_class(x: torch.Tensor, y: np.ndarray, *, n_train: int | None, split: int, most_test: int | None = None) -> Samples:
    """Return ``n_train`` of the samples to train on, of each class as large a share, and the rest to test on.

    Args:
        x: All samples.
        y: Their classes.
        n_train: So many to train on; None takes half.
        split: Seed of which they are.
        most_test: No more of the rest than this.

    Raises:
        InputError: either part would be without a class.
    """
    n, n_classes = len(y), len(np.unique(y))
    n_train = n // 2 if n_train is None else n_train
    if not n_classes <= n_train <= n - n_classes:
        raise InputError(f"n_train must be from {n_classes} to {n - n_classes} of {n} samples, but is {n_train}; change it")
    n_test = None if most_test is None else min(most_test, n - n_train)
    train, test = train_test_split(np.arange(n), train_size=n_train, test_size=n_test, stratify=y, random_state=split)
    labels = torch.from_numpy(y).long()
    return Samples(x[train], labels[train], x[test], labels[test])


def standardised(samples: Samples) -> Samples:
    """Bring each feature, or each channel, to mean 0 and deviation 1 over the training part; the test part goes along.

    A feature that is the same in all of the training part only loses its mean.
    """
    axes = [0, *range(2, samples.train_x.dim())]
    of_training = samples.train_x.double()
    mean, deviation = of_training.mean(axes), of_training.std(axes, correction=0)
    return scaled(samples, mean, torch.where(deviation > 0, deviation, 1.0))


def scaled(samples: Samples, mean: torch.Tensor, deviation: torch.Tensor) -> Samples:
    """Subtract a mean and divide by a deviation, a number a feature or a channel; what was 0 becomes ``empty``."""
    each = (-1, *(1,) * (samples.train_x.dim() - 2))

    def of(part: torch.Tensor) -> torch.Tensor:
        # Bytes become float32: as float64 fifty thousand images in colour would be 1.2 GB, and again for each step.
        kind = part.dtype if part.is_floating_point() else torch.float32
        return ((part.to(kind) - mean.to(kind).reshape(each)) / deviation.to(kind).reshape(each)).float()

    return replace(samples, train_x=of(samples.train_x), test_x=of(samples.test_x), empty=tuple((-mean / deviation).tolist()))
