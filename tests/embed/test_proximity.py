"""Neighbours found a tile at a time are those of the whole matrix."""

import numpy as np
import pytest

from lossatlas import InputError, phate
from lossatlas.distance import pairwise
from lossatlas.embed.given import given
from lossatlas.embed.proximity import DistanceMatrix, PointCloud

POINTS = np.random.default_rng(0).normal(size=(90, 15)).cumsum(axis=0) + 5


def both(points, *, metric="cosine", origin="zero", **choices):
    """Return the map of points as a cloud, and that of the matrix of their distances."""
    choices = {"n_landmark": 30, "t": 4, "scaling": "classical", **choices}
    cloud = phate(points, metric=metric, origin=origin, **choices)
    matrix = phate(pairwise(points, origin=origin), metric=metric, origin=origin, **choices)
    near = [
        given(form, cloud.settings, metric=metric, origin=origin, trajectories=None).near
        for form in (points, pairwise(points, origin=origin))
    ]
    assert [type(one) for one in near] == [PointCloud, DistanceMatrix]
    return cloud, matrix


def same_graph(cloud, matrix):
    np.testing.assert_array_equal(cloud.distinct, matrix.distinct)
    np.testing.assert_allclose(cloud.affinities.toarray(), matrix.affinities.toarray(), rtol=0, atol=1e-9)
    assert cloud.connected_components == matrix.connected_components
    np.testing.assert_allclose(cloud.potential, matrix.potential, rtol=1e-6)
    assert cloud.settings.origin == matrix.settings.origin


@pytest.mark.parametrize(
    ("metric", "origin"),
    [
        ("euclidean", "zero"),
        ("cosine", "zero"),
        ("cosine", "centroid"),
        ("cosine", "start"),
        ("cosine", POINTS[40] + 1.0),
    ],
)
def test_a_cloud_gives_the_graph_of_the_matrix(metric, origin):
    same_graph(*both(POINTS, metric=metric, origin=origin))


@pytest.mark.parametrize(
    "choices",
    [
        {"knn": 3, "decay": 10.0},
        {"decay": None},
        {"bandwidth_scale": 1.5},
        {"knn_max": 6, "decay": 10.0},
        {"symmetrization": "mnn", "theta": 0.6},
        {"symmetrization": "*", "anisotropy": 0.5},
    ],
    ids=str,
)
def test_options_of_the_kernel_reach_the_cloud(choices):
    cloud, matrix = both(POINTS, metric="euclidean", **choices)
    same_graph(cloud, matrix)
    assert np.abs(cloud.affinities.toarray() - phate(POINTS, metric="euclidean", t=4).affinities.toarray()).max() > 1e-3


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("origin", ["zero", "centroid", "start"])
def test_copies_are_merged_in_both(metric, origin):
    # The copies weigh in the centroid: it is that of all points, in both.
    points = np.concatenate([POINTS, POINTS[[0, 0, 7, 7, 7, 7, 7, 7]]])  # seven of one: more than knn
    cloud, matrix = both(points, metric=metric, origin=origin)
    assert cloud.n_duplicates == 8
    same_graph(cloud, matrix)


def test_a_cloud_in_pieces_is_bridged_as_the_matrix_is():
    rng = np.random.default_rng(1)
    points = np.repeat(rng.normal(size=(5, 10)) * 100, 16, axis=0) + rng.normal(size=(80, 10)) + 3
    for metric in ("euclidean", "cosine"):
        cloud, matrix = both(points, metric=metric)
        assert cloud.connected_components == 5
        assert cloud.graph.unconnected == 1
        same_graph(cloud, matrix)


def test_a_cloud_remembers_as_the_matrix_does():
    labels = np.repeat([0, 1], 45)
    for metric in ("euclidean", "cosine"):
        same_graph(*both(POINTS, metric=metric, time="autocorrelation", trajectories=labels))


@pytest.mark.parametrize(
    "choices",
    [{"n_landmark": None}, {"n_landmark": 90}, {"n_landmark": 30, "bandwidth": 9.0}, {"n_landmark": 30, "n_pca": 8}],
    ids=str,
)
def test_a_matrix_is_made_where_a_cloud_will_not_do(choices):
    chosen = phate(POINTS, metric="euclidean", t=4, scaling="classical", **choices).settings
    near = given(POINTS, chosen, metric="euclidean", origin="zero", trajectories=None).near
    assert isinstance(near, DistanceMatrix)


