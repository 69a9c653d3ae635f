"""Runs become an atlas: its rows, its numbers, what is refused, and the files it is saved to."""

import json
import math
import subprocess
import sys

import numpy as np
import pytest
import torch

import lossatlas as la
from lossatlas.draw import write_figure


class Net(torch.nn.Module):
    """Twelve parameters and a buffer."""

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(3, 4, bias=False)
        self.register_buffer("seen", torch.zeros(1))


def record(path, weights, *, metrics=None, initial=None, settings=None, every="epoch"):
    """A run whose points are the rows of ``weights``; row 0 is the start."""
    net = Net()

    def put(row):
        with torch.no_grad():
            net.layer.weight.copy_(torch.as_tensor(row).reshape(4, 3))
            net.seen += 1

    put(weights[0])
    with la.Recorder(path, net, initial=initial, settings=settings, every=every) as recorder:
        for number, row in enumerate(weights[1:]):
            put(row)
            recorder.step(**(metrics[number] if metrics else {}))
    return la.open_run(path)


def walk(n, *, seed=0):
    """float32 rows, as the weights are stored."""
    return (np.random.default_rng(seed).normal(size=(n, 12)).cumsum(axis=0) + 4).astype(np.float32)


def losses(n, *, name="loss", seed=0):
    return [{name: float(value)} for value in np.random.default_rng(seed).uniform(0.1, 3, size=n)]


OPTIMUM = np.linspace(1, 2, 12, dtype=np.float32)


def arm(jump, *, seed, n=6, left=0.5):
    """A jump of this size from the optimum, and a straight return to a share ``left`` of it, with a sideways move."""
    direction, sideways = np.linalg.qr(np.random.default_rng(seed).normal(size=(12, 2)))[0].T
    along = np.linspace(1, left, n)[:, np.newaxis]
    across = 0.2 * np.sin(np.pi * np.linspace(0, 1, n))[:, np.newaxis]
    return (OPTIMUM + 5 * jump * (along * direction + across * sideways)).astype(np.float32)


@pytest.fixture
def runs(tmp_path):
    """Two trainings; the second has an accuracy too."""
    record(tmp_path / "runs" / "one", walk(10, seed=1), metrics=losses(9, seed=1))
    both = [{**numbers, "accuracy": number / 10} for number, numbers in enumerate(losses(11, seed=2))]
    record(tmp_path / "runs" / "two", walk(12, seed=2), metrics=both, initial={"loss": 5.0, "accuracy": 0.0})
    return tmp_path / "runs"


@pytest.fixture
def jumps(tmp_path):
    """An optimum and four retrainings, as they lie in one folder."""
    folder = tmp_path / "jumps"
    record(folder / "optimum", OPTIMUM[np.newaxis], initial={"test_loss": 0.1}, settings={"kind": "optimum"})
    for seed in (0, 1):
        for jump, left in ((0.5, 0.25), (1.0, 0.75)):
            made_by = {"kind": "retraining", "seed": seed, "step": jump}
            path = folder / f"seed{seed}" / f"step{jump}"
            record(path, arm(jump, seed=seed, left=left), metrics=losses(5, name="test_loss", seed=seed), settings=made_by)
    return folder


def test_rows_are_the_points_of_the_runs_in_the_order_of_their_names(runs):
    made = la.atlas(runs)
    assert made.n_points == 22
    assert [(trace.name, trace.kind, trace.start, trace.stop) for trace in made.traces] == [
        ("one", "training", 0, 10),
        ("two", "training", 10, 22),
    ]
    np.testing.assert_array_equal(made.steps, [*range(10), *range(12)])
    assert made.embedding.coordinates.shape == (22, 2)


def test_the_map_is_that_of_the_weights_themselves(runs):
    together = np.concatenate([walk(10, seed=1), walk(12, seed=2)])
    # The same float32 numbers, summed in the same blocks: the same bits.
    np.testing.assert_array_equal(la.atlas(runs).embedding.coordinates, la.phate(together.astype(float)).coordinates)


