"""DEMaP: paths by a naive twin, maps whose number is known, and what no path joins."""

import itertools
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from lossatlas.measure import demap

SEEDS = st.integers(0, 2**32 - 1)


def paths_naive(points, knn):
    """Shortest paths by Floyd and Warshall's three loops, over each point's knn nearest."""
    n = len(points)
    D = [[float(np.sqrt(((a - b) ** 2).sum())) for b in points] for a in points]
    paths = [[0.0 if i == j else np.inf for j in range(n)] for i in range(n)]
    for i in range(n):
        for j in sorted((j for j in range(n) if j != i), key=lambda j: D[i][j])[:knn]:
            paths[i][j] = paths[j][i] = D[i][j]
    for k, i, j in itertools.product(range(n), repeat=3):
        paths[i][j] = min(paths[i][j], paths[i][k] + paths[k][j])
    return np.array(paths)


@given(seed=SEEDS, n=st.integers(6, 16), knn=st.integers(1, 5))
def test_the_correlation_is_that_of_paths_and_drawn_distances(seed, n, knn):
    rng = np.random.default_rng(seed)
    points, drawn = rng.normal(size=(n, 3)), rng.normal(size=(n, 2))
    found = demap(points, drawn, knn=knn)
    pairs = np.triu_indices(n, 1)
    paths = paths_naive(points, knn)[pairs]
    assert found.unreachable == pytest.approx(np.isinf(paths).mean())
    # Infinities tie, farther than all else.
    paths[np.isinf(paths)] = 1e9
    lengths = np.linalg.norm(drawn[:, np.newaxis] - drawn, axis=2)[pairs]
    # Sums along a path in another order round otherwise, which parts ties.
    assert found.correlation == pytest.approx(spearmanr(paths.round(9), lengths).statistic, abs=1e-3)


def test_the_spiral_unrolled_is_perfect_and_the_spiral_itself_is_not():
    turns = np.sqrt(np.linspace(1, 60, 150)) * 2
    spiral = turns[:, np.newaxis] * np.column_stack([np.cos(turns), np.sin(turns)])
    along = np.r_[0, np.linalg.norm(np.diff(spiral, axis=0), axis=1).cumsum()]
    assert demap(spiral, along[:, np.newaxis], knn=2).correlation > 0.999
    assert demap(spiral, spiral, knn=2).correlation < 0.8
    rng = np.random.default_rng(0)
    # Independent: a standard error of about 1 / sqrt(150), for pairs share their points.
    assert abs(demap(spiral, rng.normal(size=(150, 2)), knn=2).correlation) < 0.2


def test_what_no_path_joins_is_counted_as_farthest():
    two = np.array([0.0, 1.0, 2.1, 100.0, 101.0, 102.1])[:, np.newaxis]
    found = demap(two, two, knn=1)
    assert found.unreachable == pytest.approx(9 / 15)
    assert found.correlation > 0.85
    assert demap(two, np.where(two > 50, two - 100, two), knn=1).correlation < 0.5  # the pieces upon each other


def test_points_at_one_place_are_joined_at_no_cost():
    twice = np.repeat(np.arange(5.0), 2)[:, np.newaxis]
    found = demap(twice, twice, knn=3)
    assert found.unreachable == 0
    assert found.correlation == pytest.approx(1)


def test_of_many_points_paths_from_some_stand_for_all(monkeypatch):
    rng = np.random.default_rng(1)
    points = rng.normal(size=(120, 2))
    drawn = points + 0.5 * rng.normal(size=(120, 2))
    whole = demap(points, drawn, knn=5).correlation
    monkeypatch.setattr(sys.modules["lossatlas.measure.trust.geodesics"], "_PAIRS", 3600)
    part, again, other = (demap(points, drawn, knn=5, seed=seed).correlation for seed in (0, 0, 1))
    assert part == again != other
    # From 30 of the points: 3,570 pairs, a standard error below 1 / sqrt(3570) = 0.017.
    assert part == pytest.approx(whole, abs=4 * 0.017)


def test_distances_may_come_in_place_of_points():
    points = np.random.default_rng(2).normal(size=(20, 4))
    distances = np.linalg.norm(points[:, np.newaxis] - points, axis=2)
    found, expected = demap(distances, points[:, :2], knn=4, metric="precomputed"), demap(points, points[:, :2], knn=4)
    assert found.correlation == pytest.approx(expected.correlation, abs=1e-3)


@pytest.mark.usefixtures("as_users_call")
def test_what_does_not_fit_is_refused(refuses):
    points = np.random.default_rng(3).normal(size=(8, 3))
    with refuses(r"the truth has 8 points, but the map's shape is \(7, 2\); pass finite coordinates \(n, d\)"):
        demap(points, points[:7, :2], knn=2)
    with refuses(r"the truth has 8 points"):
        demap(points, np.full((8, 2), np.nan), knn=2)
    with refuses(r"knn=30 needs at least 31 points, but there are 8"):
        demap(points, points[:, :2])
