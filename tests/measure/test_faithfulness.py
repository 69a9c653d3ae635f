"""Faithfulness of a map: the definitions, what may not change it, and maps whose numbers are known."""

import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from naive_faithfulness import faithfulness_naive, kept_by_run_naive, step_excess_naive
from scipy.spatial.distance import cdist
from scipy.stats import spearmanr
from sklearn.manifold import trustworthiness

import lossatlas as la
from lossatlas import faithfulness, pca
from lossatlas.measure import faithfulness as module_or_function
from lossatlas.measure import truth

SEEDS = st.integers(0, 2**32 - 1)


def cloud(n, seed, *, axes=4, tied=False):
    """Points; tied ones lie on a small grid, so that many distances are equal."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, 3, size=(n, axes)).astype(float) if tied else rng.normal(size=(n, axes))


def between(points):
    """Distances from differences, which is symmetric to the last bit."""
    return np.sqrt(np.square(points[:, np.newaxis] - points).sum(axis=2))


def turned(coordinates, seed):
    """A map turned or mirrored, scaled and moved."""
    rng = np.random.default_rng(seed)
    d = coordinates.shape[1]
    turn, _ = np.linalg.qr(rng.normal(size=(d, d)))
    return rng.uniform(0.1, 10) * coordinates @ turn + rng.normal(size=d)


def same(found, other, order=None):
    """Hold that all numbers of two maps agree, those of points in another order of them."""
    for name, value in found.summary().items():
        assert other.summary()[name] == pytest.approx(value, abs=1e-12, nan_ok=True), name
    order = slice(None) if order is None else order
    for name in ("point_trustworthiness", "point_continuity", "point_neighbours_kept"):
        np.testing.assert_allclose(getattr(found, name)[order], getattr(other, name), atol=1e-12, rtol=0)


@pytest.mark.parametrize(("n", "knn"), [(12, 1), (40, 7), (41, 20), (300, 20)])
def test_trustworthiness_is_scikit_learns_and_continuity_that_of_the_other_way(n, knn):
    points = cloud(n, n)
    drawn = points[:, :2] + 0.3 * cloud(n, 1, axes=2)
    found = faithfulness(between(points), drawn, knn=knn)
    # Sums of whole numbers over one number: the rounding of a division.
    assert found.trustworthiness == pytest.approx(trustworthiness(points, drawn, n_neighbors=knn), abs=1e-12)
    assert found.continuity == pytest.approx(trustworthiness(drawn, points, n_neighbors=knn), abs=1e-12)
    assert found.trustworthiness != found.continuity


@given(seed=SEEDS, n=st.integers(5, 16), tied=st.booleans(), data=st.data())
def test_each_point_has_the_numbers_of_the_definitions(seed, n, tied, data):
    knn = data.draw(st.integers(1, (n - 1) // 2))
    points, drawn = cloud(n, seed, tied=tied), cloud(n, seed + 1, axes=2, tied=tied)
    found = faithfulness(between(points), drawn, knn=knn)
    expected = np.array(faithfulness_naive(between(points).tolist(), cdist(drawn, drawn).tolist(), knn)).T
    shown = (found.point_trustworthiness, found.point_continuity, found.point_neighbours_kept)
    np.testing.assert_allclose(shown, expected, atol=1e-12)
    np.testing.assert_allclose(
        [found.trustworthiness, found.continuity, found.neighbours_kept], expected.mean(axis=1), atol=1e-12
    )
    assert np.min(shown) >= 0
    assert np.max(shown) <= 1


@given(seed=SEEDS, n=st.integers(5, 16), tied=st.booleans(), data=st.data())
def test_neighbours_are_counted_within_and_between_runs(seed, n, tied, data):
    knn = data.draw(st.integers(1, (n - 1) // 2))
    points, drawn = cloud(n, seed, tied=tied), cloud(n, seed + 1, axes=2, tied=tied)
    first, second = n // 2, n - 1  # the last point is of no run
    found = faithfulness(between(points), drawn, [(0, first), (first, second)], knn=knn)
    run = [0] * first + [1] * (second - first) + [None]
    expected = kept_by_run_naive(between(points).tolist(), cdist(drawn, drawn).tolist(), run, knn)
    for value, other in zip((found.kept_within_runs, found.kept_between_runs), expected, strict=True):
        assert value == (None if other is None else pytest.approx(other, abs=1e-12))


def test_a_torn_trajectory_and_two_merged_runs_are_told_apart():
    """Planted faults: each is seen by the score that is there for it, and not by the other."""
    line = np.column_stack([np.arange(60.0), np.zeros(60)])
    apart = np.concatenate([line, line + np.array([0, 500])])  # two runs far from each other
    runs = [(0, 60), (60, 120)]
    torn = apart.copy()
    torn[30:60] += [3000, 0]  # the first run is in two pieces
    merged = apart - np.repeat([[0, 0], [0, 500]], 60, axis=0) + np.repeat([[0, 0], [0.5, 0]], 60, axis=0)
    whole, in_pieces, in_one = (faithfulness(between(apart), where, runs, knn=5) for where in (apart, torn, merged))
    assert (whole.trajectory_continuity, whole.kept_within_runs, whole.trustworthiness) == (1, 1, 1)
    # One step of 118 is torn, and hardly a neighbour is lost: those of the five on each side of the tear.
    assert in_pieces.trajectory_continuity == pytest.approx(117 / 118)
    assert in_pieces.kept_within_runs > 0.97
    # No step is torn where runs lie upon each other, but half of the neighbours are strangers.
    assert in_one.trajectory_continuity == 1
    assert in_one.kept_within_runs == pytest.approx(0.5, abs=0.12)
    assert in_one.trustworthiness < in_pieces.trustworthiness


@pytest.mark.parametrize(
    ("kept", "expected"), [([(0, 30)], (1, None)), ([(i, i + 1) for i in range(30)], (None, 1)), ([], (None, None))]
)
def test_what_no_point_has_is_no_share(kept, expected):
    points = cloud(30, 0, axes=2)
    found = faithfulness(between(points), points, kept, knn=4)
    assert (found.kept_within_runs, found.kept_between_runs) == expected


def test_many_maps_of_the_same_distances_are_scored_as_one():
    points = cloud(40, 1)
    true = truth(between(points), [(0, 20), (20, 40)], knn=6, seed=3)
    for seed in range(3):
        drawn = cloud(40, seed, axes=2)
        found = true.of(drawn)
        same(found, faithfulness(between(points), drawn, [(0, 20), (20, 40)], knn=6, seed=3))
        assert (found.knn, found.seed) == (6, 3)


@given(seed=SEEDS, n=st.integers(4, 14), tied=st.booleans())
def test_steps_have_the_excess_of_the_definition(seed, n, tied):
    points, drawn = cloud(n, seed, tied=tied), cloud(n, seed + 1, axes=2)
    runs = [(0, n // 2), (n // 2, n - 1)]
    found = faithfulness(between(points), drawn, runs, knn=1)
    expected = step_excess_naive(between(points).tolist(), cdist(drawn, drawn).tolist(), runs)
    assert list(np.flatnonzero(np.isfinite(found.step_excess))) == list(expected)
    np.testing.assert_allclose(found.step_excess[list(expected)], list(expected.values()), atol=1e-9)
    assert found.trajectory_continuity == pytest.approx(np.mean([value <= 0.1 for value in expected.values()]))


@given(seed=SEEDS, n=st.integers(5, 16), tied=st.booleans())
def test_a_perfect_map_has_ones_wherever_it_lies(seed, n, tied):
    points = cloud(n, seed, axes=2, tied=tied)
    points[1] += 0.5  # not all at one place
    found = faithfulness(between(points), turned(points, seed), [(0, n)], knn=2)
    assert [value for value in found.summary().values() if value is not None] == pytest.approx([1] * 6, abs=1e-12)
    assert found.point_neighbours_kept.min() == pytest.approx(1, abs=1e-12)


@given(seed=SEEDS, tied=st.booleans())
def test_turning_moving_and_scaling_a_map_changes_nothing(seed, tied):
    points, drawn = cloud(14, seed, tied=tied), cloud(14, seed + 1, axes=2, tied=tied)
    first, other = (faithfulness(between(points), where, [(0, 6), (6, 14)], knn=3) for where in (drawn, turned(drawn, seed)))
    same(first, other)
    np.testing.assert_allclose(first.step_excess, other.step_excess, atol=1e-9)


@given(seed=SEEDS, tied=st.booleans())
def test_names_of_points_do_not_matter(seed, tied):
    points, drawn = cloud(14, seed, tied=tied), cloud(14, seed + 1, axes=2, tied=tied)
    order = np.random.default_rng(seed).permutation(14)
    same(
        faithfulness(between(points), drawn, knn=3),
        faithfulness(between(points)[np.ix_(order, order)], drawn[order], knn=3),
        order,
    )


def test_the_worst_map_has_zeros():
    # Two pairs that are farthest from each other are drawn as nearest.
    true = np.array([[0, 3, 1, 2], [3, 0, 2, 1], [1, 2, 0, 3], [2, 1, 3, 0]], dtype=float)
    found = faithfulness(true, np.array([[0.0], [1.0], [10.0], [11.0]]), knn=1)
    assert (found.trustworthiness, found.neighbours_kept) == (0, 0)
    # The truly nearest of the outer points is second on the map, that of the inner ones third.
    np.testing.assert_allclose(found.point_continuity, [0.5, 0, 0, 0.5])


def test_points_in_a_row_that_are_swapped():
    row = np.arange(7.0)[:, np.newaxis]
    drawn = row[[0, 1, 2, 6, 4, 5, 3]]  # 3 and 6 change places
    found = faithfulness(between(row), drawn, knn=1)
    # Drawn at 0 1 2 6 4 5 3: of 2 the nearest are then 1 and, truly its sixth, 6; of 3 it is 5, truly its third; of 4 they are 5
    # and 6, its third; of 5 they are 4 and 3, its third; of 6 they are 2, its fourth, and 4, its second. Two share the one place.
    beyond = np.array([0, 0, 5 / 2, 2, 2 / 2, 2 / 2, 3 / 2 + 1 / 2])
    np.testing.assert_allclose(found.point_trustworthiness, 1 - beyond / 5, rtol=1e-14)  # 5: from rank 6 to 1


def test_a_line_in_two_pieces_has_one_torn_step():
    line = np.arange(20.0)[:, np.newaxis]
    drawn = line + 100 * (line >= 10)
    found = faithfulness(between(line), drawn, [(0, 20)], knn=3)
    assert found.trajectory_continuity == pytest.approx(18 / 19)
    assert np.nanargmax(found.step_excess) == 10
    assert np.isnan(found.step_excess[0])
    # The longest of the 19 shortest distances on the map is foreseen: 18 steps of 1, then 2.
    spread = np.sqrt((np.square(drawn - drawn.T)[np.triu_indices(20, 1)]).mean())
    assert found.step_excess[10] == pytest.approx((101 - 2) / spread)


def test_a_step_between_runs_is_none():
    line = np.arange(20.0)[:, np.newaxis]
    drawn = line + 100 * (line >= 10)
    assert faithfulness(between(line), drawn, [(0, 10), (10, 20)], knn=3).trajectory_continuity == 1
    for runs in (None, [], [(0, 1), (4, 4)]):
        found = faithfulness(between(line), drawn, runs, knn=3)
        assert found.trajectory_continuity is None
        assert np.isnan(found.step_excess).all()


def test_distances_that_are_only_stretched_keep_their_order_and_their_steps():
    points = cloud(30, 0, axes=2).cumsum(axis=0)
    found = faithfulness(between(points) ** 3, points, [(0, 30)], knn=5)
    assert [value for value in found.summary().values() if value is not None] == [1] * 6  # there is no other run


def test_the_rank_correlation_is_that_of_all_pairs():
    points = cloud(40, 3)
    pairs = np.triu_indices(40, 1)
    for tied in (False, True):
        drawn = cloud(40, 4, axes=2, tied=tied)
        expected = spearmanr(between(points)[pairs], between(drawn)[pairs]).statistic
        assert faithfulness(between(points), drawn, knn=5).rank_correlation == pytest.approx(expected, abs=1e-12)


def test_of_many_points_some_pairs_stand_for_all(monkeypatch):
    points = cloud(120, 5).cumsum(axis=0)
    D, drawn = between(points), points[:, :2]
    whole = faithfulness(D, drawn, [(0, 120)])
    monkeypatch.setattr(sys.modules["lossatlas.measure.trust.faithfulness"], "_PAIRS", 4000)
    part, again, other = (faithfulness(D, drawn, [(0, 120)], seed=seed) for seed in (0, 0, 1))
    assert part.rank_correlation == again.rank_correlation != other.rank_correlation
    # Standard error of a correlation of 4,000 pairs, at the most: 1 / sqrt(4000) = 0.016.
    assert part.rank_correlation == pytest.approx(whole.rank_correlation, abs=4 * 0.016)
    np.testing.assert_allclose(part.step_excess[1:], whole.step_excess[1:], atol=0.1)
    assert part.neighbours_kept == whole.neighbours_kept


def test_pairs_are_drawn_from_all_there_are(monkeypatch):
    module = sys.modules["lossatlas.measure.trust.faithfulness"]
    monkeypatch.setattr(module, "_PAIRS", 4000)
    i, j = module._pairs(120, 0)
    assert (i != j).all()
    named = np.unique(np.minimum(i, j) * 120 + np.maximum(i, j))
    # Of N = 7,140 pairs, N (1 - exp(-4000 / N)) = 3,062 are expected among 4,000 that are drawn, give or take 30.
    assert len(named) == pytest.approx(3062, abs=120)


def test_an_embedding_is_its_coordinates():
    points = cloud(20, 6)
    made = pca(points, metric="euclidean")
    same(faithfulness(between(points), made, knn=4), faithfulness(between(points), made.coordinates, knn=4))


def test_all_points_at_one_place_are_near_each_other_by_chance_alone():
    found = faithfulness(between(cloud(11, 7)), np.zeros((11, 2)), [(0, 11)], knn=2)
    assert np.isnan(found.rank_correlation)
    assert found.neighbours_kept == pytest.approx(2 / 10)
    assert found.step_excess[1:] == pytest.approx(np.zeros(10))


@pytest.mark.usefixtures("as_users_call")
def test_what_does_not_fit_is_refused(refuses):
    D, drawn = between(cloud(8, 0)), cloud(8, 1, axes=2)
    with refuses(r"the distances are of 8 points, but the map's shape is \(7, 2\); pass coordinates"):
        faithfulness(D, drawn[:7])
    for knn in (0, 4):
        with refuses(rf"knn must be from 1 to below half the 8 points, but is {knn}; pass another"):
            faithfulness(D, drawn, knn=knn)
    with refuses(r"the map has coordinates that are NaN or infinite; leave those points out"):
        faithfulness(D, np.where(drawn == drawn[3, 1], np.nan, drawn), knn=2)
    for run in ((0, 9), (-1, 3), (5, 4)):
        with refuses(rf"a run spans rows {run[0]} to {run[1]}, but there are 8 points"):
            faithfulness(D, drawn, [run], knn=2)
    with refuses(r"distances must be symmetric"):
        faithfulness(D + np.triu(np.ones((8, 8)), 1), drawn, knn=2)


def test_the_name_is_the_functions():
    assert module_or_function is faithfulness


def test_runs_may_be_passed_as_they_are_and_neighbours_are_as_many_as_fit(tmp_path):
    model = torch.nn.Linear(6, 1)
    generator = torch.Generator().manual_seed(0)
    for name, n in (("a", 5), ("b", 8)):
        with la.Recorder(tmp_path / name, model) as recorder:
            for _ in range(n):
                with torch.no_grad():
                    model.weight.add_(torch.randn(1, 6, generator=generator))
                recorder.step(loss=0.0)
    runs = la.open_runs(tmp_path)
    distances = la.cosine_distances(runs)
    drawn = pca(distances, metric="precomputed")
    same(faithfulness(distances, drawn, runs), faithfulness(distances, drawn, [(0, 6), (6, 15)], knn=7))