def test_each_setting_reaches_the_embedding(runs):
    together = np.concatenate([walk(10, seed=1), walk(12, seed=2)]).astype(float)
    chosen = {
        "metric": "euclidean",
        "knn": 4,
        "decay": 10.0,
        "t": 6,
        "gamma": 0.0,
        "n_components": 3,
        "preset": "paper",
        "seed": 3,
    }
    made, plain = la.atlas(runs, **chosen), la.phate(together, **chosen)
    np.testing.assert_array_equal(made.embedding.coordinates, plain.coordinates)
    for name, value in chosen.items():
        assert getattr(made.embedding.settings, name) == value
    # Of the cosine, the origin; of the paper in the plane, the seed.
    for origin in ("centroid", "start", np.ones(12)):
        np.testing.assert_array_equal(
            la.atlas(runs, origin=origin).embedding.potential, la.phate(together, origin=origin).potential
        )
    seeded = [la.atlas(runs, preset="paper", seed=seed).embedding.coordinates for seed in (0, 1)]
    assert not np.array_equal(*seeded)


def test_runs_can_be_a_folder_a_pattern_a_list_or_opened(runs):
    expected = la.atlas(runs).embedding.coordinates
    for given in (
        str(runs),
        f"{runs}/*",
        [runs / "one", runs / "two"],
        la.open_runs(runs),
        (la.open_run(runs / n) for n in ("one", "two")),
    ):
        np.testing.assert_array_equal(la.atlas(given).embedding.coordinates, expected)
    assert la.atlas(runs / "two").n_points == 12
    assert la.atlas(la.open_run(runs / "two")).n_points == 12


def test_each_row_has_the_number_that_was_recorded_with_it(runs):
    made = la.atlas(runs)
    recorded = [math.nan, *(one["loss"] for one in losses(9, seed=1)), 5.0, *(one["loss"] for one in losses(11, seed=2))]
    np.testing.assert_array_equal(made.metrics["loss"], recorded)


def test_a_run_without_a_metric_has_nan_for_it(runs):
    accuracy = la.atlas(runs).metrics["accuracy"]
    assert np.isnan(accuracy[:10]).all()
    np.testing.assert_array_equal(accuracy[10:], [0.0, *(number / 10 for number in range(11))])


def test_points_recorded_seldom_keep_their_steps_and_their_own_numbers(tmp_path):
    metrics = [{"loss": float(step)} for step in range(1, 18)]
    record(tmp_path / "run", walk(18), metrics=metrics, every=3)
    made = la.atlas(tmp_path / "run")
    np.testing.assert_array_equal(made.steps, [0, 3, 6, 9, 12, 15, 17])  # each third, and the last
    np.testing.assert_array_equal(made.metrics["loss"][1:], made.steps[1:])
    # The weights are those of their step too: distances from the start, in a walk, tell them apart.
    chosen = walk(18)[[0, 3, 6, 9, 12, 15, 17]].astype(float)
    np.testing.assert_array_equal(made.embedding.potential, la.phate(chosen).potential)
    assert made.step_label == "step"


def test_a_map_of_epochs_says_so(runs, tmp_path):
    assert la.atlas(runs).step_label == "epoch"
    record(runs / "three", walk(18), every=3)
    assert la.atlas(runs).step_label == "step"


def test_names_are_as_long_as_it_takes_to_tell_runs_apart(tmp_path):
    root = tmp_path / "all"
    for place in ("a/seed0/run", "a/seed1/run", "b/seed0/run", "b/other"):
        record(root / place, walk(4, seed=len(place)))

    def names(*folders):
        return [trace.name for trace in la.atlas(folders, knn=3).traces]

    assert names(root) == ["a/seed0/run", "a/seed1/run", "all/b/other", "b/seed0/run"]  # two parents for all, as two need them
    assert names(root / "a") == ["seed0/run", "seed1/run"]
    assert names(root / "a/seed0", root / "b/other") == ["run", "other"]


def test_a_folder_of_an_optimum_and_its_retrainings_is_understood(jumps):
    made = la.atlas(jumps)
    assert [(trace.name, trace.kind, trace.seed, trace.jump) for trace in made.traces] == [
        ("jumps/optimum", "optimum", None, None),
        ("seed0/step0.5", "retraining", 0, 0.5),
        ("seed0/step1.0", "retraining", 0, 1.0),
        ("seed1/step0.5", "retraining", 1, 0.5),
        ("seed1/step1.0", "retraining", 1, 1.0),
    ]
    assert made.optimum == 0


def test_distances_from_the_optimum_are_those_of_the_weights(jumps):
    made = la.atlas(jumps)
    rows = np.concatenate(
        [OPTIMUM[np.newaxis], *(arm(j, seed=s, left=left) for s in (0, 1) for j, left in ((0.5, 0.25), (1.0, 0.75)))]
    )
    expected = np.linalg.norm(rows.astype(float) - OPTIMUM.astype(float), axis=1)
    # From a Gram matrix about the centroid: some eps of the squares.
    np.testing.assert_allclose(made.distance_from_optimum, expected, rtol=1e-12)


