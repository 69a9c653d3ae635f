"""Networks of a comparison one by one: what is kept of each, and what of it is refused, forgotten or left out."""

import contextlib
import shutil
from dataclasses import replace

import numpy as np
import pytest
from small_comparison import TINY, of

from lossatlas import Atlas, open_run
from lossatlas.experiments.comparison import Jump, maps
from lossatlas.experiments.comparison import unit as unit_module
from lossatlas.experiments.comparison.unit import keep, measure_network, units_of
from lossatlas.experiments.presets import forks, grokking
from lossatlas.sample import jump_and_retrain
from lossatlas.store import Run


def says(monkeypatch, run, **metrics):
    """Let all runs say what one says, save for some metrics."""
    changed = run.metrics | metrics
    monkeypatch.setattr(Run, "metrics", property(lambda _: changed))


def test_every_seed_comes_once_before_the_next_does(tmp_path):
    found = [(unit.variant, unit.seed) for unit in units_of(TINY, tmp_path)]
    assert found == [(variant, seed) for seed in (0, 1, 2) for variant in ("fast", "slow")]


def test_numbers_are_of_the_last_point_and_of_the_first_that_fits(tiny_networks):
    unit = of(TINY, tiny_networks, "fast", 0)
    run, numbers = open_run(unit.training), unit.numbers
    weights = run.weights()
    assert numbers["train_loss"] == run.metrics["train_loss"][-1]
    assert numbers["norm"] == pytest.approx(np.linalg.norm(weights[-1]))
    assert numbers["displacement"] == pytest.approx(np.linalg.norm(weights[-1] - weights[0]))
    steps = np.linalg.norm(np.diff(weights, axis=0), axis=1)
    assert numbers["length"] == pytest.approx(steps.sum())
    assert numbers["straightness"] == pytest.approx(numbers["displacement"] / steps.sum())
    assert numbers["null_straightness"] == pytest.approx(np.linalg.norm(steps) / steps.sum())
    assert numbers["diverged"] == 0
    assert set(numbers) >= {"training_trustworthiness", "training_trustworthiness_of_a_walk"}
    assert not set(numbers) & {"sharpness", "eigenvalue", "return_ratio"}  # not asked for


def test_a_training_is_of_its_recipe_its_seed_and_its_variant(tiny_networks):
    unit = of(TINY, tiny_networks, "slow", 2)
    training = unit_module.training_of(unit)
    assert (training.epochs, training.milestones, training.seed) == (5, [2, 4], 2)
    assert (training.group, training.key, training.path) == ("slow", unit.key, unit.training)


def test_of_a_training_that_ended_nowhere_nothing_is_sampled_and_its_points_are_on_no_map(tmp_path, monkeypatch):
    for name in ("jump_and_retrain", "sharpness", "curvature"):
        monkeypatch.setattr(unit_module, name, lambda *_, name=name, **__: pytest.fail(f"{name} of a diverged network"))
    wild = of(
        replace(
            TINY,
            variants={"fast": {}, "wild": {"learning_rate": 1e30}},
            jump=Jump(seeds=(0,), steps=(1.0,), epochs=1, passes=1),
            with_curvature=True,
        ),
        tmp_path,
        "wild",
        0,
    )
    monkeypatch.setattr(unit_module, "has_hessian", lambda: True)
    for _ in range(2):  # once it is known, too
        measure_network(wild)
    assert wild.numbers["diverged"] == 1
    tame = of(TINY, tmp_path / "tame", "fast", 0)
    runs = [unit_module.trained_run(tame), open_run(wild.training)]
    n_diverged = len(runs[1].diverged())
    assert n_diverged > 0
    assert unit_module.map_of(runs).n_points == runs[0].n_points + runs[1].n_points - n_diverged
    assert unit_module.map_of(runs[1:]) is None  # its first point is all that is left


def test_sharpness_and_hessian_are_drawn_from_the_seed_of_the_network(tiny_networks, monkeypatch):
    pytest.importorskip("curvlinops")
    asked = {}
    for name in ("sharpness", "curvature"):
        measure = getattr(unit_module, name)
        monkeypatch.setattr(
            unit_module,
            name,
            lambda *given, name=name, measure=measure, **options: (
                asked.update({name: options["seed"]}) or measure(*given, **options)
            ),
        )
    unit = of(TINY, tiny_networks, "fast", 2)
    found = unit_module.of_minimum(unit, open_run(unit.training), unit.task())
    assert asked == {"sharpness": 2, "curvature": 2}
    assert set(found) == {"sharpness", "eigenvalue", "trace"}


@pytest.mark.parametrize(
    ("accuracies", "epochs"), [([0.1, 0.98, 0.99, 1, 1, 1], 2.0), ([0.1, 0.2, 0.3, 0.4, 0.5, 0.98], None), ([1.0] * 6, 0.0)]
)
def test_a_network_fits_at_the_first_epoch_with_99_percent(tiny_networks, monkeypatch, accuracies, epochs):
    run = open_run(of(TINY, tiny_networks, "fast", 0).training)
    says(monkeypatch, run, train_accuracy=np.array(accuracies, dtype=float))
    assert unit_module.of_training(run)["epochs_to_fit"] == epochs


