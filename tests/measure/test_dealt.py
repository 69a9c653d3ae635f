"""Losses and times dealt out at random: slopes, noise, walls and torn trajectories have the p that they must."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossatlas.measure import neighbour_graph, persistence, shuffled_loss, shuffled_time, truth

SEEDS = st.integers(0, 2**32 - 1)


def line(n):
    return np.abs(np.subtract.outer(np.arange(float(n)), np.arange(float(n))))


def cloud(n, seed, axes=2):
    points = np.random.default_rng(seed).normal(size=(n, axes))
    return np.linalg.norm(points[:, np.newaxis] - points, axis=2)


@given(seed=SEEDS)
def test_the_numbers_of_the_data_are_those_of_persistence_and_of_the_formula(seed):
    D, rng = cloud(25, seed), np.random.default_rng(seed)
    values = rng.choice([rng.normal(size=25), rng.integers(0, 4, size=25).astype(float)])
    found = shuffled_loss(D, values, knn=4, n_shuffles=1)
    assert found.persistence.value == pytest.approx(persistence(D, values, knn=4).total(part="finite"))
    edges = neighbour_graph(D, knn=4)
    ranks = np.array([(np.sum(values < v) + np.sum(values <= v)) / 2 for v in values])
    apart = sum((ranks[i] - ranks[j]) ** 2 for i, j in edges)
    expected = 24 / (2 * len(edges)) * apart / ((ranks - ranks.mean()) ** 2).sum()
    assert found.roughness.value == pytest.approx(expected)


def test_by_chance_roughness_is_one_and_p_is_even():
    D = cloud(40, 0)
    found = [shuffled_loss(D, np.random.default_rng(seed).normal(size=40), knn=5, n_shuffles=99) for seed in range(60)]
    assert np.mean([one.roughness.shuffled.mean() for one in found]) == pytest.approx(1, abs=0.01)
    # Means of 60 even numbers: a standard error of 0.29 / sqrt(60) = 0.037. Of both sides doubled they are even too.
    assert np.mean([one.roughness.p for one in found]) == pytest.approx(0.5, abs=4 * 0.037)
    assert np.mean([one.persistence.p for one in found]) == pytest.approx(0.5, abs=4 * 0.037)


def test_a_slope_is_smooth_and_has_no_valley_and_walls_make_deep_ones():
    slope = shuffled_loss(line(60), np.arange(60.0), knn=2)
    assert (slope.persistence.value, slope.persistence.p, slope.roughness.p) == (0, 0.01, 0.005)
    # Two walls of height 10 part a square into three valleys; dealt to other points they part nothing.
    square = np.indices((16, 16)).reshape(2, -1).T.astype(float)
    D = np.linalg.norm(square[:, np.newaxis] - square, axis=2)
    walls = np.where(np.isin(square[:, 0], [4, 5, 10, 11]), 10.0, 1e-3 * np.arange(256))
    walled = shuffled_loss(D, walls, knn=8)
    assert walled.persistence.value == pytest.approx((10 - 0.096) ** 2 + (10 - 0.192) ** 2, rel=1e-4)
    assert walled.persistence.value > walled.persistence.shuffled.max()
    assert (walled.persistence.p, walled.roughness.p) == (0.01, 0.005)
    constant = shuffled_loss(line(20), np.ones(20), knn=2)
    assert (constant.persistence.p, constant.roughness.value, constant.roughness.p) == (1, 1, 1)


def test_losses_that_are_not_finite_are_left_out_and_the_seed_is_all_the_chance():
    values = np.arange(30.0)
    values[[3, 9]] = np.nan
    first, again, other = (shuffled_loss(line(30), values, knn=3, n_shuffles=9, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.roughness.shuffled, again.roughness.shuffled)
    assert not np.array_equal(first.roughness.shuffled, other.roughness.shuffled)
    kept = np.flatnonzero(np.isfinite(values))
    assert first.roughness.value == shuffled_loss(line(30)[np.ix_(kept, kept)], values[kept], knn=3, n_shuffles=1).roughness.value


def test_a_whole_trajectory_beats_its_shuffled_time_and_shuffled_places_do_not():
    rng = np.random.default_rng(0)
    # A winding path in many dimensions of which the map keeps what is near.
    angles = np.linspace(0, 6, 80)
    path = np.column_stack([np.cos(angles * k) for k in range(1, 9)])
    D = np.linalg.norm(path[:, np.newaxis] - path, axis=2)
    true = truth(D, [(0, 80)])
    found = shuffled_time(true, path[:, :2])
    assert found.value == true.of(path[:, :2]).trajectory_continuity
    assert found.p == 0.005
    assert found.shuffled.mean() < 0.9
    places = rng.permutation(path[:, :2])
    assert shuffled_time(true, places).value < 0.5


def test_time_is_shuffled_within_runs_alone():
    places = np.random.default_rng(1).normal(size=(12, 2))
    # Two runs far apart on the map, near in truth: a step from one to the other would be torn.
    places[6:] += 1000
    true = truth(cloud(12, 1), [(0, 6), (6, 12)], knn=2)
    assert shuffled_time(true, places).shuffled.min() == 1
    assert shuffled_time(truth(cloud(12, 1), knn=2), places) is None


@pytest.mark.usefixtures("as_users_call")
def test_no_shuffles_are_refused(refuses):
    with refuses(r"n_shuffles must be 1 or more, but is 0; 199 is usual"):
        shuffled_loss(line(9), np.arange(9.0), knn=2, n_shuffles=0)
    with refuses(r"n_shuffles must be 1 or more"):
        shuffled_time(truth(line(9), [(0, 9)]), np.zeros((9, 2)), n_shuffles=0)
