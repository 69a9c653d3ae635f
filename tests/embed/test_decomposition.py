"""Eigenvalues at once and eigenvectors as few as are wanted; powers of a walk by them."""

import numpy as np
import pytest
from scipy.sparse import block_diag, csr_array
from sklearn.metrics import euclidean_distances

from lossatlas.embed import alpha_decay_affinities, diffusion, random_walk, transitions
from lossatlas.embed import decomposition as module
from lossatlas.embed.decomposition import Band, Tridiagonal, decomposition, reduced
from lossatlas.embed.diffusion import decomposed, lasting


def symmetric(m, *, seed=0):
    half = np.random.default_rng(seed).normal(size=(m, m))
    return half + half.T


@pytest.mark.parametrize("m", [2, 3, 10, 90])
def test_vectors_are_those_of_the_matrix(m):
    matrix = symmetric(m)
    known = reduced(matrix.copy())
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
    np.testing.assert_allclose(reduced(ring).values, expected, atol=1e-14)


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


def banded(m, width, *, seed=0):
    """A symmetric matrix of some diagonals, its rows out of order, with eigenvalues up to some 1."""
    rng = np.random.default_rng(seed)
    matrix = np.zeros((m, m))
    for offset in range(width + 1):
        matrix += np.diag(rng.uniform(0.5, 1, m - offset) / (2 * width + 1), -offset)
    matrix += np.tril(matrix, -1).T
    order = rng.permutation(m)
    return csr_array(matrix[np.ix_(order, order)])


@pytest.mark.parametrize("width", [1, 7, 15, 25])
def test_a_thin_matrix_has_the_eigenvalues_and_vectors_of_the_full_one(width):
    matrix = banded(500, width)
    known, full = decomposition(matrix), reduced(matrix.toarray())
    assert isinstance(known, Band)
    np.testing.assert_allclose(known.values, full.values, atol=1e-13, rtol=0)
    for first, last in ((480, 499), (499, 499), (460, 499), (400, 499), (0, 3), (250, 260)):
        V = known.vectors(first, last)
        assert V.shape == (500, last - first + 1)
        np.testing.assert_allclose(matrix @ V, V * full.values[first : last + 1], atol=1e-12)
        np.testing.assert_allclose(V.T @ V, np.eye(V.shape[1]), atol=1e-10)


def test_leading_vectors_of_a_thin_matrix_need_no_full_one(monkeypatch):
    known = decomposition(banded(600, 5))
    monkeypatch.setattr(module, "reduced", lambda matrix: pytest.fail("the full matrix was reduced"))
    assert known.vectors(560, 599).shape == (600, 40)


def test_equal_eigenvalues_have_as_many_vectors():
    one = banded(300, 4)
    matrix = block_diag([one, one], format="csr")
    known = decomposition(csr_array(matrix))
    assert isinstance(known, Band)
    V = known.vectors(590, 599)
    np.testing.assert_allclose(matrix @ V, V * known.values[590:], atol=1e-12)
    np.testing.assert_allclose(V.T @ V, np.eye(10), atol=1e-10)


def test_what_lanczos_does_not_find_comes_from_the_full_matrix(monkeypatch):
    matrix = banded(500, 3)
    known, real = decomposition(matrix), module.eigsh

    # The second largest is missed, as an equal one can be.
    def missing(asked, *, k, **rest):
        values, vectors = real(asked, k=k + 1, **rest)
        keep = np.delete(np.argsort(values), -2)
        return values[keep], vectors[:, keep]

    monkeypatch.setattr(module, "eigsh", missing)
    V = known.vectors(490, 499)
    np.testing.assert_allclose(matrix @ V, V * known.values[490:], atol=1e-12)


@pytest.mark.parametrize(("m", "width"), [(499, 3), (500, 26)])
def test_few_rows_and_wide_bands_are_taken_whole(m, width):
    assert isinstance(decomposition(banded(m, width)), Tridiagonal)


def test_columns_of_a_band_are_no_multiple_of_sixteen_apart():
    for width, rows in ((0, 1), (14, 15), (15, 17), (16, 17), (31, 33)):
        line = sum(np.diag(np.ones(60 - offset), -offset) + np.diag(np.ones(60 - offset), offset) for offset in range(width + 1))
        assert len(module._lower_band(csr_array(line), np.arange(60), most=60)) == rows


def test_a_matrix_that_falls_apart_has_vectors_of_its_parts():
    matrix = np.zeros((40, 40))
    matrix[:20, :20], matrix[20:, 20:] = symmetric(20), symmetric(20, seed=1)
    known = reduced(matrix.copy())
    V = known.vectors(0, 39)
    np.testing.assert_allclose(matrix @ V, V * known.values, atol=1e-10)
    np.testing.assert_allclose(V.T @ V, np.eye(40), atol=1e-10)


def test_vectors_found_in_any_order_are_put_in_that_of_the_values(monkeypatch):
    matrix = banded(500, 3)
    known, real = decomposition(matrix), module.eigsh

    def falling(asked, **rest):
        values, vectors = real(asked, **rest)
        return values[::-1], vectors[:, ::-1]

    monkeypatch.setattr(module, "eigsh", falling)
    monkeypatch.setattr(module, "reduced", lambda matrix: pytest.fail("the full matrix was reduced"))
    V = known.vectors(490, 499)
    np.testing.assert_allclose(matrix @ V, V * known.values[490:], atol=1e-12)


@pytest.mark.parametrize("parts", [1, 2])
def test_bisection_is_for_matrices_that_fall_apart_alone(parts, monkeypatch):
    matrix = block_diag([symmetric(20, seed=seed) for seed in range(parts)]).toarray()
    known, ways = reduced(matrix.copy()), []
    known.beside[np.abs(known.beside) < 1e-12] = 0.0
    real = module.eigh_tridiagonal
    monkeypatch.setattr(module, "eigh_tridiagonal", lambda *a, **rest: ways.append("bisection") or real(*a, **rest))
    V = known.vectors(0, len(matrix) - 1)
    assert ways == ["bisection"] * (parts - 1)
    np.testing.assert_allclose(matrix @ V, V * known.values, atol=1e-10)
