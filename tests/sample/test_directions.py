"""A direction has the lengths of the weights, belongs to its seed, and to nothing else."""

import random

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as stn
from torch import nn

from lossatlas.sample import random_direction


def _named(*arrays: np.ndarray) -> list[tuple[str, nn.Parameter]]:
    return [(f"w{i}", nn.Parameter(torch.as_tensor(array).clone())) for i, array in enumerate(arrays)]


_WEIGHTS = st.lists(
    stn.arrays(
        st.sampled_from([np.float32, np.float64]),
        stn.array_shapes(min_dims=2, max_dims=4, max_side=5),
        elements=st.floats(-100, 100, width=32).filter(lambda x: x == 0 or abs(x) > 1e-3),
    ),
    min_size=1,
    max_size=3,
)


@given(_WEIGHTS, st.integers(0, 2**32))
def test_every_filter_of_a_direction_is_as_long_as_that_of_the_weights(weights, seed):
    directions = random_direction(_named(*weights), seed=seed)
    for i, weight in enumerate(weights):
        direction = directions[f"w{i}"]
        assert direction.dtype == torch.as_tensor(weight).dtype
        assert direction.shape == weight.shape
        for d, w in zip(direction.double().numpy(), weight.astype(np.float64), strict=True):
            np.testing.assert_allclose(np.linalg.norm(d), np.linalg.norm(w), rtol=1e-6)


@given(_WEIGHTS)
def test_layer_and_global_directions_are_as_long_as_layers_and_as_all(weights):
    by_layer = random_direction(_named(*weights), seed=3, norm="layer")
    for i, weight in enumerate(weights):
        expected = np.linalg.norm(weight.astype(np.float64))
        np.testing.assert_allclose(by_layer[f"w{i}"].double().norm(), expected, rtol=1e-6)
    together = random_direction(_named(*weights), seed=3, norm="global")
    whole = np.linalg.norm([np.linalg.norm(weight.astype(np.float64)) for weight in weights])
    np.testing.assert_allclose(np.linalg.norm([d.double().norm() for d in together.values()]), whole, rtol=1e-6)


def test_the_three_norms_scale_the_same_noise():
    weights = _named(np.arange(1.0, 13).reshape(3, 4), np.ones((2, 5)) * 10)
    one, layer, whole = (random_direction(weights, seed=1, norm=norm) for norm in ("filter", "layer", "global"))
    for name in one:
        # A direction of one filter is the same up to its length; so is one of a layer.
        cosines = nn.functional.cosine_similarity(one[name], layer[name], dim=1)
        np.testing.assert_allclose(cosines, 1, rtol=1e-12)
        np.testing.assert_allclose(nn.functional.cosine_similarity(layer[name].flatten(), whole[name].flatten(), dim=0), 1)
    # Here the norms differ: one length each a filter, a layer, and all.
    assert not torch.allclose(one["w0"], layer["w0"])
    assert not torch.allclose(layer["w0"], whole["w0"])
    ratio = layer["w0"] / one["w0"]
    assert torch.allclose(ratio, ratio[:, :1].expand_as(ratio))


def test_biases_batch_norm_and_frozen_weights_stay():
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Linear(4, 3), nn.Linear(3, 2))
    model[3].weight.requires_grad = False
    for norm in ("filter", "layer", "global"):
        direction = random_direction(model.named_parameters(), seed=0, norm=norm)
        assert direction.keys() == dict(model.named_parameters()).keys()
        moving = {name for name, tensor in direction.items() if tensor.any()}
        assert moving == {"0.weight", "2.weight"}
        length = np.linalg.norm([direction[name].double().norm() for name in moving])
        expected = np.linalg.norm([model[i].weight.detach().double().norm() for i in (0, 2)])
        np.testing.assert_allclose(length, expected, rtol=1e-6)


def test_freezing_a_layer_leaves_the_direction_of_the_others_as_it_was():
    model = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2))
    before = random_direction(model.named_parameters(), seed=0)
    model[0].weight.requires_grad = False
    assert torch.equal(random_direction(model.named_parameters(), seed=0)["1.weight"], before["1.weight"])


def test_a_seed_has_one_direction_whatever_the_global_generators_hold():
    weights = _named(np.ones((4, 6)), np.ones((3, 3, 2, 2)))
    first = random_direction(weights, seed=5)
    with torch.random.fork_rng([]):
        torch.random.manual_seed(99)
        random.random()
        second = random_direction(weights, seed=5)
    other = random_direction(weights, seed=6)
    for name, tensor in first.items():
        assert torch.equal(tensor, second[name])
        # Independent directions of p values have a cosine of about 1 / sqrt(p): here 0.2.
        assert abs(nn.functional.cosine_similarity(tensor.flatten(), other[name].flatten(), dim=0)) < 0.8
    assert not torch.allclose(first["w0"][0], first["w0"][1])


@pytest.mark.usefixtures("as_users_call")  # the type checks of the tests draw from Python's generator
def test_drawing_a_direction_moves_no_global_generator():
    before = torch.get_rng_state(), random.getstate(), repr(np.random.get_state())  # noqa: NPY002 - the user's own
    random_direction(_named(np.ones((4, 6))), seed=5)
    after = torch.get_rng_state(), random.getstate(), repr(np.random.get_state())  # noqa: NPY002 - the user's own
    assert torch.equal(before[0], after[0])
    assert before[1:] == after[1:]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("seed", range(4))
def test_a_direction_is_not_the_network_that_was_initialised_from_the_same_small_number(seed, dtype):
    with torch.random.fork_rng([]):
        torch.random.manual_seed(seed)
        model = nn.Sequential(nn.Conv2d(3, 16, 3), nn.Conv2d(16, 16, 3), nn.Linear(16, 10)).to(dtype)
        for variant in ("torch's own", "normal"):
            if variant == "normal":
                torch.random.manual_seed(seed)
                for parameter in model.parameters():
                    nn.init.normal_(parameter)
            direction = random_direction(model.named_parameters(), seed=seed)
            weights = [(p.detach().flatten(), direction[name].flatten()) for name, p in model.named_parameters() if p.dim() > 1]
            w, d = (torch.cat(parts).double() for parts in zip(*weights, strict=True))
            assert len(w) > 2000
            # Independent ones: standard deviation 1 / sqrt(2800) = 0.02.
            assert abs(nn.functional.cosine_similarity(w, d, dim=0)) < 0.2


def test_a_direction_is_normally_distributed_within_a_filter():
    direction = random_direction(_named(np.ones((1, 20_000))), seed=0)["w0"].numpy().ravel()
    # Standard errors with 20 000 values: 0.007 of the mean, sqrt(24 / n) = 0.035 of the fourth moment's excess.
    assert abs(direction.mean()) < 4 * 0.0071
    assert abs((direction**4).mean() - 3) < 4 * 0.035 * 3
