"""``lossatlas connect`` on the task of the example, outside the package."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from test_cli import call
from test_cli_slice import assert_refused, here  # noqa: F401 - a fixture

from lossatlas import open_run

_ENDS = ("own_task.py:task", "runs/seed-0", "runs/seed-1")


@pytest.mark.parametrize("method", ["band", "bezier", "chain"])
def test_each_method_finds_a_path_below_the_straight_line(own_folder, here, method):  # noqa: F811
    code, out, _ = here("connect", *_ENDS, "--method", method, "--effort", "0.1", "-o", "path.json", "--json")
    assert code == 0
    numbers = json.loads(out)
    assert numbers["kind"] == "LowLossPath"
    assert numbers["barrier"] < 0.7 * numbers["straight"]["barrier"]
    assert numbers["length"] > numbers["straight"]["length"]
    found = numbers["found_by"]
    assert found["settings"].get("curve", "band") == method
    assert found["steps"] == (160 if method == "band" else 200)
    assert not (own_folder / "path.json.found.npz").exists()


def test_the_path_is_recorded_beside_the_straight_line_and_put_on_a_map(own_folder, here):  # noqa: F811
    code, out, _ = here("connect", *_ENDS, "--method", "bezier", "--effort", "0.02", "-o", "path.png", "--record", "found")
    assert code == 0
    assert (own_folder / "path.png").stat().st_size > 10_000
    for line in ("wrote path.png", "wrote found/path", "wrote found/line", "barrier of the straight line"):
        assert line in out
    ends = [open_run(own_folder / "runs" / name).weights()[-1] for name in ("seed-0", "seed-1")]
    for name in ("path", "line"):
        run = open_run(own_folder / "found" / name)
        assert run.settings["kind"] == "path"
        np.testing.assert_array_equal(run.weights()[[0, -1]], ends)
    made = call("map", "runs", "found", "-o", "map.json", cwd=own_folder)
    assert made.returncode == 0, made.stderr


def test_the_end_is_aligned_first_where_that_is_asked_for(here):  # noqa: F811
    _, out, _ = here("connect", *_ENDS, "--align", "--method", "bezier", "--effort", "0.005", "-o", "aligned.npz", "--json")
    aligned = json.loads(out)
    assert aligned["distance_aligned"] < aligned["distance"]
    assert aligned["straight"]["length"] == pytest.approx(aligned["distance_aligned"], rel=1e-5)
    _, out, _ = here("connect", *_ENDS, "--method", "bezier", "--effort", "0.005", "-o", "plain.npz", "--json")
    plain = json.loads(out)
    assert plain["straight"]["length"] == pytest.approx(aligned["distance"], rel=1e-5)
    assert aligned["straight"]["barrier"] < 0.7 * plain["straight"]["barrier"]


def test_bad_input_is_one_line_and_exit_code_2(own_folder, here):  # noqa: F811
    (own_folder / "taken").mkdir(exist_ok=True)
    for arguments, words in {
        ("own_task:nobody", "runs/seed-0", "runs/seed-1"): "own_task has no such function",
        (*_ENDS[:2], "runs/seed-1@99"): "run 'seed-1' has no point at step 99; the nearest recorded are 19 and 20",
        (*_ENDS[:2], "runs/nobody"): "is not a run",
        (*_ENDS, "-o", "path.html"): "only a plane has a page; end it in .png",
        (*_ENDS, "-o", "nowhere/path.png"): "there is no folder",
        (*_ENDS, "--device", "quantum"): "device 'quantum' cannot be used",
    }.items():
        assert_refused(here("connect", *arguments), words)
    for arguments in ((*_ENDS, "--method", "walk"), (*_ENDS, "--effort", "0"), _ENDS[:2]):
        assert here("connect", *arguments)[0] == 2


def test_a_folder_that_cannot_hold_the_runs_is_refused_before_the_work(own_folder, here):  # noqa: F811
    (own_folder / "full" / "path").mkdir(parents=True, exist_ok=True)
    (own_folder / "full" / "path" / "something").write_text("of mine")
    began = time.perf_counter()
    code, _, err = here("connect", *_ENDS, "--record", "full", "-o", "refused.png", "--effort", "1000")
    assert code == 2
    assert err.count("\n") == 1, err
    assert "'full/path'" in err
    assert time.perf_counter() - began < 30
    assert (own_folder / "full" / "path" / "something").read_text() == "of mine"


def test_stopped_in_the_middle_it_goes_on(own_folder):
    arguments = [*_ENDS, "--method", "bezier", "--effort", "0.5", "-o", "stopped.json"]
    command = [sys.executable, "-m", "lossatlas", "connect", *arguments]
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)  # what is begun in the background ignores it
    first = subprocess.Popen(command, cwd=own_folder, stderr=subprocess.PIPE, text=True)
    signal.signal(signal.SIGINT, handler)
    kept = own_folder / "stopped.json.found.npz"
    while not (kept.exists() and "round" in np.load(kept).files):
        assert first.poll() is None, first.stderr.read()
        time.sleep(0.02)
    os.kill(first.pid, signal.SIGINT)
    _, said = first.communicate(timeout=60)
    assert first.returncode == 130
    assert "stopped; the same command goes on where it was" in said
    again = call(*command[3:], cwd=own_folder)
    assert again.returncode == 0, again.stderr
    assert not kept.exists()
    whole = call("connect", *_ENDS, "--method", "bezier", "--effort", "0.5", "-o", "whole.json", cwd=own_folder)
    assert whole.returncode == 0
    found = [json.loads((own_folder / name).read_text()) for name in ("stopped.json", "whole.json")]
    assert found[0]["barrier"] == found[1]["barrier"]
    assert found[0]["length"] == found[1]["length"]
