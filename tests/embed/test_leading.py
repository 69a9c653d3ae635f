"""Leading eigenvectors from products alone."""

import numpy as np
import pytest

from lossatlas.embed.leading import leading_eigenpairs


def turned(values, *, seed=0):
    """A symmetric matrix with these eigenvalues, and its eigenvectors in columns."""
    rotation = np.linalg.qr(np.random.default_rng(seed).normal(size=(len(values), len(values))))[0]
    return (rotation * values) @ rotation.T, rotation


@pytest.mark.parametrize("count", [1, 2, 5])
def test_the_largest_come_first_and_those_far_below_zero_never(count):
    values = np.concatenate([np.geomspace(9, 1e-3, 200), -np.geomspace(40, 1e-3, 200)])
    matrix, rotation = turned(values)
    found, vectors = leading_eigenpairs(lambda rows: rows @ matrix, 400, count=count)
    np.testing.assert_allclose(found, values[:count], rtol=1e-12)
    # A residual of 1e-12 over gaps of some hundredths.
    np.testing.assert_allclose(np.abs((vectors * rotation[:, :count].T).sum(axis=1)), 1, atol=1e-12)


def test_equal_eigenvalues_are_found_together():
    matrix, rotation = turned(np.concatenate([[5.0, 5.0, 3.0], np.linspace(1, -6, 397)]))
    values, vectors = leading_eigenpairs(lambda rows: rows @ matrix, 400, count=3)
    np.testing.assert_allclose(values, [5, 5, 3], rtol=1e-12)
    np.testing.assert_allclose(vectors @ vectors.T, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(vectors[:2] @ rotation[:, :2], axis=1), 1, atol=1e-12)


def test_a_matrix_of_few_dimensions_is_known_after_few_products():
    matrix, _ = turned(np.concatenate([[2.0, 1.0], np.zeros(398)]))
    calls = []
    values, _ = leading_eigenpairs(lambda rows: calls.append(len(rows)) or rows @ matrix, 400, count=2)
    np.testing.assert_allclose(values, [2, 1], rtol=1e-12)
    assert len(calls) <= 3


def test_what_does_not_show_is_none():
    # No eigenvalue stands out of a comb.
    assert leading_eigenpairs(lambda rows: rows * np.arange(4_000.0), 4_000, count=2) is None
