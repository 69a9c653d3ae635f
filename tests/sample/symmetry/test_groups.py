"""The groups that a graph shows are those that a person finds; an operation that is not known moves nothing."""

import numpy as np
import pytest
import torch
from architectures import ARCHITECTURES, random_network
from torch import nn

from lossatlas.sample import PermutationGroup, Use, permutation_groups, permuted


def _input(kind: str) -> torch.Tensor:
    return ARCHITECTURES[kind][1](torch.Generator().manual_seed(1))


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_the_groups_are_those_that_a_person_finds(kind):
    make, _, expected = ARCHITECTURES[kind]
    groups = permutation_groups(random_network(make, 0), _input(kind))
    found = {group.size: {(use.tensor, use.axis, use.before, use.after) for use in group.uses} for group in groups}
    assert found == expected
    assert len({group.name for group in groups}) == len(groups) == len(expected)


def _graph(forward):
    """Return what a function of two layers' results leaves free: a model of six hidden units."""

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inward, self.other, self.out = nn.Linear(4, 6), nn.Linear(4, 6), nn.Linear(6, 3)

        def forward(self, x):
            return forward(self, x)

    model = random_network(Model, 0)
    x = torch.randn(5, 4, generator=torch.Generator().manual_seed(0))
    groups = permutation_groups(model, x)
    # Whatever was found is a symmetry.
    rng = np.random.default_rng(0)
    orders = {group.name: rng.permutation(group.size) for group in groups}
    before = model(x)
    model.load_state_dict(permuted(model.state_dict(), groups, orders))
    torch.testing.assert_close(model(x), before)
    return sorted(group.size for group in groups)


@pytest.mark.parametrize(
    ("forward", "sizes"),
    [
        (lambda m, x: m.out(torch.relu(m.inward(x))), [6]),
        (lambda m, x: m.out(m.inward(x) * torch.sigmoid(m.other(x))), [6]),  # gates go with what they gate
        (lambda m, x: m.out(torch.softmax(m.inward(x), dim=-1)), [6]),
        (lambda m, x: m.out(m.inward(x).clamp(min=0) / (1 + m.other(x).abs())), [6]),
        (lambda m, x: m.out(torch.stack([m.inward(x), m.other(x)]).sum(0)), [6]),
        (lambda m, x: m.out(torch.einsum("nh,nh->nh", m.inward(x), m.other(x))), [6]),
        (lambda m, x: m.out(m.inward(x) - m.inward(x).mean(dim=-1, keepdim=True)), [6]),
        # A matrix of 2 x 3: whoever transposes it reads units by place.
        (lambda m, x: m.out(m.inward(x).view(-1, 2, 3).flatten(1)), [2, 3]),
        (lambda m, x: m.out(m.inward(x).view(-1, 2, 3).transpose(1, 2).reshape(-1, 6)), [2, 3]),
        (lambda m, x: m.out(m.inward(x) + m.inward(x).view(-1, 2, 3).transpose(1, 2).reshape(-1, 6)), []),
        # Places: an order of the units themselves.
        (lambda m, x: m.out(m.inward(x).cumsum(dim=1)), []),
        (lambda m, x: m.out(m.inward(x).flip(1)), []),
        (lambda m, x: m.out(m.inward(x).roll(1, 1)), []),
        (lambda m, x: m.out(m.inward(x).sort(dim=1).values), []),
        (lambda m, x: m.out(m.inward(x) * torch.arange(6.0)), []),
        (lambda m, x: m.out(m.inward(x)[:, [1, 0, 2, 3, 4, 5]]), []),
        (lambda m, x: m.out(m.inward(x) * m.inward(x).argmax(dim=1, keepdim=True)), []),
        (lambda m, x: m.out(torch.cat([m.inward(x)[:, :2], m.other(x)[:, 2:]], dim=1)), []),
        (lambda m, x: m.inward(x), []),  # outputs have places
        (lambda m, x: m.out(torch.relu_(m.inward(x))), [6]),
        (lambda m, x: m.out(nn.functional.pad(m.inward(x)[:, :4], (1, 1))), []),
        # What is repeated is the same in every place: it holds no units where they are.
        (lambda m, x: m.out(m.inward(x) * m.other(x).amax(dim=1, keepdim=True).expand(-1, 6)), [6, 6]),
    ],
)
def test_what_an_operation_does_to_units_is_known_or_they_stay(forward, sizes):
    assert _graph(forward) == sizes


def test_a_model_that_cannot_be_traced_is_refused_with_what_to_do(refuses):
    class Branching(nn.Module):
        def forward(self, x):
            return x if x.sum() > 0 else -x

    with refuses(r"cannot be traced to find its permutation groups \(.*\); pass groups="):
        permutation_groups(Branching(), torch.ones(2))


def test_units_of_flattened_images_and_of_heads_are_moved_with_all_that_is_theirs():
    group = PermutationGroup("h", 2, (Use("w", 1, 3, 2),))
    w = torch.arange(12.0).reshape(1, 12)
    moved = permuted({"w": w}, [group], {"h": np.array([1, 0])})["w"]
    assert moved.tolist() == [[2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9]]


def test_a_tensor_of_another_type_and_place_is_moved_as_it_is():
    group = PermutationGroup("h", 2, (Use("w", 0),))
    w = torch.tensor([[1, 2], [3, 4]], dtype=torch.float16)
    moved = permuted({"w": w, "v": w}, [group], {"h": np.array([1, 0])})
    assert moved["w"].dtype == torch.float16
    assert moved["v"] is w
