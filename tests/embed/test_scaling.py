"""Classical, metric and stochastic scaling, and stress."""

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_phate import aligned, euclidean_naive, guttman_naive, majorised_naive, raw_stress_naive, stress_naive
from scipy.sparse.linalg import ArpackNoConvergence
from scipy.spatial import procrustes
from sklearn.metrics import euclidean_distances

from lossatlas.embed import classical_scaling, metric_scaling, nonmetric_scaling, scaling, stress
from lossatlas.embed.paper import squared_classical_scaling, stochastic_scaling
from lossatlas.embed.passes import stress_and_gradient, threads
from lossatlas.embed.scaling import _principal_dense

SEEDS = st.integers(0, 2**32 - 1)


def points(n=20, axes=2, *, seed=0):
    return np.random.default_rng(seed).normal(size=(n, axes)) * np.array([3.0, 1.0, 0.5, 0.2])[:axes]


def crooked(n=25, *, seed=0):
    """Distances that no plane holds."""
    return euclidean_naive(np.random.default_rng(seed).normal(size=(n, 8)))


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_distances_of_points_come_back(axes):
    given_distances = euclidean_naive(points(axes=axes))
    drawn = classical_scaling(given_distances, n_components=axes)
    # B is formed from D², so half of float64's digits remain where points are near.
    scale = given_distances.max()
    np.testing.assert_allclose(euclidean_naive(drawn), given_distances, rtol=1e-6, atol=1e-6 * scale)
    np.testing.assert_allclose(drawn, aligned(points(axes=axes), drawn), atol=1e-6 * scale)


def test_axes_come_in_the_order_of_their_lengths_about_their_middle():
    drawn = classical_scaling(euclidean_naive(points(axes=3)), n_components=3)
    np.testing.assert_allclose(drawn.mean(axis=0), 0, atol=1e-7)  # of B, formed from D²
    lengths = np.linalg.norm(drawn, axis=0)
    assert lengths[0] > lengths[1] > lengths[2]
    inner = drawn.T @ drawn
    np.testing.assert_allclose(inner - np.diag(np.diagonal(inner)), 0, atol=1e-10)  # axes are orthogonal


def test_fewer_axes_are_the_first_of_more():
    given_distances = crooked()
    few, more = classical_scaling(given_distances, n_components=2), classical_scaling(given_distances, n_components=3)
    np.testing.assert_allclose(few, more[:, :2], atol=1e-12)  # found by other rotations


def test_the_largest_coordinate_of_each_axis_is_positive():
    for seed in range(10):
        drawn = classical_scaling(crooked(seed=seed), n_components=3)
        largest = np.abs(drawn).argmax(axis=0)
        assert (drawn[largest, range(3)] > 0).all()


def test_mirrored_points_are_drawn_the_same():
    given_points = points()
    mirrored = given_points * [-1, 1]
    np.testing.assert_array_equal(classical_scaling(euclidean_naive(mirrored)), classical_scaling(euclidean_naive(given_points)))


def test_copies_are_drawn_at_one_place():
    given_points = points()
    given_points[7] = given_points[3]
    drawn = classical_scaling(euclidean_naive(given_points))
    np.testing.assert_allclose(drawn[7], drawn[3], atol=1e-7)  # half of the digits


def test_axes_that_distances_do_not_have_are_flat():
    np.testing.assert_allclose(classical_scaling(euclidean_naive(points(axes=1)), n_components=3)[:, 1:], 0, atol=1e-6)
    padded = classical_scaling(np.array([[0.0, 3.0], [3.0, 0.0]]), n_components=4)
    assert padded.shape == (2, 4)
    np.testing.assert_allclose(np.abs(padded), [[1.5, 0, 0, 0], [1.5, 0, 0, 0]], atol=1e-7)


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_many_points_are_scaled_by_products_as_few_by_the_whole(axes):
    # 8 dimensions and some noise that no space has: eigenvalues far below 0, which must not be taken for the largest.
    rng = np.random.default_rng(0)
    noise = np.triu(rng.uniform(0, 3, size=(700, 700)), k=1)
    given_distances = euclidean_distances(rng.normal(size=(700, 8)) * np.geomspace(3, 1, 8)) + noise + noise.T
    np.fill_diagonal(given_distances, 0)
    values, vectors = _principal_dense(given_distances, axes)
    expected = vectors[:, ::-1] * np.sqrt(values[::-1])
    found = classical_scaling(given_distances, n_components=axes)
    np.testing.assert_allclose(found * np.sign((found * expected).sum(axis=0)), expected, atol=1e-8)


