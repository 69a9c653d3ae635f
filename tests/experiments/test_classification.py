"""Classifiers against features where they must be perfect, at chance, or below."""

import numpy as np
import pytest

from lossatlas.experiments.table_one import CLASSIFIERS, Accuracy, ClassificationSettings, accuracy

LABELS = np.arange(60) % 3


def settings(**changes):
    return ClassificationSettings(**({"rounds": 1, "folds": 5} | changes))


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_each_classifier_is_perfect_where_classes_lie_apart(name):
    rng = np.random.default_rng(0)
    corners = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])
    apart = corners[LABELS] + 0.1 * rng.normal(size=(60, 2))
    found = accuracy(apart, LABELS, settings(classifiers=(name,)))
    # The boosting of stumps splits one number at a time, yet these three corners it can tell.
    assert found.mean == 1


def test_of_noise_and_of_permuted_labels_they_are_at_chance():
    rng = np.random.default_rng(1)
    noise = rng.normal(size=(60, 5))
    quick = settings(classifiers=("ridge", "naive Bayes", "nearest centroid", "decision tree"), rounds=8)
    # Rounds share their networks: a round's share of hits has at most the deviation of 60 draws. Four of them.
    bound = 4 * np.sqrt(1 / 3 * 2 / 3 / 60)
    assert abs(accuracy(noise, LABELS, quick).mean - 1 / 3) < bound
    apart = np.eye(3)[LABELS]
    assert accuracy(apart, LABELS, quick).mean == 1
    assert abs(accuracy(apart, LABELS, quick, is_permuted=True).mean - 1 / 3) < bound


def test_a_network_is_never_predicted_from_itself():
    # Each network has a feature of its own: a tree that saw it would know it.
    found = accuracy(np.eye(60), LABELS, settings(classifiers=("decision tree", "5 nearest neighbours")))
    assert found.mean < 0.5


def test_the_scale_of_a_feature_does_not_matter():
    rng = np.random.default_rng(2)
    points = rng.normal(size=(60, 3)) + LABELS[:, None]
    own = settings(classifiers=("5 nearest neighbours", "radial support vectors"))
    np.testing.assert_array_equal(accuracy(points, LABELS, own).hits, accuracy(points * [1, 1024, 2**-10], LABELS, own).hits)


def test_the_same_seed_gives_the_same_hits_and_rounds_differ():
    points = np.random.default_rng(3).normal(size=(60, 3)) + LABELS[:, None]
    own = settings(classifiers=("random forest",), rounds=2)
    first = accuracy(points, LABELS, own).hits
    np.testing.assert_array_equal(first, accuracy(points, LABELS, own).hits)
    assert not np.array_equal(first[:, 0], first[:, 1])


def test_errors_are_those_of_their_formulas():
    hits = np.zeros((2, 2, 4), dtype=bool)
    hits[0, :, :3] = True  # right in 3 of 4
    hits[1, 0, 0] = True  # right in 1 of 4, once
    found = Accuracy(classifiers=("a", "b"), hits=hits)
    assert found.mean == pytest.approx(7 / 16)
    assert found.by_classifier == {"a": 0.75, "b": 0.125}
    # Two means, 0.75 and 0.125: half their distance.
    assert found.error_of_classifiers == pytest.approx(0.3125)
    shares = np.array([0.75, 0.5, 0.5, 0.0])
    assert found.error_of_networks == pytest.approx(np.sqrt(((shares - 7 / 16) ** 2).sum() / 3 / 4))
    assert found.spread_of_rounds == pytest.approx(np.sqrt(2 * (0.0625) ** 2))
    none = Accuracy(classifiers=("a", "b"), hits=np.zeros((2, 2, 4), dtype=bool))
    ahead, error = found.lead(none)
    assert (ahead, error) == (pytest.approx(7 / 16), pytest.approx(found.error_of_networks))
    assert found.lead(found) == (0, 0)
    alone = Accuracy(classifiers=("a",), hits=hits[:1, :1])
    assert np.isnan([alone.error_of_classifiers, alone.spread_of_rounds]).all()


def test_too_few_networks_of_a_class_are_refused(refuses):
    with refuses(r"10 folds need 10 networks of each class, but one has 2; take fewer folds or classes, or a larger grid"):
        accuracy(np.zeros((22, 1)), np.array([0] * 20 + [1] * 2), ClassificationSettings())
