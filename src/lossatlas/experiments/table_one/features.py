"""What is known of networks as rows of numbers, and the classes that are to be predicted from them."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
from jaxtyping import Float, Int

from lossatlas.experiments.table_one.sampling import Sampled
from lossatlas.experiments.table_one.settings import Settings

TARGETS = ("generalisation", "weight decay", "augmentation")

# Row of the table -> what its features are, in the table's order.
MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        "J&R, labels permuted": "the features of J&R with the networks' classes in random places: what these classifiers reach "
        "by chance",
        "J&R, scrambled": "the points of J&R in another random order for each network: the same values, from which "
        "retraining and epoch unknown. What the paper scrambled is not known; this is a reading",
        "grid": "train loss and accuracy on a grid of three random directions",
        "naive": "train loss and accuracy along many random directions",
        "J&R": "train loss and accuracy of every point, in the order of seed, step and epoch",
        "J&R, jumps alone": "the points where the jumps end, before any retraining",
        "loss range": "one number: the greatest train loss of J&R minus the least",
        "optimum": "train loss and accuracy at the optimum, without any sampling",
        "weight norm": "one number: the length of all weights at the optimum",
    }
)
PERMUTED = "J&R, labels permuted"


def features(known: Sequence[Sampled], settings: Settings) -> dict[str, Float[np.ndarray, "n _"]]:
    """Return the features of every row of the table, a row a network."""
    points = {method: np.stack([_scaled(network.points[method], settings) for network in known]) for method in known[0].points}
    jump = points["jump"]  # (n, p, 2)
    rng = np.random.default_rng((settings.classification.seed, 1))
    order = np.argsort(rng.random(jump.shape[:2]), axis=1)
    first = np.arange(settings.n_jumps) * (settings.jump.epochs + 1)
    optimum = np.array([[network.optimum["train_loss"], network.optimum["train_accuracy"]] for network in known])
    raw = np.stack([network.points["jump"][:, 0] for network in known])
    loss_range = np.ptp(raw, axis=1)
    if settings.classification.losses == "log":
        loss_range = _log(loss_range)
    made = {
        PERMUTED: jump,
        "J&R, scrambled": np.take_along_axis(jump, order[:, :, None], axis=1),
        "grid": points["grid"],
        "naive": points["naive"],
        "J&R": jump,
        "J&R, jumps alone": jump[:, first],
        "loss range": loss_range,
        "optimum": _scaled(optimum, settings),
        "weight norm": np.array([network.optimum["weight_norm"] for network in known]),
    }
    return {name: made[name].reshape(len(known), -1) for name in MEANINGS}


def classes(known: Sequence[Sampled], settings: Settings) -> dict[str, Int[np.ndarray, " n"]]:
    """Return the class of each network for every target: fifths of the test loss at the optimum, decay, augmentation."""
    losses = np.array([network.optimum["test_loss"] for network in known])
    decays = [network.network.weight_decay for network in known]
    return {
        "generalisation": quantile_classes(losses, settings.classification.n_classes),
        "weight decay": np.unique(decays, return_inverse=True)[1],
        "augmentation": np.array([network.network.is_augmented for network in known]).astype(np.int64),
    }


def quantile_classes(values: Float[np.ndarray, " n"], n_classes: int) -> Int[np.ndarray, " n"]:
    """Return which quantile each value is in, as many values in each as there can be.

    >>> quantile_classes(np.array([0.3, 9.0, 0.1, 2.0]), 2)
    array([0, 1, 0, 1])
    """
    ranks = np.argsort(np.argsort(values, kind="stable"), kind="stable")
    return ranks * n_classes // len(values)


def _scaled(points: Float[np.ndarray, "p 2"], settings: Settings) -> Float[np.ndarray, "p 2"]:
    if settings.classification.losses == "raw":
        return points
    return np.stack([_log(points[:, 0]), points[:, 1]], axis=1)


def _log(losses: Float[np.ndarray, " p"]) -> Float[np.ndarray, " p"]:
    # float32 rounds the loss of a network that is sure of all to 0.
    return np.log(losses + 1e-7)
