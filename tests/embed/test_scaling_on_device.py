"""Scaling of distances on a device gives the maps of the processor: PyTorch's own CPU takes the device's way here."""

import numpy as np
import pytest
import torch
from naive_phate import aligned, raw_stress_naive

from lossatlas.embed import classical_scaling, metric_scaling, on_device

DEVICES = [
    "cpu",
    pytest.param("cuda", marks=[pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")]),
]


def crooked(n, *, seed=0):
    gaps = np.subtract.outer(x := np.random.default_rng(seed).normal(size=(n, 8)), x)
    return np.sqrt((np.einsum("ikjk->ijk", gaps) ** 2).sum(axis=2))


@pytest.mark.parametrize("n", [30, 300])  # by the whole matrix, and by products
@pytest.mark.parametrize("device", DEVICES)
def test_maps_are_those_of_the_processor(device, n):
    given_distances = crooked(n)
    there = torch.asarray(given_distances, device=device)
    start = classical_scaling(given_distances, n_components=3)
    # The matrix is the same; sums come in another order.
    np.testing.assert_allclose(classical_scaling(there, n_components=3), start, atol=1e-8)
    expected, _ = metric_scaling(given_distances, start, tolerance=1e-14)
    found, passes = metric_scaling(there, start, tolerance=1e-14)
    # The root of 1e-14, in a flat valley. Rounding may turn the map, which no stress sees.
    np.testing.assert_allclose(aligned(found, expected), expected, atol=1e-5 * np.abs(expected).max())
    assert passes > 2


@pytest.mark.parametrize("device", DEVICES)
def test_a_pass_there_is_a_pass_here(device):
    given_distances = crooked(40)
    here = np.random.default_rng(0).normal(size=(3, 40))
    here[:, 1] = here[:, 0]
    raw, pulls = on_device.DevicePasses(torch.asarray(given_distances, device=device)).raw_stress_and_pulls(here)
    np.testing.assert_allclose(raw, raw_stress_naive(given_distances, here.T), rtol=1e-12)
    gaps = here[:, :, np.newaxis] - here[:, np.newaxis]
    lengths = np.sqrt((gaps**2).sum(axis=0))
    slopes = np.divide(given_distances, lengths, out=np.zeros_like(lengths), where=lengths > 0)
    np.testing.assert_allclose(pulls, (slopes * gaps).sum(axis=2), atol=1e-11)


def test_distances_of_half_the_digits_are_scaled_in_all():
    given_distances = crooked(300).astype(np.float32)
    start = classical_scaling(given_distances.astype(np.float64))
    np.testing.assert_allclose(classical_scaling(torch.asarray(given_distances)), start, atol=1e-10)
    assert metric_scaling(torch.asarray(given_distances), start)[0].dtype == np.float64
