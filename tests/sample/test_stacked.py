"""Retrainings side by side go where they go alone, and are done alone where they would not."""

import functools
import random
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tasks_for_workers import attended
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from lossatlas import JumpSettings, Run, Task, jump_and_retrain, open_run
from lossatlas.sample import fixed_randomness
from lossatlas.sample.jump import stack, stacked, trial
from lossatlas.sample.jump.retraining import Retraining

pytestmark = pytest.mark.usefixtures("as_users_call")  # the type checks of the tests draw from Python's generator

_SGD = functools.partial(torch.optim.SGD, lr=0.05, momentum=0.9, weight_decay=1e-3)
_ADAM = functools.partial(torch.optim.Adam, lr=0.003, weight_decay=1e-3)
_FEW = JumpSettings(seeds=(0, 3), steps=(0.5, 1.0), epochs=3)
_SETTINGS = JumpSettings(seeds=(0, 3), steps=(0.25, 0.5, 1.0), epochs=4)


def _data(n: int = 40) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(4)
    x = torch.randn(n, 6, generator=generator)
    return x, (x[:, 0] * x[:, 1] > 0).long() + (x[:, 2] > 1).long()


def _net(*middle: nn.Module) -> nn.Sequential:
    with torch.random.fork_rng([]):
        model = nn.Sequential(nn.Linear(6, 12), *(middle or (nn.Tanh(),)), nn.Linear(12, 3))
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.5, generator=generator)
    return model


def _task(**changes: Any) -> Task:
    x, y = _data()
    parts = {
        "model": _net(),
        "loss": nn.functional.cross_entropy,
        "train": DataLoader(TensorDataset(x, y), batch_size=16, shuffle=True),  # 16, 16 and 8
        "test": [_data(9)],
        "optimizer": _SGD,
        "train_eval": [(x, y)],
    }
    return Task(**(parts | changes))


class _Seen:
    """Stacked steps, and retrainings that were done alone."""

    def __init__(self) -> None:
        self.steps: list[int] = []  # retrainings in each stacked step
        self.alone: list[Path] = []
        self.shapes: list[tuple[int, ...]] = []  # of the last stack's parameters


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> _Seen:
    """Watch what is done how; a stack counts as faster, which is true of these networks but not at every moment."""
    seen = _Seen()
    step, retrain = stack.Stack.step, stacked.retrain

    def watched_step(self: stack.Stack, batches: Any) -> None:
        seen.steps.append(len(self._stream_of))
        seen.shapes = [tuple(parameter.shape) for parameter in self.parameters]
        step(self, batches)

    def watched_retrain(item: Any) -> None:
        seen.alone.append(item.path)
        retrain(item)

    monkeypatch.setattr(stack.Stack, "step", watched_step)
    monkeypatch.setattr(stacked, "retrain", watched_retrain)
    monkeypatch.setattr(trial, "_seconds", lambda _step, _parameters: 1.0)
    return seen


def _both(tmp_path: Path, make: Callable[[], Task], settings: JumpSettings = _SETTINGS, **more: Any) -> list[list[Run]]:
    task = make()
    alone = jump_and_retrain(task, task.model.state_dict(), tmp_path / "never", settings=settings, **more)
    task = make()
    return [
        alone,
        jump_and_retrain(task, task.model.state_dict(), tmp_path / "auto", settings=settings, stacked="auto", **more),
    ]


def _assert_near(alone: list[Run], together: list[Run]) -> None:
    for one, other in zip(alone, together, strict=True):
        assert (one.name, one.settings, one.steps.tolist()) == (other.name, other.settings, other.steps.tolist())
        assert other.is_complete
        weights, theirs = one.weights(), other.weights()
        np.testing.assert_array_equal(weights[0], theirs[0])
        # float32 adds up in another order at each of a dozen updates, and Adam divides by what is small.
        moved = np.linalg.norm(weights - weights[0], axis=1)
        assert (np.linalg.norm(weights - theirs, axis=1) <= 1e-4 * moved).all()
        assert one.metrics.keys() == other.metrics.keys()
        for name, values in one.metrics.items():
            tolerance = 1e-4 if name.endswith("loss") else 1.5 / 40  # a sample on the border may change its class
            np.testing.assert_allclose(other.metrics[name], values, atol=tolerance, rtol=1e-4)


