"""``lossatlas geometry``: its table, its JSON, its figure, and what it refuses."""

import json
import re
import sys
import warnings

import numpy as np
import pytest
import torch
from layered_runs import SHAPES, recorded
from matplotlib.image import imread

import lossatlas as la
from lossatlas import cli
from lossatlas.distance import pairwise
from lossatlas.measure import end_spread, trajectory_geometry


@pytest.fixture
def here(monkeypatch, capsys):
    """Call the command in this process: another one would take seconds to begin."""
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)
    monkeypatch.setenv("COLUMNS", "120")

    def calling(*arguments):
        monkeypatch.setattr(sys, "argv", ["lossatlas", "geometry", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        return ended.value.code, said.out, said.err

    return calling


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two trainings that walk, of 9 and of 6 points."""
    made = tmp_path_factory.mktemp("walks")
    recorded(made / "one", 9)
    recorded(made / "two", 6, seed=1)
    return made


@pytest.fixture(scope="module")
def points(folder):
    return np.vstack([run.weights() for run in la.open_runs(folder)])


def test_the_numbers_are_those_of_the_weights(here, folder, points):
    code, out, err = here(folder, "--json")
    assert (code, err) == (0, "")
    found, between = json.loads(out), pairwise(points)
    expected = trajectory_geometry(between, [(0, 9), (9, 15)], steps=np.concatenate([np.arange(9.0), np.arange(6.0)]))
    for place, (name, n) in enumerate({"one": 9, "two": 6}.items()):
        numbers = found["trajectories"][name]
        assert (numbers.pop("kind"), numbers.pop("n_points")) == ("training", n)
        assert numbers == pytest.approx(expected.summary(place))
    assert found["spreads"] == {"trainings as one": pytest.approx(end_spread(between, [(0, 9), (9, 15)]).summary())}


def test_the_table_has_a_row_a_run_and_by_layer_a_row_a_layer(here, folder):
    code, out, _ = here(folder)
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == ["run", "one", "two", "ends", "trainings"]
    head, first = out.splitlines()[:2]
    assert head.split() == ["run", "length", "start", "to", "end", "straightness", "random", "walk", "turning", "(90)"]
    numbers = la.geometry(folder).summary()["trajectories"]["one"]
    assert first.split() == [
        "one", f"{numbers['length']:.3g}", f"{numbers['displacement']:.3g}", f"{numbers['straightness']:.2f}",
        f"{numbers['null_straightness']:.2f}", f"{numbers['mean_turning_degrees']:.0f}°",
    ]  # fmt: skip
    _, out, _ = here(folder, "--by-layer")
    assert [line.split()[0] for line in out.splitlines()[1:9]] == ["one", *SHAPES]
    still = out.splitlines()[2 + list(SHAPES).index("blocks.0.norm.weight")]
    assert still.split()[1:] == ["0", "0", "-", "-", "-", "0.00"]
    _, out, _ = here(folder, "--by-layer", "--depth", 1)
    assert [line.split()[0] for line in out.splitlines()[1:5]] == ["one", "embed", "blocks", "head"]


def test_by_layer_the_json_has_shares_that_sum_to_one(here, folder):
    found = json.loads(here(folder, "--by-layer", "--json")[1])["trajectories"]
    for run in found.values():
        assert list(run["layers"]) == list(SHAPES)
        assert sum(layer["share"] for layer in run["layers"].values()) == pytest.approx(1)
        assert sum(layer["displacement"] ** 2 for layer in run["layers"].values()) == pytest.approx(run["displacement"] ** 2)


def test_a_figure_is_written_whole_or_by_layer(here, folder, tmp_path):
    for options in ((), ("--by-layer",)):
        code, out, _ = here(folder, "-o", tmp_path / "a.png", *options)
        assert code == 0
        assert out.splitlines()[-1] == f"wrote {tmp_path / 'a.png'}"
        assert imread(tmp_path / "a.png").shape[1] == 2070  # a page of 6.9 in at 300 dpi
    here(folder, "-o", tmp_path / "b.png", "--style", "talk")
    assert imread(tmp_path / "b.png").shape[:2] == (1080, 1920)


def test_runs_of_sketches_are_measured_whole_and_not_by_layer(here, tmp_path):
    model = torch.nn.Linear(40, 30)
    with la.Recorder(tmp_path / "sketched", model, keep="both") as recorder:
        for step in range(6):
            with torch.no_grad():
                model.weight += 0.1 * torch.sin(torch.arange(1200.0).reshape(30, 40) * (step + 1))
            recorder.step()
    exact = la.geometry(tmp_path / "sketched")
    about = json.loads((tmp_path / "sketched" / "run.json").read_text()) | {"keep": "sketch"}
    (tmp_path / "sketched" / "run.json").write_text(json.dumps(about))
    found = json.loads(here(tmp_path / "sketched", "--json")[1])["trajectories"]["sketched"]
    assert found["length"] == pytest.approx(exact.whole.length[0], rel=0.05)
    code, out, err = here(tmp_path / "sketched", "--by-layer")
    assert (code, out) == (2, "")
    assert "holds sketches and no weights, which this needs" in err


def test_a_star_is_told_by_its_jumps(here, tmp_path):
    model = torch.nn.Linear(3, 2)
    made_by = {f"s{seed}-{jump}": {"kind": "retraining", "seed": seed, "step": jump} for seed in (0, 1, 2) for jump in (0.5, 1.0)}
    made_by["optimum"] = {"kind": "optimum"}
    for name, settings in made_by.items():
        with torch.no_grad():
            torch.nn.init.zeros_(model.bias)
            model.weight.copy_(torch.ones(2, 3))
            if "seed" in settings:
                model.weight[0, settings["seed"]] += 4 * settings["step"]
        with la.Recorder(tmp_path / name, model, settings=settings) as recorder:
            if "seed" in settings:
                with torch.no_grad():
                    model.weight[0, settings["seed"]] -= 3 * settings["step"]
                recorder.step()
    found = json.loads(here(tmp_path, "--json")[1])["spreads"]
    assert list(found) == ["jump of 0.5", "jump of 1"]
    for jump in (0.5, 1.0):
        numbers = found[f"jump of {jump:g}"]
        assert numbers["n_runs"] == 3
        assert [numbers[name] for name in ("scale", "way", "return_ratio", "spread")] == pytest.approx(
            [4 * jump, jump, 0.25, 0.25 * 2**0.5]
        )
    _, out, _ = here(tmp_path)
    assert re.search(r"^jump of 0\.5 +3 +0\.25 +0\.00 +0\.5 +0\.707 +0\.707", out, flags=re.MULTILINE)


def test_points_that_diverged_are_refused_by_name_and_left_out_on_demand(here, tmp_path, folder):
    recorded(tmp_path / "lost", 6, lost_at=3)
    code, out, err = here(tmp_path / "lost")
    assert (code, out) == (2, "")
    assert "run 'lost', point 3 (step 3) has 1 value that is NaN or infinite" in err
    found = json.loads(here(tmp_path / "lost", folder, "--diverged", "skip", "--json")[1])
    assert {name: own["n_points"] for name, own in found["trajectories"].items()} == {"lost": 5, "one": 9, "two": 6}
    assert found["spreads"]["trainings as one"]["n_runs"] == 2  # what diverged has no end


def test_samples_are_no_ways(here, tmp_path):
    model = torch.nn.Linear(2, 2)
    with la.Recorder(tmp_path / "grid", model, settings={"kind": "slice"}) as recorder:
        recorder.step()
    code, _, err = here(tmp_path)
    assert code == 2
    assert err == "lossatlas: no run has two points that follow each other, so there is no way to measure; record more\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("no such run",), r"'.*no such run' is not a run: it is not there"),
        (("RUNS", "--depth", "1"), r"depth=1 names layers, .*pass by_layer=True \(--by-layer\) too"),
        (("RUNS", "--by-layer", "--depth", "0"), r"Invalid value for '--depth'"),
        (("no such run", "-o", "a.html"), r"'a\.html' must end in \.png, \.svg or \.pdf; rename it"),
        (("no such run", "-o", "no/a.png"), r"there is no folder 'no' to write a\.png into; make it first"),
        ((), r"Missing argument"),
    ],
)
def test_bad_input_gets_one_line_and_exit_code_2(here, folder, monkeypatch, arguments, message):
    monkeypatch.chdir(folder)
    code, out, err = here(*(folder if word == "RUNS" else word for word in arguments))
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert re.search(message, err), err
