"""Eigenvalues at once and eigenvectors as few as are wanted; powers of a walk by them."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.metrics import euclidean_distances

from lossatlas.embed import alpha_decay_affinities, random_walk, transitions
from lossatlas.embed import diffusion as module
from lossatlas.embed.decomposition import decomposition
from lossatlas.embed.diffusion import decomposed


def symmetric(m, *, seed=0):
    half = np.random.default_rng(seed).normal(size=(m, m))
    return half + half.T


@pytest.mark.parametrize("m", [2, 3, 10, 90])
def test_vectors_are_those_of_the_matrix(m):
    matrix = symmetric(m)
    known = decomposition(matrix.copy())
    np.testing.assert_allclose(known.values, np.linalg.eigvalsh(matrix), atol=1e-12 * m)
    for first, last in ((0, m - 1), (m - 1, m - 1), (0, 0), (m // 2, m - 1)):
        V = known.vectors(first, last)
        assert V.shape == (m, last - first + 1)
        np.testing.assert_allclose(matrix @ V, V * known.values[first : last + 1], atol=1e-11 * m)
        np.testing.assert_allclose(V.T @ V, np.eye(V.shape[1]), atol=1e-10)


def test_a_ring_has_the_eigenvalues_of_its_waves():
    m = 12
    ring = np.eye(m) + 0.4 * (np.roll(np.eye(m), 1, axis=0) + np.roll(np.eye(m), -1, axis=0))
    expected = np.sort(1 + 0.8 * np.cos(2 * np.pi * np.arange(m) / m))
    np.testing.assert_allclose(decomposition(ring).values, expected, atol=1e-14)


def walk_of(points):
    return random_walk(alpha_decay_affinities(euclidean_distances(points)))


@pytest.mark.parametrize("t", [40, 300, 5000])
def test_powers_by_eigenvectors_are_powers_by_squares(t):
    walk = walk_of(np.random.default_rng(0).normal(size=(300, 4)).cumsum(axis=0))
    known = decomposed(walk)
    assert module._left(known, t), "squares were less work"
    found, expected = transitions(walk, t=t, known=known), transitions(walk, t=t)
    # Sums over eigenvectors are right to rounding of the largest entry.
    np.testing.assert_allclose(found, expected, atol=1e-13, rtol=0)
    assert (found >= 0).all()


def test_negative_eigenvalues_that_last_are_not_forgotten():
    # Pairs that see each other more than themselves: half of the eigenvalues are -1/2 before the ring couples them.
    m = 260
    K = np.kron(np.eye(m // 2), [[1.0, 3.0], [3.0, 1.0]]) + 0.01 * (
        np.roll(np.eye(m), 1, axis=0) + np.roll(np.eye(m), -1, axis=0)
    )
    walk = random_walk(csr_array(K))
    known = decomposed(walk)
    assert known.values[0] < -0.4
    for t in (33, 34):
        ranges = module._left(known, t) or [(0, m - 1)]
        found = module._rescaled(module._by_eigenvectors(known, ranges, t), walk.root)
        np.testing.assert_allclose(found, transitions(walk, t=t), atol=1e-12)


@pytest.mark.parametrize(("m", "t"), [(100, 1000), (300, 2)])
def test_few_places_and_few_steps_go_by_squares(m, t):
    known = decomposed(walk_of(np.random.default_rng(0).normal(size=(m, 4)).cumsum(axis=0)))
    assert not module._left(known, t)
