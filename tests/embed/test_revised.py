"""Maps made from maps: from a start, and from the stage where two maps part."""

import importlib

import numpy as np
import pytest
from naive_phate import aligned, euclidean_naive
from scipy.optimize import isotonic_regression
from threadpoolctl import threadpool_limits

from lossatlas import Embedding, phate
from lossatlas.embed import PhateEmbedding, classical_scaling, drawing, metric_scaling, passes, proximity, stages

# The package's attribute of that name is the function.
module = importlib.import_module("lossatlas.embed.phate")


def walk(n=40, p=30, *, seed=0, offset=3.0):
    """Points along a random walk, away from the origin."""
    return np.random.default_rng(seed).normal(size=(n, p)).cumsum(axis=0) + offset


def size(coordinates):
    """Half the extent of a map."""
    return np.abs(coordinates - coordinates.mean(axis=0)).max()


def same_map(found, expected, tolerance):
    """Whether two maps are equal but for a turn, a mirror and a shift, relative to their size."""
    np.testing.assert_allclose(aligned(found, expected), expected, atol=tolerance * size(expected), rtol=0)


def moved(coordinates):
    """A map turned, mirrored and shifted, as nobody would draw it anew."""
    return coordinates @ np.array([[np.cos(2), np.sin(2)], [np.sin(2), -np.cos(2)]]) + [200.0, -50.0]


# --- start


def test_points_added_at_the_end_keep_the_layout_of_the_others():
    points = walk(60)
    first = phate(points[:50], t=10)
    laid = Embedding(method="phate", coordinates=moved(first.coordinates), stress=0.0, settings=None)
    for start in (laid, laid.coordinates):
        grown = phate(points, t=10, start=start)
        # Ten new points change the potential somewhat; a turn or a mirror would move points by the size of the map.
        assert np.abs(grown.coordinates[:50] - laid.coordinates).max() < 0.3 * size(laid.coordinates)
        same_map(grown.coordinates, phate(points, t=10).coordinates, 1e-3)
    assert np.abs(phate(points, t=10).coordinates[:50] - laid.coordinates).max() > size(laid.coordinates)


def test_points_added_in_the_middle_are_nan_in_the_start():
    points = walk(60)
    new = np.array([7, 30, 31, 59])
    old = np.setdiff1d(np.arange(60), new)
    start = np.full((60, 2), np.nan)
    start[old] = moved(phate(points[old], t=10).coordinates)
    grown = phate(points, t=10, start=start)
    assert np.isfinite(grown.coordinates).all()
    assert np.abs(grown.coordinates[old] - start[old]).max() < 0.3 * size(start[old])
    # The new stand between those before and after them.
    gap = np.linalg.norm(grown.coordinates[7] - grown.coordinates[[6, 8]].mean(axis=0))
    assert gap < 0.2 * size(start[old])


@pytest.mark.parametrize(
    "choices",
    [{}, {"scaling": "classical"}, {"scaling": "nonmetric"}, {"preset": "paper"}, {"n_landmark": 25}, {"t": 3, "gamma": 0.0}],
    ids=str,
)
def test_the_result_lies_on_the_start_as_well_as_it_can(choices):
    points = np.concatenate([walk(40), walk(40)[[3, 9]]])  # two copies
    start = moved(phate(walk(40), **choices).coordinates)
    start[5] = np.nan
    known = np.delete(np.arange(40), 5)
    grown = phate(points, start=start, **choices).coordinates
    np.testing.assert_allclose(aligned(grown[known], start[known]), grown[known], atol=1e-9 * size(grown), rtol=0)


def test_a_map_is_its_own_best_start():
    points = walk()
    first = phate(points)
    again = phate(points, start=first)
    # Each descent stops at 1e-10 of the stress: at the root of that from the minimum.
    np.testing.assert_allclose(again.coordinates, first.coordinates, atol=1e-4 * size(first.coordinates), rtol=0)
    from_afar = metric_scaling(first.potential_distances, classical_scaling(first.potential_distances))[1]
    assert again.iterations < from_afar / 2
    assert again.stress <= first.stress + 1e-9


def test_the_descent_begins_at_the_start(monkeypatch):
    begun = []
    real = drawing.metric_scaling
    monkeypatch.setattr(drawing, "metric_scaling", lambda distances, begin: (begun.append(begin), real(distances, begin))[1])
    start = np.random.default_rng(1).normal(size=(40, 2))
    start[[4, 20]] = np.nan
    found = phate(walk(), start=start)
    known = np.delete(np.arange(40), [4, 20])
    np.testing.assert_array_equal(begun[0][known], start[known])
    laid = phate(walk(), scaling="classical").align_to(start, rows=(known, known)).coordinates
    np.testing.assert_allclose(begun[0], np.where(np.isnan(start), laid, start), atol=1e-9 * size(laid), rtol=0)
    assert found.iterations > 1


