"""Products on a device are those on the CPU: PyTorch's own CPU takes the device's way here."""

import importlib

import numpy as np
import pytest
import torch
from test_sources import record

from lossatlas.distance import gram, pairwise, threads
from lossatlas.distance.on_device import add_part
from lossatlas.distance.pairwise import _measured_on
from lossatlas.distance.source import Slab, point_source


def cloud(n=14, p=500, *, dtype=np.float64):
    return (np.random.default_rng(0).normal(size=(n, p)) + 0.3).astype(dtype)


def on_torch(points, origin="zero", megabytes=8 * 14 * 77 / 2**20):
    xp = importlib.import_module("array_api_compat.torch")
    with threads.workers() as pool:
        return _measured_on(point_source(points), origin, xp, "cpu", pool=pool, megabytes=megabytes)


def assert_same(found, expected):
    np.testing.assert_allclose(found.squared, expected.squared, rtol=1e-12)
    np.testing.assert_allclose(found.norms, expected.norms, rtol=1e-12, atol=1e-12)
    assert found.origin == expected.origin


@pytest.mark.parametrize("origin", ["zero", "centroid", "start", "point"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_torch_and_numpy_agree(origin, dtype):
    points = cloud(dtype=dtype)
    points[3] = points[5] * (1 + np.finfo(dtype).eps * 4)
    passed = np.linspace(-1, 1, 500) if origin == "point" else origin
    assert_same(on_torch(points, passed), pairwise(points, origin=passed))


def test_runs_go_over_in_blocks(tmp_path):
    run = record(tmp_path / "run", n=6)
    assert_same(on_torch(run, megabytes=8 * 6 * 10 / 2**20), pairwise(run))


def test_some_rows_alone():
    points = cloud()
    rows = np.array([1, 4, 5])
    sums = gram.Gram(np.zeros((3, 3)), np.float64)
    xp = importlib.import_module("array_api_compat.torch")
    add_part(sums, gram.Part(Slab(points, rows, 100, 300, 0)), xp, "cpu", width=64, origin="zero")
    part = points[rows, 100:300]
    part = part - part.mean(axis=0)
    np.testing.assert_allclose(sums.products, part @ part.T, rtol=1e-12)


def test_values_that_are_not_finite_are_refused(refuses):
    points = cloud()
    points[8, 450] = np.inf
    with refuses("point 8 has 1 value that is NaN or infinite; leave that point out"):
        on_torch(points)


def test_a_device_that_is_not_there_is_refused(refuses):
    with refuses("device 'nonsense' is not there"):
        pairwise(cloud(), device="nonsense")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_gpu_agrees(dtype):
    assert_same(pairwise(cloud(dtype=dtype), device="cuda"), pairwise(cloud(dtype=dtype)))
