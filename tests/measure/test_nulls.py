"""Nulls: the walks that closed forms stand for are really walked, in many dimensions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossatlas.distance import pairwise
from lossatlas.embed import pca
from lossatlas.measure import random_walks, shuffled, walk_shares

RUNS = [(0, 5), (6, 9), (9, 10)]  # rows 5 and 10 are of no run


def recorded(seed=0):
    """Points whose runs take steps of several lengths, turn round and stand still."""
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(11, 30)).cumsum(axis=0) + 3
    points[3] = points[1]
    points[8] = points[7]
    return points


def walked(points, seed):
    """The same starts, and steps at right angles to everything: each in an axis of its own."""
    n, p = points.shape
    found = np.zeros((n, p + n))
    for row in range(n):
        run = next(((first, stop) for first, stop in RUNS if first < row < stop), None)
        if run is None:
            found[row, :p] = points[row]
        else:
            found[row] = found[row - 1]
            found[row, p + row] = np.linalg.norm(points[row] - points[row - 1])
    return found


@given(seed=st.integers(0, 2**32 - 1), origin=st.sampled_from(["zero", "start", "centroid"]))
def test_distances_and_norms_are_those_of_walks_at_right_angles(seed, origin):
    points = recorded(seed)
    found, expected = random_walks(pairwise(points, origin=origin), RUNS), pairwise(walked(points, seed), origin=origin)
    # From Gram matrices about centroids: some eps of the squares.
    np.testing.assert_allclose(found.squared, expected.squared, atol=1e-10 * expected.squared.max())
    np.testing.assert_allclose(found.norms, expected.norms, atol=1e-6 * expected.norms.max())
    np.testing.assert_array_equal(found.squared, found.squared.T)
    assert (found.origin, found.n_parameters) == (origin, 30)


def test_gaussian_steps_in_many_dimensions_come_near():
    rng = np.random.default_rng(0)
    steps = rng.normal(size=(40, 20_000))
    steps *= np.linspace(3, 0.1, 40)[:, np.newaxis] / np.linalg.norm(steps, axis=1, keepdims=True)
    points = steps.cumsum(axis=0) + 2
    between = pairwise(points)
    # Cosines of random directions in p dimensions are 1 / sqrt(p) = 0.007; a sum of 40 steps adds some of them up.
    np.testing.assert_allclose(random_walks(between, [(0, 40)]).squared, between.squared, rtol=0.1)


def test_steps_stay_as_long_as_they_are_and_points_of_no_run_where_they_are():
    between = pairwise(recorded())
    found = random_walks(between, RUNS)
    for first, stop in RUNS:
        rows = np.arange(first, stop - 1)
        np.testing.assert_allclose(found.squared[rows, rows + 1], between.squared[rows, rows + 1], rtol=1e-9)
    still = [0, 5, 6, 9, 10]
    np.testing.assert_array_equal(found.squared[np.ix_(still, still)], between.squared[np.ix_(still, still)])


def test_what_was_measured_stays_as_it_is():
    between = pairwise(recorded())
    squared, norms = between.squared.copy(), between.norms.copy()
    random_walks(between, RUNS)
    np.testing.assert_array_equal(between.squared, squared)
    np.testing.assert_array_equal(between.norms, norms)


def test_shuffled_places_are_the_same_places():
    places = np.random.default_rng(0).normal(size=(50, 2))
    found = shuffled(places)
    assert sorted(map(tuple, found)) == sorted(map(tuple, places))
    assert (found != places).any(axis=1).mean() > 0.8
    np.testing.assert_array_equal(found, shuffled(places))
    assert not np.array_equal(found, shuffled(places, seed=1))


def test_the_first_component_of_a_long_walk_holds_six_over_pi_squared():
    walk = np.random.default_rng(0).normal(size=(600, 20_000)).cumsum(axis=0)
    (found,) = walk_shares(pairwise(walk), [(0, 600)])
    for k, (own, closed) in enumerate(zip(found.shares, found.walk, strict=True), start=1):
        assert closed == pytest.approx(6 / (np.pi * k) ** 2, rel=2e-3)
        # In p dimensions sums over them differ from their mean by 1 / sqrt(p) = 0.007.
        assert own == pytest.approx(6 / (np.pi * k) ** 2, rel=0.03)
    assert found.is_alike
    # Lissajous: along the first axis half a period of a cosine, along the second a whole one.
    drawn = pca(pairwise(walk), metric="euclidean").coordinates
    for k in (1, 2):
        cosine = np.cos(np.pi * k * (np.arange(600) + 0.5) / 600)
        assert abs(np.corrcoef(drawn[:, k - 1], cosine)[0, 1]) > 0.99


def test_a_straight_run_and_a_cloud_are_no_walk_and_short_runs_are_left_out():
    straight = np.outer(np.arange(20.0), np.ones(50))
    noise = np.random.default_rng(1).normal(size=(20, 50))
    points = np.concatenate([straight, noise, noise[:5]])
    found = walk_shares(pairwise(points), [(0, 20), (20, 40), (40, 45)])
    assert [one.run for one in found] == [0, 1]
    assert not any(one.is_alike for one in found)
    assert found[0].shares[0] == pytest.approx(1)


@pytest.mark.parametrize(
    ("runs", "message"),
    [
        ([(0, 12)], r"a run spans rows 0 to 12, but there are 11 points"),
        ([(3, 2)], r"a run spans rows 3 to 2"),
        ([(0, 4), (3, 5)], r"row 3 is in two runs; pass runs that do not overlap"),
    ],
)
def test_runs_that_do_not_fit_are_refused(refuses, runs, message):
    with refuses(message):
        random_walks(pairwise(recorded()), runs)
