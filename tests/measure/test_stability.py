"""Stability: a map that comes out again, one that never does, and displacements that are known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossatlas.distance import pairwise
from lossatlas.embed import Embedding, layout, pca
from lossatlas.measure import displaced, part_of, stability

SEEDS = st.integers(0, 2**32 - 1)


def map_of(coordinates):
    return Embedding(method="test", coordinates=coordinates, stress=0.0, settings=None)


def turned(coordinates, seed):
    rng = np.random.default_rng(seed)
    turn, _ = np.linalg.qr(rng.normal(size=(2, 2)))
    return rng.uniform(0.1, 10) * coordinates @ turn + rng.normal(size=2)


@given(seed=SEEDS)
def test_a_map_that_is_turned_moved_and_scaled_is_the_same_map(seed):
    places = np.random.default_rng(seed).normal(size=(12, 2))
    found = displaced(places, [(np.arange(12), turned(places, seed)), (np.arange(3, 12), turned(places[3:], seed + 1))])
    assert found.share == pytest.approx(0, abs=1e-6)
    assert np.nanmax(np.abs(found.spread)) < 1e-12
    assert found.n_drawn == 2


def test_a_map_that_has_nothing_to_do_with_it_moves_by_the_root_of_two():
    rng = np.random.default_rng(0)
    places = rng.normal(size=(4000, 2))
    found = displaced(places, [(np.arange(4000), rng.normal(size=(4000, 2))) for _ in range(5)])
    # Turning wins about 1 / sqrt(4000) of correlation.
    assert found.share == pytest.approx(2**0.5, abs=0.03)


def test_the_spread_of_a_point_is_the_mean_square_of_where_it_went():
    rng = np.random.default_rng(1)
    places = 100 * rng.normal(size=(3000, 2))
    moved = [places.copy() for _ in range(4)]
    for drawing, by in zip(moved, ([3.0, 0], [-3.0, 0], [0, 1.0], [0, -1.0]), strict=True):
        drawing[7] += by
    found = displaced(places, [(np.arange(3000), one) for one in moved])
    # Laying all upon all moves each by a three-thousandth.
    np.testing.assert_allclose(found.spread[7], [[(9 + 9) / 4, 0], [0, (1 + 1) / 4]], atol=0.03)
    assert np.trace(found.spread, axis1=1, axis2=2).argmax() == 7


def test_points_are_left_out_by_the_seed_and_the_rest_is_drawn_by_it():
    between = pairwise(np.random.default_rng(2).normal(size=(20, 2)))
    asked = []

    def draw(points, seed):
        asked.append((len(points.squared), seed))
        return pca(points, metric="euclidean")

    found = stability(draw, between, draw(between, 0), seeds=(3, 5), shares=(0.0, 0.25))
    assert asked[1:] == [(20, 3), (20, 5), (15, 3), (15, 5)]
    assert found.n_drawn == 4
    # Distances of points in a plane come back exactly, whoever is there.
    assert found.share < 1e-6
    never = stability(draw, between, draw(between, 0), seeds=(3,), shares=(0.25,))
    assert np.isnan(never.spread).all(axis=(1, 2)).sum() == 5


def test_a_method_that_draws_at_random_is_not_stable():
    between = pairwise(np.random.default_rng(3).normal(size=(60, 5)))

    def draw(points, seed):
        return map_of(np.random.default_rng(seed).normal(size=(len(points.squared), 2)))

    assert stability(draw, between, draw(between, 0)).share > 1.1
    assert stability(lambda points, seed: layout("pca", points, metric="euclidean"), between, pca(between)).share < 0.6


def test_part_of_the_points_have_the_distances_that_they_had():
    points = np.random.default_rng(4).normal(size=(9, 4)) + 2
    rows = np.array([1, 4, 7])
    for origin in ("zero", "centroid", "start"):
        between = pairwise(points, origin=origin)
        np.testing.assert_array_equal(part_of(between, rows).cosine, between.cosine[np.ix_(rows, rows)])


@pytest.mark.usefixtures("as_users_call")
def test_what_cannot_be_drawn_again_is_refused(refuses):
    between = pairwise(np.random.default_rng(5).normal(size=(6, 3)))
    made = pca(between)
    with refuses(r"shares left out must be from 0 to below 1, but one is 1\.0; pass as 0\.1"):
        stability(lambda points, _: pca(points), between, made, shares=(1.0,))
    with refuses(r"of 6 points 3 are left, and a map needs 4; leave out fewer"):
        stability(lambda points, _: pca(points), between, made, shares=(0.5,))
    with refuses(r"there are none; pass seeds and shares"):
        stability(lambda points, _: pca(points), between, made, seeds=())
