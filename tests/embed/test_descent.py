"""Limited-memory BFGS on functions whose lowest place is known."""

import numpy as np
import pytest

from lossatlas.embed.descent import descended


class Counted:
    """A function that counts its calls and keeps its values."""

    def __init__(self, function):
        self.function, self.values = function, []

    def __call__(self, place):
        value, slope = self.function(place)
        self.values.append(value)
        return value, slope


def bowl(scales):
    """A quadratic about 1, curved by 1 at most, that is 0.001 at its lowest."""
    return Counted(lambda x: (0.001 + (scales * (x - 1) ** 2).sum() / 2, scales * (x - 1)))


def valley(x):
    """Rosenbrock's bent valley, lowest at (1, 1), flattened until a step of its slope leads down."""
    a, b = x[0]
    value = (1 - a) ** 2 + 100 * (b - a * a) ** 2
    slope = np.array([[-2 * (1 - a) - 400 * a * (b - a * a), 200 * (b - a * a)]])
    return value / 3000, slope / 3000


def wave(x):
    """Curved upwards and downwards by at most 1, lowest at 0 and every turn from it."""
    return float((1 - np.cos(x)).sum()), np.sin(x)


def test_it_finds_the_bottom_of_a_long_bowl_in_few_calls():
    function = bowl(np.geomspace(1e-3, 1, 12).reshape(2, 6))
    found, calls = descended(function, np.zeros((2, 6)), tolerance=1e-9, limit=1000)
    np.testing.assert_allclose(found, 1, atol=1e-4)  # 1e-12 of value over curvatures of 0.001
    # Steps of the slope alone need 10,000 where the curvatures differ by 1,000.
    assert calls == len(function.values) < 130


def test_it_follows_a_bent_valley():
    function = Counted(valley)
    found, calls = descended(function, np.array([[-1.2, 1.0]]), tolerance=1e-14, limit=1000)
    np.testing.assert_allclose(found, 1, atol=1e-6)
    assert calls == len(function.values) < 120  # some are steps halved


@pytest.mark.parametrize("seed", range(20))
def test_it_goes_down_where_the_function_curves_downwards(seed):
    start = np.random.default_rng(seed).uniform(-3, 3, size=(2, 10))
    function = Counted(wave)
    found, calls = descended(function, start, tolerance=1e-14, limit=1000)
    np.testing.assert_allclose(wave(found)[0], 0, atol=1e-10)
    assert calls == len(function.values)


def test_where_no_remembered_step_gains_it_takes_one_of_the_slope():
    # The second value is a lie for as long as steps are remembered ones, so that every one of them is refused.
    function = bowl(np.array([[1.0, 0.1]]))
    seen = []

    def lying(place):
        value, slope = function(place)
        seen.append((place, slope))
        return (value + 1 if 3 <= len(seen) <= 6 else value), slope

    descended(lying, np.zeros((1, 2)), tolerance=1e-15, limit=7)
    # Calls 3 to 6 are halvings from where call 2 stood; call 7 is a step of its slope.
    np.testing.assert_allclose(seen[6][0], seen[1][0] - seen[1][1], atol=1e-15)
    steps = [np.linalg.norm(place - seen[1][0]) for place, _ in seen[2:6]]
    np.testing.assert_allclose(np.divide(steps[:-1], steps[1:]), 2)


@pytest.mark.parametrize("limit", range(1, 12))
def test_it_calls_no_more_often_than_it_may(limit):
    function = Counted(valley)
    found, calls = descended(function, np.array([[-1.2, 1.0]]), tolerance=-np.inf, limit=limit)
    assert calls == len(function.values) == limit
    assert valley(found)[0] == min(function.values)


def test_the_lowest_of_all_values_ends_it_at_once():
    function = bowl(np.ones((1, 3)))
    found, calls = descended(function, np.ones((1, 3)), tolerance=-np.inf, limit=100)
    assert calls <= 6  # steps of nothing, which lower nothing
    np.testing.assert_array_equal(found, 1)
    assert descended(lambda x: (0.0, x), np.ones((1, 3)), tolerance=0.0, limit=100)[1] == 1
