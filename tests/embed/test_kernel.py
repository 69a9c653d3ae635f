"""The alpha-decay kernel and the bridges between its parts."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_phate import euclidean_naive, kernel_naive

from lossatlas import InputError
from lossatlas.embed import bridged, components
from lossatlas.embed.kernel import alpha_decay_affinities as sparse_affinities


def distances(n, *, seed=0, axes=3):
    return euclidean_naive(np.random.default_rng(seed).normal(size=(n, axes)))


def alpha_decay_affinities(given_distances, **choices):
    return sparse_affinities(given_distances, **choices).toarray()


def line(*places):
    return np.abs(np.subtract.outer(np.array(places, dtype=float), np.array(places, dtype=float)))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), knn=st.integers(1, 11), decay=st.sampled_from([None, 1.0, 2.0, 10.0, 40.0]))
def test_affinities_equal_the_formula_written_in_loops(seed, knn, decay):
    given_distances = distances(12, seed=seed)
    found = alpha_decay_affinities(given_distances, knn=knn, decay=decay)
    # (d / eps)^40 multiplies a rounding of the ratio by 40, and exp(-x) by x, which is below ln 1e4 = 9.
    np.testing.assert_allclose(found, kernel_naive(given_distances, knn, decay), rtol=1e-12, atol=0)


def test_affinities_by_hand():
    # Bandwidths with knn 2 are 2, 1, 2, 7; with decay 2 the affinity over a distance d from a point is exp(-(d / eps)²).
    places = line(0, 1, 2, 8)
    found = alpha_decay_affinities(places, knn=2, decay=2.0)
    a, b, c, d = 2, 1, 2, 7
    by_hand = [
        [
            1,
            (math.exp(-((1 / a) ** 2)) + math.exp(-((1 / b) ** 2))) / 2,
            (math.exp(-((2 / a) ** 2)) + math.exp(-((2 / c) ** 2))) / 2,
        ],
        [0, 1, (math.exp(-((1 / b) ** 2)) + math.exp(-((1 / c) ** 2))) / 2],
    ]
    np.testing.assert_allclose(found[0, :3], by_hand[0], rtol=1e-14)  # one rounding of exp
    np.testing.assert_allclose(found[1, 2], by_hand[1][2], rtol=1e-14)
    # From 0 to 8 is four bandwidths of the first, exp(-16) = 1.1e-7: cut. From the far end it is 8/7: kept, and halved.
    np.testing.assert_allclose(found[0, 3], math.exp(-((8 / d) ** 2)) / 2, rtol=1e-14)


def test_small_affinities_are_cut_before_the_matrix_is_made_symmetric():
    # One side 1.5e-4 is kept though its half is below the threshold; one side 0.9e-4 is cut though both would add up.
    bandwidth = 1.0
    kept, cut = (-math.log(value) for value in (1.5e-4, 0.9e-4))  # with decay 1 the distance is -ln of the affinity
    for far, expected in ((kept, 1.5e-4 / 2 + math.exp(-1) / 2), (cut, math.exp(-1) / 2)):
        # Points 0, 1 are a bandwidth apart; 2 has 0 for its nearest, at `far`.
        places = np.array([[0, bandwidth, far], [bandwidth, 0, far + 0.5], [far, far + 0.5, 0]])
        found = alpha_decay_affinities(places, knn=1, decay=1.0)
        np.testing.assert_allclose(found[0, 2], expected, rtol=1e-12)


def test_the_bandwidth_does_not_count_the_point_itself():
    # The one neighbour of the first point is at its bandwidth: exp(-1) by the definition of the bandwidth.
    found = alpha_decay_affinities(line(0, 1, 3), knn=1, decay=40.0)
    np.testing.assert_allclose(found[0, 1], math.exp(-1), rtol=1e-14)


def test_every_point_is_its_own_neighbour_by_one():
    np.testing.assert_array_equal(np.diagonal(alpha_decay_affinities(distances(9), knn=3)), 1)


def test_affinities_are_symmetric_and_from_zero_to_one():
    found = alpha_decay_affinities(distances(40), knn=5)
    np.testing.assert_array_equal(found, found.T)
    assert found.min() >= 0
    assert found.max() <= 1
    assert found[found > 0].min() >= 1e-4 / 2  # one side at the threshold, the other cut


def test_without_decay_the_neighbours_count_alike():
    # Nearest of 0 and 1 are each other, of 3 is 1, of 9 is 3: an edge seen from one side counts a half.
    found = alpha_decay_affinities(line(0, 1, 3, 9), knn=1, decay=None)
    np.testing.assert_array_equal(found, [[1, 1, 0, 0], [1, 1, 0.5, 0], [0, 0.5, 1, 0.5], [0, 0, 0.5, 1]])


@pytest.mark.parametrize("decay", [None, 40.0])
def test_copies_of_a_point_are_as_near_as_can_be(decay):
    # Three copies at 0 with knn 2 have a bandwidth of 0: near to each other, and to nothing else from their side.
    found = alpha_decay_affinities(line(0, 0, 0, 1, 2), knn=2, decay=decay)
    assert np.isfinite(found).all()
    np.testing.assert_array_equal(found[:3, :3], 1)
    # From the other side: 1 has the bandwidth 1, 2 the bandwidth 2.
    edge = 1.0 if decay is None else math.exp(-1)
    np.testing.assert_allclose(found[0, 3], edge / 2, rtol=1e-14)
    np.testing.assert_allclose(found, kernel_naive(line(0, 0, 0, 1, 2), 2, decay), rtol=1e-12)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), factor=st.floats(1e-100, 1e100))
def test_the_unit_of_distances_does_not_matter(seed, factor):
    given_distances = distances(15, seed=seed)
    found = alpha_decay_affinities(given_distances * factor, knn=4)
    # A rounding of each distance, times 40 from the exponent and times 9 from exp.
    np.testing.assert_allclose(found, alpha_decay_affinities(given_distances, knn=4), rtol=1e-12)


@pytest.mark.parametrize(("knn", "needed"), [(4, 5), (5, 6), (0, 2), (-1, 2)])
def test_more_neighbours_than_points_are_refused(knn, needed):
    with pytest.raises(
        InputError, match=rf"knn={knn} needs at least {needed} points, but there are 4; record more or pass another"
    ):
        alpha_decay_affinities(distances(4), knn=knn)


def test_all_others_can_be_neighbours():
    assert (alpha_decay_affinities(distances(4), knn=3) > 0).all()


@pytest.mark.parametrize("decay", [0.0, -1.0, float("nan")])
def test_a_decay_that_does_not_fall_is_refused(decay):
    with pytest.raises(InputError, match=rf"decay must be above 0, but is {decay}; 40 is the usual value"):
        alpha_decay_affinities(distances(4), knn=1, decay=decay)


def test_components_are_counted_and_labelled():
    count, labels = components(sparse_affinities(line(0, 1, 2, 100, 101, 102, 200, 201), knn=1))
    assert count == 3
    np.testing.assert_array_equal(labels, [0, 0, 0, 1, 1, 1, 2, 2])


def test_bridges_join_the_nearest_points_of_components_by_exp_minus_one():
    places = line(0, 1, 2, 100, 101, 102, 200, 201)
    affinities = sparse_affinities(places, knn=1)
    joined = bridged(affinities, places)
    assert components(joined)[0] == 1
    changed = np.argwhere((joined != affinities).toarray())
    np.testing.assert_array_equal(changed, [[2, 3], [3, 2], [5, 6], [6, 5]])
    np.testing.assert_allclose(joined[2, 3], math.exp(-1), rtol=1e-15)
    np.testing.assert_array_equal(joined.toarray(), joined.toarray().T)


def test_bridges_leave_the_affinities_within_components_as_they_are():
    places = euclidean_naive(np.random.default_rng(0).normal(size=(20, 2)) + np.repeat([[0, 0], [100, 0]], 10, axis=0))
    affinities = sparse_affinities(places, knn=4)
    assert components(affinities)[0] == 2
    changed = (bridged(affinities, places) != affinities).toarray()
    assert not changed[:10, :10].any()
    assert not changed[10:, 10:].any()
    # One bridge, where the two come nearest.
    nearest = np.unravel_index(places[:10, 10:].argmin(), (10, 10))
    np.testing.assert_array_equal(np.argwhere(changed[:10, 10:]), [nearest])


def test_a_connected_graph_gets_no_bridge():
    places = line(*range(10))
    affinities = sparse_affinities(places, knn=2)
    np.testing.assert_array_equal(bridged(affinities, places).toarray(), affinities.toarray())


def test_bridging_leaves_its_input_as_it_was():
    places = line(0, 1, 100, 101)
    affinities = sparse_affinities(places, knn=1)
    before = affinities.copy()
    bridged(affinities, places)
    np.testing.assert_array_equal(affinities.toarray(), before.toarray())


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_bridges_always_leave_one_component(seed):
    rng = np.random.default_rng(seed)
    middles = rng.normal(size=(5, 2)) * 100
    places = euclidean_naive(np.repeat(middles, 4, axis=0) + rng.normal(size=(20, 2)))
    assert components(bridged(sparse_affinities(places, knn=2), places))[0] == 1
