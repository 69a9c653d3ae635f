"""Maps of what networks predict: beside a map of weights, and of runs that weights cannot compare."""

import json

import numpy as np
import pytest
import torch
from test_cli import call
from torch import nn

from lossatlas import Recorder, Task, atlas, compare, inpca, open_run, prediction_distances, predictions
from lossatlas.draw import scene


@pytest.fixture(scope="module")
def networks(tmp_path_factory):
    """Two widths of network that learn the same, with their tasks, runs and predictions."""
    folder = tmp_path_factory.mktemp("networks")
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(90, 5, generator=generator)
    y = (x[:, 0] > 0).long() + (x[:, 1] > 0.5).long()
    tasks, runs = [], []
    for width in (6, 17):
        torch.random.manual_seed(width)
        model = nn.Sequential(nn.Linear(5, width), nn.Tanh(), nn.Linear(width, 3))
        task = Task(model, nn.CrossEntropyLoss(), [(x, y)], [(x[:40], y[:40])], lambda p: torch.optim.SGD(p, lr=1.0))
        optimizer = task.optimizer(model.parameters())
        with Recorder(folder / f"w{width}", model) as recorder:
            for _ in range(20):
                optimizer.zero_grad()
                loss = task.loss(model(x), y)
                loss.backward()
                optimizer.step()
                recorder.step(train_loss=loss)
        tasks.append(task)
        runs.append(open_run(folder / f"w{width}"))
    return runs, [predictions(task, run) for task, run in zip(tasks, runs, strict=True)]


def _lengths(coordinates):
    return np.linalg.norm(coordinates[:, None] - coordinates, axis=2)


def test_networks_of_other_widths_share_a_map(networks, refuses):
    runs, said = networks
    with refuses("different parameters"):
        atlas(runs)
    made = atlas(runs, metric="predictions", predictions=said)
    assert made.n_points == 42
    assert made.space == "predictions"
    np.testing.assert_allclose(made.distances**2, prediction_distances(said), atol=1e-13)
    # Ways are measured in a space, where no way is shorter than the straight one.
    H = prediction_distances(said, kind="hellinger")
    np.testing.assert_allclose(made.step_lengths[1:21], np.diagonal(H, 1)[:20], atol=1e-12)
    np.testing.assert_allclose(made.geometry.displacement, [H[0, 20], H[21, 41]], atol=1e-12)
    assert made.spreads == {}  # networks of other widths are not alike but for their seeds
    assert list(made.layouts) == ["pca", "inpca"]
    assert made.summary()["faithfulness"].keys() == {"phate", "pca", "inpca"}
    part = scene({"map": made}, title="t").maps[0]
    assert part.layouts[0].caption.startswith("PHATE of 42 points, Bhattacharyya distance of predictions; knn 5")
    assert next(metric.meaning for metric in part.metrics if metric.name == "step_length").startswith(
        "Hellinger distance of the predictions"
    )
    assert part.distances.label == "root of the Bhattacharyya distance"
    # The nets learn the same: their ends are nearer to each other than to their starts.
    ends, starts = [20, 41], [0, 21]
    assert made.distances[20, 41] < min(made.distances[ends, starts])


def test_a_map_of_weights_has_predictions_beside(networks):
    runs, said = networks
    made = atlas(runs[0], predictions=said[:1], methods=("pca",))
    assert made.space == "weights"
    assert list(made.layouts) == ["pca", "predictions", "inpca"]
    part = scene({"map": made}, title="t").maps[0]
    assert [layout.name for layout in part.layouts] == ["PHATE", "PCA", "Predictions", "InPCA"]
    assert all(len(score.values) == 4 for score in part.scores)
    assert "of it on 2 axes" in part.layouts[3].caption
    assert part.layouts[3].coordinates_3d.shape == (21, 3)
    # They are the same whichever map they stand beside, but for the turn upon it.
    alone = atlas(runs[0], metric="predictions", predictions=said[:1])
    inner = [_lengths(one) for one in (made.layouts["predictions"].coordinates, alone.embedding.coordinates)]
    np.testing.assert_allclose(*inner, atol=1e-9)
    # Each layout is scored against what it draws.
    scores = made.comparison.faithfulness
    assert scores["predictions"].trustworthiness == pytest.approx(alone.comparison.faithfulness["phate"].trustworthiness)


def test_points_that_diverged_are_left_out_of_predictions_too(networks, tmp_path):
    _, said = networks
    model = nn.Linear(2, 2)
    with Recorder(tmp_path / "run", model) as recorder:
        for step in range(9):
            with torch.no_grad():
                model.weight += 0.1 if step != 4 else torch.nan
            recorder.step(train_loss=1.0)
            if step == 4:
                with torch.no_grad():
                    model.weight.copy_(torch.ones(2, 2))
    run = open_run(tmp_path / "run")
    of_run = said[0][:10]
    made = atlas(run, metric="predictions", predictions=[of_run], diverged="skip", nulls=False)
    np.testing.assert_allclose(made.distances**2, prediction_distances(np.delete(of_run, 5, axis=0)), atol=1e-13)


