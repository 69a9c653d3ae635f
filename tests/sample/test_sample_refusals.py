"""What sampling refuses, in one line that says what came and what to do."""

import functools
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch
from tasks_for_workers import batches, small_net, small_task
from torch import nn

from lossatlas import JumpSettings, Recorder, jump_and_retrain, open_run
from lossatlas.sample import LocalPool
from lossatlas.store import RunWriter

_START = small_net(5).state_dict()
_ONE = JumpSettings(seeds=(0,), steps=(0.5,), epochs=1)


@pytest.mark.parametrize(
    ("changes", "pattern"),
    [
        ({"model": _START}, "model must be a torch.nn.Module, but is a OrderedDict; pass the module itself"),
        ({"model": nn.Linear}, "model must be a torch.nn.Module, but is a type; pass the module itself"),
        ({"loss": "mse"}, "loss must be a function, but is a str; pass the function itself"),
        (
            {"optimizer": torch.optim.SGD([torch.ones(1)], lr=1)},
            "optimizer must be a function, but is a SGD; pass the function itself",
        ),
        (
            {"train": iter(batches(2))},
            "train must give batches each time it is iterated, but is a list_iterator; pass a list or a DataLoader",
        ),
        ({"test": (batch for batch in batches(2))}, "test must give batches each time .*, but is a generator; pass a list"),
        ({"train_eval": 3}, "train_eval must give batches each time it is iterated, but is a int; pass a list or a DataLoader"),
        ({"train": None}, "train must give batches each time it is iterated, but is a NoneType; pass a list"),
        ({"test": None}, "test must give batches each time it is iterated, but is a NoneType; pass a list"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
@pytest.mark.usefixtures("as_users_call")
def test_a_part_of_a_task_that_is_not_what_it_should_be_is_refused(refuses, changes, pattern):
    with refuses(f"^Task: {pattern}"):
        small_task(**changes)


def _sgd_of_another_model(_: object) -> torch.optim.Optimizer:
    return torch.optim.SGD(small_net(1).parameters(), lr=0.1)


@pytest.mark.parametrize(
    ("changes", "pattern"),
    [
        ({"train": []}, "Task: train gives no batch; pass at least one"),
        ({"test": []}, "Task: test gives no batch; pass at least one"),
        ({"train_eval": []}, "Task: train_eval gives no batch; pass at least one"),
        ({"train": [batches(2)[0][0]]}, r"Task: train must give pairs \(x, y\), but gave a Tensor; wrap it so that it does"),
        ({"test": [(1, 2, 3)]}, r"Task: test must give pairs \(x, y\), but gave a tuple; wrap it so that it does"),
        ({"train_eval": [{"x": 1}]}, r"Task: train_eval must give pairs \(x, y\), but gave a dict; wrap it so that it does"),
        (
            {"loss": functools.partial(nn.functional.cross_entropy, reduction="none")},
            r"Task: loss\(output, target\) must return one number as a tensor, but returned a tensor of shape \(4,\); take",
        ),
        (
            {"loss": lambda output, _: float(output.sum())},
            r"Task: loss\(output, target\) must return one number as a tensor, but returned a float; take its mean",
        ),
        (
            {"optimizer": list},
            r"Task: optimizer\(parameters\) must return a torch.optim.Optimizer, but returned a list; pass a function such",
        ),
        (
            {"optimizer": _sgd_of_another_model},
            r"Task: optimizer\(parameters\) uses other parameters than it was given; build it from its argument",
        ),
    ],
)
@pytest.mark.usefixtures("as_users_call")
def test_a_task_that_does_the_wrong_thing_is_refused_before_anything_is_written(tmp_path, refuses, changes, pattern):
    with refuses(pattern):
        jump_and_retrain(small_task(**changes), _START, tmp_path / "jumps", settings=_ONE)
    assert not (tmp_path / "jumps").exists()


@pytest.mark.usefixtures("as_users_call")
def test_what_is_no_task_is_refused(tmp_path, refuses):
    with refuses(r"a lossatlas.Task was expected, but a function came; return Task\(model, loss, train, …\)"):
        jump_and_retrain(small_task, _START, tmp_path / "jumps")
    assert not (tmp_path / "jumps").exists()


_BAD_SETTINGS: list[tuple[dict[str, Any], str]] = [
    ({"seeds": ()}, r"seeds must be different whole numbers from 0 on, but is \(\)"),
    ({"seeds": (1, 2, 1)}, r"seeds must be different whole numbers from 0 on, but is \(1, 2, 1\)"),
    ({"seeds": (-1,)}, r"seeds must be different whole numbers from 0 on, but is \(-1,\)"),
    ({"seeds": (0, 1.5)}, r"seeds must be different whole numbers from 0 on, but is \(0.0, 1.5\)"),
    ({"seeds": (0, "1")}, r"seeds must be different whole numbers from 0 on, but is \('0', '1'\)"),
    ({"steps": ()}, r"steps must be different numbers from 0 on, but is \(\)"),
    ({"steps": (0.5, 0.5)}, r"steps must be different numbers from 0 on, but is \(0.5, 0.5\)"),
    ({"steps": (0.5, -0.5)}, r"steps must be different numbers from 0 on, but is \(0.5, -0.5\)"),
    ({"steps": (float("nan"),)}, r"steps must be different numbers from 0 on, but is \(nan,\)"),
    ({"steps": (0.5, float("nan"))}, r"steps must be different numbers from 0 on, but is \(0.5, nan\)"),
    ({"steps": (float("inf"),)}, r"steps must be different numbers from 0 on, but is \(inf,\)"),
    ({"epochs": 0}, "epochs must be a whole number from 1 on, but is 0"),
    ({"epochs": 2.5}, "epochs must be a whole number from 1 on, but is 2.5"),
    ({"norm": "filters"}, "norm must be one of filter, layer, global, but is 'filters'"),
    ({"batchnorm": "fresh"}, "batchnorm must be one of recompute, stale, but is 'fresh'"),
    ({"updates": 0}, "updates must be a whole number from 1 on, or None for one pass over the data, but is 0"),
    ({"optimizer": "sgd"}, "optimizer must be one of fresh, restored, but is 'sgd'"),
    ({"data_seed": -1}, "data_seed must be a whole number from 0 on, or None for each seed's own, but is -1"),
    ({"learning_rate": 0.0}, "learning_rate must be above 0, or None for the task's own, but is 0.0"),
    ({"learning_rate": -0.1}, "learning_rate must be above 0, or None for the task's own, but is -0.1"),
    ({"learning_rate": float("nan")}, "learning_rate must be above 0, or None for the task's own, but is nan"),
]


@pytest.mark.parametrize(("values", "pattern"), _BAD_SETTINGS, ids=[str(values) for values, _ in _BAD_SETTINGS])
@pytest.mark.usefixtures("as_users_call")
def test_a_setting_out_of_its_range_is_refused_by_name(refuses, values, pattern):
    with refuses(f"^JumpSettings: {pattern}; change it$"):
        JumpSettings(**values)


@pytest.mark.usefixtures("as_users_call")
def test_settings_take_lists_ranges_and_numpys_numbers(tmp_path):
    settings = JumpSettings(seeds=np.arange(2), steps=np.linspace(0.5, 1, 2), epochs=1)
    assert repr(settings) == repr(JumpSettings(seeds=range(2), steps=[0.5, 1], epochs=1))
    assert settings == JumpSettings(seeds=(0, 1), steps=(0.5, 1.0), epochs=1)
    _, *runs = jump_and_retrain(small_task(), _START, tmp_path, settings=settings)
    assert [(run.settings["seed"], run.settings["step"]) for run in runs] == [(0, 0.5), (0, 1.0), (1, 0.5), (1, 1.0)]


@pytest.mark.parametrize("start", [3, None, [torch.ones(1)], small_net(5)], ids=["int", "NoneType", "list", "Sequential"])
@pytest.mark.usefixtures("as_users_call")
def test_a_start_that_is_no_weights_is_refused(tmp_path, refuses, start):
    name = type(start).__name__
    with refuses(f"start must be a run, a snapshot or a state dict, but is a {name}; pass one of these"):
        jump_and_retrain(small_task(), start, tmp_path / "jumps")
    assert not (tmp_path / "jumps").exists()


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["4.bias", "1.running_var"])
def test_a_start_that_has_diverged_is_refused(tmp_path, refuses, bad, name):
    start = {key: tensor.clone() for key, tensor in _START.items()}
    start[name][1 % len(start[name])] = bad
    with refuses(f"tensor '{name}' of the start holds NaN or infinite values; start from a point that has not diverged"):
        jump_and_retrain(small_task(), start, tmp_path / "jumps")
    assert not (tmp_path / "jumps").exists()


def test_a_start_of_another_model_is_refused(tmp_path, refuses):
    with refuses("the start has no tensor '4.bias', which the model has; pass a snapshot of this model"):
        jump_and_retrain(small_task(), {n: t for n, t in _START.items() if n != "4.bias"}, tmp_path / "jumps")
    with refuses(r"tensor '4.weight' of the start has shape \(1, 13\), but the model's has \(1, 12\); pass a snapshot"):
        jump_and_retrain(small_task(), _START | {"4.weight": torch.ones(1, 13)}, tmp_path / "jumps")
    assert not (tmp_path / "jumps").exists()


@pytest.mark.parametrize("what", ["train", "test"])
def test_a_loss_that_is_not_repeatable_is_refused(tmp_path, refuses, what):
    class Noisy:
        rng_outside_the_object = torch.Generator().manual_seed(0)

        def __iter__(self):
            x, y = batches(2)[0]
            yield x + torch.randn(x.shape, generator=Noisy.rng_outside_the_object), y

    task = small_task(**{"train_eval" if what == "train" else "test": Noisy()})
    words = {
        "train": "Task: train_eval gives other batches each time it is iterated, though every random generator is set",
        "test": r"the test loss is not repeatable \(\S+, then \S+ at the same weights\); use data without randomness",
    }
    with refuses(words[what]):
        jump_and_retrain(task, _START, tmp_path, settings=_ONE)
    assert not list(tmp_path.rglob("run.json"))


def test_rounding_is_no_lack_of_repeatability(tmp_path):
    calls = []

    def loss(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        calls.append(1)
        return nn.functional.cross_entropy(output, target) * (1 + 1e-6 * len(calls))

    jump_and_retrain(small_task(loss=loss), _START, tmp_path, settings=_ONE)


def test_a_loss_that_is_nan_at_the_start_is_refused(tmp_path, refuses):
    def loss(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return nn.functional.cross_entropy(output, target) * float("nan")

    with refuses("the train loss at the start is nan; check the data, the loss and the start"):
        jump_and_retrain(small_task(loss=loss), _START, tmp_path, settings=_ONE)
    assert not (tmp_path / "optimum").exists()


def test_a_retraining_that_diverges_is_kept_as_a_finding(tmp_path):
    settings = JumpSettings(seeds=(0,), steps=(0.5,), epochs=2, learning_rate=1e30)
    _, run = jump_and_retrain(small_task(), _START, tmp_path, settings=settings)
    assert run.is_complete
    assert np.isnan(run.metrics["train_loss"][-1])
    assert run.diverged() == [1]
    assert run.n_points == 2


def _summed(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return nn.functional.cross_entropy(output, target, reduction="sum")


class _Asking(torch.optim.SGD):
    def step(self, norm: float) -> None:
        raise AssertionError


def _frozen() -> nn.Module:
    model = small_net(1)
    for parameter in model.parameters():
        parameter.requires_grad = False
    return model


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"loss": _summed}, "loss.* doubles when a batch is given twice; take the mean over the batch, not the sum"),
        ({"model": _frozen()}, "no parameter of the model requires a gradient, so it cannot be retrained; unfreeze some"),
        ({"optimizer": _Asking}, r"the optimiser must step by itself or with a closure alone \(.*'norm'\); pass one such as SGD"),
    ],
)
def test_what_cannot_be_retrained_is_refused(tmp_path, refuses, changes, message):
    with refuses(message):
        jump_and_retrain(small_task(**changes), _START, tmp_path / "jumps", settings=_ONE)
    assert not (tmp_path / "jumps").exists()


def test_a_batch_without_samples_is_refused(tmp_path, refuses):
    with refuses("one holds none; pass at least one sample"):
        jump_and_retrain(small_task(test=batches(3, (0,))), _START, tmp_path, settings=_ONE)


def test_a_start_of_a_larger_model_is_refused(tmp_path, refuses):
    with refuses("the start has a tensor '9.weight', which the model has not; pass a snapshot of this model"):
        jump_and_retrain(small_task(), {**_START, "9.weight": torch.ones(1)}, tmp_path, settings=_ONE)


def test_threads_are_refused(tmp_path, refuses):
    with refuses("executor must run processes, since threads share"), ThreadPoolExecutor(2) as executor:
        jump_and_retrain(small_task(), _START, tmp_path, settings=_ONE, executor=executor)


def test_a_task_that_cannot_be_sent_is_refused_before_a_folder_is_made(tmp_path, refuses):
    task = small_task(optimizer=lambda parameters: torch.optim.SGD(parameters, lr=0.1))
    message = "the task cannot be sent to other processes .*; define its functions and classes at the top of a module"
    with refuses(message), LocalPool(1) as pool:
        jump_and_retrain(task, _START, tmp_path / "jumps", settings=_ONE, executor=pool)
    assert not (tmp_path / "jumps").exists()


def test_a_place_that_cannot_be_written_is_refused(tmp_path, refuses):
    (tmp_path / "file").write_text("text")
    for place, reason in ((tmp_path / "file", "File exists"), (tmp_path / "file" / "jumps", "Not a directory")):
        with refuses(f"cannot write '{place}': {reason}; choose a place that you can write to"):
            jump_and_retrain(small_task(), _START, place, settings=_ONE)
    (tmp_path / "jumps" / "seed-0-step-0.5").mkdir(parents=True)
    (tmp_path / "jumps" / "seed-0-step-0.5" / "thesis.tex").write_text("chapter 1")
    with refuses("seed-0-step-0.5' is a folder with other files in it; choose another path for the run"):
        jump_and_retrain(small_task(), _START, tmp_path / "jumps", settings=_ONE)


def test_a_retraining_that_is_being_done_elsewhere_is_refused(tmp_path, refuses):
    calls = []

    def loss(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        if (tmp_path / "seed-0-step-0.5").exists() and not calls:
            # Here another process would be in the middle of the same work.
            calls.append("elsewhere")
            with refuses("another writer holds the run '.*seed-0-step-0.5'; choose another path, or wait until it has ended"):
                jump_and_retrain(small_task(loss=loss), _START, tmp_path, settings=_ONE)
        return nn.functional.cross_entropy(output, target)

    _, run = jump_and_retrain(small_task(loss=loss), _START, tmp_path, settings=_ONE)
    assert calls
    assert run.is_complete


def test_a_run_without_points_is_no_start(tmp_path, refuses, monkeypatch):
    monkeypatch.setattr(RunWriter, "append", lambda *_, **__: None)
    with Recorder(tmp_path / "run", small_net(5)):
        pass
    with refuses("run 'run' has 0 points, but point -1 was asked for"):
        jump_and_retrain(small_task(), open_run(tmp_path / "run"), tmp_path / "jumps")
