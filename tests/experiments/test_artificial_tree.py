"""The artificial tree: what it is made of, and that a map of it is scored by its truth."""

import numpy as np
import pytest

from lossatlas.experiments.artificial_tree import artificial_tree, compared_tree


def test_each_branch_is_a_walk_from_a_point_of_an_earlier_branch():
    tree = artificial_tree(n_dim=30, n_branch=6, branch_length=40, rand_multiplier=3.0, sigma=0.0)
    assert tree.noise_free.shape == (240, 30)
    np.testing.assert_array_equal(np.bincount(tree.branch), [40] * 6)
    for branch in range(6):
        rows = slice(40 * branch, 40 * (branch + 1))
        steps = np.diff(tree.noise_free[rows], axis=0)
        assert np.abs(steps).max() <= 1.5
        # Even over a range of 3: a variance of 9 / 12, over 1,170 values.
        assert steps.var() == pytest.approx(0.75, abs=4 * 0.75 * np.sqrt(0.8 / 1170))
        if branch:
            first = np.abs(tree.noise_free[: 40 * branch] - tree.noise_free[40 * branch]).max(axis=1)
            assert first.min() <= 1.5, "it grows from none of the points before"


def test_the_noise_is_normal_and_the_seed_is_all_the_chance():
    tree, again, other = (artificial_tree(seed=seed) for seed in (37, 37, 1))
    assert tree.noisy.shape == (2000, 100)
    np.testing.assert_array_equal(tree.noisy, again.noisy)
    assert not np.array_equal(tree.noisy, other.noisy)
    noise = tree.noisy - tree.noise_free
    # Over 200,000 values.
    assert noise.std() == pytest.approx(4, abs=4 * 4 / np.sqrt(400_000))
    assert noise.mean() == pytest.approx(0, abs=4 * 4 / np.sqrt(200_000))


def test_maps_of_the_tree_are_scored_by_the_paths_without_noise():
    still, noisy = (artificial_tree(n_branch=4, branch_length=30, sigma=sigma) for sigma in (0.0, 30.0))
    scores = [
        compared_tree(tree, methods=("phate", "pca"), seeds=(0,), left_out=0, nulls=False).methods["phate"].mean("demap")
        for tree in (still, noisy)
    ]
    assert scores[0] > 0.8
    assert scores[1] < 0.5 < scores[0], "noise of thirty steps leaves nothing of the tree"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_branch": 0}, r"n_branch must be 1 or more, but is 0; pass another"),
        ({"branch_length": 1}, r"branch_length must be 2 or more"),
        ({"sigma": -1.0}, r"sigma must be 0 or more and rand_multiplier above 0, but they are -1\.0 and 2\.0"),
    ],
)
def test_what_is_no_tree_is_refused(refuses, changes, message):
    with refuses(message):
        artificial_tree(**changes)
