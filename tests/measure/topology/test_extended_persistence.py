"""Cliques, joined pieces, extended persistence and scales, against a reduction of the boundary matrix and hand values."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_homology import extended_naive, joined_naive, simplices_of
from naive_persistence import neighbours_naive
from test_persistence import SEEDS, circle, cloud, finite_pairs, path, two_rows, values_of

from lossatlas import persistence
from lossatlas.measure import neighbour_graph
from lossatlas.measure.topology.graph import bridged_graph

DIMENSIONS = (0, 1)


def same(found, expected):
    assert sorted(map(tuple, np.asarray(found).tolist())) == sorted(expected)


@settings(max_examples=60)
@given(
    seed=SEEDS,
    n=st.integers(3, 12),
    kind=st.sampled_from(["graph", "clique"]),
    pieces=st.sampled_from(["apart", "joined"]),
    data=st.data(),
)
def test_diagrams_equal_those_of_a_boundary_matrix(seed, n, kind, pieces, data):
    knn = data.draw(st.integers(1, min(5, n - 1)))
    distances, values = cloud(n, seed), values_of(n, seed, tied=data.draw(st.booleans()))
    edges = joined_naive(distances, knn) if pieces == "joined" else neighbours_naive(distances, knn)
    ordinary, ends, relative = extended_naive(values.tolist(), simplices_of(n, edges, is_clique=kind == "clique"))
    found, plain = (
        persistence(distances, values, knn=knn, pieces=pieces, complex=kind, extended=extended) for extended in (True, False)
    )
    for dimension in DIMENSIONS:
        finite = [(birth, death) for of, birth, death in ordinary if of == dimension and birth < death]
        same(found.finite[dimension], finite)
        same(plain.finite[dimension], finite)
        same(found.closed(dimension), [(birth, death) for of, birth, death in ends if of == dimension])
        # A class that the plain diagram never ends is closed at the highest value; its birth is the same.
        assert sorted(plain.essential[dimension].tolist()) == sorted(found.essential[dimension].tolist())
        assert (plain.closed(dimension)[:, 1] == values.max()).all()
        same(found.relative[dimension], [(b, d) for of, b, d in relative if of == dimension and b != d])
    assert (plain.ends, plain.relative) == (None, {})
    assert (found.knn, found.pieces, found.complex, found.preset) == (knn, pieces, kind, "sound")


@given(seed=SEEDS, tied=st.booleans(), knn=st.integers(1, 4))
def test_hills_are_the_valleys_of_the_loss_turned_over(seed, tied, knn):
    distances, values = cloud(14, seed), values_of(14, seed, tied=tied)
    found, over = (persistence(distances, sign * values, knn=knn, extended=True) for sign in (1, -1))
    same(found.relative[1], [(-birth, -death) for birth, death in finite_pairs(over)])
    # As seen from the other side components are as high, and loops too.
    for dimension in DIMENSIONS:
        ends = over.closed(dimension)
        same(found.closed(dimension), [(-death, -birth) for birth, death in ends.tolist()])


def test_a_loop_is_as_high_as_its_highest_point_above_its_lowest():
    found = persistence(circle(6), np.array([2.0, 1.0, 2.0, 7.0, 2.0, 5.0]), knn=2, extended=True)
    same(found.closed(1), [(7, 1)])
    same(found.closed(0), [(1, 7)])
    same(found.finite[0], [(2, 5)])
    same(found.relative[1], [(5, 2)])
    assert found.total(p=1, part="essential", dimension=1) == 6
    assert found.total(p=2, dimension=1) == 36
    assert found.total(p=2, part="relative", dimension=1) == 9
    assert found.total(part="relative") == 0


def test_each_piece_ends_at_its_own_highest_point():
    values = np.array([0.0, 2.0, 1.0, 10.0, 3.0, 4.0])
    found = persistence(two_rows(3), values, knn=1, extended=True)
    same(found.closed(0), [(0, 2), (3, 10)])
    assert found.total(part="essential") == 2**2 + 7**2


def test_a_flat_loop_is_a_loop_of_no_height():
    found = persistence(circle(6), np.full(6, 2.0), knn=2, extended=True)
    same(found.closed(1), [(2, 2)])
    same(found.closed(0), [(2, 2)])
    assert found.total() == found.total(dimension=1) == 0


def test_triangles_fill_a_cycle_and_end_it_at_their_highest_point():
    # A square 0 1 2 3 with its middle 4, which is a neighbour of all four: four triangles, the last of them at 9.
    places = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0], [0.0, 0.0]])
    distances = np.linalg.norm(places[:, np.newaxis] - places, axis=2)
    values = np.array([0.0, 1.0, 2.0, 3.0, 9.0])
    assert len(neighbour_graph(distances, knn=3)) == 8
    graph, filled = (persistence(distances, values, knn=3, complex=kind) for kind in ("graph", "clique"))
    same(graph.essential[1][:, np.newaxis], [(3,), (9,), (9,), (9,)])
    assert len(filled.essential[1]) == 0
    same(filled.finite[1], [(3, 9)])
    assert filled.total(dimension=1, part="finite") == 36
    same(graph.finite[0], finite_pairs(filled))


def test_an_empty_square_stays_a_cycle():
    assert len(persistence(circle(4), np.arange(4.0), knn=2, complex="clique").essential[1]) == 1
    assert len(persistence(circle(3), np.arange(3.0), knn=2, complex="clique").essential[1]) == 0


@settings(max_examples=40)
@given(seed=SEEDS, n=st.integers(4, 20), knn=st.integers(1, 3))
def test_pieces_are_joined_by_the_shortest_edges_between_them(seed, n, knn):
    distances = cloud(n, seed)
    edges = bridged_graph(neighbour_graph(distances, knn=knn), distances)
    assert [tuple(edge) for edge in edges.tolist()] == joined_naive(distances, knn)


def test_two_rows_are_joined_between_their_near_ends():
    values = np.array([0.0, 2.0, 1.0, 10.0, 3.0, 4.0])
    found = persistence(two_rows(3), values, knn=1, pieces="joined")
    assert finite_pairs(found) == [(1, 2), (3, 10)]  # the bridge is from the third point to the fourth, which is at 10
    np.testing.assert_array_equal(found.essential[0], [0])
    assert found.total(part="essential") == found.baseline() == 100


def test_copies_in_pieces_of_their_own_are_joined():
    distances = np.zeros((6, 6))
    assert len(persistence(distances, np.arange(6.0), knn=1, pieces="joined").essential[0]) == 1


@pytest.mark.parametrize("extended", [False, True])
@pytest.mark.parametrize("scale", ["log", "rank", "range"])
@settings(max_examples=30)
@given(seed=SEEDS, tied=st.booleans())
def test_a_scale_moves_births_and_deaths_and_nothing_else(scale, extended, seed, tied):
    distances, values = cloud(15, seed), values_of(15, seed, tied=tied) + 5
    if scale != "log":
        values[0] = -1
    moved = {
        "log": np.log(np.abs(values)),
        "rank": np.array([((values < one).sum() + ((values == one).sum() - 1) / 2) / 14 for one in values]),
        "range": (values - values.min()) / (values.max() - values.min()),
    }[scale]
    there = dict(zip(values.tolist(), moved.tolist(), strict=True))
    raw = persistence(distances, values, knn=3, complex="clique", extended=extended)
    found = persistence(distances, values, knn=3, complex="clique", extended=extended, scale=scale)
    for dimension in DIMENSIONS:
        for of in (lambda one, d=dimension: one.finite[d], lambda one, d=dimension: one.closed(d)):
            expected = np.array([[there[end] for end in pair] for pair in of(raw).tolist()]).reshape(-1, 2)
            np.testing.assert_allclose(of(found), expected, rtol=1e-12, atol=1e-12)
    assert found.scale == scale
    assert (found.n_points, found.knn) == (15, 3)
    np.testing.assert_allclose(found.values, np.sort(moved), rtol=1e-12, atol=1e-12)


@settings(max_examples=30)
@given(seed=SEEDS, tied=st.booleans())
def test_ranks_do_not_see_a_monotone_change(seed, tied):
    distances, values = cloud(15, seed), values_of(15, seed, tied=tied)
    found, other = (persistence(distances, one, knn=3, scale="rank") for one in (values, np.exp(values) * 7 - 3))
    for p in (1, 2):
        for part in ("finite", "essential"):
            assert found.total(p, part) == other.total(p, part)
            assert found.total(p, part, 1) == other.total(p, part, 1)


@settings(max_examples=30)
@given(seed=SEEDS, shift=st.floats(-10, 10), factor=st.floats(0.1, 10), p=st.sampled_from([1, 2]))
def test_the_share_of_the_range_does_not_see_unit_and_zero_and_the_logarithm_no_factor(seed, shift, factor, p):
    distances, values = cloud(15, seed), np.exp(values_of(15, seed, tied=False))
    for scale, other in (("range", values * factor + shift), ("log", values * factor)):
        found, moved = (persistence(distances, one, knn=3, scale=scale) for one in (values, other))
        for dimension in DIMENSIONS:
            np.testing.assert_allclose(moved.total(p, "all", dimension), found.total(p, "all", dimension), rtol=1e-9, atol=1e-9)


@settings(max_examples=20)
@given(seed=SEEDS, p=st.sampled_from([1, 2, 3]))
def test_of_a_connected_graph_the_essential_total_is_the_baseline_on_every_scale(seed, p):
    distances, values = cloud(12, seed), np.exp(values_of(12, seed, tied=False))
    for scale in ("raw", "log", "rank", "range"):
        found = persistence(distances, values, knn=3, pieces="joined", scale=scale)
        assert found.total(p, "essential") == found.baseline(p) == pytest.approx((found.highest - found.lowest) ** p)
        if scale in ("rank", "range"):
            assert found.baseline(p) == 1


def test_ranks_by_hand():
    # 5 is over two wells of equal depth: ranks 0.25 each, of 0, 1, 1, 5, 9.
    found = persistence(path(5), np.array([1.0, 5.0, 1.0, 9.0, 0.0]), knn=1, scale="rank")
    assert finite_pairs(found) == [(0.375, 0.75), (0.375, 1)]


def test_losses_of_any_size_have_a_range():
    values = np.array([1e308, -1e308, 0.0, -5e307])
    found = persistence(path(4), values, knn=1, scale="range")
    np.testing.assert_array_equal(found.values, [0, 0.25, 0.5, 1])
    assert persistence(path(4), values, knn=1).total() == np.inf


def test_scales_that_values_have_no_place_on_are_refused(refuses):
    with refuses("scale='log' needs values above 0, but the lowest is 0; pass scale='rank' or 'range'"):
        persistence(path(3), np.array([1.0, 0.0, 2.0]), knn=1, scale="log")
    with refuses("scale='range' needs values that differ, but all are 2; pass scale='raw'"):
        persistence(path(3), np.full(3, 2.0), knn=1, scale="range")
    ranks = persistence(path(3), np.arange(3.0), knn=1, scale="rank")
    assert ranks.rescaled("rank") is ranks
    with refuses("the diagram is on the scale 'rank', which holds no losses; rescale that of scale='raw'"):
        ranks.rescaled("log")


@pytest.mark.usefixtures("as_users_call")
@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ({"scale": "ln"}, "scale must be one of raw, log, rank, range, but is 'ln'"),
        ({"pieces": "whole"}, "pieces must be one of apart, joined, but is 'whole'"),
        ({"complex": "rips"}, "complex must be one of graph, clique, but is 'rips'"),
    ],
)
def test_choices_that_there_are_not_are_refused(choice, words, refuses):
    with refuses(words):
        persistence(path(3), np.arange(3.0), knn=1, **choice)


def test_relative_classes_are_of_extended_persistence_alone(refuses):
    with refuses(r"relative classes are of extended persistence; call persistence\(..., extended=True\)"):
        persistence(path(3), np.arange(3.0), knn=1).total(part="relative")


@given(seed=SEEDS, tied=st.booleans(), knn=st.integers(1, 4))
def test_betti_curves_count_what_each_threshold_leaves(seed, tied, knn):
    distances, values = cloud(15, seed), values_of(15, seed, tied=tied)
    edges = neighbour_graph(distances, knn=knn)
    levels = np.concatenate([values, values + 1e-9, [values.min() - 1, values.max() + 1]])
    found = persistence(distances, values, knn=knn)
    points = np.array([(values <= level).sum() for level in levels])
    inside = [edges[values[edges].max(axis=1) <= level] for level in levels]
    pieces = np.array([count - _rank(edges_in, 15) for count, edges_in in zip(points, inside, strict=True)])
    np.testing.assert_array_equal(found.betti(levels), pieces)
    np.testing.assert_array_equal(found.betti(levels, 1), [len(one) for one in inside] - points + pieces)  # E - V + C
    for dimension in DIMENSIONS:
        steps = found.breakpoints(dimension)
        assert set(steps.tolist()) <= set(values.tolist())
        # Up to the next step, and for ever after the last, the number is that at the step.
        between = np.append((steps[:-1] + steps[1:]) / 2, values.max() + 1)[: len(steps)]
        np.testing.assert_array_equal(found.betti(between, dimension), found.betti(steps, dimension))


def _rank(edges, n):
    """Rank of the incidence matrix: edges of a spanning forest."""
    incidence = np.zeros((len(edges), n))
    for row, (a, b) in enumerate(edges):
        incidence[row, [a, b]] = 1, -1
    return np.linalg.matrix_rank(incidence) if len(edges) else 0


def test_bars_come_the_longest_first_and_those_without_end_before():
    found = persistence(path(7), np.array([2.0, 4.0, 1.0, 6.0, 0.0, 6.0, 5.0]), knn=1)
    np.testing.assert_array_equal(found.barcode(), [[0, np.inf], [1, 6], [2, 4], [5, 6]])
    np.testing.assert_array_equal(found.breakpoints(), [0, 1, 2, 4, 5, 6])
    np.testing.assert_array_equal(found.betti(found.breakpoints()), [1, 2, 3, 2, 3, 1])
    assert found.barcode(1).shape == (0, 2)
