"""Arrays, runs and lists of runs are one thing to a distance; and never more than a block of them is in memory."""

import tracemalloc

import numpy as np
import pytest
import torch

import lossatlas as la
from lossatlas.distance import PointSource, RunSource, pairwise, point_source
from lossatlas.distance.source import blocks


def record(path, *, seed=0, n=4, width=5, bad=None, net=None):
    """A run of ``n`` random points; point ``bad`` has NaN and infinite weights."""
    generator = torch.Generator().manual_seed(seed)
    net = net or torch.nn.Sequential(torch.nn.Linear(3, width), torch.nn.BatchNorm1d(width), torch.nn.Linear(width, 2))

    def move():
        with torch.no_grad():
            for parameter in net.parameters():
                parameter.copy_(torch.randn(parameter.shape, generator=generator))

    move()
    with la.Recorder(path, net) as recorder:
        for step in range(1, n):
            move()
            if step == bad:
                with torch.no_grad():
                    net[0].weight[1, 1] = float("nan")
                    net[2].bias[0] = float("inf")
            recorder.step(loss=1.0 / step)
    return la.open_run(path)


class Spy:
    """A source that remembers what it was asked for."""

    def __init__(self, points):
        self.points, self.asked = points, []

    @property
    def n_points(self):
        return len(self.points)

    @property
    def n_parameters(self):
        return self.points.shape[1]

    def block(self, start, stop):
        self.asked.append((start, stop))
        return self.points[:, start:stop].astype(np.float64)


def test_an_array_a_run_and_lists_of_runs_give_the_same_distances(tmp_path):
    whole = record(tmp_path / "a", seed=1, n=5)
    other = record(tmp_path / "b", seed=2, n=3)
    # The same numbers in the same order give the same bits.
    np.testing.assert_array_equal(la.cosine_distances(whole), la.cosine_distances(whole.weights()))
    np.testing.assert_array_equal(la.cosine_distances([whole]), la.cosine_distances(whole))
    together = np.concatenate([whole.weights(), other.weights()])
    np.testing.assert_array_equal(la.cosine_distances([whole, other]), la.cosine_distances(together))
    np.testing.assert_array_equal(la.cosine_distances((other, whole)), la.cosine_distances(np.roll(together, 3, axis=0)))


def test_origins_of_several_runs_are_those_of_all_their_points(tmp_path):
    runs = [record(tmp_path / "a", seed=1, n=3), record(tmp_path / "b", seed=2, n=4)]
    together = np.concatenate([run.weights() for run in runs])
    for origin in ("centroid", "start", together[5].copy()):
        np.testing.assert_array_equal(la.cosine_distances(runs, origin=origin), la.cosine_distances(together, origin=origin))


def test_blocks_that_cut_through_tensors_give_the_same_distances(tmp_path):
    run = record(tmp_path / "run", n=6)
    one_column = 8 * 6 / 2**20
    for columns in (1, 4, 11):
        # Only the order of the sums over 47 parameters differs.
        np.testing.assert_allclose(pairwise(run, megabytes=columns * one_column).cosine, la.cosine_distances(run), atol=1e-13)


def test_buffers_are_no_axes(tmp_path):
    run = record(tmp_path / "run")
    assert point_source(run).n_parameters == 3 * 5 + 5 + 5 + 5 + 5 * 2 + 2
    assert any("running_mean" in name for name in run.snapshot(0))


def test_only_the_points_that_are_kept_are_read(tmp_path):
    runs = (record(tmp_path / "a", seed=1, n=4, bad=2), record(tmp_path / "b", seed=2, n=3))
    source = point_source(runs, kept=[(0, 1, 3), (2,)])
    expected = np.concatenate([runs[0].block(0, runs[0].n_parameters, [0, 1, 3]), runs[1].block(0, runs[1].n_parameters, [2])])
    assert source.n_points == 4
    np.testing.assert_array_equal(source.block(3, 20), expected[:, 3:20])


def test_every_kind_of_source_is_one(tmp_path):
    assert isinstance(point_source(np.eye(3)), PointSource)
    assert isinstance(point_source(record(tmp_path / "run")), PointSource)
    assert isinstance(Spy(np.eye(3)), PointSource)


def test_blocks_cover_each_column_once_and_hold_no_more_than_they_may():
    spy = Spy(np.random.default_rng(0).normal(size=(10, 1003)))
    megabytes = 8 * 10 * 100 / 2**20
    seen = list(blocks(spy, megabytes=megabytes))
    assert [(part.start, part.stop) for part, _ in seen] == spy.asked
    assert [start for start, _ in spy.asked] == [0, *(stop for _, stop in spy.asked[:-1])]
    assert spy.asked[-1][1] == 1003
    assert max(stop - start for start, stop in spy.asked) == 100


