"""Checkpoints of every kind become the run that recording would have made."""

import json
import pickle  # noqa: TID251 - a file that must be refused
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from lossatlas import atlas, open_run
from lossatlas.record import import_checkpoints
from lossatlas.record.checkpoints import checkpoint_paths


def _model(seed: int = 0) -> nn.Sequential:
    with torch.random.fork_rng([]):
        torch.random.manual_seed(seed)
        return nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(8, 3))


def _flat(model: nn.Module) -> np.ndarray:
    return np.concatenate([p.detach().double().numpy().ravel() for p in model.parameters()])


_STEPS = (2, 9, 10, 100)
_MODELS = {step: _model(step) for step in _STEPS}
_OPTIMIZER = {"state": {0: {"exp_avg": torch.ones(3)}}, "param_groups": [{"lr": 0.1}]}


def _prefixed(model: nn.Module, prefix: str) -> dict[str, torch.Tensor]:
    return {prefix + name: tensor for name, tensor in model.state_dict().items()}


def _plain(folder: Path, step: int, model: nn.Module) -> None:
    torch.save(model.state_dict(), folder / f"step_{step}.pt")


def _within(folder: Path, step: int, model: nn.Module) -> None:
    torch.save({"epoch": 1, "model_state_dict": model.state_dict(), "optimizer": _OPTIMIZER}, folder / f"model-{step}.pth")


def _old_format(folder: Path, step: int, model: nn.Module) -> None:
    torch.save(model.state_dict(), folder / f"step_{step}.bin", _use_new_zipfile_serialization=False)


def _parallel(folder: Path, step: int, model: nn.Module) -> None:
    torch.save({"state_dict": _prefixed(model, "module._orig_mod.")}, folder / f"epoch=0-step={step}.ckpt")


def _averaged(folder: Path, step: int, model: nn.Module) -> None:
    averaged = torch.optim.swa_utils.AveragedModel(model)
    torch.save(averaged.state_dict(), folder / f"swa{step}.pt")


def _safe(folder: Path, step: int, model: nn.Module) -> None:
    save_file(model.state_dict(), folder / f"{step}.safetensors")


