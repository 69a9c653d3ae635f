"""A trajectory's plane is its principal components, and what it hides is said."""

import copy

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from tasks_for_workers import small_net, small_task

from lossatlas import Recorder, SliceSettings, open_run, trajectory_plane
from lossatlas.sample import evaluation
from lossatlas.sample.slice import principal


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return _walk(tmp_path_factory.mktemp("walk") / "run", 12)


def _walk(path, n, *, nan_at=()):
    model = small_net(5)
    generator = torch.Generator().manual_seed(4)
    with Recorder(path, model) as recorder:
        for step in range(1, n):
            with torch.no_grad():
                for parameter in model.parameters():
                    parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
                kept = model[5].bias.clone()
                model[5].bias.fill_(torch.nan if step in nan_at else 0) if step in nan_at else None
            recorder.step(train_loss=step)
            model[5].bias.data.copy_(kept)
    return open_run(path)


@pytest.mark.parametrize("block", [64 << 20, 1000])
def test_axes_coordinates_and_shares_are_those_of_pca(run, block, monkeypatch):
    monkeypatch.setattr(principal, "_BLOCK", block)
    plane = principal.principal_plane(run)
    x = run.weights() - run.weights()[-1]
    pca = PCA(2).fit(x)
    np.testing.assert_allclose(plane.explained, pca.explained_variance_ratio_, rtol=1e-9)
    for axis, component, column in zip(plane.axes, pca.components_, plane.coordinates.T, strict=True):
        flat = np.concatenate([axis[name].numpy().ravel() for name in run.names])
        sign = np.sign(flat @ component)
        np.testing.assert_allclose(flat, sign * component, atol=1e-9)
        np.testing.assert_allclose(column, sign * x @ component, atol=1e-9)
        assert column[0] >= 0
    np.testing.assert_array_equal(plane.coordinates[-1], 0)
    off = np.linalg.norm(x - (x @ pca.components_.T) @ pca.components_, axis=1)
    np.testing.assert_allclose(plane.off_plane, off, atol=1e-7)


def test_drawn_and_true_loss_are_those_at_the_projections_and_at_the_points(run):
    task = small_task()
    settings = SliceSettings(batchnorm="stale", engine="loop")
    made = trajectory_plane(task, run, n=5, settings=settings)
    shown = made.trajectory
    last = {name: torch.as_tensor(value) for name, value in run.snapshot(-1).items()}
    plane = principal.principal_plane(run)
    for point in range(run.n_points):
        model = copy.deepcopy(task.model)
        model.load_state_dict({name: torch.as_tensor(value) for name, value in run.snapshot(point).items()})
        np.testing.assert_allclose(shown.true_loss[point], evaluation(task, model)["train_loss"], rtol=1e-5)
        model.load_state_dict(last)
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                parameter.add_(sum(c * axis[name] for c, axis in zip(plane.coordinates[point], plane.axes, strict=True)))
        np.testing.assert_allclose(shown.drawn_loss[point], evaluation(task, model)["train_loss"], rtol=1e-5)
    assert shown.off_plane[-1] == 0
    assert shown.drawn_loss[-1] == shown.true_loss[-1]
    assert made.x[0] < shown.coordinates[:, 0].min()
    assert made.y[-1] > shown.coordinates[:, 1].max()
    np.testing.assert_array_equal(shown.steps, run.steps)


def test_a_random_walk_explains_what_chance_says():
    walk = np.random.default_rng(0).normal(size=(60, 20_000)).cumsum(axis=0)
    np.testing.assert_allclose(principal.chance_explained(60), PCA(2).fit(walk).explained_variance_ratio_, rtol=0.05)


def test_points_without_numbers_are_left_out(tmp_path):
    run = _walk(tmp_path / "run", 8, nan_at=(3,))
    made = trajectory_plane(small_task(), run, n=3)
    assert made.trajectory.steps.tolist() == [0, 1, 2, 4, 5, 6, 7]


def test_what_is_refused(tmp_path, refuses):
    with refuses("run 'run' has 2 points with finite weights; a plane takes at least 3, record more"):
        trajectory_plane(small_task(), _walk(tmp_path / "run", 2))
    model = torch.nn.Linear(2, 2)
    with Recorder(tmp_path / "straight", model) as recorder:
        for _ in range(3):
            with torch.no_grad():
                model.weight.add_(0.5)
            recorder.step()
    with refuses("the points of run 'straight' lie on one line, which spans no plane; use linear_path"):
        trajectory_plane(small_task(), open_run(tmp_path / "straight"))


@pytest.mark.usefixtures("as_users_call")
def test_wrong_types_are_refused(run, refuses):
    with refuses("run must be a recorded run, but is a dict; pass"):
        trajectory_plane(small_task(), {})
    with refuses("margin must be a share from 0 on, but is -1; change it"):
        trajectory_plane(small_task(), run, margin=-1)