@pytest.mark.parametrize(("name", "is_an_end"), [("train_loss", True), ("test_loss", True), ("test_accuracy", False)])
def test_a_loss_that_is_no_number_ends_nowhere(tiny_networks, monkeypatch, name, is_an_end):
    run = open_run(of(TINY, tiny_networks, "fast", 0).training)
    assert unit_module.is_finite(run)
    says(monkeypatch, run, **{name: np.append(run.metrics[name][:-1], np.nan)})
    assert unit_module.is_finite(run) is not is_an_end
    assert ("norm" in unit_module.of_training(run)) is not is_an_end


def test_what_is_not_finite_is_kept_as_nothing(tmp_path):
    unit = of(TINY, tmp_path, "fast", 0)
    assert unit.numbers is None
    keep(unit, {"a": 1.5, "b": np.nan, "c": np.inf, "d": None})
    assert unit.numbers == {"a": 1.5, "b": None, "c": None, "d": None}


def test_numbers_of_other_settings_are_refused_and_forgotten(tmp_path, refuses):
    one = of(TINY, tmp_path, "slow", 1)
    measure_network(one)
    other = of(replace(TINY, variants={"fast": {}, "slow": {"learning_rate": 0.01}}), tmp_path, "slow", 1)
    assert not one.is_stale
    assert other.is_stale
    with refuses("was made with other settings; choose another folder or remove that one"):
        _ = other.numbers
    one.path.unlink()  # stopped before there were numbers
    assert not one.is_stale
    assert other.is_stale
    other.forget()
    assert not other.is_stale
    assert not one.training.exists()


