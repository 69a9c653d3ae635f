"""Jump and retrain does what its formulas say, gives everything back, and goes on where it was stopped."""

import copy
import functools
import random
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tasks_for_workers import batches, shuffled_data, shuffled_task, small_net, small_task
from torch import nn
from torch.utils.data import DataLoader, Dataset, Subset

from lossatlas import JumpSettings, Recorder, Run, Task, jump_and_retrain, open_run
from lossatlas.sample import evaluation, random_direction

_START = small_net(5).state_dict()
_FEW = JumpSettings(seeds=(0, 3), steps=(0.5, 1.0), epochs=2)
_MOMENTUM = functools.partial(torch.optim.SGD, lr=0.05, momentum=0.9)


def _flat(tensors: dict[str, Any], names: tuple[str, ...]) -> np.ndarray:
    return np.concatenate([np.asarray(tensors[name], dtype=np.float64).ravel() for name in names])


def _started() -> nn.Sequential:
    model = small_net(1)
    model.load_state_dict(_START)
    return model


def test_there_is_a_run_for_each_seed_and_step_and_one_for_the_optimum(tmp_path):
    optimum, *runs = jump_and_retrain(small_task(name="small"), _START, tmp_path / "jumps", settings=_FEW)
    assert optimum.n_points + sum(run.n_points for run in runs) == 2 * 2 * (2 + 1) + 1
    assert all(run.is_complete for run in (optimum, *runs))
    assert [run.steps.tolist() for run in runs] == [[0, 1, 2]] * 4
    assert [run.name for run in runs] == ["seed-0-step-0.5", "seed-0-step-1.0", "seed-3-step-0.5", "seed-3-step-1.0"]
    assert sorted(entry.name for entry in (tmp_path / "jumps").iterdir()) == ["optimum", *(run.name for run in runs)]
    for run, (seed, step) in zip(runs, [(0, 0.5), (0, 1.0), (3, 0.5), (3, 1.0)], strict=True):
        settings = dict(run.settings)
        assert len(settings.pop("key")) == 64
        assert settings == {
            "kind": "retraining",
            "every": "epoch",
            "task": "small",
            "seed": seed,
            "step": step,
            "epochs": 2,
            "norm": "filter",
            "batchnorm": "recompute",
            "learning_rate": None,
            "updates": None,
            "optimizer": "fresh",
            "data_seed": None,
        }
    assert (optimum.settings["kind"], optimum.settings["task"]) == ("optimum", "small")
    np.testing.assert_array_equal(optimum.weights()[0], _flat(_START, optimum.names))
    expected = evaluation(small_task(), _started())
    assert {name: values.tolist() for name, values in optimum.metrics.items()} == {n: [value] for n, value in expected.items()}


def test_the_defaults_are_those_of_the_paper():
    settings = JumpSettings()
    assert len(settings.seeds) == 4
    assert settings.steps == (0.25, 0.5, 0.75, 1.0)
    assert (settings.epochs, settings.norm, settings.learning_rate) == (40, "filter", None)


@pytest.mark.parametrize("norm", ["filter", "layer", "global"])
def test_the_first_point_is_the_start_plus_the_step_times_the_direction(tmp_path, norm):
    settings = JumpSettings(seeds=(0, 3), steps=(0.0, 0.25, 1.0), epochs=1, norm=norm)
    _, *runs = jump_and_retrain(small_task(), _START, tmp_path, settings=settings)
    for run in runs:
        seed, step = run.settings["seed"], run.settings["step"]
        direction = random_direction(_started().named_parameters(), seed=seed, norm=norm)
        point = run.snapshot(0)
        for name in run.names:
            assert torch.equal(torch.as_tensor(point[name]), torch.add(_START[name], direction[name], alpha=step)), name
        weights = [name for name in run.names if _START[name].dim() > 1]
        moved = np.linalg.norm(_flat(point, run.names) - _flat(_START, run.names))
        # float32 weights.
        np.testing.assert_allclose(moved, step * np.linalg.norm(_flat(_START, tuple(weights))), rtol=1e-5)


