"""Sharpness-aware steps in closed form, and as training and retraining take them."""

import copy
import functools

import pytest
import torch
from torch import nn

from lossatlas import open_run
from lossatlas.experiments.comparison.named import OPTIMIZERS
from lossatlas.experiments.sharpness_aware import SharpnessAware
from lossatlas.experiments.training import Training, train
from lossatlas.sample import JumpSettings, Task, fixed_randomness, jump_and_retrain
from lossatlas.sample.task import update

A = torch.tensor([[3.0, 1.0], [1.0, 2.0]], dtype=torch.float64)
START = torch.tensor([1.0, -2.0], dtype=torch.float64)
MOMENTUM = functools.partial(torch.optim.SGD, momentum=0.9)


def small_task(**changes):
    """Return a task of samples that each come with either class, more often with one, so that no loss is 0."""
    x = torch.randn(24, 3, generator=torch.Generator().manual_seed(0))
    likely = (x.sum(dim=1) > 0).long()
    data = [(torch.cat([x, x, x]), torch.cat([likely, likely, 1 - likely]))] * 2
    with fixed_randomness(1):
        model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    return Task(**({"model": model, "loss": nn.CrossEntropyLoss(), "train": data, "test": data} | changes))


def bowl(weight, optimizer, *, steps):
    """Take steps on half of w'Aw, whose gradient is Aw."""

    def closure():
        optimizer.zero_grad()
        loss = weight @ A @ weight / 2
        loss.backward()
        return loss

    return [float(optimizer.step(closure)) for _ in range(steps)]


def test_steps_on_a_quadratic_are_those_of_the_formula():
    weight = nn.Parameter(START.clone())
    losses = bowl(weight, SharpnessAware([weight], MOMENTUM, rho=0.3, lr=0.05, weight_decay=0.1), steps=3)
    w, v, expected = START.clone(), torch.zeros(2, dtype=torch.float64), []
    for _ in range(3):
        expected.append(float(w @ A @ w / 2))
        g = A @ w
        v = 0.9 * v + A @ (w + 0.3 * g / g.norm()) + 0.1 * w
        w = w - 0.05 * v
    torch.testing.assert_close(weight.data, w, rtol=1e-12, atol=0)
    assert losses == pytest.approx(expected, rel=1e-12)


def test_the_ball_is_over_all_parameters_together():
    one, other = nn.Parameter(torch.tensor([3.0])), nn.Parameter(torch.tensor([4.0]))
    optimizer = SharpnessAware([one, other], torch.optim.SGD, rho=5.0, lr=1.0)

    def closure():
        optimizer.zero_grad()
        loss = (one.square() + other.square()).sum() / 2
        loss.backward()
        return loss

    optimizer.step(closure)
    # The gradient is (3, 4), 5 long; at twice the weights it is (6, 8).
    assert (one.item(), other.item()) == (-3.0, -4.0)


def test_without_a_radius_it_is_the_other_optimizer():
    aware, alone = nn.Parameter(START.clone()), nn.Parameter(START.clone())
    bowl(aware, SharpnessAware([aware], MOMENTUM, rho=0.0, lr=0.05), steps=4)
    plain = MOMENTUM([alone], lr=0.05)
    for _ in range(4):
        plain.zero_grad()
        (alone @ A @ alone / 2).backward()
        plain.step()
    assert torch.equal(aware, alone)


def test_where_there_is_no_slope_it_stays():
    weight = nn.Parameter(torch.zeros(2, dtype=torch.float64))
    bowl(weight, SharpnessAware([weight], torch.optim.SGD, lr=0.1), steps=1)
    assert torch.equal(weight.data, torch.zeros(2, dtype=torch.float64))


def test_schedules_reach_the_other_optimizer():
    weight = nn.Parameter(START.clone())
    optimizer = SharpnessAware([weight], torch.optim.SGD, lr=0.1)
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, [1])
    bowl(weight, optimizer, steps=1)
    schedule.step()
    assert optimizer.base.param_groups[0]["lr"] == pytest.approx(0.01)


def test_a_state_that_is_loaded_goes_on_as_if_nothing_had_been():
    whole, cut = nn.Parameter(START.clone()), nn.Parameter(START.clone())
    bowl(whole, SharpnessAware([whole], MOMENTUM, lr=0.05), steps=5)
    first = SharpnessAware([cut], MOMENTUM, lr=0.05)
    bowl(cut, first, steps=2)
    second = SharpnessAware([cut], MOMENTUM, lr=1.0)
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    bowl(cut, second, steps=3)
    assert torch.equal(whole, cut)


@pytest.mark.parametrize("rho", [-0.1, float("nan"), float("inf")])
def test_a_radius_that_is_none_is_refused(rho, refuses):
    with refuses("rho must be a number from 0 on"):
        SharpnessAware([nn.Parameter(torch.ones(1))], torch.optim.SGD, rho=rho, lr=0.1)


@pytest.mark.parametrize(("name", "rate"), [("sharpness-aware", 0.05), ("lbfgs", 1.0)])
def test_optimizers_with_closures_are_trained_and_retrained(tmp_path, name, rate):
    task = small_task(optimizer=functools.partial(OPTIMIZERS[name], lr=rate), name=name)
    train(Training(task=task, path=tmp_path / "run", epochs=2, milestones=[1], seed=0, key="k"))
    run = open_run(tmp_path / "run")
    assert run.metrics["train_loss"][-1] < run.metrics["train_loss"][0]
    settings = JumpSettings(seeds=(0, 1), steps=(0.3,), epochs=2, learning_rate=rate)
    _, *retrainings = jump_and_retrain(task, run, tmp_path / "jumps", settings=settings)
    for retraining in retrainings:
        assert retraining.metrics["train_loss"][-1] < retraining.metrics["train_loss"][0]


def test_a_step_is_the_formulas_also_by_way_of_a_task():
    task = small_task(optimizer=functools.partial(SharpnessAware, base=torch.optim.SGD, rho=0.1, lr=0.1))
    model, x, y = task.model.train(), *task.train[0]
    twin = copy.deepcopy(model)
    update(task, model, task.optimizer(model.parameters()), (x, y))
    own = list(twin.parameters())
    before = [parameter.detach().clone() for parameter in own]
    slope = torch.autograd.grad(task.loss(twin(x), y), own)
    norm = torch.cat([part.flatten() for part in slope]).norm()
    with torch.no_grad():
        for parameter, part in zip(own, slope, strict=True):
            parameter.add_(0.1 * part / norm)
    above = torch.autograd.grad(task.loss(twin(x), y), own)
    for parameter, start, part in zip(model.parameters(), before, above, strict=True):
        torch.testing.assert_close(parameter.detach(), start - 0.1 * part, rtol=1e-4, atol=1e-6)


def test_lbfgs_has_no_weight_decay(refuses):
    with refuses(r"lbfgs has no weight decay, but weight_decay is 0.1"):
        OPTIMIZERS["lbfgs"]([nn.Parameter(torch.ones(1))], lr=1.0, weight_decay=0.1)
