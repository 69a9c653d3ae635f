"""Persistence of a loss over the neighbour graph, against hand values and a union-find."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_persistence import neighbours_naive, persistence_naive

from lossatlas import InputError, persistence, phate
from lossatlas.measure import Diagram, neighbour_graph

SEEDS = st.integers(0, 2**32 - 1)


def path(n):
    """Distances of points in a row; with one neighbour, ties to the lower point, the graph is the row."""
    return np.abs(np.subtract.outer(np.arange(float(n)), np.arange(float(n))))


def circle(n):
    """Distances along a circle; with two neighbours the graph is the circle."""
    steps = path(n)
    return np.minimum(steps, n - steps)


def cloud(n, seed):
    places = np.random.default_rng(seed).normal(size=(n, 2))
    return np.linalg.norm(places[:, np.newaxis] - places[np.newaxis], axis=2)


def two_rows(n):
    """Two rows of points far from each other."""
    places = np.concatenate([np.arange(float(n)), 1000 + np.arange(float(n))])
    return np.abs(np.subtract.outer(places, places))


def values_of(n, seed, *, tied):
    """Losses; tied ones have few levels."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, 4, size=n).astype(float) if tied else rng.normal(size=n)


def finite_pairs(found, dimension=0):
    return sorted(map(tuple, found.finite[dimension].tolist()))


def test_a_path_that_only_rises_has_one_class_that_never_ends():
    found = persistence(path(5), np.array([1.0, 2.0, 3.0, 5.0, 9.0]), knn=1)
    assert finite_pairs(found) == []
    np.testing.assert_array_equal(found.essential[0], [1])
    assert len(found.essential[1]) == 0
    assert (found.lowest, found.highest) == (1, 9)


def test_a_double_well_has_its_pass_for_the_death_of_the_shallower():
    # Wells at 1 and at 0, a pass at 5: the well at 1 ends there (the elder rule), the one at 0 never does.
    found = persistence(path(7), np.array([4.0, 1.0, 3.0, 5.0, 2.0, 0.0, 6.0]), knn=1)
    assert finite_pairs(found) == [(1, 5)]
    np.testing.assert_array_equal(found.essential[0], [0])
    assert found.total(part="finite") == 16
    assert found.total(part="essential") == 36
    assert found.total() == 52
    assert found.loss_range_squared == 36


def test_three_wells_end_each_at_the_pass_to_an_older_one():
    # Wells 2, 1, 0; passes 4 (between 2 and 1) and 6 (between 1 and 0).
    found = persistence(path(5), np.array([2.0, 4.0, 1.0, 6.0, 0.0]), knn=1)
    assert finite_pairs(found) == [(1, 6), (2, 4)]
    assert found.total(p=1, part="finite") == 5 + 2
    assert found.total(p=2, part="finite") == 25 + 4


def test_a_circle_closes_at_its_highest_point():
    found = persistence(circle(6), np.array([0.0, 1.0, 2.0, 7.0, 2.0, 1.0]), knn=2)
    assert finite_pairs(found) == []
    np.testing.assert_array_equal(found.essential[0], [0])
    np.testing.assert_array_equal(found.essential[1], [7])
    assert found.total(dimension=1) == 0  # born at the highest value, closed at the highest value
    assert found.finite[1].shape == (0, 2)


def test_a_circle_with_a_tail_closes_below_the_highest_point():
    # A triangle of 0, 1, 2 and a point at 9 beside: the cycle is born at 3, closed at 8.
    places = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, 0.8], [9.0, 0.0]])
    distances = np.linalg.norm(places[:, np.newaxis] - places[np.newaxis], axis=2)
    values = np.array([0.0, 3.0, 2.0, 8.0])
    found = persistence(distances, values, knn=1)
    assert len(found.essential[1]) == 0
    closed = persistence(distances, values, knn=2)  # 3 has 1 and 2 for neighbours: a second cycle, at 8
    np.testing.assert_array_equal(np.sort(closed.essential[1]), [3, 8])
    assert closed.total(dimension=1, part="essential") == 25


def test_two_components_never_end_either_and_each_counts_from_its_own_bottom():
    values = np.array([0.0, 2.0, 1.0, 10.0, 3.0, 4.0])  # rows 0, 2, 1 and 10, 3, 4
    found = persistence(two_rows(3), values, knn=1)
    assert finite_pairs(found) == [(1, 2)]
    np.testing.assert_array_equal(np.sort(found.essential[0]), [0, 3])
    assert found.total(part="essential") == 10**2 + 7**2
    assert found.loss_range_squared == 100