def test_scaling_by_products_that_does_not_converge_is_done_by_the_whole(monkeypatch):
    def fails(*_, **__):
        raise ArpackNoConvergence("no", np.array([]), np.array([]))

    given_distances = euclidean_distances(np.random.default_rng(0).normal(size=(400, 3)))
    expected = classical_scaling(given_distances)
    monkeypatch.setattr(scaling, "eigsh", fails)
    np.testing.assert_allclose(classical_scaling(given_distances), expected, atol=1e-8)


@pytest.mark.parametrize("bend", [np.square, np.sqrt, lambda d: np.exp(d / 2) - 1])
def test_nonmetric_scaling_sees_the_order_of_distances_alone(bend):
    given_points = points(40)
    bent = bend(euclidean_distances(given_points))
    start, _ = metric_scaling(bent, classical_scaling(bent))
    found, passes = nonmetric_scaling(bent, start, tolerance=1e-6, max_iterations=500)
    _, _, metric = procrustes(given_points, start)
    _, _, nonmetric = procrustes(given_points, found)
    assert passes > 0
    # 780 ordered pairs leave 40 points little room; metric scaling is bent with the distances.
    assert nonmetric < 2e-3
    assert nonmetric < metric / 5


def test_nonmetric_scaling_keeps_the_size_of_the_distances():
    bent = np.square(euclidean_distances(points(40)))
    found, _ = nonmetric_scaling(bent, classical_scaling(bent))
    lengths = euclidean_distances(found)
    np.testing.assert_allclose((lengths**2).sum(), (bent**2).sum(), rtol=0.05)  # the disparities have its norm; the fit is near


def test_imaginary_axes_are_left_flat():
    # The triangle's inequality is broken, 1 + 1 < 3, so B has a negative eigenvalue.
    impossible = np.array([[0.0, 1.0, 1.0], [1.0, 0.0, 3.0], [1.0, 3.0, 0.0]])
    drawn = classical_scaling(impossible, n_components=3)
    assert np.isfinite(drawn).all()
    np.testing.assert_allclose(drawn[:, 1:], 0, atol=1e-7)


def test_the_squared_scaling_has_eigenvalues_for_lengths():
    given_distances = crooked()
    plain, squared = classical_scaling(given_distances), squared_classical_scaling(given_distances)
    # sqrt(lambda) v against 2 lambda v, the -1/2 being left out.
    np.testing.assert_allclose(np.linalg.norm(squared, axis=0), 2 * np.linalg.norm(plain, axis=0) ** 2, rtol=1e-12)
    np.testing.assert_allclose(squared / np.linalg.norm(squared, axis=0), plain / np.linalg.norm(plain, axis=0), atol=1e-12)


@pytest.mark.parametrize("axes", [1, 2, 3, 5])
@pytest.mark.parametrize("n", [9, 450])
def test_one_pass_gives_the_stress_and_its_gradient(n, axes):
    # Of 450 points the pairs are dealt to threads.
    given_distances = euclidean_distances(np.random.default_rng(1).normal(size=(n, 8)))
    here = np.random.default_rng(0).normal(size=(n, axes))
    gaps = here[:, np.newaxis] - here[np.newaxis]
    lengths = np.sqrt((gaps**2).sum(axis=2))
    excess = lengths - given_distances
    slopes = np.divide(excess, lengths, out=np.zeros_like(excess), where=lengths > 0)
    with threads(n) as executor:
        raw, gradient = stress_and_gradient(given_distances, np.ascontiguousarray(here.T), executor)
    # Some 1e5 terms in another order.
    np.testing.assert_allclose(raw, (excess**2).sum() / 2, rtol=1e-12)
    np.testing.assert_allclose(gradient.T, 2 * (slopes[:, :, np.newaxis] * gaps).sum(axis=1), atol=1e-11 * n)
    # A step down the gradient by 1 / 2n is one of majorisation.
    if n == 9:
        np.testing.assert_allclose(here - here.mean(0) - gradient.T / (2 * n), guttman_naive(given_distances, here), atol=1e-12)


def test_a_pass_is_the_same_bit_for_bit_with_and_without_threads():
    given_distances = euclidean_distances(np.random.default_rng(1).normal(size=(500, 8)))
    here = np.ascontiguousarray(np.random.default_rng(0).normal(size=(2, 500)))
    with ThreadPoolExecutor(3) as executor:
        for one, many in zip(
            stress_and_gradient(given_distances, here, None),
            stress_and_gradient(given_distances, here, executor),
            strict=True,
        ):
            np.testing.assert_array_equal(one, many)


