"""Two trainings that part at an epoch: whether the line between their ends is flat (Frankle et al. 2020)."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from lossatlas._arrays import InputError, Vector
from lossatlas.experiments.training import Training
from lossatlas.sample import SliceSettings, Task, linear_path
from lossatlas.sample.slice.settings import Part
from lossatlas.sample.start import Start
from lossatlas.store import Run


def fork(training: Training, run: Run, *, at: int, order: int, path: Path) -> Training:
    """Return the training that leaves another after ``at`` epochs and goes on, to the same epoch, with the data in another order.

    Of momentum nothing is left where they part, for any order alike.

    Args:
        training: The other.
        run: What it recorded, a point an epoch.
        at: The epoch; at 0 they have the initialisation in common and nothing else.
        order: Number of the order; the same order at another epoch draws the same.
        path: Folder of the run.

    Raises:
        InputError: there is no such epoch.
    """
    if not 0 <= at < min(training.epochs, run.n_points):
        raise InputError(f"at must be an epoch before the last, {training.epochs}, that was recorded, but is {at}; change it")
    seed = int(np.random.SeedSequence((training.seed, 2, order)).generate_state(1)[0])
    return replace(
        training, path=path, start=run.snapshot(at), begin=at, seed=seed, key=f"{training.key} at {at} in order {order}"
    )


@dataclass(frozen=True, kw_only=True)
class Instability:
    r"""How far the line between two ends rises above the mean of both, :math:`\max_a E(a) - \frac12 (E(0) + E(1))`.

    Below 0.02 in error Frankle et al. 2020 call the two stable: they are linearly connected. Of n samples an error is a
    multiple of 1 / n, and half of what the ends differ by is there on any line.

    Attributes:
        train_loss: Of the training loss.
        train_error: Of the share of training samples that are wrong.
        test_error: Of the share of test samples that are wrong.
        length: Distance of the ends, over all parameters.
    """

    train_loss: float
    train_error: float
    test_error: float
    length: float


def instability(task: Task, one: Start, other: Start, *, n: int = 31) -> Instability:
    """Measure what lies between the ends of two trainings, with the statistics of batch norm recomputed at each point.

    Args:
        task: What both were trained on.
        one: End of one.
        other: End of the other.
        n: Points on the line.

    Raises:
        InputError: targets are no classes, or an end is not of this model.
    """
    parts: tuple[Part, Part] = ("train", "test")
    train, test = (linear_path(task, one, other, n=n, settings=SliceSettings(data=part)) for part in parts)
    if train.losses.accuracy is None or test.losses.accuracy is None:
        raise InputError("instability is of errors, but these targets are no classes; pass a task of classes")
    return Instability(
        train_loss=above_ends(train.loss),
        train_error=above_ends(1 - train.losses.accuracy),
        test_error=above_ends(1 - test.losses.accuracy),
        length=train.length,
    )


def above_ends(values: Vector) -> float:
    """Return how far the greatest of some values is above the mean of the first and the last.

    >>> above_ends(np.array([1.0, 4.0, 2.0]))
    2.5
    """
    return float(values.max() - (values[0] + values[-1]) / 2)
