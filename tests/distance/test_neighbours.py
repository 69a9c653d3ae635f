"""Nearest neighbours, exactly: against all distances, whatever float32 hides."""

import numpy as np
import pytest
from test_sources import record

from lossatlas.distance import nearest, neighbours_within, pairwise, search

METRICS = ["cosine", "euclidean"]


def cloud(n=150, p=40, *, seed=0, dtype=np.float64):
    return np.random.default_rng(seed).standard_normal((n, p)).astype(dtype)


def tight(n=160, p=60):
    """Four far clusters in which points are 1e-6 apart: float32 products see one point each."""
    return np.repeat(50 * cloud(4, p), n // 4, axis=0) + 1e-6 * cloud(n, p, seed=1)


def all_distances(points, metric, origin="zero"):
    between = pairwise(points, origin=origin)
    return between.cosine.copy() if metric == "cosine" else between.euclidean.copy()


def naive(points, k, metric, origin="zero"):
    distances = all_distances(points, metric, origin)
    np.fill_diagonal(distances, np.inf)
    order = np.argsort(distances, axis=1, kind="stable")[:, :k]
    return order, np.take_along_axis(distances, order, axis=1)


@pytest.fixture(autouse=True)
def small_tiles(monkeypatch):
    monkeypatch.setattr(search, "_SIDE", 37)
    monkeypatch.setattr(search, "_WIDTH", 16)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("origin", ["zero", "centroid", "start", "point"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_neighbours_are_those_of_all_distances(metric, origin, dtype):
    points = cloud(dtype=dtype)
    place = np.linspace(-1, 1, 40) if origin == "point" else origin
    found = nearest(points, k=5, metric=metric, origin=place)
    indices, distances = naive(points, 5, metric, place)
    np.testing.assert_array_equal(found.indices, indices)
    np.testing.assert_allclose(found.distances, distances, rtol=1e-12)


@pytest.mark.parametrize("metric", METRICS)
def test_neighbours_that_float32_cannot_tell_apart_are_found_all_the_same(metric):
    points = tight()
    found = nearest(points, k=6, metric=metric)
    indices, distances = naive(points, 6, metric)
    np.testing.assert_allclose(found.distances, distances, rtol=1e-6)  # eps / 1e-8 of what a cosine keeps
    assert (found.indices == indices).mean() > 0.999  # which of two that are equal to 1e-8


def test_rows_that_float32_proves_are_not_looked_at_again(monkeypatch):
    seen = []
    candidates = search.Search._candidates

    def spy(self, rows, most, dtype):
        seen.append((len(rows), dtype))
        return candidates(self, rows, most, dtype)

    monkeypatch.setattr(search.Search, "_candidates", spy)
    nearest(cloud(), k=4)
    assert seen == [(150, np.float32)]
    seen.clear()
    points = np.concatenate([cloud(110), cloud(1, seed=5) + 1e-7 * cloud(40, seed=2)])  # a cluster in a cloud
    nearest(points, k=4, metric="euclidean")
    assert seen[0] == (150, np.float32)
    assert seen[1][1] is np.float64
    assert 40 <= seen[1][0] < 75  # and those of the cloud to which the cluster is near


def test_equally_near_points_come_by_their_number():
    points = np.array([[0.0], [1.0], [-1.0], [2.0], [-2.0], [1.0]]).repeat(3, axis=0)
    found = nearest(points, k=4, metric="euclidean")
    np.testing.assert_array_equal(found.indices[0], [1, 2, 3, 4])
    np.testing.assert_array_equal(found.distances[0], [0, 0, 1, 1])
    np.testing.assert_array_equal(found.indices[4], [3, 5, 15, 16])


def test_many_copies_do_not_hide_each_other():
    points = np.concatenate([np.repeat(cloud(1), 90, axis=0), cloud(60, seed=3)])
    found = nearest(points, k=3, metric="euclidean")
    np.testing.assert_array_equal(found.indices[50], [0, 1, 2])
    np.testing.assert_array_equal(found.indices[1], [0, 2, 3])


@pytest.mark.parametrize("scale", [1e22, 1e-25])
def test_values_whose_squares_leave_float32(scale):
    points = cloud(dtype=np.float32) * np.float32(scale)
    np.testing.assert_array_equal(nearest(points, k=3).indices, naive(points, 3, "cosine")[0])


@pytest.mark.parametrize("metric", METRICS)
def test_a_start_at_the_origin_is_at_distance_one(metric):
    points = cloud(80)
    points[7] = points[0]
    found = nearest(points, k=79, metric=metric, origin="start")
    np.testing.assert_array_equal(found.indices, naive(points, 79, metric, "start")[0])


@pytest.mark.parametrize("knn_max", [None, 9])
@pytest.mark.parametrize("factor", [0.5, 1.0, 1.4, 100])
@pytest.mark.parametrize("metric", METRICS)
def test_what_a_kernel_reaches(metric, factor, knn_max):
    points = np.concatenate([cloud(60, 3) + 3, 0.1 * cloud(60, 3, seed=1) - 3])
    found, widths = neighbours_within(points, knn=4, radius_factor=factor, knn_max=knn_max, metric=metric)
    distances = all_distances(points, metric)
    order, near = naive(points, 119, metric)
    np.testing.assert_allclose(widths, near[:, 3], rtol=1e-10)
    for i in range(120):
        reached = order[i][near[i] <= factor * near[i, 3] * (1 + 1e-12)][:knn_max]
        row = found[[i]]
        np.testing.assert_array_equal(np.sort(row.indices), np.sort(reached))
        np.testing.assert_allclose(row.data, distances[i, row.indices], rtol=1e-9)


def test_distances_of_copies_are_stored_and_the_diagonal_is_not():
    points = np.concatenate([cloud(2, 3)[[0, 0, 1, 1]], cloud(6, 3, seed=4)])
    found, widths = neighbours_within(points, knn=1, radius_factor=2, metric="euclidean")
    assert widths[0] == 0
    np.testing.assert_array_equal(found[[0]].indices, [1])
    np.testing.assert_array_equal(found[[0]].data, [0])
    assert (found.diagonal() == 0).all()
    assert not any(i in found[[i]].indices for i in range(10))


def test_runs_have_the_neighbours_of_their_weights(tmp_path):
    run = record(tmp_path / "run", n=12)
    np.testing.assert_array_equal(nearest(run, k=3).indices, nearest(run.weights(), k=3).indices)
    ours, theirs = (neighbours_within(x, knn=2, radius_factor=1.3)[0] for x in (run, run.weights()))
    np.testing.assert_allclose(ours.toarray(), theirs.toarray(), rtol=1e-12)


def test_columns_that_lie_apart_in_memory():
    points = cloud()
    np.testing.assert_array_equal(nearest(np.asfortranarray(points), k=3).indices, nearest(points, k=3).indices)


@pytest.mark.parametrize("k", [0, 150])
def test_a_number_of_neighbours_that_there_are_not_is_refused(refuses, k):
    with refuses(f"k must be from 1 to 149, one less than there are points, but is {k}; choose one of these"):
        nearest(cloud(), k=k)
    with refuses(f"knn must be from 1 to 149, one less than there are points, but is {k}"):
        neighbours_within(cloud(), knn=k, radius_factor=1)


def test_a_reach_that_holds_nothing_is_refused(refuses):
    with refuses("radius_factor must be positive, but is 0; choose a larger one"):
        neighbours_within(cloud(), knn=3, radius_factor=0)
    with refuses("knn_max must be at least knn, 3, but is 2; choose a larger one"):
        neighbours_within(cloud(), knn=3, radius_factor=1, knn_max=2)


@pytest.mark.usefixtures("as_users_call")
def test_a_metric_that_there_is_not_is_refused(refuses):
    with refuses("metric must be 'cosine' or 'euclidean', but is 'manhattan'; choose one"):
        nearest(cloud(), k=3, metric="manhattan")


def test_points_that_have_no_cosine_or_no_number_are_refused(refuses):
    points = cloud()
    points[9] = 0
    with refuses(r"point 9 lies at the origin \(zero\), where a cosine has no meaning; leave it out, or pass another origin"):
        nearest(points, k=3)
    points[11, 2] = np.nan
    with refuses("point 11 has 1 value that is NaN or infinite; leave that point out"):
        nearest(points, k=3, metric="euclidean")


def test_neighbours_of_some_rows_are_those_rows_of_all():
    points = cloud()
    rows = np.array([7, 3, 40])
    every, widths = neighbours_within(points, knn=3, radius_factor=1.4)
    some, own = neighbours_within(points, knn=3, radius_factor=1.4, rows=rows)
    np.testing.assert_array_equal(some.toarray(), every.toarray()[rows])
    np.testing.assert_array_equal(own, widths[rows])
    none, _ = neighbours_within(points, knn=3, radius_factor=1.4, rows=np.zeros(0, dtype=np.int64))
    assert none.shape == (0, len(points))