def test_distances_never_ask_for_all_columns_at_once():
    spy = Spy(np.random.default_rng(0).normal(size=(10, 5000)))
    found = pairwise(spy, megabytes=8 * 10 * 64 / 2**20)
    assert max(stop - start for start, stop in spy.asked) == 64
    assert len(spy.asked) == 79  # one pass of ceil(5000 / 64) blocks
    np.testing.assert_allclose(found.cosine, la.cosine_distances(spy.points), atol=1e-12)  # the order of the sums


def test_near_duplicates_cost_a_second_pass_of_blocks_and_no_more():
    points = np.random.default_rng(0).normal(size=(10, 5000))
    points[5:] = points[:5] * (1 + 1e-9)
    spy = Spy(points)
    pairwise(spy, megabytes=8 * 10 * 64 / 2**20)
    assert max(stop - start for start, stop in spy.asked) == 64
    assert len(spy.asked) == 2 * 79


def test_memory_is_a_few_blocks_whatever_the_number_of_parameters():
    # float32 points of 24 MB, of which 48 MB in float64 must never be made. NumPy reports to tracemalloc.
    points = np.random.default_rng(0).normal(size=(60, 100_000)).astype(np.float32)
    points[:30], points[30:] = points[0], points[30]  # 870 pairs to be measured directly: 15 MB a block, if all at once
    tracemalloc.start()
    try:
        pairwise(points, megabytes=1)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # A block, the block about its centroid, two sides of the pairs and their difference: 5, and what is freed late.
    assert peak < 10 * 2**20
    assert peak > 2**20, "the measuring sees NumPy's memory"


def test_nan_weights_are_named_by_run_and_point(tmp_path):
    runs = [record(tmp_path / "good", seed=1), record(tmp_path / "wild", seed=2, n=5, bad=3)]
    with pytest.raises(la.InputError, match=r"run 'wild', point 3 \(step 3\) has 2 values that are NaN or infinite"):
        la.cosine_distances(runs)


def test_a_point_keeps_its_number_in_the_run_when_others_are_left_out(tmp_path):
    run = record(tmp_path / "wild", n=5, bad=3)
    source = point_source(run, kept=[(0, 2, 3)])
    assert isinstance(source, RunSource)
    with pytest.raises(la.InputError, match=r"run 'wild', point 3 \(step 3\) has"):
        source.block(0, source.n_parameters)


def test_runs_of_other_shapes_are_refused_by_the_tensor(tmp_path):
    runs = [record(tmp_path / "narrow", width=5), record(tmp_path / "wide", width=6)]
    with pytest.raises(
        la.InputError, match=r"'narrow' and 'wide' have different parameters.*0\.weight.*\(5, 3\).*\(6, 3\).*map them apart"
    ):
        la.cosine_distances(runs)


def test_runs_of_other_names_are_refused_by_the_tensor(tmp_path):
    plain = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Linear(4, 2))
    spaced = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2))
    runs = [record(tmp_path / "plain", net=plain), record(tmp_path / "spaced", net=spaced)]
    with pytest.raises(la.InputError, match=r"1\.weight.*2\.weight"):
        la.cosine_distances(runs)


def test_runs_of_more_tensors_are_refused_by_their_number(tmp_path):
    short = torch.nn.Sequential(torch.nn.Linear(3, 4))
    long = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Linear(4, 2))
    runs = [record(tmp_path / "short", net=short), record(tmp_path / "long", net=long)]
    with pytest.raises(la.InputError, match=r"2 and 4 tensors.*map them apart"):
        la.cosine_distances(runs)


def test_runs_that_share_parameters_but_not_buffers_can_be_mapped_together(tmp_path):
    tracked = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))
    untracked = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4, track_running_stats=False))
    runs = [record(tmp_path / "a", net=tracked), record(tmp_path / "b", net=untracked, seed=1)]
    assert la.cosine_distances(runs).shape == (8, 8)


def test_a_run_of_one_point_is_no_map(tmp_path):
    with pytest.raises(la.InputError, match=r"at least 2 points, but there is only 1 in 'short'; record or sample more"):
        la.cosine_distances(record(tmp_path / "short", n=1))


def test_runs_of_which_nothing_is_kept_are_no_map(tmp_path):
    with pytest.raises(la.InputError, match=r"at least 2 points, but there is none in 'wild'"):
        point_source(record(tmp_path / "wild"), kept=[()])
