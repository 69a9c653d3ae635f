"""InPCA against principal coordinates where it must be them, and the divergence itself where all axes are kept."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import log_softmax

from lossatlas import inpca, pca, prediction_distances


def _divergence(seed, n=9):
    return prediction_distances(log_softmax(3 * np.random.default_rng(seed).normal(size=(n, 6, 3)), axis=2))


def _naive(D, k):
    """The formula, with the whole decomposition."""
    n = len(D)
    L = np.eye(n) - 1 / n
    values, vectors = np.linalg.eigh(-L @ D @ L / 2)
    order = np.argsort(-np.abs(values))[:k]
    return values[order], vectors[:, order] * np.sqrt(np.abs(values[order]))


@given(st.integers(0, 500), st.integers(1, 5))
def test_it_is_the_formula(seed, k):
    D = _divergence(seed)
    drawn = inpca(D, n_components=k)
    values, x = _naive(D, k)
    np.testing.assert_allclose(drawn.eigenvalues, values, atol=1e-12)
    np.testing.assert_allclose(np.abs(drawn.coordinates), np.abs(x), atol=1e-7)
    assert (np.diff(np.abs(drawn.eigenvalues)) <= 1e-15).all()


@given(st.integers(0, 500))
def test_all_axes_together_are_the_divergence(seed):
    D = _divergence(seed)
    drawn = inpca(D, n_components=len(D))
    np.testing.assert_allclose(drawn.squared_distances(), D, atol=1e-12)
    assert drawn.explained[-1] == pytest.approx(1, abs=1e-6)
    assert (np.diff(drawn.explained) >= -1e-12).all()


def test_of_squared_lengths_it_is_principal_coordinates():
    points = np.random.default_rng(0).normal(size=(12, 3))
    squared = np.square(points[:, None] - points).sum(axis=2)
    drawn = inpca(squared, n_components=3)
    expected = pca(points, metric="euclidean", n_components=3).coordinates
    np.testing.assert_allclose(np.abs(drawn.coordinates), np.abs(expected), atol=1e-10)
    assert not drawn.is_imaginary.any()
    assert drawn.stress == pytest.approx(0, abs=1e-10)


def test_a_divergence_that_is_shorter_by_a_third_place_has_an_imaginary_axis():
    D = np.array([[0.0, 1.0, 1.0], [1.0, 0.0, 9.0], [1.0, 9.0, 0.0]])
    drawn = inpca(D)
    # Points 1 and 2 lie 9 apart along the real axis, and point 0 between them, where it would be 2.25 from each: the
    # imaginary axis takes off what is too much.
    assert drawn.is_imaginary.tolist() == [False, True]
    x, y = drawn.coordinates.T
    assert (x[1] - x[2]) ** 2 == pytest.approx(9)
    assert (x[0] - x[1]) ** 2 - (y[0] - y[1]) ** 2 == pytest.approx(1)
    assert (y[0] - y[1]) ** 2 == pytest.approx(1.25)


def test_order_of_points_does_not_matter():
    D = _divergence(4, n=14)
    order = np.random.default_rng(1).permutation(14)
    a, b = inpca(D), inpca(D[np.ix_(order, order)])
    np.testing.assert_allclose(b.coordinates, a.coordinates[order], atol=1e-10)


def test_many_points_are_drawn_by_the_same_axes():
    rng = np.random.default_rng(2)
    x = rng.normal(size=(1100, 4)) * [5, 3, 2, 0.1]
    signs = np.array([1, -1, 1, 1])
    D = np.einsum("ijk,k->ij", np.square(x[:, None] - x), signs.astype(float))
    D = np.maximum(D - D.min(), 0)
    np.fill_diagonal(D, 0)
    drawn = inpca(D, n_components=2)
    values, coordinates = _naive(D, 2)
    np.testing.assert_allclose(drawn.eigenvalues, values, rtol=1e-8)
    np.testing.assert_allclose(np.abs(drawn.coordinates), np.abs(coordinates), atol=1e-5)


def test_laid_upon_another_map_its_axes_stay_real_and_imaginary():
    D = np.array([[0.0, 1.0, 1.0], [1.0, 0.0, 9.0], [1.0, 9.0, 0.0]])
    plane = np.random.default_rng(0).normal(size=(3, 2))
    drawn = inpca(D)
    laid = drawn.align_to(plane)
    np.testing.assert_allclose(laid.squared_distances(), D, atol=1e-12)
    assert laid.is_imaginary.tolist() == drawn.is_imaginary.tolist()
    np.testing.assert_allclose(laid.coordinates.mean(axis=0), plane.mean(axis=0), atol=1e-12)
    # Mirrored where that is nearer: never turned.
    assert (((laid.coordinates - laid.coordinates.mean(axis=0)) * (plane - plane.mean(axis=0))).sum(axis=0) >= 0).all()
    flat = drawn.align_to(drawn.coordinates * [-1, 1])
    np.testing.assert_allclose(flat.coordinates, drawn.coordinates * [-1, 1], atol=1e-12)


@pytest.mark.parametrize("n", [4, 1200])
def test_points_that_coincide_have_no_place_but_one(n):
    drawn = inpca(np.zeros((n, n)))
    assert not drawn.coordinates.any()
    assert not np.isnan(drawn.explained).any()


@pytest.mark.usefixtures("as_users_call")
def test_refusals(refuses):
    with refuses("n_components must be from 1 to the 3 points, but is 4; a map has 2"):
        inpca(np.ones((3, 3)) - np.eye(3), n_components=4)
