"""Tiles of the two photographs that come with scikit-learn: a temple and a flower."""

import numpy as np
import torch
from sklearn.datasets import load_sample_images

from lossatlas.experiments.data.batches import Samples
from lossatlas.experiments.data.splitting import split_by_class, standardised

_SIDE = 8
_MOST_TEST = 1_600  # nearly as many as there are digits


def photographs(*, n_train: int = 200, split: int = 0) -> Samples:
    """Return tiles of 8 x 8 pixels in colour, to be told by which of two photographs they come from.

    No tiles overlap, but neighbours look alike and may be one in each part: the test accuracy is of these two photographs and
    says nothing of a third. Each channel of the training part has mean 0 and deviation 1.
    """
    tiles = [_tiles(image) for image in load_sample_images().images]
    y = np.repeat(np.arange(len(tiles)), [len(own) for own in tiles])
    made = split_by_class(torch.from_numpy(np.concatenate(tiles)), y, n_train=n_train, split=split, most_test=_MOST_TEST)
    return standardised(made)


def _tiles(image: np.ndarray) -> np.ndarray:
    """Cut ``(height, width, channels)`` into ``(n, channels, side, side)``; what is left at the margins is dropped."""
    height, width, channels = image.shape
    rows, columns = height // _SIDE, width // _SIDE
    cut = image[: rows * _SIDE, : columns * _SIDE].reshape(rows, _SIDE, columns, _SIDE, channels)
    return cut.transpose(0, 2, 4, 1, 3).reshape(-1, channels, _SIDE, _SIDE)
