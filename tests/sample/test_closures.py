"""Optimisers that need a closure get one, and others none."""

import functools

import pytest
import torch
from tasks_for_workers import batches, small_net, small_task
from torch import nn

from lossatlas.sample import JumpSettings, jump_and_retrain
from lossatlas.sample.jump.trial import is_worth_stacking
from lossatlas.sample.task import update

LBFGS = functools.partial(torch.optim.LBFGS, lr=1.0, line_search_fn="strong_wolfe")


def quadratic_task(optimizer):
    """Return a task whose loss is a quadratic of the weights: a linear network and squared distances."""
    x = torch.randn(12, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    data = [(x, x @ torch.tensor([[1.0], [-2.0], [0.5]], dtype=torch.float64))]
    return small_task(
        model=nn.Linear(3, 1, bias=False, dtype=torch.float64), loss=nn.MSELoss(), train=data, test=data, optimizer=optimizer
    )


def test_one_step_of_lbfgs_solves_a_quadratic():
    task = quadratic_task(LBFGS)
    update(task, task.model, LBFGS(task.model.parameters()), task.train[0])
    torch.testing.assert_close(
        task.model.weight.data, torch.tensor([[1.0, -2.0, 0.5]], dtype=torch.float64), rtol=1e-5, atol=1e-5
    )


def test_what_is_hooked_before_a_step_finds_the_gradient():
    model, seen = small_net(1), []
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    optimizer.register_step_pre_hook(lambda own, *_: seen.append(own.param_groups[0]["params"][0].grad.norm()))
    update(small_task(model=model), model, optimizer, batches(2)[0])
    assert seen[0] > 0


def test_a_schedule_hides_no_closure():
    model = small_net(1)
    optimizer = LBFGS(model.parameters())
    torch.optim.lr_scheduler.MultiStepLR(optimizer, [1])
    before = model[0].weight.detach().clone()
    update(small_task(model=model), model, optimizer, batches(2)[0])
    assert not torch.equal(model[0].weight, before)


def test_lbfgs_retrains_to_the_minimum_it_left(tmp_path):
    task = quadratic_task(LBFGS)
    update(task, task.model, LBFGS(task.model.parameters()), task.train[0])
    start = {name: tensor.clone() for name, tensor in task.model.state_dict().items()}
    settings = JumpSettings(seeds=(0, 1), steps=(1.0,), epochs=1)
    optimum, *runs = jump_and_retrain(task, start, tmp_path, settings=settings)
    for run in runs:
        assert run.metrics["train_loss"][0] > 0.1
        assert run.metrics["train_loss"][-1] < 1e-8
        assert run.snapshot(-1)["weight"] == pytest.approx(optimum.snapshot(-1)["weight"], abs=1e-4)


def test_closures_are_not_stacked(monkeypatch, tmp_path):
    tried = []

    def trial(items):
        tried.append(is_worth_stacking(items))
        return tried[-1]

    monkeypatch.setattr("lossatlas.sample.jump.stacked.is_worth_stacking", trial)
    settings = JumpSettings(seeds=(0, 1), steps=(1.0,), epochs=1)
    jump_and_retrain(quadratic_task(LBFGS), small_start(), tmp_path, settings=settings)
    assert tried in ([], [False])


def small_start():
    """Return weights to jump from."""
    return {"weight": torch.ones(1, 3, dtype=torch.float64)}
