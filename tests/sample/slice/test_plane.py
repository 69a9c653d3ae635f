"""A plane is Li's definition, transcribed; a grid is measured from coarse to fine."""

import copy
import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from landscapes import landscape, quadratic, state
from tasks_for_workers import batches, small_net, small_task
from torch import nn

from lossatlas import SliceSettings, loss_plane
from lossatlas.sample import evaluation, normalized_direction
from lossatlas.sample.directions import orthogonal_direction
from lossatlas.sample.slice.grid import coarse_to_fine

_START = small_net(5).state_dict()


def _without_batchnorm() -> nn.Sequential:
    with torch.random.fork_rng([]):
        torch.random.manual_seed(3)
        return nn.Sequential(nn.Conv2d(1, 3, 3, bias=False), nn.ReLU(), nn.Flatten(), nn.Linear(12, 2, bias=False))


def _li(direction: list[torch.Tensor], weights: list[torch.Tensor], *, ignore: bool) -> list[torch.Tensor]:
    """Filter normalisation as Li et al. 2018, Section 4, write it: each filter of d gets the norm of that of w."""
    made = []
    for d, w in zip(direction, weights, strict=True):
        if d.dim() <= 1:
            made.append(torch.zeros_like(w) if ignore else w.clone())
            continue
        filters = [d_i * (w_i.norm() / (d_i.norm() + 1e-10)) for d_i, w_i in zip(d, w, strict=True)]
        made.append(torch.stack(filters))
    return made


@pytest.mark.parametrize("ignore", [True, False])
@pytest.mark.parametrize("has_batchnorm", [True, False])
def test_a_filter_normalised_plane_is_lis_definition_given_the_same_tensors(has_batchnorm, ignore):
    model = (small_net(5) if has_batchnorm else _without_batchnorm()).double()  # what differs is then the definition
    task = small_task(model=model, train=[(x.double(), y) for x, y in batches(2)], test=[(x.double(), y) for x, y in batches(3)])
    generator = torch.Generator().manual_seed(8)
    drawn = [[torch.randn(p.shape, generator=generator, dtype=torch.float64) for p in model.parameters()] for _ in range(2)]
    names = [name for name, _ in model.named_parameters()]
    weights = [parameter.detach() for parameter in model.parameters()]
    given_ = [
        normalized_direction(
            dict(zip(names, d, strict=True)), dict(model.named_parameters()), biases="zero" if ignore else "weight"
        )
        for d in drawn
    ]
    plane = loss_plane(
        task, model.state_dict(), directions=tuple(given_), reach=0.8, n=5, settings=SliceSettings(batchnorm="stale")
    )
    d, e = (_li(one, weights, ignore=ignore) for one in drawn)
    for (i, a), (j, b) in itertools.product(enumerate(np.linspace(-0.8, 0.8, 5)), repeat=2):
        moved = copy.deepcopy(model)
        with torch.no_grad():
            for parameter, d_i, e_i in zip(moved.parameters(), d, e, strict=True):
                parameter.add_(a * d_i + b * e_i)
        np.testing.assert_allclose(plane.loss[i, j], evaluation(task, moved)["train_loss"], rtol=1e-6)
    assert (plane.x == plane.y).all()


def test_each_filter_of_a_direction_is_as_long_as_the_weights():
    weights = dict(small_net(5).named_parameters())
    for seed in range(3):
        plane = loss_plane(small_task(), _START, seed=seed, reach=0.1, n=3, settings=SliceSettings(batchnorm="stale"))
        _, d, e = plane.losses.frame.vectors
        for one in (d, e):
            for name, w in weights.items():
                if w.dim() > 1:
                    own, expected = (t.detach().reshape(len(t), -1).norm(dim=1) for t in (one[name], w))
                    torch.testing.assert_close(own, expected)
                else:
                    assert not one[name].any()
        flat = [torch.cat([one[name].reshape(-1).double() for name in weights]) for one in (d, e)]
        np.testing.assert_allclose(plane.cosine, float(flat[0] @ flat[1] / flat[0].norm() / flat[1].norm()), rtol=1e-6)
        np.testing.assert_allclose(plane.lengths, [float(one.norm()) for one in flat], rtol=1e-6)


