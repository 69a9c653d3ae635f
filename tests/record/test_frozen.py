"""A parameter that asks for no gradient is written once, and read in every point; a change of it is never missed."""

import numpy as np
import pytest
import torch
from torch import nn

from lossatlas import Recorder, audit, cosine_distances, open_run
from lossatlas.distance import pairwise
from lossatlas.record.frozen import Frozen
from lossatlas.record.taking import Taking
from lossatlas.record.weights import Selection, raw_tensor
from lossatlas.sketch import sketch


class _Adapted(nn.Module):
    """A frozen base with a small part that is trained."""

    def __init__(self) -> None:
        super().__init__()
        self.base, self.norm, self.adapter = nn.Linear(50, 40), nn.BatchNorm1d(40), nn.Linear(50, 40, bias=False)
        self.base.requires_grad_(requires_grad=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.norm(self.base(x) + self.adapter(x))


def _model() -> _Adapted:
    with torch.random.fork_rng([]):
        torch.random.manual_seed(0)
        return _Adapted()


def _walk(path, model, *, steps=5, before=lambda step: None, **given):
    """Record some steps, and return the run and the weights as they were."""
    seen = [_weights(model)]
    with Recorder(path, model, **given) as recorder:
        for step in range(1, steps + 1):
            before(step)
            with torch.no_grad():
                model.adapter.weight.add_(0.1 * step)
                model.norm.running_mean.add_(1)
            recorder.step()
            seen.append(_weights(model))
    return open_run(path), np.array(seen)


def _weights(model):
    return np.concatenate([p.detach().double().numpy().ravel() for p in model.parameters()])


def _sizes(run):
    return [(run.path / "snapshots" / line["file"]).stat().st_size for line in run.lines]


def test_the_base_is_written_once_and_read_everywhere(tmp_path):
    run, seen = _walk(tmp_path / "run", _model())
    first, *others = _sizes(run)
    assert first - max(others) >= 4 * 50 * 40
    assert all(
        "first" not in line if point == 0 else line["first"] == "000000.safetensors" for point, line in enumerate(run.lines)
    )
    assert run.settings["frozen"] == ["base.weight", "base.bias"]
    np.testing.assert_array_equal(run.weights(), seen)
    np.testing.assert_array_equal(run.block(30, 2100, [2, 4]), seen[[2, 4], 30:2100])
    assert run.snapshot(3)["norm.running_mean"][0] == 3
    assert run.snapshot(3).keys() == run.snapshot(0).keys()
    exact = 1 - (seen @ seen.T) / np.outer(*[np.linalg.norm(seen, axis=1)] * 2)
    np.testing.assert_allclose(cosine_distances(run), exact, atol=1e-12)


@pytest.mark.parametrize(
    "how", ["in place", "by its data", "as another tensor", "rows exchanged", "columns exchanged", "trained"]
)
def test_a_change_is_written_from_then_on(tmp_path, how):
    model = _model()

    def change(step: int) -> None:
        weight = model.base.weight
        if step != 3:
            return
        with torch.no_grad():
            if how == "in place":
                weight[7, 8] = torch.nextafter(weight[7, 8], torch.tensor(9.0))
            elif how == "by its data":
                weight.data.mul_(1.5)
            elif how == "as another tensor":
                model.base.weight = nn.Parameter(weight.detach() * 2, requires_grad=False)
            elif how == "rows exchanged":
                weight.copy_(weight[torch.randperm(40, generator=torch.Generator().manual_seed(0))])
            elif how == "columns exchanged":
                weight.copy_(weight[:, torch.randperm(50, generator=torch.Generator().manual_seed(0))])
            else:
                model.base.requires_grad_(requires_grad=True)
                weight.add_(1)

    run, seen = _walk(tmp_path / "run", model, before=change)
    np.testing.assert_array_equal(run.weights(), seen)
    # The bias has not changed, and is left out still.
    own = [line.get("first") is not None for line in run.lines]
    assert own == [False, True, True, True, True, True]
    sizes = _sizes(run)
    assert min(sizes[3:]) - max(sizes[1:3]) >= 4 * 50 * 40


def test_with_another_type_on_disk_and_with_sketches(tmp_path):
    run, _ = _walk(tmp_path / "half", _model(), dtype="bfloat16")
    assert max(_sizes(run)[1:]) < _sizes(run)[0] - 2 * 50 * 40
    assert np.abs(np.diff(run.weights(), axis=0)[:, : 50 * 40]).max() == 0
    both, seen = _walk(tmp_path / "both", _model(), keep="both")
    assert max(_sizes(both)[1:]) < _sizes(both)[0] - 4 * 50 * 40
    for point in range(both.n_points):
        expected = sketch(seen[point], start=seen[0])
        assert both.sketch(point).squared_norm == pytest.approx(expected.squared_norm, rel=1e-12)
        np.testing.assert_allclose(both.sketch(point).values, expected.values, rtol=1e-6, atol=1e-12)
    alone, _ = _walk(tmp_path / "alone", _model(), keep="sketch")
    np.testing.assert_array_equal(alone.sketch(4).values, both.sketch(4).values)
    assert alone.sketch(4).squared_norm == pytest.approx(both.sketch(4).squared_norm, rel=1e-12)


@pytest.mark.parametrize("dtype", [None, "bfloat16"])
def test_a_run_is_gone_on_with(tmp_path, dtype):
    model = _model()
    _walk(tmp_path / "run", model, steps=2, dtype=dtype)
    run, seen = _walk(tmp_path / "run", model, steps=2, if_exists="append", dtype=dtype)
    np.testing.assert_allclose(run.weights()[-2:], seen[1:], rtol=0 if dtype is None else 2**-8)
    assert [line.get("first") for line in run.lines[1:]] == ["000000.safetensors"] * 4


def test_a_budget_keeps_the_first_point(tmp_path, refuses):
    model = _model()
    one = _sizes(_walk(tmp_path / "one", model, steps=1)[0])
    run, _ = _walk(tmp_path / "run", model, steps=40, max_bytes=one[0] * 4)
    assert run.n_points < 30
    assert run.snapshot(-1)["base.weight"].shape == (40, 50)
    from lossatlas.store import RunWriter

    with (
        RunWriter(run.path, run.tensors, if_exists="append") as writer,
        refuses("the first point of run 'run' has tensors that others leave out; keep it"),
    ):
        writer.drop([0])


def test_what_is_frozen_on_purpose_is_no_finding(tmp_path):
    run, _ = _walk(tmp_path / "run", _model(), steps=6)
    assert {finding.tensor for finding in audit(run).findings} == {"norm.weight", "norm.bias", "norm.running_var"}
    still = _model()
    still.base.requires_grad_(requires_grad=True)  # should train, and does not
    run, _ = _walk(tmp_path / "still", still, steps=6)
    assert {finding.tensor for finding in audit(run).findings} >= {"base.weight", "base.bias"}


def test_a_first_file_that_is_damaged_or_gone_is_refused_at_any_point(tmp_path, refuses):
    run, _ = _walk(tmp_path / "run", _model())
    file = run.path / "snapshots/000000.safetensors"
    content = bytearray(file.read_bytes())
    content[-5] ^= 1
    file.write_bytes(bytes(content))
    with refuses("point 3 .step 3.: its file 000000.safetensors is not what was written"):
        open_run(run.path).snapshot(3)
    file.unlink()
    with refuses("point 0 .step 0.: its file 000000.safetensors is missing"):
        open_run(run.path)
    with refuses("000000.safetensors is missing"):
        run.snapshot(3)


def _stored(**tensors):
    return {name: raw_tensor(name, tensor, Selection()) for name, tensor in tensors.items()}


@pytest.mark.parametrize(
    "dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int8, torch.bool]
)
@pytest.mark.parametrize("shape", [(), (5,), (3, 4), (2, 3, 4), (0, 3)])
def test_every_type_and_shape_has_a_mark(dtype, shape):
    tensor = torch.ones(shape, dtype=dtype)
    frozen = Frozen(_stored(a=tensor))
    assert frozen.unchanged({"a": tensor.clone(), "b": tensor}, lambda given: given) == {"a"}
    assert frozen.unchanged({}, lambda given: given) == set()
    if tensor.numel():
        other = tensor.clone()
        other.view(-1)[-1] = 0
        assert frozen.unchanged({"a": other}, lambda given: given) == set()


def test_distances_of_such_runs_are_streamed(tmp_path):
    run, seen = _walk(tmp_path / "run", _model())
    np.testing.assert_allclose(pairwise(run).squared, ((seen[:, None] - seen[None]) ** 2).sum(-1), rtol=1e-9, atol=1e-12)


def test_what_is_left_out_is_not_copied_either():
    model = _model()
    taking = Taking(model, Selection(), keep="weights", is_sharded=False, is_first=True)
    assert {"base.weight", "base.bias"} <= taking().tensors.keys()
    taking.leave_out(taking().tensors)
    taken = taking()
    assert taken.left_out == {"base.weight", "base.bias"}
    assert not taken.left_out & taken.tensors.keys()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_changes_that_cancel_in_a_sum_are_seen(dtype):
    mask = torch.tensor([1, 0, 0, 1], dtype=dtype)
    assert not Frozen(_stored(m=mask)).unchanged({"m": 1 - mask}, lambda tensor: tensor)
    square = torch.randn(4, 4, generator=torch.Generator().manual_seed(0)).to(dtype)
    for other in (-square, 2 * square, square.t(), square.flip(0)):
        assert not Frozen(_stored(m=square)).unchanged({"m": other}, lambda tensor: tensor)


def test_an_empty_parameter_shares_its_place_with_none(tmp_path):
    class Empty(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.none = nn.Parameter(torch.empty(0), requires_grad=False)
            self.some = nn.Parameter(torch.ones(100))
            self.other = nn.Parameter(torch.ones(3), requires_grad=False)

    model = Empty()
    with Recorder(tmp_path / "run", model, keep="both") as recorder:
        with torch.no_grad():
            model.some.add_(1)
        recorder.step()
    run = open_run(tmp_path / "run")
    assert run.sketch(1).squared_norm == 403
    assert run.sketch(1).squared_displacement == 100
