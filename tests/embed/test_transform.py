"""New points on a standing map."""

import math

import numpy as np
import pytest

from lossatlas import phate
from lossatlas.distance import pairwise
from lossatlas.embed.transform import affinities_to


def walk(n=40, p=30, *, seed=0, offset=3.0):
    """Points along a random walk, away from the origin."""
    return np.random.default_rng(seed).normal(size=(n, p)).cumsum(axis=0) + offset


def between(new, old, metric="euclidean"):
    """Distances from new points to old ones, pair by pair."""

    def one(a, b):
        if metric == "euclidean":
            return math.sqrt(sum((a - b) ** 2))
        return 0.0 if (a == b).all() else 1 - a @ b / math.sqrt((a @ a) * (b @ b))

    return np.array([[one(a, b) for b in old] for a in new])


def placed_naive(distances, coordinates, *, knn, decay, knn_max=None, scale=1.0):
    """``y = sum A_j x_j / sum A_j``, ``A_j = exp(-(d_j / eps)^decay)`` with the point's own ``knn``-th neighbour's distance."""
    places = []
    for row in np.asarray(distances).tolist():
        width = sorted(row)[knn - 1] * scale
        above, below = np.zeros(coordinates.shape[1]), 0.0
        for rank, j in enumerate(sorted(range(len(row)), key=row.__getitem__)):
            if decay is None:
                share = 1.0 if row[j] <= width else 0.0
            else:
                share = math.exp(-((row[j] / width) ** decay))
                share = share if share >= 1e-4 else 0.0
            if knn_max is None or rank < knn_max:
                above, below = above + share * coordinates[j], below + share
        places.append(above / below)
    return np.array(places)


@pytest.mark.parametrize(
    "choices",
    [
        {},
        {"metric": "euclidean"},
        {"metric": "euclidean", "decay": None},
        {"metric": "euclidean", "n_landmark": 25},
        {"metric": "euclidean", "knn_max": 6},
        {"preset": "paper"},
    ],
    ids=str,
)
def test_points_of_the_map_keep_their_places(choices):
    # With copies, which the paper alone draws apart.
    points = walk() if "preset" in choices else np.concatenate([walk(), walk()[[5, 9]]])
    made = phate(points, **choices)
    found = made.transform(between(points, points, choices.get("metric", "cosine")))
    np.testing.assert_allclose(found, made.coordinates, rtol=0, atol=1e-13 * np.abs(made.coordinates).max())


def test_a_point_half_way_between_two_lies_half_way():
    line = np.outer(np.arange(30.0), [3.0, 4.0])
    made = phate(line, metric="euclidean", knn=2)
    found = made.transform(between(np.array([[10.5 * 3, 10.5 * 4]]), line))
    np.testing.assert_allclose(found[0], made.coordinates[[10, 11]].mean(axis=0), rtol=1e-12)


def test_a_point_between_two_lies_nearer_to_the_nearer():
    line = np.outer(np.arange(30.0), [3.0, 4.0])
    made = phate(line, metric="euclidean", knn=2, decay=2.0)
    places = [10.1, 10.3, 10.5, 10.7, 10.9]
    found = made.transform(between(np.outer(places, [3.0, 4.0]), line))
    along = (found - made.coordinates[10]) @ (made.coordinates[11] - made.coordinates[10])
    assert (np.diff(along) > 0).all()
    assert along[0] > 0
    assert along[-1] < ((made.coordinates[11] - made.coordinates[10]) ** 2).sum()


@pytest.mark.parametrize(
    "kernel",
    [
        {"knn": 5, "decay": 40.0},
        {"knn": 3, "decay": 2.0},
        {"knn": 4, "decay": None},
        {"knn": 3, "decay": 1.0, "knn_max": 4},
        {"knn": 4, "decay": None, "knn_max": 4},
        {"knn": 3, "decay": 5.0, "bandwidth_scale": 1.7},
    ],
    ids=str,
)
def test_places_of_new_points_equal_the_formula_in_loops(kernel):
    points, new = walk(), walk(40, seed=3)[::4] * 0.5 + walk()[::4] * 0.5
    D = between(new, points)
    naive = {"scale" if name == "bandwidth_scale" else name: value for name, value in kernel.items()}
    for choices in ({}, {"n_landmark": 25}):
        made = phate(points, metric="euclidean", **kernel, **choices)
        found = made.transform(D)
        np.testing.assert_allclose(found, placed_naive(D, made.coordinates, **naive), rtol=1e-10, atol=1e-10)