def test_orthogonal_directions_are_so_in_every_filter_and_keep_its_norm():
    plane = loss_plane(small_task(), _START, orthogonal=True, reach=0.1, n=3)
    _, d, e = plane.losses.frame.vectors
    assert abs(plane.cosine) < 1e-6
    for name, w in small_net(5).named_parameters():
        if w.dim() > 1 and w[0].numel() > 1:
            inner = (d[name] * e[name]).reshape(len(w), -1).sum(dim=1)
            assert (inner.abs() < 1e-5 * w.detach().square().reshape(len(w), -1).sum(dim=1)).all()
            torch.testing.assert_close(e[name].reshape(len(w), -1).norm(dim=1), w.detach().reshape(len(w), -1).norm(dim=1))
        elif w.dim() > 1:  # a single weight has no right angle
            assert not e[name].any()


def test_a_filter_that_is_parallel_to_the_other_stays_still():
    w = {"w": torch.tensor([[1.0, 2.0], [3.0, 4.0]])}
    d = {"w": torch.tensor([[0.3, 0.7], [1.0, 0.0]])}
    made = orthogonal_direction({"w": torch.tensor([[0.6, 1.4], [2.0, 5.0]])}, d, w)
    np.testing.assert_allclose(made["w"], [[0, 0], [0, 5]], atol=1e-6)
    # What rounding leaves is not blown up to the length of the weights.
    u = torch.randn(4, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    left = orthogonal_direction({"w": u / 3}, {"w": u}, {"w": torch.ones(4, 7, dtype=torch.float64)})
    assert not left["w"].any()


def test_on_a_quadratic_it_is_the_paraboloid():
    rng = np.random.default_rng(0)
    root = rng.normal(size=(4, 4))
    H, c, w, d, e = root @ root.T, *rng.normal(size=(4, 4))
    directions = tuple({"w": torch.as_tensor(one).reshape(1, 4)} for one in (d, e))
    plane = loss_plane(landscape(quadratic(H, c), w), state(w), directions=directions, reach=2.0, n=7)
    for (i, a), (j, b) in itertools.product(enumerate(plane.x), enumerate(plane.y)):
        at = w + a * d + b * e - c
        np.testing.assert_allclose(plane.loss[i, j], at @ H @ at / 2, rtol=1e-10)


def test_no_cell_of_a_network_with_batch_norm_is_nan():
    for batchnorm in ("recompute", "stale"):
        assert np.isfinite(
            loss_plane(small_task(), _START, reach=1.0, n=9, settings=SliceSettings(batchnorm=batchnorm)).loss
        ).all()


@settings(deadline=None)
@given(st.lists(st.integers(1, 12), min_size=1, max_size=2))
def test_every_point_of_a_grid_comes_once_and_the_corners_come_first(shape):
    order = coarse_to_fine(*shape)
    assert sorted(order.tolist()) == list(range(int(np.prod(shape))))
    corners = {int(np.ravel_multi_index(at, shape)) for at in itertools.product(*({0, n - 1} for n in shape))}
    assert set(order[: len(corners)].tolist()) == corners


def test_half_of_a_grid_leaves_no_hole():
    n = 33
    first = coarse_to_fine(n, n)[: n * n // 4 + n]
    done = np.zeros((n, n), dtype=bool)
    done.ravel()[first] = True
    i, j = np.nonzero(done)
    farthest = max(np.min(np.maximum(abs(i - a), abs(j - b))) for a in range(n) for b in range(n))
    assert farthest <= 1


def test_what_is_refused(refuses):
    with refuses("orthogonal=True turns random directions with norm='filter' and biases='zero'"):
        loss_plane(small_task(), _START, orthogonal=True, norm="layer")
    with refuses("the second direction has a tensor 'nobody'"):
        loss_plane(small_task(), _START, directions=({}, {"nobody": torch.zeros(1)}))
