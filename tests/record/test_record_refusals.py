"""What a recorder refuses, in one line that says what came and what to do."""

import errno
import os

import numpy as np
import pytest
import torch
from torch import nn

from lossatlas import Recorder, open_run
from lossatlas.record import load_tensors
from lossatlas.store import writer


@pytest.mark.parametrize("every", [0, -3, True, 1.5, "epochs", None, [2]])
@pytest.mark.usefixtures("as_users_call")
def test_every_that_says_nothing_is_refused(tmp_path, refuses, every):
    with refuses(r"every must be 'epoch', 'log' or a number of steps from 1 on, but is .*; choose one of these"):
        Recorder(tmp_path / "run", nn.Linear(2, 1), every=every)
    assert not (tmp_path / "run").exists()


@pytest.mark.usefixtures("as_users_call")
def test_what_is_no_module_is_refused(tmp_path, refuses):
    with refuses("model must be a torch.nn.Module, but is a dict; pass the module that is trained"):
        Recorder(tmp_path / "run", nn.Linear(2, 1).state_dict() and {})
    assert not (tmp_path / "run").exists()


def test_a_model_without_parameters_is_refused(tmp_path, refuses):
    with refuses(r"the model \(ReLU\) has no parameters; pass the module that is trained"):
        Recorder(tmp_path / "run", nn.ReLU())
    assert not (tmp_path / "run").exists()


def test_a_tensor_of_a_type_that_has_no_place_is_refused(tmp_path, refuses):
    model = nn.Linear(2, 1, dtype=torch.complex64)
    with refuses(r"tensor 'weight' has type torch.complex64, which cannot be stored; convert it to a real type"):
        Recorder(tmp_path / "run", model)
    assert not (tmp_path / "run").exists()


def test_a_model_whose_weights_have_no_shape_or_no_values_is_refused(tmp_path, refuses):
    with refuses("tensor 'weight' has no shape yet; run one batch through the model first"):
        Recorder(tmp_path / "run", nn.LazyLinear(2))
    with refuses(r"tensor 'weight' has no values \(it is on the meta device\); move the model to a device first"):
        Recorder(tmp_path / "run", nn.Linear(2, 1, device="meta"))
    assert not (tmp_path / "run").exists()


def test_a_step_after_the_end_is_refused(tmp_path, refuses):
    with Recorder(tmp_path / "run", nn.Linear(2, 1)) as recorder:
        recorder.step()
    with refuses(r"this recorder has ended; call step\(\) inside its with block"):
        recorder.step()
    assert open_run(tmp_path / "run").steps.tolist() == [0, 1]


@pytest.mark.parametrize("value", [torch.ones(2), np.ones(3), "low", None, [1.0]])
@pytest.mark.usefixtures("as_users_call")
def test_a_metric_that_is_not_one_number_is_refused(tmp_path, refuses, value):
    pattern = f"metric 'loss' must be one number, but is a {type(value).__name__}; pass its mean"
    with refuses(pattern):
        Recorder(tmp_path / "run", nn.Linear(2, 1), initial={"loss": value})
    assert not (tmp_path / "run").exists()
    recorder = Recorder(tmp_path / "run", nn.Linear(2, 1))
    with refuses(pattern):
        recorder.step(loss=value)
    recorder.close()
    assert open_run(tmp_path / "run").steps.tolist() == [0]


@pytest.mark.parametrize(("if_exists", "pattern"), [("refuse", "holds a run already.*'append' or 'replace'"), ("keep", "choose")])
@pytest.mark.usefixtures("as_users_call")
def test_a_run_that_is_there_is_not_overwritten(tmp_path, refuses, if_exists, pattern):
    with Recorder(tmp_path / "run", nn.Linear(2, 1)) as recorder:
        recorder.step(loss=1.0)
    with refuses(pattern):
        Recorder(tmp_path / "run", nn.Linear(2, 1), if_exists=if_exists)
    assert open_run(tmp_path / "run").n_points == 2


