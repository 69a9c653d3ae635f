"""Networks by name: their shapes, their chance, what makes each what it is called, and that each can learn."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel

from lossatlas.experiments.data import samples
from lossatlas.experiments.networks import NETWORKS, network
from lossatlas.experiments.networks.convolutional import convolutional
from lossatlas.experiments.networks.perceptron import ACTIVATIONS, mlp
from lossatlas.experiments.networks.residual import Block, residual
from lossatlas.experiments.networks.transformer import Attention, transformer
from lossatlas.sample import Task, curvature, fixed_randomness

SHAPES = {
    "mlp": [(13,), (1, 40), (3, 8, 8)],
    "convolutional": [(1, 8, 8), (3, 9, 7), (1, 40), (2, 5)],
    "residual": [(1, 8, 8), (3, 32, 32), (1, 7, 5)],
    "wide_resnet": [(1, 8, 8), (3, 32, 32)],
    "transformer": [(1, 8, 8), (3, 4, 6)],
    "quadratic": [(62,)],
}
OWN = {"language"}  # tested where it is: it takes characters


def made(name, **options):
    return network(name, **({"shape": SHAPES[name][0], "n_classes": 4, "seed": 0} | options))


def tensors(model):
    return list(model.state_dict().values())


def n_parameters(model):
    return sum(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize(("name", "shape"), [(name, shape) for name, shapes in SHAPES.items() for shape in shapes])
def test_each_scores_classes_and_all_of_it_takes_part(name, shape):
    model = made(name, shape=shape, n_classes=5)
    x = torch.randn(6, *shape, generator=torch.Generator().manual_seed(0))
    scores = model(x)
    assert scores.shape == (6, 5)
    functional.cross_entropy(scores, torch.arange(6) % 5).backward()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in model.parameters())


def test_all_names_are_tried():
    assert set(SHAPES) | OWN == set(NETWORKS)


@pytest.mark.parametrize("name", SHAPES)
def test_the_seed_is_all_its_chance_and_the_generators_stay(name):
    # Python's own generator is not looked at: the checks of the annotations draw from it.
    torch_before, numpy_before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    first = made(name, seed=3)
    assert torch.equal(torch_before, torch.get_rng_state())
    np.testing.assert_array_equal(numpy_before, np.random.get_state()[1])  # noqa: NPY002
    torch.rand(1)
    again, other = made(name, seed=3), made(name, seed=4)
    assert all(torch.equal(a, b) for a, b in zip(tensors(first), tensors(again), strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(first.parameters(), other.parameters(), strict=True))


@pytest.mark.parametrize(
    ("name", "options", "rate"),
    [
        ("mlp", {}, 0.01),
        ("mlp", {"depth": 3, "batch_norm": True}, 0.01),
        ("convolutional", {}, 0.01),
        ("residual", {}, 0.01),
        ("residual", {"skips": False}, 0.01),
        ("wide_resnet", {}, 0.01),
        ("transformer", {}, 0.003),
    ],
)
def test_each_learns_sixty_digits_by_heart(name, options, rate):
    data = samples("digits", n_train=60)
    model = made(name, shape=data.shape, n_classes=data.n_classes, **options)
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    for _ in range(80):
        optimizer.zero_grad()
        functional.cross_entropy(model(data.train_x), data.train_y).backward()
        optimizer.step()
    assert (model(data.train_x).argmax(1) == data.train_y).all()


@pytest.mark.parametrize("seed", [0, 5])
def test_the_digits_network_is_that_of_earlier_versions(seed):
    with fixed_randomness(seed):
        old = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1, bias=False),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1, bias=False),
            nn.BatchNorm2d(32),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(32 * 16, 10),
        )
    new = convolutional(seed=seed)
    assert list(new.state_dict()) == list(old.state_dict())
    assert all(torch.equal(a, b) for a, b in zip(tensors(new), tensors(old), strict=True))
    x = torch.randn(5, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    assert torch.equal(new.eval()(x), old.eval()(x))


def test_convolutions_double_and_halve():
    model = convolutional(seed=0, shape=(3, 16, 12), depth=3, width=4, n_classes=2)
    assert [layer.out_channels for layer in model if isinstance(layer, nn.Conv2d)] == [4, 8, 16]
    assert model[-1].in_features == 16 * 4 * 3
    assert convolutional(seed=0, shape=(1, 40), depth=2)[-1].in_features == 32 * 20


def test_a_perceptron_has_the_depth_width_and_activation_that_were_asked():
    model = mlp(seed=0, shape=(2, 3), n_classes=4, depth=3, width=5)
    assert n_parameters(model) == (6 * 5 + 5) + 2 * (5 * 5 + 5) + (5 * 4 + 4)
    assert n_parameters(mlp(seed=0, shape=(6,), n_classes=4, depth=0)) == 6 * 4 + 4
    for name, kind in ACTIVATIONS.items():
        assert sum(isinstance(layer, kind) for layer in mlp(seed=0, depth=3, activation=name)) == 3
    normed = mlp(seed=0, shape=(6,), n_classes=4, depth=2, width=5, batch_norm=True)
    assert n_parameters(normed) == (6 * 5 + 2 * 5) + (5 * 5 + 2 * 5) + (5 * 4 + 4)
    active = [number for number, layer in enumerate(normed) if isinstance(layer, nn.ReLU)]
    assert all(isinstance(normed[number - 1], nn.BatchNorm1d) for number in active)


@pytest.mark.parametrize("depth", [8, 14])
def test_skips_are_no_weights(depth):
    with_skips, without = (residual(seed=1, depth=depth, skips=skips) for skips in (True, False))
    assert list(with_skips.state_dict()) == list(without.state_dict())
    assert all(torch.equal(a, b) for a, b in zip(tensors(with_skips), tensors(without), strict=True))
    n_layers = sum(isinstance(part, nn.Conv2d | nn.Linear) for part in with_skips.modules())
    assert n_layers == depth
    x = torch.randn(3, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    assert not torch.allclose(with_skips(x), without(x))
    without.load_state_dict(with_skips.state_dict())


def test_a_block_whose_weights_are_zero_is_its_skip_or_nothing():
    x = torch.rand(2, 4, 6, 5)
    for has_skip in (True, False):
        same = Block(4, 4, stride=1, has_skip=has_skip)
        halved = Block(4, 8, stride=2, has_skip=has_skip)
        for block in (same, halved):
            nn.init.zeros_(block.second.weight)
        assert torch.equal(same(x), x if has_skip else torch.zeros_like(x))
        half = halved(x)
        assert half.shape == (2, 8, 3, 3)
        assert torch.equal(half[:, :4], x[:, :, ::2, ::2] if has_skip else torch.zeros(2, 4, 3, 3))
        assert not half[:, 4:].any()


@pytest.mark.parametrize("is_causal", [False, True])
def test_attention_is_a_mean_of_values_by_how_well_keys_answer(is_causal):
    with fixed_randomness(0):
        own = Attention(12, 3, is_causal=is_causal)
        x = torch.randn(2, 5, 12)
    query, key, value = (layer(x).reshape(2, 5, 3, 4) for layer in (own.query, own.key, own.value))
    seen = torch.zeros(2, 5, 3, 4)
    for sample, place, head in np.ndindex(2, 5, 3):
        others = range(place + 1) if is_causal else range(5)
        answers = torch.stack([query[sample, place, head] @ key[sample, other, head] for other in others]) / 2  # root of 4
        shares = answers.exp() / answers.exp().sum()
        seen[sample, place, head] = sum(share * value[sample, other, head] for share, other in zip(shares, others, strict=True))
    torch.testing.assert_close(own(x), own.out(seen.reshape(2, 5, 12)))


def test_a_transformer_knows_the_order_of_patches_by_their_places_alone():
    model = transformer(seed=0)
    x = torch.rand(3, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    moved = torch.cat([x[..., 2:], x[..., :2]], dim=-1)  # by a patch
    assert not torch.allclose(model(x), model(moved), atol=1e-3)
    nn.init.zeros_(model[0].places)
    torch.testing.assert_close(model(x), model(moved), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(model.eval()(x), model.train()(x), atol=0, rtol=0)


def test_a_transformer_has_second_derivatives():
    model = transformer(seed=0, depth=1, width=8)
    with sdpa_kernel(SDPBackend.MATH):
        loss = functional.cross_entropy(model(torch.rand(4, 1, 8, 8)), torch.arange(4))
        gradients = torch.autograd.grad(loss, list(model.parameters()), create_graph=True)
        again = torch.autograd.grad(sum((own**2).sum() for own in gradients), list(model.parameters()))
    assert all(own.isfinite().all() for own in again)
    assert again[0].any()


def test_a_transformer_has_a_curvature():
    model = transformer(seed=0, depth=1, width=8)
    x, y = torch.rand(4, 1, 8, 8), torch.arange(4)
    task = Task(model, functional.cross_entropy, [(x, y)], [(x, y)], torch.optim.SGD)
    found = curvature(task, dict(model.state_dict()), n_eigenvalues=1)
    assert found.eigenvalues[0] > 0


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("mlp", {"depth": -1}, r"depth must be 0 or more, but is -1"),
        ("mlp", {"width": 0}, r"width must be 1 or more, but is 0"),
        ("mlp", {"activation": "step"}, r"activation must be one of relu, tanh, gelu, silu, but is 'step'"),
        ("mlp", {"skips": True}, r"mlp has no option 'skips'; its options are depth, width, activation, batch_norm"),
        (
            "convolutional",
            {"shape": (13,)},
            r"convolutional takes samples of shape .* but theirs is \(13,\); take other data, or an mlp",
        ),
        (
            "convolutional",
            {"depth": 5},
            r"5 convolutions halve samples 4 times, but they are \[8, 8\] wide; take a smaller depth",
        ),
        ("residual", {"depth": 9}, r"depth must be 6 n \+ 2, as 8, 14, 20, but is 9"),
        ("residual", {"depth": 2}, r"depth must be 6 n \+ 2, as 8, 14, 20, but is 2"),
        ("residual", {"shape": (1, 40)}, r"residual takes samples of shape \(channels, height, width\), but theirs is \(1, 40\)"),
        ("wide_resnet", {"shape": (4,)}, r"wide_resnet takes samples of shape"),
        ("transformer", {"patch": 3}, r"patch must divide the sides of the images, 8 and 8, but is 3"),
        ("transformer", {"n_heads": 5}, r"n_heads must divide width, which is 32, but is 5"),
        ("transformer", {"shape": (4,)}, r"transformer takes samples of shape"),
    ],
)
def test_what_there_is_not_is_refused(name, options, message, refuses):
    with refuses(message):
        made(name, **options)


def test_an_unknown_name_is_refused(refuses):
    with refuses(rf"network must be one of {', '.join(NETWORKS)}, but is 'perceptron'; choose one"):
        network("perceptron", shape=(4,), n_classes=2, seed=0)
