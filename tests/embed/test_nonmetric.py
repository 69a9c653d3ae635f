"""Scaling by the order of the distances."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime
from scipy.spatial import procrustes
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import euclidean_distances

from lossatlas.embed import classical_scaling, metric_scaling, nonmetric_scaling, nonmetric_stress
from lossatlas.embed.nonmetric import _Order


def points(n=40, *, seed=0):
    return np.random.default_rng(seed).normal(size=(n, 2)) * [3.0, 1.0]


def crooked(n=30, *, seed=0):
    """Distances that no plane holds."""
    return euclidean_distances(np.random.default_rng(seed).normal(size=(n, 8)))


def stress_naive(distances, coordinates):
    """Stress-1 against the isotonic regression of another package, of distances without ties."""
    upper = np.triu_indices(len(distances), 1)
    drawn = euclidean_distances(coordinates)[upper]
    fitted = IsotonicRegression().fit(distances[upper], drawn).predict(distances[upper])
    return np.sqrt(((drawn - fitted) ** 2).sum() / (drawn**2).sum())


@pytest.mark.parametrize("bend", [np.square, np.sqrt, lambda d: np.exp(d / 2) - 1])
def test_the_order_of_planar_distances_gives_the_plane_back(bend):
    given_points = points()
    bent = bend(euclidean_distances(given_points))
    start, _ = metric_scaling(bent, classical_scaling(bent))
    found, passes = nonmetric_scaling(bent, start)
    assert 0 < passes < 200
    assert nonmetric_stress(bent, found) < 1e-3
    metric, nonmetric = (procrustes(given_points, places)[2] for places in (start, found))
    # 780 ordered pairs leave 40 points little room; metric scaling is bent with the distances.
    assert nonmetric < 2e-3
    assert nonmetric < metric / 5


def test_it_sees_the_order_alone():
    given_distances = crooked()
    start = classical_scaling(given_distances)
    found, passes = nonmetric_scaling(given_distances, start)
    other, as_many = nonmetric_scaling(given_distances**3, start)
    np.testing.assert_allclose(other / np.linalg.norm(other), found / np.linalg.norm(found), atol=1e-12)
    assert passes == as_many


def test_its_stress_is_that_of_another_regression():
    given_distances = crooked()
    places = np.random.default_rng(1).normal(size=(30, 2))
    np.testing.assert_allclose(nonmetric_stress(given_distances, places), stress_naive(given_distances, places), rtol=1e-12)


def test_it_ends_lower_than_metric_scaling_and_where_the_gradient_is_flat():
    given_distances = crooked()
    start, _ = metric_scaling(given_distances, classical_scaling(given_distances))
    found, _ = nonmetric_scaling(given_distances, start, tolerance=1e-12, max_iterations=2000)
    assert nonmetric_stress(given_distances, found) < nonmetric_stress(given_distances, start) * 0.99
    shape = found.shape

    def square(flat):
        return nonmetric_stress(given_distances, flat.reshape(shape)) ** 2

    slope = {name: approx_fprime(at.ravel(), square, 1e-7) for name, at in (("start", start), ("found", found))}
    # Differences over 1e-7 know six digits of a slope; regression has kinks, at which it may end.
    assert np.linalg.norm(slope["found"]) < 0.02 * np.linalg.norm(slope["start"])


def test_it_has_the_size_of_the_distances():
    bent = np.square(euclidean_distances(points()))
    found, _ = nonmetric_scaling(bent, classical_scaling(bent))
    np.testing.assert_allclose((euclidean_distances(found) ** 2).sum(), (bent**2).sum(), rtol=1e-12)
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-12 * bent.max())


def test_equal_distances_have_equal_disparities():
    given_distances = np.round(crooked(12))
    places = np.random.default_rng(0).normal(size=(2, 12))
    upper = np.triu_indices(12, 1)
    fitted = _Order(given_distances).disparities(places)[upper]
    given = given_distances[upper]
    levels = [np.unique(fitted[given == level]) for level in np.unique(given)]
    assert all(len(level) == 1 for level in levels)
    assert (np.diff(np.concatenate(levels)) >= 0).all()
    # The least squares among such: a weighted regression of the means of the levels.
    drawn = euclidean_distances(places.T)[upper]
    counts = [(given == level).sum() for level in np.unique(given)]
    means = [drawn[given == level].mean() for level in np.unique(given)]
    expected = IsotonicRegression().fit_transform(np.arange(len(means)), means, sample_weight=counts)
    np.testing.assert_allclose(np.concatenate(levels), expected, rtol=1e-12)


@pytest.mark.usefixtures("as_users_call")
def test_what_has_no_order_is_refused(refuses):
    with refuses(r"start must have a row for each of the 30 points, but has 3; pass \(n, d\) coordinates"):
        nonmetric_scaling(crooked(), np.eye(3))
    with refuses("start has all points at one place, where lengths have no order; pass metric_scaling's coordinates"):
        nonmetric_scaling(crooked(), np.ones((30, 2)))


def test_a_map_of_one_place_has_stress_one_unless_there_is_one_place():
    assert nonmetric_stress(crooked(4), np.zeros((4, 2))) == 1
    assert nonmetric_stress(np.zeros((4, 4)), np.zeros((4, 2))) == 0