def test_classical_scaling_is_not_moved_by_a_start_but_turned():
    start = np.random.default_rng(1).normal(size=(40, 2))
    plain = phate(walk(), scaling="classical")
    found = phate(walk(), scaling="classical", start=start)
    np.testing.assert_allclose(found.coordinates, plain.align_to(start).coordinates, atol=1e-9 * size(plain.coordinates))
    assert found.stress == pytest.approx(plain.stress, rel=1e-12)


@pytest.mark.parametrize(
    ("start", "message"),
    [
        (np.zeros((41, 2)), r"start must be coordinates of at most 40 points on 2 axes, but their shape is \(41, 2\)"),
        (np.zeros((40, 3)), r"at most 40 points on 2 axes, but their shape is \(40, 3\)"),
        (np.zeros(40), r"at most 40 points on 2 axes, but their shape is \(40,\)"),
        (np.zeros((1, 2)), "start must hold the coordinates of 2 points or more, but the rest is NaN; pass None to begin anew"),
        (np.full((40, 2), np.nan), "start must hold the coordinates of 2 points or more"),
    ],
)
def test_what_is_no_start_is_refused(as_users_call, refuses, start, message):
    with refuses(message):
        phate(walk(), start=start)


# --- revised

FROM = {
    "chosen t": {},
    "short walk": {"t": 2, "gamma": -1.0},
    "root": {"t": 9, "gamma": 0.0},
    "paper": {"preset": "paper"},
    "landmarks": {"n_landmark": 20},
    "classical": {"scaling": "classical", "n_components": 3},
}
TO = [
    {"t": 4},
    {"gamma": 0.0},
    {"gamma": -1.0},
    {"gamma": 0.9},
    {"n_components": 1},
    {"n_components": 3},
    {"scaling": "classical"},
    {"scaling": "nonmetric"},
    {"t": 15, "gamma": 1.0, "n_components": 3, "scaling": "metric"},
]


@pytest.mark.parametrize("before", FROM.values(), ids=FROM)
def test_a_revised_map_equals_one_made_anew(before):
    points = np.concatenate([walk(30), walk(30)[[3, 9]]])
    first = phate(points, **before)
    for change in TO:
        if change.get("scaling") == "nonmetric" and before:  # slow, and the same stage for all
            continue
        found = first.revised(**change)
        fresh = phate(points, **{**before, "t": first.t, **change})
        assert type(found) is PhateEmbedding
        assert (found.t, found.stress) == (fresh.t, pytest.approx(fresh.stress, rel=1e-8, abs=1e-10))
        if "t" in before or "t" in change:
            assert found.settings == fresh.settings
        np.testing.assert_allclose(found.potential, fresh.potential, atol=1e-9 * fresh.potential.max(), rtol=0)
        np.testing.assert_allclose(found.potential_distances, fresh.potential_distances, atol=1e-8 * fresh.potential.max())
        # Where the potential was taken back from another gamma, a descent that is stopped by a threshold ends a little beside.
        gentle = change.get("gamma", first.settings.gamma) == first.settings.gamma or "t" in change
        same_map(found.coordinates, fresh.coordinates, 1e-8 if gentle else 1e-5)


def test_probabilities_below_the_floor_of_the_logarithm_are_not_lost():
    points = walk(150, 5, seed=2)
    first = phate(points, knn=3, t=30, metric="euclidean")
    for gamma in (0.99, 0.9, 0.5, 0.0):
        fresh = phate(points, knn=3, t=30, metric="euclidean", gamma=gamma)
        found = first.revised(gamma=gamma).potential
        np.testing.assert_allclose(found, fresh.potential, atol=1e-9 * fresh.potential.max(), rtol=0)


def refused(name):
    """A stage that must not run."""

    def stage(*_, **__):
        raise AssertionError(f"{name} was computed again")

    return stage


def test_no_stage_before_the_parting_is_computed_again(monkeypatch):
    points = walk(30)
    first, landed = phate(points), phate(points, n_landmark=20)
    for where, names in {
        module: ["given", "graph", "walk_length"],
        stages: [
            "spectrum",
            "decomposed",
            "spectral_entropy",
            "diffusion_time",
            "landmarks",
            "components",
            "kernel",
        ],
        proximity: ["bridged", "neighbourhood", "neighbours_within", "cross_distances"],
        np.linalg: ["eigvalsh"],
    }.items():
        for name in names:
            monkeypatch.setattr(where, name, refused(name))
    with pytest.raises(AssertionError, match="given was computed again"):
        phate(points)
    for made in (first, landed):
        for change in ({"t": 4}, {"gamma": 0.0, "n_components": 3}, {"scaling": "nonmetric"}):
            made.revised(**change)
    monkeypatch.setattr(stages, "transitions", refused("the power"))
    for change in ({"gamma": 0.0}, {"n_components": 3}, {"scaling": "classical"}, {"t": first.t}):
        first.revised(**change)
    with pytest.raises(AssertionError, match="the power was computed again"):
        first.revised(t=first.t + 1)


