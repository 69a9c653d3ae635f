"""The geometry of a chain of points."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as stn

from lossatlas.sample.path.chain import between, fractions, insertions, respaced, tangents

_POINTS = stn.arrays(np.float64, (5, 3), elements=st.floats(-10, 10))


def _naive_tangent(points, energies):
    """Henkelman and Jónsson 2000, Section III, in so many words."""
    (before, here, after), (v_before, v_here, v_after) = points, energies
    forward, backward = after - here, here - before
    if v_after > v_here > v_before:
        tau = forward
    elif v_after < v_here < v_before:
        tau = backward
    else:
        greatest = max(abs(v_after - v_here), abs(v_before - v_here))
        least = min(abs(v_after - v_here), abs(v_before - v_here))
        tau = forward * greatest + backward * least if v_after > v_before else forward * least + backward * greatest
    return tau / np.linalg.norm(tau)


@given(_POINTS, st.permutations([0.0, 1.0, 2.5, 4.0, 7.0]))
def test_the_tangent_is_henkelman_and_jonssons(points, energy):
    points = points + 40 * np.arange(5)[:, None]  # no two alike
    found = tangents(torch.as_tensor(points), np.array(energy)).numpy()
    for i in range(1, 4):
        naive = _naive_tangent(points[i - 1 : i + 2], energy[i - 1 : i + 2])
        np.testing.assert_allclose(found[i - 1], naive, atol=1e-12)


def test_at_a_maximum_the_side_of_the_higher_neighbour_weighs_more():
    chain = torch.tensor([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]], dtype=torch.float64)
    tau = tangents(chain, np.array([0.0, 5.0, 4.0]))[0]
    assert tau[1] > tau[0]


def test_where_neighbours_are_equal_the_tangent_bisects_and_is_a_number():
    chain = torch.tensor([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]], dtype=torch.float64)
    np.testing.assert_allclose(tangents(chain, np.ones(3))[0].numpy(), np.full(2, 0.5**0.5))


def test_the_tangent_turns_without_a_jump_as_a_pivot_passes_a_maximum():
    chain = torch.tensor([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]], dtype=torch.float64)
    turns = torch.stack([tangents(chain, np.array([0.0, v, 1.0]))[0] for v in np.linspace(0.9, 1.3, 400)])
    assert (turns[1:] - turns[:-1]).norm(dim=1).max() < 0.02


@given(_POINTS, st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_points_are_put_at_fractions_of_the_length(points, inner):
    chain = torch.as_tensor(points + 40 * np.arange(5)[:, None])
    at = np.concatenate([[0.0], np.sort(inner), [1.0]])
    moved = respaced(chain, at)
    assert torch.equal(moved[[0, -1]], chain[[0, -1]])
    # Each lies on a segment, as far along the polyline as asked.
    own = fractions(chain)
    for point, fraction in zip(moved, at, strict=True):
        segment = min(int(np.searchsorted(own, fraction, side="right")) - 1, 3)
        length = (chain[1:] - chain[:-1]).norm(dim=1)
        walked = length[:segment].sum() + (point - chain[segment]).norm()
        assert abs(float(walked / length.sum()) - fraction) < 1e-9


def test_a_chain_that_is_spaced_already_stays():
    chain = torch.tensor([[0.0], [1.0], [4.0]], dtype=torch.float64)
    assert torch.equal(respaced(chain, fractions(chain)), chain)
    still = torch.zeros(3, 2, dtype=torch.float64)
    assert fractions(still).tolist() == [0.0, 0.5, 1.0]
    assert torch.equal(respaced(still, np.array([0.0, 0.3, 1.0])), still)


def test_points_between_pivots_are_even():
    table = between(3, 3)
    np.testing.assert_allclose(table.sum(axis=1), 1)
    np.testing.assert_allclose(table @ np.array([0.0, 4.0, 8.0]), np.arange(9))


def test_a_pivot_is_added_where_the_excess_is_greatest_and_only_there():
    loss = np.zeros(13)  # four pivots, three points between each two
    loss[[0, 4, 8, 12]] = 0, 1, 1, 0
    loss[[1, 2, 3]] = 0.25, 0.5, 0.75  # on the line: no excess
    loss[[5, 6, 7]] = 1.05, 1.3, 1.1
    loss[[9, 10, 11]] = 0.75, 0.5, 0.45
    assert insertions(loss, 4, most=2, excess=0.1) == [(1, 0.5), (2, 0.75)]
    assert insertions(loss, 4, most=1, excess=0.1) == [(1, 0.5)]
    assert insertions(loss, 4, most=2, excess=0.25) == [(1, 0.5)]
    assert insertions(loss, 4, most=2, excess=0.4) == []


def test_equal_losses_need_no_pivot():
    loss = np.full(9, 0.1)
    loss[3] += 1e-17
    assert insertions(loss, 3, most=2, excess=0.1) == []
