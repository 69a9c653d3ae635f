"""Where matrices are multiplied."""

import builtins
import sys

import array_api_compat.torch as torch_namespace
import numpy as np
import pytest
import torch
from array_api_compat import is_numpy_namespace, is_torch_array

from lossatlas import _device, phate
from lossatlas.embed import drawing, stages


def walk(n=60, p=30):
    """Points along a random walk, away from the origin."""
    return np.random.default_rng(0).normal(size=(n, p)).cumsum(axis=0) + 3


def test_the_cpu_is_numpys_and_needs_no_torch(monkeypatch):
    monkeypatch.setitem(sys.modules, "array_api_compat.torch", None)  # an import of it fails
    xp, device = _device.namespace("cpu")
    assert is_numpy_namespace(xp)
    assert device == "cpu"


def test_a_device_of_torch_is_torchs():
    xp, device = _device.namespace("cpu:0")
    assert xp is torch_namespace
    assert device == "cpu:0"


@pytest.mark.parametrize("device", ["abacus", "", "cuda:99"])
def test_a_device_that_is_not_there_is_refused(refuses, device):
    with refuses(rf"^device '{device}' is not there, or has no float64 \(.+\); pass device='cpu'$"):
        _device.namespace(device)


def test_a_device_without_float64_is_refused(monkeypatch, refuses):
    def zeros(*_, **__):
        raise TypeError("Cannot convert a MPS Tensor to float64.\nUse float32.")

    monkeypatch.setattr(torch_namespace, "zeros", zeros)
    with refuses(
        r"^device 'cpu:0' is not there, or has no float64 \(Cannot convert a MPS Tensor to float64\); pass device='cpu'$"
    ):
        _device.namespace("cpu:0")


def test_an_error_without_words_is_named(monkeypatch, refuses):
    def zeros(*_, **__):
        raise AssertionError

    monkeypatch.setattr(torch_namespace, "zeros", zeros)
    with refuses(r"has no float64 \(AssertionError\)"):
        _device.namespace("cpu:0")


def test_torch_that_is_not_installed_is_said(monkeypatch, refuses):
    real = builtins.__import__

    def without(name, *rest):
        if name.startswith("array_api_compat.torch"):
            raise ImportError("No module named 'torch'")
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with refuses("^device 'cuda' needs torch, which is not installed; pass device='cpu', or install torch$"):
        phate(walk(), device="cuda")


def aligned_gap(found, expected):
    """Largest difference of two maps, relative to their size."""
    size = np.abs(expected.coordinates - expected.coordinates.mean(axis=0)).max()
    return np.abs(found.align_to(expected).coordinates - expected.coordinates).max() / size


@pytest.mark.parametrize(
    "choices",
    [{}, {"gamma": 0.0, "t": 8}, {"gamma": -1.0, "t": 6}, {"gamma": 0.5, "n_landmark": 25}, {"preset": "paper"}],
    ids=str,
)
def test_torch_draws_the_same_map_as_numpy(monkeypatch, choices):
    expected = phate(walk(), **choices)
    seen = []
    real = stages.potential

    def potential(transitions, **rest):
        seen.append(is_torch_array(transitions))
        return real(transitions, **rest)

    for module in (stages, drawing):
        monkeypatch.setattr(module, "namespace", lambda device: (torch_namespace, device))
    monkeypatch.setattr(stages, "potential", potential)
    found = phate(walk(), **choices)
    assert seen == [True]
    assert isinstance(found.potential, np.ndarray)
    np.testing.assert_allclose(found.potential, expected.potential, atol=1e-10 * expected.potential.max(), rtol=0)
    assert (found.t, found.graph.connected_components) == (expected.t, expected.graph.connected_components)
    assert aligned_gap(found, expected) < 1e-8
    assert found.stress == pytest.approx(expected.stress, rel=1e-9)


def test_another_walk_on_the_device_is_another_walk_of_the_same_graph(monkeypatch):
    first = phate(walk(), device="cpu:0", t=1)
    before = first.graph.affinities.toarray()
    again = first.revised(t=7).revised(t=1)  # torch may share memory with NumPy: nothing may be written there
    np.testing.assert_array_equal(first.graph.affinities.toarray(), before)
    np.testing.assert_array_equal(again.potential, first.potential)
    assert first.settings.device == again.settings.device == "cpu:0"


def test_what_is_not_in_the_processors_memory_is_fetched(monkeypatch):
    """As on a GPU, whose tensors NumPy cannot read."""
    fetched = torch.Tensor.numpy

    def closed(*_, **__):
        raise TypeError("can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() first.")

    monkeypatch.setattr(torch.Tensor, "__array__", closed)
    monkeypatch.setattr(torch.Tensor, "cpu", fetched)
    found = phate(walk(), device="cpu:0")
    np.testing.assert_allclose(found.potential, phate(walk()).potential, atol=1e-10)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
@pytest.mark.parametrize("choices", [{}, {"n_landmark": 100}, {"preset": "paper"}], ids=str)
def test_a_gpu_draws_the_same_map_as_the_processor(choices):
    points = walk(400)
    expected, found = phate(points, **choices), phate(points, device="cuda", **choices)
    assert found.t == expected.t
    assert aligned_gap(found, expected) < 1e-8