def test_return_ratios_are_the_last_distance_over_the_first(jumps):
    ratios = la.atlas(jumps).return_ratios
    # By construction, up to the float32 of the weights: 1e-7 of a weight of 2, in a distance of 0.6 at the least.
    assert list(ratios.values()) == pytest.approx([0.25, 0.75, 0.25, 0.75], rel=1e-5)
    assert list(ratios) == ["seed0/step0.5", "seed0/step1.0", "seed1/step0.5", "seed1/step1.0"]
    assert la.atlas(jumps).summary()["return_ratio"] == pytest.approx(0.5, rel=1e-5)


def test_a_retraining_without_a_jump_has_no_return_ratio(jumps):
    made_by = {"kind": "retraining", "seed": 0, "step": 0.0}
    start_at_optimum = np.concatenate([OPTIMUM[np.newaxis], OPTIMUM + 0.1 * walk(5, seed=9)])
    record(jumps / "control", start_at_optimum, settings=made_by)
    made = la.atlas(jumps)
    assert len(made.return_ratios) == 4
    assert made.embedding.n_duplicates == 1  # the control's first point is the optimum


def test_runs_without_an_optimum_have_no_distance_from_it(runs):
    made = la.atlas(runs)
    assert made.optimum is None
    assert made.distance_from_optimum is None
    assert made.return_ratios == {}
    assert "return_ratio" not in made.summary()


def test_two_optima_are_none_to_measure_from(jumps):
    record(jumps / "another", OPTIMUM[np.newaxis] + 1, settings={"kind": "optimum"})
    made = la.atlas(jumps)
    assert made.optimum is None
    assert made.return_ratios == {}


def test_the_summary_holds_the_numbers_of_the_whole(jumps):
    made = la.atlas(jumps)
    summary = made.summary()
    assert set(summary) == {
        "n_points",
        "t",
        "stress",
        "connected_components",
        "n_duplicates",
        "n_left_out",
        "n_diverged_retrainings",
        "persistence",
        "faithfulness",
        "nulls",
        "return_ratio",
        "return_ratios",
        "trajectories",
        "spreads",
    }
    assert (summary["n_points"], summary["n_duplicates"], summary["n_left_out"]) == (25, 0, 0)
    assert (summary["t"], summary["stress"]) == (made.embedding.t, made.embedding.stress)
    diagram, ranks = (la.persistence(made.embedding, made.metrics["test_loss"], knn=20, scale=scale) for scale in ("raw", "rank"))

    def parts(of, p):
        return {"finite": of.total(p, "finite"), "essential": of.total(p, "essential"), "baseline": of.baseline(p)}

    assert summary["persistence"] == {
        "of": "test_loss",
        "total": diagram.total(),
        "finite": diagram.total(part="finite"),
        "essential": diagram.total(part="essential"),
        "loss_range_squared": diagram.loss_range_squared,
        **{f"p{p}": parts(diagram, p) for p in (1, 2)},
        "rank": {f"p{p}": parts(ranks, p) for p in (1, 2)},
        "smad": None,
        "smad_over_range": None,
    }
    assert np.isnan(made.merge_tree.smad)  # one valley has no branch
    assert summary["persistence"]["p2"]["baseline"] == diagram.loss_range_squared
    assert 0.9 < summary["persistence"]["rank"]["p1"]["baseline"] <= 1  # copies of the lowest share the mean of their ranks
    assert summary["return_ratios"] == made.return_ratios


def test_a_small_map_has_all_others_for_neighbours(runs):
    made = la.atlas(runs / "one")
    assert made.diagram.knn == 8  # of nine points with a loss
    assert made.diagram.n_left_out == 1


@pytest.mark.parametrize(
    ("recorded", "measured"),
    [
        (("loss", "test_loss", "train_loss"), "test_loss"),
        (("train_loss", "val_loss", "loss"), "val_loss"),
        (("loss", "eval_loss"), "eval_loss"),
        (("train_loss", "loss"), "loss"),
        (("train_loss", "accuracy"), "train_loss"),
        (("accuracy",), None),
        ((), None),
    ],
)
def test_the_loss_of_the_landscape_is_the_first_there_is(tmp_path, recorded, measured):
    record(tmp_path / "run", walk(8), metrics=[dict.fromkeys(recorded, float(n)) for n in range(7)])
    made = la.atlas(tmp_path / "run")
    assert made.loss == measured
    assert (made.diagram is None) == (measured is None)
    assert ("persistence" in made.summary()) == (measured is not None)


