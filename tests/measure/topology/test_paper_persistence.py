"""The released analysis, fault by fault."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_homology import paper_naive
from test_persistence import SEEDS

from lossatlas import phate
from lossatlas.measure import paper_persistence


def potential_of(n, seed, *, tied):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 3, size=(n, n)).astype(float) if tied else rng.normal(size=(n, n))


@settings(max_examples=60)
@given(seed=SEEDS, n=st.integers(1, 12), tied=st.booleans(), is_level=st.booleans(), data=st.data())
def test_it_is_the_released_analysis_in_loops(seed, n, tied, is_level, data):
    knn = data.draw(st.integers(1, n))
    potential = potential_of(n, seed, tied=tied)
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 4, size=n + 1).astype(float) if is_level else rng.normal(size=n + 1)
    found = paper_persistence(potential, values, knn=knn)
    pairs, closed, cycles = paper_naive(potential.tolist(), values[:-1].tolist(), knn)
    assert sorted(map(tuple, found.finite[0].tolist())) == sorted(pair for pair in pairs if pair[0] < pair[1])
    assert sorted(map(tuple, found.closed(0).tolist())) == sorted(closed)
    assert sorted(found.essential[1].tolist()) == cycles
    for p in (1, 2):
        assert found.total(p) == pytest.approx(sum((death - birth) ** p for birth, death in pairs + closed), abs=1e-12)
    # One cycle an edge that is no branch of a spanning forest, whether it is there already or not.
    assert len(cycles) == n * knn - n + len(found.essential[0])
    assert (found.preset, found.knn, found.n_points) == ("paper", knn, n)


def test_the_farthest_are_taken_for_neighbours():
    # Rows 0 and 1 are near each other, 2 and 3 too; each is taken to the far pair, the later one of equals.
    near = np.array([[0.0, 1, 9, 9], [1, 0, 9, 9], [9, 9, 0, 1], [9, 9, 1, 0]])
    found = paper_persistence(near, np.array([0.0, 1.0, 5.0, 6.0, 99.0]), knn=1)
    # Edges 0-3, 1-3, 2-1, 3-1: the components of 0 and of 1 meet over 3, at 6, though 0 and 1 are neighbours.
    np.testing.assert_array_equal(found.finite[0], [[1, 6]])


def test_each_vertex_has_its_predecessors_loss():
    potential = potential_of(6, 0, tied=False)
    values = np.array([100.0, 1, 2, 3, 4, 5, 6])
    found, other = (paper_persistence(potential, np.append(values[:-1], last), knn=2) for last in (6.0, -50.0))
    np.testing.assert_array_equal(found.values, np.sort(values[:-1]))  # the optimum's is among them
    np.testing.assert_array_equal(found.finite[0], other.finite[0])
    assert found.total() == other.total()


def test_a_mutual_pair_is_a_cycle_and_so_is_a_point_that_is_its_own():
    pair = np.array([[0.0, 1.0], [1.0, 0.0]])
    np.testing.assert_array_equal(paper_persistence(pair, np.array([2.0, 7.0, 1.0]), knn=1).essential[1], [7])
    own = paper_persistence(pair, np.array([2.0, 7.0, 1.0]), knn=2)
    np.testing.assert_array_equal(np.sort(own.essential[1]), [2, 7, 7])


def test_the_printed_total_of_a_connected_graph_is_the_squared_range_and_what_is_finite():
    found = paper_persistence(potential_of(40, 3, tied=False), np.random.default_rng(0).uniform(0.5, 35.2, size=41), knn=20)
    assert len(found.essential[0]) == 1
    assert found.total(part="essential") == found.loss_range_squared
    assert found.total() == found.loss_range_squared + found.total(part="finite")


def test_it_takes_the_potential_of_a_map():
    embedding = phate(np.random.default_rng(0).normal(size=(50, 30)), preset="paper", n_landmark=None)
    assert paper_persistence(embedding.potential, np.arange(51.0)).n_points == 50


@pytest.mark.usefixtures("as_users_call")
def test_what_the_released_code_would_have_taken_in_silence_is_refused(refuses):
    square = np.eye(3)
    with refuses(r"the potential must be a finite square, but has shape \(3, 2\); embed without landmarks"):
        paper_persistence(square[:, :2], np.zeros(4), knn=1)
    with refuses("the potential must be a finite square"):
        paper_persistence(square * np.nan, np.zeros(4), knn=1)
    with refuses(r"there are 3 points, so values must be 4, the optimum's first, but are \(3,\)"):
        paper_persistence(square, np.zeros(3), knn=1)
    with refuses("values must be finite, as the released code takes them, but some are not"):
        paper_persistence(square, np.array([0.0, 1.0, np.nan, 1.0]), knn=1)
    for knn in (0, 4):
        with refuses(f"knn must be from 1 to 3, but is {knn}; pass another"):
            paper_persistence(square, np.zeros(4), knn=knn)
