"""Sketches as points of their own space: the distances of the weights, from runs of one start or of several."""

import os
from dataclasses import replace

import numpy as np
import pytest

from lossatlas.distance import cloud, nearest, pairwise, recorded_cloud, recorded_pairwise, sketches
from lossatlas.sketch import sketch
from lossatlas.store import RawTensor, RunWriter, TensorEntry, open_run

P = 2000  # no more than k: a sketch loses nothing then, so that all is exact but for float32


def walk(n, *, p=P, seed=0):
    rng = np.random.default_rng(seed)
    return 3 + rng.normal(size=p) + 0.1 * rng.normal(size=(n, p)).cumsum(axis=0)


def recorded(path, points, *, keep="sketch", seed=0):
    entry = TensorEntry("weight", (points.shape[1],), "F64", "parameter")
    with RunWriter(path, [entry], keep=keep, start=None if keep == "weights" else sketch(points[0], seed=seed)) as writer:
        for step, row in enumerate(points):
            made = None if keep == "weights" else sketch(row, start=points[0], seed=seed)
            writer.append({"weight": RawTensor("F64", row.shape, row.tobytes())}, step=step, metrics={}, sketch=made)
    return open_run(path)


@pytest.fixture
def two_runs(tmp_path):
    first, second = walk(9), walk(7, seed=1)
    return [recorded(tmp_path / "one", first), recorded(tmp_path / "two", second)], np.concatenate([first, second])


def distances(made):
    return pairwise(made.points.astype(np.float64), origin=made.origin)


def test_points_of_one_start_have_the_distances_and_cosines_of_the_weights(tmp_path):
    points = walk(12)
    exact = pairwise(points)
    found = distances(recorded_cloud([recorded(tmp_path / "run", points)]))
    np.testing.assert_allclose(found.euclidean, exact.euclidean, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(found.norms, exact.norms, rtol=1e-6)
    np.testing.assert_allclose(found.cosine, exact.cosine, rtol=1e-5, atol=1e-9)


def test_points_of_several_starts_have_them_too(two_runs):
    runs, points = two_runs
    exact, found = pairwise(points), distances(recorded_cloud(runs))
    np.testing.assert_allclose(found.euclidean, exact.euclidean, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(found.cosine, exact.cosine, rtol=1e-5, atol=1e-9)


def test_a_cosine_about_the_start_is_measured_there(tmp_path):
    points = walk(12)
    found = distances(recorded_cloud([recorded(tmp_path / "run", points)], origin="start"))
    exact = pairwise(points, origin="start")
    np.testing.assert_allclose(found.norms, exact.norms, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(found.cosine[1:, 1:], exact.cosine[1:, 1:], rtol=1e-5, atol=1e-6)


def test_steps_that_are_small_beside_the_weights_keep_their_digits(tmp_path):
    # 1e-6 of the weights, which a float32 of the whole would round away.
    points = walk(2)[:1] + 1e-6 * np.random.default_rng(2).normal(size=(6, P)).cumsum(axis=0)
    found = distances(recorded_cloud([recorded(tmp_path / "run", points)]))
    np.testing.assert_allclose(found.euclidean, pairwise(points).euclidean, rtol=1e-5, atol=1e-12)


def test_larger_models_keep_the_stated_error():
    points = walk(30, p=40_000)
    made = cloud(sketches(points))
    off = (distances(made).euclidean / np.where(np.eye(30), 1, pairwise(points).euclidean))[~np.eye(30, dtype=bool)] - 1
    assert 0.3 * made.relative_error < off.std() < 1.2 * made.relative_error
    assert np.abs(off).max() < 4.5 * made.relative_error


def test_neighbours_are_found_among_them_without_all_distances(two_runs):
    runs, points = two_runs
    made = recorded_cloud(runs)
    found, exact = nearest(made.points, k=3, origin=made.origin), nearest(points, k=3)
    np.testing.assert_array_equal(found.indices, exact.indices)


def test_weights_are_sketched_where_there_are_no_sketches(tmp_path):
    points = walk(9)
    alone, weighed = recorded(tmp_path / "a", points), recorded(tmp_path / "b", points, keep="weights")
    kept = [(0, 3, 4, 8)]
    np.testing.assert_allclose(
        recorded_cloud([weighed], kept=kept).points, recorded_cloud([alone], kept=kept).points, rtol=1e-5, atol=1e-6
    )


def test_what_no_cloud_is_made_of_is_refused(two_runs, tmp_path, refuses):
    runs, points = two_runs
    with refuses(r"at least 2 points, but there is 1"):
        recorded_cloud(runs, kept=[(0,), ()])
    with refuses(r"not about 'centroid'"):
        recorded_cloud(runs, origin="centroid")
    with refuses(r"did not start at the same weights"):
        recorded_cloud(runs, origin="start")
    with refuses(r"share k and seed"):
        recorded_cloud([runs[0], recorded(tmp_path / "other", points[:3], seed=1)])
    with refuses(r"one has .*weights and no sketches|holds sketches and no weights"):
        recorded_cloud([runs[0], recorded(tmp_path / "weighed", points[:3], keep="weights")])
    lost = replace(sketch(points[1], start=points[0]), squared_norm=float("nan"))
    with RunWriter(tmp_path / "lost", runs[0].tensors, keep="sketch", start=sketch(points[0])) as writer:
        writer.append({}, step=0, metrics={}, sketch=lost)
    with refuses(r"run 'lost', point 0 .*NaN or infinite"):
        recorded_cloud([open_run(tmp_path / "lost"), runs[0]])


def test_more_distances_than_the_memory_holds_are_refused_before_anything_is_read(two_runs, refuses, monkeypatch):
    runs, _ = two_runs
    sizes = {"SC_PAGE_SIZE": 1, "SC_PHYS_PAGES": 8 * 16 * 16}
    monkeypatch.setattr(os, "sysconf", sizes.__getitem__)
    assert recorded_pairwise(runs)[0].squared.shape == (16, 16)
    sizes["SC_PHYS_PAGES"] -= 1
    with refuses(r"all distances of 16 points are .*pass max_points=5000"):
        recorded_pairwise(runs)
