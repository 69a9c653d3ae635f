"""Atlases of more points than they show: all are mapped, the ends of runs and others evenly are seen."""

import json

import numpy as np
import pytest

import lossatlas as la
from lossatlas._atlas import many
from lossatlas._atlas.many import evenly, shown_points
from lossatlas.distance import recorded_pairwise
from lossatlas.draw import scene_map
from lossatlas.embed import phate
from lossatlas.sketch import sketch
from lossatlas.store import RunWriter, TensorEntry


def rows(n):
    return tuple(range(n))


def test_nothing_is_left_out_where_there_is_room():
    kept = [rows(6), rows(6)]
    assert shown_points(["training"] * 2, kept, most=12) is kept


def test_ends_are_shown_and_the_rest_is_spread_evenly():
    shown = shown_points(["training"] * 2, [rows(11), rows(5)], most=10)
    assert shown == [(0, 2, 4, 6, 8, 10), (0, 1, 3, 4)]


def test_thousands_of_retrainings_make_room_for_the_optimum_and_the_training():
    runs = ["retraining"] * 50 + ["optimum", "training"]
    shown = shown_points(runs, [rows(4)] * 50 + [rows(1), rows(100)], most=13)
    assert (shown[50], shown[51]) == ((0,), (0, 99))
    seen = [points for points in shown[:50] if points]
    assert [points[:1] + points[-1:] for points in seen] == [(0, 3)] * 5  # whole, or not at all
    assert sum(map(len, shown)) == 13
    assert [place for place in range(50) if shown[place]] == [5, 15, 25, 35, 45]


def test_points_that_diverged_are_not_among_the_shown():
    shown = shown_points(["training"], [(1, 3, 5, 7, 9, 11, 13, 15, 17, 19)], most=8)
    assert set(shown[0]) <= set(range(1, 20, 2))
    assert (shown[0][0], shown[0][-1], len(shown[0])) == (1, 19, 8)


def test_a_few_of_many_lie_in_the_middle_of_equal_parts():
    assert evenly(9, 3).tolist() == [1, 4, 7]
    assert evenly(4, 0).tolist() == []


P = 300


def record(path, points, *, settings=None, at=None):
    entry = TensorEntry("weight", (P,), "F32", "parameter")
    with RunWriter(path, [entry], settings=settings, keep="sketch", start=sketch(points[0])) as writer:
        for step, row in enumerate(points):
            loss = 0.1 + float(np.linalg.norm(row - points[-1]))
            writer.append({}, step=step, metrics={"loss": loss}, sketch=sketch(row, start=points[0]))


@pytest.fixture
def runs(tmp_path):
    """A training and retrainings that jump from an optimum, 101 points in sketches."""
    rng = np.random.default_rng(0)
    optimum = 2 + rng.normal(size=P)
    folder = tmp_path / "runs"
    record(folder / "optimum", optimum[None], settings={"kind": "optimum"})
    record(folder / "training", optimum + np.linspace(1, 0, 40)[:, None] * rng.normal(size=P))
    for seed in range(6):
        direction = rng.normal(size=P)
        points = optimum + np.linspace(1, 0.4, 10)[:, None] * direction + 0.01 * rng.normal(size=(10, P))
        record(folder / f"jump{seed}", points, settings={"kind": "retraining", "seed": seed, "step": 0.5})
    return folder


