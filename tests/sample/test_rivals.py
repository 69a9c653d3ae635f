"""The paper's other samplers: where they look, what they keep, and that they go on where they were stopped."""

import itertools

import numpy as np
import pytest
import torch
from tasks_for_workers import small_net, small_task

from lossatlas import grid_sample, naive_sample
from lossatlas.sample import evaluation, random_direction, recompute_batchnorm

_START = small_net(5).state_dict()
_FEW = {"naive": {"n_directions": 3, "steps": (0.25, 1.0)}, "grid": {"shape": (2, 3, 2), "reach": 0.5}}
_SAMPLERS = {"naive": naive_sample, "grid": grid_sample}


def _directions(salt, n, seed=0):
    model = small_net(1)
    model.load_state_dict(_START)
    seeds = np.random.SeedSequence((seed, salt)).generate_state(n).tolist()
    return [random_direction(model.named_parameters(), seed=one) for one in seeds]


def _expected(method, seed=0):
    if method == "naive":
        return [{name: c * t for name, t in v.items()} for v in _directions(3, 3, seed) for c in (0.25, 1.0)]
    axes = _directions(4, 3, seed)
    places = itertools.product((-0.5, 0.5), (-0.5, 0.0, 0.5), (-0.5, 0.5))
    return [{name: sum(c * v[name] for c, v in zip(at, axes, strict=True)) for name in axes[0]} for at in places]


@pytest.mark.parametrize("batchnorm", ["recompute", "stale"])
@pytest.mark.parametrize("method", _SAMPLERS)
def test_the_points_and_their_numbers_are_those_of_the_formula(tmp_path, method, batchnorm):
    task = small_task(name="small")
    optimum, run = _SAMPLERS[method](task, _START, tmp_path, **_FEW[method], batchnorm=batchnorm)
    expected = _expected(method)
    assert (optimum.n_points, run.n_points, run.name) == (1, len(expected), method)
    assert run.is_complete
    assert run.settings["kind"] == "sample"
    for point, step in enumerate(expected):
        model = small_net(1)
        model.load_state_dict(_START)
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                parameter.add_(step[name])
        if batchnorm == "recompute":
            recompute_batchnorm(model, task.train)
        for name, value in model.state_dict().items():
            np.testing.assert_allclose(run.snapshot(point)[name], value, rtol=1e-5, atol=1e-6, err_msg=name)
        for name, value in evaluation(task, model).items():
            np.testing.assert_allclose(run.metrics[name][point], value, rtol=1e-4)


@pytest.mark.parametrize("method", _SAMPLERS)
def test_another_seed_looks_elsewhere(tmp_path, method):
    runs = [_SAMPLERS[method](small_task(), _START, tmp_path / str(seed), **_FEW[method], seed=seed)[1] for seed in (0, 1)]
    assert not np.allclose(runs[0].weights(), runs[1].weights())


@pytest.mark.parametrize("method", _SAMPLERS)
def test_stopped_in_the_middle_it_goes_on(tmp_path, method):
    sample = _SAMPLERS[method]
    _, whole = sample(small_task(), _START, tmp_path / "whole", **_FEW[method])

    def stop(done, total):
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sample(small_task(), _START, tmp_path / "part", **_FEW[method], progress=stop)
    reports = []
    _, rest = sample(small_task(), _START, tmp_path / "part", **_FEW[method], progress=lambda *done: reports.append(done))
    assert reports[0] == (3, whole.n_points)
    assert reports[-1] == (whole.n_points, whole.n_points)
    np.testing.assert_array_equal(rest.weights(), whole.weights())
    assert rest.steps.tolist() == whole.steps.tolist()
    assert rest.is_complete
    for name, values in whole.metrics.items():
        np.testing.assert_array_equal(rest.metrics[name], values)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    sample(small_task(), _START, tmp_path / "part", **_FEW[method])
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("method", _SAMPLERS)
def test_other_work_in_the_folder_is_refused(tmp_path, refuses, method):
    _SAMPLERS[method](small_task(), _START, tmp_path, **_FEW[method])
    with refuses("was made from another start, task or settings; choose another folder, or remove that one first"):
        _SAMPLERS[method](small_task(), _START, tmp_path, **_FEW[method], seed=1)


@pytest.mark.usefixtures("as_users_call")
def test_numbers_out_of_range_are_refused(tmp_path, refuses):
    for change, words in (
        ({"n_directions": 0}, "n_directions must be whole numbers from 1 on, but is 0; change it"),
        ({"steps": ()}, r"steps must be numbers above 0, but is \(\); change it"),
        ({"steps": (0.5, -1)}, r"steps must be numbers above 0, but is \(0.5, -1\)"),
    ):
        with refuses(words):
            naive_sample(small_task(), _START, tmp_path, **change)
    for change, words in (
        ({"shape": (2, 0, 2)}, r"shape must be whole numbers from 1 on, but is \(2, 0, 2\)"),
        ({"reach": float("nan")}, r"reach must be numbers above 0, but is \(nan,\)"),
    ):
        with refuses(words):
            grid_sample(small_task(), _START, tmp_path, **change)
    assert not list(tmp_path.iterdir())


def test_the_defaults_are_the_papers_640_points():
    import inspect

    naive, grid = (inspect.signature(sample).parameters for sample in (naive_sample, grid_sample))
    assert naive["n_directions"].default * len(naive["steps"].default) == 640
    assert np.prod(grid["shape"].default) == 640