def test_a_seed_has_one_direction_for_all_its_steps_and_another_seed_another(tmp_path):
    settings = JumpSettings(seeds=(0, 1), steps=(0.25, 0.5, 1.0), epochs=1)
    _, *runs = jump_and_retrain(small_task(), _START, tmp_path, settings=settings)
    start = _flat(_START, runs[0].names)
    directions = [(run.weights()[0] - start) / run.settings["step"] for run in runs]
    for first, second in ((0, 1), (0, 2), (3, 4), (3, 5)):
        # The jumped weights are float32 and some of size 5: their rounding, divided by the step.
        np.testing.assert_allclose(directions[first], directions[second], atol=5e-6)
    assert np.abs(directions[0] - directions[3]).max() > 0.1


def _recomputed_by_hand(model: nn.Sequential, data: list) -> None:
    with torch.no_grad():
        inputs = [model[0](x) for x, _ in data]
    model[1].running_mean.copy_(torch.stack([x.mean(dim=(0, 2, 3)) for x in inputs]).mean(dim=0))
    model[1].running_var.copy_(torch.stack([x.var(dim=(0, 2, 3), unbiased=True) for x in inputs]).mean(dim=0))
    model[1].num_batches_tracked.fill_(len(data))


def _losses_by_hand(model: nn.Sequential, data: list) -> tuple[float, float]:
    model.eval()
    losses, hits = [], []
    with torch.no_grad():
        for x, y in data:
            for image, label in zip(x, y, strict=True):
                output = model(image[None])[0].double()
                losses.append(float(torch.logsumexp(output, 0) - output[label]))
                hits.append(bool(output.argmax() == label))
    model.train()
    return float(np.mean(losses)), float(np.mean(hits))


def _twin(seed: int, step: float, *, epochs: int, rate: float, momentum: float, batchnorm: str) -> Iterator[tuple[dict, tuple]]:
    """Jump and retrain as the paper writes it, with the optimiser written out."""
    model = _started()
    noise = torch.Generator().manual_seed(int(np.random.SeedSequence((seed, 0)).generate_state(1)[0]))
    with torch.no_grad():
        for parameter in model.parameters():
            v = torch.randn(parameter.shape, generator=noise, dtype=torch.float64)
            if parameter.dim() <= 1:
                continue
            for i in range(len(parameter)):
                parameter[i] += (step * v[i] * parameter[i].double().norm() / v[i].norm()).float()
    if batchnorm == "recompute":
        _recomputed_by_hand(model, batches(2))
    model.train()
    velocity = [torch.zeros_like(parameter) for parameter in model.parameters()]
    yield copy.deepcopy(model.state_dict()), (*_losses_by_hand(model, batches(2)), *_losses_by_hand(model, batches(3, (5, 2))))
    for _ in range(epochs):
        for x, y in batches(2):
            gradients = torch.autograd.grad(nn.functional.cross_entropy(model(x), y), list(model.parameters()))
            with torch.no_grad():
                for parameter, v, gradient in zip(model.parameters(), velocity, gradients, strict=True):
                    v.mul_(momentum).add_(gradient)
                    parameter.sub_(rate * v)
        yield (
            copy.deepcopy(model.state_dict()),
            (*_losses_by_hand(model, batches(2)), *_losses_by_hand(model, batches(3, (5, 2)))),
        )


@pytest.mark.parametrize(
    ("momentum", "learning_rate", "batchnorm"),
    [(0.0, None, "recompute"), (0.0, 0.002, "stale"), (0.9, 0.01, "recompute")],
)
def test_retraining_is_its_literal_twin_at_each_epoch(tmp_path, momentum, learning_rate, batchnorm):
    task = small_task(optimizer=functools.partial(torch.optim.SGD, lr=0.05, momentum=momentum))
    settings = JumpSettings(seeds=(2,), steps=(0.25, 0.5), epochs=3, learning_rate=learning_rate, batchnorm=batchnorm)
    _, *runs = jump_and_retrain(task, _START, tmp_path, settings=settings)
    for run in runs:
        twin = list(_twin(2, run.settings["step"], epochs=3, rate=learning_rate or 0.05, momentum=momentum, batchnorm=batchnorm))
        assert len(twin) == run.n_points == 4
        for epoch, (state, (train_loss, train_accuracy, test_loss, test_accuracy)) in enumerate(twin):
            for name, value in run.snapshot(epoch).items():
                np.testing.assert_allclose(value, state[name].numpy(), rtol=1e-5, atol=1e-6 * (1 + epoch), err_msg=name)
            np.testing.assert_allclose(run.metrics["train_loss"][epoch], train_loss, rtol=1e-5)
            np.testing.assert_allclose(run.metrics["test_loss"][epoch], test_loss, rtol=1e-5)
            assert run.metrics["train_accuracy"][epoch] == train_accuracy
            assert run.metrics["test_accuracy"][epoch] == test_accuracy


