"""Points of two spirals around each other, made on the spot: no line parts them, a small network does."""

import numpy as np
import torch

from lossatlas._arrays import InputError
from lossatlas.experiments.catalogue import refuse_small
from lossatlas.experiments.data.batches import Samples

_INNERMOST = 0.15  # where the arms begin: nearer to the middle nothing would tell them apart
_N_TEST = 1_000


def spirals(*, n_train: int = 200, split: int = 0, turns: float = 1.0, noise: float = 0.02) -> Samples:
    """Return points of the plane on two arms, half of them on each, and 1,000 to test on, the same for each ``n_train``.

    Args:
        n_train: So many to train on.
        split: Seed of the points.
        turns: By how much an arm winds; it ends at radius 1, half a turn from the other.
        noise: Deviation of the points from their arm, along both axes.

    Raises:
        InputError: a value is out of its range.
    """
    refuse_small(2, n_train=n_train)
    if turns <= 0 or noise < 0:
        raise InputError(f"turns must be above 0 and noise 0 or more, but they are {turns} and {noise}; change them")
    (x, y), (x_test, y_test) = (
        _drawn(n, turns, noise, np.random.default_rng([split, part])) for part, n in enumerate((n_train, _N_TEST))
    )
    return Samples(x, y, x_test, y_test)


def _drawn(n: int, turns: float, noise: float, rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    y = np.arange(n) % 2
    # The root spreads the points evenly along an arm, whose length grows as the square of the radius.
    radius = np.sqrt(rng.uniform(_INNERMOST**2, 1, size=n))
    angle = 2 * np.pi * turns * radius + np.pi * y
    x = radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)]) + noise * rng.normal(size=(n, 2))
    return torch.from_numpy(x).float(), torch.from_numpy(y)