def test_a_loss_that_is_hardly_recorded_is_passed_over(tmp_path):
    metrics = [{"loss": 1.0 + n, "test_loss": 2.0 if n == 3 else math.nan} for n in range(7)]
    record(tmp_path / "run", walk(8), metrics=metrics)
    assert la.atlas(tmp_path / "run").loss == "loss"
    assert la.atlas(tmp_path / "run", loss="test_loss").diagram is None


def test_another_metric_can_be_measured(runs):
    made = la.atlas(runs, loss="accuracy")
    assert made.loss == "accuracy"
    assert made.diagram.n_points == 12
    assert made.diagram.highest == 1.0


def test_a_metric_that_no_run_has_is_refused_with_those_there_are(runs):
    with pytest.raises(la.InputError, match=r"no run has the metric 'los'; recorded are loss, accuracy"):
        la.atlas(runs, loss="los")


def test_a_metric_where_none_is_recorded_is_refused(tmp_path):
    record(tmp_path / "run", walk(8))
    with pytest.raises(la.InputError, match=r"no run has the metric 'loss'; recorded are none"):
        la.atlas(tmp_path / "run", loss="loss")


@pytest.fixture
def wild(runs):
    """A third run, of which points 4 and 6 have diverged."""
    weights = walk(8, seed=3)
    weights[4, 5] = np.nan
    weights[6, :2] = np.inf
    record(runs / "wild", weights, metrics=[{"loss": float(step)} for step in range(1, 8)])
    return runs


def test_diverged_points_are_refused_by_their_name(wild):
    with pytest.raises(la.InputError, match=r"run 'wild', point 4 \(step 4\) has 1 value .*NaN or infinite.*diverged='skip'"):
        la.atlas(wild)


def test_diverged_points_can_be_skipped_and_are_counted(wild):
    made = la.atlas(wild, diverged="skip")
    assert [(trace.stop - trace.start, trace.n_left_out) for trace in made.traces] == [(10, 0), (12, 0), (6, 2)]
    assert made.summary()["n_left_out"] == 2
    assert made.summary()["n_diverged_retrainings"] == 0
    np.testing.assert_array_equal(made.steps[22:], [0, 1, 2, 3, 5, 7])
    np.testing.assert_array_equal(made.metrics["loss"][22:], [math.nan, 1, 2, 3, 5, 7])
    kept = np.concatenate([walk(10, seed=1), walk(12, seed=2), walk(8, seed=3)[[0, 1, 2, 3, 5, 7]]]).astype(float)
    np.testing.assert_array_equal(made.embedding.coordinates, la.phate(kept).coordinates)


def test_skipping_leaves_runs_without_divergence_as_they_are(runs):
    refusing, skipping = la.atlas(runs), la.atlas(runs, diverged="skip")
    np.testing.assert_array_equal(skipping.embedding.coordinates, refusing.embedding.coordinates)


def test_a_run_that_diverged_from_its_start_is_an_empty_trace(runs):
    record(runs / "lost", np.full((4, 12), np.nan, dtype=np.float32), metrics=losses(3))
    made = la.atlas(runs, diverged="skip")
    assert (made.traces[0].name, made.traces[0].start, made.traces[0].stop, made.traces[0].n_left_out) == ("lost", 0, 0, 4)
    assert made.n_points == 22


def test_the_optimum_is_found_behind_points_that_are_left_out(jumps):
    record(jumps / "a_wild_one", np.full((2, 12), np.nan, dtype=np.float32))
    record(jumps / "b", walk(3))
    made = la.atlas(jumps, diverged="skip")
    assert made.optimum == 3
    assert made.distance_from_optimum[3] == 0
    assert np.count_nonzero(made.distance_from_optimum) == made.n_points - 1


def test_an_optimum_that_diverged_is_none(jumps):
    record(jumps / "lost", np.full((1, 12), np.nan, dtype=np.float32), settings={"kind": "optimum"})
    assert la.atlas(jumps, diverged="skip").optimum == 0  # the other one
    la.open_run(jumps / "optimum").path.rename(jumps.parent / "optimum")
    assert la.atlas(jumps, diverged="skip").optimum is None


def test_a_retraining_that_diverged_has_no_return_ratio_and_is_counted(jumps):
    weights = arm(2.0, seed=5)
    weights[-1, 0] = np.inf
    record(jumps / "wild", weights, settings={"kind": "retraining", "seed": 5, "step": 2.0})
    made = la.atlas(jumps, diverged="skip")
    assert len(made.return_ratios) == 4
    assert made.summary()["n_diverged_retrainings"] == 1
    assert made.summary()["n_left_out"] == 1