@settings(max_examples=60)
@given(seed=SEEDS, n=st.integers(3, 25), tied=st.booleans(), data=st.data())
def test_diagrams_equal_those_of_a_union_find(seed, n, tied, data):
    knn = data.draw(st.integers(1, min(6, n - 1)))
    distances, values = cloud(n, seed), values_of(n, seed, tied=tied)
    found = persistence(distances, values, knn=knn)
    finite, essential, cycles = persistence_naive(values.tolist(), neighbours_naive(distances, knn))
    # Values are copied, never computed with: equal to the last bit. Classes that end where they begin are none.
    assert finite_pairs(found) == [pair for pair in finite if pair[0] < pair[1]]
    assert sorted(found.essential[0].tolist()) == essential
    assert sorted(found.essential[1].tolist()) == cycles


@settings(max_examples=30)
@given(seed=SEEDS, n=st.integers(3, 30))
def test_cycles_are_as_many_as_edges_minus_points_plus_components(seed, n):
    distances, knn = cloud(n, seed), min(3, n - 1)
    found = persistence(distances, values_of(n, seed, tied=False), knn=knn)
    edges = neighbour_graph(distances, knn=knn)
    assert len(found.essential[1]) == len(edges) - n + len(found.essential[0])
    # One class a local minimum: all but those that never end are finite.
    assert len(found.finite[0]) + len(found.essential[0]) == sum(
        all(value < found_value for found_value in neighbours)
        for value, neighbours in local(edges, values_of(n, seed, tied=False))
    )


def local(edges, values):
    """Each value with those of its neighbours."""
    return [(values[v], [values[b if a == v else a] for a, b in edges if v in (a, b)]) for v in range(len(values))]


@settings(max_examples=20)
@given(seed=SEEDS)
def test_names_of_points_do_not_matter(seed):
    distances, values = cloud(15, seed), values_of(15, seed, tied=False)
    order = np.random.default_rng(seed).permutation(15)
    found, other = (
        persistence(distances, values, knn=3),
        persistence(distances[np.ix_(order, order)], values[order], knn=3),
    )
    assert finite_pairs(found) == finite_pairs(other)
    for dimension in (0, 1):
        np.testing.assert_array_equal(np.sort(found.essential[dimension]), np.sort(other.essential[dimension]))


@settings(max_examples=20)
@given(seed=SEEDS, shift=st.floats(-100, 100), factor=st.floats(0.01, 100), p=st.sampled_from([1, 2, 3]))
def test_totals_do_not_see_a_constant_and_scale_by_their_power(seed, shift, factor, p):
    distances, values = cloud(15, seed), values_of(15, seed, tied=False)
    whole = persistence(distances, values, knn=3)
    moved = persistence(distances, values + shift, knn=3)
    scaled = persistence(distances, values * factor, knn=3)
    for part in ("all", "finite", "essential"):
        for dimension in (0, 1):
            total = whole.total(p, part, dimension)
            # A shift of 100 costs eps * 100 of each of some 50 differences.
            np.testing.assert_allclose(moved.total(p, part, dimension), total, rtol=1e-11, atol=1e-11)
            np.testing.assert_allclose(scaled.total(p, part, dimension), factor**p * total, rtol=1e-12, atol=1e-300)


def test_the_unit_of_distances_does_not_matter():
    distances, values = cloud(15, 0), values_of(15, 0, tied=False)
    assert persistence(distances * 1e-6, values, knn=3).total() == persistence(distances, values, knn=3).total()


@settings(max_examples=20)
@given(seed=SEEDS, p=st.sampled_from([1, 2]))
def test_parts_add_up(seed, p):
    found = persistence(cloud(15, seed), values_of(15, seed, tied=False), knn=2)
    for dimension in (0, 1):
        parts = found.total(p, "finite", dimension) + found.total(p, "essential", dimension)
        assert found.total(p, dimension=dimension) == parts
    assert found.total(p) == found.total(p, "all", 0)
    assert found.total() == found.total(2)