@settings(max_examples=15, deadline=None)
@given(seed=SEEDS, axes=st.integers(1, 3))
def test_metric_scaling_ends_no_higher_than_majorisation(seed, axes):
    given_distances = crooked(12, seed=seed)
    start = classical_scaling(given_distances, n_components=axes)
    found, _ = metric_scaling(given_distances, start)
    majorised = majorised_naive(given_distances, start, tolerance=1e-9, limit=2000)
    # In one dimension stress has many minima, and the two may end in neighbours.
    if axes > 1:
        assert raw_stress_naive(given_distances, found) <= raw_stress_naive(given_distances, majorised) * (1 + 1e-4)
    assert raw_stress_naive(given_distances, found) <= raw_stress_naive(given_distances, start)


def test_metric_scaling_takes_fewer_passes_than_majorisation_to_the_same_minimum():
    given_distances = crooked(60)
    start = classical_scaling(given_distances)
    found, passes = metric_scaling(given_distances, start)
    expected = majorised_naive(given_distances, start, tolerance=1e-13, limit=5000)
    np.testing.assert_allclose(aligned(found, expected), expected, atol=1e-4 * np.abs(expected).max())
    # As many steps of majorisation do not come as far.
    as_many = majorised_naive(given_distances, start, tolerance=-np.inf, limit=passes)
    assert raw_stress_naive(given_distances, found) < raw_stress_naive(given_distances, as_many) * (1 - 1e-7)


def test_a_coarser_tolerance_stops_sooner():
    given_distances = crooked(60)
    start = np.random.default_rng(0).normal(size=(60, 2))
    coarse, few = metric_scaling(given_distances, start, tolerance=1e-2)
    fine, many = metric_scaling(given_distances, start)
    assert few < many
    assert stress(given_distances, fine) < stress(given_distances, coarse)


def test_metric_scaling_ends_where_the_gradient_is_flat():
    given_distances = crooked()
    found, iterations = metric_scaling(given_distances, classical_scaling(given_distances), tolerance=1e-14)
    assert iterations < 3000
    # X = B(X) X / n at a stationary point; a gain of 1e-12 of the stress leaves steps of its root.
    assert np.abs(guttman_naive(given_distances, found) - found).max() < 1e-5 * np.abs(found).max()


def test_planar_points_come_back_from_a_perturbed_start():
    given_points = points()
    given_distances = euclidean_naive(given_points)
    start = given_points + 0.2 * np.random.default_rng(1).normal(size=given_points.shape)
    found, _ = metric_scaling(given_distances, start)
    # It stops when an iteration gains less than 1e-10 of the first stress.
    assert stress_naive(given_distances, found) < 1e-6
    np.testing.assert_allclose(aligned(found, given_points), given_points, atol=1e-5)


def test_a_perfect_start_is_left_where_it_is():
    given_points = points() - points().mean(axis=0)
    found, iterations = metric_scaling(euclidean_naive(given_points), given_points)
    np.testing.assert_allclose(found, given_points, atol=1e-12)
    assert iterations <= 100  # the stress is rounding from the first, and rounding goes up before long


def test_two_points_at_distance_zero_are_perfect_at_once():
    assert metric_scaling(np.zeros((2, 2)), np.zeros((2, 2)))[1] == 1


def test_points_that_begin_at_one_place_do_no_harm():
    given_distances = crooked(6)
    start = np.random.default_rng(0).normal(size=(6, 2))
    start[1] = start[0]
    found, _ = metric_scaling(given_distances, start)
    assert np.isfinite(found).all()
    assert stress(given_distances, found) < stress(given_distances, start)


def test_metric_scaling_leaves_its_start_as_it_was():
    start = points() - points().mean(axis=0)
    before = start.copy()
    metric_scaling(crooked(20), start)
    np.testing.assert_array_equal(start, before)


def test_the_start_can_lie_in_memory_in_any_order():
    start = points()
    given_distances = crooked(20)
    expected, _ = metric_scaling(given_distances, start)
    np.testing.assert_allclose(
        metric_scaling(np.asfortranarray(given_distances), np.asfortranarray(start))[0], expected, atol=1e-10
    )


def test_iterations_are_limited():
    start = np.random.default_rng(0).normal(size=(25, 2))
    assert metric_scaling(crooked(), start, max_iterations=3)[1] < metric_scaling(crooked(), start)[1]


def test_stress_by_hand():
    # Drawn 3, 4, 5 for given 3, 4, 6: the best factor is (9 + 16 + 30) / 50 = 1.1; residues .3, .4, -.5 over 3.3, 4.4, 5.5.
    given_distances = np.array([[0.0, 3.0, 4.0], [3.0, 0.0, 6.0], [4.0, 6.0, 0.0]])
    drawn = np.array([[0.0, 0.0], [3.0, 0.0], [0.0, 4.0]])
    np.testing.assert_allclose(stress(given_distances, drawn), math.sqrt(0.5 / (1.1**2 * 50)), rtol=1e-14)


