"""Sketches: sums over shards, the variance that is claimed, exact norms, near points, refusals."""

import itertools
import math
import threading
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lossatlas.distance import PointSource, pairwise
from lossatlas.distance.angles import fit_angles
from lossatlas.distance.sketched import Sketches, sketched_pairwise, sketches
from lossatlas.embed import phate
from lossatlas.sketch import sketch


def walk(n=8, p=20_000, *, seed=0, step=0.1):
    rng = np.random.default_rng(seed)
    points = step * rng.standard_normal((n, p)).cumsum(axis=0)
    return points + rng.standard_normal(p)


def gaussian(p, seed=0):
    return np.random.default_rng(seed).standard_normal(p)


def squared_norms(vector, *, k, seeds):
    """‖Sx‖² / ‖x‖² for many seeds."""
    made = [sketch(vector, k=k, seed=seed).values for seed in range(seeds)]
    return np.array([value @ value for value in made]) / (vector @ vector)


def claimed_variance(vector, k):
    """The formula of the module, for ‖x‖ = 1."""
    x = vector / np.linalg.norm(vector)
    of_blocks = [x[first : first + k] @ x[first : first + k] for first in range(0, len(x), k)]
    return 2 / k * (1 - sum(square**2 for square in of_blocks))


def same(a, b, *, scale=1.0):
    # Some 20,000 terms, each rounded once: sums of another order differ by less than 1e-12 of the largest.
    np.testing.assert_allclose(a.values, b.values, rtol=0, atol=1e-12 * scale)
    for name in ("squared_norm", "squared_displacement", "dot"):
        assert getattr(a, name) == pytest.approx(getattr(b, name), rel=1e-12, abs=1e-12 * scale), name
    assert (a.n_parameters, a.seed) == (b.n_parameters, b.seed)


@settings(max_examples=30)
@given(st.lists(st.integers(0, 1000), max_size=6), st.integers(0, 2**64 - 1), st.integers(0, 500))
def test_shards_cut_anywhere_add_up_to_the_whole(cuts, seed, offset):
    weights, start = gaussian(1000), gaussian(1000, 1)
    edges = [0, *sorted(cuts), 1000]
    parts = [sketch(weights[a:b], start=start[a:b], offset=offset + a, k=128, seed=seed) for a, b in itertools.pairwise(edges)]
    whole = sketch(weights, start=start, offset=offset, k=128, seed=seed)
    same(sum(parts[1:], start=parts[0]), whole, scale=30)


def test_shards_of_many_points_add_up():
    points = walk()
    whole = sketches(points)
    for cut in (1, 4096, 9_999):
        parts = sketches(points[:, :cut]) + sketches(points[:, cut:], offset=cut)
        np.testing.assert_allclose(parts.values, whole.values, atol=1e-11)
        np.testing.assert_allclose(parts.squared_displacements, whole.squared_displacements, rtol=1e-12)
        np.testing.assert_allclose(parts.squared_norms, whole.squared_norms, rtol=1e-12)
        np.testing.assert_allclose(sketched_pairwise(parts).squared, sketched_pairwise(whole).squared, rtol=1e-9, atol=1e-9)


def test_one_seed_makes_one_sketch_and_another_seed_another():
    weights = gaussian(10_000)
    first, again, other = (sketch(weights, seed=seed).values for seed in (5, 5, 6))
    np.testing.assert_array_equal(first, again)
    assert abs(np.corrcoef(first, other)[0, 1]) < 0.1  # 1 / sqrt(4096) = 0.016


def test_the_sketch_is_linear():
    a, b = gaussian(9_000), gaussian(9_000, 1)
    np.testing.assert_allclose(sketch(2 * a - b).values, 2 * sketch(a).values - sketch(b).values, atol=1e-13 * 9_000)
    np.testing.assert_allclose(sketch(a, start=b).values, sketch(a - b).values, atol=1e-13)


# A vector of equal entries meets the formula's largest value; a spiked one and one within few blocks stay below 2/k.
SHAPES = {
    "even": np.ones(6_400),
    "gaussian": gaussian(6_400),
    "column of a matrix": (np.arange(6_400) % 64 == 5).astype(float),
    "column as wide as k": (np.arange(6_400) % 128 == 5).astype(float),
    "two layers": np.where(np.arange(6_400) < 640, 10.0, 0.1),
    "heavy tails": gaussian(6_400) ** 5,
}


@pytest.mark.parametrize("shape", SHAPES)
def test_squared_norms_are_unbiased_and_vary_as_claimed(shape):
    x = SHAPES[shape]
    found = squared_norms(x, k=128, seeds=3_000)
    variance = claimed_variance(x, 128)
    assert abs(found.mean() - 1) < 4 * math.sqrt(variance / len(found))
    # The standard error of a variance, with the kurtosis of the sample itself.
    error = math.sqrt(((found - 1) ** 2).var() / len(found))
    assert abs(found.var() - variance) < 4 * error
    assert error < 0.2 * variance  # or the line above says nothing


