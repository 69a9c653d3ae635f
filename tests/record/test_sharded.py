"""A model spread over real processes: each sketches its own part, and the first stores the whole where it is asked for."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from lossatlas import Recorder, atlas, open_run
from lossatlas.sketch import sketch

pytestmark = pytest.mark.skipif(not torch.distributed.is_available(), reason="this torch has no distributed package")

_PROGRAM = Path(__file__).with_name("sharded_training.py")


def _trained(folder, keep, way):
    subprocess.run([sys.executable, _PROGRAM, str(folder), keep, way], check=True, timeout=300)
    return open_run(folder / "run")


def _alone(folder, way, keep="both"):
    """The same training in one process."""
    from sharded_training import STEPS, model, step

    made = model()
    with Recorder(folder / "alone", made, every=2, keep=keep) as recorder:
        for number in range(1, STEPS + 1):
            step(made, number, way)
            recorder.step(train_loss=float(number))
    return open_run(folder / "alone")


def _assert_same_sketches(run, expected, points):
    assert run.names == expected.names
    assert run.n_parameters == expected.n_parameters
    np.testing.assert_allclose(run.start().values, expected.start().values, rtol=1e-12, atol=1e-12)
    for point in points:
        a, b = run.sketch(point), expected.sketch(point)
        np.testing.assert_allclose(a.values, b.values, rtol=1e-4, atol=1e-6)
        assert a.squared_norm == pytest.approx(b.squared_norm, rel=1e-6)
        assert a.squared_displacement == pytest.approx(b.squared_displacement, rel=1e-4)
        assert a.dot == pytest.approx(b.dot, rel=1e-4, abs=1e-9)


@pytest.mark.parametrize("way", ["fsdp", "fsdp by layers", "by columns"])
def test_each_process_sketches_its_part_and_they_add_up(tmp_path, way):
    run = _trained(tmp_path, "sketch", way)
    assert run.keep == "sketch"
    assert run.is_complete
    assert run.steps.tolist() == [0, 2, 4, 5]
    assert run.metrics["train_loss"].tolist()[1:] == [2, 4, 5]
    _assert_same_sketches(run, _alone(tmp_path, way), range(4))
    assert atlas(run, knn=2).n_points == 4


@pytest.mark.parametrize("way", ["fsdp", "by columns"])
def test_the_whole_is_stored_where_it_is_asked_for(tmp_path, way):
    run = _trained(tmp_path, "both", way)
    assert run.steps.tolist() == [0, 2, 4, 5, 6]
    expected = _alone(tmp_path, way)
    assert run.tensors == expected.tensors
    np.testing.assert_allclose(run.weights()[:4], expected.weights(), rtol=1e-5, atol=1e-7)
    np.testing.assert_array_equal(run.weights()[0], expected.weights()[0])
    weights = run.weights()
    for point in range(5):  # the last by another recorder, which counts from the same start
        np.testing.assert_allclose(
            run.sketch(point).values, sketch(weights[point], start=weights[0]).values, rtol=1e-6, atol=1e-10
        )
    assert run.snapshot(1)["1.running_mean"].shape == (33,)
    # What is frozen is written once.
    assert run.settings["frozen"] == ["3.bias", "5.weight"]
    assert [line.get("first") for line in run.lines] == [None, *["000000.safetensors"] * 4]


def test_sketches_are_of_what_is_stored(tmp_path):
    run = _trained(tmp_path, "both bfloat16", "fsdp")
    weights = run.weights()
    assert {tensor.dtype for tensor in run.parameters} == {"BF16"}
    for point in range(run.n_points):
        made, expected = run.sketch(point), sketch(weights[point], start=weights[0])
        np.testing.assert_allclose(made.values, expected.values, rtol=1e-6, atol=1e-10)
        assert made.squared_norm == pytest.approx(expected.squared_norm, rel=1e-12)
        assert made.squared_displacement == pytest.approx(expected.squared_displacement, rel=1e-12, abs=1e-12)


def test_a_disk_that_fails_in_one_process_keeps_no_other_waiting(tmp_path):
    subprocess.run([sys.executable, _PROGRAM, str(tmp_path), "sketch failing", "fsdp"], check=True, timeout=120)
    assert int((tmp_path / "refused0").read_text()) >= 4
    assert (tmp_path / "refused1").read_text() == "0"
    assert open_run(tmp_path / "run").steps.tolist() == [0, 1, 2]


def test_a_model_that_is_flattened_is_refused(tmp_path, refuses):
    class FullyShardedDataParallel(torch.nn.Linear):
        pass

    with refuses("the model is wrapped by FullyShardedDataParallel, which flattens its parameters; shard it with torch.distribu"):
        Recorder(tmp_path / "run", torch.nn.Sequential(FullyShardedDataParallel(2, 3)))
    assert not (tmp_path / "run").exists()
