"""The star as numbers: full returns, ends that meet elsewhere, arms that stay apart."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossatlas.distance import pairwise
from lossatlas.measure import end_spread


def star(ends, jumps=2.0):
    """An optimum, and as many retrainings of two points: where each jump lands, along an axis of its own, and where it ends."""
    ends = np.asarray(ends, float)
    m = len(ends)
    landed = np.eye(m, ends.shape[1]) * np.broadcast_to(jumps, m)[:, None]
    points = np.zeros((2 * m + 1, ends.shape[1]))
    points[1::2], points[2::2] = landed, ends
    return pairwise(points), [(1 + 2 * i, 3 + 2 * i) for i in range(m)]


def test_arms_that_shrink_keep_their_right_angles():
    found = end_spread(*star(0.5 * np.eye(3, 9)), optimum=0)
    numbers = [found.scale, found.way, found.apart, found.null_apart, found.return_ratio]
    np.testing.assert_allclose(numbers, [2, 0.5, 0.5 * 2**0.5, 0.5 * 2**0.5, 0.25], rtol=1e-12)
    assert found.return_ratio_std == pytest.approx(0, abs=1e-12)
    assert found.spread == pytest.approx(found.null_spread) == pytest.approx(0.25 * 2**0.5)
    assert found.n_runs == 3


def test_ends_that_meet_elsewhere_are_far_from_the_optimum_and_not_from_each_other():
    found = end_spread(*star(np.tile(np.full(9, 1.0), (4, 1))), optimum=0)
    assert found.apart == 0
    assert found.way == pytest.approx(3)
    assert found.return_ratio == pytest.approx(1.5)
    assert found.null_spread == pytest.approx(1.5 * 2**0.5)


def test_a_full_return_leaves_nothing():
    found = end_spread(*star(np.zeros((2, 5))), optimum=0)
    assert (found.way, found.apart, found.null_apart, found.return_ratio) == (0, 0, 0, 0)
    assert found.scale == pytest.approx(2)


@given(seed=st.integers(0, 2**32 - 1), m=st.integers(2, 6), is_star=st.booleans())
def test_the_points_themselves_say_the_same(seed, m, is_star):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(3 * m + 1, 20))
    runs = [(1 + 3 * i, 4 + 3 * i) for i in range(m)]
    found = end_spread(pairwise(points), runs, optimum=0 if is_star else None)
    ends = [points[stop - 1] for _, stop in runs]
    origins = [points[0] if is_star else points[first] for first, _ in runs]
    ways = [np.linalg.norm(end - origin) for end, origin in zip(ends, origins, strict=True)]
    pairs = [(i, j) for i in range(m) for j in range(i)]
    assert found.way == pytest.approx(np.mean(ways))
    assert found.apart == pytest.approx(np.mean([np.linalg.norm(ends[i] - ends[j]) for i, j in pairs]))
    null = [np.sqrt(np.sum((origins[i] - origins[j]) ** 2) + ways[i] ** 2 + ways[j] ** 2) for i, j in pairs]
    assert found.null_apart == pytest.approx(np.mean(null))
    if is_star:
        jumps = [np.linalg.norm(points[first] - points[0]) for first, _ in runs]
        ratios = np.array(ways) / jumps
        assert (found.scale, found.return_ratio) == pytest.approx((np.mean(jumps), np.mean(ratios)))
        assert found.return_ratio_std == pytest.approx(np.sqrt(np.sum((ratios - ratios.mean()) ** 2) / (m - 1)))
    else:
        assert found.scale == found.way
        assert (found.return_ratio, found.return_ratio_std) == (None, None)
        assert "return_ratio" not in found.summary()
    assert found.summary()["spread"] == pytest.approx(found.apart / found.scale)


def test_random_directions_in_many_dimensions_are_as_the_null():
    ends = np.random.default_rng(0).normal(size=(6, 20_000))
    found = end_spread(*star(ends, jumps=np.arange(1.0, 7.0)), optimum=0)
    assert found.apart == pytest.approx(found.null_apart, rel=0.02)  # cosines of 1/sqrt(p)


def test_trainings_that_stand_still_have_no_spread():
    found = end_spread(pairwise(np.eye(2, 3)), [(0, 1), (1, 2)])
    assert np.isnan(found.spread)
    assert np.isnan(found.null_spread)
    assert (found.summary()["spread"], found.summary()["null_spread"]) == (None, None)
    assert found.apart == pytest.approx(2**0.5)


@pytest.mark.parametrize(
    ("runs", "optimum", "message"),
    [
        ([(1, 3)], 0, r"a spread needs 2 runs or more with points in each, but 1 came"),
        ([(1, 3), (3, 3)], 0, r"2 runs or more with points in each"),
        ([(1, 3), (3, 9)], 0, r"a run spans rows 3 to 9, but there are 5 points"),
        ([(1, 3), (3, 5)], 5, r"there are 5 points, but the optimum is row 5; name one of them"),
        ([(0, 3), (3, 5)], 0, r"begins at the optimum has no return ratio; give it a jump"),
    ],
)
def test_what_has_no_spread_is_refused(refuses, runs, optimum, message):
    between, _ = star(np.eye(2))
    with refuses(message):
        end_spread(between, runs, optimum=optimum)
