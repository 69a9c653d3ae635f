"""Awareness of time: autocorrelation, affinities that remember, and the map that they make."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_phate import autocorrelation_naive, cosine_naive, euclidean_naive, kernel_naive, remembered_naive
from scipy.sparse import csr_array

from lossatlas import phate
from lossatlas.embed import alpha_decay_affinities, autocorrelation, remembered


def squared_of(points):
    squared = euclidean_naive(points) ** 2
    return lambda rows: squared[rows]


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), lengths=st.lists(st.integers(1, 12), min_size=1, max_size=4))
def test_autocorrelation_is_its_definition_in_coordinates(seed, lengths):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.repeat(np.arange(len(lengths)), lengths))  # trajectories that take turns
    points = rng.normal(size=(len(labels), 3)).cumsum(axis=0) + 10
    found = autocorrelation(squared_of(points), labels)
    expected = autocorrelation_naive(points, labels.tolist()) if max(lengths) > 1 else np.ones(1)
    # Squares of 1e2 carry 1e-14; a lag within that of 0 may be on either side, and is then the last of the longer one.
    both = min(len(found), len(expected))
    np.testing.assert_allclose(found[:both], expected[:both], atol=1e-10)
    assert np.all(np.abs(np.concatenate([found[both:], expected[both:]])) < 1e-10)


def test_autocorrelation_by_hand():
    # About their mean 1, 1, 1, -1, -1 ... : lag 1 is (1 + 1 - 1 + 1 + 1) / 6, lag 2 is (1 - 1 - 1 + 1) = 0: the end.
    points = np.array([2.0, 2.0, 2.0, 0.0, 0.0, 0.0])[:, np.newaxis]
    np.testing.assert_allclose(autocorrelation(squared_of(points), np.zeros(6, dtype=int)), [1, 1 / 2], rtol=1e-14)


def test_each_trajectory_is_about_its_own_mean():
    # Far apart, each moves as the other: as if it were alone.
    one = np.random.default_rng(0).normal(size=(9, 2)).cumsum(axis=0)
    alone = autocorrelation(squared_of(one), np.zeros(9, dtype=int))
    both = autocorrelation(squared_of(np.concatenate([one, one + 1000])), np.repeat([0, 1], 9))
    np.testing.assert_allclose(both, alone, rtol=1e-8)


@pytest.mark.parametrize("labels", [np.arange(4), np.zeros(4, dtype=int)])
def test_what_does_not_move_remembers_nothing(labels):
    np.testing.assert_array_equal(autocorrelation(lambda rows: np.zeros((len(rows), 4)), labels), [1])


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), lags=st.integers(1, 12))
def test_remembered_affinities_are_tkt_in_loops(seed, lags):
    rng = np.random.default_rng(seed)
    labels = rng.integers(3, size=14)
    K = kernel_naive(euclidean_naive(rng.normal(size=(14, 3))), 3, 10.0)
    correlation = np.linspace(1, 0.1, lags)
    found = remembered(csr_array(K), correlation, labels).toarray()
    np.testing.assert_allclose(found, remembered_naive(K, correlation, labels), rtol=1e-12)
    np.testing.assert_array_equal(found, found.T)


def test_a_memory_of_no_lag_changes_nothing():
    K = csr_array(kernel_naive(euclidean_naive(np.random.default_rng(0).normal(size=(10, 3))), 3, 10.0))
    np.testing.assert_array_equal(remembered(K, np.ones(1), np.zeros(10, dtype=int)).toarray(), K.toarray())


def test_memory_joins_a_pair_by_hand():
    # Of two points apart, T = [[1, r], [r, 1]] and K = 1: T K T = [[1 + r^2, 2 r], [2 r, 1 + r^2]].
    found = remembered(csr_array(np.eye(2)), np.array([1.0, 0.5]), np.zeros(2, dtype=int))
    np.testing.assert_array_equal(found.toarray(), [[1.25, 1], [1, 1.25]])


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_a_map_with_memory_walks_on_the_affinities_of_the_formulas(metric):
    # The cosine sees directions: its memory is that of the points brought to length 1.
    rng = np.random.default_rng(0)
    points = rng.normal(size=(30, 8)).cumsum(axis=0) + 4
    labels = np.repeat([0, 1], [18, 12])
    found = phate(points, metric=metric, time="autocorrelation", trajectories=labels, connect=None, scaling="classical", t=4)
    seen = points if metric == "euclidean" else points / np.linalg.norm(points, axis=1, keepdims=True)
    K = kernel_naive(euclidean_naive(points) if metric == "euclidean" else cosine_naive(points), 5, 40.0)
    expected = remembered_naive(K, autocorrelation_naive(seen, labels.tolist()), labels)
    np.testing.assert_allclose(found.affinities.toarray(), expected, rtol=1e-9, atol=1e-12)
    assert found.settings.time == "autocorrelation"


def noisy_loops(n=60, *, noise=0.6, seed=0):
    """Two loops of two rounds each, of which noise hides who follows whom."""
    rng = np.random.default_rng(seed)
    angle = np.linspace(0, 4 * np.pi, n, endpoint=False)
    loop = np.zeros((n, 10))
    loop[:, :2] = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    other = np.zeros((n, 10))
    other[:, 2:4] = loop[:, :2]
    return np.concatenate([loop, other]) + noise * rng.normal(size=(2 * n, 10)) / np.sqrt(10) * 2, np.repeat([0, 1], n)


def step_length(coordinates, labels):
    """Mean distance of consecutive points as a share of the mean distance."""
    steps = np.linalg.norm(np.diff(coordinates, axis=0), axis=1)[np.diff(labels) == 0]
    return steps.mean() / euclidean_naive(coordinates).mean()


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_consecutive_points_of_noisy_loops_come_nearer(seed):
    points, labels = noisy_loops(seed=seed)
    plain = phate(points, metric="euclidean", t=8)
    aware = phate(points, metric="euclidean", t=8, time="autocorrelation", trajectories=labels)
    assert step_length(aware.coordinates, labels) < 0.8 * step_length(plain.coordinates, labels)
    again = phate(points, metric="euclidean", t=8, time="autocorrelation", trajectories=labels)
    np.testing.assert_array_equal(again.coordinates, aware.coordinates)


def test_memory_stays_within_its_trajectory():
    points, labels = noisy_loops(30)
    K = alpha_decay_affinities(euclidean_naive(points), knn=3)
    cut = csr_array(np.where(labels[:, np.newaxis] == labels, K.toarray(), 0))
    found = remembered(cut, autocorrelation(squared_of(points), labels), labels).toarray()
    assert (found[labels[:, np.newaxis] != labels] == 0).all()
