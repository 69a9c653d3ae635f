"""Bridges between pieces of the neighbour graph, and chains along time."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_phate import euclidean_naive
from scipy.sparse import csgraph, csr_array

from lossatlas import phate
from lossatlas.embed import MapWarning, alpha_decay_affinities, bridged, chained, components


def line(*places):
    return np.abs(np.subtract.outer(np.array(places, dtype=float), np.array(places, dtype=float)))


def bridges_of(affinities, joined):
    """Edges i < j that were not there before."""
    changed = (joined != affinities).tocoo()
    return sorted((int(i), int(j)) for i, j in zip(*changed.coords, strict=True) if i < j)


def test_components_are_counted_and_labelled():
    count, labels = components(alpha_decay_affinities(line(0, 1, 2, 100, 101, 102, 200, 201), knn=1))
    assert count == 3
    np.testing.assert_array_equal(labels, [0, 0, 0, 1, 1, 1, 2, 2])


def test_bridges_join_the_nearest_points_of_components_by_exp_minus_one():
    places = line(0, 1, 2, 100, 101, 102, 200, 201)
    affinities = alpha_decay_affinities(places, knn=1)
    joined = bridged(affinities, places)
    assert components(joined)[0] == 1
    changed = np.argwhere((joined != affinities).toarray())
    np.testing.assert_array_equal(changed, [[2, 3], [3, 2], [5, 6], [6, 5]])
    np.testing.assert_allclose(joined[2, 3], math.exp(-1), rtol=1e-15)
    np.testing.assert_array_equal(joined.toarray(), joined.toarray().T)


def test_bridges_leave_the_affinities_within_components_as_they_are():
    places = euclidean_naive(np.random.default_rng(0).normal(size=(20, 2)) + np.repeat([[0, 0], [100, 0]], 10, axis=0))
    affinities = alpha_decay_affinities(places, knn=4)
    assert components(affinities)[0] == 2
    changed = (bridged(affinities, places) != affinities).toarray()
    assert not changed[:10, :10].any()
    assert not changed[10:, 10:].any()
    # One bridge, where the two come nearest.
    nearest = np.unravel_index(places[:10, 10:].argmin(), (10, 10))
    np.testing.assert_array_equal(np.argwhere(changed[:10, 10:]), [nearest])


def test_a_connected_graph_gets_no_bridge():
    places = line(*range(10))
    affinities = alpha_decay_affinities(places, knn=2)
    np.testing.assert_array_equal(bridged(affinities, places).toarray(), affinities.toarray())


def test_bridging_leaves_its_input_as_it_was():
    places = line(0, 1, 100, 101)
    affinities = alpha_decay_affinities(places, knn=1)
    before = affinities.copy()
    bridged(affinities, places)
    np.testing.assert_array_equal(affinities.toarray(), before.toarray())


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_bridges_always_leave_one_component(seed):
    rng = np.random.default_rng(seed)
    middles = rng.normal(size=(5, 2)) * 100
    places = euclidean_naive(np.repeat(middles, 4, axis=0) + rng.normal(size=(20, 2)))
    assert components(bridged(alpha_decay_affinities(places, knn=2), places))[0] == 1


def spanning_bridges(places, labels):
    """Edges between pieces of scipy's minimum spanning tree where those within are as good as free; and their length."""
    free = np.where(labels[:, np.newaxis] == labels, places * 1e-9, places)
    tree = csgraph.minimum_spanning_tree(csr_array(free)).tocoo()
    edges = [(min(i, j), max(i, j)) for i, j in zip(*map(np.ndarray.tolist, tree.coords), strict=True) if labels[i] != labels[j]]
    return sorted(edges), sum(places[i, j] for i, j in edges)


def pieces(labels):
    """Affinities of which each label is one piece."""
    return csr_array((labels[:, np.newaxis] == labels).astype(float))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 15))
def test_bridges_are_the_edges_of_scipys_minimum_spanning_tree(seed, count):
    rng = np.random.default_rng(seed)
    places = euclidean_naive(rng.normal(size=(30, 3)))
    labels = rng.integers(count, size=30)
    affinities = pieces(labels)
    assert bridges_of(affinities, bridged(affinities, places)) == spanning_bridges(places, labels)[0]


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(2, 15))
def test_bridges_between_equally_far_pieces_are_as_short_and_close_no_ring(seed, count):
    # Points of a lattice: most distances are shared by many pairs, and each is a whole number.
    rng = np.random.default_rng(seed)
    lattice = rng.permutation(np.stack(np.meshgrid(np.arange(6), np.arange(6)), axis=-1).reshape(-1, 2))[:25]
    places = np.abs(lattice[:, np.newaxis] - lattice).sum(axis=2).astype(float)
    labels = rng.integers(count, size=25)
    affinities = pieces(labels)
    edges = bridges_of(affinities, bridged(affinities, places))
    assert len(edges) == len(np.unique(labels)) - 1
    assert components(bridged(affinities, places))[0] == 1
    assert sum(places[i, j] for i, j in edges) == spanning_bridges(places, labels)[1]


def test_equally_near_pieces_are_joined_without_a_ring():
    # The first choice of piece 0 is piece 1, of 1 it is 2, and of 2 it is 0, all at 1; a fourth and largest lies at 5.
    labels = np.array([0, 1, 2, 1, 2, 0, 3, 3, 3])
    places = np.where((labels[:, np.newaxis] == 3) != (labels == 3), 5.0, 2.0) * (1 - np.eye(9))
    for i, j in ((0, 3), (1, 4), (2, 5)):
        places[i, j] = places[j, i] = 1
    edges = bridges_of(pieces(labels), bridged(pieces(labels), places))
    assert sorted(places[i, j] for i, j in edges) == [1, 1, 5]