def _sharded(folder: Path, step: int, model: nn.Module) -> None:
    place = folder / f"checkpoint-{step}"
    place.mkdir()
    names = list(model.state_dict())
    where = {name: f"model-0000{1 + (i >= 3)}-of-00002.safetensors" for i, name in enumerate(names)}
    for file in set(where.values()):
        save_file({name: model.state_dict()[name] for name in names if where[name] == file}, place / file)
    (place / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": where}))
    torch.save(_OPTIMIZER, place / "optimizer.pt")


def _distributed(folder: Path, step: int, model: nn.Module) -> None:
    from torch.distributed import checkpoint as dcp

    dcp.save({"model": model.state_dict(), "optim": _OPTIMIZER}, checkpoint_id=folder / f"step-{step}", no_dist=True)


_WAYS = {
    way.__name__.strip("_"): way for way in (_plain, _within, _old_format, _parallel, _averaged, _safe, _sharded, _distributed)
}


@pytest.mark.filterwarnings("ignore:torch.distributed:UserWarning")
@pytest.mark.parametrize("way", _WAYS)
def test_each_kind_of_checkpoint_is_read_in_the_order_of_its_steps(tmp_path, way):
    (tmp_path / "left").mkdir()
    for step, model in _MODELS.items():
        _WAYS[way](tmp_path / "left", step, model)
    torch.save(_OPTIMIZER, tmp_path / "left" / "optimizer.pt")
    (tmp_path / "left" / "notes.txt").write_text("of mine")
    run = import_checkpoints(tmp_path / "left", tmp_path / "run")
    assert run.steps.tolist() == list(_STEPS)
    names = [name for name, _ in _model().named_parameters()]
    assert sorted(run.names) == sorted(names)
    for point, model in enumerate(_MODELS.values()):
        found = run.snapshot(point)
        for name, tensor in model.state_dict().items():
            np.testing.assert_array_equal(found[name], tensor.numpy())
    assert {t.name for t in run.tensors if t.kind == "buffer"} == {
        f"1.{n}" for n in ("running_mean", "running_var", "num_batches_tracked")
    }
    assert run.is_complete
    assert open_run(tmp_path / "run").n_points == 4


def test_the_trainers_steps_losses_and_rates_are_picked_up(tmp_path):
    log = [
        {"step": 5, "epoch": 0.5, "loss": 2.0, "learning_rate": 1e-3},
        {"step": 10, "epoch": 1.0, "loss": 1.5, "learning_rate": 5e-4},
        {"step": 10, "epoch": 1.0, "eval_loss": 1.7, "eval_accuracy": 0.5, "eval_runtime": 3.0, "eval_samples_per_second": 9.0},
        {"step": 20, "epoch": 2.0, "loss": 1.0},
    ]
    for step in (10, 20):
        place = tmp_path / "out" / f"checkpoint-{step}"
        place.mkdir(parents=True)
        save_file(_model(step).state_dict(), place / "model.safetensors")
        (place / "trainer_state.json").write_text(json.dumps({"global_step": step, "log_history": log}))
        torch.save({}, place / "training_args.bin")
    run = import_checkpoints(tmp_path / "out", tmp_path / "run")
    assert run.steps.tolist() == [10, 20]
    assert run.metrics["train_loss"].tolist() == [1.5, 1.0]
    assert run.metrics["test_loss"].tolist() == [1.7, 1.7]
    assert run.metrics["test_accuracy"].tolist() == [0.5, 0.5]
    assert run.metrics["learning_rate"].tolist() == [5e-4, 5e-4]
    assert run.metrics["epoch"].tolist() == [1, 2]
    assert not [name for name in run.metrics if "runtime" in name or "second" in name]


def test_safetensors_are_read_where_they_lie(tmp_path, refuses):
    (tmp_path / "left").mkdir()
    for step, model in _MODELS.items():
        _safe(tmp_path / "left", step, model)
    run = import_checkpoints(tmp_path / "left", tmp_path / "run", link=True)
    files = sorted((tmp_path / "run" / "snapshots").iterdir())
    assert all(file.is_symlink() for file in files)
    np.testing.assert_array_equal(run.snapshot(1)["3.weight"], _MODELS[9].state_dict()["3.weight"].numpy())
    copied = import_checkpoints(tmp_path / "left", tmp_path / "copied")
    np.testing.assert_array_equal(run.weights(), copied.weights())
    assert atlas([tmp_path / "run", tmp_path / "copied"], knn=2).embedding.n_points == 8
    (tmp_path / "left" / "9.safetensors").unlink()
    with refuses(r"point 1 \(step 9\): its file 000001.safetensors is missing"):
        open_run(tmp_path / "run")
    _parallel(tmp_path / "left", 9, _MODELS[9])
    with refuses("cannot be read in place: only one safetensors file with the model's own names can; import without link"):
        import_checkpoints(tmp_path / "left" / "epoch=0-step=9.ckpt", tmp_path / "other", link=True)


def test_averaged_weights_are_taken_where_they_are_asked_for(tmp_path, refuses):
    content = {"model": _model(1).state_dict(), "ema": _model(2).state_dict(), "step": 7}
    torch.save(content, tmp_path / "last.pt")
    assert import_checkpoints(tmp_path / "last.pt", tmp_path / "a").steps.tolist() == [7]
    trained, averaged = (import_checkpoints(tmp_path / "last.pt", tmp_path / f"ema-{ema}", ema=ema) for ema in (False, True))
    np.testing.assert_array_equal(trained.weights()[0], _flat(_model(1)))
    np.testing.assert_array_equal(averaged.weights()[0], _flat(_model(2)))
    _plain(tmp_path, 3, _model())
    with refuses("holds no averaged weights under a usual name"):
        import_checkpoints(tmp_path / "step_3.pt", tmp_path / "b", ema=True)


def test_tied_weights_count_once(tmp_path):
    model = nn.Sequential(nn.Embedding(5, 4), nn.Linear(4, 5, bias=False))
    model[1].weight = model[0].weight
    torch.save(model.state_dict(), tmp_path / "step1.pt")
    assert import_checkpoints(tmp_path / "step1.pt", tmp_path / "run").names == ("0.weight",)


def test_types_stay_as_they_are(tmp_path):
    model = _model().bfloat16()
    torch.save(model.state_dict(), tmp_path / "step1.pt")
    save_file(model.state_dict(), tmp_path / "step2.safetensors")
    runs = [import_checkpoints(tmp_path / name, tmp_path / f"run-{name}") for name in ("step1.pt", "step2.safetensors")]
    for run in runs:
        assert {t.dtype for t in run.parameters} == {"BF16"}
        for name, parameter in model.named_parameters():
            np.testing.assert_array_equal(run.snapshot()[name], parameter.detach().float().numpy())


class _Object:
    pass


def test_a_file_that_needs_more_than_tensors_is_refused_with_the_reason(tmp_path, refuses):
    torch.save({"state_dict": _model().state_dict(), "config": _Object()}, tmp_path / "step1.pt")
    with refuses(r"'.*step1.pt' cannot be read as tensors alone \(it needs .*_Object\); load it where you trust it"):
        import_checkpoints(tmp_path / "step1.pt", tmp_path / "run")
    (tmp_path / "step2.pt").write_bytes(pickle.dumps(print))
    (tmp_path / "step3.pt").write_bytes(b"\x80nothing")
    (tmp_path / "step4.pt").write_bytes(b"")
    for name in ("step2.pt", "step3.pt", "step4.pt"):
        with refuses(f"'.*{name}' cannot be read as tensors alone"):
            import_checkpoints(tmp_path / name, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_what_is_no_checkpoint_is_refused(tmp_path, refuses):
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("x")
    torch.save({"lr": 0.1}, tmp_path / "step1.pt")
    torch.save([1, 2], tmp_path / "step2.pt")
    torch.save({"steps": torch.arange(3)}, tmp_path / "step3.pt")
    (tmp_path / "step4.safetensors").write_bytes(b"\x00" * 20)
    place = tmp_path / "checkpoint-1"
    place.mkdir()
    (place / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"w": "../../gone.safetensors"}}))
    for path, words in {
        tmp_path / "nobody": "there is no checkpoint at '.*nobody'",
        tmp_path / "*.nothing": "there is no checkpoint at",
        tmp_path / "empty": "the folder '.*empty' holds no checkpoint",
        tmp_path / "notes.txt": "is no checkpoint of a known kind; name files that end in .pt",
        tmp_path / "step1.pt": r"holds no state dict under a usual name \(it holds lr\)",
        tmp_path / "step2.pt": "holds a list, no state dict",
        tmp_path / "step3.pt": "holds no weights",
        tmp_path / "step4.safetensors": "is damaged",
        place: "the shard gone.safetensors that '.*' names is missing",
    }.items():
        with refuses(words):
            import_checkpoints(path, tmp_path / "run")
        assert not (tmp_path / "run").exists()


