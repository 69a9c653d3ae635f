"""``lossatlas sample`` on the task of the example, outside the package."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from test_cli import call

import lossatlas
from lossatlas import open_run, open_runs

_EXAMPLE = Path(lossatlas.__file__).parents[2] / "examples" / "own_task.py"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    shutil.copy(_EXAMPLE, folder / "own_task.py")
    subprocess.run([sys.executable, "-W", "error", "own_task.py", "runs"], cwd=folder, check=True)
    return folder


def test_jumps_are_recorded_after_their_cost_was_said_and_can_be_mapped(folder):
    arguments = (
        "sample",
        "own_task:task",
        "--from",
        "runs/seed-0",
        "-o",
        "around",
        "--seeds",
        2,
        "--steps",
        "0.5,1",
        "--epochs",
        2,
    )
    done = call(*arguments, "--workers", 2, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert re.search(r"4 retrainings, 13 points: about \S+ \S+ on 2 processes, \S+ MB on disk", done.stderr)
    assert "wrote around; draw it with lossatlas map around" in done.stdout
    runs = open_runs(folder / "around")
    assert [run.n_points for run in runs] == [1, 3, 3, 3, 3]
    assert (runs[0].weights()[0] == open_run(folder / "runs" / "seed-0").weights()[-1]).all()
    again = call(*arguments, "--json", cwd=folder)
    assert json.loads(again.stdout) == {"runs": 5, "points": 13, "folder": "around", "diverged": 0}
    assert call("map", "around", "-o", "around.png", cwd=folder).returncode == 0


def test_an_epoch_of_some_updates_and_another_start(folder):
    arguments = ("--from", "runs/seed-1@3", "-o", "few", "--seeds", 1, "--steps", "1", "--epochs", 2, "--updates", 3)
    done = call("sample", "own_task.py:task", *arguments, "--workers", 1, cwd=folder)
    assert done.returncode == 0, done.stderr
    optimum, run = open_runs(folder / "few")
    assert run.settings["updates"] == 3
    assert (optimum.weights()[0] == open_run(folder / "runs" / "seed-1").weights()[3]).all()


@pytest.mark.parametrize("method", ["naive", "grid"])
def test_the_rivals_record_640_points(folder, method):
    done = call("sample", "own_task:task", "--from", "runs/seed-0", "-o", method, "--method", method, "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"runs": 2, "points": 641, "folder": method, "diverged": 0}


def test_bad_input_is_one_line_and_exit_code_2(folder):
    for arguments, words in {
        ("--from", "runs/seed-0", "-o", "bad", "--steps", "a,b"): "--steps must be numbers with commas between",
        ("--from", "runs/seed-0@77", "-o", "bad"): "has no point at step 77",
        ("-o", "bad"): "Missing option '--from'",
    }.items():
        done = call("sample", "own_task:task", *arguments, cwd=folder)
        assert done.returncode == 2
        assert done.stderr.count("\n") == 1, done.stderr
        assert words in done.stderr
    assert not (folder / "bad").exists()