@settings(max_examples=20)
@given(seed=SEEDS)
def test_on_a_connected_graph_the_essential_part_is_the_range_alone(seed):
    found = persistence(cloud(12, seed), values_of(12, seed, tied=False), knn=11)
    assert found.total(part="essential") == found.loss_range_squared


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("seed", range(5))
def test_losses_that_are_not_finite_are_left_out_and_counted(bad, seed):
    distances, values = cloud(30, seed), values_of(30, seed, tied=False)
    values[[3, 8]] = bad
    kept = np.delete(np.arange(30), [3, 8])
    found, alone = persistence(distances, values, knn=3), persistence(distances[np.ix_(kept, kept)], values[kept], knn=3)
    assert (found.n_points, found.n_left_out) == (28, 2)
    assert (alone.n_points, alone.n_left_out) == (28, 0)
    assert finite_pairs(found) == finite_pairs(alone)
    for dimension in (0, 1):
        np.testing.assert_array_equal(np.sort(found.essential[dimension]), np.sort(alone.essential[dimension]))


def test_equal_losses_have_no_class_but_that_of_the_whole():
    found = persistence(path(5), np.full(5, 2.0), knn=1)
    assert finite_pairs(found) == []
    assert found.total() == 0
    np.testing.assert_array_equal(found.essential[0], [2])


def test_of_an_embedding_the_distances_of_the_potential_are_taken():
    embedding = phate(np.random.default_rng(0).normal(size=(40, 30)), n_components=1, t=1)  # no line holds these
    values = values_of(40, 1, tied=False)
    found, given_distances = persistence(embedding, values, knn=4), persistence(embedding.potential_distances, values, knn=4)
    assert finite_pairs(found) == finite_pairs(given_distances)
    assert found.knn == 4
    map_distances = np.linalg.norm(embedding.coordinates[:, np.newaxis] - embedding.coordinates[np.newaxis], axis=2)
    assert finite_pairs(found) != finite_pairs(persistence(map_distances, values, knn=4))


def test_twenty_neighbours_are_the_default():
    found = persistence(cloud(30, 0), values_of(30, 0, tied=False))
    assert found.knn == 20
    assert isinstance(found, Diagram)
    assert len(found.essential[1]) == len(neighbour_graph(cloud(30, 0), knn=20)) - 30 + 1


def test_more_neighbours_than_points_are_refused():
    with pytest.raises(InputError, match=r"knn=20 needs at least 21 points, but there are 20; pass another knn"):
        persistence(cloud(20, 0), np.zeros(20))


def test_points_without_a_finite_loss_do_not_count_as_neighbours():
    values = np.zeros(22)
    values[:2] = np.nan
    with pytest.raises(InputError, match=r"knn=20 needs at least 21 points, but there are 20"):
        persistence(cloud(22, 0), values)


def test_one_finite_loss_is_no_filtration():
    with pytest.raises(InputError, match=r"at least 2 finite values, but there are 1; record the loss"):
        persistence(path(3), np.array([1.0, np.nan, np.inf]), knn=1)


@pytest.mark.usefixtures("as_users_call")
@pytest.mark.parametrize("values", [np.zeros(4), np.zeros((3, 1)), np.float64(1)])
def test_another_number_of_losses_than_points_is_refused(values):
    with pytest.raises(InputError, match=r"there are 3 points but values have shape \(.*\); pass one value a point"):
        persistence(path(3), values, knn=1)


@pytest.mark.usefixtures("as_users_call")
def test_losses_can_be_whole_numbers_or_a_list():
    assert persistence(path(3), [0, 5, 1], knn=1).total(part="finite") == 16


def test_what_are_no_distances_is_refused():
    with pytest.raises(InputError, match=r"symmetric.*pass \(D \+ D\.T\) / 2"):
        persistence(np.triu(path(3)), np.zeros(3), knn=1)


@pytest.mark.usefixtures("as_users_call")
def test_a_part_that_there_is_not_is_refused():
    with pytest.raises(
        InputError, match=r"part must be 'all', 'finite', 'essential' or 'relative', but is 'whole'; choose one of these"
    ):
        persistence(path(3), np.zeros(3), knn=1).total(part="whole")


def test_a_dimension_that_a_graph_has_not_is_refused():
    with pytest.raises(InputError, match=r"dimension must be 0 or 1, but is 2; a graph has no other"):
        persistence(path(3), np.zeros(3), knn=1).total(dimension=2)