def test_of_precomputed_distances_the_new_ones_are_given():
    points, new = walk(), walk(seed=0)[::5] + 0.1
    D = between(new, points)
    by_points = phate(points, metric="euclidean").transform(D)
    made = phate(pairwise(points).euclidean, metric="precomputed")
    np.testing.assert_array_equal(made.transform(D), by_points)


def test_of_precomputed_affinities_the_place_is_their_mean():
    K = np.exp(-(between(walk(), walk()) ** 2) / 200)
    made = phate(K, metric="precomputed_affinity", t=5)
    new = np.zeros((3, 40))
    new[0, 7] = 1e-3
    new[1, [7, 8]] = 2.0, 6.0
    new[2] = 1
    x = made.coordinates
    np.testing.assert_allclose(made.transform(new), [x[7], (x[7] + 3 * x[8]) / 4, x.mean(axis=0)], rtol=1e-12, atol=1e-12)


def test_copies_on_the_map_are_one_neighbour():
    line = np.outer(np.arange(30.0), [3.0, 4.0])
    many = np.concatenate([line, line[[10, 10, 10]]])
    made = phate(many, metric="euclidean", knn=2)
    new = np.array([[10.4 * 3, 10.4 * 4]])
    # As on the map without copies: the second neighbour is the other end, not a copy of the first.
    expected = placed_naive(between(new, line), made.coordinates[:30], knn=2, decay=40.0)
    np.testing.assert_allclose(made.transform(between(new, many)), expected, rtol=1e-12)


def test_a_new_point_on_copies_of_one_ray_takes_their_place():
    points = walk()
    made = phate(np.concatenate([points, 2 * points[:1]]))
    found = made.transform(between(points[:1], np.concatenate([points, points[:1]]), "cosine"))
    # Two points of one ray are two points of the map, and descent ends with both in one place but for its last digits.
    np.testing.assert_allclose(found[0], (made.coordinates[0] + made.coordinates[-1]) / 2, rtol=1e-12)


def test_a_new_point_out_of_its_own_reach_goes_to_the_nearest():
    """A bandwidth scaled down may reach nobody."""
    D = np.array([[3.0, 1.0, 2.0]])
    np.testing.assert_array_equal(affinities_to(D, knn=3, decay=40.0, bandwidth_scale=0.1), [[0, 1, 0]])
    np.testing.assert_array_equal(affinities_to(D, knn=3, decay=None, bandwidth_scale=0.1), [[0, 1, 0]])


def test_of_equally_near_points_the_first_is_kept():
    np.testing.assert_array_equal(
        affinities_to(np.array([[1.0, 1.0, 1.0, 2.0]]), knn=2, decay=None, knn_max=2), [[0.5, 0.5, 0, 0]]
    )


def test_shares_are_those_of_a_mean():
    shares = affinities_to(between(walk(seed=3), walk()), knn=4, decay=3.0)
    assert (shares >= 0).all()
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-12)


def test_no_new_points_have_no_places():
    assert phate(walk()).transform(np.zeros((0, 40))).shape == (0, 2)


@pytest.mark.parametrize(
    ("distances", "message"),
    [
        (np.zeros((3, 39)), r"distances of new points must have a column for each of the map's 40 points.* shape is \(3, 39\)"),
        (np.zeros(40), r"a column for each of the map's 40 points, but their shape is \(40,\)"),
        (
            np.full((1, 40), np.nan),
            "distances of new points must be finite and not negative, but some are not; leave those points",
        ),
        (np.full((1, 40), np.inf), "must be finite and not negative"),
        (np.full((1, 40), -1.0), "must be finite and not negative"),
        (np.full((1, 40), "far"), "must be finite and not negative"),
    ],
)
def test_what_are_no_distances_to_the_map_is_refused(as_users_call, refuses, distances, message):
    with refuses(message):
        phate(walk()).transform(distances)


@pytest.mark.parametrize(
    ("affinities", "message"),
    [
        (np.ones((2, 39)), "affinities of new points must have a column for each of the map's 40 points"),
        (-np.ones((2, 40)), "affinities of new points must be finite and not negative"),
        (np.eye(2, 40)[::-1] * [[0], [1]], "a new point has no affinity to any point of the map, so no place; leave it out"),
    ],
)
def test_what_are_no_affinities_to_the_map_is_refused(refuses, affinities, message):
    made = phate(np.exp(-(between(walk(), walk()) ** 2) / 200), metric="precomputed_affinity", t=5)
    with refuses(message):
        made.transform(affinities)


@pytest.mark.parametrize("knn", [0, 4])
def test_more_neighbours_than_the_map_has_points_are_refused(refuses, knn):
    with refuses(f"knn={knn} needs as many points on the map, but there are 3; pass another knn"):
        affinities_to(np.ones((1, 3)), knn=knn, decay=40.0)