@pytest.mark.usefixtures("as_users_call")
@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"methods": ("pca", "som")}, r"methods must be of pca, tsne, umap, isomap, but 'som' came; choose of these"),
        ({"diverged": "drop"}, r"diverged must be 'refuse' or 'skip', but is 'drop'; choose one"),
        ({"preset": "best"}, r"preset must be one of sound, paper"),
        ({"metric": "precomputed"}, r"with metric='precomputed' points must be a matrix of distances"),
    ],
)
def test_words_that_are_none_of_the_choices_are_refused(runs, keywords, message):
    with pytest.raises(la.InputError, match=message):
        la.atlas(runs, **keywords)


def test_what_is_no_run_is_refused(tmp_path):
    with pytest.raises(la.InputError, match=r"no run matches .*record one with lossatlas\.Recorder, or check the pattern"):
        la.atlas(f"{tmp_path}/*")
    with pytest.raises(la.InputError, match=r"no run was given; name at least one run folder"):
        la.atlas([])


def test_fewer_points_than_neighbours_are_refused(tmp_path):
    record(tmp_path / "run", walk(5))
    with pytest.raises(la.InputError, match=r"knn=5 needs at least 6 points, but there are 5"):
        la.atlas(tmp_path / "run")


def test_progress_names_each_stage_as_it_begins(runs):
    stages = []
    la.atlas(runs, progress=stages.append)
    assert stages == ["reading", "distances", "embedding", "measures", "comparison"]


def test_an_atlas_keeps_the_distances_and_the_lengths_of_steps(jumps):
    made = la.atlas(jumps)
    rows = np.concatenate(
        [OPTIMUM[np.newaxis], *(arm(j, seed=s, left=left) for s in (0, 1) for j, left in ((0.5, 0.25), (1.0, 0.75)))]
    ).astype(float)
    np.testing.assert_allclose(made.distances, la.cosine_distances(rows), atol=1e-12)
    np.testing.assert_allclose(
        la.atlas(jumps, metric="euclidean").distances, np.linalg.norm(rows[:, np.newaxis] - rows, axis=2), atol=1e-9
    )
    expected = np.linalg.norm(np.diff(rows, axis=0), axis=1)
    starts = [0, 1, 7, 13, 19]
    assert list(np.flatnonzero(np.isnan(made.step_lengths))) == starts
    inside = np.setdiff1d(np.arange(25), starts)
    np.testing.assert_allclose(made.step_lengths[inside], expected[inside - 1], rtol=1e-9)


def test_the_summary_has_the_geometry_of_each_run_that_goes_anywhere(jumps):
    made = la.atlas(jumps)
    rows = arm(0.5, seed=1, left=0.25).astype(float)
    trace = next(trace for trace in made.traces if (trace.seed, trace.jump) == (1, 0.5))
    found = made.summary()["trajectories"]
    assert found.keys() == {trace.name for trace in made.traces if trace.kind == "retraining"}
    steps = np.linalg.norm(np.diff(rows, axis=0), axis=1)
    numbers = found[trace.name]
    assert numbers["kind"] == "retraining"
    assert numbers["length"] == numbers["mean_velocity"] * 5 == pytest.approx(steps.sum())
    assert numbers["displacement"] == pytest.approx(np.linalg.norm(rows[-1] - rows[0]))
    assert numbers["straightness"] == pytest.approx(numbers["displacement"] / numbers["length"])
    assert numbers["null_straightness"] == pytest.approx(np.linalg.norm(steps) / steps.sum())
    assert numbers["null_turning_degrees"] == pytest.approx(90)
    np.testing.assert_allclose(
        made.geometry.distance_from_start[trace.start : trace.stop], np.linalg.norm(rows - rows[0], axis=1), rtol=1e-9
    )


def test_directions_that_jumped_equally_far_are_spread_together(jumps):
    made = la.atlas(jumps)
    found = made.summary()["spreads"]
    assert list(found) == ["jump of 0.5", "jump of 1"]
    for jump, left in ((0.5, 0.25), (1.0, 0.75)):
        ends = [arm(jump, seed=seed, left=left)[-1].astype(float) for seed in (0, 1)]
        numbers = found[f"jump of {jump:g}"]
        assert numbers["n_runs"] == 2
        assert numbers["scale"] == pytest.approx(5 * jump, rel=1e-6)  # float32 weights
        assert numbers["return_ratio"] == pytest.approx(left, rel=1e-6)
        assert numbers["return_ratio_std"] == pytest.approx(0, abs=1e-6)
        assert numbers["apart"] == pytest.approx(np.linalg.norm(ends[0] - ends[1]), rel=1e-6)


