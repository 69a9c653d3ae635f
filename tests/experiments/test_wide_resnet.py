"""Wide residual networks of the paper's sizes, and CIFAR-10 by a torchvision that is not there or stands in."""

import sys
import types

import numpy as np
import pytest
import torch

from lossatlas.experiments.data.batches import Batches, flipped, shifted
from lossatlas.experiments.data.cifar import BLACK, DEVIATION, MEAN, cifar10
from lossatlas.experiments.networks.wide_resnet import wide_resnet
from lossatlas.sample import fixed_randomness


@pytest.mark.parametrize(
    ("depth", "width", "count"),
    [
        (10, 1, 77_850),
        (10, 2, 303_706),
        (16, 1, 175_066),
        (16, 2, 691_674),
        (22, 1, 272_282),
        (22, 2, 1_079_642),
        (28, 2, 1_467_610),
    ],
)
def test_it_has_the_papers_number_of_parameters(depth, width, count):
    assert sum(parameter.numel() for parameter in wide_resnet(depth, width, seed=0).parameters()) == count


def test_it_makes_scores_of_images_and_its_seed_is_its_start():
    first, second, other = wide_resnet(10, 1, seed=0), wide_resnet(10, 1, seed=0), wide_resnet(10, 1, seed=1)
    assert first(torch.zeros(2, 3, 32, 32)).shape == (2, 10)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
    assert not torch.equal(first[0].weight, other[0].weight)
    features = first[:4](torch.zeros(1, 3, 32, 32))
    assert features.shape == (1, 64, 8, 8)  # two of three groups halve the image


def test_a_block_whose_weights_are_zero_is_its_shortcut():
    block = wide_resnet(16, 1, seed=0)[2]  # the second of its group: nothing changes its shape
    with torch.no_grad():
        block.second.weight.zero_()
    x = torch.rand(2, 16, 8, 8)
    assert torch.equal(block(x), x)


@pytest.mark.parametrize(("depth", "width", "message"), [(11, 1, r"6 n \+ 4.*but is 11"), (4, 1, r"is 4"), (10, 0, r"width.*0")])
def test_other_sizes_are_refused(depth, width, message, refuses):
    with refuses(message):
        wide_resnet(depth, width, seed=0)


def test_without_torchvision_it_says_what_to_install(monkeypatch, refuses):
    monkeypatch.setitem(sys.modules, "torchvision.datasets", None)
    with refuses(r"torchvision, which is not installed; install it \(pip install torchvision\).*table-1"):
        cifar10("data")


def stand_in(monkeypatch, loader):
    module = types.ModuleType("torchvision.datasets")
    module.CIFAR10 = loader
    monkeypatch.setitem(sys.modules, "torchvision", types.ModuleType("torchvision"))
    monkeypatch.setitem(sys.modules, "torchvision.datasets", module)


def test_without_the_images_it_says_how_to_fetch_them(monkeypatch, refuses):
    def missing(folder, *, train):
        raise RuntimeError("Dataset not found or corrupted. You can use download=True to download it")

    stand_in(monkeypatch, missing)
    with refuses(
        r"CIFAR-10 is not in 'here' \(Dataset not found.*\); fetch it once: python -c .*CIFAR10\('here', download=True\)"
    ):
        cifar10("here")


def test_images_are_scaled_channel_by_channel(monkeypatch):
    pixels = np.random.default_rng(0).integers(0, 256, size=(5, 32, 32, 3), dtype=np.uint8)
    pixels[0] = 0
    stand_in(
        monkeypatch, lambda folder, *, train: types.SimpleNamespace(data=pixels[: 5 if train else 2], targets=[3, 1, 4, 1, 5])
    )
    found = cifar10("data")
    assert (found.train_x.shape, len(found.test_x), found.train_y.tolist()) == ((5, 3, 32, 32), 2, [3, 1, 4, 1, 5])
    for channel in range(3):
        expected = (pixels[..., channel] / 255 - MEAN[channel]) / DEVIATION[channel]
        np.testing.assert_allclose(found.train_x[:, channel], expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found.train_x[0, :, 0, 0], BLACK, rtol=1e-6)


def test_colour_images_move_whole_with_black_coming_in_and_half_of_them_are_mirrored():
    x = torch.arange(2 * 3 * 4 * 4.0).reshape(2, 3, 4, 4)
    with fixed_randomness(0):
        moved = shifted(x, 2)
    with fixed_randomness(0):
        down, right = torch.randint(5, (2, 2, 1))
    padded = torch.nn.functional.pad(x, (2, 2, 2, 2))
    for image in range(2):
        top, left = int(down[image]), int(right[image])
        assert torch.equal(moved[image], padded[image, :, top : top + 4, left : left + 4])
    with fixed_randomness(0):
        (batch, _), *_ = Batches(torch.ones(200, 2, 4, 4), torch.zeros(200), size=200, shift=4, empty=(-1.0, -2.0))
    assert set(batch[:, 0].unique().tolist()) == {1.0, -1.0}
    assert set(batch[:, 1].unique().tolist()) == {1.0, -2.0}
    image = torch.tensor([[[[1.0, 2.0]]]]).repeat(400, 1, 1, 1)
    with fixed_randomness(0):
        mirrored = flipped(image)[:, 0, 0, 0] == 2
    assert abs(mirrored.float().mean() - 0.5) < 4 * np.sqrt(0.25 / 400)
