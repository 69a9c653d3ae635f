"""Trainings that part at an epoch, and what lies between their ends."""

import functools
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from lossatlas.experiments.data.batches import Batches
from lossatlas.experiments.forks import fork, instability
from lossatlas.experiments.training import Training, trained
from lossatlas.sample import Task, fixed_randomness


def small_task(**changes) -> Task:
    """Return a task whose steps depend on the order of its data."""
    x = torch.randn(24, 3, generator=torch.Generator().manual_seed(0))
    y = (x.sum(dim=1) > 0).long()
    with fixed_randomness(1):
        model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    sgd = functools.partial(torch.optim.SGD, lr=0.1)
    parts = {"model": model, "loss": nn.CrossEntropyLoss(), "train": Batches(x, y, 4), "test": [(x, y)], "optimizer": sgd}
    return Task(**(parts | {"train_eval": [(x, y)]} | changes))


def small_training(tmp_path, **changes) -> Training:
    """Return a training of six epochs whose rate falls after two and after four."""
    parts = {"task": small_task(), "path": tmp_path / "trunk", "epochs": 6, "milestones": [2, 4], "seed": 5, "key": "k"}
    return Training(**(parts | changes))


def weights(snapshot) -> np.ndarray:
    """Return all tensors of a snapshot as one row."""
    return np.concatenate([np.ravel(tensor) for tensor in snapshot.values()])


@pytest.fixture(name="trunk")
def _trunk(tmp_path):
    training = small_training(tmp_path)
    return training, trained([training])[0]


def test_a_fork_begins_where_the_other_was_and_ends_when_it_ends(trunk, tmp_path):
    training, run = trunk
    for at in (0, 3, 5):
        left = replace(fork(training, run, at=at, order=0, path=tmp_path / f"fork-{at}"), task=small_task())
        (found,) = trained([left])
        assert found.n_points == 1 + 6 - at
        np.testing.assert_array_equal(weights(found.snapshot(0)), weights(run.snapshot(at)))
        assert found.metrics["train_loss"][0] == run.metrics["train_loss"][at]
        assert found.settings.get("begin", 0) == at


def test_orders_part_and_the_same_order_does_not(trunk, tmp_path):
    training, run = trunk
    ends = []
    for name, order in (("one", 0), ("same", 0), ("other", 1)):
        (found,) = trained([replace(fork(training, run, at=2, order=order, path=tmp_path / name), task=small_task())])
        ends.append(weights(found.snapshot(-1)))
    np.testing.assert_array_equal(ends[0], ends[1])
    assert np.abs(ends[0] - ends[2]).max() > 1e-6
    assert np.abs(ends[0] - weights(run.snapshot(-1))).max() > 1e-6


@pytest.mark.parametrize("begin", [1, 2, 3, 4, 5])
def test_the_schedule_goes_on_as_if_nothing_had_been(tmp_path, begin):
    """Without momentum a training in two parts of one order is the whole one, if the data come in the same order."""
    still = small_task(train=list(small_task().evaluated))
    whole = small_training(tmp_path, task=still)
    (run,) = trained([whole])
    again = small_task(train=list(small_task().evaluated))
    (rest,) = trained([replace(whole, task=again, path=tmp_path / "rest", start=run.snapshot(begin), begin=begin)])
    np.testing.assert_allclose(weights(rest.snapshot(-1)), weights(run.snapshot(-1)), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("at", [-1, 6])
def test_an_epoch_that_is_not_there_is_refused(trunk, tmp_path, at, refuses):
    with refuses(f"at must be an epoch before the last, 6, that was recorded, but is {at}; change it"):
        fork(*trunk, at=at, order=0, path=tmp_path / "fork")


class Bowls(nn.Module):
    """Scores of two classes from one number w: the margin of the right one is w squared less a half."""

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.ones(1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return ``(n, 2)``."""
        margin = (self.w.square() - 0.5) * x
        return torch.cat([margin, torch.zeros_like(margin)], dim=1)


def test_instability_is_what_rises_above_the_mean_of_the_ends():
    data = [(torch.ones(8, 1), torch.zeros(8, dtype=torch.long))]
    task = Task(Bowls(), nn.CrossEntropyLoss(), data, data, torch.optim.SGD)
    one, other = ({"w": torch.tensor([value])} for value in (-1.0, 2.0))
    found = instability(task, one, other, n=31)
    loss = [np.log1p(np.exp(-(w**2 - 0.5))) for w in (-1.0, 0.0, 2.0)]
    assert found.train_loss == pytest.approx(loss[1] - (loss[0] + loss[2]) / 2, rel=1e-5)
    assert (found.train_error, found.test_error, found.length) == (1.0, 1.0, pytest.approx(3.0))
    assert instability(task, one, one, n=3).train_loss == pytest.approx(0, abs=1e-7)


def test_real_targets_have_no_instability(refuses):
    data = [(torch.ones(8, 1), torch.zeros(8, 1))]
    task = Task(nn.Linear(1, 1), nn.MSELoss(), data, data, torch.optim.SGD)
    with refuses("instability is of errors, but these targets are no classes"):
        instability(task, task.model.state_dict(), task.model.state_dict(), n=3)