def test_trainings_of_the_same_settings_are_spread_together_whatever_their_seeds(tmp_path):
    for seed in (0, 1, 2):
        record(tmp_path / f"slow-{seed}", walk(8, seed=seed), settings={"seed": seed, "lr": 0.1})
    record(tmp_path / "quick", walk(8, seed=9), settings={"seed": 0, "lr": 1.0})
    made = la.atlas(tmp_path, nulls=False)
    assert list(made.spreads) == ["trainings as slow-0"]
    assert made.spreads["trainings as slow-0"].n_runs == 3
    assert "return_ratio" not in made.summary()["spreads"]["trainings as slow-0"]
    assert list(made.summary()["trajectories"]) == ["quick", "slow-0", "slow-1", "slow-2"]


@pytest.fixture
def grouped(tmp_path):
    """Trainings of two groups, others that name none, and an optimum with its retraining that say the name of one."""
    groups = {"a0": "slow", "a1": " slow ", "b0": "quick", "c0": None, "d0": " ", "e0": 3, "f0": ["slow"]}
    for seed, (name, group) in enumerate(groups.items()):
        settings = {"seed": seed} if group is None else {"seed": seed, "group": group}
        record(tmp_path / "grouped" / name, walk(6, seed=seed), settings=settings)
    own = {"group": "slow", "seed": 1, "step": 0.5}
    record(tmp_path / "grouped" / "optimum", walk(1), settings={"kind": "optimum", **own})
    record(tmp_path / "grouped" / "return", walk(6, seed=8), settings={"kind": "retraining", **own})
    return tmp_path / "grouped"


def test_a_run_is_of_the_group_that_its_settings_name(grouped, tmp_path):
    made = la.atlas(grouped, nulls=False)
    named = {"a0": "slow", "a1": "slow", "b0": "quick"}
    assert {trace.name: trace.group for trace in made.traces if trace.group is not None} == named
    made.save(tmp_path / "atlas.npz")
    with np.load(tmp_path / "atlas.npz", allow_pickle=False) as saved:
        assert dict(zip(saved["run_names"], saved["run_groups"], strict=True)) == dict.fromkeys(saved["run_names"], "") | named


def test_runs_of_a_group_are_as_alike_as_without_it(tmp_path):
    for group in ("slow", "quick"):
        for seed in (0, 1):
            record(tmp_path / f"{group}-{seed}", walk(8, seed=seed), settings={"seed": seed, "group": group})
    made = la.atlas(tmp_path, nulls=False)
    assert {name: found.n_runs for name, found in made.spreads.items()} == {
        "trainings as quick-0": 2,
        "trainings as slow-0": 2,
    }


def test_the_valleys_are_those_of_the_diagram(jumps):
    made = la.atlas(jumps)
    assert (made.valleys.knn, made.valleys.highest) == (made.diagram.knn, made.diagram.highest)
    basins = made.valleys.dimension == 0
    assert (made.valleys.persistence[basins] ** 2).sum() == pytest.approx(made.diagram.total())
    assert la.atlas(jumps, loss="test_loss").valleys.n_all == made.valleys.n_all


def test_the_merge_tree_is_that_of_the_diagram(jumps):
    made = la.atlas(jumps)
    tree, has = made.merge_tree, made.merge_tree.saddles >= 0
    assert tree.knn == made.diagram.knn
    assert sorted(zip(tree.lows[has], tree.passes[has], strict=True)) == sorted(map(tuple, made.diagram.finite[0]))


def test_other_methods_draw_the_same_distances_upon_the_map(jumps):
    made = la.atlas(jumps, methods=("isomap", "tsne", "pca"), nulls=False)
    assert list(made.layouts) == ["isomap", "tsne", "pca"]
    for name, layout in made.layouts.items():
        plain = getattr(la, name)(made.distances, metric="precomputed", **({"perplexity": 8.0} if name == "tsne" else {}))
        if name == "pca":  # which knows that cosines are squares of chords
            plain = la.pca(np.sqrt(2 * made.distances), metric="precomputed")
        np.testing.assert_allclose(
            layout.coordinates, plain.align_to(made.embedding).coordinates, atol=1e-6 * np.abs(plain.coordinates).max()
        )
        assert made.comparison.faithfulness[name].knn == 12
    assert la.atlas(jumps, methods=()).layouts == {}
    assert made.comparison.nulls == {}
    assert "nulls" not in made.summary()


