"""Distances of predictions against their sums written out, in closed forms, and under what must not change them."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import log_softmax

from lossatlas import prediction_distances
from lossatlas.distance import prediction_pairwise

KINDS = ("bhattacharyya", "hellinger", "jeffreys", "disagreement")


def _drawn(seed, n=7, m=5, c=4, scale=2.0):
    return log_softmax(scale * np.random.default_rng(seed).normal(size=(n, m, c)), axis=2)


def _naive(a, b, kind):
    """Of two networks, as the docstring has it, sample by sample and class by class."""
    total = 0.0
    for p, q in zip(np.exp(a), np.exp(b), strict=True):
        if kind == "bhattacharyya":
            total -= math.log(sum(math.sqrt(x * y) for x, y in zip(p, q, strict=True)))
        if kind == "hellinger":
            total += sum((math.sqrt(x) - math.sqrt(y)) ** 2 for x, y in zip(p, q, strict=True)) / 2
        if kind == "jeffreys":
            total += sum((x - y) * (math.log(x) - math.log(y)) for x, y in zip(p, q, strict=True)) / 2
        if kind == "disagreement":
            total += int(max(range(len(p)), key=p.__getitem__) != max(range(len(q)), key=q.__getitem__))
    mean = total / len(a)
    return math.sqrt(mean) if kind == "hellinger" else mean


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", [2, 7, 70])  # beyond one block of rows too
def test_they_are_the_sums_of_the_docstring(kind, n):
    lp = _drawn(n, n=n)
    D = prediction_distances(lp, kind=kind)
    np.testing.assert_array_equal(D, D.T)
    for i, j in [(0, 1), (n - 2, n - 1), (n // 2, 0)]:
        assert D[i, j] == pytest.approx(_naive(lp[i], lp[j], kind) if i != j else 0, rel=1e-10, abs=1e-14)
    assert not np.diag(D).any()


def test_many_networks_are_as_two_at_a_time():
    lp = _drawn(1, n=700, m=6, c=3)
    coefficients = np.einsum("imc,jmc->ijm", np.exp(lp / 2), np.exp(lp / 2))
    expected = -np.log(coefficients).mean(axis=2)
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(prediction_distances(lp), expected, atol=1e-12)


def test_sure_and_unsure_coins():
    sure, unsure = np.log([[[0.9, 0.1]]]), np.log([[[0.5, 0.5]]])
    coefficient = (math.sqrt(0.9) + math.sqrt(0.1)) / math.sqrt(2)
    for kind, value in {
        "bhattacharyya": -math.log(coefficient),
        "hellinger": math.sqrt(1 - coefficient),
        "jeffreys": 0.2 * math.log(9),
        "disagreement": 0,
    }.items():
        assert prediction_distances([sure, unsure], kind=kind)[0, 1] == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize("kind", KINDS)
@given(st.integers(0, 1000))
def test_the_order_of_samples_and_of_classes_does_not_matter_and_that_of_networks_is_theirs(kind, seed):
    rng = np.random.default_rng(seed)
    lp = _drawn(seed)
    D = prediction_distances(lp, kind=kind)
    other = lp[:, rng.permutation(5)][:, :, rng.permutation(4)]
    np.testing.assert_allclose(prediction_distances(other, kind=kind), D, atol=1e-7 if kind == "hellinger" else 1e-12)
    order = rng.permutation(7)
    np.testing.assert_allclose(
        prediction_distances(lp[order], kind=kind), D[np.ix_(order, order)], atol=1e-7 if kind == "hellinger" else 1e-12
    )


@given(st.integers(0, 1000))
def test_hellinger_is_a_metric_and_bounds_the_others(seed):
    lp = _drawn(seed, scale=4.0)
    H = prediction_distances(lp, kind="hellinger")
    assert H.max() <= 1
    assert (H[:, :, None] <= H[:, None, :] + H[None, :, :].transpose(0, 2, 1) + 1e-9).all()
    # ln(1/x) >= 1 - x, and 2 H² <= Jeffreys.
    assert (prediction_distances(lp) >= H**2 - 1e-12).all()
    assert (prediction_distances(lp, kind="jeffreys") >= 2 * H**2 - 1e-12).all()


@pytest.mark.parametrize(("kind", "share"), [("bhattacharyya", 1 / 8), ("jeffreys", 1 / 2)])
def test_near_networks_are_as_far_as_fisher_and_rao_have_it(kind, share):
    lp = _drawn(3, n=1)[0]
    moved = log_softmax(lp + 1e-4 * np.random.default_rng(4).normal(size=lp.shape), axis=1)
    p = np.exp(lp)
    length = ((np.exp(moved) - p) ** 2 / p).sum(axis=1).mean()
    assert prediction_distances(np.stack([lp, moved]), kind=kind)[0, 1] == pytest.approx(share * length, rel=1e-3)


def test_float32_is_no_distance():
    lp = _drawn(5, n=1, m=200)
    both = [lp.astype(np.float32), lp.astype(np.float32)]
    assert prediction_distances(both)[0, 1] < 1e-15
    assert prediction_distances([lp, lp.astype(np.float32)])[0, 1] < 1e-13
    assert prediction_distances([lp - 2e-5, lp - 2e-5])[0, 1] < 1e-15


@given(st.integers(0, 500), st.integers(2, 50))
def test_networks_that_say_the_same_are_at_no_distance(seed, c):
    lp = _drawn(seed, n=2, m=7, c=c)
    for kind in KINDS:
        assert prediction_distances(lp[[0, 1, 0, 0]], kind=kind)[np.ix_([0, 2, 3], [0, 2, 3])].max() <= 1e-12 * (
            kind == "jeffreys"
        )
    nudged = lp[0] + 1e-6 * np.random.default_rng(seed).normal(size=lp[0].shape)
    assert prediction_distances([lp[:1], log_softmax(nudged, axis=1)[np.newaxis]])[0, 1] > 0  # and others are not


def test_networks_that_share_no_class_are_infinitely_far_and_nearly_none_is_not(refuses):
    with np.errstate(divide="ignore"):
        apart = np.log([[[1.0, 0.0]], [[0.0, 1.0]]])
    assert np.isinf(prediction_distances(apart)[0, 1])
    assert prediction_distances(apart, kind="hellinger")[0, 1] == pytest.approx(1, rel=1e-12)
    with refuses("points 0 and 1 give no class in common any probability, so they are infinitely far; leave one out"):
        prediction_pairwise(apart)
    # Scores of thousands, as after a jump: beyond what a product of probabilities can be.
    far = log_softmax(np.array([[[4000.0, 0.0]] * 6, [[0.0, 4000.0]] * 6]), axis=2)
    assert prediction_distances(far)[0, 1] == pytest.approx(2000 - math.log(2), rel=1e-12)


def test_maps_are_made_of_lengths():
    lp = _drawn(6)
    between = prediction_pairwise([lp[:3], lp[3:]])
    np.testing.assert_allclose(between.euclidean**2, prediction_distances(lp), atol=1e-14)


@pytest.mark.parametrize(
    ("predictions", "message"),
    [
        ([], r"predictions must be log-probabilities \(n, m, c\) of the same m samples and 2 or more classes, but came as none"),
        ([_drawn(0), _drawn(0, m=6)], r"but came as \(7, 5, 4\), \(7, 6, 4\); ask all networks about the same samples"),
        (_drawn(0)[0], r"but came as \(5, 4\), \(5, 4\)|but came as \(5, 4\)"),
        (_drawn(0) + 1, "predictions must be logarithms of probabilities that add up to 1; pass the log_softmax of scores"),
        (np.where(np.arange(4) == 2, np.nan, _drawn(0)), "point 0 has 5 values that are NaN or infinite; leave that point out"),
    ],
)
@pytest.mark.usefixtures("as_users_call")
def test_what_is_no_prediction_is_refused(predictions, message, refuses):
    with refuses(message):
        prediction_distances(predictions)


@pytest.mark.usefixtures("as_users_call")
def test_other_refusals(refuses):
    with refuses("kind must be one of bhattacharyya, hellinger, jeffreys, disagreement, but is 'kl'; choose one of these"):
        prediction_distances(_drawn(0), kind="kl")
    with np.errstate(divide="ignore"), refuses("Jeffreys' divergence needs probabilities above 0; choose another kind"):
        prediction_distances(np.log([[[1.0, 0.0]], [[0.5, 0.5]]]), kind="jeffreys")
