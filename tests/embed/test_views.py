"""Where metric scaling begins: views, the choice among them, and the points that are not tried."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import procrustes
from sklearn.metrics import euclidean_distances

from lossatlas.embed import classical_scaling, metric_scaling, stress
from lossatlas.embed import views as module
from lossatlas.embed.views import beginning, evenly, views


def star(*, arms=5, length=12, noise=0.0, seed=0):
    """Distances along arms of one length that leave a middle at right angles to each other."""
    rng = np.random.default_rng(seed)
    points = np.vstack([np.arange(1, length + 1)[:, np.newaxis] * axis for axis in np.eye(arms)])
    distances = euclidean_distances(points)
    off = 1 + noise * rng.standard_normal(distances.shape)
    return distances * np.sqrt(off * off.T)


def disparity(a, b):
    return procrustes(a, b)[2]


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_a_view_is_a_projection_of_all_axes_and_has_their_size(axes):
    points = np.random.default_rng(1).normal(size=(30, 6))
    points -= points.mean(axis=0)
    distances = euclidean_distances(points)
    directions = np.random.default_rng(0).standard_normal((30, 8 * axes))
    found = views(distances, n_components=axes)
    assert len(found) == 8
    for k, view in enumerate(found):
        onto, _ = np.linalg.qr(points.T @ directions[:, k * axes : (k + 1) * axes])
        lengths, seen = euclidean_distances(points @ onto), euclidean_distances(view)
        factor = (lengths * distances).sum() / (lengths**2).sum()
        np.testing.assert_allclose(seen, factor * lengths, atol=1e-6 * distances.max())


def test_views_move_as_little_as_the_distances_where_axes_are_equally_long():
    plain, moved = star(), star(noise=1e-6)
    for before, after in zip(views(plain, n_components=2), views(moved, n_components=2), strict=True):
        assert disparity(before, after) < 1e-8
    assert disparity(classical_scaling(plain), classical_scaling(moved)) > 0.1  # what views are there for


@pytest.mark.parametrize("seed", range(6))
def test_a_star_is_drawn_the_same_when_its_distances_change_a_little(seed):
    plain, moved = star(), star(noise=0.005, seed=seed)
    drawn = [metric_scaling(distances, beginning(distances))[0] for distances in (plain, moved)]
    assert disparity(*drawn) < 0.01


def test_the_first_that_is_as_good_is_taken(monkeypatch):
    distances = star()
    ends = [metric_scaling(distances, start, tolerance=1e-3)[0] for start in views(distances, n_components=2)]
    ends.append(metric_scaling(distances, classical_scaling(distances), tolerance=1e-3)[0])
    stresses = np.array([stress(distances, end) for end in ends])
    for share in (0.0, 0.02, 10.0):
        monkeypatch.setattr(module, "_AS_GOOD", share)
        expected = ends[int(np.flatnonzero(stresses <= (1 + share) * stresses.min())[0])]
        np.testing.assert_array_equal(beginning(distances), expected)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(5, 60))
def test_it_ends_no_more_than_two_percent_above_where_classical_scaling_does(seed, n):
    distances = euclidean_distances(np.random.default_rng(seed).normal(size=(n, 8)).cumsum(axis=0))
    ours = stress(distances, metric_scaling(distances, beginning(distances))[0])
    assert ours <= 1.03 * stress(distances, metric_scaling(distances, classical_scaling(distances))[0])


@pytest.mark.parametrize(("n", "axes"), [(2, 2), (3, 2), (3, 5), (6, 1)])
def test_few_points_have_a_beginning(n, axes):
    distances = euclidean_distances(np.random.default_rng(0).normal(size=(n, 4)))
    begun = beginning(distances, n_components=axes)
    assert begun.shape == (n, axes)
    assert np.isfinite(begun).all()
    if axes >= n - 1:  # so many axes hold them
        assert stress(distances, metric_scaling(distances, begun)[0]) < 1e-3


def test_points_on_a_line_are_drawn_on_one():
    line = np.abs(np.subtract.outer(np.arange(9.0), np.arange(9.0)))
    assert stress(line, metric_scaling(line, beginning(line))[0]) < 1e-4


@pytest.mark.parametrize(("n", "most"), [(5, 10), (10, 10), (1000, 320), (20_000, 320)])
def test_points_tried_are_spread_evenly(n, most):
    tried = evenly(n, most)
    assert len(np.unique(tried)) == len(tried) == min(n, most)
    assert tried.min() >= 0
    assert np.diff(tried).max() <= 3 * max(1, n / most)
    for period in (2, 3, 4, 5, 7, 8, 10):  # runs that take turns
        if n > most:
            shares = np.bincount(tried % period, minlength=period) / most * period
            assert np.abs(shares - 1).max() < 0.2


def test_other_points_are_placed_among_the_nearest_that_were_tried():
    points = np.random.default_rng(0).uniform(size=(700, 2))
    distances = euclidean_distances(points)
    begun = beginning(distances)
    tried = evenly(700, 320)
    assert stress(distances[np.ix_(tried, tried)], begun[tried]) < 0.02
    assert stress(distances, begun) < 0.06
    drawn, passes = metric_scaling(distances, begun)
    assert stress(distances, drawn) < 1e-3
    # Sooner than from anywhere; how many passes depends on the last digits, and so on the processor.
    anywhere = [metric_scaling(distances, np.random.default_rng(seed).normal(size=(700, 2)))[1] for seed in range(3)]
    assert passes < np.mean(anywhere)


def test_copies_of_points_that_were_tried_lie_on_them():
    points = np.random.default_rng(0).normal(size=(200, 5))
    distances = euclidean_distances(np.tile(points, (2, 1)))
    begun = beginning(distances)
    gaps = np.linalg.norm(begun[:200] - begun[200:], axis=1)
    assert np.median(gaps) < 1e-9 * np.abs(begun).max()
