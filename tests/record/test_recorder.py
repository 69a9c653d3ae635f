"""A training loop with two more lines leaves a run, and nothing else changes."""

import math
import random

import numpy as np
import pytest
import torch
from torch import nn

from lossatlas import Recorder, open_run
from lossatlas.record import load_tensors, raw_tensors, tensor_entries


def _model(seed: int = 0) -> nn.Sequential:
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 2))
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(generator=generator)
    return model


def _move(model: nn.Module) -> dict[str, np.ndarray]:
    """Change every weight, as a step of training does, and return what is there now."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.5)
        model[1].running_mean.add_(1.0)
        model[1].num_batches_tracked.add_(1)
    return _state(model)


def _state(model: nn.Module) -> dict[str, np.ndarray]:
    return {name: tensor.numpy().copy() for name, tensor in model.state_dict().items()}


def _assert_holds(path, states) -> None:
    run = open_run(path)
    assert run.n_points == len(states)
    for point, state in enumerate(states):
        found = run.snapshot(point)
        assert found.keys() == state.keys()
        for name, value in state.items():
            assert found[name].tobytes() == value.tobytes(), (point, name)


def test_two_lines_in_a_loop_leave_the_weights_of_entry_and_of_each_epoch(tmp_path):
    model = _model()
    states = [_state(model)]
    with Recorder(tmp_path / "runs" / "sgd", model) as recorder:
        for epoch in range(3):
            states.append(_move(model))
            recorder.step(loss=1 / (epoch + 1), accuracy=epoch / 10)
        assert recorder.n_points == 4
    _assert_holds(tmp_path / "runs" / "sgd", states)
    run = open_run(tmp_path / "runs" / "sgd")
    assert run.is_complete
    assert run.steps.tolist() == [0, 1, 2, 3]
    np.testing.assert_array_equal(run.metrics["loss"], [math.nan, 1, 1 / 2, 1 / 3])
    np.testing.assert_array_equal(run.metrics["accuracy"], [math.nan, 0, 0.1, 0.2])
    assert run.names == ("0.weight", "0.bias", "1.weight", "1.bias", "3.weight", "3.bias")
    flat = torch.cat([parameter.detach().flatten() for parameter in model.parameters()])
    np.testing.assert_array_equal(run.weights()[-1], flat.double().numpy())


def test_a_point_is_a_copy_that_training_does_not_touch():
    model = _model()
    taken = raw_tensors(model)
    before = {name: bytes(tensor.data) for name, tensor in taken.items()}
    _move(model)
    assert {name: bytes(tensor.data) for name, tensor in taken.items()} == before


def test_metrics_of_the_start_are_stored_where_they_are_known(tmp_path):
    with Recorder(tmp_path / "run", _model(), initial={"loss": 2.5}) as recorder:
        recorder.step(loss=1.5)
    np.testing.assert_array_equal(open_run(tmp_path / "run").metrics["loss"], [2.5, 1.5])


# 20 a decade: 10 ** (k / 20), rounded up to the next whole step.
_LOG = [0, *sorted({math.ceil(round(10 ** (k / 20), 9)) for k in range(41)})]


@pytest.mark.parametrize(
    ("every", "calls", "stored"),
    [
        ("epoch", 4, [0, 1, 2, 3, 4]),
        (1, 3, [0, 1, 2, 3]),
        (3, 9, [0, 3, 6, 9]),
        (3, 8, [0, 3, 6, 8]),
        (100, 7, [0, 7]),
        (5, 0, [0]),
        ("log", 100, _LOG),
        ("log", 104, [*_LOG, 104]),
    ],
)
def test_every_says_which_calls_are_stored_and_the_last_always_is(tmp_path, every, calls, stored):
    model = _model()
    states = [_state(model)]
    with Recorder(tmp_path / "run", model, every=every) as recorder:
        for call in range(1, calls + 1):
            states.append(_move(model))
            recorder.step(call=call)
    run = open_run(tmp_path / "run")
    assert run.steps.tolist() == stored
    np.testing.assert_array_equal(run.metrics.get("call", np.zeros(0))[1:], stored[1:])
    _assert_holds(tmp_path / "run", [states[step] for step in stored])
    assert run.is_complete


def test_log_steps_are_evenly_spaced_on_a_log_scale():
    assert _LOG[:12] == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12]
    late = np.array([step for step in _LOG if step >= 30])
    # Neighbours are 10 ** (1 / 20) = 1.122 apart, up to rounding by less than one step each.
    assert (np.abs(late[1:] - late[:-1] * 10 ** (1 / 20)) <= 1.2).all()


def test_an_exception_keeps_what_was_stored_and_says_what_stopped_the_run(tmp_path):
    model = _model()
    states = [_state(model)]

    def train() -> None:
        with Recorder(tmp_path / "run", model, every=2) as recorder:
            for call in range(1, 10):
                states.append(_move(model))
                recorder.step()
                _ = 1 / (5 - call)

    with pytest.raises(ZeroDivisionError):
        train()
    run = open_run(tmp_path / "run")
    assert not run.is_complete
    assert run.steps.tolist() == [0, 2, 4]
    _assert_holds(tmp_path / "run", [states[0], states[2], states[4]])
    assert (tmp_path / "run" / "snapshots.jsonl").read_text().endswith('{"end": "ZeroDivisionError"}\n')


@pytest.mark.parametrize(
    "value",
    [0.25, np.float32(0.25), np.array(0.25), torch.tensor(0.25), torch.tensor([0.25]), torch.tensor(0.25, requires_grad=True)],
    ids=["float", "numpy", "array", "tensor", "tensor of one", "tensor with a graph"],
)
def test_metrics_may_be_numbers_and_tensors_of_one_number(tmp_path, value):
    with Recorder(tmp_path / "run", _model()) as recorder:
        recorder.step(loss=value)
    assert open_run(tmp_path / "run").metrics["loss"][1] == 0.25


def test_metrics_may_be_whole_numbers_and_truths(tmp_path):
    with Recorder(tmp_path / "run", _model(), initial={"n": 3}) as recorder:
        recorder.step(n=torch.tensor(7), hit=True)
    run = open_run(tmp_path / "run")
    assert run.metrics["n"].tolist() == [3, 7]
    assert run.metrics["hit"][1] == 1


@pytest.mark.usefixtures("as_users_call")  # the type checks of the tests draw from Python's generator
def test_recording_changes_nothing_of_the_model_and_no_random_numbers(tmp_path):
    model = _model()
    model.train()
    model[1].eval()
    model[0].bias.requires_grad = False
    model(torch.ones(2, 3)).sum().backward()

    def everything() -> list:
        return [
            [(name, tensor.clone(), tensor.data_ptr()) for name, tensor in model.state_dict().items()],
            [(p.requires_grad, None if p.grad is None else p.grad.clone()) for p in model.parameters()],
            [module.training for module in model.modules()],
            torch.get_rng_state(),
            random.getstate(),
            repr(np.random.get_state()),  # noqa: NPY002 - the user's own
        ]

    before = everything()
    with Recorder(tmp_path / "run", model) as recorder:
        recorder.step(loss=1.0)
    _assert_same(before, everything())


def _assert_same(before, after) -> None:
    assert type(before) is type(after)
    if isinstance(before, torch.Tensor):
        assert torch.equal(before, after)
    elif isinstance(before, (list, tuple)):
        assert len(before) == len(after)
        for one, other in zip(before, after, strict=True):
            _assert_same(one, other)
    else:
        assert before == after


def test_training_is_the_same_with_and_without_a_recorder(tmp_path):
    def trained(*, recorded: bool) -> list[np.ndarray]:
        model = _model()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        recorder = Recorder(tmp_path / "run", model, every=2) if recorded else None
        with torch.random.fork_rng([]):
            torch.random.manual_seed(5)
            for _ in range(5):
                optimizer.zero_grad()
                nn.functional.dropout(model(torch.randn(8, 3))).square().mean().backward()
                optimizer.step()
                if recorder:
                    recorder.step()
        if recorder:
            recorder.close()
        return list(_state(model).values())

    for plain, recorded in zip(trained(recorded=False), trained(recorded=True), strict=True):
        np.testing.assert_array_equal(plain, recorded)


def test_appending_goes_on_counting_and_stores_no_second_start(tmp_path):
    model = _model()
    with Recorder(tmp_path / "run", model, settings={"lr": 0.1}) as recorder:
        recorder.step(loss=3.0)
        recorder.step(loss=2.0)
    _move(model)
    with Recorder(tmp_path / "run", model, if_exists="append", initial={"loss": 9.0}) as recorder:
        assert recorder.n_points == 3
        recorder.step(loss=1.0)
    run = open_run(tmp_path / "run")
    assert run.steps.tolist() == [0, 1, 2, 3]
    np.testing.assert_array_equal(run.metrics["loss"], [math.nan, 3, 2, 1])
    assert run.settings["lr"] == 0.1
    assert run.is_complete


def test_appending_to_what_is_not_there_begins_a_run(tmp_path):
    with Recorder(tmp_path / "run", _model(), if_exists="append") as recorder:
        recorder.step()
    assert open_run(tmp_path / "run").steps.tolist() == [0, 1]


def test_replacing_begins_anew_even_with_another_model(tmp_path):
    with Recorder(tmp_path / "run", _model()) as recorder:
        recorder.step()
    with Recorder(tmp_path / "run", nn.Linear(2, 1), if_exists="replace") as recorder:
        recorder.step()
        recorder.step()
    run = open_run(tmp_path / "run")
    assert run.names == ("weight", "bias")
    assert run.steps.tolist() == [0, 1, 2]


def test_settings_are_stored_beside_what_made_the_run(tmp_path):
    with Recorder(tmp_path / "run", _model(), every=3, settings={"batch": 128, "tags": ["a", None], "nested": {"x": 0.5}}):
        pass
    assert open_run(tmp_path / "run").settings == {
        "kind": "training",
        "every": 3,
        "batch": 128,
        "tags": ["a", None],
        "nested": {"x": 0.5},
    }


class _Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(5, 3)
        self.out = nn.Linear(3, 5, bias=False)
        self.out.weight = self.embed.weight
        self.register_buffer("kept", torch.tensor([1.0, 2.0]))
        self.register_buffer("passing", torch.tensor([3.0]), persistent=False)


def test_tied_weights_are_stored_once_and_passing_buffers_not_at_all(tmp_path):
    model = _Tied()
    with Recorder(tmp_path / "run", model):
        pass
    run = open_run(tmp_path / "run")
    assert run.names == ("embed.weight",)
    assert run.n_parameters == 15
    assert run.snapshot().keys() == {"embed.weight", "kept"}
    assert [(entry.name, entry.kind) for entry in tensor_entries(model)] == [("embed.weight", "parameter"), ("kept", "buffer")]
    other = _Tied()
    load_tensors(other, {name: torch.as_tensor(tensor) for name, tensor in run.snapshot().items()})
    assert torch.equal(other.out.weight, model.embed.weight)


def test_weights_in_channels_last_order_are_stored_in_the_order_of_their_axes(tmp_path):
    conv = nn.Conv2d(3, 4, 2, bias=False).to(memory_format=torch.channels_last)
    plain = conv.weight.detach().clone(memory_format=torch.contiguous_format).numpy()
    with Recorder(tmp_path / "run", conv):
        pass
    run = open_run(tmp_path / "run")
    np.testing.assert_array_equal(run.snapshot()["weight"], plain)
    np.testing.assert_array_equal(run.weights()[0], plain.ravel())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_models_in_other_precisions_come_back_exactly(tmp_path, dtype):
    model = nn.Linear(3, 2).to(dtype)
    with Recorder(tmp_path / "run", model):
        pass
    run = open_run(tmp_path / "run")
    np.testing.assert_array_equal(run.weights()[0, :6], model.weight.detach().double().numpy().ravel())
    other = nn.Linear(3, 2).to(dtype)
    load_tensors(other, {name: torch.as_tensor(tensor) for name, tensor in run.snapshot().items()})
    assert torch.equal(other.weight, model.weight)
    assert torch.equal(other.bias, model.bias)
    assert other.weight.dtype == dtype
