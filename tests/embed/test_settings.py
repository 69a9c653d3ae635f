"""Choices that are turned away, each with the message that says what to do."""

from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest

from lossatlas import phate


def walk(n=30, p=10):
    """Points along a random walk, away from the origin."""
    return np.random.default_rng(0).normal(size=(n, p)).cumsum(axis=0) + 3


WHOLE = "must be a whole number, 0 or more, but is {}; pass one"


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"preset": "papers"}, "preset must be one of sound, paper, but is 'papers'; choose one of these"),
        ({"scaling": "sgd"}, "scaling must be one of classical, metric, nonmetric, but is 'sgd'; choose one of these"),
        ({"connect": "knn"}, "connect must be one of mst, temporal, None, but is 'knn'; choose one of these"),
        ({"time": "lag"}, "time must be one of autocorrelation, None, but is 'lag'; choose one of these"),
        ({"potential_metric": "l1"}, "potential_metric must be one of euclidean, cosine, but is 'l1'; choose one of these"),
        ({"symmetrization": "-"}, r"symmetrization must be one of \+, \*, mnn, but is '-'; choose one of these"),
        ({"knn": 2.5}, "knn " + WHOLE.format("2.5")),
        ({"knn": True}, "knn " + WHOLE.format("True")),
        ({"knn": -1}, "knn " + WHOLE.format("-1")),
        ({"knn": 0}, "knn=0 needs at least 2 points, but there are 30; record more or pass another knn, 1 to 29"),
        ({"knn": 30}, "knn=30 needs at least 31 points, but there are 30; record more or pass another knn, 1 to 29"),
        ({"seed": -1}, "seed " + WHOLE.format("-1")),
        ({"n_components": 1.5}, "n_components " + WHOLE.format("1.5")),
        ({"n_components": 0}, "n_components must be 1 or more, but is 0; a map has 2"),
        ({"n_pca": -2}, "n_pca " + WHOLE.format("-2")),
        ({"n_pca": 0}, "n_pca must be 1 or more, but is 0; pass None to keep every dimension"),
        ({"n_landmark": 10.0}, "n_landmark " + WHOLE.format("10.0")),
        ({"n_landmark": 2}, "n_landmark must be more than the 2 axes, but is 2; pass None to embed every point"),
        ({"knn_max": -5}, "knn_max " + WHOLE.format("-5")),
        ({"knn_max": 4}, "knn_max must be at least knn=5, but is 4; pass None to keep all that the kernel reaches"),
        ({"t": 0}, "t must be 'auto' or a whole number from 1 on, but is 0; pass one of these"),
        ({"t": 2.0}, r"t must be 'auto' or a whole number from 1 on, but is 2\.0"),
        ({"t": True}, "t must be 'auto' or a whole number from 1 on, but is True"),
        ({"t": "knee"}, "t must be 'auto' or a whole number from 1 on, but is 'knee'"),
        ({"gamma": 1.01}, "gamma must be from -1 to 1, but is 1.01; 1 takes the logarithm, 0 the square root"),
        ({"gamma": float("nan")}, "gamma must be from -1 to 1, but is nan"),
        ({"decay": 0}, "decay must be above 0, but is 0; 40 is the usual value"),
        ({"decay": float("nan")}, "decay must be above 0, but is nan"),
        ({"bandwidth_scale": 0.0}, "bandwidth_scale must be above 0, but is 0.0; 1 leaves the bandwidths as they are"),
        ({"bandwidth_scale": float("inf")}, "bandwidth_scale must be above 0, but is inf"),
        ({"symmetrization": "mnn", "theta": 1.1}, "theta must be from 0 to 1, but is 1.1; 1 keeps what both points see"),
        ({"anisotropy": -0.1}, "anisotropy must be from 0 to 1, but is -0.1; 0 keeps the density of points, 1 removes it"),
        ({"bandwidth": 0.0}, "bandwidth must be above 0 and finite, but some are not; pass None to take the knn-th neighbour's"),
        ({"bandwidth": np.ones(29)}, r"bandwidth must be a number or one for each of the 30 points, but its shape is \(29,\)"),
        ({"device": "abacus"}, "device 'abacus' is not there"),
    ],
    ids=str,
)
def test_each_choice_out_of_its_range_is_refused(as_users_call, refuses, choices, message):
    with refuses("^" + message):
        phate(walk(), **choices)


def test_choices_of_numpy_are_taken(as_users_call):
    found = phate(walk(), knn=np.int64(4), t=np.int64(3), n_landmark=np.int32(12), seed=np.uint8(1))
    assert (found.settings.knn, found.t) == (4, 3)


def test_settings_keep_what_was_chosen_and_cannot_change():
    found = phate(walk(), knn=4, decay=None, gamma=0.5, bandwidth_scale=1.2, symmetrization="mnn", theta=0.5, anisotropy=0.25)
    settings = found.settings
    assert (settings.knn, settings.decay, settings.gamma, settings.bandwidth_scale) == (4, None, 0.5, 1.2)
    assert (settings.symmetrization, settings.theta, settings.anisotropy, settings.bandwidth) == ("mnn", 0.5, 0.25, None)
    with pytest.raises(FrozenInstanceError):
        settings.knn = 3
    assert replace(settings, knn=6).knn == 6


def test_presets_decide_what_is_left_to_them_alone():
    sound, paper = phate(walk()).settings, phate(walk(), preset="paper").settings
    assert (sound.n_pca, sound.connect, sound.potential_metric) == (None, "mst", "euclidean")
    assert (paper.n_pca, paper.connect, paper.potential_metric) == (None, None, "cosine")  # fewer than 100 components
    mixed = phate(walk(), preset="paper", connect="mst", n_pca=3, potential_metric="euclidean").settings
    assert (mixed.n_pca, mixed.connect, mixed.potential_metric) == (3, "mst", "euclidean")


def test_a_bandwidth_for_each_point_goes_with_its_point_when_copies_are_merged():
    points = walk()
    widths = np.random.default_rng(1).uniform(0.02, 0.05, size=30)
    copied = np.concatenate([points[:10], points[:2], points[10:]])
    given = np.concatenate([widths[:10], [9.0, 9.0], widths[10:]])  # the first of copies counts
    found, plain = phate(copied, bandwidth=given), phate(points, bandwidth=widths)
    np.testing.assert_allclose(found.affinities.toarray(), plain.affinities.toarray(), rtol=1e-9, atol=1e-12)
    assert found.settings.bandwidth == "given"
    assert phate(points, bandwidth=0.05).settings.bandwidth == 0.05


def test_choices_are_refused_before_any_work_and_where_nothing_needs_them(refuses):
    affinities = np.eye(30) + 0.1
    for choices, message in (({"decay": 0.0}, "decay must be above 0"), ({"knn_max": 4}, "knn_max must be at least knn=5")):
        with refuses(message):
            phate(affinities, metric="precomputed_affinity", **choices)
