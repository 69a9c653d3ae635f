"""The loss on a line is its closed form, and its ends are the ends'."""

import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from landscapes import landscape, quadratic, state
from tasks_for_workers import small_net, small_task

from lossatlas import SliceSettings, linear_path, loss_line
from lossatlas.sample import evaluation, random_direction, recompute_batchnorm

_START, _END = small_net(5).state_dict(), small_net(6).state_dict()
_NAMES = [name for name, _ in small_net(1).named_parameters()]


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10**6), dimensions=st.integers(1, 6), low=st.floats(-2, 0), high=st.floats(1, 3))
def test_on_a_quadratic_it_is_the_parabola(seed, dimensions, low, high):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(dimensions, dimensions))
    H, c, a, b = root @ root.T, *rng.normal(size=(3, dimensions))
    line = linear_path(landscape(quadratic(H, c, 0.5), a), state(a), state(b), n=9, within=(low, high))
    t = np.linspace(low, high, 9)
    d = b - a
    expected = 0.5 + 0.5 * (a - c) @ H @ (a - c) + t * (d @ H @ (a - c)) + t**2 / 2 * (d @ H @ d)
    np.testing.assert_allclose(line.loss, expected, rtol=1e-10, atol=1e-12 * np.abs(expected).max())
    np.testing.assert_allclose(line.length, np.linalg.norm(d))
    np.testing.assert_array_equal(line.positions, t)


def test_barrier_and_excess_of_a_double_well():
    # (w² - 1)² + w/4 between the wells at -1 and 1: ends -1/4 and 1/4, and 1 at 0, which is the greatest of these points.
    line = linear_path(landscape(lambda w: ((w**2 - 1) ** 2 + w / 4)[0], [-1.0]), state([-1.0]), state([1.0]), n=9)
    np.testing.assert_allclose(line.barrier, 1 - 0.25)
    np.testing.assert_allclose(line.excess, 1.0)
    assert line.is_monotone is False


def test_a_line_downhill_is_monotone_and_has_no_barrier():
    line = linear_path(landscape(quadratic(np.eye(1), [1.0]), [0.0]), state([0.0]), state([1.0]), n=5)
    assert line.is_monotone is True
    assert line.barrier == 0


def test_points_outside_the_ends_count_for_no_barrier():
    line = linear_path(landscape(quadratic(np.eye(1), [0.5]), [0.0]), state([0.0]), state([1.0]), n=21, within=(-2, 3))
    assert line.loss.max() > 3
    assert line.barrier == pytest.approx(0, abs=1e-15)


def test_a_loss_that_is_no_number_is_a_finding():
    hole = landscape(lambda w: torch.sqrt(w[0].abs() - 0.3), [-1.0])
    line = linear_path(hole, state([-1.0]), state([1.0]), n=11)
    assert np.isnan(line.loss).tolist() == [False] * 4 + [True] * 3 + [False] * 4
    assert np.isnan(line.barrier)


@pytest.mark.parametrize("engine", ["loop", "threads"])
@pytest.mark.parametrize("batchnorm", ["recompute", "interpolate", "stale"])
def test_it_is_its_literal_twin_for_each_way_with_batch_norm(batchnorm, engine):
    task = small_task()
    line = linear_path(task, _START, _END, n=5, settings=SliceSettings(batchnorm=batchnorm, engine=engine))
    for a, loss, accuracy in zip(line.positions, line.loss, line.losses.accuracy, strict=True):
        model = copy.deepcopy(task.model)
        between = {
            name: (1 - a) * _START[name] + a * _END[name]
            if name in _NAMES or (batchnorm == "interpolate" and _START[name].is_floating_point())
            else _START[name]
            for name in _START
        }
        model.load_state_dict(between)
        if batchnorm == "recompute":
            recompute_batchnorm(model, task.train)
        expected = evaluation(task, model)
        np.testing.assert_allclose(loss, expected["train_loss"], rtol=2e-6)
        assert accuracy == pytest.approx(expected["train_accuracy"])


