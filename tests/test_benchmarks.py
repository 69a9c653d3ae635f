"""The harness's own arithmetic: what it prints has to be right whatever the machine."""

import time
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from benchmarks.bounds import Rates, bounds, profiled
from benchmarks.data import artificial_tree, walks
from benchmarks.gpu import aligned_difference
from benchmarks.measures import demap, disparity, geodesics, knn_preservation
from benchmarks.memory import reset_peak, resident
from benchmarks.pairs import paired, timed_in_turn
from benchmarks.sizes import Size
from benchmarks.tables import filled, number, table
from lossatlas import phate


def line(n: int) -> np.ndarray:
    return np.abs(np.subtract.outer(np.arange(n, dtype=float), np.arange(n, dtype=float)))


def test_ratios_are_of_neighbours_in_time():
    # A machine ten times slower in the last round leaves the ratios as they are.
    pair = paired([1.0, 2.0, 10.0], [3.0, 4.0, 30.0])
    assert (pair.ours, pair.theirs, pair.ratio, pair.least, pair.most) == (2.0, 4.0, 3.0, 2.0, 3.0)
    assert str(pair) == "3.0 (2.0 to 3.0)"


def test_ways_take_turns():
    called = []
    seconds = timed_in_turn({"a": lambda: called.append("a"), "b": lambda: called.append(time.sleep(0.05))}, rounds=2)
    assert called == ["a", None, "a", None]
    assert [len(one.wall) for one in seconds.values()] == [2, 2]
    assert min(seconds["b"].wall) >= 0.05 > max(seconds["b"].cpu)  # asleep, it takes no processor


def test_paths_follow_the_graph_and_stop_where_it_does():
    # Steps that grow: the nearest other of each point is the one before it. The second chain is out of reach of the first.
    places = np.cumsum(1 + 0.01 * np.arange(10))
    both = np.concatenate([places, places + 1000])
    paths = geodesics(np.abs(np.subtract.outer(both, both)), knn=1)
    np.testing.assert_allclose(paths.lengths[:10, :10], np.abs(np.subtract.outer(places, places)))
    assert np.isinf(paths.lengths[:10, 10:]).all()
    assert paths.unreachable == 0.5


def test_demap_is_one_for_the_curve_unrolled_and_lower_for_the_curve_itself():
    angle = np.linspace(0, 1.9 * np.pi, 80)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    paths = geodesics(np.linalg.norm(circle[:, np.newaxis] - circle, axis=2), knn=2)
    # Sums of equal chords are tied but for rounding.
    assert demap(paths, np.stack([angle, 0 * angle], axis=1)) == pytest.approx(1.0, abs=1e-3)
    assert demap(paths, circle) < 0.9  # the ends of the curve are neighbours in the plane


def test_demap_from_some_sources_counts_every_pair_but_a_point_with_itself():
    paths = geodesics(line(9), knn=2, sources=3)
    assert paths.sources.tolist() == [0, 4, 8]
    places = np.random.default_rng(0).normal(size=(9, 2))
    pairs = [(i, j) for i in (0, 4, 8) for j in range(9) if i != j]
    expected = spearmanr([abs(i - j) for i, j in pairs], [np.linalg.norm(places[i] - places[j]) for i, j in pairs])
    assert demap(paths, places) == pytest.approx(expected.statistic)


def test_neighbours_kept_by_hand():
    # Nearest others are 1, 0, 1, 2. On the map the last point has jumped to the front, and they are 3, 0, 1, 0.
    given = np.abs(np.subtract.outer([0.0, 1.0, 2.1, 3.3], [0.0, 1.0, 2.1, 3.3]))
    places = np.array([[0.0], [1.1], [2.3], [-0.4]])
    assert knn_preservation(given, places, k=1) == 0.5
    assert knn_preservation(given, places, k=3) == 1.0


def test_disparity_and_difference_see_no_turn():
    rng = np.random.default_rng(0)
    drawn = rng.normal(size=(20, 2))
    turned = drawn @ np.array([[0.0, 1.0], [1.0, 0.0]]) + 5
    assert disparity(drawn, 3 * turned) == pytest.approx(0.0, abs=1e-12)
    assert aligned_difference(drawn, turned) == pytest.approx(0.0, abs=1e-12)
    moved = drawn + 0.01 * np.abs(drawn).max() * rng.choice([-1, 1], size=drawn.shape)
    assert 0.001 < aligned_difference(drawn, moved) < 0.03


def test_branches_of_a_tree_begin_on_earlier_ones():
    tree = artificial_tree(0, n_branch=5, branch_length=30, step=1.0, sigma=0.5)
    assert tree.clean.shape == (150, 100)
    assert (tree.noisy - tree.clean).std() == pytest.approx(0.5, rel=0.05)
    for branch in range(1, 5):
        start, earlier = tree.clean[30 * branch], tree.clean[: 30 * branch]
        # One step is about √100 long; a walk of 30 is far away after it.
        assert np.linalg.norm(earlier - start, axis=1).min() == pytest.approx(10, rel=0.4)


def test_walks_are_of_several_runs():
    points = walks(8, 1000, runs=2)
    assert points.dtype == np.float32
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1) ** 2 / 1000
    np.testing.assert_allclose(np.delete(steps, 3), 1.0, rtol=0.3)
    assert steps[3] > 3  # from the end of one run to the start of the next


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="the peak is read where Linux keeps it")
def test_a_peak_is_what_was_allocated_since_the_reset():
    reset_peak()
    before = resident()
    held = np.ones(2**24)  # 128 MiB
    del held
    peak = (resident("VmHWM") - before) / 2**20
    assert 120 < peak < 140
    reset_peak()
    assert (resident("VmHWM") - before) / 2**20 < 64


def test_a_document_is_filled_between_its_marks():
    document = "a\n<!-- one -->\nold\n<!-- /one -->\nb\n"
    assert filled(document, {"one": r"new \1"}) == "a\n<!-- one -->\nnew \\1\n<!-- /one -->\nb\n"
    with pytest.raises(KeyError, match="two"):
        filled(document, {"two": ""})
    assert table(("x", "y"), [("1", number(float("nan")))]) == "| x | y |\n| --- | --- |\n| 1 | – |"


def test_stages_add_up_and_leave_no_watch_behind():
    points = np.random.default_rng(0).normal(size=(40, 200)).cumsum(axis=0)
    profile, embedding = profiled(lambda: phate(points))
    assert {"distances", "kernel, bridges", "spectrum, t", "powers, potential", "scaling"} <= set(profile.seconds)
    assert sum(profile.seconds.values()) == pytest.approx(profile.total)
    assert 0 <= profile.seconds["the rest"] < profile.total / 2
    seen = dict(profile.seconds)
    phate(points)
    assert profile.seconds == seen
    least = bounds(Size(40, 200), embedding, Rates(ssyrk=1e9, sgemm=1e9, dgemm=1e9, bandwidth=1e12))
    assert least["distances"] == (2 * 40 * 40 * 200 / 1e9, "ssyrk")