@pytest.mark.parametrize("batchnorm", ["recompute", "stale"])
def test_batch_norm_is_the_optimums_after_the_jump_only_when_stale(tmp_path, batchnorm):
    settings = JumpSettings(seeds=(0,), steps=(1.0,), epochs=1, batchnorm=batchnorm)
    optimum, run = jump_and_retrain(small_task(), _START, tmp_path, settings=settings)
    for name in ("1.running_mean", "1.running_var"):
        np.testing.assert_array_equal(optimum.snapshot()[name], _START[name])
        assert (batchnorm == "stale") == np.array_equal(run.snapshot(0)[name], _START[name])


def _trained_by_hand(model: nn.Module, optimizer: torch.optim.Optimizer, data: list) -> None:
    model.train()
    for x, y in data:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()


@pytest.mark.parametrize("kind", [_MOMENTUM, functools.partial(torch.optim.Adam, lr=0.01)])
def test_a_restored_optimiser_goes_on_as_if_nothing_had_been(tmp_path, kind):
    # Without a jump, retraining with the optimiser's state is the training itself, to the last bit.
    model = _started()
    optimizer = kind(model.parameters())
    _trained_by_hand(model, optimizer, batches(2))
    start, state = copy.deepcopy(model.state_dict()), copy.deepcopy(optimizer.state_dict())
    settings = JumpSettings(seeds=(0,), steps=(0.0,), epochs=2, batchnorm="stale", optimizer="restored")
    held = copy.deepcopy(state)
    _, run = jump_and_retrain(small_task(optimizer=kind), start, tmp_path / "a", settings=settings, optimizer_state=held)
    for epoch in (1, 2):
        _trained_by_hand(model, optimizer, batches(2))
        for name, value in run.snapshot(epoch).items():
            np.testing.assert_array_equal(value, model.state_dict()[name], err_msg=name)
    # The caller's state is as it was.
    for one, other in zip(held["state"].values(), state["state"].values(), strict=True):
        assert all(torch.equal(torch.as_tensor(one[name]), torch.as_tensor(other[name])) for name in other)
    _, fresh = jump_and_retrain(small_task(optimizer=kind), start, tmp_path / "b", settings=replace(settings, optimizer="fresh"))
    assert not np.array_equal(fresh.weights()[1], run.weights()[1])


def test_another_state_of_the_optimiser_is_other_work(tmp_path, refuses):
    model = _started()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    _trained_by_hand(model, optimizer, batches(2))
    settings = JumpSettings(seeds=(0,), steps=(0.5,), epochs=1, optimizer="restored")
    state = copy.deepcopy(optimizer.state_dict())
    jump_and_retrain(small_task(), _START, tmp_path, settings=settings, optimizer_state=state)
    before = _files(tmp_path)
    jump_and_retrain(small_task(), _START, tmp_path, settings=settings, optimizer_state=state)
    assert _files(tmp_path) == before
    _trained_by_hand(model, optimizer, batches(2))
    with refuses("was made from another start, task or settings"):
        jump_and_retrain(small_task(), _START, tmp_path, settings=settings, optimizer_state=optimizer.state_dict())


