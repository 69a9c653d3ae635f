"""Linear CKA: its closed forms, what leaves it, and the other way to write it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ortho_group

from lossatlas.measure import cka, ckas


@given(st.integers(0, 500), st.integers(2, 6), st.integers(2, 6))
def test_it_is_the_formula_of_features(seed, d, e):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(20, d)), rng.normal(size=(20, e))
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    norm = np.linalg.norm
    assert cka(x, y) == pytest.approx(norm(y.T @ x) ** 2 / norm(x.T @ x) / norm(y.T @ y), rel=1e-10)


@given(st.integers(0, 500))
def test_rotation_order_scale_and_shift_leave_it(seed):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(30, 5)), rng.normal(size=(30, 4)) + 1
    turned = 7 * x @ ortho_group.rvs(5, random_state=seed) - 3
    assert cka(turned, y) == pytest.approx(cka(x, y), rel=1e-9)
    assert cka(x, y[:, rng.permutation(4)]) == pytest.approx(cka(x, y), rel=1e-9)
    assert cka(x, turned) == pytest.approx(1, rel=1e-9)
    assert cka(x, y) == pytest.approx(cka(y, x), rel=1e-12)


def test_features_of_other_directions_have_nothing_in_common():
    x = np.array([[1.0], [-1.0], [1.0], [-1.0]])
    y = np.array([[1.0], [1.0], [-1.0], [-1.0]])
    assert cka(x, y) == 0
    # Half of each kernel's size is shared.
    assert cka(np.hstack([x, y]), x) == pytest.approx(1 / np.sqrt(2))


def test_stretching_one_direction_does_not_leave_it():
    x = np.random.default_rng(0).normal(size=(40, 3))
    assert cka(x, x * [5, 1, 1]) < 0.95


def test_wide_layers_are_compared_by_their_samples():
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(6, 40)), rng.normal(size=(6, 50))
    a, b = x - x.mean(axis=0), y - y.mean(axis=0)
    norm = np.linalg.norm
    assert cka(x, y) == pytest.approx(norm(b.T @ a) ** 2 / norm(a.T @ a) / norm(b.T @ b), rel=1e-10)
    # Noise is alike by d / (d + m), as far as so few samples tell.
    values = [cka(rng.normal(size=(50, 100)), rng.normal(size=(50, 100))) for _ in range(20)]
    assert np.mean(values) == pytest.approx(100 / 150, abs=0.03)


def test_all_pairs():
    rng = np.random.default_rng(1)
    layers = [rng.normal(size=(15, width)) for width in (3, 8, 2)]
    table = ckas(layers)
    np.testing.assert_allclose(table, table.T)
    np.testing.assert_allclose(np.diag(table), 1)
    assert table[0, 2] == pytest.approx(cka(layers[0], layers[2]))


@pytest.mark.usefixtures("as_users_call")
@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.ones((4, 2)), "layer 0 gives all samples the same, so nothing can be aligned with it; name another layer"),
        (np.ones(4), r"layer 0 must be features \(m, d\) of 2 samples or more, but its shape is \(4,\)"),
        (np.full((4, 2), np.nan), "layer 0 has features that are NaN or infinite; leave that network out"),
        (np.eye(3), "layers must be asked about the same samples, but there are 3, 4; pass as many rows"),
    ],
)
def test_what_cannot_be_aligned_is_refused(x, message, refuses):
    with refuses(message):
        cka(x, np.eye(4))


@pytest.mark.usefixtures("as_users_call")
def test_no_layer_is_refused(refuses):
    with refuses("there is no layer to compare; pass features"):
        ckas([])
