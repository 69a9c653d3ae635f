"""Addition modulo a number: all pairs, some of them to train on."""

import torch
from torch.nn import functional

from lossatlas._arrays import InputError
from lossatlas.experiments.catalogue import refuse_small
from lossatlas.experiments.data.batches import Samples


def modular_sums(*, n_train: int | None = None, split: int = 0, modulus: int = 31) -> Samples:
    """Return all pairs (a, b) of numbers below ``modulus`` with (a + b) mod ``modulus`` as their class.

    A pair is ``2 * modulus`` numbers: a one at place a, and another at place ``modulus`` + b.

    >>> found = modular_sums(n_train=6, modulus=3)
    >>> found.train_x.shape, found.test_x.shape, found.train_x[0].tolist(), int(found.train_y[0])
    (torch.Size([6, 6]), torch.Size([3, 6]), [0.0, 0.0, 1.0, 0.0, 0.0, 1.0], 1)

    Args:
        n_train: So many to train on, drawn from all pairs alike; None takes half. The rest are tested.
        split: Seed of which they are.
        modulus: The number.

    Raises:
        InputError: the modulus is below 2, or nothing is left to train or to test on.
    """
    refuse_small(2, modulus=modulus)
    n = modulus**2
    n_train = n // 2 if n_train is None else n_train
    if not 1 <= n_train < n:
        raise InputError(f"n_train must be from 1 to {n - 1} of {n} pairs, but is {n_train}; change it")
    numbers = torch.cartesian_prod(torch.arange(modulus), torch.arange(modulus))
    x = functional.one_hot(numbers, modulus).flatten(1).float()
    y = numbers.sum(dim=1) % modulus
    train, test = torch.randperm(n, generator=torch.Generator().manual_seed(split)).tensor_split([n_train])
    return Samples(x[train], y[train], x[test], y[test])
