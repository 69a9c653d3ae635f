"""The mean loss and its gradient at flat weights, on batches that may be dealt anew."""

import copy

import pytest
import torch
from tasks_for_workers import batches, shuffled_data, small_net, small_task
from torch import nn

from lossatlas.sample.batches import SameBatches
from lossatlas.sample.mean_loss import MeanLoss, trained_parameters


def _mean(task):
    model = copy.deepcopy(task.model)
    return MeanLoss(task, model, SameBatches(task.evaluated, few=None, seed=0))


def _by_hand(task, model):
    data = list(task.evaluated)
    n = sum(len(y) for _, y in data)
    return sum(task.loss(model.eval()(x), y) * len(y) / n for x, y in data)


def test_uneven_batches_count_by_their_samples_and_are_dealt_anew():
    task = small_task(train=batches(2, (7, 2, 1)))
    mean = _mean(task)
    assert [len(y) for _, y in mean.batches] == [10]
    model = copy.deepcopy(task.model)
    loss = _by_hand(task, model)
    loss.backward()
    value, gradient = mean.value_and_gradient(mean.weights)
    assert value == pytest.approx(loss.item(), rel=1e-6)
    assert value == pytest.approx(mean.value(mean.weights), rel=1e-6)
    torch.testing.assert_close(gradient, torch.cat([p.grad.flatten() for p in trained_parameters(model).values()]))


def test_a_loss_that_looks_at_the_whole_batch_keeps_its_batches():
    def spread(output: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return nn.functional.cross_entropy(output, y) + output.std()

    task = small_task(loss=spread, train=batches(2, (7, 3, 2)))
    mean = _mean(task)
    assert [len(y) for _, y in mean.batches] == [7, 3, 2]
    assert mean.value(mean.weights) == pytest.approx(_by_hand(task, copy.deepcopy(task.model)).item(), rel=1e-6)


def test_data_that_are_not_kept_are_loaded_at_each_value(monkeypatch):
    from lossatlas.sample import batches as held

    task = small_task(train=shuffled_data(2))
    kept = _mean(task)
    monkeypatch.setattr(held, "_KEPT", 1)
    loaded = _mean(task)
    assert isinstance(loaded.batches, SameBatches)
    assert loaded.value(loaded.weights) == pytest.approx(kept.value(kept.weights), rel=1e-6)


def test_moved_weights_are_where_it_is_measured():
    task = small_task()
    mean = _mean(task)
    other = small_net(5)
    weights = torch.cat([p.detach().flatten() for p in other.parameters()])
    model = copy.deepcopy(task.model)
    with torch.no_grad():
        for own, new in zip(model.parameters(), other.parameters(), strict=True):
            own.copy_(new)
    assert mean.value(weights) == pytest.approx(_by_hand(task, model).item(), rel=1e-6)
    torch.testing.assert_close(mean.weights, weights)