def test_a_change_within_a_block_and_a_small_model_lose_nothing():
    inside, single = np.zeros((2, 20_000))
    inside[4_096:8_192] = gaussian(4_096)
    single[9_999] = 3.0
    for vector in (inside, gaussian(4_096), single):
        value = sketch(vector).values
        assert value @ value == pytest.approx(vector @ vector, rel=1e-13)
    points = walk(p=4_000)
    np.testing.assert_allclose(sketched_pairwise(sketches(points)).squared, pairwise(points).squared, rtol=1e-10)


def test_two_blocks_meet_at_one_place_in_k():
    places = [np.flatnonzero(sketch(np.ones(1), offset=64 * block, k=64).values)[0] for block in range(6_400)]
    counts = np.bincount(places, minlength=64)
    # Chi-square of 64 even classes: mean 63, standard deviation sqrt(126).
    assert abs(((counts - 100) ** 2 / 100).sum() - 63) < 4 * math.sqrt(126)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_norms_are_exact_whatever_the_floats(dtype):
    weights, start = (100 * gaussian(30_011, seed) for seed in (0, 1))
    start = (weights + 1e-2 * start).astype(dtype)
    weights = weights.astype(dtype)
    made = sketch(weights, start=start, offset=77)
    a, b = (array.astype(np.longdouble) for array in (weights, start))
    for found, wide in [
        (made.squared_norm, a @ a),
        (made.squared_displacement, (a - b) @ (a - b)),
        (made.dot, (a - b) @ b),
    ]:
        # The products of a dot have both signs, and come to less than their sum of sizes.
        assert abs(found - wide) <= 1e-14 * max(abs(wide), np.abs((a - b) * b).sum() if found == made.dot else 0)
    same(made, sketch(weights.astype(np.float64), start=start.astype(np.float64), offset=77), scale=1e6)


def test_weights_and_start_may_have_other_floats_and_other_strides():
    weights, start = gaussian(8_000).astype(np.float32), gaussian(8_000, 1)
    same(sketch(weights[::2], start=start[::2]), sketch(weights[::2].astype(float), start=start[::2].copy()))
    frozen = weights.copy()
    frozen.flags.writeable = False
    same(sketch(frozen), sketch(weights))


def test_no_start_is_a_start_at_zero_however_long():
    weights = gaussian(200_000)  # longer than the zeros that are kept at hand
    same(sketch(weights, offset=3), sketch(weights, start=np.zeros(200_000), offset=3), scale=1e3)


def test_threads_that_sketch_at_once_add_up_to_one():
    weights = gaussian(50_000)
    edges = np.linspace(0, 50_000, 9, dtype=int)
    parts = [None] * 8

    def work(i):
        parts[i] = sketch(weights[edges[i] : edges[i + 1]], offset=int(edges[i]))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    same(sum(parts[1:], start=parts[0]), sketch(weights), scale=100)


class Blocks(PointSource):
    """Points that are handed out a block at a time, and remember how wide the widest was."""

    def __init__(self, points):
        self.points, self.widest = points, 0

    @property
    def n_points(self):
        return len(self.points)

    @property
    def n_parameters(self):
        return self.points.shape[1]

    def block(self, start, stop):
        self.widest = max(self.widest, stop - start)
        return self.points[:, start:stop]


def test_points_are_read_in_blocks_which_change_nothing_but_rounding():
    points = walk()
    whole, source = sketches(points), Blocks(points)
    made = sketches(source, megabytes=8 * 8 * 777 / 2**20)
    assert source.widest == 777
    np.testing.assert_allclose(made.values, whole.values, atol=1e-11)
    np.testing.assert_allclose(made.start.values, whole.start.values, atol=1e-11)
    np.testing.assert_allclose(made.norms, np.linalg.norm(points, axis=1), rtol=1e-13)
    np.testing.assert_allclose(made.displacements, np.linalg.norm(points - points[0], axis=1), rtol=1e-13)
    np.testing.assert_allclose(made.dots, (points - points[0]) @ points[0], rtol=1e-11, atol=1e-11)


def test_sketches_of_single_points_are_those_of_an_array():
    points = walk()
    made = sketches(points, seed=3)
    one_by_one = Sketches.of([sketch(row, start=points[0], seed=3) for row in points], start=sketch(points[0], seed=3))
    np.testing.assert_allclose(one_by_one.values, made.values, atol=1e-11)
    np.testing.assert_allclose(sketched_pairwise(one_by_one).squared, sketched_pairwise(made).squared, rtol=1e-9, atol=1e-9)