def test_umap_that_is_not_installed_is_refused_before_any_work(jumps, monkeypatch):
    monkeypatch.setitem(sys.modules, "umap", None)
    stages = []
    with pytest.raises(la.InputError, match=r"umap needs umap-learn, which is not installed; run: pip install"):
        la.atlas(jumps, methods=("umap",), progress=stages.append)
    assert stages == []


def test_only_runs_whose_points_follow_each_other_have_steps(runs):
    record(runs / "grid", walk(9, seed=5), settings={"kind": "slice"})
    made = la.atlas(runs)
    assert np.isnan(made.step_lengths[:9]).all()
    assert np.isfinite(made.comparison.faithfulness["phate"].step_excess).sum() == 9 + 11


def test_the_same_runs_give_the_same_atlas(jumps):
    first, again = la.atlas(jumps), la.atlas(jumps)
    np.testing.assert_array_equal(first.embedding.coordinates, again.embedding.coordinates)
    assert first.summary() == again.summary()


def test_arrays_are_saved_under_their_names(jumps, tmp_path):
    made = la.atlas(jumps)
    made.save(tmp_path / "atlas.npz")
    with np.load(tmp_path / "atlas.npz", allow_pickle=False) as saved:
        np.testing.assert_array_equal(saved["coordinates"], made.embedding.coordinates)
        np.testing.assert_array_equal(saved["potential_distances"], made.embedding.potential_distances)
        np.testing.assert_array_equal(saved["entropy"], made.embedding.entropy)
        np.testing.assert_array_equal(saved["steps"], made.steps)
        np.testing.assert_array_equal(saved["metric_test_loss"], made.metrics["test_loss"])
        np.testing.assert_array_equal(saved["distance_from_optimum"], made.distance_from_optimum)
        np.testing.assert_array_equal(saved["run"], [0] + 6 * [1] + 6 * [2] + 6 * [3] + 6 * [4])
        assert saved["run_names"].tolist() == [trace.name for trace in made.traces]
        np.testing.assert_array_equal(saved["coordinates_pca"], made.layouts["pca"].coordinates)
        for name in ("phate", "pca"):
            np.testing.assert_array_equal(saved[f"coordinates_{name}_3d"], made.comparison.coordinates_3d[name])
            faithful = made.comparison.faithfulness[name]
            np.testing.assert_array_equal(saved[f"neighbours_kept_{name}"], faithful.point_neighbours_kept)


def test_arrays_of_a_map_without_an_optimum_hold_no_distance_from_it(runs, tmp_path):
    la.atlas(runs).save(tmp_path / "atlas.npz")
    with np.load(tmp_path / "atlas.npz") as saved:
        assert "distance_from_optimum" not in saved
        assert np.isnan(saved["metric_accuracy"][:10]).all()


def test_numbers_are_saved_as_json_with_the_settings(jumps, tmp_path):
    made = la.atlas(jumps, knn=4)
    made.save(str(tmp_path / "atlas.json"))

    def refuse(word):
        raise AssertionError(f"{word} is no JSON")

    saved = json.loads((tmp_path / "atlas.json").read_text(encoding="utf-8"), parse_constant=refuse)
    assert saved["settings"]["knn"] == 4
    assert saved["settings"]["preset"] == "sound"
    for name, value in made.summary().items():
        assert saved[name] == value


@pytest.mark.parametrize(
    ("ending", "beginning"), [("png", b"\x89PNG\r\n\x1a\n"), ("svg", b"<?xml"), ("pdf", b"%PDF-"), ("html", b"<!doctype html>")]
)
def test_figures_and_pages_are_what_their_ending_says(jumps, tmp_path, ending, beginning):
    la.atlas(jumps).save(tmp_path / f"atlas.{ending}", title="Four arms")
    content = (tmp_path / f"atlas.{ending}").read_bytes()
    assert content.lower().startswith(beginning.lower())
    assert [file.name for file in tmp_path.iterdir() if file.is_file()] == [f"atlas.{ending}"]
    if ending in {"svg", "html"}:
        assert b"Four arms" in content


def test_a_png_can_be_read_and_is_not_blank(runs, tmp_path):
    from matplotlib import image

    la.atlas(runs).save(tmp_path / "atlas.png")
    pixels = image.imread(tmp_path / "atlas.png")
    assert min(pixels.shape[:2]) > 300
    assert len(np.unique(pixels.reshape(-1, pixels.shape[2]), axis=0)) > 100


