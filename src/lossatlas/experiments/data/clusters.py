"""Normal clusters, made on the spot, whose least possible error is chosen."""

import numpy as np
import torch
from scipy.special import ndtri

from lossatlas._arrays import InputError
from lossatlas.experiments.catalogue import refuse_small
from lossatlas.experiments.data.batches import Samples

_N_TEST = 1_000


def clusters(*, n_train: int = 200, split: int = 0, error: float = 0.1, n_classes: int = 4, n_features: int = 10) -> Samples:
    """Return points of clusters that no rule tells apart with less than ``error``, and 1,000 to test on.

    The centres are the corners of a cube, one bit of the class an axis; around them each feature is normal with variance 1. The
    best rule takes the sign along each axis. With half a side h and m axes it errs with 1 - Φ(h)^m, and h follows from that.

    Args:
        n_train: So many to train on.
        split: Seed of the points; those to test on are the same for each ``n_train``.
        error: Of the best rule: Bayes' error.
        n_classes: A power of two.
        n_features: Of these only the first log2 ``n_classes`` tell the class.

    Raises:
        InputError: a value is out of its range.
    """
    n_axes = n_classes.bit_length() - 1
    if n_classes < 2 or 2**n_axes != n_classes:
        raise InputError(f"n_classes must be a power of two, but is {n_classes}; change it")
    if not 0 < error < 1 - 1 / n_classes:
        raise InputError(f"error must be above 0 and below {1 - 1 / n_classes:g}, which is chance, but is {error}; change it")
    refuse_small(n_axes, n_features=n_features)
    refuse_small(n_classes, n_train=n_train)
    half_side = float(ndtri((1 - error) ** (1 / n_axes)))
    (x, y), (x_test, y_test) = (
        _drawn(n, half_side, (n_axes, n_features), np.random.default_rng([split, part]))
        for part, n in enumerate((n_train, _N_TEST))
    )
    return Samples(x, y, x_test, y_test)


def _drawn(n: int, half_side: float, counts: tuple[int, int], rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    n_axes, n_features = counts
    y = np.arange(n) % 2**n_axes
    x = rng.normal(size=(n, n_features))
    x[:, :n_axes] += half_side * (2 * (y[:, None] >> np.arange(n_axes) & 1) - 1)
    return torch.from_numpy(x).float(), torch.from_numpy(y)
