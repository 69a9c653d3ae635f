"""Cosine distances: digits, blocks, origins, symmetries and refusals."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_cosine import cosine_distances_naive, euclidean_distances_naive

from lossatlas import InputError, cosine_distances
from lossatlas.distance import pairwise, spent

SEEDS = st.integers(0, 2**32 - 1)
ORIGINS = ["zero", "centroid", "start", "point"]


def cloud(n=12, p=301, *, seed=0, offset=0.3):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, p)) + offset


def origin_of(name, points):
    """The origin as it is passed, and as a point."""
    if name == "point":
        point = np.linspace(-1, 1, points.shape[1])
        return point, point
    wide = points.astype(np.longdouble)
    return name, {"zero": 0 * wide[0], "centroid": wide.mean(axis=0), "start": wide[0]}[name]


def dense(points, place):
    """The twin, with the convention that a point at the origin is at distance 1 from all that are not."""
    there = np.flatnonzero((points == place.astype(float)).all(axis=1))
    away = points.astype(np.longdouble).copy()
    away[there] = place + 1  # any direction: it is written over
    result = cosine_distances_naive(away, place)
    result[there, :] = result[:, there] = 1
    result[np.ix_(there, there)] = 0
    np.fill_diagonal(result, 0)
    return result


@pytest.mark.parametrize("origin", ORIGINS)
def test_distances_equal_the_formula_in_extended_precision(origin):
    points = cloud()
    passed, place = origin_of(origin, points)
    found = cosine_distances(points, origin=passed)
    # Distances are of order 1: sums of 301 terms in float64 leave some 1e-14.
    np.testing.assert_allclose(found, dense(points, place), rtol=1e-12, atol=1e-14)


def test_euclidean_distances_equal_the_formula_in_extended_precision():
    points = cloud()
    # Sums of 301 squares; a distance has half the relative error of its square.
    np.testing.assert_allclose(pairwise(points).euclidean, euclidean_distances_naive(points), rtol=1e-12)


@pytest.mark.parametrize("origin", ["zero", "point"])
@pytest.mark.parametrize("step", [1e-2, 1e-4, 1e-6])
def test_snapshots_that_nearly_coincide_keep_their_digits(origin, step):
    # A walk of small steps far from the origin: 1 - cos is near step²/2, 5e-13 at the least, where 1 - cos by subtraction
    # has three digits.
    rng = np.random.default_rng(1)
    points = cloud(1, 20_000, seed=2) + step * rng.normal(size=(12, 20_000)).cumsum(axis=0)
    passed, place = origin_of(origin, points)
    found, true = cosine_distances(points, origin=passed), dense(points, place)
    others = ~np.eye(12, dtype=bool)
    relative = np.abs(found - true)[others] / true[others]
    # (|a| - |b|)² is subtracted from |a-b|²: an error of eps |a|² times step leaves eps / step of 1 - cos, 2e-10 at 1e-6.
    assert relative.max() <= 1e-6
    assert relative.max() <= 1e-9, "worse than the formula has to be"


def test_euclidean_distances_of_snapshots_1e_6_apart_keep_their_digits():
    rng = np.random.default_rng(1)
    start = cloud(1, 5000)
    points = np.concatenate([start + 1e-6 * rng.normal(size=(6, 5000)), start - 2])  # one far point moves the centroid away
    # Representing the weights themselves costs eps / 1e-6 = 2e-10, which the twin shares; the differences cost nothing more.
    np.testing.assert_allclose(pairwise(points).euclidean, euclidean_distances_naive(points), rtol=1e-12)


def test_clusters_of_near_duplicates_far_from_each_other_keep_their_digits():
    rng = np.random.default_rng(3)
    middles = np.repeat(cloud(4, 2000, seed=4) * 50, 5, axis=0)
    points = middles + 1e-6 * rng.normal(size=middles.shape)
    found, true = cosine_distances(points), dense(points, np.zeros(2000))
    others = ~np.eye(len(points), dtype=bool)
    # Neighbours are 2e-8 of their norm apart: eps / 2e-8 of the subtracted (|a| - |b|)² is 1e-8.
    assert (np.abs(found - true)[others] / true[others]).max() <= 1e-7
    # Inside a cluster the distance is 1e-16 to 1e-15: what the formula 1 - cos cannot tell from 0.
    assert 0 < found[0, 1] < 1e-14


def test_coinciding_points_are_at_distance_exactly_zero():
    points = cloud(6)
    points[4] = points[1]
    between = pairwise(points)
    assert between.squared[1, 4] == 0
    assert between.cosine[1, 4] == 0
    assert np.count_nonzero(between.squared == 0) == 6 + 2


@pytest.mark.parametrize("origin", ORIGINS)
def test_the_width_of_blocks_does_not_matter(origin):
    points = cloud(7, 53)
    passed, _ = origin_of(origin, points)
    one_column = 8 * 7 / 2**20
    whole = pairwise(points, origin=passed, megabytes=60 * one_column)
    for columns in (0.5, 1, 2, 10, 52, 53):  # half a column is still read as one
        found = pairwise(points, origin=passed, megabytes=columns * one_column)
        # Only the order of the sums over 53 columns differs.
        np.testing.assert_allclose(found.cosine, whole.cosine, rtol=0, atol=1e-12)
        np.testing.assert_allclose(found.euclidean, whole.euclidean, rtol=1e-12)
        np.testing.assert_allclose(found.norms, whole.norms, rtol=1e-12, atol=1e-12)


def test_near_duplicates_measured_directly_do_not_depend_on_blocks_either():
    points = np.repeat(cloud(2, 53, offset=5), 3, axis=0)
    points += 1e-7 * cloud(6, 53, seed=9)
    one_column = 8 * 6 / 2**20
    whole = pairwise(points)
    for columns in (1, 7, 53):
        # Each squared difference is exact to eps; only their order of addition differs.
        np.testing.assert_allclose(pairwise(points, megabytes=columns * one_column).squared, whole.squared, rtol=1e-12)


def test_float32_points_are_measured_in_float64():
    points = cloud(8, 4001).astype(np.float32)
    points[1] = points[0] * np.float32(1 + 1e-6)
    found = cosine_distances(points)
    assert found.dtype == np.float64
    # The same numbers as float64 give the same bits: float32 is nowhere computed with.
    np.testing.assert_array_equal(found, cosine_distances(points.astype(np.float64)))


@pytest.mark.parametrize("dtype", [np.float16, np.int64, bool])
def test_real_numbers_of_any_type_are_taken(dtype):
    points = (cloud(5, 40) * 3).astype(dtype)
    np.testing.assert_array_equal(cosine_distances(points), cosine_distances(points.astype(np.float64)))


def test_order_in_memory_does_not_matter():
    points = cloud(6, 100)
    strided = np.repeat(points, 2, axis=1)[:, ::2]
    # Sums may run in another order.
    np.testing.assert_allclose(cosine_distances(np.asfortranarray(points)), cosine_distances(points), atol=1e-13)
    np.testing.assert_allclose(cosine_distances(strided), cosine_distances(points), atol=1e-13)


def test_the_input_is_left_as_it_was():
    points = cloud(5)
    before = points.copy()
    cosine_distances(points, origin="centroid")
    np.testing.assert_array_equal(points, before)


def test_opposite_right_and_equal_directions_are_at_two_one_and_zero():
    points = np.array([[2.0, 0.0], [0.0, 3.0], [-5.0, 0.0], [7.0, 0.0]])
    # Exact in float64: whole numbers.
    np.testing.assert_array_equal(cosine_distances(points), [[0, 1, 2, 0], [1, 0, 1, 1], [2, 1, 0, 2], [0, 1, 2, 0]])


def test_the_angle_is_measured_at_the_origin():
    # Seen from (1, 1): east, north-east and south; by hand 1 - cos 45°, 1 - cos 90°, 1 - cos 135°.
    points = np.array([[3.0, 1.0], [2.0, 2.0], [1.0, -4.0]])
    found = cosine_distances(points, origin=np.array([1.0, 1.0]))
    half = math.sqrt(0.5)
    np.testing.assert_allclose(found, [[0, 1 - half, 1], [1 - half, 0, 1 + half], [1, 1 + half, 0]], atol=1e-15)


def test_a_start_or_a_point_at_the_origin_is_at_distance_one_from_every_other_point():
    points = cloud(5)
    from_start = cosine_distances(points, origin="start")
    np.testing.assert_array_equal(from_start[0], [0, 1, 1, 1, 1])
    np.testing.assert_array_equal(from_start, from_start.T)
    np.testing.assert_array_equal(cosine_distances(points, origin=points[3].copy())[3], [1, 1, 1, 0, 1])


def test_copies_of_the_start_are_at_distance_zero_from_it():
    # Runs that begin with one initialisation share their point 0.
    points = cloud(5)
    points[2] = points[0]
    found = cosine_distances(points, origin="start")
    np.testing.assert_array_equal(found[[0, 2]], [[0, 1, 0, 1, 1], [0, 1, 0, 1, 1]])


def test_the_start_and_the_same_point_given_as_an_array_are_one_origin():
    points = cloud(5)
    np.testing.assert_array_equal(cosine_distances(points, origin="start"), cosine_distances(points, origin=points[0]))


def test_norms_are_distances_from_the_origin():
    points = cloud(4)
    place = np.full(301, 0.5)
    by_hand = [np.linalg.norm(row - place) for row in points]
    # Two sums of 301 squares in different orders.
    np.testing.assert_allclose(pairwise(points, origin=place).norms, by_hand, rtol=1e-13)
    assert pairwise(points, origin=place).origin == "point"
    assert pairwise(points, origin="centroid").origin == "centroid"


@settings(max_examples=25, deadline=None)
@given(seed=SEEDS, n=st.integers(2, 9), p=st.integers(1, 30), origin=st.sampled_from(["zero", "centroid", "point"]))
def test_any_points_give_a_symmetric_matrix_from_zero_to_two_with_zeros_on_its_diagonal(seed, n, p, origin):
    points = cloud(n, p, seed=seed)
    passed, _ = origin_of(origin, points)
    found = cosine_distances(points, origin=passed)
    np.testing.assert_array_equal(found, found.T)
    np.testing.assert_array_equal(np.diagonal(found), 0)
    assert found.min() >= 0
    assert found.max() <= 2


@settings(max_examples=25, deadline=None)
@given(seed=SEEDS, origin=st.sampled_from(["zero", "centroid", "point"]))
def test_order_of_points_does_not_matter(seed, origin):
    points = cloud(8, 40, seed=seed)
    passed, _ = origin_of(origin, points)
    order = np.random.default_rng(seed).permutation(8)
    shuffled = cosine_distances(points[order], origin=passed)
    # The centroid is summed in another order.
    np.testing.assert_allclose(shuffled, cosine_distances(points, origin=passed)[np.ix_(order, order)], atol=1e-12)


@settings(max_examples=25, deadline=None)
@given(seed=SEEDS, origin=st.sampled_from(["zero", "centroid", "start"]))
def test_rotating_weight_space_changes_nothing(seed, origin):
    points = cloud(8, 40, seed=seed)
    rotation, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(40, 40)))
    # A rotation in float64 costs some eps sqrt(p) a coordinate.
    np.testing.assert_allclose(
        cosine_distances(points @ rotation, origin=origin), cosine_distances(points, origin=origin), atol=1e-12
    )


@settings(max_examples=25, deadline=None)
@given(seed=SEEDS, factor=st.floats(1e-6, 1e6))
def test_scaling_all_weights_or_any_one_point_about_the_origin_changes_nothing(seed, factor):
    points = cloud(8, 40, seed=seed)
    # Factors are rounded once a weight, and |a-b|² is 1e6 times the part that is kept when one point is scaled so far.
    np.testing.assert_allclose(cosine_distances(points * factor), cosine_distances(points), atol=1e-13)
    one = points.copy()
    one[3] *= factor
    np.testing.assert_allclose(cosine_distances(one), cosine_distances(points), atol=1e-9)


@settings(max_examples=25, deadline=None)
@given(seed=SEEDS)
def test_moving_points_and_origin_together_changes_nothing(seed):
    points = cloud(8, 40, seed=seed)
    shift = np.random.default_rng(seed).normal(size=40)
    moved = cosine_distances(points + shift, origin=shift)
    # (x + s) - s is off by eps |s|.
    np.testing.assert_allclose(moved, cosine_distances(points), atol=1e-12)


@pytest.mark.parametrize("origin", ["zero", "centroid"])
def test_a_point_at_the_origin_is_refused_by_its_number(origin):
    points = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 0.0]])
    with pytest.raises(InputError, match=rf"point 2 lies at the origin \({origin}\).*leave it out, or pass another origin"):
        cosine_distances(points, origin=origin)


def test_euclidean_distances_exist_with_a_point_at_the_origin():
    between = pairwise(np.array([[3.0, 4.0], [0.0, 0.0]]))
    np.testing.assert_array_equal(between.euclidean, [[0, 5], [5, 0]])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_values_that_are_not_finite_are_refused_by_their_point(dtype):
    points = cloud(130, 3).astype(dtype)
    points[100, 1] = np.inf
    with pytest.raises(InputError, match=r"point 100 .*NaN or infinite; leave that point out"):
        cosine_distances(points)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_one_point_is_no_map(dtype):
    with pytest.raises(InputError, match=r"at least 2 points, but there is 1; record or sample more"):
        cosine_distances(np.ones((1, 3), dtype=dtype))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_flat_array_is_refused(dtype):
    with pytest.raises(InputError, match=r"one row a point, but the array has 1 axes; reshape it"):
        cosine_distances(np.ones(3, dtype=dtype))


def test_complex_numbers_are_refused():
    with pytest.raises(InputError, match=r"real numbers, but their type is complex128; convert them first"):
        cosine_distances(np.ones((2, 2)) * 1j)


def test_an_origin_of_another_length_is_refused():
    with pytest.raises(InputError, match=r"origin must be a point of 3 values, but its shape is \(4,\); flatten it"):
        cosine_distances(cloud(4, 3), origin=np.ones(4))


@pytest.mark.usefixtures("as_users_call")
def test_an_origin_of_another_name_is_refused_with_those_there_are():
    with pytest.raises(InputError, match=r"origin must be 'zero', 'centroid', 'start' or a point, but is 'middle'; choose one"):
        cosine_distances(cloud(4, 3), origin="middle")


@pytest.mark.usefixtures("as_users_call")
@pytest.mark.parametrize("points", ["runs/sgd", [np.ones(3)], []])
def test_what_is_neither_an_array_nor_runs_is_refused(points):
    with pytest.raises(InputError, match=r"an array \(n, p\), a run, or a list of runs; open folders with lossatlas\.open_runs"):
        cosine_distances(points)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_distances_written_over_their_squares_are_the_same(metric):
    points = np.random.default_rng(0).normal(size=(20, 9)) + 2
    kept, lost = pairwise(points), pairwise(points)
    expected = kept.cosine if metric == "cosine" else kept.euclidean
    found = spent(lost, metric)
    np.testing.assert_array_equal(found, expected)
    assert found is lost.squared
