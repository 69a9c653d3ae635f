"""Samples to train and test on, each set a module; nothing is downloaded unasked."""

from lossatlas.experiments.data.batches import Samples
from lossatlas.experiments.data.labels import with_random_labels
from lossatlas.experiments.data.named import SETS, n_samples, samples, stand_in

__all__ = ["SETS", "Samples", "n_samples", "samples", "stand_in", "with_random_labels"]
