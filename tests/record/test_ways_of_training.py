"""Mixed precision, compiled, averaged, wrapped, adapted and accumulated: what is recorded is the model's own weights."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

from lossatlas import Recorder, atlas, open_run

_X = torch.randn(32, 4, generator=torch.Generator().manual_seed(0))
_Y = torch.randint(3, (32,), generator=torch.Generator().manual_seed(1))


def _model() -> nn.Sequential:
    with torch.random.fork_rng([]):
        torch.random.manual_seed(0)
        return nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3))


_NAMES = ("0.weight", "0.bias", "2.weight", "2.bias")


def _weights(model: nn.Module) -> np.ndarray:
    return np.concatenate([p.detach().double().numpy().ravel() for p in model.parameters()])


def _train(path, model, *, recorded=None, steps=4, update=lambda: None, **given):
    """Train, and return the run and the weights of the recorded model at each point."""
    recorded = recorded or model
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)
    seen = []
    with Recorder(path, recorded, **given) as recorder:
        seen.append(_weights(recorded))
        for _ in range(steps):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(_X), _Y).backward()
            optimizer.step()
            update()
            recorder.step()
            seen.append(_weights(recorded))
    return open_run(path), np.array(seen)


def test_a_model_that_is_wrapped_is_recorded_under_its_own_names(tmp_path):
    run, seen = _train(tmp_path / "parallel", nn.DataParallel(_model()))
    assert run.names == _NAMES
    np.testing.assert_array_equal(run.weights(), seen)


def test_a_compiled_model_is_recorded_under_its_own_names(tmp_path):
    model = _model()
    compiled = torch.compile(model, backend="eager")
    run, seen = _train(tmp_path / "compiled", compiled, recorded=compiled)
    assert run.names == _NAMES
    np.testing.assert_array_equal(run.weights(), seen)
    plain, _ = _train(tmp_path / "plain", _model())
    np.testing.assert_array_equal(plain.weights(), run.weights())


def test_the_averaged_weights_are_a_run_of_their_own(tmp_path):
    model = _model()
    averaged = torch.optim.swa_utils.AveragedModel(model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.9))
    run, seen = _train(tmp_path / "ema", model, recorded=averaged, update=lambda: averaged.update_parameters(model))
    assert run.names == _NAMES
    np.testing.assert_array_equal(run.weights(), seen)
    plain, _ = _train(tmp_path / "plain", _model(), steps=8)
    assert atlas([run, plain], knn=2).embedding.n_points == 14


def test_mixed_precision_records_the_weights_that_are_trained(tmp_path):
    model = _model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler("cpu")
    with Recorder(tmp_path / "run", model) as recorder:
        for _ in range(3):
            optimizer.zero_grad()
            with torch.autocast("cpu", torch.bfloat16):
                loss = nn.functional.cross_entropy(model(_X), _Y)
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
            recorder.step(train_loss=loss)
    run = open_run(tmp_path / "run")
    assert {t.dtype for t in run.parameters} == {"F32"}
    np.testing.assert_array_equal(run.weights()[-1], _weights(model))
    assert np.isfinite(run.metrics["train_loss"][1:]).all()


def test_adapters_alone_are_recorded_where_their_names_are_asked_for(tmp_path):
    class Adapted(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.base = _model().requires_grad_(requires_grad=False)
            self.lora_A, self.lora_B = nn.Linear(4, 2, bias=False), nn.Linear(2, 3, bias=False)

        def forward(self, x):
            return self.base(x) + self.lora_B(self.lora_A(x))

    run, _ = _train(tmp_path / "run", Adapted(), only="lora_*")
    assert run.names == ("lora_A.weight", "lora_B.weight")
    assert (np.diff(run.weights(), axis=0) != 0).any(axis=1).all()


def test_a_sum_of_gradients_counts_once_where_step_is_called_once(tmp_path):
    model = _model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with Recorder(tmp_path / "run", model, every=2) as recorder:
        for _ in range(4):
            optimizer.zero_grad()
            for part in (slice(16), slice(16, 32)):
                (nn.functional.cross_entropy(model(_X[part]), _Y[part]) / 2).backward()
            optimizer.step()
            recorder.step()
    assert open_run(tmp_path / "run").steps.tolist() == [0, 2, 4]


_TOGETHER = """
import sys, torch
from torch import distributed, nn
from torch.multiprocessing import spawn
import lossatlas as la

def train(rank, folder):
    distributed.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2)
    torch.manual_seed(0)
    model = nn.parallel.DistributedDataParallel(nn.Linear(4, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    x = torch.randn(8, 4, generator=torch.Generator().manual_seed(rank))
    with la.Recorder(f"{folder}/run", model) as recorder:
        for _ in range(5):
            optimizer.zero_grad()
            loss = model(x).square().mean()
            loss.backward()
            optimizer.step()
            recorder.step(train_loss=loss)
        recorder.flush()
        assert recorder.n_points == (6 if rank == 0 else 0)
    torch.save(model.module.state_dict(), f"{folder}/rank{rank}.pt")
    distributed.destroy_process_group()

if __name__ == "__main__":
    spawn(train, (sys.argv[1],), nprocs=2)
"""


@pytest.mark.skipif(not torch.distributed.is_available(), reason="this torch has no distributed package")
def test_of_two_processes_that_train_together_the_first_writes(tmp_path):
    (tmp_path / "together.py").write_text(_TOGETHER)
    subprocess.run([sys.executable, tmp_path / "together.py", str(tmp_path)], check=True, timeout=300)
    run = open_run(tmp_path / "run")
    assert run.n_points == 6
    assert run.is_complete
    assert run.names == ("weight", "bias")
    states = [torch.load(tmp_path / f"rank{rank}.pt", weights_only=True) for rank in (0, 1)]  # noqa: TID251
    for name in run.names:
        assert torch.equal(states[0][name], states[1][name])
        np.testing.assert_array_equal(run.snapshot()[name], states[0][name].numpy())
