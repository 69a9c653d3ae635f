"""A planted permutation is found again, exactly; what is no symmetry is refused."""

import numpy as np
import pytest
import torch
from architectures import ARCHITECTURES, random_network
from torch import nn

from lossatlas import Task, align
from lossatlas.sample import PermutationGroup, Use, permutation_groups, permuted


def _task(kind: str) -> Task:
    make, x, _ = ARCHITECTURES[kind]
    generator = torch.Generator().manual_seed(1)
    model = random_network(make, 0)
    batch = (x(generator), torch.randint(3, (6,), generator=generator))
    return Task(model, nn.functional.cross_entropy, [batch], [batch], optimizer=lambda p: torch.optim.SGD(p, lr=0.1))


def _by_hand(kind: str) -> list[PermutationGroup]:
    return [
        PermutationGroup(str(size), size, tuple(Use(*use) for use in sorted(uses)))
        for size, uses in ARCHITECTURES[kind][2].items()
    ]


def _planted(kind: str, tensors: dict, seed: int) -> tuple[dict, dict]:
    """Return the tensors with units in another order, from the groups that were written down by hand."""
    rng = np.random.default_rng(seed)
    groups = _by_hand(kind)
    orders = {group.name: rng.permutation(group.size) for group in groups}
    moved = permuted(tensors, groups, orders)
    if kind == "tied decoder":
        moved["out.weight"] = moved["token.weight"]
    return moved, {group.size: orders[group.name] for group in groups}


@pytest.mark.parametrize("kind", ARCHITECTURES)
@pytest.mark.parametrize("seed", [0, 1])
def test_a_planted_permutation_is_recovered_exactly(kind, seed):
    task = _task(kind)
    start = {name: tensor.clone() for name, tensor in task.model.state_dict().items()}
    end, orders = _planted(kind, start, seed)
    found = align(task, start, end, seed=seed)
    assert found.distance[0] > 1
    assert found.distance[1] == 0
    assert found.cosine_distance[1] == 0
    assert found.tensors.keys() == start.keys()
    for name, tensor in start.items():  # buffers too
        assert torch.equal(found.tensors[name], tensor), name
    for group in found.groups:
        np.testing.assert_array_equal(orders[group.size][found.permutations[group.name]], np.arange(group.size))
    assert found.output_difference < 1e-4
    assert found.by_restart.min() == 0


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_it_is_recovered_under_noise_and_the_outputs_stay(kind):
    task = _task(kind)
    start = {name: tensor.clone() for name, tensor in task.model.state_dict().items()}
    generator = torch.Generator().manual_seed(5)
    parameters = dict(task.model.named_parameters())
    near = {
        name: tensor + 0.02 * torch.randn(tensor.shape, generator=generator) if name in parameters else tensor
        for name, tensor in start.items()
    }
    if kind == "tied decoder":
        near["out.weight"] = near["token.weight"]
    end, _ = _planted(kind, near, 3)
    found = align(task, start, end)
    for name, tensor in near.items():
        assert torch.equal(found.tensors[name], tensor), name
    away = np.sqrt(sum(float((near[name].double() - start[name].double()).square().sum()) for name in parameters))
    assert found.distance[1] == pytest.approx(away)
    cosine = np.concatenate([near[name].double().flatten() for name in parameters])
    own = np.concatenate([start[name].double().flatten() for name in parameters])
    assert found.cosine_distance[1] == pytest.approx(1 - cosine @ own / np.linalg.norm(cosine) / np.linalg.norm(own), rel=1e-6)


def test_independent_networks_come_nearer_and_keep_their_outputs():
    task = _task("convolutional")
    other = random_network(ARCHITECTURES["convolutional"][0], 9)
    x = task.train[0][0]
    before = other(x).detach()
    found = align(task, task.model.state_dict(), other.state_dict(), restarts=3)
    assert found.distance[1] < found.distance[0]
    assert found.cosine_distance[1] < found.cosine_distance[0]
    assert found.by_restart.shape == (3,)
    assert found.distance[1] == pytest.approx(found.by_restart.min())
    other.load_state_dict(found.tensors)
    torch.testing.assert_close(other(x), before, rtol=1e-4, atol=1e-4)
    again = align(task, task.model.state_dict(), random_network(ARCHITECTURES["convolutional"][0], 9).state_dict(), restarts=3)
    assert all(torch.equal(again.tensors[name], tensor) for name, tensor in found.tensors.items())


@pytest.mark.parametrize("seed", range(4, 16))  # in some of them a group is permuted more than once
def test_no_single_exchange_of_units_brings_it_nearer(seed):
    task = _task("mlp")
    other = random_network(ARCHITECTURES["mlp"][0], seed)
    found = align(task, task.model.state_dict(), other.state_dict(), restarts=1)
    start = dict(task.model.named_parameters())

    def away(tensors: dict) -> float:
        return sum(float((start[name] - tensors[name]).detach().double().square().sum()) for name in start)

    assert away(found.tensors) == pytest.approx(found.distance[1] ** 2, rel=1e-6)
    for group in found.groups:
        for i in range(group.size):
            for j in range(i):
                order = np.arange(group.size)
                order[[i, j]] = j, i
                assert away(permuted(found.tensors, [group], {group.name: order})) >= found.distance[1] ** 2 - 1e-6


def test_groups_can_be_given_and_those_that_are_no_symmetry_are_refused(refuses):
    task = _task("mlp")
    start = task.model.state_dict()
    end, _ = _planted("mlp", {name: tensor.clone() for name, tensor in start.items()}, 0)
    given = _by_hand("mlp")
    assert align(task, start, end, groups=given).distance[1] == 0
    assert align(task, start, end, groups=[]).distance[0] == align(task, start, end, groups=[]).distance[1]
    torn = PermutationGroup("torn", 6, (Use("0.weight", 0),))  # without what reads them
    with refuses("permuting the groups changes the outputs by .*, so they are no symmetry of this model; pass groups="):
        align(task, start, end, groups=[torn])
    with refuses("group 'h' names a tensor 'absent', which the model has not"):
        align(task, start, end, groups=[PermutationGroup("h", 6, (Use("absent", 0),))])
    with refuses(r"group 'h': axis 0 of '0.weight', of shape \(6, 4\), is no 1 x 5 x 1"):
        align(task, start, end, groups=[PermutationGroup("h", 5, (Use("0.weight", 0),))])
    with refuses("group 'h': axis 2 of '0.weight'"):
        align(task, start, end, groups=[PermutationGroup("h", 6, (Use("0.weight", 2),))])
    with refuses("restarts must be 1 or more, but is 0"):
        align(task, start, end, restarts=0)
    with refuses("the end has no tensor"):
        align(task, start, {})


def test_the_model_keeps_its_weights_and_mode():
    task = _task("convolutional")
    task.model.train()
    before = {name: tensor.clone() for name, tensor in task.model.state_dict().items()}
    other = random_network(ARCHITECTURES["convolutional"][0], 9).state_dict()
    kept = {name: tensor.clone() for name, tensor in other.items()}
    align(task, before, other)
    assert task.model.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in task.model.state_dict().items())
    assert all(torch.equal(tensor, kept[name]) for name, tensor in other.items())
    assert permutation_groups(task.model.eval(), task.train[0][0])