def ratios(points, *, k, seeds, pairs):
    """Estimated over exact squared distances of ``pairs``, one row a seed."""
    exact = pairwise(points).squared[pairs]
    return np.array([sketched_pairwise(sketches(points, k=k, seed=seed)).squared[pairs] for seed in range(seeds)]) / exact


@pytest.mark.parametrize("cosine", [-0.6, 0.0, 0.8, 1 - 1e-6])
def test_distances_are_as_good_as_the_likelihood_allows(cosine):
    """Cramér and Rao's bound for a cosine with known norms: (1 - ρ²)² / (k (1 + ρ²))."""
    k, p, rng = 256, 8_192, np.random.default_rng(0)
    q, _ = np.linalg.qr(rng.standard_normal((p, 3)))
    start, a, b = q.T
    points = np.array([start, start + 2 * a, start + 3 * (cosine * a + math.sqrt(1 - cosine**2) * b)])
    found = ratios(points, k=k, seeds=200, pairs=(1, 2))
    squared = 4 + 9 - 12 * cosine
    bound = 12 * (1 - cosine**2) / math.sqrt(k * (1 + cosine**2)) / squared
    bound *= math.sqrt(1 - k / p)  # pairs within a block never meet
    assert abs(found.mean() - 1) < 4 * bound / math.sqrt(200) + 3 / k * bound
    assert found.std() == pytest.approx(bound, rel=0.2)  # four standard errors of 200 values


@pytest.mark.parametrize("step", [1.0, 1e-3, 1e-7])
def test_near_points_keep_the_stated_error_however_near(step):
    rng = np.random.default_rng(0)
    start = rng.standard_normal(20_000)
    away = start + rng.standard_normal(20_000)
    points = np.array([start, away, away + step * rng.standard_normal(20_000)])
    found = ratios(points, k=1024, seeds=100, pairs=(1, 2))
    stated = 2 * sketches(points, k=1024).relative_error
    # Weights of order 1 are rounded at 1e-16, which is 1e-9 of the nearest step.
    assert abs(found.mean() - 1) < 4 * stated / math.sqrt(100)
    assert 0.5 * stated < found.std() < 1.2 * stated


def test_the_start_is_exact_from_everywhere():
    points = walk()
    estimated = sketched_pairwise(sketches(points, k=64)).squared[0]
    np.testing.assert_allclose(estimated, pairwise(points).squared[0], rtol=1e-12)


def test_points_that_move_along_their_start_are_exact():
    """Weight decay alone: all of d² is a difference of norms, and 1 - cos about zero would drown in the error of d²."""
    start, aside = gaussian(20_000), gaussian(20_000, 1)
    aside -= start * (aside @ start) / (start @ start)
    points = np.array([start, 0.9 * start, 0.5 * start + 1e-3 * aside, 0.4 * start - 1e-3 * aside])
    found, exact = sketched_pairwise(sketches(points)), pairwise(points)
    np.testing.assert_allclose(found.squared, exact.squared, rtol=1e-5)
    np.testing.assert_allclose(found.cosine[2, 3], exact.cosine[2, 3], rtol=0.1)
    assert found.cosine[0, 1] < 1e-12


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["zero", "start"]))
def test_no_distance_is_below_the_difference_of_norms(seed, origin):
    """With k far too small for the points, so that an unbounded estimate would fall below."""
    rng = np.random.default_rng(seed)
    points = rng.standard_normal((6, 500)) * rng.lognormal(sigma=2, size=(6, 1))
    points[3] = points[2] * 2
    found = sketched_pairwise(sketches(points, k=64, seed=seed), origin=origin)
    least, most = (operation.outer(found.norms, found.norms) ** 2 for operation in (np.subtract, np.add))
    scale = found.squared.max()
    assert (found.squared >= least * (1 - 1e-9) - 1e-12 * scale).all()
    assert (found.squared <= most * (1 + 1e-9) + 1e-12 * scale)[~np.eye(6, dtype=bool)].all()
    np.testing.assert_array_equal(found.squared, found.squared.T)


def test_the_fitted_angle_solves_its_cubic_however_bad_the_sketch():
    """Sketched norms that are far from the exact ones, where Newton's steps alone leave the bracket and some never return."""
    rng = np.random.default_rng(0)
    lengths = rng.lognormal(sigma=2, size=(100, 1))
    u = lengths * rng.standard_normal((100, 2)) / 1.4
    w, D = u @ u.T, pairwise(u).squared
    delta = D.copy()
    fit_angles(w, delta)
    assert ((delta >= 0) & (delta <= 2)).all()
    residual = -(delta**3) + (3 - w) * delta**2 - (2 + D) * delta + D
    np.testing.assert_allclose(residual / (1 + D + abs(w)), 0, atol=1e-13)  # a term of each size, rounded once or twice