def test_all_points_make_the_map_and_some_are_shown(runs):
    whole, made = la.atlas(runs, nulls=False), la.atlas(runs, max_points=30, nulls=False)
    assert (made.n_points, made.n_mapped, made.is_thinned) == (30, 101, True)
    assert (whole.n_mapped, whole.is_thinned) == (101, False)
    assert "n_mapped" not in whole.summary()
    assert made.summary()["n_mapped"] == 101
    # Each point is where it is among all; a map of the thirty alone is another.
    place = {(t.name, step): row for t in whole.traces for row, step in enumerate(whole.steps[t.start : t.stop], t.start)}
    rows_of = [place[t.name, step] for t in made.traces for step in made.steps[t.start : t.stop]]
    np.testing.assert_array_equal(made.embedding.coordinates, whole.embedding.coordinates[rows_of])
    np.testing.assert_allclose(made.distances, whole.distances[np.ix_(rows_of, rows_of)], rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(made.embedding.potential_distances, whole.embedding.potential_distances[np.ix_(rows_of, rows_of)])
    # Runs that are shown have both their ends, so their return is what it was.
    assert made.return_ratios == pytest.approx(whole.return_ratios)
    assert len(made.return_ratios) == 6


def test_runs_that_are_not_shown_are_not_named_and_the_page_says_how_many_points_are_not(runs, tmp_path):
    made = la.atlas(runs, max_points=9, nulls=False)
    assert [trace.name for trace in made.traces] == ["jump1", "jump3", "jump5", "optimum", "training"]
    facts = {fact.label: fact.value for fact in scene_map("all", made).facts}
    assert facts["points shown"] == "9 of 101"
    made.write_html(tmp_path / "a.html")
    assert (tmp_path / "a.html").stat().st_size > 10_000
    assert "points shown" not in {fact.label for fact in scene_map("all", la.atlas(runs, nulls=False)).facts}


def test_more_points_than_all_distances_are_cheap_for_go_through_landmarks(runs, monkeypatch):
    monkeypatch.setattr(many, "_LANDMARKS", 60)
    whole, made = la.atlas(runs, nulls=False), la.atlas(runs, max_points=30)
    assert made.embedding.graph.landmarks is not None
    assert len(made.embedding.potential) == 60
    assert made.embedding.settings.origin == "zero"
    assert made.embedding.potential_distances.shape == made.distances.shape == (30, 30)
    assert made.distance_error == pytest.approx(1 / np.sqrt(2 * 4096))
    caption = scene_map("all", made).layouts[0].caption
    assert "101 points by 60 landmarks, 30 of them shown" in caption
    assert made.comparison.nulls.keys() == {"random walk", "shuffled"}
    # The landmarks' map has the points of a run beside each other, as that of all distances has.
    assert made.comparison.faithfulness["phate"].neighbours_kept > 0.5
    assert whole.embedding.graph.landmarks is None
    json.dumps(made.summary(), allow_nan=False)


def test_a_map_that_is_picked_from_twice_is_that_of_the_last(runs):
    between, _ = recorded_pairwise(la.open_runs(runs))
    for embedding in (phate(between), phate(between, n_landmark=50)):
        some = np.array([3, 50, 20, 99])
        picked = embedding.picked(np.array([1, 3, 20, 50, 99])).picked(np.array([1, 3, 2, 4]))
        np.testing.assert_array_equal(picked.coordinates, embedding.coordinates[some])
        np.testing.assert_allclose(
            picked.potential_distances, embedding.potential_distances[np.ix_(some, some)], rtol=1e-6, atol=1e-6
        )
        assert picked.n_duplicates == 0
        assert picked.revised(n_components=3).coordinates.shape == (4, 3)


def test_copies_are_counted_among_the_points_that_are_there():
    points = np.random.default_rng(0).normal(size=(12, 5)).cumsum(axis=0)
    embedding = phate(points[[0, 1, 2, 2, 3, 4, 5, 6, 6, 6, 7, 8, 9, 10, 11]], metric="euclidean")
    assert embedding.n_duplicates == 3
    assert embedding.picked(np.array([1, 2, 3, 7, 9])).n_duplicates == 2


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"max_points": 7}, r"max_points must be 8 or more, but is 7"),
        ({"max_points": 20, "preset": "paper"}, r"max_points needs preset='sound'"),
        ({"max_points": 20, "predictions": []}, r"max_points is for maps of weights"),
        ({"max_points": 20, "metric": "predictions", "predictions": []}, r"max_points is for maps of weights"),
    ],
)
def test_what_is_not_made_of_many_points_is_refused(runs, given, words, refuses):
    with refuses(words):
        la.atlas(runs, **given)
