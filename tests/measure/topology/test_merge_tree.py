"""The merge tree, against hand values, the diagram, and the lowest ways between all pairs of points."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_homology import joined_naive, merge_tree_naive
from naive_persistence import neighbours_naive
from test_persistence import SEEDS, circle, cloud, path, two_rows, values_of

from lossatlas import persistence, phate
from lossatlas.measure import merge_tree


def branches(tree):
    """Of each minimum its pass and the minimum it gives way to."""
    parents = [None if up < 0 else int(tree.minima[up]) for up in tree.parent]
    passes = [np.inf if np.isnan(height) else height for height in tree.passes.tolist()]
    return dict(zip(tree.minima.tolist(), zip(passes, parents, strict=True), strict=True))


def test_a_double_well_is_a_branch_and_the_trunk():
    tree = merge_tree(path(7), np.array([4.0, 1.0, 3.0, 5.0, 2.0, 0.0, 6.0]), knn=1)
    np.testing.assert_array_equal(tree.minima, [5, 1])
    np.testing.assert_array_equal(tree.lows, [0, 1])
    np.testing.assert_array_equal(tree.saddles, [-1, 3])
    np.testing.assert_array_equal(tree.passes, [np.nan, 5])
    np.testing.assert_array_equal(tree.parent, [-1, 0])
    assert (tree.smad, tree.smad_over_range, tree.highest) == (4, 4 / 6, 6)


def test_a_well_within_a_well_gives_way_to_the_inner_one():
    # Wells 2, 1, 0; passes 4 (between 2 and 1) and 6 (between 1 and 0).
    tree = merge_tree(path(5), np.array([2.0, 4.0, 1.0, 6.0, 0.0]), knn=1)
    assert branches(tree) == {4: (np.inf, None), 2: (6, 4), 0: (4, 2)}
    np.testing.assert_array_equal(tree.heights, [np.nan, 5, 2])
    assert tree.smad == 3.5


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [3, 2, 1, 0], [1, 0, 3, 2], [2, 3, 0, 1]])
def test_wells_that_meet_at_one_height_all_meet_the_oldest(order):
    # Wells 2, 1, 0 around a point at 9, whichever row each has.
    places = np.array([[1.0, 0.0], [-0.5, 0.8], [-0.5, -0.8], [0.0, 0.0]])[order]
    values = np.array([2.0, 1.0, 0.0, 9.0])[order]
    tree = merge_tree(np.linalg.norm(places[:, np.newaxis] - places, axis=2), values, knn=1)
    np.testing.assert_array_equal(tree.lows, [0, 1, 2])
    np.testing.assert_array_equal(tree.parent, [-1, 0, 0])
    np.testing.assert_array_equal(tree.saddles, [-1, order.index(3), order.index(3)])


def test_pieces_are_trees_of_their_own_until_they_are_joined():
    values = np.array([0.0, 2.0, 1.0, 10.0, 3.0, 4.0])
    assert branches(merge_tree(two_rows(3), values, knn=1)) == {0: (np.inf, None), 2: (2, 0), 4: (np.inf, None)}
    joined = merge_tree(two_rows(3), values, knn=1, pieces="joined")
    assert branches(joined) == {0: (np.inf, None), 2: (2, 0), 4: (10, 0)}
    assert joined.pieces == "joined"


def test_one_valley_has_no_saddle_and_no_mean_of_any():
    for values in (np.arange(5.0), np.full(5, 2.0), np.array([4.0, 1.0, 0.0, 1.0, 4.0])):
        tree = merge_tree(path(5), values, knn=1)
        assert branches(tree) == {int(values.argmin()): (np.inf, None)}
        assert np.isnan([tree.smad, tree.smad_over_range]).all()


@settings(max_examples=60)
@given(seed=SEEDS, n=st.integers(3, 15), tied=st.booleans(), pieces=st.sampled_from(["apart", "joined"]), data=st.data())
def test_trees_are_those_of_the_lowest_ways_between_all_points(seed, n, tied, pieces, data):
    knn = data.draw(st.integers(1, min(5, n - 1)))
    distances, values = cloud(n, seed), values_of(n, seed, tied=tied)
    edges = joined_naive(distances, knn) if pieces == "joined" else neighbours_naive(distances, knn)
    tree = merge_tree(distances, values, knn=knn, pieces=pieces)
    assert branches(tree) == merge_tree_naive(values.tolist(), edges)
    assert sorted(zip(tree.lows, tree.minima, strict=True)) == list(zip(tree.lows, tree.minima, strict=True))
    np.testing.assert_array_equal(values[tree.minima], tree.lows)
    has = tree.saddles >= 0
    np.testing.assert_array_equal(values[tree.saddles[has]], tree.passes[has])
    np.testing.assert_array_equal(np.isnan(tree.passes), ~has)


@given(seed=SEEDS, n=st.integers(4, 25), tied=st.booleans(), pieces=st.sampled_from(["apart", "joined"]))
def test_branches_are_the_classes_of_the_diagram(seed, n, tied, pieces):
    distances, values = cloud(n, seed), values_of(n, seed, tied=tied)
    tree = merge_tree(distances, values, knn=3, pieces=pieces)
    diagram = persistence(distances, values, knn=3, pieces=pieces)
    has = tree.saddles >= 0
    assert sorted(zip(tree.lows[has], tree.passes[has], strict=True)) == sorted(map(tuple, diagram.finite[0]))
    np.testing.assert_array_equal(tree.lows[~has], np.sort(diagram.essential[0]))
    if has.any():
        assert tree.smad == pytest.approx(diagram.total(1, "finite") / has.sum())
        assert tree.smad_over_range == pytest.approx(tree.smad / diagram.baseline(1))


@given(seed=SEEDS, shift=st.floats(-10, 10), factor=st.floats(0.1, 10))
def test_smad_has_the_unit_of_the_loss_and_its_share_has_none(seed, shift, factor):
    distances, values = cloud(20, seed), values_of(20, seed, tied=False)
    order = np.random.default_rng(seed).permutation(20)
    tree = merge_tree(distances, values, knn=2)
    moved = merge_tree(distances[np.ix_(order, order)], (values * factor + shift)[order], knn=2)
    np.testing.assert_array_equal(order[moved.minima], tree.minima)
    np.testing.assert_array_equal(moved.parent, tree.parent)
    np.testing.assert_allclose(moved.smad, factor * tree.smad, rtol=1e-10)
    np.testing.assert_allclose(moved.smad_over_range, tree.smad_over_range, rtol=1e-10)


def test_rows_are_those_of_the_map_where_points_are_left_out():
    values = np.array([np.nan, 4.0, 1.0, 3.0, 5.0, np.inf, 2.0, 0.0, 6.0])
    tree = merge_tree(path(9), values, knn=1)
    assert (tree.n_left_out, tree.n_points, tree.knn) == (2, 7, 1)
    assert branches(tree) == {7: (np.inf, None), 2: (np.inf, None)}
    joined = merge_tree(path(9), values, knn=1, pieces="joined")
    assert branches(joined) == {7: (np.inf, None), 2: (5, 7)}
    np.testing.assert_array_equal(joined.saddles, [-1, 4])


def test_of_a_circle_the_lower_of_two_ways_is_the_pass():
    tree = merge_tree(circle(6), np.array([0.0, 3.0, 1.0, 2.0, 9.0, 4.0]), knn=2)
    assert branches(tree) == {0: (np.inf, None), 2: (3, 0)}


def test_an_embedding_gives_its_potential_distances(refuses):
    embedding, values = phate(np.random.default_rng(0).normal(size=(30, 20)).cumsum(axis=0)), values_of(30, 0, tied=False)
    assert branches(merge_tree(embedding, values, knn=2)) == branches(merge_tree(embedding.potential_distances, values, knn=2))
    with refuses("knn=20 needs at least 21 points, but there are 4"):
        merge_tree(path(4), np.arange(4.0))
