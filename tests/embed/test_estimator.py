"""PHATE for those who live in scikit-learn: its own checks, its tables, and nothing but :func:`phate` inside."""

import inspect
import pickle  # noqa: TID251 - what scikit-learn's users do with an estimator

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cdist
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from lossatlas import phate
from lossatlas.embed.estimator import PHATE

with pytest.MonkeyPatch.context() as patch:
    patch.setenv("SCIPY_ARRAY_API", "1")  # scikit-learn 1.6 wants it as its checks are imported
    from sklearn.utils.estimator_checks import parametrize_with_checks


def walk(n=40, p=8, *, seed=0, offset=3.0):
    """Points along a random walk, away from the origin."""
    return np.random.default_rng(seed).normal(size=(n, p)).cumsum(axis=0) + offset


def frame(points):
    """Points as a table with names."""
    return pd.DataFrame(points, columns=[f"w{k}" for k in range(points.shape[1])], index=[f"at {i}" for i in range(len(points))])


@parametrize_with_checks([PHATE(knn=3, t=4)])
def test_what_scikit_learn_asks_of_an_estimator(as_users_call, estimator, check):
    check(estimator)


def test_the_estimator_is_the_function():
    points = walk()
    made = PHATE(knn=4, decay=20.0, gamma=0.5, n_components=3, random_state=2).fit(points)
    expected = phate(points, metric="euclidean", knn=4, decay=20.0, gamma=0.5, n_components=3, seed=2)
    np.testing.assert_array_equal(made.embedding_, expected.coordinates)
    assert made.result_.settings == expected.settings
    assert made.result_.stress == expected.stress
    np.testing.assert_array_equal(made.result_.potential, expected.potential)
    np.testing.assert_array_equal(PHATE(knn=4).fit_transform(points), phate(points, metric="euclidean", knn=4).coordinates)


def test_each_parameter_is_the_functions_with_its_default():
    theirs = {name: each.default for name, each in inspect.signature(phate).parameters.items()}
    ours = {name: each.default for name, each in inspect.signature(PHATE).parameters.items()}
    assert ours.pop("random_state") == theirs["seed"]
    assert ours.pop("metric") == "euclidean"
    assert {name: theirs[name] for name in ours} == ours


@pytest.mark.parametrize(
    ("choice", "value"),
    [
        ("t", 3),
        ("knn_max", 6),
        ("bandwidth_scale", 1.3),
        ("symmetrization", "*"),
        ("anisotropy", 0.5),
        ("scaling", "classical"),
        ("connect", None),
        ("preset", "paper"),
        ("n_landmark", 20),
        ("decay", None),
    ],
)
def test_each_parameter_reaches_the_function(choice, value):
    made = PHATE(**{choice: value}).fit(walk())
    assert made.result_.settings == phate(walk(), metric="euclidean", **{choice: value}).settings
    assert getattr(made.result_.settings, choice) == value


# --- tables


def test_a_data_frame_gives_its_names_and_can_be_given_back():
    points = walk()
    made = PHATE().set_output(transform="pandas")
    found = made.fit_transform(frame(points))
    assert made.feature_names_in_.tolist() == [f"w{k}" for k in range(8)]
    assert found.columns.tolist() == made.get_feature_names_out().tolist() == ["phate0", "phate1"]
    assert found.index.tolist() == [f"at {i}" for i in range(40)]
    # A table lies in memory column by column, so that sums are made in another order.
    np.testing.assert_allclose(found.to_numpy(), phate(points, metric="euclidean").coordinates, rtol=0, atol=1e-9)
    part = frame(points).iloc[5:9]
    moved = made.transform(part)
    assert moved.index.tolist() == part.index.tolist()
    np.testing.assert_allclose(moved.to_numpy(), found.iloc[5:9].to_numpy(), rtol=1e-12)
    with pytest.raises(ValueError, match="feature names should match"):
        made.transform(part.rename(columns={"w0": "other"}))


def test_numbers_of_half_the_length_give_the_same_map_as_the_function():
    points = walk().astype(np.float32)
    for metric in ("euclidean", "cosine", "manhattan"):
        found = PHATE(metric=metric).fit(points)
        np.testing.assert_array_equal(found.embedding_, phate(points, metric=metric).coordinates)
        assert found.embedding_.dtype == np.float64
        np.testing.assert_allclose(found.transform(points[:3]), found.embedding_[:3], rtol=1e-12)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_is_refused(bad):
    points = walk()
    points[3, 2] = bad
    with pytest.raises(ValueError, match=r"NaN|infinity"):
        PHATE().fit(points)
    with pytest.raises(ValueError, match=r"NaN|infinity"):
        PHATE().fit(walk()).transform(points)


def test_a_setting_out_of_its_range_is_refused_when_it_is_fitted(refuses):
    made = PHATE(n_components=0)
    with refuses("n_components must be 1 or more, but is 0"):
        made.fit(walk())


