"""Distances between diagrams, against every matching there is, and as distances must be."""

import itertools

import gudhi.hera
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from naive_homology import diagram_distance_naive
from test_persistence import SEEDS, circle, cloud, path, two_rows, values_of

from lossatlas import persistence
from lossatlas.measure import Diagram, diagram_distance

POWERS = st.sampled_from([1, 1.5, 2, 3])


def planar(pairs, *, dimension=0, essential=(0.0,)):
    """A diagram of these finite classes."""
    empty = {0: np.zeros((0, 2)), 1: np.zeros((0, 2))}
    return Diagram(
        finite=empty | {dimension: np.array(pairs, dtype=float).reshape(-1, 2)},
        essential={0: np.array(essential, dtype=float), 1: np.zeros(0)},
        values=np.array([0.0, 10.0]),
        n_left_out=0,
        knn=1,
    )


def some(seed, n):
    rng = np.random.default_rng(seed)
    births = rng.integers(0, 5, size=n) if seed % 2 else rng.uniform(0, 5, size=n)
    return np.stack([births, births + rng.uniform(0.1, 3, size=n)], axis=1)


@settings(max_examples=40)
@given(seed=SEEDS, m=st.integers(0, 4), k=st.integers(0, 4), p=POWERS)
@example(seed=12, m=3, k=4, p=2)  # where gudhi.bottleneck_distance says 1.422, and a matching of 1.226 is there
def test_it_is_the_best_of_all_matchings(seed, m, k, p):
    these, those = some(seed, m), some(seed + 1, k)
    a, b = planar(these), planar(those)
    found = diagram_distance(a, b, kind="wasserstein", p=p)
    assert found == pytest.approx(diagram_distance_naive(these.tolist(), those.tolist(), p=p), rel=1e-12)
    assert diagram_distance(a, b) == pytest.approx(diagram_distance_naive(these.tolist(), those.tolist(), p=np.inf), rel=1e-12)


@given(seed=SEEDS, m=st.integers(1, 40), k=st.integers(1, 40), p=st.sampled_from([1.0, 2.0]))
def test_it_is_that_of_hera(seed, m, k, p):
    these, those = some(seed, m), some(seed + 1, k)
    found = diagram_distance(planar(these), planar(those), kind="wasserstein", p=p)
    hera = gudhi.hera.wasserstein_distance(these, those, order=p, internal_p=np.inf, delta=1e-4)
    assert found == pytest.approx(hera, rel=1e-4)  # delta is its relative error


def test_by_hand():
    # (0, 4) goes to (0, 5), and (2, 3) to the diagonal.
    a, b = planar([[0, 4], [2, 3]]), planar([[0, 5]])
    assert diagram_distance(a, b) == pytest.approx(1)
    assert diagram_distance(a, b, kind="wasserstein", p=1) == pytest.approx(1.5)
    assert diagram_distance(a, b, kind="wasserstein", p=2) == pytest.approx(np.sqrt(1.25))
    # Far from each other both go to the diagonal.
    far = diagram_distance(planar([[0, 1]]), planar([[7, 9]]), kind="wasserstein", p=1)
    assert far == pytest.approx(1.5)


def test_what_never_ends_is_matched_in_the_order_of_births():
    a, b = planar([], essential=[0, 5]), planar([], essential=[6, 2])
    assert diagram_distance(a, b) == 2
    assert diagram_distance(a, b, kind="wasserstein", p=1) == 3
    assert diagram_distance(a, b, part="finite") == 0
    both = planar([[0, 6]], essential=[0]), planar([], essential=[2])
    assert diagram_distance(*both) == 3
    assert diagram_distance(*both, kind="wasserstein", p=2) == pytest.approx(np.sqrt(3**2 + 2**2))
    assert diagram_distance(*both, part="essential") == 2


def test_other_numbers_of_what_never_ends_are_infinitely_far_unless_it_ends():
    values = np.array([0.0, 2.0, 1.0, 10.0, 3.0, 4.0])
    for dimension, (first, second), knn in ((0, (two_rows(3), path(6)), 1), (1, (circle(6), path(6)), 2)):
        a, b = (
            persistence(distances, values, knn=knn if i == 0 or dimension == 0 else 1)
            for i, distances in enumerate((first, second))
        )
        for kind in ("bottleneck", "wasserstein"):
            assert diagram_distance(a, b, kind=kind, dimension=dimension) == np.inf
            assert diagram_distance(a, b, kind=kind, dimension=dimension, part="finite") < np.inf
    a, b = (persistence(distances, values, knn=knn, extended=True) for distances, knn in ((circle(6), 2), (path(6), 1)))
    assert diagram_distance(a, b, dimension=1) == pytest.approx(5)  # the loop of 10 over 0, to the diagonal


