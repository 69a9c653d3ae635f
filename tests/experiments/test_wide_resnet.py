"""Wide residual networks of the paper's sizes, and the augmentation of its images."""

import numpy as np
import pytest
import torch

from lossatlas.experiments.data.batches import Batches, flipped, shifted
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
