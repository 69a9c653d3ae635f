"""A retraining that diverges is recorded up to the point that shows it, and is then over."""

import functools
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from lossatlas import JumpSettings, Task, jump_and_retrain

_X = torch.tensor([[1.0, 2.0], [-1.0, 1.0], [3.0, 0.5]])
_DATA = [(_X, torch.ones(3, 1))]
# The error grows by some 2e4 an update, so float32 is left in the ninth or tenth: the third epoch of four.
_DIVERGES = functools.partial(torch.optim.SGD, lr=2e3)
_SETTINGS = JumpSettings(seeds=(0,), steps=(0.5,), epochs=8, updates=4)


class _Growing(nn.Linear):
    """A linear layer that stays finite, beside a buffer that does not."""

    def __init__(self, *, is_stored: bool) -> None:
        super().__init__(2, 1)
        self.register_buffer("grown", torch.ones(1) if is_stored else torch.tensor([-torch.inf]), persistent=is_stored)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.training:
            self.grown.mul_(1e5)  # past float32 at the eighth update
        return super().forward(x)


class _Counted:
    def __init__(self, model: nn.Module | None = None, optimizer=_DIVERGES) -> None:
        self.updates = -1  # the first is the trial batch
        with torch.random.fork_rng([]):
            model = model or nn.Linear(2, 1)
        model.load_state_dict(model.state_dict() | {"weight": torch.tensor([[1.0, 2.0]]), "bias": torch.zeros(1)})
        self.task = Task(model, self._loss, _DATA, _DATA, optimizer)

    def _loss(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        self.updates += torch.is_grad_enabled()
        return nn.functional.mse_loss(output, target)


def _files(folder: Path) -> dict[Path, tuple[int, bytes]]:
    return {f: (f.stat().st_mtime_ns, f.read_bytes()) for f in folder.rglob("*") if f.is_file() and f.name != ".lock"}


def test_the_point_that_is_no_longer_finite_is_the_last_and_the_run_complete(tmp_path):
    counted = _Counted()
    _, run = jump_and_retrain(counted.task, counted.task.model.state_dict(), tmp_path, settings=_SETTINGS)
    assert run.is_complete
    assert counted.updates == 12
    assert run.steps.tolist() == [0, 1, 2, 3]
    assert run.diverged() == [3]
    # The second epoch's loss is past float32 too, but its weights are not: it goes on.
    assert np.isfinite(run.metrics["train_loss"]).tolist() == [True, True, False, False]


def test_a_diverged_retraining_is_done_also_for_the_next_call(tmp_path):
    first, more = _Counted(), JumpSettings(seeds=(0,), steps=(0.25, 0.5), epochs=8, updates=4)
    jump_and_retrain(first.task, first.task.model.state_dict(), tmp_path, settings=_SETTINGS)
    before = _files(tmp_path)
    second, reports = _Counted(), []
    _, other, run = jump_and_retrain(
        second.task, second.task.model.state_dict(), tmp_path, settings=more, progress=lambda *done: reports.append(done)
    )
    assert second.updates == 12  # of the other step alone
    assert reports == [(1, 2), (2, 2)]
    assert (other.n_points, run.n_points) == (4, 4)
    assert {file: held for file, held in _files(tmp_path).items() if file in before} == before


@pytest.mark.parametrize("is_stored", [True, False])
def test_a_buffer_that_is_stored_shows_it_and_one_that_is_not_stays_unasked(tmp_path, is_stored):
    with torch.random.fork_rng([]):
        model = _Growing(is_stored=is_stored)
    counted = _Counted(model, functools.partial(torch.optim.SGD, lr=1e-3))
    _, run = jump_and_retrain(counted.task, model.state_dict(), tmp_path, settings=_SETTINGS)
    assert run.n_points == (3 if is_stored else 9)
    assert run.is_complete
    assert run.diverged() == []
