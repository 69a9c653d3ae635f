"""Trajectories of known shape have the length, the straightness and the angles that they must; so say the weights themselves."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from naive_geometry import geometry_naive

from lossatlas.distance import pairwise, sketched_pairwise, sketches
from lossatlas.measure import random_walks, trajectory_geometry
from lossatlas.measure.geometry.triangles import angles, turns

PER_RUN = ("length", "displacement", "straightness", "mean_turning", "mean_velocity")
LENGTHS = ("step_lengths", "distance_from_start", "distance_from_end", "velocity")
ANGLES = ("turning", "angle_to_end", "angle_to_start")
# Squared distances from Gram matrices are off by some eps of those from the centroid: 1e-13 here, and 1e-6 degrees then is
# what is left of an angle of 0. Angles in the middle keep 1e-9.
FLAT, OPEN = 1e-4, 1e-9


def whole(points, times=None):
    return trajectory_geometry(pairwise(np.asarray(points, np.float64)), [(0, len(points))], steps=times)


def placed(shape, p=50, seed=0):
    """A plane shape somewhere in p dimensions."""
    rng = np.random.default_rng(seed)
    axes = np.linalg.qr(rng.normal(size=(p, shape.shape[1])))[0]
    return shape @ axes.T + rng.normal(size=p)


def walk(n=12, p=30, seed=0):
    return np.random.default_rng(seed).normal(size=(n, p)).cumsum(axis=0)


def assert_same(found, expected):
    for name in (*PER_RUN, *LENGTHS):
        np.testing.assert_allclose(getattr(found, name), expected[name], rtol=1e-9, err_msg=name)
    for name in ANGLES:
        np.testing.assert_allclose(getattr(found, name), expected[name], atol=FLAT, err_msg=name)


def test_a_straight_line_is_straight():
    found = whole(placed(np.array([[0.0], [1.0], [3.0], [3.5], [7.0]])))
    np.testing.assert_allclose([found.length[0], found.displacement[0], found.straightness[0]], [7, 7, 1], rtol=1e-12)
    assert found.straightness[0] <= 1
    np.testing.assert_allclose(found.turning, [np.nan, 0, 0, 0, np.nan], atol=FLAT)
    np.testing.assert_allclose(found.angle_to_end, [np.nan, 0, 0, 0, 0], atol=FLAT)
    np.testing.assert_allclose(found.angle_to_start, [0, 0, 0, 0, np.nan], atol=FLAT)
    np.testing.assert_allclose(found.distance_from_start, [0, 1, 3, 3.5, 7], rtol=1e-12)
    np.testing.assert_allclose(found.distance_from_end, [7, 6, 4, 3.5, 0], rtol=1e-12)


def test_an_arc_turns_by_as_much_as_its_chords():
    """Of an arc of m chords each turns by the whole angle over m, and the angle to the end falls by half of that."""
    degrees, m = 120.0, 8
    around = np.radians(np.linspace(0, degrees, m + 1))
    found = whole(placed(2.0 * np.column_stack([np.cos(around), np.sin(around)])))
    np.testing.assert_allclose(found.turning[1:-1], degrees / m, atol=OPEN)
    chord = 4 * np.sin(np.radians(degrees / m / 2))
    np.testing.assert_allclose(found.length, m * chord, rtol=1e-12)
    np.testing.assert_allclose(found.displacement, 4 * np.sin(np.radians(degrees / 2)), rtol=1e-12)
    # Inscribed angles are half of those at the centre.
    np.testing.assert_allclose(found.angle_to_end[1:-1], degrees / 2 * (1 - np.arange(1, m) / m), atol=OPEN)
    np.testing.assert_allclose(found.angle_to_start[1:-1], degrees / 2 * np.arange(1, m) / m, atol=OPEN)


def test_a_square_spiral_turns_at_right_angles_and_ends_near_its_start():
    steps = np.array([[1, 0], [0, 1], [-2, 0], [0, -2], [3, 0], [0, 3]], dtype=float)
    found = whole(placed(np.vstack([[0, 0], steps.cumsum(axis=0)])))
    np.testing.assert_allclose(found.turning[1:-1], 90, atol=OPEN)
    np.testing.assert_allclose(found.length, 12, rtol=1e-12)
    np.testing.assert_allclose(found.displacement, np.sqrt(8), rtol=1e-12)
    np.testing.assert_allclose(found.mean_turning, 90, atol=OPEN)


def test_a_way_back_turns_by_180_and_a_loop_is_not_straight_at_all():
    found = whole(placed(np.array([[0.0], [2.0], [0.0]])))
    np.testing.assert_allclose(found.turning[1], 180, atol=FLAT)
    assert found.straightness[0] == 0
    assert np.isnan(found.angle_to_end).all()  # the end is the start, where no direction leads


def test_a_random_walk_in_many_dimensions_is_as_its_null():
    m, p = 64, 40_000
    found = whole(np.random.default_rng(0).normal(size=(m + 1, p)).cumsum(axis=0))
    # Cosines of random directions spread by 1/sqrt(p), 0.29 degrees; the squared displacement by sqrt(2/p) of itself.
    np.testing.assert_allclose(found.turning[1:-1], 90, atol=1.5)
    np.testing.assert_allclose(found.straightness, 1 / np.sqrt(m), rtol=0.03)
    np.testing.assert_allclose(found.straightness, found.null.straightness, rtol=0.03)
    np.testing.assert_allclose(found.angle_to_end[1:], found.null.angle_to_end[1:], atol=2.0)


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 9))
def test_the_weights_themselves_say_the_same(seed, n):
    rng = np.random.default_rng(seed)
    points, times = walk(n, 20, seed), np.cumsum(rng.integers(0, 3, size=n)).astype(float)
    if n > 4:
        points[3] = points[2]  # stands still
    between = pairwise(np.vstack([points, rng.normal(size=(2, 20))]))
    found = trajectory_geometry(between, [(0, n)], steps=np.append(times, [5.0, 9.0]))
    expected = geometry_naive(points, times)
    absent = [np.nan, np.nan]  # rows of no run
    assert_same(found, {name: expected[name] if name in PER_RUN else [*expected[name], *absent] for name in expected})


def test_each_run_is_measured_as_if_it_were_alone():
    points, times = walk(14), np.array([0, 1, 2, 4, 8, 0, 5, 6, 7, 8, 9, 0, 0, 1], dtype=float)
    runs = [(8, 11), (0, 5), (11, 12), (5, 7)]  # in no order, one of a point, rows 7, 12 and 13 of none
    found = trajectory_geometry(pairwise(points), runs, steps=times)
    for number, (first, stop) in enumerate(runs):
        expected = geometry_naive(points[first:stop], times[first:stop])
        for name in PER_RUN:
            np.testing.assert_allclose(getattr(found, name)[number], expected[name], rtol=1e-9, err_msg=name)
        for name in (*LENGTHS, *ANGLES):
            np.testing.assert_allclose(getattr(found, name)[first:stop], expected[name], rtol=1e-9, atol=FLAT, err_msg=name)
    for name in (*LENGTHS, *ANGLES):
        assert np.isnan(getattr(found, name)[[7, 12, 13]]).all(), name
    assert found.runs == tuple(runs)


@given(seed=st.integers(0, 2**32 - 1), scale=st.floats(1e-3, 1e3))
def test_turned_moved_and_scaled_it_keeps_its_angles_and_scales_its_lengths(seed, scale):
    rng = np.random.default_rng(seed)
    points = walk(8, 12, seed)
    turned = scale * (points @ np.linalg.qr(rng.normal(size=(12, 12)))[0]) + scale * rng.normal(size=12)
    found, expected = whole(turned), whole(points)
    for name in ("straightness", "mean_turning", *ANGLES):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), atol=1e-6, err_msg=name)
    for name in ("length", "displacement", *LENGTHS):
        np.testing.assert_allclose(getattr(found, name), scale * getattr(expected, name), rtol=1e-8, err_msg=name)


@given(seed=st.integers(0, 2**32 - 1))
def test_backwards_the_path_is_as_long_and_turns_as_much(seed):
    there, back = whole(walk(seed=seed)), whole(walk(seed=seed)[::-1])
    for name in ("length", "displacement", "straightness", "mean_turning"):
        np.testing.assert_allclose(getattr(back, name), getattr(there, name), rtol=1e-9)
    np.testing.assert_allclose(back.turning[::-1], there.turning, atol=1e-6)
    np.testing.assert_allclose(back.angle_to_start[::-1], there.angle_to_end, atol=1e-6)
    np.testing.assert_allclose(back.distance_from_start[::-1], there.distance_from_end, rtol=1e-9)


@given(seed=st.integers(0, 2**32 - 1))
def test_the_null_is_the_geometry_of_the_random_walks_of_the_table(seed):
    points = walk(13, seed=seed)
    points[3] = points[2]
    between, runs, times = pairwise(points), [(0, 6), (6, 7), (8, 13)], np.arange(13.0) ** 2
    found = trajectory_geometry(between, runs, steps=times).null
    expected = trajectory_geometry(random_walks(between, runs), runs, steps=times)
    for field in dataclasses.fields(found):
        if field.name not in ("runs", "steps"):
            mine, theirs = getattr(found, field.name), getattr(expected, field.name)
            # Its table forms squares as differences of sums.
            np.testing.assert_allclose(mine, theirs, rtol=1e-7, atol=FLAT, err_msg=field.name)
    inside = ~np.isnan(found.turning)
    np.testing.assert_allclose(found.turning[inside], 90, atol=1e-9)


def test_a_run_without_points_changes_nothing():
    between, runs = pairwise(walk(9)), [(0, 5), (5, 9)]
    alone, found = trajectory_geometry(between, runs), trajectory_geometry(between, [(0, 0), *runs, (9, 9)])
    for name in (*LENGTHS, *ANGLES):
        np.testing.assert_array_equal(getattr(found, name), getattr(alone, name), err_msg=name)
    assert found.length[[0, 3]].tolist() == found.displacement[[0, 3]].tolist() == [0, 0]
    assert np.isnan(found.mean_velocity[[0, 3]]).all()


def test_the_velocity_is_a_length_a_step_whatever_the_steps_are():
    line = np.array([[0.0], [1.0], [3.0], [9.0], [9.0]])
    found = whole(line, np.array([0.0, 2.0, 3.0, 3.0, 1.0]))
    np.testing.assert_array_equal(found.velocity, [np.nan, 0.5, 2.0, np.nan, np.nan])  # no time, or time that runs back
    np.testing.assert_array_equal(found.mean_velocity, [9.0])
    np.testing.assert_array_equal(whole(line).velocity, [np.nan, 1.0, 2.0, 6.0, 0.0])
    assert np.isnan(whole(line, np.ones(5)).mean_velocity[0])


def test_what_stands_still_has_a_length_and_no_straightness():
    between = pairwise(np.vstack([np.ones((3, 4)), np.zeros((2, 4))]))
    found = trajectory_geometry(between, [(0, 3), (3, 4), (5, 5)])
    np.testing.assert_array_equal(found.length, 0)
    np.testing.assert_array_equal(found.displacement, 0)
    for values in (found.straightness, found.mean_turning, found.null.straightness, found.turning, found.angle_to_end):
        assert np.isnan(values).all()


def test_small_angles_keep_more_digits_than_the_cosine_rule_leaves():
    angle = 1e-6  # degrees; 1 - cos is 1.5e-16, below what 1 leaves
    c = 2 * np.sin(np.radians(angle / 2))
    one = np.ones(1)
    np.testing.assert_allclose(angles(one, one, np.array([c])), angle, rtol=1e-12)
    np.testing.assert_allclose(turns(one, one, np.array([2 * np.cos(np.radians(0.5))])), 1.0, rtol=1e-9)


def test_sides_that_miss_the_triangle_by_rounding_make_a_flat_one():
    one, other = np.array([1.0, 1.0]), np.array([2.0, 2.0])
    opposite = np.array([3.0 + 1e-9, 1.0 - 1e-9])
    np.testing.assert_array_equal(angles(one, other, opposite), [180, 0])
    np.testing.assert_array_equal(turns(one, other, opposite), [0, 180])


@given(
    sides=st.tuples(st.floats(1e-3, 1e3), st.floats(1e-3, 1e3), st.floats(0.01, 179.99)),
    power=st.sampled_from([1.0, 1e150, 1e-150]),
)
def test_the_angle_between_two_sides_comes_back_whatever_their_scale(sides, power):
    a, b, degrees = sides
    # The half-angle form of the third side, which does not cancel.
    c = np.hypot(a - b, 2 * np.sqrt(a * b) * np.sin(np.radians(degrees / 2)))
    a, b, c = (np.array([power * side]) for side in (a, b, c))
    # Of a needle the sides themselves know the angle no better: eps of the long side is much of what the short one turns.
    lost = 1e-13 * max(a[0] / b[0], b[0] / a[0]) / np.radians(min(degrees, 180 - degrees))
    np.testing.assert_allclose(angles(a, b, c), degrees, rtol=0, atol=max(1e-9, np.degrees(lost)))
    np.testing.assert_allclose(turns(a, b, c), 180 - degrees, rtol=0, atol=max(1e-9, np.degrees(lost)))


@pytest.mark.parametrize(("dtype", "most"), [(np.float64, 0.02), (np.float32, 0.5)])
def test_a_straight_line_turns_by_no_more_than_rounding_leaves(dtype, most):
    """As the docstring says, also where float32 products are used, far from the origin."""
    rng = np.random.default_rng(0)
    ahead = rng.normal(size=20_000)
    line = (rng.normal(size=20_000) + np.linspace(0, 1, 40)[:, None] * ahead).astype(dtype)
    found = trajectory_geometry(pairwise(line), [(0, 40)])
    assert np.nanmax(found.turning) < most


def test_from_sketches_small_angles_are_lost_and_large_ones_are_not():
    points = walk(30, 20_000)
    found = trajectory_geometry(sketched_pairwise(sketches(points)), [(0, 30)])
    exact = trajectory_geometry(pairwise(points), [(0, 30)])
    np.testing.assert_allclose(found.straightness, exact.straightness, rtol=0.03)
    np.testing.assert_allclose(found.turning[1:-1], exact.turning[1:-1], atol=5.0)
    line = np.linspace(0, 1, 9)[:, None] * np.random.default_rng(1).normal(size=20_000) + points[0]
    assert np.nanmax(trajectory_geometry(sketched_pairwise(sketches(line)), [(0, 9)]).turning) < 25


def test_the_summary_has_the_numbers_of_one_run():
    found = trajectory_geometry(pairwise(walk(12)), [(0, 4), (4, 12)], steps=np.arange(12.0) * 2)
    numbers = found.summary(1)
    assert numbers == {
        "length": found.length[1],
        "displacement": found.displacement[1],
        "straightness": found.straightness[1],
        "null_straightness": found.null.straightness[1],
        "mean_turning_degrees": found.mean_turning[1],
        "null_turning_degrees": found.null.mean_turning[1],
        "mean_velocity": found.length[1] / 14,
    }
    assert all(type(value) is float for value in numbers.values())
    still = trajectory_geometry(pairwise(np.ones((2, 3))), [(0, 2)]).summary(0)
    assert (still["length"], still["straightness"], still["null_turning_degrees"]) == (0.0, None, None)


@pytest.mark.parametrize(
    ("runs", "steps", "message"),
    [
        ([(0, 13)], None, r"a run spans rows 0 to 13, but there are 12 points"),
        ([(0, 4), (3, 5)], None, r"row 3 is in two runs; pass runs that do not overlap"),
        ([(0, 4)], np.arange(4.0), r"steps must be one a point, but there are 4 of 12 points"),
    ],
)
def test_runs_and_steps_that_do_not_fit_are_refused(refuses, runs, steps, message):
    with refuses(message):
        trajectory_geometry(pairwise(walk(12)), runs, steps=steps)
