"""``lossatlas sample`` on the task of the example, outside the package."""

import json
import re

import pytest
from test_cli import call

from lossatlas import open_run, open_runs


def test_jumps_are_recorded_after_their_cost_was_said_and_can_be_mapped(own_folder):
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
    done = call(*arguments, "--workers", 2, cwd=own_folder)
    assert done.returncode == 0, done.stderr
    assert re.search(r"4 retrainings, 13 points: about \S+ \S+ on 2 processes, \S+ MB on disk", done.stderr)
    assert "wrote around; draw it with lossatlas map around" in done.stdout
    runs = open_runs(own_folder / "around")
    assert [run.n_points for run in runs] == [1, 3, 3, 3, 3]
    assert (runs[0].weights()[0] == open_run(own_folder / "runs" / "seed-0").weights()[-1]).all()
    again = call(*arguments, "--json", cwd=own_folder)
    assert json.loads(again.stdout) == {"runs": 5, "points": 13, "folder": "around", "diverged": 0}
    assert call("map", "around", "-o", "around.png", cwd=own_folder).returncode == 0


def test_an_epoch_of_some_updates_and_another_start(own_folder):
    arguments = ("--from", "runs/seed-1@3", "-o", "few", "--seeds", 1, "--steps", "1", "--epochs", 2, "--updates", 3)
    done = call("sample", "own_task.py:task", *arguments, "--workers", 1, cwd=own_folder)
    assert done.returncode == 0, done.stderr
    optimum, run = open_runs(own_folder / "few")
    assert run.settings["updates"] == 3
    assert (optimum.weights()[0] == open_run(own_folder / "runs" / "seed-1").weights()[3]).all()


@pytest.mark.parametrize("method", ["naive", "grid"])
def test_the_rivals_record_640_points(own_folder, method):
    done = call("sample", "own_task:task", "--from", "runs/seed-0", "-o", method, "--method", method, "--json", cwd=own_folder)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"runs": 2, "points": 641, "folder": method, "diverged": 0}


def test_bad_input_is_one_line_and_exit_code_2(own_folder):
    for arguments, words in {
        ("--from", "runs/seed-0", "-o", "bad", "--steps", "a,b"): "--steps must be numbers with commas between",
        ("--from", "runs/seed-0@77", "-o", "bad"): "has no point at step 77",
        ("-o", "bad"): "Missing option '--from'",
    }.items():
        done = call("sample", "own_task:task", *arguments, cwd=own_folder)
        assert done.returncode == 2
        assert done.stderr.count("\n") == 1, done.stderr
        assert words in done.stderr
    assert not (own_folder / "bad").exists()