@pytest.mark.parametrize(
    ("other", "what"),
    [
        (nn.Linear(3, 1), r"tensor 'weight' should be F32 \(1, 2\) and is F32 \(1, 3\)"),
        (nn.Linear(2, 1).double(), r"tensor 'weight' should be F32 \(1, 2\) and is F64 \(1, 2\)"),
        (nn.Linear(2, 1, bias=False), "tensor 'bias' is missing"),
        (nn.Bilinear(2, 2, 1), r"tensor 'weight' should be F32 \(1, 2\) and is F32 \(1, 2, 2\)"),
        (nn.Sequential(nn.Linear(2, 1)), "tensor 'weight' is missing"),
    ],
)
def test_another_model_is_not_appended(tmp_path, refuses, other, what):
    with Recorder(tmp_path / "run", nn.Linear(2, 1)):
        pass
    with refuses(rf"the run '.*run' holds another model \({what}\); choose another path"):
        Recorder(tmp_path / "run", other, if_exists="append")
    with Recorder(tmp_path / "run", nn.Linear(2, 1), if_exists="append"):
        pass


def test_a_model_whose_tensors_change_on_the_way_is_refused(tmp_path, refuses):
    model = nn.Linear(2, 1)
    with Recorder(tmp_path / "run", model) as recorder:
        model.double()
        with refuses(r"snapshot 1 of run 'run': tensor 'weight' should be F32 .* and is F64 .*; record it as a run of its own"):
            recorder.step()
        model.float()
        recorder.step()
    assert open_run(tmp_path / "run").steps.tolist() == [0, 2]


def _full(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_stops_the_loop_with_one_message_and_keeps_the_run(tmp_path, refuses, monkeypatch):
    with (
        refuses("cannot write '.*run': No space left on device; choose a place"),
        Recorder(tmp_path / "run", nn.Linear(2, 1)) as r,
    ):
        r.step(loss=1.0)
        r.flush()
        monkeypatch.setattr(writer.os, "fsync", _full)
        for _ in range(5):
            r.step(loss=0.5)
    run = open_run(tmp_path / "run")
    assert run.steps.tolist() == [0, 1]
    assert not run.is_complete


def test_an_error_of_the_users_is_not_hidden_by_a_full_disk(tmp_path, monkeypatch):
    def train() -> None:
        with Recorder(tmp_path / "run", nn.Linear(2, 1)):
            monkeypatch.setattr(writer.os, "fsync", _full)
            _ = 1 / 0

    with pytest.raises(ZeroDivisionError):
        train()
    assert open_run(tmp_path / "run").steps.tolist() == [0]


def test_a_recorder_that_could_not_begin_does_not_hold_the_folder(tmp_path, refuses, monkeypatch):
    def half(tensors):
        yield b""
        _full()

    monkeypatch.setattr(writer, "chunks", half)
    with refuses("cannot write '.*run': No space left"):
        Recorder(tmp_path / "run", nn.Linear(2, 1))
    monkeypatch.undo()
    with Recorder(tmp_path / "run", nn.Linear(2, 1), if_exists="append") as recorder:
        recorder.step()
    assert open_run(tmp_path / "run").steps.tolist() == [0, 1]


def test_settings_that_are_no_plain_values_are_refused_before_anything_is_replaced(tmp_path, refuses):
    with Recorder(tmp_path / "run", nn.Linear(2, 1)) as recorder:
        recorder.step()
    with refuses("settings of a run must be plain values .*Tensor is not JSON.*; pass numbers, text, lists or dictionaries"):
        Recorder(tmp_path / "run", nn.Linear(2, 1), if_exists="replace", settings={"w": torch.ones(1)})
    assert open_run(tmp_path / "run").n_points == 2


@pytest.mark.parametrize(
    ("change", "pattern"),
    [
        ({"bias": None}, "the start has no tensor 'bias', which the model has; pass a snapshot of this model"),
        (
            {"bias": torch.ones(2)},
            r"tensor 'bias' of the start has shape \(2,\), but the model's has \(1,\); pass a snapshot of this model",
        ),
    ],
    ids=["missing", "shape"],
)
def test_tensors_of_another_model_are_not_loaded_not_even_in_part(refuses, change, pattern):
    model = nn.Linear(2, 1)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    given = {"weight": torch.full((1, 2), 9.0), "bias": torch.ones(1)} | change
    with refuses(pattern):
        load_tensors(model, {name: tensor for name, tensor in given.items() if tensor is not None})
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
