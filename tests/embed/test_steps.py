"""How long the walk goes: where its entropy meets the spread of a walk."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_phate import entropy_naive, euclidean_naive
from scipy.sparse import csr_array

from lossatlas import InputError
from lossatlas.embed import alpha_decay_affinities, bridged, random_walk, spectral_entropy
from lossatlas.embed.diffusion import spectrum
from lossatlas.embed.steps import diffusion_time

SEEDS = st.integers(0, 2**32 - 1)


def line(c, *, repeats=1, axes=1):
    """Eigenvalues exp(-c |k|²) at the whole points k of an endless line, plane or space.

    Their powers are samples of a Gaussian. While c t is small its sum is its integral, to exp(-pi² / (c t)), so that
    the entropy is axes/2 ln(pi e / (c t)), and ln ``repeats`` more.
    """
    reach = int(math.sqrt(1 / c))  # beyond it they are below exp(-t) after t steps
    squares = np.arange(-reach, reach + 1) ** 2.0
    for _ in range(axes - 1):
        squares = np.add.outer(squares, np.arange(-reach, reach + 1) ** 2.0).ravel()
    return np.tile(np.exp(-c * squares), repeats)


def entropy_at(eigenvalues, t):
    """The definition at any real t."""
    powers = np.abs(eigenvalues) ** t
    p = powers[powers > 0] / powers.sum()
    return -(p * np.log(p)).sum()


@pytest.mark.parametrize("n", [1, 2, 3, 10])
def test_eigenvalues_all_alike_are_never_forgotten(n):
    found = diffusion_time(np.full(n, 0.7))
    # H = ln n for ever, and ln √t = ln n at t = n².
    assert found.t == n**2
    np.testing.assert_allclose(found.knee, n**2, rtol=1e-10)


def test_the_entropy_of_a_line_falls_straight_and_meets_the_spread_where_the_two_lines_meet():
    # 1/2 ln(pi e / (c t)) = 1/2 ln t.
    np.testing.assert_allclose(diffusion_time(line(1e-4)).knee, math.sqrt(math.pi * math.e / 1e-4), rtol=1e-9)


def test_in_a_plane_and_in_several_pieces_the_lines_meet_elsewhere():
    c = 1e-3
    # ln(pi e / (c t)) = 1/2 ln t; then 1/2 ln(pi e / (c t)) + ln 3 = 1/2 ln t.
    # Its sum is its integral to some exp(-pi² / 0.4) = 2e-11, of which the entropy takes the logarithm and the slope.
    np.testing.assert_allclose(diffusion_time(line(c, axes=2)).knee, (math.pi * math.e / c) ** (2 / 3), rtol=1e-7)
    np.testing.assert_allclose(diffusion_time(line(c, repeats=3)).knee, 3 * math.sqrt(math.pi * math.e / c), rtol=1e-9)


def test_a_steep_fall_onto_a_level_has_its_knee_on_the_level():
    # Five pieces whose inner differences are gone after some steps: H = ln 5 from there on.
    pieces = np.concatenate([np.ones(5), np.full(95, 0.2)])
    np.testing.assert_allclose(diffusion_time(pieces).knee, 25, rtol=1e-9)


def test_pieces_that_mix_at_once_give_the_square_of_their_number():
    kernel = np.kron(np.eye(3), np.ones((4, 4)))
    assert diffusion_time(spectrum(random_walk(csr_array(kernel)))).t == 9


def test_a_complete_graph_is_forgotten_at_the_first_step():
    found = diffusion_time(spectrum(random_walk(csr_array(np.ones((6, 6))))))
    assert found.t == 1
    np.testing.assert_allclose([found.knee, found.shortest], 1, atol=1e-10)  # five eigenvalues of some eps have entropy
    np.testing.assert_allclose(found.longest, math.exp(0.2), rtol=1e-10)  # 0.1 nats = ln √t


@pytest.mark.parametrize("eigenvalues", [[1.0, 0.5], [1.0, 0.9, 0.1], [1.0, -0.99, 0.98, 0.5, 0.0], [1.0, 0.999, 0.999, 0.7]])
def test_the_knee_is_where_entropy_and_spread_are_equal(eigenvalues):
    knee = diffusion_time(np.array(eigenvalues)).knee
    np.testing.assert_allclose(entropy_at(np.array(eigenvalues), knee), math.log(knee) / 2, atol=1e-10)


@settings(max_examples=15, deadline=None)
@given(seed=SEEDS, n=st.integers(1, 40))
def test_whole_steps_before_the_knee_have_more_entropy_than_spread_and_those_after_it_less(seed, n):
    eigenvalues = np.random.default_rng(seed).uniform(0.05, 1.0, n)
    found = diffusion_time(eigenvalues)
    before, after = math.floor(found.knee - 1e-9), math.ceil(found.knee + 1e-9)
    curve = entropy_naive(eigenvalues, after)
    assert curve[max(before, 1) - 1] >= math.log(max(before, 1)) / 2 - 1e-9
    assert curve[after - 1] <= math.log(after) / 2 + 1e-9
    assert found.t == round(found.knee)


@settings(max_examples=15, deadline=None)
@given(seed=SEEDS, n=st.integers(1, 30))
def test_order_sign_scale_and_zeros_do_not_matter(seed, n):
    rng = np.random.default_rng(seed)
    eigenvalues = np.append(1.0, rng.uniform(0.0, 1.0, n))
    knee = diffusion_time(eigenvalues).knee
    for same in (
        rng.permutation(eigenvalues),
        eigenvalues * rng.choice([-1.0, 1.0], n + 1),
        eigenvalues * 3.0,
        np.append(eigenvalues, np.zeros(50)),
    ):
        np.testing.assert_allclose(diffusion_time(same).knee, knee, rtol=1e-10)  # sums in another order


@settings(max_examples=15, deadline=None)
@given(seed=SEEDS, n=st.integers(2, 60), size=st.sampled_from([1e-6, 1e-3, 0.3]))
def test_an_entropy_that_is_off_moves_the_logarithm_of_t_by_twice_as_much_at_most(seed, n, size):
    rng = np.random.default_rng(seed)
    one = rng.uniform(0.05, 1.0, n)
    other = np.clip(one + size * rng.normal(size=n), 0.01, 1.0)
    t = diffusion_time(one).knee
    moved = abs(math.log(diffusion_time(other).knee / t))
    assert moved <= 2 * abs(entropy_at(one, t) - entropy_at(other, t)) + 1e-9


def test_the_knee_follows_a_small_change_of_the_eigenvalues():
    eigenvalues = line(1e-3)
    noisy = eigenvalues * (1 + 1e-6 * np.random.default_rng(0).normal(size=len(eigenvalues)))
    np.testing.assert_allclose(diffusion_time(noisy).knee, diffusion_time(eigenvalues).knee, rtol=1e-4)


def test_few_slow_directions_decide():
    # At the knee √t directions count, so a solver for the largest eigenvalues alone will do.
    eigenvalues = np.sort(line(1e-4))[::-1]
    np.testing.assert_allclose(diffusion_time(eigenvalues[:80].copy()).knee, diffusion_time(eigenvalues).knee, rtol=1e-3)


def test_the_range_is_that_of_an_entropy_off_by_a_tenth():
    found = diffusion_time(np.ones(4))  # ln 4 ± 0.1 = ln √t
    np.testing.assert_allclose([found.shortest, found.longest], [16 * math.exp(-0.2), 16 * math.exp(0.2)], rtol=1e-10)
    falling = diffusion_time(line(1e-3))  # 1/2 ln(pi e / (c t)) ± 0.1 = 1/2 ln t: half as far, as the curve falls too
    np.testing.assert_allclose(np.log([falling.shortest, falling.longest]) - math.log(falling.knee), [-0.1, 0.1], rtol=1e-8)


def test_the_curve_runs_from_the_first_step_to_past_the_knee():
    eigenvalues = np.random.default_rng(1).uniform(0.2, 1.0, 30)
    found = diffusion_time(eigenvalues)
    np.testing.assert_allclose(found.times[[0, -1]], [1, 10 * found.knee], rtol=1e-12)
    np.testing.assert_allclose(found.entropy, [entropy_at(eigenvalues, t) for t in found.times], atol=1e-12)
    # The entropy of whole steps adds eps to each of 30 shares.
    np.testing.assert_allclose(found.entropy[0], spectral_entropy(eigenvalues)[0], atol=1e-12)
    assert (np.diff(found.entropy) < 0).all()


def test_eigenvalues_near_0_are_no_trouble_after_many_steps():
    found = diffusion_time(np.concatenate([np.ones(40), np.full(10, 1e-300)]))
    assert np.isfinite(found.entropy).all()
    np.testing.assert_allclose(found.knee, 1600, rtol=1e-9)


def tree():
    rng = np.random.default_rng(3)
    spines = [np.outer(np.arange(25.0), rng.normal(size=10)) for _ in range(4)]
    return np.concatenate(spines) + 0.3 * rng.normal(size=(100, 10))


PROBLEMS = {
    "walks": np.random.default_rng(1).normal(size=(3, 40, 200)).cumsum(axis=1).reshape(-1, 200),
    "tree": tree(),
    "clusters": np.repeat(20 * np.eye(5), 24, axis=0) + np.random.default_rng(2).normal(size=(120, 5)),
}


def knee_of(distances):
    return diffusion_time(spectrum(random_walk(bridged(alpha_decay_affinities(distances), distances)))).knee


@pytest.mark.parametrize("name", PROBLEMS)
def test_t_holds_without_any_twentieth_of_the_points_and_in_float32(name):
    D = euclidean_naive(PROBLEMS[name])
    n = len(D)
    knee = knee_of(D)
    np.testing.assert_allclose(knee_of(D.astype(np.float32).astype(np.float64)), knee, rtol=1e-3)
    rng = np.random.default_rng(0)
    gone = [rng.permutation(n)[: n // 20] for _ in range(8)]
    gone += [np.arange(start, start + n // 20) for start in (0, n // 2, n - n // 20)]
    without = [knee_of(np.delete(np.delete(D, out, axis=0), out, axis=1)) for out in gone]
    np.testing.assert_allclose(without, knee, rtol=0.2)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_eigenvalues_that_are_not_finite_are_refused(bad):
    with pytest.raises(
        InputError, match="eigenvalues must be finite, but some are NaN or infinite; pass those of a diffusion operator"
    ):
        diffusion_time(np.array([1.0, bad]))


@pytest.mark.parametrize("nothing", [[], [0.0, 0.0]])
def test_eigenvalues_that_are_all_0_are_refused(nothing):
    with pytest.raises(InputError, match="eigenvalues must not all be 0; pass those of a diffusion operator, whose largest is 1"):
        diffusion_time(np.array(nothing, dtype=float))
