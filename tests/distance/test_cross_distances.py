"""Distances from new points to a map's, and by other metrics."""

import numpy as np
import pytest
from naive_cosine import cosine_distances_naive, euclidean_distances_naive
from test_sources import record

from lossatlas.distance import cross_distances, metric_distances


def cloud(n=9, p=203, *, seed=0):
    return np.random.default_rng(seed).normal(size=(n, p)) + 0.3


@pytest.mark.parametrize("origin", ["zero", "centroid", "start", "point"])
@pytest.mark.parametrize("megabytes", [64, 8 * 13 * 50 / 2**20])
def test_the_origin_is_that_of_the_map(origin, megabytes):
    new, points = cloud(4, seed=1), cloud()
    points[0] -= 1e-3
    place = {"zero": 0 * points[0], "centroid": points.mean(axis=0), "start": points[0], "point": points[3] + 1}[origin]
    passed = place if origin == "point" else origin
    found = cross_distances(new, points, origin=passed, megabytes=megabytes)
    others = slice(1, None) if origin == "start" else slice(None)
    true = cosine_distances_naive(np.concatenate([new, points[others]]), place)[:4, 4:]
    np.testing.assert_allclose(found[:, others], true.astype(float), rtol=1e-11)
    if origin == "start":
        np.testing.assert_array_equal(found[:, 0], 1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_near_points_keep_their_digits(dtype):
    points = cloud().astype(dtype)
    new = (points[:3].astype(np.float64) + 1e-6 * cloud(3, seed=2)).astype(dtype)
    new[2] = points[2]
    found = cross_distances(new, points, metric="euclidean")
    true = euclidean_distances_naive(np.concatenate([new, points]))[:3, 3:]
    np.testing.assert_allclose(found, true.astype(float), rtol=1e-9)
    assert found[2, 2] == 0


def test_one_new_point():
    points = cloud()
    np.testing.assert_allclose(cross_distances(points[:1] + 1, points), cross_distances(points + 1, points)[:1], rtol=1e-13)


def test_runs_on_either_side(tmp_path):
    a, b = record(tmp_path / "a", seed=1, n=3), record(tmp_path / "b", seed=2, n=5)
    expected = cross_distances(a.weights(), b.weights())
    np.testing.assert_array_equal(cross_distances(a, b), expected)
    np.testing.assert_array_equal(cross_distances(a.weights(), [b]), expected)


def test_points_of_another_length_are_refused(refuses):
    with refuses("new points must have the 203 parameters of the map's, but have 5; take those of the same model"):
        cross_distances(cloud(p=5), cloud())


def test_new_points_at_the_origin_or_without_numbers_are_refused(refuses):
    new = cloud(3)
    new[1] = 0
    with refuses(r"point 1 lies at the origin \(zero\)"):
        cross_distances(new, cloud())
    new[2, 5:7] = np.nan
    with refuses("point 2 has 2 values that are NaN or infinite; leave that point out"):
        cross_distances(new, cloud())


@pytest.mark.parametrize("metric", ["manhattan", "chebyshev", "correlation", "canberra"])
def test_metrics_of_scikit_learn_are_symmetric_with_a_zero_diagonal(metric):
    from scipy.spatial.distance import cdist

    points = cloud()
    found = metric_distances(points, metric)
    np.testing.assert_allclose(found, cdist(points, points, {"manhattan": "cityblock"}.get(metric, metric)), atol=1e-13)
    np.testing.assert_array_equal(found, found.T)
    assert not np.diagonal(found).any()


def test_rounding_is_taken_off_a_metric(monkeypatch):
    monkeypatch.setattr("sklearn.metrics.pairwise_distances", lambda points, others, metric: np.array([[1e-9, 2.0], [4.0, 0.0]]))
    np.testing.assert_array_equal(metric_distances(cloud(2), "cosine"), [[0, 3], [3, 0]])


def test_a_function_is_a_metric():
    found = metric_distances(cloud(4), lambda a, b: abs(a[0] - b[0]))
    np.testing.assert_allclose(found, np.abs(np.subtract.outer(cloud(4)[:, 0], cloud(4)[:, 0])), rtol=1e-12)


@pytest.mark.usefixtures("as_users_call")
def test_other_metrics_need_points_in_memory(tmp_path, refuses):
    with refuses(r"metric 'manhattan' needs points in memory; pass run\.weights\(\)"):
        metric_distances(record(tmp_path / "run"), "manhattan")
    with refuses("metric must be cosine, .* one that scikit-learn takes for these points, but is 'nonsense'; choose another"):
        metric_distances(cloud(), "nonsense")
    with refuses("point 1 has 1 value that is NaN"):
        metric_distances(np.array([[0.0], [np.nan]]), "manhattan")