def test_bridges_by_rows_are_those_by_the_matrix_and_spare_the_largest_piece():
    # 300 pairs and a piece of 500: more rows than are asked for at a time, and rounds enough for pieces to grow.
    rng = np.random.default_rng(0)
    points = rng.normal(size=(1100, 3))
    squares = (points**2).sum(axis=1)
    places = np.sqrt(np.maximum(squares[:, np.newaxis] + squares - 2 * points @ points.T, 0))
    labels = np.concatenate([np.repeat(np.arange(300), 2), np.full(500, 300)])
    asked = []

    def rows(points):
        asked.append(points)
        return places[points]

    affinities = pieces(labels)
    found = bridged(affinities, rows)
    np.testing.assert_array_equal(found.toarray(), bridged(affinities, places).toarray())
    assert bridges_of(affinities, found) == spanning_bridges(places, labels)[0]
    assert len(asked) > 3
    assert max(map(len, asked)) <= 256
    assert sum(map(len, asked)) <= 600 * 9  # 301 pieces, at least halved in each round
    assert np.concatenate(asked).max() < 600


def test_rows_of_a_connected_graph_are_not_asked_for():
    def refuse(points):
        raise AssertionError(points)

    places = line(*range(10))
    affinities = alpha_decay_affinities(places, knn=2)
    assert bridged(affinities, refuse) is affinities


def test_consecutive_points_of_a_trajectory_are_chained():
    # Two trajectories that take turns; the second has three points.
    labels = np.array([0, 1, 0, 1, 1])
    found = chained(csr_array(np.eye(5)), labels).toarray()
    expected = np.eye(5)
    for i, j in ((0, 2), (1, 3), (3, 4)):
        expected[i, j] = expected[j, i] = math.exp(-1)
    np.testing.assert_array_equal(found, expected)


def test_a_chain_weakens_no_affinity():
    K = np.array([[1.0, 0.9, 0.2], [0.9, 1.0, 0.1], [0.2, 0.1, 1.0]])
    found = chained(csr_array(K), np.zeros(3, dtype=int)).toarray()
    np.testing.assert_array_equal(found, [[1.0, 0.9, 0.2], [0.9, 1.0, math.exp(-1)], [0.2, math.exp(-1), 1.0]])


def test_trajectories_of_one_point_have_no_chain():
    K = csr_array(np.eye(3))
    assert chained(K, np.arange(3)) is K


def test_a_chain_goes_through_the_places_that_copies_share():
    # The second trajectory begins at the first's start, and stays a step where it is.
    found = chained(csr_array(np.eye(3) / 9), np.array([0, 0, 1, 1, 1]), places=np.array([0, 1, 0, 2, 2]))
    joined = math.exp(-1)
    np.testing.assert_array_equal(found.toarray(), [[1 / 9, joined, joined], [joined, 1 / 9, 0], [joined, 0, 1 / 9]])


def leaps(count=3, size=10, p=20, *, seed=0):
    """Points of one run that leaps between places far apart, of which 5 neighbours never lead out."""
    rng = np.random.default_rng(seed)
    return np.repeat(rng.normal(size=(count, p)) * 100, size, axis=0) + rng.normal(size=(count * size, p)).cumsum(axis=0) / 10


def test_a_run_in_pieces_is_joined_along_time():
    points = leaps()
    found = phate(points, metric="euclidean", connect="temporal", scaling="classical", t=5)
    assert (found.connected_components, found.graph.unconnected) == (3, 1)
    between = [(i, j) for i, j in zip(*found.affinities.nonzero(), strict=True) if i < j and i // 10 != j // 10]
    assert between == [(9, 10), (19, 20)]
    np.testing.assert_array_equal(found.affinities[[9, 19], [10, 20]], math.exp(-1))
    assert all(found.affinities[i, i + 1] >= math.exp(-1) for i in range(29))


def test_what_time_leaves_in_pieces_is_warned_of():
    message = (
        r"neighbour graph is in 2 pieces, whose distances on the map are arbitrary; pass connect='mst' or a knn above 5 to join"
    )
    with pytest.warns(MapWarning, match=message):
        found = phate(
            leaps(), metric="euclidean", connect="temporal", trajectories=np.repeat([7, 3], [20, 10]), scaling="classical", t=5
        )
    assert (found.connected_components, found.graph.unconnected) == (3, 2)


def test_a_warning_on_affinities_asks_for_what_affinities_can_have():
    blocks = np.kron(np.eye(2), np.ones((6, 6)))
    with pytest.warns(MapWarning, match=r"in 2 pieces, .* are arbitrary; pass affinities between them to join them"):
        phate(blocks, metric="precomputed_affinity", scaling="classical", t=3)


def test_runs_that_share_their_start_are_joined_there():
    rng = np.random.default_rng(0)
    start = rng.normal(size=20)
    near, far = (start + way + rng.normal(size=(10, 20)) for way in (5, 400))
    points = np.concatenate([[start], near, [start], far])
    found = phate(points, metric="euclidean", connect="temporal", trajectories=np.repeat([0, 1], 11), scaling="classical", t=5)
    assert (found.n_duplicates, found.connected_components, found.graph.unconnected) == (1, 2, 1)
    assert found.affinities[0, 11] == math.exp(-1)
