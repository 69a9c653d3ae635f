"""Tables that come with scikit-learn: measurements of flowers, of wines, and of cells."""

from collections.abc import Callable
from typing import Any

import torch
from sklearn.datasets import load_breast_cancer, load_iris, load_wine

from lossatlas.experiments.data.batches import Samples
from lossatlas.experiments.data.splitting import split_by_class, standardised


def iris(*, n_train: int | None = None, split: int = 0) -> Samples:
    """Return 150 irises of three species by 4 measurements, the training part at mean 0 and deviation 1."""
    return _table(load_iris, n_train, split)


def wine(*, n_train: int | None = None, split: int = 0) -> Samples:
    """Return 178 wines of three growers by 13 measurements, the training part at mean 0 and deviation 1."""
    return _table(load_wine, n_train, split)


def breast_cancer(*, n_train: int | None = None, split: int = 0) -> Samples:
    """Return 569 tumours, malignant or not, by 30 measurements of cells, the training part at mean 0 and deviation 1."""
    return _table(load_breast_cancer, n_train, split)


def _table(load: Callable[..., Any], n_train: int | None, split: int) -> Samples:
    x, y = load(return_X_y=True)
    return standardised(split_by_class(torch.from_numpy(x), y, n_train=n_train, split=split))
