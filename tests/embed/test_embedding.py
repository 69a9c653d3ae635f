"""One map laid upon another: turned, mirrored and shifted, and nothing else."""

import numpy as np
import pytest

from lossatlas import Embedding, phate


def embedding(coordinates):
    """A map of which only the coordinates matter."""
    return Embedding(method="drawn", coordinates=coordinates, stress=0.25, settings=None)


def points(n=12, d=2, *, seed=0):
    """Places of no symmetry."""
    return np.random.default_rng(seed).normal(size=(n, d)) * np.arange(1, d + 1)


def turn(d, *, mirrored, seed=1):
    """A rotation, or a rotation and a mirror, of any number of axes."""
    Q, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(d, d)))
    if (np.linalg.det(Q) < 0) != mirrored:
        Q[:, 0] *= -1
    return Q


def lengths(coordinates):
    """All distances."""
    return np.sqrt(((coordinates[:, np.newaxis] - coordinates[np.newaxis]) ** 2).sum(axis=2))


def misfit(coordinates, other):
    """The sum that is least."""
    return ((coordinates - other) ** 2).sum()


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("d", [1, 2, 3])
def test_a_map_that_was_turned_and_shifted_comes_back(d, mirrored):
    there = points(d=d)
    moved = there @ turn(d, mirrored=mirrored) + 7.0
    for other in (there, embedding(there)):
        found = embedding(moved).align_to(other).coordinates
        np.testing.assert_allclose(found, there, rtol=0, atol=1e-12)


def test_lengths_stay_as_they_are_whatever_the_other_map():
    here = points()
    found = embedding(here).align_to(5 * points(seed=4) + 3)
    np.testing.assert_allclose(lengths(found.coordinates), lengths(here), rtol=1e-12)


def test_no_other_turn_mirror_or_shift_lies_nearer():
    here, there = points(), points(seed=4) + 2
    least = misfit(embedding(here).align_to(there).coordinates, there)
    for angle in np.linspace(0, 2 * np.pi, 721):
        for flip in (1, -1):
            Q = np.array([[np.cos(angle), np.sin(angle)], [-flip * np.sin(angle), flip * np.cos(angle)]])
            turned = here @ Q
            for shift in ([0, 0], [0.1, 0], [0, -0.1]):
                moved = turned - turned.mean(axis=0) + there.mean(axis=0) + shift
                assert misfit(moved, there) >= least - 1e-12


def test_only_the_rows_that_are_named_decide():
    there = points(8)
    moved = there @ turn(2, mirrored=True) - 4
    moved[[1, 6]] += 100  # of no map but this one
    mine, theirs = np.array([0, 2, 3, 4, 5, 7]), np.array([4, 0, 3, 1, 5, 2])
    found = embedding(moved).align_to(there[mine][np.argsort(theirs)], rows=(mine, theirs)).coordinates
    np.testing.assert_allclose(found[mine], there[mine], rtol=0, atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(found[[1, 6]] - there[[1, 6]], axis=1), 100 * np.sqrt(2))


@pytest.mark.parametrize("shorter", ["here", "there"])
def test_by_default_the_first_points_are_the_same(shorter):
    there = points(10)
    moved = there @ turn(2, mirrored=False) + 1
    if shorter == "here":
        np.testing.assert_allclose(embedding(moved[:6]).align_to(there).coordinates, there[:6], rtol=0, atol=1e-12)
    else:
        np.testing.assert_allclose(embedding(moved).align_to(there[:6]).coordinates, there, rtol=0, atol=1e-12)


def test_axes_that_the_other_map_lacks_count_0():
    here, flat = points(d=3), points(seed=2)
    solid = np.column_stack([flat, np.zeros(len(flat))])
    found = embedding(here).align_to(flat).coordinates
    np.testing.assert_allclose(found, embedding(here).align_to(solid).coordinates, rtol=0, atol=1e-12)
    turned = solid @ turn(3, mirrored=True)
    np.testing.assert_allclose(embedding(turned).align_to(flat).coordinates, solid, rtol=0, atol=1e-12)


def test_all_but_the_coordinates_is_kept_and_the_map_itself_does_not_move():
    drawn = phate(np.random.default_rng(0).normal(size=(15, 6)).cumsum(axis=0) + 5, knn=3)
    before = drawn.coordinates.copy()
    laid = drawn.align_to(points(15))
    assert type(laid) is type(drawn)
    np.testing.assert_array_equal(drawn.coordinates, before)
    for name in ("stress", "potential", "graph", "settings", "t", "entropy", "diagnostics"):
        assert getattr(laid, name) is getattr(drawn, name)
    assert laid.n_points == 15


@pytest.mark.parametrize(
    ("other", "rows", "message"),
    [
        (points(d=3), None, r"a map of 2 axes cannot lie upon coordinates of shape \(12, 3\); pass \(n, d\) of at most 2 axes"),
        (np.zeros(12), None, r"a map of 2 axes cannot lie upon coordinates of shape \(12,\)"),
        (points(), (np.arange(3), np.arange(4)), "rows must pair points of both maps, but there are 3 and 4; pass one for each"),
        (points(), (np.arange(0), np.arange(0)), "rows must pair points of both maps, but there are 0 and 0"),
        (np.zeros((0, 2)), None, "rows must pair points of both maps, but there are 0 and 0"),
        (
            np.where(points() > 0, points(), np.nan),
            None,
            "a map cannot lie upon coordinates that are NaN or infinite; name .* rows",
        ),
    ],
)
def test_what_a_map_cannot_lie_upon_is_refused(as_users_call, refuses, other, rows, message):
    with refuses(message):
        embedding(points()).align_to(other, rows=rows)


def test_rows_that_are_not_named_may_be_nan():
    there = points()
    moved = there @ turn(2, mirrored=True) + 1
    there[3] = np.nan
    named = np.delete(np.arange(12), 3)
    found = embedding(moved).align_to(there, rows=(named, named)).coordinates
    np.testing.assert_allclose(found[named], there[named], rtol=0, atol=1e-12)
    assert np.isfinite(found).all()
