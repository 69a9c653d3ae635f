"""The walk: its operator, spectrum, entropy, knee and potential."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_phate import (
    entropy_naive,
    euclidean_naive,
    kernel_naive,
    knee_naive,
    operator_naive,
    potential_naive,
    power_naive,
)
from scipy.sparse import csr_array

from lossatlas import InputError
from lossatlas.embed import diffusion_operator, knee, potential, random_walk, spectral_entropy, spectrum, transitions
from lossatlas.embed.diffusion import reached


def kernel(n, *, seed=0, knn=4, decay=10.0):
    return csr_array(kernel_naive(euclidean_naive(np.random.default_rng(seed).normal(size=(n, 2))), knn, decay))


def values(K, of="eigenvalues"):
    return spectrum(random_walk(csr_array(K)), of=of)


CURVES = {
    "bent": np.concatenate([np.linspace(5, 1, 8), np.linspace(1, 0.5, 30)[1:]]),
    "exponential": np.exp(-np.arange(20) / 10),
    "power": 1 / np.arange(1.0, 40.0),
    "steps": np.array([5.0, 5, 5, 3, 3, 1, 1, 1, 1]),
    "noise": np.sort(np.random.default_rng(3).normal(size=60))[::-1].copy(),
    "three": np.array([3.0, 1.0, 0.5]),
    "rising": np.log(np.arange(1.0, 50.0)),
    "entropy": entropy_naive([1.0, 0.9, 0.8, 0.5, 0.3, 0.1], 100),
}


def test_rows_of_the_operator_sum_to_one():
    P = diffusion_operator(kernel(30))
    np.testing.assert_allclose(P.sum(axis=1), 1, rtol=1e-14)  # 30 terms
    np.testing.assert_allclose(P, operator_naive(kernel(30).toarray()), rtol=1e-14)


def test_the_operator_by_hand():
    K = np.array([[1.0, 0.5, 0.0], [0.5, 1.0, 1.0], [0.0, 1.0, 1.0]])
    np.testing.assert_allclose(diffusion_operator(csr_array(K)), [[2 / 3, 1 / 3, 0], [0.2, 0.4, 0.4], [0, 0.5, 0.5]], rtol=1e-15)


def test_the_walk_settles_where_the_graph_is_dense():
    # A reversible walk's stationary probabilities are the rows' sums over their total.
    K = kernel(20)
    settled = np.linalg.matrix_power(diffusion_operator(K), 10_000)
    # 14 squarings, each with sums of 20 terms.
    np.testing.assert_allclose(settled[3], K.sum(axis=1) / K.sum(), rtol=1e-10)


def test_eigenvalues_are_those_of_the_operator_itself():
    K = kernel(25)
    by_definition = np.sort(np.abs(np.linalg.eigvals(diffusion_operator(K))))[::-1]
    # The matrix without symmetry has eigenvalues as exact as its eigenvectors are well-conditioned, here within 1e3.
    np.testing.assert_allclose(values(K), by_definition, atol=1e-12)
    np.testing.assert_allclose(values(K)[0], 1, rtol=1e-13)


def test_negative_eigenvalues_count_by_their_size():
    # Two points that see each other alone: the eigenvalues of ((0, 1), (1, 0)) are 1 and -1.
    np.testing.assert_allclose(values(np.array([[0.0, 2.0], [2.0, 0.0]])), [1, 1], rtol=1e-14)


def test_singular_values_are_those_of_the_operator():
    K = kernel(25)
    P = diffusion_operator(K)
    by_definition = np.sqrt(np.maximum(np.sort(np.linalg.eigvalsh(P.T @ P))[::-1], 0))
    # Roots of eigenvalues near 0: half the digits.
    np.testing.assert_allclose(values(K, "singular values"), by_definition, atol=1e-7)


def test_singular_values_equal_eigenvalues_where_the_operator_is_symmetric():
    ring = np.eye(12) + 0.4 * (np.roll(np.eye(12), 1, axis=0) + np.roll(np.eye(12), -1, axis=0))
    np.testing.assert_allclose(values(ring, "singular values"), values(ring), atol=1e-14)
    # By hand: (1 + 0.8 cos(2 pi k / 12)) / 1.8.
    by_hand = sorted(((1 + 0.8 * math.cos(2 * math.pi * k / 12)) / 1.8 for k in range(12)), reverse=True)
    np.testing.assert_allclose(values(ring), by_hand, atol=1e-14)


def test_singular_values_differ_from_eigenvalues_where_rows_have_other_sums():
    K = np.array([[1.0, 0.5, 0.0], [0.5, 1.0, 1.0], [0.0, 1.0, 1.0]])
    largest = values(K, "singular values")[0]
    assert largest > 1 + 1e-3  # an operator of this kind has the eigenvalue 1, and a norm above it
    np.testing.assert_allclose(values(K)[0], 1, rtol=1e-14)
    # By hand: trace of P.T P.
    P = np.array([[2 / 3, 1 / 3, 0], [0.2, 0.4, 0.4], [0, 0.5, 0.5]])
    np.testing.assert_allclose((values(K, "singular values") ** 2).sum(), (P**2).sum(), rtol=1e-14)


def test_entropy_by_hand():
    curve = spectral_entropy(np.array([1.0, 0.5, 0.5]), t_max=2)
    # Shares 1/2, 1/4, 1/4, then 2/3, 1/6, 1/6. eps inside the logarithm moves the sum by 3 eps ln.
    np.testing.assert_allclose(curve[0], math.log(2) / 2 + math.log(4) / 2, rtol=1e-14)
    np.testing.assert_allclose(curve[1], -(2 / 3 * math.log(2 / 3) + math.log(1 / 6) / 3), rtol=1e-14)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 30))
def test_entropy_equals_the_sum_written_in_loops(seed, n):
    values = np.sort(np.random.default_rng(seed).uniform(size=n))[::-1].copy()
    # 100 powers and 30 terms; near 0 the entropy is a sum of terms eps ln eps = 1e-14.
    np.testing.assert_allclose(spectral_entropy(values), entropy_naive(values, 100), rtol=1e-12, atol=1e-13)


def test_entropy_falls_from_the_logarithm_of_the_rank_to_that_of_the_components():
    curve = spectral_entropy(np.array([1.0, 1.0, 0.9, 0.5]), t_max=400)
    assert (np.diff(curve)[:200] < 0).all()  # later its terms are rounding
    np.testing.assert_allclose(curve[-1], math.log(2), atol=1e-12)  # 0.9^400 = 5e-19: below eps


def test_entropy_has_one_value_a_power():
    assert spectral_entropy(np.array([1.0, 0.3])).shape == (100,)
    assert spectral_entropy(np.array([1.0, 0.3]), t_max=7).shape == (7,)


@pytest.mark.parametrize("name", CURVES)
def test_the_knee_is_where_two_lines_fit_best(name):
    assert knee(CURVES[name]) == knee_naive(CURVES[name])
    assert knee(CURVES[name], lead=1) == knee_naive(CURVES[name], lead=1)


def test_a_lead_moves_the_knee_of_some_curves():
    assert knee(CURVES["power"]) == 4
    assert knee(CURVES["power"], lead=1) == 5


def test_the_knee_of_two_straight_lines_is_where_they_meet():
    assert knee(CURVES["bent"]) == 7


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(3, 40))
def test_the_knee_of_any_curve_is_that_of_the_search_in_loops(seed, n):
    curve = np.random.default_rng(seed).normal(size=n)
    for lead in (0, 1):
        assert knee(curve, lead=lead) == knee_naive(curve, lead=lead)


@pytest.mark.parametrize("curve", [[], [1.0], [1.0, 0.0]])
def test_a_curve_too_short_for_two_lines_has_its_knee_at_its_start(curve):
    assert knee(np.array(curve, dtype=float)) == 0


@pytest.mark.reference
@pytest.mark.parametrize("name", CURVES)
def test_the_knee_agrees_with_phate(name):
    vne = pytest.importorskip("phate.vne")
    assert knee(CURVES[name], lead=1) == vne.find_knee_point(CURVES[name])


@pytest.mark.reference
def test_without_a_lead_the_knee_is_another_than_phates():
    # PHATE fits its second line from one point before the knee that it judges; the sound knee does not.
    vne = pytest.importorskip("phate.vne")
    assert knee(CURVES["power"]) == vne.find_knee_point(CURVES["power"]) - 1


@pytest.mark.reference
def test_the_entropy_of_singular_values_agrees_with_phate():
    vne = pytest.importorskip("phate.vne")
    K = kernel(30)
    found = spectral_entropy(values(K, "singular values"))
    # The same formula on the same singular values, summed in another order.
    np.testing.assert_allclose(found, vne.compute_von_neumann_entropy(diffusion_operator(K)), rtol=1e-10)


@pytest.mark.parametrize("gamma", [-1, -0.5, 0, 0.5, 1])
@pytest.mark.parametrize("t", [1, 2, 7])
def test_the_potential_equals_the_formula_on_a_power_by_multiplication(gamma, t):
    P = diffusion_operator(kernel(15))
    found = potential(transitions(random_walk(kernel(15)), t=t), gamma=gamma)
    # Powers by squaring and by multiplying differ by some eps a factor; a power c of them by no more.
    np.testing.assert_allclose(found, potential_naive(P, t, gamma), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("t", [1, 2, 3, 6, 13, 64, 100])
@pytest.mark.parametrize("n", [15, 300])
def test_powers_are_products(n, t):
    # Of 300 points the first squares are sparse, the later ones not.
    K = kernel(n)
    found, expected = transitions(random_walk(K), t=t), power_naive(diffusion_operator(K), t)
    # Sums of terms that are never negative: each entry is right to some eps a factor, however small.
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=0)
    assert (found >= 0).all()
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-12)


@pytest.mark.parametrize("gamma", [-1, -0.5, 0, 0.5, 1])
def test_the_walk_can_be_had_back_from_its_potential(gamma):
    P = transitions(random_walk(kernel(15)), t=3)
    # Of the logarithm the floor of 1e-7 is kept to 1e-16 of itself times 16.
    np.testing.assert_allclose(reached(potential(P, gamma=gamma), gamma=gamma), P, rtol=1e-9, atol=1e-18)


def test_a_potential_leaves_the_walk_as_it_was_unless_written_over_it():
    P = transitions(random_walk(kernel(15)), t=3)
    before = P.copy()
    made = potential(P)
    np.testing.assert_array_equal(P, before)
    assert potential(P, out=P) is P
    np.testing.assert_array_equal(P, made)


def test_the_potential_by_hand():
    P = np.array([[0.25, 0.75], [0.0, 1.0]])
    expected = [[-math.log(0.25 + 1e-7), -math.log(0.75 + 1e-7)], [-math.log(1e-7), -math.log(1 + 1e-7)]]
    np.testing.assert_allclose(potential(P), expected, rtol=1e-14)
    np.testing.assert_allclose(potential(P, gamma=0), [[1, math.sqrt(3)], [0, 2]], rtol=1e-14)
    np.testing.assert_allclose(potential(P, gamma=-1), P, rtol=1e-15)
    np.testing.assert_allclose(potential(P, gamma=0.5), 4 * P**0.25, rtol=1e-14)


def test_a_place_never_reached_is_capped_by_the_logarithm():
    np.testing.assert_allclose(potential(np.eye(3))[0, 1], -math.log(1e-7), rtol=1e-15)  # 16.118


def test_near_one_gamma_stops_at_99_hundredths():
    P = diffusion_operator(kernel(15))
    np.testing.assert_array_equal(potential(P, gamma=0.995), potential(P, gamma=0.99))
    assert np.isfinite(potential(P, gamma=1 - 1e-12)).all()
    assert not np.allclose(potential(P, gamma=0.98), potential(P, gamma=0.99))


@pytest.mark.parametrize("gamma", [1.01, -1.01, float("nan")])
def test_a_gamma_out_of_range_is_refused(gamma):
    with pytest.raises(
        InputError, match=rf"gamma must be from -1 to 1, but is {gamma}; 1 takes the logarithm, 0 the square root"
    ):
        potential(np.eye(3), gamma=gamma)


@pytest.mark.parametrize("t", [0, -3])
def test_a_walk_of_no_step_is_refused(t):
    with pytest.raises(InputError, match=rf"t must be 1 or more, but is {t}; pass t='auto' to choose it"):
        transitions(random_walk(kernel(15)), t=t)