def test_checkpoints_of_two_models_are_no_run(tmp_path, refuses):
    _plain(tmp_path, 1, _model())
    _plain(tmp_path, 2, nn.Linear(2, 1))
    with refuses("snapshot 1 of run 'run': tensor '0.weight' is missing; record it as a run of its own"):
        import_checkpoints(tmp_path, tmp_path / "run")


def test_two_checkpoints_of_one_step_count_once_with_a_warning(tmp_path):
    _within(tmp_path, 5, _model(5))
    _plain(tmp_path, 5, _model(5))
    with pytest.warns(UserWarning, match="is of step 5 as .* is, and was left out"):
        assert import_checkpoints(tmp_path, tmp_path / "run").n_points == 1


def test_names_are_in_natural_order_and_patterns_are_understood(tmp_path):
    for step in (10, 9, 1):
        _plain(tmp_path, step, _model())
    names = [path.name for path in checkpoint_paths(tmp_path / "step_*.pt")]
    assert names == ["step_1.pt", "step_9.pt", "step_10.pt"]
    assert [path.name for path in checkpoint_paths([tmp_path / "step_9.pt", tmp_path])] == names


def test_one_tensor_is_in_memory_at_a_time(tmp_path):
    model = nn.Sequential(*(nn.Linear(500, 500, bias=False) for _ in range(12)))  # 1 MB each
    save_file(model.state_dict(), tmp_path / "step1.safetensors")
    torch.save(model.state_dict(), tmp_path / "step2.pt")
    for name in ("step1.safetensors", "step2.pt"):
        tracemalloc.start()
        import_checkpoints(tmp_path / name, tmp_path / f"run-{name}")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 3.5e6, (name, peak)


_PEAK = """
import re, sys
from pathlib import Path
import lossatlas as la

def peak():
    return 1024 * int(re.search(r"VmHWM:\\s*(\\d+) kB", Path("/proc/self/status").read_text())[1])

small, large, run = sys.argv[1:]
la.import_checkpoints(small, run + "-small")
la.audit(small)
before = peak()
la.audit(large)
la.import_checkpoints(large, run)
print(peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the pages of a mapped file are given back on Linux alone")
def test_a_mapped_file_does_not_stay_in_memory(tmp_path):
    torch.save(nn.Linear(3, 2).state_dict(), tmp_path / "small.pt")
    state = {f"{i}.weight": torch.randn(1000, 2000) for i in range(12)}  # 8 MB each
    state["turned.weight"] = torch.randn(30, 20).t()  # out of order in memory
    torch.save(state, tmp_path / "large.pt")
    program = [sys.executable, "-c", _PEAK, tmp_path / "small.pt", tmp_path / "large.pt", tmp_path / "run"]
    made = subprocess.run(program, check=True, capture_output=True, text=True)
    assert int(made.stdout) < 40e6  # of 96 MB
    found = open_run(tmp_path / "run").snapshot()
    assert all(torch.equal(torch.from_numpy(found[name]), tensor) for name, tensor in state.items())
