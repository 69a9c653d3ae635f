"""Data by the names that settings have for them."""

import functools
from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch

from lossatlas.experiments.catalogue import Value, named, refuse_other_options
from lossatlas.experiments.data.batches import Samples
from lossatlas.experiments.data.clusters import clusters
from lossatlas.experiments.data.digits import digits
from lossatlas.experiments.data.labels import with_random_labels
from lossatlas.experiments.data.modular import modular_sums
from lossatlas.experiments.data.on_disk import KEPT, on_disk
from lossatlas.experiments.data.photographs import photographs
from lossatlas.experiments.data.signals import signals
from lossatlas.experiments.data.spirals import spirals
from lossatlas.experiments.data.tables import breast_cancer, iris, wine
from lossatlas.experiments.data.text import text

# Each takes `n_train`, so many to train on, and `split`, the seed of which they are; some have options of their own.
SETS: Mapping[str, Callable[..., Samples]] = MappingProxyType(
    {
        "digits": digits,
        "iris": iris,
        "wine": wine,
        "breast_cancer": breast_cancer,
        "photographs": photographs,
        "signals": signals,
        "spirals": spirals,
        "clusters": clusters,
        "modular_sums": modular_sums,
        "text": text,
        **{name: functools.partial(on_disk, name) for name in KEPT},
    }
)

_STANDING_IN = 256  # images in place of a set that need not be there


def samples(name: str, *, split: int = 0, random_share: float = 0.0, **options: Value) -> Samples:
    """Return samples to train and test on.

    >>> found = samples("wine", n_train=90, split=3)
    >>> found.shape, found.n_classes, len(found.test_y)
    ((13,), 3, 88)

    Args:
        name: One of ``SETS``.
        split: Seed of which are trained on, and of the random labels.
        random_share: Of the training labels, replaced by classes drawn evenly; see :func:`with_random_labels`.
        options: As the set takes them: ``n_train``; ``folder`` of what is on the disk; and others.

    Raises:
        InputError: there is no such set, it does not take an option, or a value is out of its range.
    """
    found = _set(name, options)(split=split, **options)
    return with_random_labels(found, random_share, seed=split) if random_share else found


def n_samples(name: str, *, split: int = 0, **options: Value) -> tuple[int, int]:
    """Return how many samples there are to train and to test on, also of sets that are not there.

    >>> n_samples("cifar10"), n_samples("digits", n_train=200)
    ((50000, 10000), (200, 1597))
    """
    found = _set(name, options)
    if name not in KEPT:
        made = found(split=split, **options)
        return len(made.train_y), len(made.test_y)
    return int(options.get("n_train", KEPT[name].n_train)), KEPT[name].n_test


def stand_in(name: str, *, split: int = 0, **options: Value) -> Samples:
    """Return samples of the same shapes and classes to time a network with: noise in place of sets on the disk."""
    found = _set(name, options)
    if name not in KEPT:
        return found(split=split, **options)
    kept = KEPT[name]
    x = torch.rand(_STANDING_IN, *kept.shape, generator=torch.Generator().manual_seed(split))
    y = torch.arange(_STANDING_IN) % kept.n_classes
    return Samples(x, y, x, y, empty=(0.0,) * kept.shape[0])


def _set(name: str, options: Mapping[str, Value]) -> Callable[..., Samples]:
    found = named("data", name, SETS)
    refuse_other_options(name, found, options, given={"split", "name", "random_labels"})
    return found