@pytest.mark.usefixtures("as_users_call")
def test_predictions_of_other_runs_are_refused(networks, refuses):
    runs, said = networks
    with refuses("there are 2 runs, but predictions of 1; pass those of each, in their order"):
        atlas(runs, metric="predictions", predictions=said[:1])
    with refuses("run 'w6' has 21 points, but its predictions 20; pass lossatlas.predictions"):
        atlas(runs, metric="predictions", predictions=[said[0][1:], said[1]])
    with refuses("predictions must be a list with one array for each run, but one array came; put it into a list"):
        atlas(runs[:1], metric="predictions", predictions=said[0])
    lost = said[1].copy()
    lost[3] = np.nan
    with refuses(r"run 'w17', point 3 \(step 3\) has predictions that are NaN; leave it out, as atlas does with diverged='skip'"):
        atlas(runs, metric="predictions", predictions=[said[0], lost])
    with refuses("metric='predictions' needs predictions of each run; pass predictions="):
        atlas(runs, metric="predictions")


def test_a_jump_that_no_sample_shows_has_no_return(networks, tmp_path):
    _, said = networks
    model = nn.Linear(2, 2)
    lengths = {"optimum": 1, "seed 0": 6, "seed 1": 6, "seed 2": 6}
    for name, n in lengths.items():
        kind = {"kind": "optimum"} if name == "optimum" else {"kind": "retraining", "step": 0.5, "seed": int(name[-1])}
        with Recorder(tmp_path / name, model, settings=kind) as recorder:
            for _ in range(n - 1):
                recorder.step(train_loss=1.0)
    rows = [said[0][:1], said[0][2:8], said[0][8:14], np.concatenate([said[0][:1], said[0][14:19]])]
    made = atlas([tmp_path / name for name in lengths], metric="predictions", predictions=rows)
    assert made.return_ratios.keys() == {"seed 0", "seed 1"}
    assert made.spreads["jump of 0.5"].n_runs == 2


def test_methods_are_compared_on_predictions(networks):
    runs, said = networks
    made = atlas(runs, metric="predictions", predictions=said, nulls=False)
    found = compare(made, methods=("phate", "pca", "inpca"), seeds=(0,), left_out=0, nulls=False)
    assert found.summary()["metric"] == "predictions"
    drawn, expected = found.methods["inpca"].embedding.coordinates, inpca(prediction_distances(said)).coordinates
    np.testing.assert_allclose(_lengths(drawn), _lengths(expected), atol=1e-9)
    assert scene({"map": found.atlas}, title="t").maps[0].layouts[2].caption.startswith("InPCA of the same distances; ")
    # By default it is there for predictions, and not for weights, where it is PCA.
    assert "inpca" in compare(made, seeds=(0,), left_out=0, nulls=False).methods
    weights = compare(runs[0], methods=("pca", "inpca"), seeds=(0,), left_out=0, nulls=False).methods
    a, b = (_lengths(weights[name].embedding.coordinates) for name in ("pca", "inpca"))
    np.testing.assert_allclose(a, b, atol=1e-9)


def test_points_that_diverged_are_not_asked(tmp_path, own_folder):
    run = open_run(own_folder / "runs" / "seed-0")
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    with Recorder(tmp_path / "lost", model) as recorder:
        for point in range(1, 9):
            model.load_state_dict({name: torch.as_tensor(value) for name, value in run.snapshot(point).items()})
            if point == 5:
                nn.init.constant_(model[0].weight, torch.nan)
            recorder.step(train_loss=1.0)
    common = ("map", tmp_path / "lost", "--metric", "predictions", "--task", "own_task:task", "--no-nulls", "--json")
    done = call(*common, "-o", tmp_path / "a.json", cwd=own_folder)
    assert done.returncode == 2
    done = call(*common, "-o", tmp_path / "a.json", "--diverged", "skip", cwd=own_folder)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["n_left_out"] == 1


def test_the_command_asks_the_networks(own_folder):
    runs = ("runs/seed-0", "runs/seed-1")
    done = call("map", *runs, "--task", "own_task:task", "-o", "beside.html", cwd=own_folder)
    assert done.returncode == 0, done.stderr
    done = call("map", *runs, "--metric", "predictions", "--task", "own_task:task", "--json", "-o", "said.json", cwd=own_folder)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["faithfulness"].keys() == {"phate", "pca", "inpca"}
    methods = ("--method", "inpca", "--method", "pca", "--seeds", 1, "--left-out", 0, "--json", "-o", "said-too.json")
    done = call("compare", *runs, "--metric", "predictions", "--task", "own_task:task", *methods, cwd=own_folder)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["methods"].keys() == {"inpca", "pca"}
    for arguments, words in {
        ("--metric", "predictions"): "--metric predictions asks the networks, and needs --task module:function; name it once",
        ("--task", "own_task:task") * 3: "--task must be given once, or once for each of the 2 runs, but came 3 times",
        ("--task", "own_task:tusk"): "own_task has no such function",
    }.items():
        done = call("map", *runs, *arguments, "-o", "bad.json", cwd=own_folder)
        assert done.returncode == 2, done.stdout
        assert words in " ".join(done.stderr.split())
        assert not (own_folder / "bad.json").exists()
