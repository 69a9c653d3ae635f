"""Every form that points come in, and what is refused of each."""

import math

import numpy as np
import pytest

from lossatlas import phate
from lossatlas.distance import pairwise
from lossatlas.embed import alpha_decay_affinities
from lossatlas.embed.given import given
from lossatlas.store import RawTensor, RunWriter, TensorEntry, open_run

POINTS = np.random.default_rng(0).normal(size=(40, 12)).cumsum(axis=0) + 4


@pytest.fixture
def runs(tmp_path):
    """Three runs, of 20, 5 and 15 points."""
    made = []
    for name, values in zip("abc", np.split(POINTS, [20, 25]), strict=True):
        with RunWriter(tmp_path / name, (TensorEntry("w", (12,), "F64", "parameter"),)) as writer:
            for step, point in enumerate(values):
                writer.append({"w": RawTensor("F64", (12,), point.tobytes())}, step=step, metrics={"loss": 1.0})
            writer.end("complete")
        made.append(open_run(tmp_path / name))
    return made


def trajectories_of(points, labels=None, **choices):
    settings = phate(POINTS, scaling="classical", t=2, **choices).settings
    return given(points, settings, metric="cosine", origin="zero", trajectories=labels).trajectories


def test_runs_are_their_own_trajectories(runs):
    np.testing.assert_array_equal(trajectories_of(runs, connect="temporal"), np.repeat([0, 1, 2], [20, 5, 15]))
    np.testing.assert_array_equal(trajectories_of(runs, time="autocorrelation"), np.repeat([0, 1, 2], [20, 5, 15]))
    np.testing.assert_array_equal(trajectories_of(runs[2], connect="temporal"), np.zeros(15))


def test_an_array_or_distances_are_one_trajectory():
    for points in (POINTS, pairwise(POINTS)):
        np.testing.assert_array_equal(trajectories_of(points, connect="temporal"), np.zeros(40))


def test_trajectories_are_known_by_any_labels(runs):
    labels = np.repeat([9, -4], [30, 10])
    for points in (POINTS, pairwise(POINTS), runs):
        np.testing.assert_array_equal(trajectories_of(points, labels, connect="temporal"), np.repeat([1, 0], [30, 10]))
    np.testing.assert_array_equal(trajectories_of(runs[0], labels[20:], connect="temporal"), np.repeat([1, 0], 10))


def test_trajectories_are_none_where_nobody_asks():
    assert trajectories_of(POINTS) is None
    assert trajectories_of(POINTS, np.zeros(40, dtype=int)) is None


def test_runs_are_mapped_as_their_points_with_labels(runs):
    for choices in ({"connect": "temporal"}, {"time": "autocorrelation"}):
        found = phate(runs, scaling="classical", t=3, **choices)
        other = phate(POINTS, trajectories=np.repeat([0, 1, 2], [20, 5, 15]), scaling="classical", t=3, **choices)
        np.testing.assert_allclose(found.affinities.toarray(), other.affinities.toarray(), rtol=1e-12)
    one = phate(POINTS, scaling="classical", t=3, time="autocorrelation")
    assert np.abs(one.affinities.toarray() - found.affinities.toarray()).max() > 1e-3


@pytest.mark.parametrize("labels", [np.zeros(39, dtype=int), np.zeros((40, 1), dtype=int)])
@pytest.mark.usefixtures("as_users_call")
def test_trajectories_of_another_number_of_points_are_refused(refuses, runs, labels):
    for points in (POINTS, pairwise(POINTS), runs):
        with refuses(rf"trajectories must name the trajectory of each of the 40 points, but the shape is \({labels.shape[0]},"):
            phate(points, connect="temporal", trajectories=labels)