def test_a_map_revised_in_nothing_shares_every_stage():
    first = phate(walk())
    same = first.revised()
    np.testing.assert_array_equal(same.coordinates, first.coordinates)
    for name in ("graph", "diffusion_time", "potential"):
        assert getattr(same, name) is getattr(first, name)
    assert same.settings == first.settings


def test_the_map_itself_does_not_change_and_its_distances_are_not_handed_on():
    first = phate(walk())
    kept, between = first.coordinates.copy(), first.potential_distances.copy()
    other = first.revised(gamma=0.0, t=3)
    np.testing.assert_array_equal(first.coordinates, kept)
    np.testing.assert_array_equal(first.potential_distances, between)
    assert np.abs(other.potential_distances - between).max() > 0.1
    assert (first.settings.gamma, first.settings.t, first.t == 3) == (1.0, "auto", False)
    assert (other.settings.gamma, other.settings.t, other.t) == (0.0, 3, 3)


def test_the_chosen_length_of_the_walk_can_be_had_back():
    chosen = phate(walk())
    back = phate(walk(), t=3).revised(t="auto")
    assert back.t == chosen.t != 3
    same_map(back.coordinates, chosen.coordinates, 1e-8)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"t": 0}, "t must be 'auto' or a whole number from 1 on, but is 0"),
        ({"gamma": 1.5}, "gamma must be from -1 to 1, but is 1.5"),
        ({"n_components": 0}, "n_components must be 1 or more, but is 0"),
        ({"scaling": "smacof"}, "scaling must be one of classical, metric, nonmetric, but is 'smacof'"),
        ({"n_components": 25}, "n_landmark must be more than the 25 axes, but is 25"),
    ],
)
def test_what_a_map_cannot_be_revised_to_is_refused(as_users_call, refuses, change, message):
    first = phate(walk(), n_landmark=25)
    with refuses(message):
        first.revised(**change)


# --- scaling


def rising_stress(distances, coordinates):
    """Stress-1 against the best rising function of the distances, equal ones drawn unlike."""
    upper = np.triu_indices(len(distances), k=1)
    drawn = euclidean_naive(coordinates)[upper]
    order = np.lexsort((drawn, distances[upper]))
    rising = isotonic_regression(drawn[order]).x
    return np.sqrt(((drawn[order] - rising) ** 2).sum() / (drawn**2).sum())


def test_each_scaling_is_best_at_what_it_is_for():
    cloud = np.random.default_rng(0).normal(size=(30, 5))  # which no plane holds
    made = {scaling: phate(cloud, scaling=scaling, t=3) for scaling in ("classical", "metric", "nonmetric")}
    distances = made["metric"].potential_distances
    same_map(made["classical"].coordinates, classical_scaling(distances), 1e-9)
    assert made["classical"].iterations == 0
    assert made["metric"].stress < made["classical"].stress - 1e-3
    assert made["metric"].stress < made["nonmetric"].stress
    rising = {scaling: rising_stress(distances, found.coordinates) for scaling, found in made.items()}
    assert rising["nonmetric"] < 0.9 * min(rising["metric"], rising["classical"])
    assert made["nonmetric"].iterations > made["metric"].iterations
    assert [found.settings.scaling for found in made.values()] == list(made)


# --- threads


def test_the_number_of_threads_does_not_matter_to_a_map_of_many_points(monkeypatch):
    """500 points are dealt to threads; 150 of ``test_phate`` are not."""
    points, maps, used = walk(500, 40), [], []
    pool = passes.ThreadPoolExecutor
    monkeypatch.setattr(passes, "ThreadPoolExecutor", lambda count: (used.append(count), pool(count))[1])
    for count in (1, 2):
        monkeypatch.setattr(passes.joblib, "cpu_count", lambda count=count: count)
        with threadpool_limits(limits=count):
            maps.append(phate(points, metric="euclidean"))
    assert set(used) == {1}  # beside the thread that asks
    assert maps[0].t == maps[1].t
    assert maps[0].iterations == maps[1].iterations
    same_map(maps[1].coordinates, maps[0].coordinates, 1e-8)