def networks(seed):
    distances = cloud(14, seed)
    return [persistence(distances, values_of(14, seed + i, tied=False), knn=3, extended=True) for i in range(3)]


@settings(max_examples=25)
@given(
    seed=st.integers(0, 2**31),
    p=POWERS,
    dimension=st.sampled_from([0, 1]),
    kind=st.sampled_from(["bottleneck", "wasserstein"]),
    part=st.sampled_from(["all", "finite", "essential", "relative"]),
)
def test_it_is_a_distance(seed, p, dimension, kind, part):
    found = networks(seed)

    def between(i, j):
        return diagram_distance(found[i], found[j], kind=kind, p=p, dimension=dimension, part=part)

    assert all(between(i, i) == pytest.approx(0, abs=1e-12) for i in range(3))
    assert all(between(i, j) == pytest.approx(between(j, i), rel=1e-12) for i, j in itertools.combinations(range(3), 2))
    assert between(0, 2) <= between(0, 1) + between(1, 2) + 1e-9


@settings(max_examples=25)
@given(seed=st.integers(0, 2**31), change=st.floats(1e-3, 3), kind=st.sampled_from(["graph", "clique"]))
def test_the_bottleneck_moves_no_more_than_the_loss(seed, change, kind):
    distances, values = cloud(14, seed), values_of(14, seed, tied=False)
    moved = values + np.random.default_rng(seed).uniform(-change, change, size=14)
    for extended in (True, False):
        a, b = (persistence(distances, one, knn=3, complex=kind, extended=extended) for one in (values, moved))
        for dimension, part in itertools.product((0, 1), ("all", "relative") if extended else ("all",)):
            assert diagram_distance(a, b, dimension=dimension, part=part) <= np.abs(moved - values).max() + 1e-12


@given(seed=SEEDS, m=st.integers(1, 12), k=st.integers(1, 12))
def test_wassersteins_comes_down_to_the_bottleneck(seed, m, k):
    a, b = planar(some(seed, m)), planar(some(seed + 1, k))
    row = [diagram_distance(a, b, kind="wasserstein", p=p) for p in (1, 2, 4, 64)]
    assert row == sorted(row, reverse=True)
    assert diagram_distance(a, b) * (1 - 1e-9) <= row[-1] <= diagram_distance(a, b) * (m + k) ** (1 / 64) * (1 + 1e-9)


@given(seed=SEEDS, factor=st.sampled_from([1e-200, 1e-3, 1e3, 1e200]), p=POWERS)
def test_it_has_the_unit_of_the_loss(seed, factor, p):
    these, those = some(seed, 7), some(seed + 1, 5)
    for kind in ("bottleneck", "wasserstein"):
        found = diagram_distance(planar(these), planar(those), kind=kind, p=p)
        moved = diagram_distance(planar(these * factor), planar(those * factor), kind=kind, p=p)
        assert moved == pytest.approx(factor * found, rel=1e-9)


def test_diagrams_of_nothing_are_the_same():
    for kind in ("bottleneck", "wasserstein"):
        assert diagram_distance(planar([]), planar([]), kind=kind) == 0
        assert diagram_distance(planar([]), planar([]), kind=kind, dimension=1) == 0


@pytest.mark.usefixtures("as_users_call")
def test_what_does_not_fit_is_refused(refuses):
    a, ranks = (persistence(path(4), np.arange(4.0), knn=1, scale=scale) for scale in ("raw", "rank"))
    with refuses("the diagrams are on the scales 'raw' and 'rank'; put both on one"):
        diagram_distance(a, ranks)
    with refuses("one diagram is of extended persistence, the other is not; pass two of a kind"):
        diagram_distance(a, persistence(path(4), np.arange(4.0), knn=1, extended=True))
    with refuses("kind must be one of bottleneck, wasserstein, but is 'hausdorff'"):
        diagram_distance(a, a, kind="hausdorff")
    with refuses("part must be one of all, finite, essential, relative, but is 'whole'"):
        diagram_distance(a, a, part="whole")
    with refuses("relative classes are of extended persistence"):
        diagram_distance(a, a, part="relative")
    with refuses("dimension must be 0 or 1, but is 2"):
        diagram_distance(a, a, dimension=2)
    for p in (0.5, np.inf, np.nan):
        with refuses("p must be from 1 on, but is .*; kind='bottleneck' is the limit"):
            diagram_distance(a, a, p=p)
