"""Whatever is called and however it ends, the user's model, optimiser and chance go back as they came."""

import copy
import random
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tasks_for_workers import batches, shuffled_data, small_net, small_task
from torch import nn

from lossatlas import (
    BandSettings,
    BendSettings,
    JumpSettings,
    SliceSettings,
    align,
    barycentric,
    bezier_path,
    bilinear,
    curvature,
    grid_sample,
    jump_and_retrain,
    linear_path,
    loss_line,
    loss_plane,
    naive_sample,
    nudged_elastic_band,
    sharpness,
)
from lossatlas.sample import Cycle, jump_cost


class _Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.out = nn.Linear(16, 16), nn.Linear(16, 16), nn.Linear(16, 2)
        self.b.weight = self.a.weight

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(self.b(torch.tanh(self.a(x.flatten(1)))))


_MODELS = {
    "batch norm": lambda: small_net(1),
    "dropout": lambda: nn.Sequential(nn.Flatten(), nn.Linear(16, 4), nn.Dropout(0.5), nn.Linear(4, 2)),
    "frozen": lambda: nn.Sequential(nn.Flatten(), nn.Linear(16, 4).requires_grad_(requires_grad=False), nn.Linear(4, 2)),
    "group norm": lambda: nn.Sequential(nn.Conv2d(1, 4, 3), nn.GroupNorm(2, 4), nn.Flatten(), nn.Linear(16, 2)),
    "tied": _Tied,
}


def _sliced(find):
    return lambda task, start, end, folder, batchnorm: find(task, start, end, SliceSettings(batchnorm=batchnorm))


_JUMPS = JumpSettings(seeds=(0,), steps=(0.5,), epochs=1)
_CALLS = {
    "jump_and_retrain": lambda task, start, end, folder, bn: jump_and_retrain(task, start, folder, settings=_JUMPS),
    "side by side": lambda task, start, end, folder, bn: jump_and_retrain(
        task, start, folder, settings=JumpSettings(seeds=(0, 1), steps=(0.5,), epochs=1), stacked="auto"
    ),
    "jump_cost": lambda task, start, end, folder, bn: jump_cost(task, start, settings=_JUMPS),
    "naive_sample": lambda task, start, end, folder, bn: naive_sample(task, start, folder, n_directions=2, steps=(0.1, 0.2)),
    "grid_sample": lambda task, start, end, folder, bn: grid_sample(task, start, folder, shape=(2, 1, 1)),
    "linear_path": _sliced(lambda task, start, end, own: linear_path(task, start, end, n=3, settings=own)),
    "loss_line": _sliced(lambda task, start, end, own: loss_line(task, start, n=3, settings=own)),
    "loss_plane": _sliced(lambda task, start, end, own: loss_plane(task, start, n=3, settings=own)),
    "barycentric": _sliced(lambda task, start, end, own: barycentric(task, start, end, start, n=3, settings=own)),
    "bilinear": _sliced(lambda task, start, end, own: bilinear(task, start, end, end, start, n=3, settings=own)),
    "nudged_elastic_band": lambda task, start, end, folder, bn: nudged_elastic_band(
        task,
        start,
        end,
        settings=BandSettings(pivots=1, cycles=(Cycle(2, 0.05), Cycle(1, 0.01)), between=1),
        path=folder / "kept.npz",
    ),
    "bezier_path": lambda task, start, end, folder, bn: bezier_path(
        task, start, end, settings=BendSettings(steps=3, points=3), path=folder / "kept.npz"
    ),
    "align": lambda task, start, end, folder, bn: align(task, start, end, restarts=1),
    "sharpness": lambda task, start, end, folder, bn: sharpness(task, start, restarts=1, iterations=2),
    "curvature": lambda task, start, end, folder, bn: curvature(task, start, n_eigenvalues=1, n_probes=2),
}


def _chance() -> tuple[object, ...]:
    state = np.random.get_state()  # noqa: NPY002 - the user's own
    return (torch.get_rng_state().tolist(), state[1].tolist(), state[2], random.getstate(), torch.get_num_threads())


def _of(model: nn.Module) -> dict[str, object]:
    return {
        "modes": [module.training for module in model.modules()],
        "frozen": [parameter.requires_grad for parameter in model.parameters()],
        "gradients": [None if p.grad is None else p.grad.tolist() for p in model.parameters()],
        "memory": [tensor.data_ptr() for tensor in model.state_dict().values()],
        "hooks": [[len(module._forward_hooks), len(module._forward_pre_hooks)] for module in model.modules()],
        "attributes": [sorted(vars(module)) for module in model.modules()],
    }


@contextmanager
def _as_they_came(model: nn.Module, optimizer: torch.optim.Optimizer):
    weights = copy.deepcopy(model.state_dict())
    moments = copy.deepcopy(optimizer.state_dict())
    before = _of(model)
    chance = _chance()
    yield
    assert _chance() == chance
    assert _of(model) == before
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, weights[name]), name
    after = optimizer.state_dict()
    assert after["param_groups"] == moments["param_groups"]
    for own, state in moments["state"].items():
        for name, value in state.items():
            assert torch.equal(torch.as_tensor(after["state"][own][name]), torch.as_tensor(value)), name


@pytest.mark.usefixtures("as_users_call")  # the type checks of the tests draw from Python's generator
@pytest.mark.parametrize("call", _CALLS)
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    kind=st.sampled_from(sorted(_MODELS)),
    is_training=st.booleans(),
    batchnorm=st.sampled_from(["recompute", "stale"]),
    fails_after=st.one_of(st.none(), st.integers(0, 40)),
    is_shuffled=st.booleans(),
)
def test_model_optimiser_and_chance_go_back_as_they_came(*, call, kind, is_training, batchnorm, fails_after, is_shuffled):
    with torch.random.fork_rng([]):
        torch.random.manual_seed(1)
        model = _MODELS[kind]()
    calls = []

    def loss(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        calls.append(1)
        if fails_after is not None and len(calls) > fails_after:
            raise LookupError("the user's own")
        return nn.functional.cross_entropy(output, target)

    # The user trains with it: gradients and moments are there.
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    x, y = batches(2)[0]
    nn.functional.cross_entropy(model(x), y).backward()
    optimizer.step()
    model.train(is_training)
    data = batches(2)
    task = small_task(model=model, loss=loss, train=shuffled_data(2) if is_shuffled else data, train_eval=data)
    start = copy.deepcopy(model.state_dict())
    end = {name: tensor + 0.1 if tensor.is_floating_point() else tensor for name, tensor in start.items()}
    with TemporaryDirectory() as folder, _as_they_came(model, optimizer):
        try:
            _CALLS[call](
                task, start, end, Path(folder) / "own" if "sample" in call or "jump" in call else Path(folder), batchnorm
            )
            assert fails_after is None or len(calls) <= fails_after
        except LookupError:
            assert fails_after is not None