def test_the_ends_are_those_of_the_ends_bit_for_bit():
    task = small_task()
    for batchnorm in ("interpolate", "stale"):
        settings_ = SliceSettings(batchnorm=batchnorm, engine="loop")
        there = linear_path(task, _START, _END, n=4, settings=settings_)
        back = linear_path(task, _END, _START, n=4, settings=settings_)
        assert there.loss[0] == back.loss[-1] or batchnorm == "stale"
        model = copy.deepcopy(task.model)
        model.load_state_dict(_START)
        np.testing.assert_allclose(there.loss[0], evaluation(task, model)["train_loss"], rtol=1e-7)


def test_statistics_are_the_training_datas_also_where_the_test_loss_is_asked_for():
    task = small_task()
    line = linear_path(task, _START, _END, n=3, settings=SliceSettings(data="test"))
    model = copy.deepcopy(task.model)
    model.load_state_dict(_START)
    recompute_batchnorm(model, task.train)
    np.testing.assert_allclose(line.loss[0], evaluation(task, model)["test_loss"], rtol=1e-6)


def test_a_line_along_a_direction_is_the_start_plus_its_steps():
    task = small_task()
    line = loss_line(task, _START, seed=3, reach=0.5, n=5, settings=SliceSettings(batchnorm="stale"))
    model = copy.deepcopy(task.model)
    model.load_state_dict(_START)
    d = random_direction(model.named_parameters(), seed=3)
    for a, loss in zip((-0.5, -0.25, 0, 0.25, 0.5), line.loss, strict=True):
        moved = copy.deepcopy(model)
        with torch.no_grad():
            for name, parameter in moved.named_parameters():
                parameter.add_(d[name], alpha=a)
        np.testing.assert_allclose(loss, evaluation(task, moved)["train_loss"], rtol=2e-6)
    assert np.isnan(line.barrier)
    assert line.is_monotone is None


def test_the_range_is_found_from_the_loss():
    # On log scale half-way between 0.001 of the top and the top: where a²/2 + tiny = sqrt(1e-3) of it at a = 1.
    w = np.array([3.0, 4.0])
    line = loss_line(landscape(quadratic(np.eye(2), w), w), state(w), direction={"w": torch.tensor([[3.0, 4.0]])}, n=3)
    assert line.positions[-1] == pytest.approx((1e-3) ** 0.25, rel=0.05)
    flat = loss_line(landscape(lambda w: 1 + 0 * w[0], w), state(w), n=3)
    assert flat.positions[-1] == 1


def test_what_is_refused(refuses):
    task = small_task()
    with refuses("n must be a whole number of points from 3 on, but is 2; change it"):
        linear_path(task, _START, _END, n=2)
    with refuses(r"within must hold the range from 0 to 1, but is \(0.2, 1\); widen it"):
        linear_path(task, _START, _END, within=(0.2, 1))
    with refuses("the end has no tensor '0.weight', which the model has; pass a snapshot of this model"):
        linear_path(task, _START, {})
    with refuses("batchnorm='interpolate' needs points between the given ones"):
        linear_path(task, _START, _END, within=(-0.5, 1), settings=SliceSettings(batchnorm="interpolate"))
    with refuses("reach must be a number above 0, but is 0.0; 1 is a step of 100 % of the weights' length"):
        loss_line(task, _START, reach=0.0)
    with refuses("the direction has a tensor 'nobody', which is no parameter of the model; pass parameters alone"):
        loss_line(task, _START, direction={"nobody": torch.zeros(2)})
    with refuses(r"tensor '0.weight' of the direction has shape \(2,\), but the model's has \(3, 1, 3, 3\)"):
        loss_line(task, _START, direction={"0.weight": torch.zeros(2)})
    bad = {name: tensor.clone() for name, tensor in _END.items()}
    bad["0.weight"][0] = torch.nan
    with refuses("tensor '0.weight' of the end holds NaN or infinite values"):
        linear_path(task, _START, bad)


@pytest.mark.usefixtures("as_users_call")
def test_settings_out_of_range_are_refused(refuses):
    for name, value in {"data": "valid", "batchnorm": "none", "batches": 1, "seed": -1, "seconds": 0, "engine": "gpu"}.items():
        with refuses(f"SliceSettings: {name} must be .*, but is {value!r}; change it"):
            SliceSettings(**{name: value})