def test_what_is_not_fitted_places_nothing():
    with pytest.raises(NotFittedError):
        PHATE().transform(walk())


# --- scikit-learn's ways


def test_a_clone_has_the_choices_and_nothing_fitted():
    made = PHATE(knn=4, gamma=0.0, metric="cosine").fit(walk())
    other = clone(made)
    assert other.get_params() == made.get_params()
    assert not hasattr(other, "embedding_")
    np.testing.assert_array_equal(other.fit(walk()).embedding_, made.embedding_)


def test_it_stands_in_a_pipeline():
    points = walk() * np.arange(1, 9)
    line = make_pipeline(StandardScaler(), PHATE(knn=4))
    scaled = StandardScaler().fit_transform(points)
    np.testing.assert_array_equal(line.fit_transform(points), phate(scaled, metric="euclidean", knn=4).coordinates)
    np.testing.assert_allclose(line.transform(points[:5]), line[-1].embedding_[:5], rtol=1e-12)
    assert line.set_params(phate__knn=6)[-1].knn == 6


def test_it_can_be_put_away_and_taken_out():
    made = PHATE(knn=4).fit(walk())
    again = pickle.loads(pickle.dumps(made))
    np.testing.assert_array_equal(again.transform(walk() + 0.1), made.transform(walk() + 0.1))


def test_chance_comes_in_every_way_that_scikit_learn_knows():
    points = walk()

    def paper(state):
        return PHATE(preset="paper", random_state=state).fit(points)

    np.testing.assert_array_equal(paper(7).embedding_, phate(points, metric="euclidean", preset="paper", seed=7).coordinates)
    np.testing.assert_array_equal(paper(np.int64(7)).embedding_, paper(7).embedding_)
    first, same = paper(np.random.RandomState(3)), paper(np.random.RandomState(3))
    np.testing.assert_array_equal(first.embedding_, same.embedding_)
    state = np.random.RandomState(3)
    assert paper(state).result_.settings.seed != paper(state).result_.settings.seed
    assert paper(None).result_.settings.seed != paper(None).result_.settings.seed


# --- metrics


def gap(a, b):
    """The largest difference of two points."""
    return float(np.abs(a - b).max())


@pytest.mark.parametrize(
    ("metric", "name"), [("cosine", "cosine"), ("euclidean", "euclidean"), ("manhattan", "cityblock"), (gap, "chebyshev")]
)
def test_every_metric_fits_and_places(metric, name):
    points, new = walk(), walk()[::7] + 0.2
    made = PHATE(metric=metric).fit(points)
    np.testing.assert_array_equal(made.embedding_, phate(points, metric=metric).coordinates)
    found, expected = made.transform(new), made.result_.transform(cdist(new, points, name))
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6 * np.abs(expected).max())
    np.testing.assert_allclose(made.transform(points), made.embedding_, rtol=0, atol=1e-12 * np.abs(made.embedding_).max())


def test_distances_can_be_given():
    points, new = walk(), walk()[::7] + 0.2
    D, across = cdist(points, points), cdist(new, points)
    made = PHATE(metric="precomputed").fit(D)
    np.testing.assert_array_equal(made.embedding_, phate(D, metric="precomputed").coordinates)
    np.testing.assert_array_equal(made.transform(across), made.result_.transform(across))
    np.testing.assert_array_equal(made.transform(D), made.embedding_)
    assert made.__sklearn_tags__().input_tags.pairwise
    assert not PHATE().__sklearn_tags__().input_tags.pairwise
    with pytest.raises(ValueError, match="7 features, but PHATE is expecting 40"):
        made.transform(across[:, :7])


def test_affinities_can_be_given():
    points, new = walk(), walk()[::7] + 0.2
    K, across = np.exp(-(cdist(points, points) ** 2) / 50), np.exp(-(cdist(new, points) ** 2) / 50)
    made = PHATE(metric="precomputed_affinity", t=5).fit(K)
    np.testing.assert_array_equal(made.embedding_, phate(K, metric="precomputed_affinity", t=5).coordinates)
    np.testing.assert_allclose(made.transform(across), across / across.sum(axis=1, keepdims=True) @ made.embedding_, rtol=1e-9)
    assert made.__sklearn_tags__().input_tags.pairwise


def test_the_cosine_of_new_points_is_about_the_place_where_the_maps_was():
    """The paper's principal components centre the points first."""
    points = walk(150, 120)
    made = PHATE(metric="cosine", preset="paper").fit(points)
    assert made.result_.settings.origin == "centroid"
    new = points[::30] + 0.2
    centre = points.mean(axis=0)
    expected = made.result_.transform(cdist(new - centre, points - centre, "cosine"))
    np.testing.assert_allclose(made.transform(new), expected, rtol=1e-6, atol=1e-9)
