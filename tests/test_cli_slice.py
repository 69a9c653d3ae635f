"""``lossatlas slice`` on the task of the example, outside the package."""

import json
import os
import signal
import subprocess
import sys
import time
import warnings

import numpy as np
import pytest
from test_cli import call

from lossatlas import cli, open_run


@pytest.fixture
def here(own_folder, monkeypatch, capsys):
    """Call the command in this process: another one would take seconds to begin."""
    monkeypatch.chdir(own_folder)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)

    def calling(*arguments):
        monkeypatch.setattr(sys, "argv", ["lossatlas", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        return ended.value.code, said.out, said.err

    yield calling
    sys.modules.pop("own_task", None)


@pytest.mark.parametrize(
    ("kind", "points"),
    [
        ("line", ["runs/seed-0"]),
        ("line", ["runs/seed-0@0", "runs/seed-0"]),
        ("plane", ["runs/seed-0"]),
        ("pca", ["runs/seed-0"]),
        ("barycentric", ["runs/seed-0", "runs/seed-1", "runs/seed-1@3"]),
        ("bilinear", ["runs/seed-0", "runs/seed-1", "runs/seed-0@0", "runs/seed-1@0"]),
    ],
)
def test_each_kind_is_drawn(own_folder, here, kind, points):
    code, out, _ = here("slice", "own_task:task", *points, "--kind", kind, "-n", 5, "-o", "out.png")
    assert code == 0
    assert "wrote out.png" in out
    assert (own_folder / "out.png").stat().st_size > 10_000
    assert not (own_folder / "out.png.measured.npz").exists()


@pytest.mark.parametrize("kind", ["plane", "pca"])
def test_a_plane_is_a_page(own_folder, here, kind):
    code, out, _ = here("slice", "own_task:task", "runs/seed-0", "--kind", kind, "-n", 5, "-o", f"{kind}.html")
    assert code == 0
    assert f"wrote {kind}.html" in out
    assert f'"name": "{kind} through runs/seed-0"' in (own_folder / f"{kind}.html").read_text()


def test_a_plane_is_drawn_as_a_surface(own_folder, here):
    asked = (
        "slice",
        "own_task:task",
        "runs/seed-0",
        "--kind",
        "plane",
        "-n",
        5,
        "-o",
        "surface.svg",
        "--surface",
        "--style",
        "talk",
    )
    code, out, _ = here(*asked)
    assert code == 0
    assert "wrote surface.svg" in out
    drawn = (own_folder / "surface.svg").read_text()
    assert "first direction</text>" in drawn
    assert 'width="960pt" height="540pt"' in drawn


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--kind", "line", "--surface"), "a surface is of a plane, which this slice is not"),
        (("--kind", "plane", "--surface", "-o", "a.json"), "a surface is a figure, but 'a.json' is none"),
        (("--kind", "plane", "--style", "talk"), "--style is for --surface; name both, or neither"),
    ],
)
def test_a_surface_of_what_has_none_is_refused(here, arguments, said):
    code, _, err = here("slice", "own_task:task", "runs/seed-0", *arguments)
    assert (code, err.count("\n")) == (2, 1)
    assert said in err


def test_json_holds_the_numbers_and_a_file_of_arrays_the_losses(own_folder, here):
    arguments = ("own_task.py:task", "runs/seed-0@0", "runs/seed-0", "-o", "out.npz", "--data", "test", "--json")
    _, out, _ = here("slice", *arguments)
    numbers = json.loads(out)
    assert numbers["n_points"] == 51
    assert numbers["settings"]["data"] == "test"
    with np.load(own_folder / "out.npz") as arrays:
        assert arrays["loss"].max() == numbers["greatest_loss"]
        assert arrays["loss"][0] > 2 > arrays["loss"][-1]


def test_points_are_recorded_for_a_map(own_folder):
    done = call(
        "slice", "own_task:task", "runs/seed-0", "runs/seed-1", "-n", 7, "-o", "out.png", "--record", "line", cwd=own_folder
    )
    assert done.returncode == 0, done.stderr
    assert "wrote line" in done.stdout
    run = open_run(own_folder / "line")
    np.testing.assert_array_equal(run.weights()[0], open_run(own_folder / "runs" / "seed-0").weights()[-1])
    assert call("map", "runs", "line", "-o", "map.png", cwd=own_folder).returncode == 0


def assert_refused(answer, words):
    """Hold that a command ended with one line and exit code 2, and printed nothing else."""
    code, out, err = answer
    assert code == 2, words
    assert out == ""
    assert err.count("\n") == 1, err
    assert words in err


def test_bad_input_is_one_line_and_exit_code_2(here):
    for arguments, words in {
        ("own_task:nobody", "runs/seed-0"): "own_task has no such function",
        ("own_task:task", "runs/seed-0@99"): "run 'seed-0' has no point at step 99; the nearest recorded are 19 and 20",
        ("own_task:task", "runs/seed-0@x"): "a point is RUN@STEP with a whole number, but 'x' came",
        ("own_task:task", "runs/nobody"): "is not a run",
        ("own_task:task", "runs/seed-0", "--kind", "bilinear"): "--kind bilinear takes 4 of RUN[@STEP], but 1 came; name as many",
        ("own_task:task", "runs/seed-0", "-n", "2"): "n must be a whole number of points from 3 on",
        ("own_task:task", "runs/seed-0", "--kind", "pca", "--reach", "1"): "--reach has no meaning for --kind pca of 1 points",
        ("own_task:task", "runs/seed-0", "-o", "a.html"): "only a plane has a page; end it in .png",
        ("own_task:task", "runs/seed-0", "--device", "quantum"): "device 'quantum' cannot be used",
    }.items():
        assert_refused(here("slice", *arguments), words)


def test_stopped_in_the_middle_it_goes_on(own_folder):
    (own_folder / "slow_task.py").write_text(
        "import time\nfrom own_task import task as make\nfrom dataclasses import replace\n"
        "def slow(output, y):\n"
        "    time.sleep(0.002)\n"
        "    return __import__('torch').nn.functional.cross_entropy(output, y)\n"
        "def task():\n    return replace(make(), loss=slow)\n"
    )
    arguments = ["slow_task:task", "runs/seed-0", "--kind", "plane", "--reach", "1", "-n", "21", "-o", "slow.json"]
    command = [sys.executable, "-m", "lossatlas", "slice", *arguments]
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)  # what is begun in the background ignores it
    first = subprocess.Popen(
        command,
        cwd=own_folder,
        stderr=subprocess.PIPE,
        text=True,
    )
    signal.signal(signal.SIGINT, handler)
    kept = own_folder / "slow.json.measured.npz"
    while not (kept.exists() and np.load(kept)["done"].sum() >= 64):
        assert first.poll() is None, first.stderr.read()
        time.sleep(0.02)
    os.kill(first.pid, signal.SIGINT)
    _, said = first.communicate(timeout=60)
    assert first.returncode == 130
    assert "stopped; the same command goes on where it was" in said
    done = np.load(kept)["done"].sum()
    assert 64 <= done < 441
    again = call(*command[3:], cwd=own_folder)
    assert again.returncode == 0, again.stderr
    assert f"plane ({done} of 441 done)" in again.stderr
    assert json.loads((own_folder / "slow.json").read_text())["n_measured"] == 441
    assert not kept.exists()
