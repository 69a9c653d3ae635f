"""Networks by their numbers, each of which another function measures too."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from test_cli import call
from torch import nn

from lossatlas import BendSettings, Task, bezier_path, cosine_distances, curvature, prediction_distances, predictions, sharpness
from lossatlas.experiments.report_card import CardSettings, report_card
from lossatlas.sample.path.result import mode_connectivity

SETTINGS = CardSettings(bends=replace(BendSettings(), steps=20))


def _task(*, is_regression=False, n_outputs=1):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(60, 4, generator=generator)
    y = x[:, :n_outputs] if is_regression else (x[:, 0] > 0).long()
    torch.random.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, n_outputs if is_regression else 2))
    loss = nn.MSELoss() if is_regression else nn.CrossEntropyLoss()
    return Task(model, loss, [(x, y)], [(x[:30], y[:30])], lambda p: torch.optim.SGD(p, lr=0.5))


def _networks(task):
    found = {}
    for seed in (1, 2):
        torch.random.manual_seed(seed)
        for part in task.model:
            if isinstance(part, nn.Linear):
                part.reset_parameters()
        optimizer = task.optimizer(task.model.parameters())
        for _ in range(30):
            optimizer.zero_grad()
            task.loss(task.model(task.train[0][0]), task.train[0][1]).backward()
            optimizer.step()
        found[f"seed {seed}"] = {name: tensor.clone() for name, tensor in task.model.state_dict().items()}
    return found


def test_its_numbers_are_those_that_are_measured_one_by_one():
    task = _task()
    networks = _networks(task)
    told = []
    made = report_card(task, networks, settings=SETTINGS, progress=lambda *said: told.append(said))
    assert told == [(0, 3, "seed 1"), (1, 3, "seed 2"), (2, 3, "seed 1 and seed 2"), (3, 3, "done")]
    a, b = networks.values()
    card = made.networks["seed 2"]
    assert card.sharpness == sharpness(task, b).sharpness
    assert (card.eigenvalue, card.trace) == (curvature(task, b).eigenvalues[0], curvature(task, b).trace)
    with torch.no_grad():
        task.model.load_state_dict(b)
        output = task.model(task.test[0][0])
        assert card.test_loss == pytest.approx(float(task.loss(output, task.test[0][1])), rel=1e-6)
    rows = np.stack([np.concatenate([t.double().numpy().ravel() for t in one.values()]) for one in (a, b)])
    assert card.norm == pytest.approx(np.linalg.norm(rows[1]))
    pair = made.pairs["seed 1", "seed 2"]
    assert pair.distance == pytest.approx(np.linalg.norm(rows[0] - rows[1]))
    assert pair.cosine_distance == pytest.approx(cosine_distances(rows)[0, 1])
    path = bezier_path(task, a, b, settings=SETTINGS.bends)
    assert (pair.barrier, pair.mode_connectivity) == (path.straight.barrier, mode_connectivity(path.loss))
    assert pair.bhattacharyya == prediction_distances(predictions(task, [a, b]))[0, 1]
    assert pair.cka_by_layer.keys() == {"0", "2"}
    assert pair.cka == pytest.approx(np.mean(list(pair.cka_by_layer.values())))
    json.dumps(made.summary())


def test_a_network_is_as_its_twin():
    task = _task()
    one, _ = _networks(task).values()
    made = report_card(task, {"a": one, "b": one}, settings=replace(SETTINGS, with_curvature=False, layers=("0",)))
    pair = made.pairs["a", "b"]
    assert (pair.distance, pair.disagreement, pair.cka_by_layer) == (0, 0, {"0": pytest.approx(1)})
    assert pair.barrier == pytest.approx(0, abs=1e-6)
    assert made.networks["a"].eigenvalue is None


def test_a_dead_layer_is_a_finding():
    task = _task()
    a, b = _networks(task).values()
    dead = {**b, "0.weight": torch.zeros_like(b["0.weight"])}
    pair = report_card(task, {"a": a, "dead": dead}, settings=replace(SETTINGS, with_curvature=False)).pairs["a", "dead"]
    assert (pair.cka, pair.cka_by_layer) == (None, {"0": None, "2": None})
    assert (
        report_card(task, {"a": a, "b": b}, settings=replace(SETTINGS, with_curvature=False, layers=())).pairs["a", "b"].cka
        is None
    )


@pytest.mark.parametrize("n_outputs", [1, 2])
def test_a_regression_has_no_predictions(n_outputs):
    task = _task(is_regression=True, n_outputs=n_outputs)
    pair = report_card(task, _networks(task), settings=replace(SETTINGS, with_curvature=False)).pairs["seed 1", "seed 2"]
    assert (pair.bhattacharyya, pair.disagreement) == (None, None)


def test_connectivity_is_signed():
    # A barrier, an end that lies too high, and a flat path.
    assert mode_connectivity(np.array([1.0, 4.0, 2.0])) == -2.5
    assert mode_connectivity(np.array([3.0, 1.0, 1.0])) == 1.0
    assert mode_connectivity(np.array([1.0, 1.0, 1.0])) == 0
    assert np.isnan(mode_connectivity(np.array([1.0, np.nan, 1.0])))


def test_nothing_is_refused(refuses):
    with refuses("a report card needs a network, but none came; name at least one"):
        report_card(_task(), {})


def test_the_command_prints_it(own_folder):
    networks = ("runs/seed-0", "runs/seed-1@3")
    done = call("card", "own_task:task", *networks, "--effort", 0.01, "--batches", 2, "--no-curvature", "--json", cwd=own_folder)
    assert done.returncode == 0, done.stderr
    numbers = json.loads(done.stdout)
    assert list(numbers["networks"]) == list(networks)
    assert numbers["pairs"][0]["networks"] == list(networks)
    done = call("card", "own_task:task", "runs/seed-0", "--batches", 2, "--no-curvature", cwd=own_folder)
    assert done.returncode == 0, done.stderr
    assert "test accuracy" in done.stdout
    done = call("card", "own_task:task", "runs/seed-0", "runs/seed-0", cwd=own_folder)
    assert done.returncode == 2
    assert "networks must differ, but runs/seed-0 came twice; name each once" in " ".join(done.stderr.split())