def _assert_equal(alone: list[Run], together: list[Run]) -> None:
    for one, other in zip(alone, together, strict=True):
        assert one.settings == other.settings
        np.testing.assert_array_equal(one.weights(), other.weights())
        for name, values in one.metrics.items():
            np.testing.assert_array_equal(other.metrics[name], values)


@pytest.mark.parametrize("optimizer", [_SGD, _ADAM], ids=["SGD", "Adam"])
@pytest.mark.parametrize("changes", [{}, {"updates": 5}, {"data_seed": 8}, {"learning_rate": 0.01}], ids="".join)
def test_side_by_side_is_where_each_is_alone(tmp_path, seen, optimizer, changes):
    settings = JumpSettings(seeds=(0, 3), steps=(0.25, 0.5, 1.0), epochs=4, **changes)
    alone, together = _both(tmp_path, lambda: _task(optimizer=optimizer), settings)
    assert seen.alone == []
    assert seen.steps == [6] * (2 + 4 * (changes.get("updates") or 3))  # the trial has two
    _assert_near(alone, together)


def _by_shape(parameters: Any) -> torch.optim.Optimizer:
    given = list(parameters)
    groups = [{"params": [p for p in given if p.dim() > 1], "weight_decay": 1e-5}, {"params": [p for p in given if p.dim() <= 1]}]
    return torch.optim.SGD([group for group in groups if group["params"]], lr=0.05)


def test_what_is_frozen_stays_and_what_belongs_to_each_is_its_own(tmp_path, seen):
    def make() -> Task:
        model = _net(nn.BatchNorm1d(12), nn.Tanh())
        model[3].weight.requires_grad = False
        model.train()
        model[1].eval()  # its statistics are those of each jump
        return _task(model=model)

    alone, together = _both(tmp_path, make)
    assert seen.alone == []
    assert seen.shapes == [(6, 12, 6), (6, 12), (6, 12), (6, 12), (3, 12), (6, 3)]
    _assert_near(alone, together)
    for one, other in zip(alone[1:], together[1:], strict=True):
        for name in ("1.running_mean", "1.running_var", "1.num_batches_tracked", "3.weight"):
            np.testing.assert_array_equal(one.snapshot(-1)[name], other.snapshot(-1)[name], err_msg=name)