def test_a_state_and_the_setting_belong_together_and_must_fit(tmp_path, refuses):
    state = torch.optim.SGD(_started().parameters(), lr=0.05).state_dict()
    restored = JumpSettings(optimizer="restored")
    for settings, given in ((restored, None), (JumpSettings(), state)):
        with refuses("belong together, but one came alone; pass both or neither"):
            jump_and_retrain(small_task(), _START, tmp_path, settings=settings, optimizer_state=given)
    other = torch.optim.SGD(list(_started().parameters())[:2], lr=0.05).state_dict()
    for unfit in (other, {}, {"state": {}, "param_groups": 3}):
        with refuses(r"optimizer_state does not fit the task's optimiser \(.+\); pass that optimiser"):
            jump_and_retrain(small_task(), _START, tmp_path, settings=restored, optimizer_state=unfit)


def test_an_epoch_may_be_a_number_of_updates_that_go_on_from_pass_to_pass(tmp_path):
    seen: list[int] = []
    data = batches(2, (2, 3, 4))

    def loss(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        if torch.is_grad_enabled():
            seen.append(len(target))
        return nn.functional.cross_entropy(output, target)

    settings = JumpSettings(seeds=(0,), steps=(0.5,), epochs=3, updates=2)
    _, run = jump_and_retrain(small_task(train=data, loss=loss), _START, tmp_path, settings=settings)
    assert seen[1:] == [2, 3, 4, 2, 3, 4]  # after the trial batch
    assert run.n_points == 4


def test_one_seed_for_the_data_is_one_order_for_all_directions(tmp_path):
    orders: dict[int | None, list[list[int]]] = {}
    for data_seed in (None, 5):
        seen: list[int] = []

        def loss(output: torch.Tensor, target: torch.Tensor, seen: list[int] = seen) -> torch.Tensor:
            if torch.is_grad_enabled():
                seen.extend(int(number) for number in target)
            return (output[:, 0] - target).square().mean()

        plain = [(torch.zeros(2, 2), torch.zeros(2))]
        task = Task(
            nn.Linear(2, 1), loss, DataLoader(_Numbered(), batch_size=4, shuffle=True), plain, torch.optim.SGD, train_eval=plain
        )
        settings = JumpSettings(seeds=(0, 5), steps=(0.5,), epochs=1, data_seed=data_seed)
        jump_and_retrain(task, task.model.state_dict(), tmp_path / str(data_seed), settings=settings)
        orders[data_seed] = [seen[4:16], seen[16:]]
    assert orders[None][0] != orders[None][1]
    assert orders[5][0] == orders[5][1] == orders[None][1]


def test_statistics_are_recomputed_on_the_data_without_augmentation(tmp_path):
    plain = batches(8)
    settings = JumpSettings(seeds=(0,), steps=(0.5,), epochs=1)
    _, run = jump_and_retrain(small_task(train_eval=plain), _START, tmp_path, settings=settings)
    model = small_net(1)
    model.load_state_dict({name: torch.as_tensor(value) for name, value in run.snapshot(0).items()})
    _recomputed_by_hand(model, plain)
    np.testing.assert_allclose(run.snapshot(0)["1.running_mean"], model[1].running_mean, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", ["run", "snapshot", "state dict"])
def test_a_start_may_be_a_run_a_snapshot_or_a_state_dict(tmp_path, kind):
    model = small_net(9)
    with Recorder(tmp_path / "training", model) as recorder:
        model.load_state_dict(_START)
        recorder.step()
    run = open_run(tmp_path / "training")
    start = {"run": run, "snapshot": run.snapshot(1), "state dict": model.state_dict()}[kind]
    settings = JumpSettings(seeds=(0,), steps=(0.5,), epochs=1)
    optimum, *_ = jump_and_retrain(small_task(), start, tmp_path / "jumps", settings=settings)
    np.testing.assert_array_equal(optimum.weights()[0], _flat(_START, optimum.names))
    # The three are one start: the work that is done for one is done for all.
    before = _files(tmp_path / "jumps")
    again = jump_and_retrain(small_task(), model.state_dict(), tmp_path / "jumps", settings=settings)
    np.testing.assert_array_equal(again[0].weights(), optimum.weights())
    assert _files(tmp_path / "jumps") == before


class _Numbered(Dataset):
    """Samples whose target is their number, and behind the point some chance."""

    def __init__(self, chance: Callable[[], float] = lambda: 0.0, own: object = None) -> None:
        self._chance = chance
        self.own = own

    def __len__(self) -> int:
        return 12

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.full((2,), index / 12), torch.tensor(index + 0.5 * self._chance(), dtype=torch.float64)


class _Shuffled:
    """An iterable with a generator of its own."""

    def __init__(self, own: np.random.Generator) -> None:
        self._own = own

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        for numbers in self._own.permutation(12).reshape(3, 4):
            yield torch.as_tensor(numbers[:, None] / 12).float().expand(4, 2), torch.as_tensor(numbers).double()


def _numpys_own() -> DataLoader:
    own = np.random.default_rng(11)
    return DataLoader(Subset(_Numbered(own.random, own), range(12)), batch_size=4)


_DATA: dict[str, Callable[[], Any]] = {
    "shuffled by the global generator": lambda: DataLoader(_Numbered(), batch_size=4, shuffle=True),
    "shuffled by the loader's own": lambda: DataLoader(
        _Numbered(), batch_size=4, shuffle=True, generator=torch.Generator().manual_seed(11)
    ),
    "an iterable with NumPy's": lambda: _Shuffled(np.random.default_rng(11)),
    "augmented by Python's": lambda: DataLoader(_Numbered(random.random), batch_size=4),
    "augmented by NumPy's global": lambda: DataLoader(_Numbered(np.random.random), batch_size=4),
    "augmented by torch's": lambda: DataLoader(_Numbered(lambda: torch.rand(1).item()), batch_size=4),
    "augmented by the data set's own": _numpys_own,
}


@pytest.mark.parametrize("kind", _DATA)
@pytest.mark.usefixtures("as_users_call")  # the type checks of the tests draw from Python's generator
def test_all_steps_of_a_seed_see_the_same_batches_and_each_seed_others(tmp_path, kind):
    seen: list[list[float]] = []

    def loss(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        if torch.is_grad_enabled():  # in training only
            seen.append(target.tolist())
        return (output[:, 0] - target).square().mean()

    plain = [(torch.zeros(2, 2), torch.zeros(2))]
    optimizer = functools.partial(torch.optim.SGD, lr=1e-4)
    task = Task(nn.Linear(2, 1), loss, _DATA[kind](), plain, optimizer, train_eval=plain)
    settings = JumpSettings(seeds=(0, 1, 5), steps=(0.5, 1.0), epochs=2)
    jump_and_retrain(task, task.model.state_dict(), tmp_path, settings=settings)
    del seen[0]  # the trial batch
    orders = [seen[i : i + 6] for i in range(0, len(seen), 6)]
    assert len(orders) == 6
    for first, second in ((0, 1), (2, 3), (4, 5)):
        assert orders[first] == orders[second]
    for first, second in ((0, 2), (0, 4), (2, 4)):
        assert orders[first] != orders[second]
    for order in orders:
        # Each epoch is all the data, and chance goes on from one epoch to the next.
        assert [sorted(int(y) for batch in epoch for y in batch) for epoch in (order[:3], order[3:])] == [list(range(12))] * 2
        assert order[:3] != order[3:]


def test_evaluating_with_the_training_data_does_not_disturb_their_order(tmp_path):
    settings = JumpSettings(seeds=(0,), steps=(0.5,), epochs=3, batchnorm="stale")
    _, apart = jump_and_retrain(shuffled_task(), _START, tmp_path / "apart", settings=settings)
    _, shared = jump_and_retrain(small_task(train=shuffled_data(2)), _START, tmp_path / "shared", settings=settings)
    np.testing.assert_array_equal(shared.weights(), apart.weights())


class _Lent:
    """A task whose every part has a state that could be changed."""

    def __init__(self) -> None:
        self.model = small_net(1)
        self.model.train()
        self.model[1].eval()
        self.model[0].bias.requires_grad = False
        nn.functional.cross_entropy(self.model(batches(2)[0][0]), batches(2)[0][1]).backward()
        self.loader_own = torch.Generator().manual_seed(21)
        self.data_own = np.random.default_rng(22)
        data = shuffled_data(2).dataset
        self.train = DataLoader(_Noisy(data, self.data_own), batch_size=4, shuffle=True, generator=self.loader_own)
        self.calls = 0
        self.fails_at = 0

    def task(self) -> Task:
        return small_task(model=self.model, loss=self._loss, train=self.train, train_eval=batches(2))

    def _loss(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        if self.calls == self.fails_at:
            raise LookupError(f"call {self.calls}")
        _ = torch.rand(1), random.random(), np.random.random()  # noqa: NPY002 - as users do
        return nn.functional.cross_entropy(output, target)

    def state(self) -> list:
        return [
            [(name, tensor.numpy().tobytes(), tensor.data_ptr()) for name, tensor in self.model.state_dict().items()],
            [(p.requires_grad, None if p.grad is None else p.grad.numpy().tobytes()) for p in self.model.parameters()],
            [module.training for module in self.model.modules()],
            [(name, value.numpy().tobytes()) for name, value in _START.items()],
            self.loader_own.get_state().tolist(),
            repr(self.data_own.bit_generator.state),
            torch.get_rng_state().tolist(),
            random.getstate(),
            repr(np.random.get_state()),  # noqa: NPY002 - the user's own
        ]


class _Noisy(Dataset):
    def __init__(self, data: Dataset, own: np.random.Generator) -> None:
        self._data, self.own = data, own

    def __len__(self) -> int:
        return len(self._data)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        x, y = self._data[index]
        return x + 0.1 * self.own.random(), y


# In one jump of one epoch: the trial batch, that twice over, and trained on; the probe's batch with two seeds, and its three
# batches; the optimum evaluated twice, the jump evaluated, training, and the end evaluated.
_CALLS = 3 + 2 + 3 + 2 * (3 + 2) + (3 + 2) + 3 + (3 + 2)


@pytest.mark.parametrize("fails_at", [0, 1, 2, 4, 5, 7, 11, 17, 20, 22, 23, 24, 25, 29])
@pytest.mark.usefixtures("as_users_call")  # the type checks of the tests draw from Python's generator
def test_everything_comes_back_as_it_was_lent_also_when_the_loss_fails(tmp_path, fails_at):
    lent = _Lent()
    before = lent.state()
    lent.fails_at = fails_at
    settings = JumpSettings(seeds=(0,), steps=(0.5,), epochs=1)
    if fails_at:
        with pytest.raises(LookupError, match=f"call {fails_at}"):
            jump_and_retrain(lent.task(), _START, tmp_path, settings=settings)
    else:
        jump_and_retrain(lent.task(), _START, tmp_path, settings=settings)
        assert lent.calls == _CALLS
    assert lent.state() == before


class _Counted:
    """The small task, whose loss counts the batches it trained on, and fails at one of them."""

    def __init__(self, fails_at: int = 0, **changes: Any) -> None:
        self.batches = -1  # the first is the trial batch
        self._fails_at = fails_at
        self.task = small_task(loss=self._loss, train=shuffled_data(2), train_eval=batches(2), **changes)

    def _loss(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        if torch.is_grad_enabled():
            self.batches += 1
            if self._fails_at and self.batches == self._fails_at:
                raise KeyboardInterrupt
        return nn.functional.cross_entropy(output, target)


def _files(folder: Path) -> dict[Path, tuple[int, bytes]]:
    return {f: (f.stat().st_mtime_ns, f.read_bytes()) for f in folder.rglob("*") if f.is_file() and f.name != ".lock"}


def _assert_equal_runs(runs: list[Run], others: list[Run]) -> None:
    assert len(runs) == len(others)
    for run, other in zip(runs, others, strict=True):
        np.testing.assert_array_equal(run.weights(), other.weights())
        assert run.settings == other.settings
        assert run.metrics.keys() == other.metrics.keys()
        for name, values in run.metrics.items():
            np.testing.assert_array_equal(values, other.metrics[name])


def test_what_is_finished_is_not_done_again(tmp_path):
    first = _Counted()
    runs = jump_and_retrain(first.task, _START, tmp_path / "jumps", settings=_FEW)
    assert first.batches == 4 * 2 * 3
    before = _files(tmp_path / "jumps")
    second, reports = _Counted(), []
    again = jump_and_retrain(second.task, _START, tmp_path / "jumps", settings=_FEW, progress=lambda *done: reports.append(done))
    assert second.batches == 0
    assert reports == [(4, 4)]
    assert _files(tmp_path / "jumps") == before
    _assert_equal_runs(runs, again)


# The first batch of all, the middle of the second retraining, and the last batch of all.
@pytest.mark.parametrize("fails_at", [1, 9, 24])
def test_an_interrupted_retraining_is_done_again_and_the_others_kept(tmp_path, fails_at):
    whole = jump_and_retrain(_Counted().task, _START, tmp_path / "whole", settings=_FEW)
    with pytest.raises(KeyboardInterrupt):
        jump_and_retrain(_Counted(fails_at).task, _START, tmp_path / "jumps", settings=_FEW)
    n_finished = (fails_at - 1) // 6
    assert [open_run(path).is_complete for path in sorted((tmp_path / "jumps").glob("seed-*"))] == [
        *[True] * n_finished,
        False,
    ]
    counted, reports = _Counted(), []
    runs = jump_and_retrain(counted.task, _START, tmp_path / "jumps", settings=_FEW, progress=lambda *done: reports.append(done))
    assert counted.batches == 6 * (4 - n_finished)
    assert reports == [(done, 4) for done in range(n_finished, 5)]
    _assert_equal_runs(runs, whole)


def test_more_seeds_add_to_what_is_there(tmp_path):
    few = jump_and_retrain(_Counted().task, _START, tmp_path / "jumps", settings=_FEW)
    counted = _Counted()
    more = JumpSettings(seeds=(0, 3, 4), steps=(0.5, 1.0), epochs=2)
    runs = jump_and_retrain(counted.task, _START, tmp_path / "jumps", settings=more)
    assert counted.batches == 2 * 6
    _assert_equal_runs(runs[:5], few)


class _OtherSGD(torch.optim.SGD):
    """Steps as SGD does, for all that can be seen of its settings."""


_OTHER: dict[str, dict] = {
    "epochs": {"settings": JumpSettings(seeds=(0, 3), steps=(0.5, 1.0), epochs=3)},
    "norm": {"settings": JumpSettings(seeds=(0, 3), steps=(0.5, 1.0), epochs=2, norm="layer")},
    "batchnorm": {"settings": JumpSettings(seeds=(0, 3), steps=(0.5, 1.0), epochs=2, batchnorm="stale")},
    "learning rate": {"settings": JumpSettings(seeds=(0, 3), steps=(0.5, 1.0), epochs=2, learning_rate=0.1)},
    "updates": {"settings": JumpSettings(seeds=(0, 3), steps=(0.5, 1.0), epochs=2, updates=3)},
    "data's order": {"settings": JumpSettings(seeds=(0, 3), steps=(0.5, 1.0), epochs=2, data_seed=0)},
    "start": {"start": small_net(6).state_dict()},
    "start's batch norm": {"start": _START | {"1.running_mean": _START["1.running_mean"] + 1}},
    "task": {"task": small_task(name="other")},
    "rate of the optimiser": {"task": small_task(optimizer=functools.partial(torch.optim.SGD, lr=0.06, momentum=0.9))},
    "optimiser": {"task": small_task(optimizer=torch.optim.Adam)},
    "optimiser of the same settings": {"task": small_task(optimizer=functools.partial(_OtherSGD, lr=0.05, momentum=0.9))},
    "loss": {"task": small_task(loss=nn.functional.multi_margin_loss)},
    "loss's settings": {"task": small_task(loss=nn.CrossEntropyLoss(label_smoothing=0.1))},
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    jump_and_retrain(small_task(), _START, folder, settings=_FEW)
    return folder


@pytest.mark.parametrize("what", _OTHER)
def test_other_work_in_the_same_folder_is_refused_and_left_alone(made, refuses, what):
    before = _files(made)
    arguments = {"task": small_task(), "start": _START, "settings": _FEW} | _OTHER[what]
    with refuses("was made from another start, task or settings; choose another folder, or remove that one first"):
        jump_and_retrain(arguments["task"], arguments["start"], made, settings=arguments["settings"])
    assert _files(made) == before


def test_a_folder_is_what_its_settings_say_and_not_what_its_name_says(tmp_path, refuses):
    jump_and_retrain(small_task(), _START, tmp_path, settings=JumpSettings(seeds=(0,), steps=(0.5,), epochs=1))
    for name, asked in (
        ("seed-0-step-0.25", {"seeds": (0,), "steps": (0.25,)}),
        ("seed-1-step-0.5", {"seeds": (1,), "steps": (0.5,)}),
    ):
        shutil.copytree(tmp_path / "seed-0-step-0.5", tmp_path / name)
        with refuses(f"'.*{name}' was made from another start, task or settings"):
            jump_and_retrain(small_task(), _START, tmp_path, settings=JumpSettings(epochs=1, **asked))


@pytest.mark.parametrize("part", ["train", "test"])
def test_other_data_in_the_same_folder_are_refused_and_the_runs_left_alone(made, refuses, part):
    before = _files(made)
    with refuses(rf"was made with other data or another loss \(the optimum's {part} \w+ is \S+ there and \S+ now\); choose"):
        jump_and_retrain(small_task(**{part: batches(7)}), _START, made, settings=_FEW)
    assert _files(made) == before


@pytest.mark.parametrize("is_frozen", [True, False])
def test_what_is_frozen_in_evaluation_mode_stays_so_and_a_whole_model_is_trained(tmp_path, is_frozen):
    model = small_net(1)
    model.eval() if not is_frozen else model[1].eval()
    settings = JumpSettings(seeds=(0,), steps=(0.5,), epochs=1, batchnorm="stale")
    _, run = jump_and_retrain(small_task(model=model), _START, tmp_path, settings=settings)
    assert is_frozen == np.array_equal(run.snapshot(1)["1.running_mean"], _START["1.running_mean"].numpy())


def test_a_run_that_was_recorded_by_hand_is_never_replaced(tmp_path, refuses):
    with Recorder(tmp_path / "optimum", small_net(1)):
        pass
    with refuses("'.*optimum' was made from another start, task or settings; choose another folder"):
        jump_and_retrain(small_task(), _START, tmp_path, settings=_FEW)
    assert open_run(tmp_path / "optimum").settings["kind"] == "training"


class _Inline(Executor):
    """Does the work when it is submitted, and keeps the rest for ever after an error."""

    def __init__(self) -> None:
        self.futures: list[Future] = []

    def submit(self, fn: Callable, /, *args: Any, **kwargs: Any) -> Future:
        future: Future = Future()
        if not any(f.done() and f.exception() for f in self.futures):
            try:
                future.set_result(fn(*args, **kwargs))
            except LookupError as error:
                future.set_exception(error)
        self.futures.append(future)
        return future


def test_an_executor_does_the_same_work(tmp_path):
    reports: list[tuple[int, int]] = []
    one_by_one = jump_and_retrain(shuffled_task(), _START, tmp_path / "one", settings=_FEW)
    others = jump_and_retrain(
        shuffled_task(),
        _START,
        tmp_path / "two",
        settings=_FEW,
        executor=_Inline(),
        progress=lambda *done: reports.append(done),
    )
    _assert_equal_runs(one_by_one, others)
    assert reports == [(done, 4) for done in range(5)]


def test_an_error_in_an_executor_comes_out_and_the_rest_is_cancelled(tmp_path):
    trained: list[int] = []

    def loss(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        if torch.is_grad_enabled():
            trained.append(1)
            if len(trained) > 7:
                raise LookupError("the user's own")
        return nn.functional.cross_entropy(output, target)

    inline = _Inline()
    with pytest.raises(LookupError, match="the user's own"):
        jump_and_retrain(small_task(loss=loss), _START, tmp_path, settings=_FEW, executor=inline)
    assert [future.cancelled() for future in inline.futures] == [False, False, True, True]
