"""Rescaled ReLU networks are one function: what reacts to that says nothing of the function, and what does not is known."""

import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from lossatlas import SliceSettings, Task, curvature, loss_line, loss_plane
from lossatlas.sample import evaluation, filter_cosine_distance

_FACTOR = st.floats(0.1, 10)


def _network(*, has_norm: bool, has_bias: bool = True) -> nn.Sequential:
    generator = torch.Generator().manual_seed(4)
    norm = [nn.BatchNorm2d(4)] if has_norm else []
    with torch.random.fork_rng([]):
        model = nn.Sequential(
            *(nn.Conv2d(1, 4, 3, bias=has_bias), *norm, nn.ReLU(), nn.Flatten()),
            *(nn.Linear(16, 5, bias=has_bias), nn.ReLU(), nn.Linear(5, 3, bias=has_bias)),
        ).double()
    with torch.no_grad():
        for tensor in model.parameters():
            tensor.normal_(generator=generator)
    return model


def _task(model: nn.Module) -> Task:
    generator = torch.Generator().manual_seed(5)
    data = [
        (torch.randn(8, 1, 4, 4, generator=generator, dtype=torch.float64), torch.randint(3, (8,), generator=generator))
        for _ in range(2)
    ]
    return Task(model, nn.functional.cross_entropy, data, data, optimizer=lambda p: torch.optim.SGD(p, lr=0.1))


def _layers(model: nn.Module) -> list[nn.Module]:
    return [layer for layer in model if isinstance(layer, (nn.Conv2d, nn.Linear))]


def _rescaled(model: nn.Module, factors: list) -> nn.Module:
    """Return the network with each hidden layer times its factor, a number or one a unit, and the next divided by it."""
    model = copy.deepcopy(model)
    layers = _layers(model)
    with torch.no_grad():
        for layer, after, factor in zip(layers, layers[1:], factors, strict=False):
            units = torch.as_tensor(factor, dtype=torch.float64).expand(len(layer.weight))
            layer.weight *= units.reshape(-1, *[1] * (layer.weight.dim() - 1))
            if layer.bias is not None:
                layer.bias *= units
            after.weight /= units.repeat_interleave(after.weight.shape[1] // len(units))
    return model


@settings(max_examples=20)
@given(st.lists(_FACTOR, min_size=4, max_size=4), st.lists(_FACTOR, min_size=5, max_size=5))
def test_rescaling_of_units_leaves_the_loss_and_moves_the_weights(first, second):
    model = _network(has_norm=False)
    other = _rescaled(model, [first, second])
    task = _task(model)
    assert evaluation(task, other)["train_loss"] == pytest.approx(evaluation(task, model)["train_loss"], rel=1e-9)
    # One factor a unit turns the filters of the layer after it: the cosine reacts, and is documented to.
    if max(first) / min(first) > 1.5:
        assert filter_cosine_distance(model.state_dict(), other.state_dict()) > 1e-4


@settings(max_examples=15)
@given(_FACTOR, _FACTOR, st.booleans())
def test_plots_and_cosines_of_filters_do_not_react_to_rescaled_layers(one, two, has_bias):
    model = _network(has_norm=False, has_bias=has_bias)
    other = _rescaled(model, [one, two])
    assert filter_cosine_distance(model.state_dict(), other.state_dict()) == pytest.approx(0, abs=1e-12)
    planes = [loss_plane(_task(net), net.state_dict(), n=3, reach=1.0, seed=2).loss for net in (model, other)]
    np.testing.assert_allclose(planes[0], planes[1], rtol=1e-9)
    lines = [loss_line(_task(net), net.state_dict(), n=5, reach=1.0, biases="weight", seed=3).loss for net in (model, other)]
    np.testing.assert_allclose(lines[0], lines[1], rtol=1e-9)


def test_what_is_not_filter_normalised_reacts():
    model = _network(has_norm=False)
    other = _rescaled(model, [8.0, 0.2])
    lines = [loss_line(_task(net), net.state_dict(), n=5, reach=1.0, norm="global", seed=3).loss for net in (model, other)]
    assert np.abs(lines[0] / lines[1] - 1).max() > 0.05
    whole = [torch.cat([p.detach().flatten() for p in net.parameters()]) for net in (model, other)]
    assert nn.functional.cosine_similarity(*whole, dim=0) < 0.9
    # Dinh et al. 2017: curvature of any size for one function.
    sharp = [
        curvature(_task(net), net.state_dict(), n_eigenvalues=1).eigenvalues[0] for net in (model, _rescaled(model, [30.0, 1.0]))
    ]
    assert sharp[1] > 10 * sharp[0]


@settings(max_examples=10)
@given(st.lists(_FACTOR, min_size=4, max_size=4))
def test_before_batch_norm_each_filter_has_a_scale_of_its_own(factors):
    model = _network(has_norm=True)
    with torch.no_grad():
        model[1].eps = 1e-12  # the small number in the root is what rescaling would show through
        other = copy.deepcopy(model)
        other[0].weight *= torch.as_tensor(factors, dtype=torch.float64)[:, None, None, None]
        other[0].bias *= torch.as_tensor(factors, dtype=torch.float64)
    planes = [
        loss_plane(_task(net), net.state_dict(), n=3, reach=1.0, seed=2, settings=SliceSettings(batchnorm="recompute")).loss
        for net in (model, other)
    ]
    np.testing.assert_allclose(planes[0], planes[1], rtol=1e-6)
    assert filter_cosine_distance(model.state_dict(), other.state_dict()) == pytest.approx(0, abs=1e-12)


def test_the_distance_is_the_cosine_of_points_with_unit_filters():
    generator = torch.Generator().manual_seed(0)
    points = [
        {"w": torch.randn(4, 2, 3, generator=generator), "v": torch.randn(2, 5, generator=generator), "b": torch.ones(4)}
        for _ in range(2)
    ]
    units = [
        torch.cat([nn.functional.normalize(point[name].double().reshape(len(point[name]), -1), dim=1).flatten() for name in "wv"])
        for point in points
    ]
    expected = 1 - float(nn.functional.cosine_similarity(*units, dim=0))
    assert filter_cosine_distance(*points) == pytest.approx(expected, rel=1e-12)
    points[0]["w"][2] = 0  # a filter without a direction is left out
    assert filter_cosine_distance(points[0], points[0]) == pytest.approx(0, abs=1e-12)
    points[0]["v"][0, 0] = np.nan
    assert np.isnan(filter_cosine_distance(*points))


def test_points_that_have_no_filters_in_common_are_refused(refuses):
    w = torch.ones(2, 3)
    with refuses("the points have different tensors"):
        filter_cosine_distance({"w": w}, {"v": w})
    with refuses("the points have different tensors"):
        filter_cosine_distance({"w": w}, {"w": w.T})
    with refuses("no filter has a direction in both points"):
        filter_cosine_distance({"w": w}, {"w": 0 * w})
    with refuses("no filter has a direction in both points"):
        filter_cosine_distance({"b": w[0]}, {"b": w[0]})