def test_clouds_are_refused_what_matrices_are(refuses):
    with refuses(r"all 50 points coincide, so there is nothing to map; record points that differ"):
        phate(np.tile(POINTS[:1], (50, 1)), metric="euclidean", n_landmark=20)
    with refuses(r"knn=5 needs at least 6 points, but there are 4; record more"):
        phate(np.tile(POINTS[:4], (10, 1)), metric="euclidean", n_landmark=20)
    with pytest.raises(InputError, match=r"point 12 has 1 value that is NaN or infinite; leave that point out"):
        phate(np.where(np.arange(90 * 15).reshape(90, 15) == 12 * 15, np.nan, POINTS), n_landmark=20)


def far_pieces(metric, *, count=3, size=40, p=30):
    rng = np.random.default_rng(3)
    middles = rng.normal(size=(count, p)) * 30
    points = np.repeat(middles, size, axis=0) + rng.normal(size=(count * size, p))
    return points + (5 if metric == "cosine" else 0)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_a_cloud_in_pieces_is_bridged_between_points_that_are_nearest_to_each_other(metric):
    points = far_pieces(metric)
    found = phate(points, metric=metric, n_landmark=60)
    assert (found.connected_components, found.graph.unconnected) == (3, 1)
    D = pairwise(points).cosine if metric == "cosine" else pairwise(points).euclidean
    bare = phate(points, metric=metric, n_landmark=None).graph.affinities
    piece = np.repeat(np.arange(3), 40)
    crossing = np.argwhere(np.triu(found.affinities.toarray() * (piece[:, np.newaxis] != piece)) > 0)
    assert len(crossing) == 2  # a tree over three pieces
    assert bare.shape == found.affinities.shape
    for i, j in crossing:
        # Neither has a nearer one in the other's piece.
        assert D[i, j] == D[i, piece == piece[j]].min() == D[j, piece == piece[i]].min()
        np.testing.assert_allclose(found.affinities[i, j], np.exp(-1))


def test_a_cloud_that_holds_nan_is_refused_by_the_point():
    points = np.random.default_rng(0).normal(size=(90, 12)) + 3
    points[70, 2] = np.nan
    with pytest.raises(InputError, match=r"point 70 has 1 value that is NaN or infinite; leave that point out"):
        phate(points, n_landmark=50)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("choices", [{}, {"knn_max": 7, "decay": 3.0}, {"decay": 3.0, "bandwidth_scale": 0.7}], ids=str)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_cloud_without_some_points_knows_of_the_others_what_a_new_one_finds(metric, choices, seed, monkeypatch):
    rng = np.random.default_rng(seed)
    points = POINTS.copy()
    points[rng.permutation(90)[:12]] = points[3]  # copies
    settings = {"knn": 4, "decay": 10.0, "knn_max": None, "bandwidth_scale": 1.0, **choices}
    cloud = PointCloud(points, metric, "zero", **settings)
    kept = np.sort(rng.permutation(90)[:70])
    cloud.groups()  # the neighbours of all are known from here on
    found = cloud.kept(kept)
    new = PointCloud(points[kept], metric, "zero", **settings)
    with monkeypatch.context() as patch:
        patch.setattr(PointCloud, "_looked_for", None)  # nothing is looked for any more
        ours = found._neighbours
    theirs = new._neighbours
    np.testing.assert_array_equal(ours.bandwidths, theirs.bandwidths)
    for name in ("indptr", "indices", "data"):
        np.testing.assert_array_equal(getattr(ours.distances, name), getattr(theirs.distances, name))


def test_only_rows_that_lost_a_neighbour_are_looked_at_again(monkeypatch):
    cloud = PointCloud(POINTS, "euclidean", "zero", 4, 10.0, None, 1.0)
    cloud.groups()
    asked = []
    looked_for = PointCloud._looked_for
    monkeypatch.setattr(PointCloud, "_looked_for", lambda self, rows=None: asked.append(rows) or looked_for(self, rows))
    cloud.kept(np.arange(88))  # a walk: its last two points are near its end alone
    assert 0 < len(asked[0]) < 20
    cloud.kept(np.arange(20)).groups()  # few are left: these are looked for anew
    assert asked[1] is None
