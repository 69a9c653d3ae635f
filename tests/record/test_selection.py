"""Which tensors are stored, and as what."""

import numpy as np
import pytest
import torch
from torch import nn

from lossatlas import Recorder, open_run


def _model() -> nn.Sequential:
    return nn.Sequential(nn.Embedding(5, 4), nn.Linear(4, 3), nn.BatchNorm1d(3))


def _recorded(path, model, **given):
    with Recorder(path, model, **given) as recorder:
        with torch.no_grad():
            model[1].weight.add_(1)
        recorder.step()
    return open_run(path)


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({"only": "1.*"}, {"1.weight", "1.bias"}),
        ({"only": ["1.*", "2.running_*"]}, {"1.weight", "1.bias", "2.running_mean", "2.running_var"}),
        (
            {"without": "0.*"},
            {"1.weight", "1.bias", "2.weight", "2.bias", "2.running_mean", "2.running_var", "2.num_batches_tracked"},
        ),
        ({"only": "*.weight", "without": ["0.*", "2.*"]}, {"1.weight"}),
    ],
)
def test_tensors_are_chosen_by_their_names(tmp_path, given, names):
    model = _model()
    run = _recorded(tmp_path / "run", model, **given)
    assert {tensor.name for tensor in run.tensors} == names
    np.testing.assert_array_equal(run.snapshot()["1.weight"], model[1].weight.detach().numpy())
    assert run.n_points == 2


@pytest.mark.parametrize(("dtype", "stored"), [("float32", "F32"), ("bfloat16", "BF16"), ("float16", "F16")])
def test_wider_numbers_are_stored_narrower_and_others_as_they_are(tmp_path, dtype, stored):
    model = _model().double()
    model[0].half()
    run = _recorded(tmp_path / "run", model, dtype=dtype)
    types = {tensor.name: tensor.dtype for tensor in run.tensors}
    assert types == dict.fromkeys(types, stored) | {"0.weight": "F16", "2.num_batches_tracked": "I64"}
    expected = model[1].weight.detach().to(getattr(torch, dtype)).double().numpy()
    np.testing.assert_array_equal(run.snapshot()["1.weight"].astype(float), expected)
    assert model[1].weight.dtype == torch.float64  # the model's own stays


@pytest.mark.usefixtures("as_users_call")
def test_what_leaves_nothing_or_is_no_type_is_refused(tmp_path, refuses):
    with refuses("only and without leave no parameter of the model; its first is '0.weight'; mend the patterns"):
        Recorder(tmp_path / "run", _model(), only="nothing.*")
    with refuses("only and without leave no parameter"):
        Recorder(tmp_path / "run", _model(), only="2.running_*")
    with refuses("dtype must be one of float32, bfloat16, float16, but is 'int8'"):
        Recorder(tmp_path / "run", _model(), dtype="int8")
    assert not (tmp_path / "run").exists()
