"""Some pairs, stretch by stretch of the parameters: what differences say, from memory and from files."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from layered_runs import recorded

from lossatlas.distance import pair_squares, pairwise, point_source


@given(seed=st.integers(0, 2**32 - 1), dtype=st.sampled_from([np.float32, np.float64]))
def test_each_stretch_has_the_squares_of_its_own_differences(seed, dtype):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(7, 40)).astype(dtype)
    cuts = np.sort(rng.integers(0, 41, size=4)).tolist()
    first, second = rng.integers(0, 7, size=(2, 11))
    found = pair_squares(point_source(points), first, second, cuts=cuts)
    wide = points.astype(float)
    squares = np.array([(wide[a] - wide[b]) ** 2 for a, b in zip(first, second, strict=True)])
    expected = [squares[:, cuts[i] : cuts[i + 1]].sum(axis=1) for i in range(3)]
    np.testing.assert_allclose(found, expected, rtol=1e-13)


@pytest.mark.parametrize("megabytes", [512, 1e-4])
def test_from_files_and_in_blocks_the_squares_are_those_from_memory(tmp_path, megabytes):
    run, points = recorded(tmp_path / "run")
    first, second = np.triu_indices(len(points), k=1)
    cuts = [0, 1, 7, 50, run.n_parameters]
    expected = pair_squares(point_source(points), first, second, cuts=cuts)
    for source in (point_source(run), point_source(points), point_source(np.asfortranarray(points))):
        found = pair_squares(source, first, second, cuts=cuts, megabytes=megabytes)
        np.testing.assert_allclose(found, expected, rtol=1e-13)
    # Whole distances about a centroid keep some eps of the squares from it.
    np.testing.assert_allclose(expected.sum(axis=0), pairwise(run).squared[first, second], rtol=1e-12)


def test_points_that_nearly_coincide_keep_their_digits():
    points = np.tile(np.random.default_rng(0).normal(size=300) * 1e6, (2, 1))
    points[1, :3] += [0.5, 0.25, 0.125]
    found = pair_squares(point_source(points), np.array([0]), np.array([1]), cuts=[0, 300])
    gap = points[1, :3] - points[0, :3]  # as float64 has it
    np.testing.assert_allclose(found[0, 0], gap @ gap, rtol=1e-15)


def test_values_that_are_not_finite_are_refused_by_the_name_of_their_point(tmp_path, refuses):
    pairs = np.array([0, 1, 2]), np.array([1, 2, 3])
    run, points = recorded(tmp_path / "run", lost_at=3)
    with refuses(r"run 'run', point 3 \(step 3\) has 1 value that is NaN or infinite"):
        pair_squares(point_source(run), *pairs, cuts=[0, run.n_parameters])
    with refuses(r"point 3 has 1 value that is NaN or infinite; leave that point out"):
        pair_squares(point_source(points), *pairs, cuts=[0, run.n_parameters])
    with refuses(r"small enough to be squared"):
        pair_squares(point_source(np.eye(4) * 1e200), *pairs, cuts=[0, 4])
