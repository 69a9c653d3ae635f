"""Runs are found by path, folder and pattern, in the order in which people count."""

from pathlib import Path

import pytest
from small_runs import write_run

from lossatlas.store import open_run, open_runs

_COUNTED = ["run1", "run2", "run10", "run11"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("run10", "run2", "run11", "run1"):
        write_run(tmp_path / "runs" / name, [0])
    (tmp_path / "runs" / "notes").mkdir()
    (tmp_path / "runs" / "run3.txt").write_text("no run")
    return tmp_path / "runs"


def test_runs_below_a_folder_come_in_the_order_of_their_numbers(folder):
    assert [run.name for run in open_runs(folder)] == _COUNTED
    assert [run.name for run in open_runs(str(folder.parent))] == _COUNTED


def test_a_pattern_passes_over_what_is_no_run(folder):
    assert [run.name for run in open_runs(folder / "*")] == _COUNTED
    assert [run.name for run in open_runs(str(folder / "run1*"))] == ["run1", "run10", "run11"]
    assert [run.name for run in open_runs(f"{folder.parent}/*s/run?")] == ["run1", "run2"]
    assert [run.name for run in open_runs(f"{folder.parent}/**")] == _COUNTED


def test_a_relative_pattern_starts_where_the_user_is(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    assert [run.name for run in open_runs("runs/*")] == _COUNTED
    monkeypatch.chdir(folder)
    assert [run.name for run in open_runs("run?")] == ["run1", "run2"]


def test_the_users_own_order_of_paths_is_kept(folder):
    first = open_run(folder / "run11")
    runs = open_runs([first, folder / "run2", str(folder / "run10")])
    assert [run.name for run in runs] == ["run11", "run2", "run10"]
    assert runs[0] is first
    assert open_runs(first) == [first]


def test_a_folder_whose_name_looks_like_a_pattern_is_opened(tmp_path):
    write_run(tmp_path / "lr[0.1]*", [0])
    assert [run.name for run in open_runs(tmp_path / "lr[0.1]*")] == ["lr[0.1]*"]


def test_names_with_digits_that_are_no_numbers_are_sorted_too(tmp_path):
    for name in ("a2²", "a10", "a2"):
        write_run(tmp_path / name, [0])
    assert [run.name for run in open_runs(tmp_path)] == ["a2", "a2²", "a10"]