def test_copies_of_a_point_have_distance_zero():
    points = walk(n=5)[[0, 1, 1, 2, 0]]
    squared = sketched_pairwise(sketches(points)).squared
    assert squared[1, 2] == squared[0, 4] == 0
    assert squared[0, 1] > 0


@pytest.mark.parametrize("origin", ["zero", "start"])
def test_norms_about_either_origin_are_those_of_the_points(origin):
    points = walk()
    found, exact = sketched_pairwise(sketches(points), origin=origin), pairwise(points, origin=origin)
    np.testing.assert_allclose(found.norms, exact.norms, rtol=1e-12)
    assert (found.origin, found.n_parameters) == (origin, 20_000)


def test_a_start_at_zero_is_a_start():
    points = walk() - walk()[0]
    found = sketched_pairwise(sketches(points), origin="start")
    np.testing.assert_allclose(found.euclidean, pairwise(points).euclidean, rtol=0.06)  # five standard errors


def test_a_map_of_sketches_is_drawn_like_any_other():
    points = walk(n=30)
    embedding = phate(sketched_pairwise(sketches(points)), t=8)
    assert embedding.coordinates.shape == (30, 2)
    assert embedding.settings.origin == "zero"


def test_the_stated_error_is_one_over_the_root_of_2k():
    assert sketches(walk(n=2)).relative_error == pytest.approx(0.01105, abs=1e-5)


ROW = np.ones(10)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sketch(np.ones((2, 5))), r"weights must be one row of values, but the array has 2 axes; flatten it"),
        (lambda: sketch(ROW, start=np.ones((2, 5))), r"start must be one row of values, but the array has 2 axes"),
        (lambda: sketch(np.arange(5)), r"weights must be float16, float32 or float64, but is int64; convert it first"),
        (lambda: sketch(ROW, start=np.ones(9)), r"start must have the 10 values of weights, but has 9; cut both alike"),
        (lambda: sketch(np.array([1.0, np.nan])), r"weights and start must be finite, but some are NaN or infinite"),
        (lambda: sketch(ROW, start=np.full(10, np.inf)), r"weights and start must be finite"),
        (lambda: sketch(ROW, k=100), r"k must be a multiple of 64 from 64 on, but is 100; 4096 gives distances within 1.1 %"),
        (lambda: sketch(ROW, k=0), r"k must be a multiple of 64 from 64 on, but is 0"),
        (lambda: sketch(ROW, k=64.0), r"k must be a multiple of 64 from 64 on, but is 64.0"),
        (lambda: sketch(ROW, seed=-1), r"seed must be a whole number from 0 on, but is -1; pass one"),
        (lambda: sketch(ROW, seed=2**64), r"seed must be a whole number"),
        (lambda: sketch(ROW, offset=-1), r"offset must be a whole number from 0 on, but is -1; pass one"),
        (lambda: sketch(ROW, offset=True), r"offset must be a whole number from 0 on, but is True"),
        (lambda: sketches(np.eye(3), k=65), r"k must be a multiple of 64"),
        (lambda: sketch(ROW) + sketch(ROW, seed=1), r"must share k and seed, but one has k=4096, seed=0 and one k=4096, seed=1"),
        (lambda: sketch(ROW) + sketch(ROW, k=64), r"must share k and seed, but one has k=4096, seed=0 and one k=64, seed=0"),
        (lambda: sketches(np.eye(3)) + sketches(np.eye(3), seed=1), r"must share k and seed"),
        (lambda: sketches(np.eye(3)) + sketches(np.eye(2)), r"shards must hold the same points, but one has 3 and one 2"),
        (lambda: Sketches.of([sketch(ROW)], start=sketch(ROW)), r"a map needs at least 2 points, but there is 1; record"),
        (lambda: Sketches.of([sketch(ROW)] * 2, start=sketch(ROW, seed=2)), r"must share k and seed"),
        (
            lambda: Sketches.of([sketch(ROW), sketch(ROW[1:])], start=sketch(ROW)),
            r"points must have the start's 10 parameters, but one has 9; add all shards of each",
        ),
        (
            lambda: sketched_pairwise(sketches(np.eye(3)), origin="centroid"),
            r"origin must be 'zero' or 'start', but is 'centroid'; other origins need the weights: use pairwise",
        ),
        (lambda: sketches(np.array([[1.0, np.nan], [0.0, 1.0]])), r"point 0 has 1 value that is NaN"),
    ],
)
def test_bad_input_is_refused_with_one_line(call, message, refuses, as_users_call):
    with refuses(message):
        call()


def test_sketches_are_frozen():
    with pytest.raises(AttributeError):
        sketch(ROW).seed = 1
    assert replace(sketch(ROW), seed=1).seed == 1
