"""Corners are exact, sides are true distances, and the surface between four points is bilinear."""

import copy

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from landscapes import landscape, quadratic, state
from tasks_for_workers import small_net, small_task

from lossatlas import SliceSettings, barycentric, bilinear
from lossatlas.sample import evaluation
from lossatlas.sample.slice.corners import triangle

_STATES = [small_net(seed).state_dict() for seed in range(4)]
_EXACT = SliceSettings(batchnorm="interpolate", engine="loop")


def _loss(task, tensors):
    model = copy.deepcopy(task.model)
    model.load_state_dict(tensors)
    return evaluation(task, model)["train_loss"]


def test_the_corners_of_a_triangle_reproduce_the_end_losses_exactly():
    task = small_task(train=[small_task().train[0]])  # one batch: the mean over batches is the batch's
    made = barycentric(task, *_STATES[:3], n=5, settings=_EXACT)
    for corner, tensors in zip(np.eye(3), _STATES[:3], strict=True):
        at = np.flatnonzero((made.weights == corner).all(axis=1))
        assert len(at) == 1
        assert made.loss[at[0]] == _loss(task, tensors)


def test_the_triangle_has_true_distances():
    made = barycentric(small_task(), *_STATES[:3], n=4)
    names = [name for name, _ in small_net(0).named_parameters()]
    flat = [np.concatenate([tensors[name].double().numpy().ravel() for name in names]) for tensors in _STATES[:3]]
    for i in range(3):
        for j in range(i):
            np.testing.assert_allclose(np.linalg.norm(made.corners[i] - made.corners[j]), np.linalg.norm(flat[i] - flat[j]))
    points = made.weights @ np.stack(flat)
    between = np.linalg.norm(points[:, None] - points, axis=2)
    np.testing.assert_allclose(np.linalg.norm(made.positions[:, None] - made.positions, axis=2), between, atol=1e-6)
    assert len(made.loss) == 4 * 5 // 2
    np.testing.assert_allclose(made.weights.sum(axis=1), 1)


@given(st.lists(st.floats(0.1, 10), min_size=6, max_size=6))
def test_corners_are_as_far_apart_as_their_points(numbers):
    p = np.array(numbers).reshape(3, 2)
    ab, ac, bc = (float(np.linalg.norm(p[i] - p[j])) for i, j in ((0, 1), (0, 2), (1, 2)))
    made = triangle(ab, ac, bc)
    for (i, j), expected in {(0, 1): ab, (0, 2): ac, (1, 2): bc}.items():
        np.testing.assert_allclose(np.linalg.norm(made[i] - made[j]), expected, atol=1e-6)


def test_on_a_quadratic_both_are_the_closed_form():
    rng = np.random.default_rng(3)
    H = np.diag([1.0, 5.0, 0.2])
    points = rng.normal(size=(4, 3))
    task = landscape(quadratic(H, np.zeros(3)), points[0])
    made = barycentric(task, *map(state, points[:3]), n=6)
    at = made.weights @ points[:3]
    np.testing.assert_allclose(made.loss, np.einsum("ni,ij,nj->n", at, H, at) / 2, rtol=1e-10)
    square = bilinear(task, *map(state, points), n=5)
    a, b, c, d = points
    for i, alpha in enumerate(square.positions):
        for j, beta in enumerate(square.positions):
            at = beta * (alpha * a + (1 - alpha) * b) + (1 - beta) * (alpha * c + (1 - alpha) * d)
            np.testing.assert_allclose(square.loss[i, j], at @ H @ at / 2, rtol=1e-10)


def test_the_corners_of_a_square_are_the_four_points():
    task = small_task(train=[small_task().train[0]])
    made = bilinear(task, *_STATES, n=3, settings=_EXACT)
    found = [made.loss[-1, -1], made.loss[0, -1], made.loss[-1, 0], made.loss[0, 0]]
    assert found == [_loss(task, tensors) for tensors in _STATES]


@pytest.mark.parametrize("which", ["second", "third"])
def test_the_point_that_does_not_fit_is_named(refuses, which):
    points = list(_STATES[:3])
    points[["second", "third"].index(which) + 1] = {"0.weight": torch.zeros(1)}
    with refuses(f"of the {which} point has shape"):
        barycentric(small_task(), *points)
