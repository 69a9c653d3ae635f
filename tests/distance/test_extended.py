"""Distances of points that became more are those of all of them at once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossatlas.distance import extended, pairwise, picked, point_source, seen_from
from lossatlas.distance.source import ArraySource


def walk(n: int, p: int = 40, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, p)).cumsum(axis=0) + 5


@given(st.integers(2, 12), st.integers(1, 6), st.integers(0, 5))
def test_extended_distances_are_those_of_all_points_at_once(n: int, m: int, seed: int) -> None:
    points = walk(n + m, seed=seed)
    made = extended(pairwise(points[:n]), ArraySource(points[:n]), ArraySource(points[n:]))
    whole = pairwise(points)
    np.testing.assert_allclose(made.squared, whole.squared, rtol=1e-9, atol=0)
    np.testing.assert_allclose(made.norms, whole.norms, rtol=1e-12)
    np.testing.assert_allclose(made.cosine, whole.cosine, rtol=1e-7, atol=1e-15)


def test_a_copy_of_a_known_point_is_at_distance_zero() -> None:
    points = walk(6)
    made = extended(pairwise(points), point_source(points), point_source(points[:2].copy()))
    assert made.squared[6, 0] == made.squared[1, 7] == 0
    assert np.array_equal(made.squared, made.squared.T)


@pytest.mark.parametrize("origin", ["zero", "start", "centroid"])
def test_distances_tell_the_norms_about_another_origin(origin: str) -> None:
    points = walk(9)
    np.testing.assert_allclose(seen_from(pairwise(points), origin).cosine, pairwise(points, origin=origin).cosine, atol=1e-12)


def test_picked_points_come_in_the_order_that_is_asked_for() -> None:
    points, order = walk(6), np.array([4, 0, 5])
    np.testing.assert_allclose(picked(pairwise(points), order).squared, pairwise(points[order]).squared, rtol=1e-9)
    np.testing.assert_allclose(picked(pairwise(points), order).norms, pairwise(points[order]).norms)


def test_distances_about_another_origin_or_of_other_points_are_refused(refuses) -> None:
    points = walk(5)
    with refuses("extended about 'zero', but these are about 'start'"):
        extended(pairwise(points, origin="start"), point_source(points), point_source(points))
    with refuses("are of 5 points, but 4 points came"):
        extended(pairwise(points), point_source(points[:4]), point_source(points))
