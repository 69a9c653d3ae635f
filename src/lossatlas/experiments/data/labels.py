"""Labels that tell nothing."""

from dataclasses import replace

import torch

from lossatlas._arrays import InputError
from lossatlas.experiments.data.batches import Samples


def with_random_labels(samples: Samples, share: float = 1.0, *, seed: int) -> Samples:
    """Return samples of which a share of the training labels are replaced by classes drawn evenly; test labels stay true.

    A class that is drawn may be the true one, as in Zhang et al. (2017). With the same seed, what is random at a small share is
    random at each greater one, and is the same.

    Raises:
        InputError: there is no such share.
    """
    if not 0 <= share <= 1:
        raise InputError(f"the share of random labels must be from 0 to 1, but is {share}; change it")
    rng = torch.Generator().manual_seed(seed)
    drawn = torch.randint(samples.n_classes, samples.train_y.shape, generator=rng)
    rank = torch.randperm(len(drawn), generator=rng)
    return replace(samples, train_y=torch.where(rank < round(share * len(drawn)), drawn, samples.train_y))
