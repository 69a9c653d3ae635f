"""Sums modulo a number, and the network whose solution of them is known."""

import numpy as np
import pytest
import torch

from lossatlas.experiments.data import samples
from lossatlas.experiments.losses import squared_error
from lossatlas.experiments.networks import network
from lossatlas.experiments.networks.quadratic import Quadratic, quadratic


def test_every_pair_is_there_once_with_its_sum():
    found = samples("modular_sums", n_train=30, split=3, modulus=7)
    assert (len(found.train_y), len(found.test_y), found.shape, found.n_classes) == (30, 19, (14,), 7)
    x, y = torch.cat([found.train_x, found.test_x]), torch.cat([found.train_y, found.test_y])
    assert (x.sum(dim=1) == 2).all()
    a, b = x[:, :7].argmax(dim=1), x[:, 7:].argmax(dim=1)
    assert len({*zip(a.tolist(), b.tolist(), strict=True)}) == 49
    assert torch.equal((a + b) % 7, y)


def test_the_split_draws_which_pairs_are_trained_on():
    first, same, other = (samples("modular_sums", n_train=20, split=split, modulus=7) for split in (0, 0, 1))
    assert torch.equal(first.train_x, same.train_x)
    assert not torch.equal(first.train_x, other.train_x)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"modulus": 1}, "modulus must be 2 or more, but is 1"), ({"n_train": 961}, "n_train must be from 1 to 960 of 961 pairs")],
)
def test_a_sum_without_pairs_on_both_sides_is_refused(options, message, refuses):
    with refuses(message):
        samples("modular_sums", **options)


def test_scores_are_those_of_the_formula():
    made = quadratic(seed=0, shape=(3, 2), n_classes=4, width=5)
    x = torch.randn(2, 3, 2, generator=torch.Generator().manual_seed(0))
    W, V, flat = (tensor.detach().double().numpy() for tensor in (made.first.weight, made.second.weight, x.flatten(1)))
    expected = ((flat @ W.T) / np.sqrt(6)) ** 2 @ V.T / 5
    np.testing.assert_allclose(made(x).detach().numpy(), expected, rtol=1e-5)


def test_cosines_solve_every_sum():
    """Gromov 2023: each square holds one frequency and phases that add up; all other products cancel in the mean."""
    p, width = 7, 6000
    rng = np.random.default_rng(0)
    k, of_a, of_b = rng.integers(1, 4, width), *rng.uniform(0, 2 * np.pi, (2, width))
    numbers = 2 * np.pi * k[:, None] * np.arange(p) / p
    made = Quadratic(2 * p, p, width)
    with torch.no_grad():
        rows = np.concatenate([np.cos(numbers + of_a[:, None]), np.cos(numbers + of_b[:, None])], axis=1)
        made.first.weight.copy_(torch.from_numpy(rows))
        made.second.weight.copy_(torch.from_numpy(np.cos(numbers + (of_a + of_b)[:, None]).T))
    found = samples("modular_sums", n_train=24, modulus=p)
    for x, y in ((found.train_x, found.train_y), (found.test_x, found.test_y)):
        assert torch.equal(made(x).argmax(dim=1), y)


def test_weights_are_standard_normal_and_the_seed_draws_them():
    first, same, other = (network("quadratic", shape=(62,), n_classes=31, seed=seed) for seed in (0, 0, 1))
    weight = first.first.weight.detach()
    assert torch.equal(weight, same.first.weight)
    assert not torch.equal(weight, other.first.weight)
    n = weight.numel()
    assert abs(weight.mean()) < 4 / np.sqrt(n)  # four standard errors, here and of the variance
    assert abs(weight.var() - 1) < 4 * np.sqrt(2 / n)


def test_squared_error_is_that_of_ones_and_zeros_in_any_width_of_numbers_and_in_stacks():
    output = torch.randn(6, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    target = torch.tensor([0, 3, 1, 1, 2, 0])
    expected = np.mean([[(float(output[n, c]) - int(c == target[n])) ** 2 for c in range(4)] for n in range(6)])
    assert float(squared_error(output, target)) == pytest.approx(expected, rel=1e-12)
    assert squared_error(output.float(), target).dtype == torch.float32
    stacked = torch.vmap(squared_error, in_dims=(0, None))(torch.stack([output, 2 * output]), target)
    torch.testing.assert_close(stacked[1], squared_error(2 * output, target))
