"""Signals of ten classes, made on the spot, in which a pattern lies somewhere: after MNIST-1D (Greydanus and Kobak 2020).

A class is a curve of 12 points, which is scaled, put somewhere, tilted, blurred by noise, and read off at 40 places. The steps
are of that kind; the ten curves and the strengths are our own, so that numbers of MNIST-1D are not to be compared with. Here the
pattern never leaves the signal on one side to come in at the other.
"""

import numpy as np
import torch
from scipy.ndimage import gaussian_filter1d

from lossatlas.experiments.catalogue import refuse_small
from lossatlas.experiments.data.batches import Samples
from lossatlas.experiments.data.splitting import standardised

# Where a pen is, left to right, while it writes a digit from top to bottom.
TEMPLATES = np.array(
    [
        [0.0, 0.6, 0.9, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.9, 0.6, 0.0],
        [-0.5, -0.2, 0.1, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4],
        [-0.6, 0.0, 0.6, 0.9, 0.9, 0.6, 0.2, -0.2, -0.6, -0.9, 0.0, 0.9],
        [-0.4, 0.4, 0.9, 0.7, 0.2, 0.0, 0.2, 0.7, 1.0, 0.8, 0.2, -0.6],
        [0.1, -0.2, -0.5, -0.8, -1.0, 1.0, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3],
        [0.9, -0.5, -0.7, -0.7, -0.7, 0.2, 0.7, 0.9, 0.9, 0.7, 0.2, -0.6],
        [0.6, 0.2, -0.2, -0.6, -0.9, -1.0, 0.1, 0.7, 0.8, 0.5, 0.0, -0.6],
        [-0.9, 0.0, 0.9, 1.0, 0.8, 0.6, 0.4, 0.2, 0.0, -0.2, -0.4, -0.6],
        [0.3, -0.4, -0.7, -0.5, 0.0, 0.6, 0.9, 0.7, 0.2, -0.5, -0.8, 0.0],
        [0.5, -0.3, -0.7, -0.6, 0.1, 0.8, 0.8, 0.8, 0.7, 0.5, 0.2, -0.3],
    ]
)
LENGTH = 40
_PADDING = (36, 60)  # points beside the pattern's twelve, before the signal is read off
_SCALE = 0.4  # the pattern's size goes from 1 - 0.4 to 1 + 0.4
_TILT = 0.75  # of the whole signal, from one end to the other, up or down by at most so much
_SMOOTH_NOISE, _SMOOTHED_OVER = 0.25, 2.0  # deviation, and of how many points
_NOISE = 0.02
_N_TEST = 1_000


def signals(*, n_train: int = 1_000, split: int = 0) -> Samples:
    """Return signals of 40 numbers, as many of each class, and 1,000 to test on that are the same for each ``n_train``.

    Together the training signals have mean 0 and deviation 1.

    >>> signals(n_train=30).train_x.shape
    torch.Size([30, 1, 40])
    """
    refuse_small(len(TEMPLATES), n_train=n_train)
    (x, y), (x_test, y_test) = (_drawn(n, np.random.default_rng([split, part])) for part, n in enumerate((n_train, _N_TEST)))
    return standardised(Samples(x, y, x_test, y_test))


def _drawn(n: int, rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    y = np.arange(n) % len(TEMPLATES)
    own = TEMPLATES.shape[1]
    length = own + rng.integers(*_PADDING, size=(n, 1), endpoint=True)
    start = rng.uniform(0, length - own)
    at = np.linspace(0, 1, LENGTH)
    size = 1 + _SCALE * rng.uniform(-1, 1, size=(n, 1))
    tilt = _TILT * rng.uniform(-1, 1, size=(n, 1)) * (at - 0.5)
    smooth = gaussian_filter1d(rng.normal(size=(n, LENGTH)), _SMOOTHED_OVER, axis=1, mode="wrap")
    noise = _SMOOTH_NOISE * smooth / smooth.std() + _NOISE * rng.normal(size=(n, LENGTH))
    x = size * _read(y, at * (length - 1) - start) + tilt + noise
    return torch.from_numpy(x).float()[:, None], torch.from_numpy(y)


def _read(y: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Return the curve of each class between its points, and 0 where it has none."""
    curves = np.pad(TEMPLATES, ((0, 0), (1, 2)))[y]
    inside = np.clip(places + 1, 0, curves.shape[1] - 1.001)
    below = inside.astype(int)
    left, right = (np.take_along_axis(curves, below + step, axis=1) for step in (0, 1))
    return left + (inside - below) * (right - left)