@pytest.mark.parametrize("ending", ["svg", "png", "pdf"])
def test_the_same_atlas_gives_the_same_bytes(runs, tmp_path, ending):
    made = la.atlas(runs)
    for name in ("first", "again"):
        made.save(tmp_path / f"{name}.{ending}", title="map")
    assert (tmp_path / f"first.{ending}").read_bytes() == (tmp_path / f"again.{ending}").read_bytes()


def test_the_figure_is_the_one_that_is_saved(runs, tmp_path):
    made = la.atlas(runs)
    made.save(tmp_path / "saved.svg", title="map")
    write_figure(made.figure(title="map"), tmp_path / "drawn.svg")
    assert (tmp_path / "saved.svg").read_bytes() == (tmp_path / "drawn.svg").read_bytes()


def test_the_figure_draws_each_point_at_its_place(runs):
    made = la.atlas(runs)
    offsets = [np.asarray(drawn.get_offsets()) for axes in made.figure().axes for drawn in axes.collections]
    drawn = np.unique(np.concatenate([part for part in offsets if part.shape[1:] == (2,)]), axis=0)
    placed = made.embedding.coordinates.astype(np.float32)  # as the scene has them
    for place in placed:
        assert np.abs(drawn - place).max(axis=1).min() < 1e-6 * np.abs(placed).max()


def test_drawing_imports_no_pyplot(runs, tmp_path):
    program = (
        "import sys, lossatlas as la\n"
        f"made = la.atlas({str(runs)!r})\n"
        "assert 'matplotlib' not in sys.modules, 'a map needs no matplotlib'\n"
        f"made.figure(); made.save({str(tmp_path / 'map.png')!r})\n"
        "assert 'matplotlib.figure' in sys.modules\n"
        "assert 'matplotlib.pyplot' not in sys.modules, 'pyplot'\n"
        "assert 'torch' not in sys.modules, 'torch'\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr


def test_saving_replaces_a_file(runs, tmp_path):
    (tmp_path / "atlas.json").write_text("old")
    la.atlas(runs).save(tmp_path / "atlas.json")
    assert json.loads((tmp_path / "atlas.json").read_text())["n_points"] == 22


@pytest.mark.parametrize("name", ["atlas.jpg", "atlas", "atlas.PNG.bak"])
def test_an_unknown_ending_is_refused_with_those_there_are(runs, tmp_path, name):
    with pytest.raises(
        la.InputError, match=rf"'{name}' must end in \.html, \.png, \.svg, \.pdf, \.gif, \.mp4, \.npz or \.json; rename it"
    ):
        la.atlas(runs).save(tmp_path / name)


def test_a_missing_folder_is_refused(runs, tmp_path):
    with pytest.raises(
        la.InputError, match=r"there is no folder '.*nowhere' to write atlas\.png into; make it first, or name another"
    ):
        la.atlas(runs).save(tmp_path / "nowhere" / "atlas.png")


def test_a_folder_in_place_of_a_file_is_refused(runs, tmp_path):
    (tmp_path / "atlas.json").mkdir()
    with pytest.raises(la.InputError, match=r"atlas\.json' is a folder; name a file in it"):
        la.atlas(runs).save(tmp_path / "atlas.json")


def test_a_notebook_shows_the_page_in_a_frame(runs):
    assert "<iframe" in la.atlas(runs)._repr_html_()


def test_the_rows_of_a_widget_are_the_atlas_points(runs):
    pytest.importorskip("anywidget")
    made = la.atlas(runs)
    widget = made.widget(title="here", height=300)
    assert (widget.n_points, widget.get_state()["_height"]) == (made.n_points, 300)
    assert '"title": "here"' in widget.get_state()["_header"]
    widget.selection = made.steps == made.steps.max()
    assert widget.selection == tuple(np.flatnonzero(made.steps == made.steps.max()))


def test_without_anywidget_the_widget_says_what_to_install(runs, monkeypatch):
    monkeypatch.setitem(sys.modules, "anywidget", None)
    monkeypatch.delitem(sys.modules, "lossatlas.draw.widget", raising=False)
    with pytest.raises(ImportError, match=r"needs anywidget; install it with: pip install 'lossatlas\[notebook\]'"):
        la.atlas(runs).widget()


def test_write_html_writes_the_page(runs, tmp_path):
    made = la.atlas(runs)
    made.write_html(tmp_path / "page.html", title="map")
    made.save(tmp_path / "saved.html", title="map")
    assert (tmp_path / "page.html").read_bytes() == (tmp_path / "saved.html").read_bytes()
