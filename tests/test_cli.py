"""The command line as a person meets it: another process, its words and its exit code."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import lossatlas


def call(*arguments, cwd=None):
    command = [sys.executable, "-m", "lossatlas", *map(str, arguments)]
    environment = os.environ | {"COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"}
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=environment, check=False)


def walk(path, n=16, seed=0, **changes):
    """Record a random walk of a small model."""
    generator = torch.Generator().manual_seed(seed)
    model = torch.nn.Linear(6, 4)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) + 3)
    with lossatlas.Recorder(path, model) as recorder:
        for step in range(n):
            with torch.no_grad():
                for parameter in model.parameters():
                    parameter.add_(0.3 * torch.randn(parameter.shape, generator=generator))
                if changes.get("nan_at") == step:
                    model.bias[0] = float("nan")
                elif changes.get("nan_at") == step - 1:
                    model.bias[0] = 3.0
            recorder.step(loss=1 / (step + 1), accuracy=step / n)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    walk(folder / "sgd", seed=1)
    walk(folder / "adam", seed=2)
    return folder


def test_help_names_the_commands_and_their_options():
    assert all(word in call("--help").stdout for word in ("demo", "map", "Maps of where neural networks go"))
    demo, map_ = call("demo", "--help").stdout, call("map", "--help").stdout
    assert all(option in demo for option in ("--output", "--epochs", "--workers", "--seed", "--json", "goes on where it was"))
    assert all(
        option in map_
        for option in ("--output", "--knn", "--decay", "--gamma", "--preset", "--origin", "--diverged", "--method", "--no-nulls")
    )
    assert call("--version").stdout == f"lossatlas {lossatlas.__version__}\n"


def test_help_loads_no_torch_and_no_numpy():
    code = (
        "import sys\nfrom lossatlas.cli import main\nsys.argv = ['lossatlas', '--help']\n"
        "try: main()\nexcept SystemExit: pass\n"
        "assert not {'torch', 'numpy', 'matplotlib', 'numba'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_map_writes_every_ending(runs, tmp_path):
    for ending in ("html", "png", "svg", "pdf", "npz", "json"):
        done = call("map", runs / "*", "-o", tmp_path / f"atlas.{ending}")
        assert done.returncode == 0, done.stderr
        assert (tmp_path / f"atlas.{ending}").stat().st_size > 100
    arrays = np.load(tmp_path / "atlas.npz")
    assert arrays["coordinates"].shape == (34, 2)
    assert list(arrays["run_names"]) == ["adam", "sgd"]


def test_map_prints_json_and_nothing_else(runs, tmp_path):
    done = call("map", runs, "-o", tmp_path / "a.json", "--json")
    numbers = json.loads(done.stdout)
    assert numbers["n_points"] == 34
    assert done.stderr == ""
    assert json.loads((tmp_path / "a.json").read_text())["settings"]["preset"] == "sound"


def test_methods_and_nulls_are_as_the_command_line_says(runs, tmp_path):
    assert call("map", runs, "-o", tmp_path / "a.json").returncode == 0
    plain = json.loads((tmp_path / "a.json").read_text())
    assert set(plain["faithfulness"]) == {"phate", "pca"}
    assert set(plain["nulls"]) == {"random walk", "shuffled"}
    options = ["--method", "isomap", "--method", "tsne", "--method", "isomap", "--no-nulls"]
    assert call("map", runs, "-o", tmp_path / "a.json", *options).returncode == 0
    asked = json.loads((tmp_path / "a.json").read_text())
    assert set(asked["faithfulness"]) == {"phate", "isomap", "tsne"}
    assert "nulls" not in asked
    refuse(
        call("map", runs, "--method", "som", "-o", tmp_path / "a.json"), r"Invalid value for '--method': .*'som' is not one of"
    )


def test_the_settings_on_the_command_line_reach_the_embedding(runs, tmp_path):
    options = ["--knn", 4, "--decay", 10, "-t", 7, "--gamma", 0, "--preset", "paper", "--origin", "centroid", "--seed", 3]
    assert call("map", runs, "-o", tmp_path / "a.json", *options).returncode == 0
    settings = json.loads((tmp_path / "a.json").read_text())["settings"]
    expected = {"knn": 4, "decay": 10.0, "t": 7, "gamma": 0.0, "preset": "paper", "origin": "centroid", "seed": 3}
    assert settings.items() >= expected.items()


def test_points_that_diverged_are_refused_by_name_and_skipped_on_demand(tmp_path):
    walk(tmp_path / "sgd", nan_at=4)
    refused = call("map", tmp_path / "sgd", "-o", tmp_path / "a.json")
    assert "run 'sgd', point 5 (step 5) has 1 value that is NaN or infinite" in refused.stderr
    assert call("map", tmp_path / "sgd", "-o", tmp_path / "a.json", "--diverged", "skip").returncode == 0
    assert json.loads((tmp_path / "a.json").read_text())["n_left_out"] == 1


def _file(folder):
    (folder / "file").write_text("words")
    return folder / "file"


def _short_run(folder):
    walk(folder / "short", n=0)
    return folder / "short"


def _still_run(folder):
    model = torch.nn.Linear(2, 2)
    with lossatlas.Recorder(folder / "still", model) as recorder:
        for _ in range(8):
            recorder.step(loss=1.0)
    return folder / "still"


def _two_models(folder):
    walk(folder / "both" / "a")
    with lossatlas.Recorder(folder / "both" / "b", torch.nn.Linear(2, 3)) as recorder:
        recorder.step(loss=1.0)
    return folder / "both"


def _mixed_shapes(folder):
    walk(folder / "mixed")
    walk(folder / "mixed2")
    with lossatlas.Recorder(folder / "other", torch.nn.Linear(2, 3)):
        pass
    strange = folder / "other" / "snapshots" / "000000.safetensors"
    strange.replace(folder / "mixed" / "snapshots" / "000003.safetensors")
    return folder / "mixed"


BAD_RUNS = {
    "a folder that is no run": (lambda folder: folder, r"is not a run: it has no run\.json; record one with lossatlas\.Recorder"),
    "a folder that is not there": (lambda folder: folder / "no", r"is not a run: it is not there"),
    "a file": (_file, r"is not a run: it is no folder"),
    "a pattern without match": (lambda folder: folder / "no*", r"no run matches .*check the pattern"),
    "one point": (_short_run, r"at least 2 points, but there is only 1 in 'short'; record or sample more"),
    "identical points": (_still_run, r"all 9 points coincide, so there is nothing to map; record points that differ"),
    "two models": (_two_models, r"runs 'a' and 'b' have different parameters .*map them apart"),
    "a snapshot with other shapes": (
        _mixed_shapes,
        r"point 3 \(step 3\): tensor 'weight' should be F32 \(4, 6\) and is F32 \(3, 2\)",
    ),
}


@pytest.mark.parametrize("what", BAD_RUNS)
def test_bad_runs_get_one_line_and_exit_code_2_and_nothing_is_written(what, tmp_path):
    make, message = BAD_RUNS[what]
    output = tmp_path / "out" / "atlas.html"
    output.parent.mkdir()
    refuse(call("map", make(tmp_path), "-o", output), message)
    assert list(output.parent.iterdir()) == []


def refuse(done, message):
    assert done.returncode == 2, (done.stdout, done.stderr)
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("lossatlas: ")
    assert re.search(message, done.stderr), done.stderr


def test_bad_outputs_are_refused_before_any_work(runs, tmp_path):
    refuse(call("map", tmp_path / "no run", "-o", tmp_path / "a.jpg"), r"'a\.jpg' must end in")
    refuse(call("map", runs, "-o", tmp_path / "a.jpg"), r"'a\.jpg' must end in \.html, .*; rename it")
    refuse(call("map", runs, "-o", tmp_path / "no" / "a.html"), r"there is no folder .*make it first")
    refuse(call("map", runs, "-o", tmp_path), r"must end in")
    (tmp_path / "b.html").mkdir()
    refuse(call("map", runs, "-o", tmp_path / "b.html"), r"is a folder; name a file in it")


def test_a_closed_output_folder_is_refused(tmp_path):
    refuse(call("demo", "-o", _file(tmp_path)), r"is a file; name a folder with -o")
    refuse(call("demo", "-o", _file(tmp_path) / "demo"), r"cannot write .*choose a place that you can write to")
    if Path("/proc").is_dir():
        refuse(call("demo", "-o", "/proc/demo"), r"cannot write '/proc/demo'.*choose a place that you can write to")
    if os.geteuid() != 0:  # root may write everywhere
        (tmp_path / "closed").mkdir(mode=0o500)
        refuse(call("demo", "-o", tmp_path / "closed" / "demo"), r"cannot write .*[Pp]ermission denied")


def test_bad_options_get_one_line(runs, tmp_path):
    refuse(call("map", runs, "--knn", "many"), r"Invalid value for '--knn': .*valid integer.*; see lossatlas --help")
    refuse(call("map", runs, "--no-such"), r"No such option.*see lossatlas --help")
    refuse(call("paint"), r"No such command.*see lossatlas --help")
    refuse(call("demo", "no-such"), r"no-such.*good-bad-memorised")
    refuse(call("map", runs, "--knn", 60, "-o", tmp_path / "a.html"), r"knn=60 needs at least 61 points, but there are 34")
    refuse(call("map", runs, "--gamma", 3, "-o", tmp_path / "a.html"), r"gamma must be from -1 to 1, but is 3")
    refuse(
        call("map", runs, "--loss", "los", "-o", tmp_path / "a.html"), r"no run has the metric 'los'; recorded are loss, accuracy"
    )


def test_a_torn_line_is_a_warning_of_one_line(tmp_path):
    walk(tmp_path / "sgd")
    with (tmp_path / "sgd" / "snapshots.jsonl").open("a") as lines:
        lines.write('{"point": 17, "st')
    done = call("map", tmp_path / "sgd", "-o", tmp_path / "a.json")
    assert done.returncode == 0
    assert done.stderr.startswith("lossatlas: warning: run 'sgd': the last line of its manifest was cut short")
    assert done.stderr.count("\n") == 1
