"""What is found at some paths, look after look."""

import gc
import itertools
import shutil
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossatlas.serve.watched import Watched, thinned
from lossatlas.store import open_run, open_runs, run_folders


@given(st.lists(st.integers(1, 400), min_size=1, max_size=12), st.integers(24, 200))
def test_thinned_runs_keep_their_first_and_their_newest_points_and_never_more_than_asked(lengths, most):
    kept = thinned(lengths, most=most)
    assert sum(map(len, kept)) <= most
    for points, n in zip(kept, lengths, strict=True):
        assert points == sorted(set(points))
        assert (points[0], points[-1]) == (0, n - 1)
        # Evenly: the old ones as far apart from each other.
        assert len({b - a for a, b in itertools.pairwise(points)} - {1}) <= 2


def test_newest_points_stay_on_the_map_and_none_that_has_gone_comes_back():
    gone: set[int] = set()
    before: set[int] = set()
    for n in range(1, 300):
        now = set(thinned([n], most=40)[0])
        gone |= before - now
        assert not gone & now
        assert now >= set(range(max(0, n - 10), n))  # one by one, where something is being looked at
        before = now


def test_what_has_not_changed_is_not_read_again(growing, tmp_path):
    run = growing(tmp_path / "runs" / "a")
    run.go(3)
    watched = Watched([str(tmp_path / "runs" / "*")], most=100)
    first = watched.look()
    assert watched.look() is first
    run.go()
    second = watched.look()
    assert [len(second.keys), len(first.keys)] == [4, 3]
    assert second.keys[:3] == first.keys


def test_looks_that_are_held_share_what_they_have_in_common(growing, tmp_path):
    run = growing(tmp_path / "a")
    run.go(5)
    watched = Watched([str(tmp_path)], most=40)
    first = watched.look().opened[0]
    run.go(2)
    second = watched.look().opened[0]
    assert second.n_points == 7
    assert all(new is old for new, old in zip(second.lines, first.lines, strict=False))
    assert [dict(line) for line in second.lines] == [dict(line) for line in open_run(tmp_path / "a", is_growing=True).lines]


def test_what_is_not_on_the_map_is_forgotten(growing, tmp_path):
    def n_lines():
        gc.collect()
        return sum(type(one) is dict and {"step", "file"} <= one.keys() for one in gc.get_objects())

    before = n_lines()
    run = growing(tmp_path / "a")
    watched = Watched([str(tmp_path)], most=8)
    for _ in range(10):
        run.go(10)
        seen = watched.look()
    assert seen.n_recorded == 100
    assert n_lines() - before <= 8


def test_runs_may_come_later_and_are_in_the_order_of_the_map(growing, tmp_path):
    watched = Watched([str(tmp_path / "runs" / "*")], most=100)
    assert watched.look().runs == ()
    growing(tmp_path / "runs" / "run10").go(2)
    growing(tmp_path / "runs" / "run2").go(3)
    seen = watched.look()
    assert [run.run.name for run in seen.runs] == [run.name for run in open_runs(tmp_path / "runs" / "*")] == ["run2", "run10"]
    shutil.rmtree(tmp_path / "runs" / "run2")
    assert [run.run.name for run in watched.look().runs] == ["run10"]


def test_folders_are_those_of_open_runs(growing, tmp_path):
    for name in ("a/x", "a/y", "b"):
        growing(tmp_path / name).go()
    paths = [tmp_path / "b", tmp_path, tmp_path / "*" / "x"]
    assert [run.path for run in open_runs(paths)] == run_folders(paths)
    assert run_folders([tmp_path / "none", tmp_path / "no*"]) == []


def test_points_that_diverged_are_left_out_and_counted(growing, tmp_path):
    run = growing(tmp_path / "a")
    run.go(3)
    run.go(2, is_lost=True)
    watched = Watched([str(tmp_path)], most=100)
    seen = watched.look()
    assert (seen.runs[0].kept, seen.runs[0].n_left_out) == ((0, 1, 2), 2)
    opened = open_run(tmp_path / "a")
    assert (opened.diverged(), opened.diverged([0, 4]), opened.diverged([2])) == ([3, 4], [4], [])
    run.go(1, is_lost=True)
    assert watched.look().runs[0].n_left_out == 3


def test_of_a_run_with_a_damaged_file_the_others_stay(growing, tmp_path):
    growing(tmp_path / "a").go(7)
    file = tmp_path / "a" / "snapshots" / "000003.safetensors"
    file.write_bytes(b"\xff" * file.stat().st_size)
    seen = Watched([str(tmp_path)], most=100).look()
    assert seen.runs[0].kept == (0, 1, 2, 4, 5, 6)
    assert len(seen.notes) == 1


def test_points_that_their_writer_takes_out_go_and_a_run_that_is_recorded_again_has_other_points(growing, tmp_path):
    run = growing(tmp_path / "a")
    run.go(6)
    watched = Watched([str(tmp_path)], most=100)
    first = watched.look().keys
    run.writer.drop([1, 3])
    assert watched.look().keys == tuple(first[i] for i in (0, 2, 4, 5))
    run.writer.close()
    again = growing(tmp_path / "a", seed=1, if_exists="replace")
    again.go(6)
    assert not set(watched.look().keys) & set(first)


def test_run_of_another_model_and_one_that_cannot_be_read_are_said(growing, tmp_path):
    growing(tmp_path / "a").go(4)
    growing(tmp_path / "b", p=13).go(4)
    watched = Watched([str(tmp_path)], most=100)
    seen = watched.look()
    assert [run.run.name for run in seen.runs] == ["a"]
    assert "different parameters" in seen.notes[0]
    assert watched.look() is seen  # what is said stays said, and is no news
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "run.json").write_text("{")
    for _ in range(3):
        seen = watched.look()
    assert any("run.json' cannot be read" in note for note in seen.notes)


def test_more_runs_than_have_a_place_are_left_out_and_said(growing, tmp_path):
    for i in range(6):
        growing(tmp_path / f"{i}").go(2)
    seen = Watched([str(tmp_path)], most=8).look()
    assert len(seen.runs) == 4
    assert seen.notes == ("2 of 6 runs are left out; ask for a higher --max-points, or name fewer runs",)


def test_line_that_is_being_written_is_no_cause_to_warn(growing, tmp_path):
    run = growing(tmp_path / "a")
    run.go(3)
    with (tmp_path / "a" / "snapshots.jsonl").open("a") as manifest:
        manifest.write('{"step": 3, "fi')
    with pytest.warns(UserWarning, match="cut short"):
        open_run(tmp_path / "a")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert open_run(tmp_path / "a", is_growing=True).n_points == 3
        assert len(Watched([str(tmp_path)], most=100).look().keys) == 3