class _Attends(nn.Module):
    """Attention among the six numbers of a sample, each seen by two."""

    def __init__(self) -> None:
        super().__init__()
        self.inward, self.out = nn.Linear(1, 12), nn.Linear(24, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(attended(self.inward(x.unsqueeze(-1))).flatten(1))


def test_attention_is_stacked_without_going_one_by_one(tmp_path, seen, recwarn):
    def make() -> Task:
        with fixed_randomness(2):
            return _task(model=_Attends())

    alone, together = _both(tmp_path, make)
    assert seen.alone == []
    _assert_near(alone, together)
    assert not [str(said.message) for said in recwarn if "performance drop" in str(said.message)]


class _Normed(torch.optim.SGD):
    """Steps of a length that all of a tensor has a say in."""

    def step(self, closure: None = None) -> None:
        for group in self.param_groups:
            for p in group["params"]:
                p.grad.div_(p.grad.norm())
        super().step(closure)


class _Clipped(torch.optim.SGD):
    """Shortens a gradient that is very long, which none is at first."""

    def step(self, closure: None = None) -> None:
        nn.utils.clip_grad_norm_(self.param_groups[0]["params"], 5)
        super().step(closure)


def _clipping(parameters: Any) -> torch.optim.Optimizer:
    optimizer = torch.optim.SGD(parameters, lr=0.05)
    optimizer.register_step_pre_hook(_clip)
    return optimizer


def _clip(optimizer: torch.optim.Optimizer, *_: Any) -> None:
    nn.utils.clip_grad_norm_(optimizer.param_groups[0]["params"], 5)  # does nothing at first


class _DrawsLate(nn.Module):
    """Draws a number that it does not use, from the batch on that is asked for."""

    def __init__(self, begins: int) -> None:
        super().__init__()
        self.left = begins

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.training:
            self.left -= 1
            if self.left < 0:
                random.random()
        return x


class _BranchesLate(nn.Module):
    """Looks at a number from the batch on that is asked for."""

    def __init__(self, begins: int) -> None:
        super().__init__()
        self.left = begins

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.training:
            self.left -= 1
        return -x if self.left < 0 and x.sum() > 1e6 else x


class _Turns:
    """Batches by a loader that starts anew for whoever asks last, as one with persistent workers does."""

    def __init__(self) -> None:
        self._at = 0

    def __iter__(self) -> Iterator[Any]:
        order = torch.randperm(40)
        self._at = 0
        while self._at < 40:
            chosen = order[self._at : self._at + 8]
            self._at += 8
            yield tuple(part[chosen] for part in _data())


class _Augmented:
    """A pass in the order of Python's generator, which changes from its third pass on in ``how`` much it gives."""

    def __init__(self, how: Callable[[list[Any]], list[Any]]) -> None:
        self._how = how
        self._own = random.Random(1)

    def __iter__(self) -> Iterator[Any]:
        order = torch.tensor(self._own.sample(range(40), 40))
        yield from self._how([tuple(part[chosen] for part in _data()) for chosen in order.split(10)])


def _shorter_by_chance(batches: list[Any]) -> list[Any]:
    return batches[: int(batches[3][1].sum() % 2) + 3]


def _smaller_by_chance(batches: list[Any]) -> list[Any]:
    n = 5 + int(batches[3][1].sum() % 4)
    return [*batches[:3], tuple(part[:n] for part in batches[3])]


def _branching(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    loss = nn.functional.cross_entropy(output, target)
    return loss if loss > 0.1 else 2 * loss


def _drawing(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    random.random()
    return nn.functional.cross_entropy(output, target)


class _Pairs:
    def __iter__(self) -> Iterator[Any]:
        x, y = _data()
        yield x, [y]


def _first(output: torch.Tensor, target: list[torch.Tensor]) -> torch.Tensor:
    return nn.functional.cross_entropy(output, target[0])


_ALONE: dict[str, tuple[Callable[[], dict[str, Any]], int]] = {
    # What the task has, and how many stacked steps come before that is seen.
    "batch norm": (lambda: {"model": _net(nn.BatchNorm1d(12))}, 0),
    "dropout": (lambda: {"model": _net(nn.Dropout(0.5))}, 1),
    "an optimiser of its own": (lambda: {"optimizer": functools.partial(_Clipped, lr=0.05)}, 2),
    "a hook of the optimiser": (lambda: {"optimizer": _clipping}, 2),
    "groups by shape": (lambda: {"optimizer": _by_shape}, 2),
    "a loss that branches": (lambda: {"loss": _branching}, 1),
    "a loss that draws": (lambda: {"loss": _drawing}, 2),
    "a model that draws late": (lambda: {"model": _net(_DrawsLate(5))}, 2 + 2 * 3),
    "a model that branches late": (lambda: {"model": _net(_BranchesLate(3))}, 2 + 4),
    "iterators that disturb each other": (lambda: {"train": _Turns()}, 2),
    "passes of different length": (lambda: {"train": _Augmented(_shorter_by_chance)}, 2 + 3),
    "batches of different shape": (lambda: {"train": _Augmented(_smaller_by_chance)}, 2 + 4),
    "an operation that vmap repeats": (lambda: {"loss": nn.functional.multi_margin_loss}, 1),
    "targets that are lists": (lambda: {"train": _Pairs(), "test": _Pairs(), "train_eval": None, "loss": _first}, 1),
}


@pytest.mark.filterwarnings("default:There is a performance drop")  # as it is for users, whom it must not reach
@pytest.mark.parametrize("what", _ALONE)
def test_what_cannot_be_stacked_is_done_alone_to_the_last_bit(tmp_path, seen, what):
    changes, n_steps = _ALONE[what]
    alone, together = _both(tmp_path, lambda: _task(**changes()), _FEW)
    assert seen.steps == [4] * n_steps
    assert len(seen.alone) == 4
    _assert_equal(alone, together)


def test_the_trial_sees_an_optimiser_that_looks_at_more_than_each_number(tmp_path, seen, monkeypatch):
    monkeypatch.setattr(trial, "_ELEMENTWISE", {_Normed})
    alone, together = _both(tmp_path, lambda: _task(optimizer=functools.partial(_Normed, lr=0.05)), _FEW)
    assert (len(seen.steps), len(seen.alone)) == (2, 4)
    _assert_equal(alone, together)


def test_a_restored_optimiser_is_stepped_alone(tmp_path, seen):
    task = _task()
    state = _SGD(task.model.parameters()).state_dict()
    settings = JumpSettings(seeds=(0, 3), steps=(0.5,), epochs=1, optimizer="restored")
    _assert_equal(*_both(tmp_path, _task, settings, optimizer_state=state))
    assert (seen.steps, len(seen.alone)) == ([], 2)


@pytest.mark.parametrize(("of_stack", "is_stacked"), [(3.9, True), (4.1, False)])
def test_a_stack_must_be_faster_than_its_retrainings_one_by_one(tmp_path, seen, monkeypatch, of_stack, is_stacked):
    monkeypatch.setattr(trial, "_seconds", lambda _, parameters: of_stack if parameters[0].dim() == 3 else 1.0)
    _both(tmp_path, _task, _FEW)
    assert len(seen.alone) == (0 if is_stacked else 4)


def test_the_clock_takes_the_best_of_three(monkeypatch):
    ticks = iter([0.0, 3.0, 10.0, 11.0, 20.0, 22.0])
    monkeypatch.setattr(trial.time, "perf_counter", lambda: next(ticks))
    taken: list[int] = []
    assert trial._seconds(lambda: taken.append(1), [torch.zeros(2)]) == 1.0
    assert len(taken) == 3


def test_a_stack_is_as_large_as_memory_allows(tmp_path, seen, monkeypatch):
    weights = (6 * 12 + 12 + 12 * 3 + 3) * 4
    monkeypatch.setattr(stacked, "_STACK_BYTES", 4 * 4 * weights)
    alone, together = _both(tmp_path, _task)
    assert seen.alone == []
    assert seen.steps == [3] * (2 + 2 * 12)
    _assert_near(alone, together)
    monkeypatch.setattr(stacked, "_STACK_BYTES", 4 * 2 * weights - 1)
    _assert_equal(*_both(tmp_path / "one", _task))
    assert len(seen.alone) == 6


def _growing(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return output.pow(4).mean() + 0 * target.float().mean()


def test_those_that_diverge_end_and_the_others_go_on(tmp_path, seen):
    def make() -> Task:
        return _task(loss=_growing, optimizer=functools.partial(torch.optim.SGD, lr=1e-3))

    settings = JumpSettings(seeds=(0, 3), steps=(0.1, 1.5, 20.0), epochs=3)
    reports: list[tuple[int, int]] = []
    task = make()
    together = jump_and_retrain(
        task,
        task.model.state_dict(),
        tmp_path,
        settings=settings,
        stacked="auto",
        progress=lambda *done: reports.append((*done, len(seen.steps))),
    )
    assert seen.alone == []
    assert [run.n_points for run in together[1:]] == [4, 4, 3] * 2
    assert [run.diverged() for run in together[1:]] == [[], [], [2]] * 2
    assert all(run.is_complete for run in together)
    # The trial has two steps, an epoch three: those that diverged in the second are done before the third.
    assert reports == [(0, 6, 0), (1, 6, 8), (2, 6, 8), (3, 6, 11), (4, 6, 11), (5, 6, 11), (6, 6, 11)]
    task = make()
    alone = jump_and_retrain(task, task.model.state_dict(), tmp_path / "never", settings=settings)
    finite = [i for i, run in enumerate(alone) if not run.diverged()]
    assert len(finite) == 5
    _assert_near([alone[i] for i in finite], [together[i] for i in finite])
    before = len(seen.steps)
    jump_and_retrain(make(), task.model.state_dict(), tmp_path, settings=settings, stacked="auto")
    assert (len(seen.steps), seen.alone) == (before, [])


# At once they do in the trial too, which is no reason against a stack.
@pytest.mark.parametrize(("jump", "epochs"), [(20.0, 2), (1e5, 1)])
def test_where_all_diverged_nothing_is_stepped_any_more(tmp_path, seen, jump, epochs):
    task = _task(loss=_growing, optimizer=functools.partial(torch.optim.SGD, lr=1e-3))
    settings = JumpSettings(seeds=(0, 3), steps=(jump,), epochs=30)
    _, *runs = jump_and_retrain(task, task.model.state_dict(), tmp_path, settings=settings, stacked="auto")
    assert [run.n_points for run in runs] == [1 + epochs] * 2
    assert len(seen.steps) == 2 + 3 * epochs


def test_being_stopped_loses_the_stack_and_keeps_those_before_it(tmp_path, seen, monkeypatch):
    monkeypatch.setattr(stacked, "_MOST", 3)
    task = _task()
    start = task.model.state_dict()
    whole = jump_and_retrain(task, start, tmp_path / "whole", settings=_SETTINGS, stacked="auto")
    watched = stack.Stack.step

    def stopped(self: stack.Stack, batches: Any) -> None:
        if len(seen.steps) == 26 + 2 + 12 + 5:
            raise KeyboardInterrupt
        watched(self, batches)

    monkeypatch.setattr(stack.Stack, "step", stopped)
    with pytest.raises(KeyboardInterrupt):
        jump_and_retrain(task, start, tmp_path / "jumps", settings=_SETTINGS, stacked="auto")
    paths = sorted((tmp_path / "jumps").glob("seed-*"))
    assert [(open_run(path).is_complete, open_run(path).n_points) for path in paths] == [(True, 5)] * 3 + [(False, 2)] * 3
    monkeypatch.setattr(stack.Stack, "step", watched)
    reports: list[tuple[int, int]] = []
    runs = jump_and_retrain(
        task,
        start,
        tmp_path / "jumps",
        settings=_SETTINGS,
        stacked="auto",
        progress=lambda *done: reports.append(done),
    )
    assert seen.alone == []
    assert reports == [(3, 6), (4, 6), (5, 6), (6, 6)]
    _assert_equal(whole, runs)  # the same stacks


class _Lent:
    """A task whose parts have states that could be changed."""

    def __init__(self, fails_at: int = 0, *, draws: bool = False) -> None:
        self.draws = draws
        self.model = _net()
        self.model.train()
        self.model[1].eval()
        self.model[0].bias.requires_grad = False
        self.loader_own, self.data_own = torch.Generator().manual_seed(21), np.random.default_rng(22)
        x, y = _data()
        nn.functional.cross_entropy(self.model(x), y).backward()
        self.train = DataLoader(TensorDataset(x, y), batch_size=16, shuffle=True, generator=self.loader_own)
        self.train.noise = self.data_own
        self.calls, self.fails_at = 0, fails_at
        self.task = _task(model=self.model, loss=self._loss, train=self.train)

    def _loss(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        if self.calls == self.fails_at:
            raise KeyboardInterrupt
        if self.draws:
            _ = random.random(), np.random.random()  # noqa: NPY002 - as users do
        return nn.functional.cross_entropy(output, target)

    def state(self) -> list[Any]:
        return [
            [(name, tensor.numpy().tobytes(), tensor.data_ptr()) for name, tensor in self.model.state_dict().items()],
            [(p.requires_grad, None if p.grad is None else p.grad.numpy().tobytes()) for p in self.model.parameters()],
            [module.training for module in self.model.modules()],
            self.loader_own.get_state().tolist(),
            repr(self.data_own.bit_generator.state),
            torch.get_rng_state().tolist(),
            random.getstate(),
            repr(np.random.get_state()),  # noqa: NPY002 - the user's own
        ]


# Before, in the trial's stack, in one of those alone, in an evaluation, in a step, and again.
@pytest.mark.parametrize("share", [0, 0.24, 0.35, 0.5, 0.6, 0.7, 0.82, 1])
def test_everything_comes_back_as_it_was_lent_also_when_it_is_stopped(tmp_path, seen, share):
    settings = replace(_FEW, epochs=2)
    whole = _Lent()
    jump_and_retrain(whole.task, whole.model.state_dict(), tmp_path / "whole", settings=settings, stacked="auto")
    assert seen.alone == []
    lent = _Lent(fails_at=round(share * whole.calls))
    before = lent.state()
    with pytest.raises(KeyboardInterrupt) if share else nullcontext():
        jump_and_retrain(lent.task, lent.model.state_dict(), tmp_path / "jumps", settings=settings, stacked="auto")
    assert lent.state() == before


def test_what_is_drawn_in_the_trial_is_drawn_from_lent_chance(tmp_path, seen):
    lent = _Lent(draws=True)
    before = lent.state()
    jump_and_retrain(lent.task, lent.model.state_dict(), tmp_path, settings=replace(_FEW, epochs=1), stacked="auto")
    assert (len(seen.steps), len(seen.alone)) == (2, 4)
    assert lent.state() == before


class _Read:
    """Batches that are counted as they are read."""

    def __init__(self) -> None:
        self.n = 0

    def __iter__(self) -> Iterator[Any]:
        for _ in range(50):
            self.n += 1
            yield torch.zeros(4), torch.zeros(1)


@pytest.mark.parametrize(("n_bytes", "read"), [(2**24, [1, 33, 33]), (3 * 20, [1, 4, 4]), (19, [1, 2, 3])])
def test_batches_are_read_ahead_as_far_as_memory_allows(monkeypatch, n_bytes, read):
    monkeypatch.setattr(stack, "_AHEAD_BYTES", n_bytes)
    data = _Read()
    item = Retraining(_task(train=data), {}, 0, 0.5, _FEW, Path(), "")
    epoch = stack.Streams([item]).epoch()
    seen = []
    for _ in range(3):
        next(epoch)
        seen.append(data.n)
    assert seen == read
    assert sum(1 for _ in epoch) == 47


def test_by_default_and_alone_there_is_no_trial(tmp_path, seen):
    task = _task()
    jump_and_retrain(task, task.model.state_dict(), tmp_path / "never", settings=_SETTINGS)
    one = JumpSettings(seeds=(0,), steps=(0.5,), epochs=1)
    jump_and_retrain(task, task.model.state_dict(), tmp_path / "one", settings=one, stacked="auto")
    assert seen.steps == []
    assert [path.name for path in seen.alone] == ["seed-0-step-0.5"]


def test_another_word_is_refused(tmp_path, refuses):
    task = _task()
    with refuses("stacked must be one of never, auto, but is 'always'; choose one"):
        jump_and_retrain(task, task.model.state_dict(), tmp_path, stacked="always")
