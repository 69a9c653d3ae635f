"""Handwritten digits: 1,797 scans that come with scikit-learn."""

import torch
from sklearn.datasets import load_digits

from lossatlas.experiments.data.batches import Samples
from lossatlas.experiments.data.labels import with_random_labels
from lossatlas.experiments.data.splitting import split_by_class


def digits(*, n_train: int | None = None, split: int = 0, random_labels: bool = False) -> Samples:
    """Return ``n_train`` digits to train on, as many of each class, and the rest to test on.

    They are scans of 8 x 8 pixels from 0 to 1, 1,797 in all: scikit-learn's ``load_digits``. With ``random_labels`` each training
    label is replaced by a class drawn evenly from the ten; test labels stay true.
    """
    pixels, labels = load_digits(return_X_y=True)
    images = torch.from_numpy(pixels / 16).float().reshape(-1, 1, 8, 8)
    found = split_by_class(images, labels, n_train=n_train, split=split)
    return with_random_labels(found, seed=split) if random_labels else found
