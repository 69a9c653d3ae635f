"""The neighbour graph."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_persistence import neighbours_naive

from lossatlas import InputError
from lossatlas.measure import neighbour_graph


def random_distances(n, *, seed, levels=None):
    """Symmetric distances; with few ``levels`` most of them are tied."""
    rng = np.random.default_rng(seed)
    upper = np.triu(rng.uniform(0.1, 1, size=(n, n)) if levels is None else rng.integers(1, levels + 1, size=(n, n)) / 2, k=1)
    return upper + upper.T


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(2, 15), levels=st.sampled_from([None, 1, 3]), data=st.data())
def test_edges_are_those_of_the_search_in_loops_ties_included(seed, n, levels, data):
    knn = data.draw(st.integers(1, n - 1))
    distances = random_distances(n, seed=seed, levels=levels)
    assert [tuple(edge) for edge in neighbour_graph(distances, knn=knn).tolist()] == neighbours_naive(distances, knn)


def test_the_graph_is_simple():
    edges = neighbour_graph(random_distances(30, seed=0), knn=6)
    assert (edges[:, 0] < edges[:, 1]).all()
    assert len(np.unique(edges, axis=0)) == len(edges)
    # Each point has its own 6, and mutual ones are counted once.
    degree = np.bincount(edges.ravel(), minlength=30)
    assert degree.min() >= 6
    assert 30 * 6 / 2 <= len(edges) <= 30 * 6


def test_an_edge_seen_from_one_side_is_an_edge():
    # The nearest of 0 and 1 are each other; the nearest of 5 is 1.
    places = np.array([0.0, 1.0, 5.0])
    np.testing.assert_array_equal(neighbour_graph(np.abs(np.subtract.outer(places, places)), knn=1), [[0, 1], [1, 2]])


def test_of_equally_near_points_the_lower_is_the_neighbour():
    everywhere = np.ones((5, 5)) - np.eye(5)
    np.testing.assert_array_equal(neighbour_graph(everywhere, knn=1), [[0, 1], [0, 2], [0, 3], [0, 4]])


def test_copies_are_neighbours_and_no_point_is_its_own():
    places = np.array([0.0, 0.0, 1.0, 3.0])
    np.testing.assert_array_equal(neighbour_graph(np.abs(np.subtract.outer(places, places)), knn=1), [[0, 1], [0, 2], [2, 3]])


def test_all_others_can_be_neighbours():
    assert len(neighbour_graph(random_distances(6, seed=0), knn=5)) == 15


def test_the_input_is_left_as_it_was():
    distances = random_distances(6, seed=0)
    neighbour_graph(distances, knn=2)
    np.testing.assert_array_equal(np.diagonal(distances), 0)


@pytest.mark.parametrize(("knn", "needed"), [(4, 5), (0, 2), (-3, 2)])
def test_more_neighbours_than_points_are_refused(knn, needed):
    with pytest.raises(InputError, match=rf"knn={knn} needs at least {needed} points, but there are 4; pass another knn"):
        neighbour_graph(random_distances(4, seed=0), knn=knn)
