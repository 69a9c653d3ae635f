"""A map beside others of the same distances: each upon it, each scored on the same metric, nulls beside."""

import functools
import sys
import warnings

import numpy as np
import pytest

from lossatlas import faithfulness, pca, phate
from lossatlas.distance import pairwise
from lossatlas.embed import classical_scaling, stress
from lossatlas.measure import comparison, random_walks, shuffled

RUNS = [(0, 30), (30, 60)]


def points(n=60, seed=0):
    return np.random.default_rng(seed).normal(size=(n, 150)).cumsum(axis=0) + 10


def compared(between, *, metric="cosine", methods=("pca",), runs=RUNS, nulls=True, **settings):
    embedded = functools.partial(phate, metric=metric, n_landmark=None, **settings)
    embedding = embedded(between)
    found = comparison(embedding, between, metric=metric, runs=runs, methods=methods, redrawn=embedded if nulls else None)
    return embedding, found


def same(found, expected):
    assert found.summary() == pytest.approx(expected.summary())


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_all_layouts_are_scored_on_the_metric_itself(metric):
    between = pairwise(points())
    embedding, found = compared(between, metric=metric, methods=("pca", "isomap"))
    D = getattr(between, metric)
    for name, where in {"phate": embedding, **found.layouts}.items():
        same(found.faithfulness[name], faithfulness(D, where, RUNS, knn=20))
    assert list(found.faithfulness) == ["phate", "pca", "isomap"]
    assert compared(between, methods=("tsne",), nulls=False, seed=3)[1].layouts["tsne"].settings.seed == 3
    plain = pca(points(), metric=metric)
    np.testing.assert_allclose(found.layouts["pca"].coordinates, plain.align_to(embedding).coordinates, atol=1e-6)


def test_nulls_are_walks_by_the_same_settings_and_the_maps_own_places():
    between = pairwise(points())
    embedding, found = compared(between, knn=4, gamma=0.0, seed=3)
    walks = random_walks(between, RUNS)
    walk = phate(walks, knn=4, gamma=0.0, n_landmark=None)
    same(found.nulls["random walk"].faithfulness, faithfulness(walks.cosine, walk, RUNS, knn=20))
    assert found.nulls["random walk"].stress == walk.stress
    places = shuffled(embedding.coordinates, seed=3)
    same(found.nulls["shuffled"].faithfulness, faithfulness(between.cosine, places, RUNS, knn=20))
    assert found.nulls["shuffled"].stress == stress(embedding.potential_distances, places)
    # By chance 20 of the 59 others are near.
    assert found.nulls["shuffled"].faithfulness.neighbours_kept == pytest.approx(20 / 59, abs=0.05)
    assert compared(between, nulls=False)[1].nulls == {}


def test_points_without_steps_have_no_walk():
    between = pairwise(points())
    for runs in ([], [(3, 4)]):
        assert list(compared(between, runs=runs)[1].nulls) == ["shuffled"]


def test_in_space_the_first_two_axes_lie_upon_the_plane():
    between = pairwise(points())
    embedding, found = compared(between, nulls=False)
    for name, plane in {"phate": embedding.coordinates, "pca": found.layouts["pca"].coordinates}.items():
        space = found.coordinates_3d[name]
        assert space.shape == (60, 3)
        # No turn brings them nearer: the orthogonal Procrustes problem is solved where X^T Y is symmetric.
        cross = (space - space.mean(axis=0)).T @ np.pad(plane - plane.mean(axis=0), ((0, 0), (0, 1)))
        np.testing.assert_allclose(cross, cross.T, atol=1e-8 * np.abs(cross).max())
        assert np.linalg.eigvalsh(cross).min() > -1e-8 * np.abs(cross).max()
        assert np.ptp(space[:, 2]) > 0
    np.testing.assert_allclose(found.coordinates_3d["pca"][:, :2], found.layouts["pca"].coordinates, atol=1e-8)
    assert stress(embedding.potential_distances, found.coordinates_3d["phate"]) < embedding.stress


def test_the_stages_before_the_drawing_are_not_done_again(monkeypatch):
    between = pairwise(points())
    embedding = phate(between, n_landmark=None)
    for stage in ("graph", "walk_length", "walked"):
        monkeypatch.setattr(sys.modules["lossatlas.embed.phate"], stage, None)
    found = comparison(embedding, between, metric="cosine", runs=RUNS, methods=(), redrawn=None)
    assert found.coordinates_3d["phate"].shape == (60, 3)
    assert list(found.coordinates_3d) == ["phate"]


@pytest.mark.parametrize("axes", [1, 3, 4])
def test_a_map_of_other_axes_has_its_first_ones_compared(axes):
    embedding, found = compared(pairwise(points()), n_components=axes, nulls=False)
    assert found.coordinates_3d["phate"].shape == (60, 3)
    if axes >= 3:
        np.testing.assert_array_equal(found.coordinates_3d["phate"], embedding.coordinates[:, :3])
    same(found.faithfulness["phate"], faithfulness(pairwise(points()).cosine, embedding.coordinates[:, :2], RUNS, knn=20))
    assert found.layouts["pca"].coordinates.shape == (60, 2)


def test_the_paper_is_scored_on_the_components_that_it_saw():
    between = pairwise(points(120))
    embedding, found = compared(between, preset="paper", runs=[(0, 120)], seed=1)
    assert embedding.settings.n_pca == 100
    centred = points(120) - points(120).mean(axis=0)
    U, S, _ = np.linalg.svd(centred, full_matrices=False)
    D = pairwise(U[:, :100] * S[:100]).cosine
    same(found.faithfulness["phate"], faithfulness(D, embedding, [(0, 120)], knn=20))
    # So is the walk, on components of its own.
    walks = random_walks(between, [(0, 120)])
    walk = phate(walks, preset="paper", n_landmark=None, seed=1)
    D = pairwise(classical_scaling(walks.euclidean, n_components=100)).cosine
    same(found.nulls["random walk"].faithfulness, faithfulness(D, walk, [(0, 120)], knn=20))


def test_few_points_are_compared_with_fewer_neighbours_or_not_at_all():
    for n, knn in {3: 1, 4: 1, 7: 3}.items():
        between = pairwise(points(n))
        found = compared(between, knn=1, runs=[(0, n)], methods=("pca", "tsne", "isomap"))[1]
        assert {one.knn for one in found.faithfulness.values()} == {knn}
    found = compared(pairwise(points(2)), knn=1, runs=[(0, 2)])[1]
    assert found.faithfulness == found.nulls == {}
    assert found.summary() == {"faithfulness": {"pca": {"stress": pytest.approx(0, abs=1e-12)}}}


def test_a_null_in_pieces_does_not_warn_the_reader_of_a_map_that_is_not():
    between = pairwise(points())
    embedding = phate(between, n_landmark=None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        comparison(
            embedding,
            between,
            metric="cosine",
            runs=RUNS,
            methods=(),
            redrawn=lambda walks: phate(walks, knn=1, decay=None, connect=None, n_landmark=None),
        )
