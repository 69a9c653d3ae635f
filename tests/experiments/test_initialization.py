"""Starts of networks: the variance of each, right angles, and what they leave alone."""

import numpy as np
import pytest
import torch
from torch import nn

from lossatlas.experiments.networks import network
from lossatlas.experiments.networks.initialization import SCHEMES, initialised

VARIANCES = {"he": 2 / 300, "xavier": 2 / 700, "small": 0.01 * 2 / 300, "large": 9 * 2 / 300}


@pytest.mark.parametrize("name", VARIANCES)
def test_weights_have_the_variance_of_their_name(name):
    weight = initialised(nn.Linear(300, 400), name, seed=0).weight.detach()
    n = weight.numel()
    variance = VARIANCES[name]
    assert weight.mean().abs() < 4 * np.sqrt(variance / n)
    # Four standard errors of the variance of normal numbers; of even ones it is smaller.
    assert weight.var() == pytest.approx(variance, rel=4 * np.sqrt(2 / n))
    if name == "xavier":
        assert weight.abs().max() <= np.sqrt(6 / 700)
    else:
        assert weight.abs().max() > 3.5 * np.sqrt(variance), "it has no tails"


def test_of_a_convolution_the_inputs_are_all_that_it_sees():
    weight = initialised(nn.Conv2d(30, 40, 3), "he", seed=0).weight.detach()
    assert weight.var() == pytest.approx(2 / 270, rel=4 * np.sqrt(2 / weight.numel()))


@pytest.mark.parametrize("layer", [nn.Linear(12, 7), nn.Linear(7, 12), nn.Conv2d(3, 8, 3)], ids=["wide", "tall", "convolution"])
def test_orthogonal_weights_stand_at_right_angles(layer):
    weight = initialised(layer, "orthogonal", seed=0).weight.flatten(1)
    product = weight @ weight.T if weight.shape[0] <= weight.shape[1] else weight.T @ weight
    torch.testing.assert_close(product, 2 * torch.eye(len(product)), atol=1e-5, rtol=0)


class Own(nn.Module):
    """Weights of its own, a slope that is no bias, and torch's attention, whose biases have other names."""

    def __init__(self):
        super().__init__()
        self.places = nn.Parameter(torch.full((5, 6), 7.0))
        self.slope = nn.PReLU(4, init=0.3)
        self.attention = nn.MultiheadAttention(8, 2)
        self.attention.in_proj_bias.data.fill_(1.0)


def test_biases_become_zero_and_norms_and_others_stay():
    norms = [nn.BatchNorm1d(5), nn.LayerNorm((2, 5)), nn.GroupNorm(1, 5), nn.BatchNorm2d(5)]
    model = nn.ModuleList([nn.Linear(4, 5), *norms, Own()])
    with torch.no_grad():
        for norm in norms:
            norm.weight.uniform_()
            norm.bias.uniform_()
    norms[0].running_mean.fill_(2.0)
    found = initialised(model, "he", seed=0)
    assert not found[0].bias.any()
    assert not torch.equal(found[0].weight, model[0].weight)
    for norm, given in zip(found[1:5], norms, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(norm.state_dict().values(), given.state_dict().values(), strict=True))
    own = found[5]
    assert torch.equal(own.slope.weight, torch.full((4,), 0.3))
    assert not own.attention.in_proj_bias.any()
    assert own.places.std() > 0


@pytest.mark.parametrize("name", SCHEMES)
@pytest.mark.parametrize("of", ["mlp", "convolutional", "residual", "transformer"])
def test_the_seed_is_all_its_chance_and_model_and_generator_stay(name, of):
    model = network(of, shape=(1, 8, 8), n_classes=3, seed=0)
    given = [parameter.clone() for parameter in model.parameters()]
    before = torch.get_rng_state()
    first, again, other = (list(initialised(model, name, seed=seed).parameters()) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), given, strict=True))
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    for a, b, old in zip(first, other, given, strict=True):
        is_drawn = name != "default" and a.dim() > 1
        assert torch.equal(a, b) != is_drawn
        assert torch.equal(a, old) or name != "default"
        assert a.requires_grad


def test_the_default_is_a_copy():
    model = nn.Linear(3, 2)
    found = initialised(model, "default", seed=0)
    assert found is not model
    assert torch.equal(found.weight, model.weight)
    assert found.weight.data_ptr() != model.weight.data_ptr()


def test_small_and_large_point_as_he_does():
    model = nn.Linear(6, 5)
    he, small, large = (initialised(model, name, seed=0).weight for name in ("he", "small", "large"))
    torch.testing.assert_close(small, 0.1 * he)
    torch.testing.assert_close(large, 3 * he)


def test_an_unknown_start_is_refused(refuses):
    with refuses(r"initialization must be one of default, he, xavier, orthogonal, small, large, but is 'zero'; choose one"):
        initialised(nn.Linear(2, 2), "zero", seed=0)
