"""A loss that does not repeat is refused, and the reason named."""

import itertools

import pytest
import torch
from tasks_for_workers import batches, shuffled_data, small_net, small_task
from torch import nn

from lossatlas import linear_path
from lossatlas.sample.probe import probed


class _AlwaysDrops(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.dropout(x, 0.5)  # forgets training=self.training


class _StaysInTraining(nn.BatchNorm1d):
    def train(self, mode: bool = True) -> "_StaysInTraining":  # noqa: FBT001, FBT002
        return super().train(mode=True)


class _OwnChance:
    """Batches shuffled by something that no seed reaches."""

    def __init__(self) -> None:
        self._count = itertools.count()

    def __iter__(self):
        given = batches(2)
        shift = next(self._count) % len(given)
        return iter(given[shift:] + given[:shift])


def _net(*parts: nn.Module) -> nn.Sequential:
    with torch.random.fork_rng([]):
        torch.random.manual_seed(0)
        return nn.Sequential(nn.Flatten(), nn.Linear(16, 4), *parts, nn.Linear(4, 2))


def test_a_task_that_repeats_comes_back_as_a_copy_at_the_start():
    task, start = small_task(train=shuffled_data(2)), small_net(5).state_dict()
    model = probed(task, start)
    assert model is not task.model
    assert all(torch.equal(tensor, start[name]) for name, tensor in model.state_dict().items())


def test_dropout_in_evaluation_mode_is_named(refuses):
    model = _net(_AlwaysDrops())
    with refuses(
        r"the loss at the start is not repeatable \(\S+, then \S+ on the same batch\): the model is in evaluation mode, but its "
        r"part '2' \(_AlwaysDrops\) draws noise, as dropout does in training; let it follow self.training"
    ):
        probed(small_task(model=model), model.state_dict())
    assert not any(module._forward_hooks for module in model.modules())


def test_dropout_that_follows_the_mode_is_fine():
    model = _net(nn.Dropout(0.5))
    probed(small_task(model=model), model.state_dict())


def test_batch_norm_that_stays_in_training_mode_is_named(refuses):
    model = _net(_StaysInTraining(4))
    with refuses(
        r"the model's buffer '2.running_mean' changes while it is evaluated: that part stays in training mode, as batch"
    ):
        probed(small_task(model=model), model.state_dict())


@pytest.mark.parametrize(("where", "name"), [("train", "train"), ("train_eval", "train_eval"), ("test", "test")])
def test_data_in_another_order_each_time_are_named(refuses, where, name):
    task = small_task(**{where: _OwnChance()})
    with refuses(f"Task: {name} gives other batches each time it is iterated, though every random generator is set: it shuffles"):
        probed(task, small_net(5).state_dict(), data="test" if where == "test" else "train")


def test_a_loss_that_is_no_number_is_named(refuses):
    with refuses("the train loss at the start is nan; check the data, the loss and the start"):
        probed(small_task(loss=lambda output, _: output.sum() * torch.nan), small_net(5).state_dict())


def test_every_slice_is_probed(refuses):
    model = _net(_AlwaysDrops())
    with refuses("draws noise"):
        linear_path(small_task(model=model), model.state_dict(), model.state_dict())