def test_a_retraining_takes_the_passes_of_its_jump(tmp_path):
    settings = replace(TINY, jump=Jump(seeds=(0,), steps=(1.0,), epochs=1, passes=3), recipe=replace(TINY.recipe, passes=2))
    unit = of(settings, tmp_path, "fast", 0)
    n = -(-40 // 20)
    assert len(list(unit.task().train)) == 2 * n
    assert len(list(unit.task(retraining=True).train)) == 3 * n
    assert unit.task().name != unit.task(retraining=True).name


def test_samples_say_how_far_they_came_back(tmp_path):
    jump = Jump(seeds=(0, 1), steps=(0.5, 1.0), epochs=2, passes=1)
    unit = of(replace(TINY, jump=jump), tmp_path, "fast", 0)
    assert unit.sampled() == []
    measure_network(unit)
    runs = unit.sampled()
    assert len(runs) == 1 + 2 * 2
    numbers = unit.numbers
    assert numbers["diverged_retrainings"] == 0
    assert numbers["retrained_test_accuracy"] == pytest.approx(np.mean([run.metrics["test_accuracy"][-1] for run in runs[1:]]))
    assert numbers["return_ratio"] == unit_module.map_of(runs).summary()["return_ratio"]

    trained = open_run(unit.training)
    alone = replace(jump.settings(unit.recipe.learning_rate), seeds=(0,), steps=(0.0,))
    control = jump_and_retrain(unit.task(retraining=True), trained, tmp_path / "control", settings=alone)[-1].weights()[-1]
    optimum, *others = (run.weights() for run in runs)
    jumps, ends = (
        np.array([np.linalg.norm(weights[at] - to) for weights in others]) for at, to in ((0, optimum[0]), (-1, control))
    )
    drift = np.linalg.norm(control - optimum[0])
    assert numbers["control_drift"] == pytest.approx(drift)
    assert numbers["control_drift_over_jump"] == pytest.approx(drift / jumps.mean())
    assert numbers["control_return_ratio"] == pytest.approx((ends / jumps).mean())


def test_retrainings_that_diverge_are_counted_and_compared_with_nothing(tmp_path):
    unit = of(replace(TINY, jump=Jump(seeds=(0, 1), steps=(1.0, 1e30), epochs=1, passes=1)), tmp_path, "fast", 0)
    measure_network(unit)
    assert unit.numbers["diverged_retrainings"] == 2
    assert unit.numbers["diverged"] == 0
    assert not [name for name in unit.numbers if name.startswith("control")]


def test_numbers_of_a_map_are_those_of_its_summary(tmp_path, monkeypatch):
    known = {
        "return_ratio": 1.0,
        "persistence": {"total": 2.0, "finite": 3.0, "loss_range_squared": 4.0, "rank": {"p1": {"finite": 5.0}}},
        "faithfulness": {"phate": {"trustworthiness": 6.0, "neighbours_kept": 7.0}},
        "nulls": {"random walk": {"trustworthiness": 8.0, "neighbours_kept": 9.0}},
    }
    monkeypatch.setattr(Atlas, "summary", lambda _: known)
    unit = of(replace(TINY, jump=Jump(seeds=(0,), steps=(1.0,), epochs=3, passes=1)), tmp_path, "fast", 0)
    measure_network(unit)
    expected = {
        "return_ratio": 1,
        "persistence": 2,
        "persistence_finite": 3,
        "loss_range_squared": 4,
        "persistence_rank": 5,
        "jumps_trustworthiness": 6,
        "training_neighbours_kept": 7,
        "training_trustworthiness_of_a_walk": 8,
        "jumps_neighbours_kept_of_a_walk": 9,
    }
    assert {name: unit.numbers[name] for name in expected} == expected


@pytest.mark.parametrize(("epochs", "knn"), [(3, 3), (4, 4), (5, 5), (8, 5)])
def test_a_kernel_is_no_wider_than_its_points_allow(epochs, knn, tmp_path):
    own = of(replace(TINY, recipe=replace(TINY.recipe, epochs=epochs)), tmp_path, "fast", 0)
    assert unit_module.map_of([unit_module.trained_run(own)]).embedding.settings.knn == knn


def test_a_run_of_too_few_places_has_no_map(tmp_path):
    few = replace(TINY, recipe=replace(TINY.recipe, epochs=2), jump=Jump(seeds=(0,), steps=(1.0,), epochs=1, passes=1))
    short = of(few, tmp_path, "fast", 0)
    measure_network(short)
    assert unit_module.map_of([open_run(short.training)]) is None
    assert "training_trustworthiness" not in short.numbers
    begun = []
    assert maps.around(few, [short], begin=begun.append) == {}  # the optimum, a jump and a point after it
    assert begun == ["fast"]
    assert "return_ratio" not in short.numbers


def test_a_run_that_stands_still_has_no_map(tmp_path):
    still = of(replace(TINY, recipe=replace(TINY.recipe, learning_rate=1e-30)), tmp_path, "fast", 0)
    measure_network(still)
    assert (still.numbers["diverged"], still.numbers["length"]) == (0, 0)
    assert unit_module.map_of([open_run(still.training)]) is None


def test_moments_are_there_once_a_network_is_done(tmp_path, monkeypatch):
    unit = of(TINY, tmp_path, "fast", 0)
    kept = []
    monkeypatch.setattr(unit_module, "keep", lambda unit, found: kept.append(dict(found)) or keep(unit, found))
    grokking.measure(unit)
    assert len(kept) == 1  # a stop between two would leave a network that is done and lacks some
    assert {"accuracy_when_it_fits", "epochs_to_half", "epochs_to_generalise", "norm"} <= set(unit.numbers)
    grokking.measure(unit)
    assert len(kept) == 1


@pytest.mark.parametrize("place", ["training", "trunk"])
@pytest.mark.parametrize("first", ["run.json", "*.safetensors"])
def test_a_removal_that_is_stopped_leaves_what_can_be_removed_again(tmp_path, monkeypatch, place, first):
    settings = replace(TINY, variants={"fast": {}, "left": {"fork": 2}})
    old = of(settings, tmp_path, "left", 0)
    (forks.measure if place == "trunk" else measure_network)(old)
    if place == "trunk":  # stopped before it parted
        shutil.rmtree(old.training)
        old.path.unlink()
    other = of(replace(settings, recipe=replace(settings.recipe, learning_rate=0.01)), tmp_path, "left", 0)
    assert other.is_stale

    def stopped(folder, **_options):
        if folder.exists():
            next(folder.rglob(first)).unlink()  # what the disk lists first
            raise KeyboardInterrupt

    monkeypatch.setattr(shutil, "rmtree", stopped)
    with contextlib.suppress(KeyboardInterrupt):
        other.forget()
    monkeypatch.undo()
    if other.is_stale:
        other.forget()
    assert not other.is_stale
    measure_network(other)
    assert open_run(other.training).settings["key"] == other.key


def test_the_hessian_is_measured_once_its_package_is_there(tmp_path, monkeypatch):
    unit = of(replace(TINY, with_curvature=True), tmp_path, "fast", 0)
    monkeypatch.setattr(unit_module, "has_hessian", lambda: False)
    measure_network(unit)
    assert unit.numbers["sharpness"] > 0
    assert "eigenvalue" not in unit.numbers
    before, stamp = unit.numbers, (unit.training / "run.json").stat().st_mtime_ns
    monkeypatch.undo()
    pytest.importorskip("curvlinops")
    measure_network(unit)
    assert unit.numbers["eigenvalue"] > 0
    assert {name: unit.numbers[name] for name in before} == before
    assert (unit.training / "run.json").stat().st_mtime_ns == stamp
    monkeypatch.setattr(unit_module, "curvature", lambda *_, **__: pytest.fail("it was measured again"))
    measure_network(unit)


def test_epochs_of_a_fork_count_from_the_start_and_its_way_is_left_out():
    own = {"epochs_to_fit": 8.0, "length": 1.0, "straightness": 0.5, "norm": 2.0}
    assert forks.since_the_start(own, 16) == {"epochs_to_fit": 24.0, "norm": 2.0}
    assert forks.since_the_start({"epochs_to_fit": None}, 16) == {"epochs_to_fit": None}
