"""Eigenvalues at once and eigenvectors as few as are wanted; powers of a walk by them."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.metrics import euclidean_distances

from lossatlas.embed import alpha_decay_affinities, diffusion, random_walk, transitions
from lossatlas.embed.decomposition import decomposition
from lossatlas.embed.diffusion import decomposed, lasting


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
    left = lasting(decomposed(walk), t=t)
    assert left is not None, "squares were less work"
    found, expected = transitions(walk, t=t, left=left), transitions(walk, t=t)
    # Sums over eigenvectors are right to rounding of the largest entry.
    np.testing.assert_allclose(found, expected, atol=1e-13, rtol=0)
    assert (found >= 0).all()


def test_negative_eigenvalues_that_last_are_not_forgotten(monkeypatch):
    # A ring of points that hardly see themselves: its eigenvalues are cosines, some near -1.
    m = 300
    walk = random_walk(csr_array(1e-4 * np.eye(m) + np.roll(np.eye(m), 1, axis=0) + np.roll(np.eye(m), -1, axis=0)))
    known = decomposed(walk)
    assert known.values[0] < -0.999
    monkeypatch.setattr(diffusion, "_FORGOTTEN", 1e-13)  # so that few enough last
    for t in (4001, 4002):
        left = lasting(known, t=t)
        assert left is not None
        assert (left.values < 0).any()
        np.testing.assert_allclose(transitions(walk, t=t, left=left), transitions(walk, t=t), atol=1e-11)


@pytest.mark.parametrize(("m", "t"), [(100, 1000), (300, 2)])
def test_few_places_and_few_steps_go_by_squares(m, t):
    known = decomposed(walk_of(np.random.default_rng(0).normal(size=(m, 4)).cumsum(axis=0)))
    assert lasting(known, t=t) is None
