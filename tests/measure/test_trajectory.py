"""Distances from a point, and how far a retraining returns."""

import numpy as np
import pytest

from lossatlas import InputError
from lossatlas.distance import pairwise
from lossatlas.measure import distances_from, return_ratio


def test_distances_are_those_from_the_point_that_is_named():
    points = np.array([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]])
    # From a Gram matrix about the centroid: some eps of the squares, 25 and less.
    np.testing.assert_allclose(distances_from(0, pairwise(points)), [0, 5, 1], rtol=1e-14)
    np.testing.assert_allclose(distances_from(1, pairwise(points)), [5, 0, np.sqrt(18)], rtol=1e-14)


def test_distances_are_euclidean_whatever_the_origin_of_the_cosine():
    points = np.random.default_rng(0).normal(size=(6, 40))
    expected = np.linalg.norm(points - points[4], axis=1)
    for origin in ("zero", "centroid", "start"):
        # From a Gram matrix about the centroid: some eps of the squares.
        np.testing.assert_allclose(distances_from(4, pairwise(points, origin=origin)), expected, rtol=1e-13)


@pytest.mark.parametrize("point", [2, -1])
def test_a_point_that_there_is_not_is_refused(point):
    with pytest.raises(InputError, match=rf"there are 2 points, but point {point} was asked for; name one of them"):
        distances_from(point, pairwise(np.eye(2)))


@pytest.mark.parametrize(
    ("distances", "ratio"), [([2.0, 1.5, 0.5], 0.25), ([2.0, 9.0, 2.0], 1.0), ([2.0, 3.0], 1.5), ([2.0, 0.0], 0.0), ([3.0], 1.0)]
)
def test_the_return_is_the_last_distance_over_the_first(distances, ratio):
    assert return_ratio(np.array(distances)) == ratio


def test_a_retraining_without_a_jump_has_no_return():
    with pytest.raises(InputError, match=r"begins at the optimum has no return ratio; give it a jump"):
        return_ratio(np.array([0.0, 1.0]))
