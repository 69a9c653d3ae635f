"""Handwritten digits: 1,797 scans that come with scikit-learn."""

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from lossatlas.experiments.data.batches import Images


def digits(*, n_train: int, split: int, random_labels: bool = False) -> Images:
    """Return ``n_train`` digits to train on, as many of each class, and the rest to test on.

    They are scans of 8 x 8 pixels from 0 to 1, 1,797 in all: scikit-learn's ``load_digits``. With ``random_labels`` each training
    label is replaced by a class drawn evenly from the ten; test labels stay true.
    """
    images, labels = load_digits(return_X_y=True)
    train_x, test_x, train_y, test_y = train_test_split(images, labels, train_size=n_train, stratify=labels, random_state=split)
    x, x_test = (torch.from_numpy(part / 16).float().reshape(-1, 1, 8, 8) for part in (train_x, test_x))
    y, y_test = (torch.from_numpy(part).long() for part in (train_y, test_y))
    if random_labels:
        y = torch.randint(10, y.shape, generator=torch.Generator().manual_seed(split))
    return Images(x, y, x_test, y_test)