def test_stress_of_a_perfect_map_is_zero():
    assert stress(euclidean_naive(points()), points()) < 1e-15


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS, factor=st.floats(1e-8, 1e8))
def test_stress_is_the_same_at_every_scale(seed, factor):
    given_distances = crooked(8, seed=seed)
    drawn = np.random.default_rng(seed).normal(size=(8, 2))
    whole = stress(given_distances, drawn)
    np.testing.assert_allclose(stress(given_distances, drawn * factor), whole, rtol=1e-12)  # 28 pairs
    np.testing.assert_allclose(stress(given_distances * factor, drawn), whole, rtol=1e-12)


def test_no_factor_makes_the_stress_less():
    given_distances = crooked(10)
    drawn = np.random.default_rng(0).normal(size=(10, 2))
    upper = np.triu_indices(10, 1)
    between = euclidean_naive(drawn)[upper]
    raw = [((f * between - given_distances[upper]) ** 2).sum() for f in np.linspace(0.01, 5, 2000)]
    best = np.linspace(0.01, 5, 2000)[int(np.argmin(raw))]
    by_search = math.sqrt(min(raw) / (best**2 * (between**2).sum()))
    np.testing.assert_allclose(stress(given_distances, drawn), by_search, rtol=3e-3)  # the factor is searched in steps of 0.0025


def test_a_map_of_one_place_has_stress_one_unless_there_is_one_place():
    assert stress(crooked(4), np.zeros((4, 2))) == 1
    assert stress(np.zeros((4, 4)), np.zeros((4, 2))) == 0
    assert stress(np.zeros((4, 4)), np.random.default_rng(0).normal(size=(4, 2))) == 1


def test_stochastic_scaling_is_the_same_for_the_same_seed_and_other_for_another():
    given_distances, start = crooked(), points(25)
    first, again, other = (stochastic_scaling(given_distances, start, rng=np.random.default_rng(seed)) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("seed", range(5))
def test_stochastic_scaling_lowers_the_stress(seed):
    given_distances, start = crooked(seed=seed), np.random.default_rng(seed).normal(size=(25, 2))
    before = raw_stress_naive(given_distances, start)
    after = raw_stress_naive(given_distances, stochastic_scaling(given_distances, start, rng=np.random.default_rng(seed)))
    best = raw_stress_naive(given_distances, metric_scaling(given_distances, start)[0])
    assert after < before
    # Measured: within 15 % of what majorisation finds from there.
    assert after < 1.3 * best


def test_stochastic_scaling_moves_each_pair_to_its_distance_in_the_first_epoch():
    # With two points the first rate is 1: half the error is moved at each end.
    found = stochastic_scaling(
        np.array([[0.0, 4.0], [4.0, 0.0]]), np.array([[0.0, 0.0], [1.0, 0.0]]), rng=np.random.default_rng(0), epochs=1
    )
    np.testing.assert_allclose(found, [[-1.5, 0], [2.5, 0]], atol=1e-15)


def test_stochastic_scaling_takes_the_rates_of_the_schedule():
    # At rate r half of r times the error is moved at each end, so the error shrinks by 1 - r. Rates 1, 0.1, 0.01: begun at
    # half the error each, a pair of three points is never met twice an epoch; with two the first rate ends it.
    given_distances = np.array([[0.0, 4.0], [4.0, 0.0]])
    start = np.array([[0.0, 0.0], [1.0, 0.0]])
    middle = start.mean(axis=0)
    found = stochastic_scaling(given_distances, start, rng=np.random.default_rng(0), epochs=3)
    np.testing.assert_allclose(found.mean(axis=0), middle, atol=1e-15)
    np.testing.assert_allclose(found[1, 0] - found[0, 0], 4, atol=1e-15)


def stochastic_naive(given_distances, start, rng, epochs):
    here = start.copy()
    first, second = np.triu_indices(len(here), 1)
    for epoch in range(epochs):
        rate = 0.01 ** (epoch / (epochs - 1))
        for pair in rng.permutation(len(first)):
            i, j = first[pair], second[pair]
            gap = here[i] - here[j]
            length = math.sqrt(gap @ gap)
            move = rate / 2 * (given_distances[i, j] - length) * gap / length
            here[i] += move
            here[j] -= move
    return here


@settings(max_examples=5, deadline=None)
@given(seed=SEEDS)
def test_stochastic_scaling_equals_its_steps_written_in_loops(seed):
    given_distances, start = crooked(7, seed=seed), points(7, seed=seed)
    found = stochastic_scaling(given_distances, start, rng=np.random.default_rng(seed), epochs=4)
    # 84 moves, each with some eps; a pair that comes near may magnify it.
    np.testing.assert_allclose(found, stochastic_naive(given_distances, start, np.random.default_rng(seed), 4), atol=1e-9)
