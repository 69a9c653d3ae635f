"""Valleys and cycles with their points: as many and as high as the diagram's, and the components that thresholds leave."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from test_persistence import SEEDS, circle, cloud, path, two_rows, values_of

from lossatlas import persistence, phate
from lossatlas.measure import neighbour_graph, valleys

ALL = 10**6


def bars(found, dimension=0):
    """Birth, death (None for never), lowest row and rows of each."""
    return [
        (found.births[i], None if np.isnan(found.deaths[i]) else found.deaths[i], found.row[i], found.rows_in(i).tolist())
        for i in np.flatnonzero(found.dimension == dimension).tolist()
    ]


def component(edges, values, point, is_in):
    """Rows that hang together with one over the edges that are in."""
    inside = edges[is_in]
    graph = coo_array((np.ones(len(inside)), inside.T), shape=(len(values), len(values)))
    labels = connected_components(graph, directed=False)[1]
    return np.flatnonzero(labels == labels[point]).tolist()


def test_a_double_well_is_its_two_wells():
    # Wells at 1 and at 0, a pass at 5 that the elder one gets, a shoulder at either end.
    found = valleys(path(7), np.array([4.0, 1.0, 3.0, 5.0, 2.0, 0.0, 6.0]), knn=1)
    assert bars(found) == [(0, None, 5, [0, 1, 2, 3, 4, 5, 6]), (1, 5, 1, [0, 1, 2])]
    assert bars(found, 1) == []
    assert (found.n_all, found.highest) == ((2, 0), 6)
    np.testing.assert_array_equal(found.persistence, [6, 4])


def test_three_wells_one_within_another():
    # Wells 2, 1, 0; passes 4 (between 2 and 1) and 6 (between 1 and 0).
    found = valleys(path(5), np.array([2.0, 4.0, 1.0, 6.0, 0.0]), knn=1)
    assert bars(found) == [(0, None, 4, [0, 1, 2, 3, 4]), (1, 6, 2, [0, 1, 2]), (2, 4, 0, [0])]


def test_a_circle_is_closed_by_the_edge_to_its_highest_point():
    found = valleys(circle(6), np.array([0.0, 1.0, 2.0, 7.0, 2.0, 1.0]), knn=2)
    assert bars(found) == [(0, None, 0, [0, 1, 2, 3, 4, 5])]
    assert bars(found, 1) == [(7, None, 3, [3, 4])]  # 2 and 3 were joined before, by the order of their rows
    np.testing.assert_array_equal(found.persistence, [7, 0])


def test_a_cycle_below_the_highest_point_stands_out():
    places = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, 0.8], [9.0, 0.0]])
    distances = np.linalg.norm(places[:, np.newaxis] - places, axis=2)
    found = valleys(distances, np.array([0.0, 3.0, 2.0, 8.0]), knn=2)
    assert bars(found, 1) == [(3, None, 1, [1, 2]), (8, None, 3, [2, 3])]


def test_pieces_of_the_graph_never_end_and_are_whole():
    found = valleys(two_rows(3), np.array([0.0, 2.0, 1.0, 10.0, 3.0, 4.0]), knn=1)
    assert bars(found) == [(0, None, 0, [0, 1, 2]), (3, None, 4, [3, 4, 5]), (1, 2, 2, [2])]


def test_of_equal_lowest_points_the_higher_row_ends():
    assert bars(valleys(path(3), np.array([1.0, 5.0, 1.0]), knn=1)) == [(1, None, 0, [0, 1, 2]), (1, 5, 2, [2])]


@given(seed=SEEDS, n=st.integers(3, 25), tied=st.booleans(), data=st.data())
def test_they_are_those_of_the_diagram(seed, n, tied, data):
    knn = data.draw(st.integers(1, min(6, n - 1)))
    distances, values = cloud(n, seed), values_of(n, seed, tied=tied)
    found, diagram = valleys(distances, values, knn=knn, most=ALL), persistence(distances, values, knn=knn)
    pairs = [(birth, death) for birth, death, _, _ in bars(found) if death is not None]
    assert sorted(pairs) == sorted(map(tuple, diagram.finite[0].tolist()))
    for dimension in (0, 1):
        births = [birth for birth, death, _, _ in bars(found, dimension) if death is None]
        np.testing.assert_array_equal(np.sort(births), np.sort(diagram.essential[dimension]))
        total = (found.persistence[found.dimension == dimension] ** 2).sum()
        assert total == pytest.approx(diagram.total(dimension=dimension), rel=1e-12)
    assert found.n_all == (len(pairs) + len(diagram.essential[0]), len(diagram.essential[1]))


@given(seed=SEEDS, n=st.integers(3, 25), tied=st.booleans())
def test_a_valley_is_the_component_of_its_lowest_point_below_its_end(seed, n, tied):
    distances, values = cloud(n, seed), values_of(n, seed, tied=tied)
    knn = min(3, n - 1)
    edges = neighbour_graph(distances, knn=knn)
    heights = values[edges].max(axis=1)
    found = valleys(distances, values, knn=knn, most=ALL)
    ages = list(zip(values, range(n), strict=True))
    for birth, death, row, rows in bars(found):
        assert birth == values[row]
        assert row == min(rows, key=ages.__getitem__)
        if death is None:
            assert rows == component(edges, values, row, np.ones(len(edges), bool))
        else:
            assert rows == component(edges, values, row, heights < death)
    for birth, _, row, (a, b) in bars(found, 1):
        assert birth == max(values[a], values[b]) == values[row]
        assert row in (a, b)
        # Without the edge its ends hang together already.
        assert b in component(edges, values, a, (heights <= birth) & ~((edges == [a, b]).all(axis=1)))


@given(seed=SEEDS, most=st.integers(1, 30), knn=st.integers(1, 4))
def test_the_most_persistent_of_each_kind_are_kept(seed, most, knn):
    distances, values = cloud(25, seed), values_of(25, seed, tied=False)
    whole, found = (valleys(distances, values, knn=knn, most=count) for count in (ALL, most))
    assert found.n_all == whole.n_all
    assert len(found.births) == min(most, sum(whole.n_all))
    counts = [int((found.dimension == dimension).sum()) for dimension in (0, 1)]
    assert abs(counts[0] - counts[1]) <= 1 or counts[0] == whole.n_all[0] or counts[1] == whole.n_all[1]
    for dimension, count in enumerate(counts):
        assert bars(found, dimension) == bars(whole, dimension)[:count]
        heights = whole.persistence[whole.dimension == dimension]
        assert (np.diff(heights) <= 0).all()


def test_members_are_listed_as_far_as_there_is_room():
    # A staircase of wells, each within the one before: a half of all pairs of points would be listed.
    n = 60
    values = np.empty(2 * n)
    values[::2], values[1::2] = np.arange(n, 0, -1), 2 * n - np.arange(n, 0, -1)
    found = valleys(path(2 * n), values, knn=1)
    assert found.n_all[0] == n - 1  # the first well is as high as its pass
    assert len(found.members) <= 10 * 2 * n
    sizes = np.diff(found.offsets)
    assert sizes[0] == 2 * n
    assert (sizes == 0).any()
    assert found.offsets[-1] == len(found.members)


def test_points_without_a_value_are_left_out_and_rows_are_those_of_the_map():
    values = np.array([np.nan, 4.0, 1.0, 3.0, 5.0, np.inf, 2.0, 0.0, 6.0])
    found = valleys(path(9), values, knn=1)
    assert found.n_left_out == 2
    assert bars(found) == [(0, None, 7, [6, 7, 8]), (1, None, 2, [1, 2, 3, 4])]  # what was between 4 and 6 is gone
    assert found.highest == 6


def test_an_embedding_gives_its_potential_distances():
    walk = np.random.default_rng(0).normal(size=(30, 50)).cumsum(axis=0) + 5
    embedding, values = phate(walk), values_of(30, 0, tied=False)
    assert bars(valleys(embedding, values, knn=4)) == bars(valleys(embedding.potential_distances, values, knn=4))


def test_what_does_not_fit_is_refused(refuses):
    with refuses(r"most must be 1 or more, but is 0; pass how many"):
        valleys(path(4), np.arange(4.0), knn=1, most=0)
    with refuses(r"a filtration needs at least 2 finite values, but there are 1"):
        valleys(path(4), np.array([1.0, np.nan, np.nan, np.nan]), knn=1)