@pytest.mark.parametrize("choices", [{}, {"preset": "paper"}, {"gamma": 0.0, "n_components": 3}], ids=str)
def test_affinities_give_the_map_of_the_distances_that_they_are_of(choices):
    places = pairwise(POINTS).euclidean
    K = alpha_decay_affinities(places, knn=5, decay=10.0)
    found = phate(K.toarray(), metric="precomputed_affinity", **choices)
    other = phate(places, metric="precomputed", knn=5, decay=10.0, **choices)
    assert found.t == other.t
    np.testing.assert_array_equal(found.affinities.toarray(), other.affinities.toarray())
    np.testing.assert_allclose(found.potential, other.potential, rtol=1e-12)
    np.testing.assert_allclose(found.coordinates, other.coordinates, atol=1e-7 * np.abs(other.coordinates).max())


def test_settings_say_none_where_affinities_have_none():
    found = phate(np.ones((8, 8)) + np.eye(8), metric="precomputed_affinity", preset="paper", scaling="classical", t=2).settings
    assert (found.metric, found.origin, found.n_pca, found.connect) == ("precomputed_affinity", "none", None, None)


def test_affinities_are_joined_along_time():
    K = np.kron(np.eye(2), np.ones((5, 5)))
    found = phate(K, metric="precomputed_affinity", connect="temporal", scaling="classical", t=2)
    assert (found.connected_components, found.graph.unconnected) == (2, 1)
    assert found.affinities[4, 5] == math.exp(-1)


@pytest.mark.parametrize("metric", ["manhattan", "correlation"])
def test_metrics_of_scikit_learn_are_taken_for_arrays(refuses, metric):
    from sklearn.metrics import pairwise_distances

    places = pairwise_distances(POINTS, metric=metric)
    found = phate(POINTS, metric=metric, scaling="classical", t=3)
    other = phate((places + places.T) / 2 * (1 - np.eye(40)), metric="precomputed", scaling="classical", t=3)
    np.testing.assert_allclose(found.potential, other.potential, rtol=1e-9)
    assert (found.settings.metric, found.settings.origin) == (metric, "none")
    with refuses(rf"metric '{metric}' needs points as an array \(n, p\); pass one, as run.weights\(\)"):
        phate(pairwise(POINTS), metric=metric)


def test_a_function_of_two_points_is_a_metric():
    found = phate(POINTS[:12], metric=lambda a, b: float(np.abs(a - b).max()), knn=3, scaling="classical", t=3)
    places = np.abs(POINTS[:12, np.newaxis] - POINTS[:12]).max(axis=2)
    other = phate(places, metric="precomputed", knn=3, scaling="classical", t=3)
    np.testing.assert_allclose(found.potential, other.potential, rtol=1e-9)
    assert found.settings.metric == "callable"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda K: K[:5], r"affinities must be a square matrix, but the shape is \(5, 40\); pass one row and column a point"),
        (lambda K: K[:1, :1], r"a map needs at least 2 points, but there is 1"),
        (lambda K: -K, r"affinities must be finite and not negative, but some are"),
        (lambda K: np.where(K > 0, np.nan, K), r"affinities must be finite and not negative"),
        (
            lambda K: K - np.eye(40),
            r"affinities must be above 0 on the diagonal, but they are not; pass affinities, not distances",
        ),
        (lambda K: K + np.tri(40), r"affinities must be symmetric, but K and K\.T differ by up to 1; pass \(K \+ K\.T\) / 2"),
    ],
)
def test_what_are_no_affinities_is_refused(refuses, change, message):
    with refuses(message):
        phate(change(alpha_decay_affinities(pairwise(POINTS).euclidean).toarray()), metric="precomputed_affinity")


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"connect": "mst"}, r"connect='mst' needs distances, but the metric is 'precomputed_affinity'; pass connect=None or"),
        (
            {"time": "autocorrelation"},
            r"time='autocorrelation' needs distances, but the metric is 'precomputed_affinity'; pass time",
        ),
    ],
)
def test_what_needs_distances_is_refused_of_affinities(refuses, choices, message):
    with refuses(message):
        phate(np.ones((8, 8)), metric="precomputed_affinity", **choices)


def test_matrices_must_be_matrices(refuses, runs):
    for metric, what in (("precomputed", "distances"), ("precomputed_affinity", "affinities")):
        with refuses(rf"with metric='{metric}' points must be a matrix of {what} \(n, n\); pass one"):
            phate(runs, metric=metric)
