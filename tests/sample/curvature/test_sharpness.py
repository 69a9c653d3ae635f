"""Sharpness: closed forms on quadratics, and measures along a run."""

import functools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from landscapes import landscape, quadratic, state

from lossatlas import Recorder, curvature, sharpness
from lossatlas.sample import along


@settings(max_examples=20)
@given(st.lists(st.tuples(st.floats(0.1, 5), st.floats(-3, 3)), min_size=1, max_size=6), st.floats(0, 2), st.floats(1e-3, 0.1))
def test_at_the_minimum_of_a_quadratic_it_is_that_of_a_corner(axes, level, epsilon):
    h, centre = map(np.array, zip(*axes, strict=True))
    task = landscape(quadratic(np.diag(h), centre, level), centre)
    found = sharpness(task, state(centre), epsilon=epsilon)
    rise = 0.5 * (h * np.square(epsilon * (np.abs(centre) + 1))).sum()
    assert found.sharpness == pytest.approx(100 * rise / (1 + level), rel=1e-6)
    assert found.greatest_loss == pytest.approx(level + rise, rel=1e-9)
    assert found.loss == pytest.approx(level)


def test_from_a_minimum_alone_the_search_does_not_move_and_restarts_do():
    task = landscape(quadratic(np.eye(3), np.ones(3)), np.ones(3))
    found = sharpness(task, state(np.ones(3)))
    assert found.by_start[0] == 0
    assert (found.by_start[1:] > 0).all()
    assert sharpness(task, state(np.ones(3)), restarts=0).sharpness == 0


def test_on_a_slope_it_is_the_rise_along_it():
    slope = np.array([3.0, -1.0])
    task = landscape(lambda w: 10 + torch.as_tensor(slope) @ w, np.array([2.0, 0.5]))
    found = sharpness(task, state(np.array([2.0, 0.5])), epsilon=0.01, restarts=0)
    assert found.sharpness == pytest.approx(100 * 0.01 * (3 * 3 + 1 * 1.5) / (1 + 10 + 5.5), rel=1e-9)


def test_a_subspace_of_one_direction_has_a_closed_form():
    centre, h = np.array([1.0, -2.0, 0.5]), np.array([1.0, 2.0, 3.0])
    task = landscape(quadratic(np.diag(h), centre), centre)
    found = sharpness(task, state(centre), dimensions=1, epsilon=0.1, seed=5)
    a = np.random.default_rng(np.random.SeedSequence((5, 2))).standard_normal((3, 1))
    a /= np.linalg.norm(a)
    half = 0.1 * (abs(float(a[:, 0] @ centre)) + 1)
    assert found.sharpness == pytest.approx(100 * 0.5 * half**2 * float(h @ np.square(a[:, 0])), rel=1e-6)


def test_a_subspace_sees_no_more_than_the_whole():
    centre, h = np.linspace(-1, 1, 12), np.linspace(0.1, 2, 12)
    task = landscape(quadratic(np.diag(h), centre), centre)
    whole, part = (sharpness(task, state(centre), dimensions=k).sharpness for k in (None, 4))
    assert 0 < part < whole


def test_a_loss_without_end_is_a_finding():
    task = landscape(lambda w: 1 / (1 - w[0] * 100).clamp_min(0), np.zeros(1))
    assert sharpness(task, state(np.zeros(1)), epsilon=0.02).sharpness == math.inf


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"epsilon": 0.0}, "epsilon must be a number above 0"),
        ({"dimensions": 0}, "dimensions must be 1 or more"),
        ({"restarts": -1}, "restarts must be 0 or more"),
        ({"iterations": 0}, "iterations must be 1 or more"),
        ({"dimensions": 3}, "at most the number of weights, 2"),
        ({"dimensions": 10**9}, "take 16.0 GB; pass fewer"),
    ],
)
def test_sharpness_refuses_numbers_out_of_range(given, said, refuses):
    task = landscape(quadratic(np.eye(2), np.zeros(2)), np.zeros(2))
    with refuses(said):
        sharpness(task, state(np.zeros(2)), **given)


def test_both_can_be_followed_along_a_run(tmp_path, refuses):
    def quartic(w: torch.Tensor) -> torch.Tensor:
        return (w**4).sum()

    task = landscape(quartic, np.array([1.0, 1.0]))
    with Recorder(tmp_path / "run", task.model, every=1) as recorder:
        for at in (0.5, 0.25):
            task.model.w.data.fill_(at)
            recorder.step(loss=0.0)
    from lossatlas import open_run

    run = open_run(tmp_path / "run")
    told = []
    found = along(
        functools.partial(curvature, n_eigenvalues=1), task, run, points=[0, -1], progress=lambda *done: told.append(done)
    )
    np.testing.assert_allclose(found.values("eigenvalues")[:, 0], [12, 12 / 16])
    np.testing.assert_allclose(found.values("trace"), [24, 24 / 16])
    assert found.steps.tolist() == [0, 2]
    assert told == [(0, 2), (1, 2), (2, 2)]
    assert (np.diff(along(sharpness, task, run).values("sharpness")) < 0).all()
    with refuses("points must be among the run's 3, but 3 came"):
        along(sharpness, task, run, points=[3])
    with refuses("'torsion' was not measured; there are .*sharpness"):
        along(sharpness, task, run).values("torsion")
