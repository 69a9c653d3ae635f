"""A run stays where it is, and is itself under every name."""

import numpy as np
import torch

from lossatlas import Recorder, open_run, open_runs


def test_recording_and_reading_survive_a_change_of_folder(tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    model = torch.nn.Linear(2, 1)
    with Recorder("run", model) as recorder:
        monkeypatch.chdir("elsewhere")
        recorder.step(loss=1.0)
    monkeypatch.chdir(tmp_path)
    run = open_run("run")
    monkeypatch.chdir("elsewhere")
    np.testing.assert_array_equal(run.weights()[1], np.append(model.weight.detach().numpy(), model.bias.detach().numpy()))
    assert run.n_points == 2


def test_a_run_has_its_folders_name_also_when_opened_from_inside(tmp_path, monkeypatch):
    with Recorder(tmp_path / "sgd", torch.nn.Linear(2, 1)):
        pass
    monkeypatch.chdir(tmp_path / "sgd")
    assert open_run(".").name == "sgd"


def test_a_run_that_is_named_twice_is_opened_once(tmp_path):
    with Recorder(tmp_path / "sgd", torch.nn.Linear(2, 1)):
        pass
    assert [run.name for run in open_runs([tmp_path / "sgd", tmp_path, tmp_path / "*"])] == ["sgd"]
