"""Networks of a comparison one by one and in pairs: what is kept of each, and what of it is refused, forgotten or left out."""

import contextlib
import json
import shutil
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch
from small_comparison import SMALL

from lossatlas import open_run, prediction_distances
from lossatlas.experiments.comparison import Jump, maps, pairs
from lossatlas.experiments.comparison import unit as unit_module
from lossatlas.experiments.comparison.cost import cost
from lossatlas.experiments.comparison.settings import Settings
from lossatlas.experiments.comparison.took import Clock
from lossatlas.experiments.comparison.unit import keep, measure_network, units_of
from lossatlas.experiments.control import control_of, drift
from lossatlas.experiments.pool import results
from lossatlas.experiments.presets import forks, grokking
from lossatlas.sample import jump_and_retrain, linear_path, predictions
from lossatlas.store import Run

TINY = replace(
    SMALL,
    recipe=replace(SMALL.recipe, network="mlp", network_options={"width": 4}, epochs=5),
    seeds=(0, 1, 2),
    jump=None,
)


class Reversed(ThreadPoolExecutor):
    """One thread, which begins when all work is there and ends with what came first."""

    def __init__(self, n):
        super().__init__(1)
        self.n, self.waiting = n, []

    def submit(self, function, /, *args):
        future = Future()
        self.waiting.append((future, function, args))
        if len(self.waiting) == self.n:
            super().submit(self._all)
        return future

    def _all(self):
        for future, function, args in reversed(self.waiting):
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(function(*args))
                except Exception as error:  # noqa: BLE001 - whoever asks for the result meets it
                    future.set_exception(error)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("tiny")
    for unit in units_of(TINY, made):
        measure_network(unit)
    return made


def says(monkeypatch, run, **metrics):
    """Let all runs say what one says, save for some metrics."""
    changed = run.metrics | metrics
    monkeypatch.setattr(Run, "metrics", property(lambda _: changed))


def of(settings: Settings, folder, variant, seed):
    return next(unit for unit in units_of(settings, folder) if (unit.variant, unit.seed) == (variant, seed))


def test_every_seed_comes_once_before_the_next_does(tmp_path):
    found = [(unit.variant, unit.seed) for unit in units_of(TINY, tmp_path)]
    assert found == [(variant, seed) for seed in (0, 1, 2) for variant in ("fast", "slow")]


def test_numbers_are_of_the_last_point_and_of_the_first_that_fits(folder):
    unit = of(TINY, folder, "fast", 0)
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


def test_a_training_is_of_its_recipe_its_seed_and_its_variant(folder):
    unit = of(TINY, folder, "slow", 2)
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
    measure_network(wild)
    assert wild.numbers["diverged"] == 1
    tame = of(TINY, tmp_path / "tame", "fast", 0)
    runs = [unit_module.trained_run(tame), open_run(wild.training)]
    n_diverged = len(runs[1].diverged())
    assert n_diverged > 0
    assert unit_module.map_of(runs).n_points == runs[0].n_points + runs[1].n_points - n_diverged
    assert unit_module.map_of(runs[1:]) is None  # its first point is all that is left


def test_sharpness_and_hessian_are_drawn_from_the_seed_of_the_network(folder, monkeypatch):
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
    unit = of(TINY, folder, "fast", 2)
    found = unit_module.of_minimum(unit, open_run(unit.training), unit.task())
    assert asked == {"sharpness": 2, "curvature": 2}
    assert set(found) == {"sharpness", "eigenvalue", "trace"}


@pytest.mark.parametrize(
    ("accuracies", "epochs"), [([0.1, 0.98, 0.99, 1, 1, 1], 2.0), ([0.1, 0.2, 0.3, 0.4, 0.5, 0.98], None), ([1.0] * 6, 0.0)]
)
def test_a_network_fits_at_the_first_epoch_with_99_percent(folder, monkeypatch, accuracies, epochs):
    run = open_run(of(TINY, folder, "fast", 0).training)
    says(monkeypatch, run, train_accuracy=np.array(accuracies, dtype=float))
    assert unit_module.of_training(run)["epochs_to_fit"] == epochs


@pytest.mark.parametrize(("name", "is_an_end"), [("train_loss", True), ("test_loss", True), ("test_accuracy", False)])
def test_a_loss_that_is_no_number_ends_nowhere(folder, monkeypatch, name, is_an_end):
    run = open_run(of(TINY, folder, "fast", 0).training)
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
    jump = Jump(seeds=(0,), steps=(0.5, 1.0), epochs=2, passes=1)
    unit = of(replace(TINY, jump=jump), tmp_path, "fast", 0)
    assert unit.sampled() == []
    measure_network(unit)
    runs = unit.sampled()
    assert len(runs) == 1 + 2
    numbers = unit.numbers
    assert numbers["diverged_retrainings"] == 0
    assert numbers["retrained_test_accuracy"] == pytest.approx(np.mean([run.metrics["test_accuracy"][-1] for run in runs[1:]]))
    settings = jump.settings(unit.recipe.learning_rate)
    trained = open_run(unit.training)
    control = jump_and_retrain(unit.task(retraining=True), trained, unit.control, settings=control_of(settings))[-1]
    for name, value in drift(runs, control).items():
        assert numbers[f"control_{name}"] == pytest.approx(value)
    assert numbers["return_ratio"] == unit_module.map_of(runs).summary()["return_ratio"]


def test_retrainings_that_diverge_are_counted_and_compared_with_nothing(tmp_path):
    unit = of(replace(TINY, jump=Jump(seeds=(0, 1), steps=(1.0, 1e30), epochs=1, passes=1)), tmp_path, "fast", 0)
    measure_network(unit)
    assert unit.numbers["diverged_retrainings"] == 2
    assert unit.numbers["diverged"] == 0
    assert not [name for name in unit.numbers if name.startswith("control")]


def test_numbers_of_a_map_are_those_of_its_summary(tmp_path, monkeypatch):
    class Known:
        def summary(self):
            return {
                "return_ratio": 1.0,
                "persistence": {"total": 2.0, "finite": 3.0, "loss_range_squared": 4.0, "rank": {"p1": {"finite": 5.0}}},
                "faithfulness": {"phate": {"trustworthiness": 6.0, "neighbours_kept": 7.0}},
                "nulls": {"random walk": {"trustworthiness": 8.0, "neighbours_kept": 9.0}},
            }

    monkeypatch.setattr(unit_module, "map_of", lambda _runs: Known())
    unit = of(replace(TINY, jump=Jump(seeds=(0,), steps=(1.0,), epochs=1, passes=1)), tmp_path, "fast", 0)
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


def test_moments_are_there_once_a_network_is_done(tmp_path, monkeypatch):
    unit = of(TINY, tmp_path, "fast", 0)
    kept = []
    monkeypatch.setattr(unit_module, "keep", lambda unit, found: kept.append(dict(found)) or keep(unit, found))
    grokking.measure(unit)
    assert len(kept) == 1  # a stop between two would leave a network that is done and lacks some
    assert {"accuracy_when_it_fits", "epochs_to_half", "epochs_to_generalise", "norm"} <= set(unit.numbers)
    grokking.measure(unit)
    assert len(kept) == 1


def test_pairs_are_of_seeds_and_of_the_same_start(folder):
    units = units_of(TINY, folder)
    found = pairs.pairs_of(TINY, units, folder)
    assert [(pair.a.seed, pair.b.seed) for pair in found["between_seeds"]["slow"]] == [(0, 1), (0, 2), (1, 2)]
    assert {pair.a.variant for pair in found["between_seeds"]["slow"]} == {"slow"}
    assert [(pair.a.variant, pair.b.variant, pair.a.seed, pair.b.seed) for pair in found["to_first"]["slow"]] == [
        ("fast", "slow", seed, seed) for seed in (0, 1, 2)
    ]
    assert list(found["to_first"]) == ["slow"]
    assert list(pairs.pairs_of(replace(TINY, shared="predictions"), units, folder)) == ["between_seeds"]


def test_a_pair_says_what_lies_on_its_line_and_is_measured_once(folder, monkeypatch):
    found = pairs.pairs_of(TINY, units_of(TINY, folder), folder)
    points = []
    monkeypatch.setattr(pairs, "linear_path", lambda *ends, n: points.append(n) or linear_path(*ends, n=n))
    for some in found.values():
        for pair in (pair for each in some.values() for pair in each):
            pairs.measure_pair(pair)
    assert points == [11] * (2 * 3 + 3)
    values = pairs.values_of_pairs(found)
    pair = found["to_first"]["slow"][2]
    one, other = open_run(pair.a.training), open_run(pair.b.training)
    line = linear_path(pair.a.task(), one, other, n=11)
    assert values["barrier_to_first"]["slow"][2] == pytest.approx(line.barrier, rel=1e-4, abs=1e-9)
    a, b = one.weights()[-1], other.weights()[-1]
    assert values["distance_to_first"]["slow"][2] == pytest.approx(1 - a @ b / np.linalg.norm(a) / np.linalg.norm(b))
    assert values["barrier_between_seeds"]["fast"].shape == (3,)
    monkeypatch.setattr(pairs, "linear_path", lambda *_, **__: pytest.fail("it was measured again"))
    pairs.measure_pair(pair)


def test_two_kinds_of_networks_and_one_that_diverged_have_no_line(tmp_path, monkeypatch):
    kinds = replace(TINY, variants={"thin": {}, "wide": {"network_options": {"width": 5}}}, seeds=(0, 1))
    units = units_of(kinds, tmp_path)
    for unit in units:
        measure_network(unit)
    monkeypatch.setattr(pairs, "linear_path", lambda *_, **__: pytest.fail("there is no line"))
    found = pairs.pairs_of(kinds, units, tmp_path)
    between = found["to_first"]["wide"][0]
    pairs.measure_pair(between)
    assert json.loads(between.path.read_text()) == {}
    alike = found["between_seeds"]["thin"][0]
    keep(alike.b, {**alike.b.numbers, "diverged": 1.0})
    pairs.measure_pair(alike)
    values = pairs.values_of_pairs({"between_seeds": {"thin": [alike]}, "to_first": {"wide": [between]}})
    assert all(np.isnan(by_variant[name]).all() for by_variant in values.values() for name in by_variant)


@pytest.mark.parametrize(
    ("changed", "is_of_one"),
    [
        ({"data": "signals"}, False),
        ({"data_options": {"n_train": 39}}, False),
        ({"random_share": 0.5}, False),
        ({"loss": "squared"}, False),
        ({"learning_rate": 0.5, "optimizer": "adam", "batch": 10}, True),
    ],
)
def test_a_loss_is_one_of_the_same_samples_labels_and_loss(changed, is_of_one, tmp_path):
    settings = replace(TINY, variants={"one": {}, "other": changed}, seeds=(0,))
    one, other = units_of(settings, tmp_path)
    assert pairs.Pair(a=one, b=other, folder=tmp_path).is_of_one_loss is is_of_one


def test_networks_of_other_labels_have_a_distance_and_no_barrier(tmp_path, monkeypatch):
    some = replace(TINY, variants={"true": {}, "random": {"random_share": 0.5}}, seeds=(0,))
    units = units_of(some, tmp_path)
    for unit in units:
        measure_network(unit)
    monkeypatch.setattr(pairs, "linear_path", lambda *_, **__: pytest.fail("there is no line"))
    found = pairs.pairs_of(some, units, tmp_path)["to_first"]["random"]
    pairs.measure_pair(found[0])
    values = pairs.values_of_pairs({"to_first": {"random": found}})
    assert np.isnan(values["barrier_to_first"]["random"]).all()
    assert (values["distance_to_first"]["random"] > 0).all()


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


def test_a_pair_of_other_networks_is_another_pair(tmp_path):
    at = {rate: replace(TINY, variants={"fast": {}, "slow": {"learning_rate": rate}}) for rate in (0.005, 0.01)}
    first, other = (pairs.pairs_of(settings, units_of(settings, tmp_path), tmp_path) for settings in at.values())
    assert first["to_first"]["slow"][0].path != other["to_first"]["slow"][0].path
    assert first["between_seeds"]["fast"][0].path == other["between_seeds"]["fast"][0].path


def test_each_kind_of_network_has_its_own_map(tmp_path):
    variants = {"a": {}, "b": {"learning_rate": 0.01}, "c": {"network_options": {"width": 5}}}
    variants |= {
        name: {"network_options": {"width": 6}, "learning_rate": rate} for name, rate in (("d", 0.1), ("e", 0.2), ("f", 0.3))
    }
    kinds = replace(TINY, variants=variants, seeds=(0,))
    units = units_of(kinds, tmp_path)
    for unit in units:
        measure_network(unit)
    made = maps.of_trainings(kinds, units[::-1])
    assert list(made) == ["a and b", "c", "d and 2 more"]
    assert [trace.group for trace in made["d and 2 more"].traces] == ["d", "e", "f"]


def test_predictions_are_those_of_their_own_run_in_whatever_order_they_come(folder):
    shared = replace(TINY, shared="predictions")
    units = units_of(shared, folder)
    here = maps.of_trainings(shared, units)
    with Reversed(len(units)) as executor:
        there = maps.of_trainings(shared, units, executor=executor)
    assert list(here) == list(there) == [maps.ALL]
    np.testing.assert_array_equal(here[maps.ALL].distances, there[maps.ALL].distances)
    assert [trace.group for trace in here[maps.ALL].traces] == ["fast"] * 3 + ["slow"] * 3


def test_all_are_asked_about_the_samples_of_the_first(tmp_path):
    shared = replace(TINY, shared="predictions", seeds=(0,), variants={"fast": {}, "few": {"data_options": {"n_train": 25}}})
    units = units_of(shared, tmp_path)
    for unit in units:
        measure_network(unit)
    made = maps.of_trainings(shared, units)[maps.ALL]
    samples = units[0].recipe.samples()
    each = [predictions(unit.task(data=samples), open_run(unit.training)) for unit in units]
    np.testing.assert_allclose(made.distances**2, prediction_distances(np.concatenate(each)), atol=1e-12)


def test_results_come_with_their_numbers_and_a_failure_ends_the_rest():
    done = []

    def work(item):
        if item == "bad":
            raise ValueError(item)
        done.append(item)
        return item.upper()

    assert list(results(work, ["a", "b"], None)) == [(0, "A"), (1, "B")]
    with Reversed(3) as executor:
        assert sorted(results(work, ["a", "b", "c"], executor)) == [(0, "A"), (1, "B"), (2, "C")]
    done.clear()
    with ThreadPoolExecutor(1) as executor, pytest.raises(ValueError, match="bad"):
        list(results(work, ["bad", *"a" * 200], executor))
    assert len(done) < 200


def test_time_of_all_runs_of_one_key_is_added_up(tmp_path, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(f"{Clock.__module__}.time.monotonic", lambda: now[0])
    one, other = Clock(tmp_path, "one"), Clock(tmp_path, "other")
    now[0] = 102.0
    assert one.note() == 2
    now[0] = 103.0
    assert (one.note(), other.note()) == (3, 3)  # stopped here
    now[0] = 200.0
    again = Clock(tmp_path, "one")
    now[0] = 204.0
    assert again.note() == 3 + 4
    again.begin_anew()
    now[0] = 205.0
    assert again.note() == 1
    assert other.note() == 105


def test_a_second_process_halves_the_time_and_retrainings_count(monkeypatch):
    module = cost.__module__
    for name, seconds in (("seconds_of_update", 2.0), ("seconds_of_recording", 0.25)):
        monkeypatch.setattr(f"{module}.{name}", lambda _task, seconds=seconds: seconds)
    monkeypatch.setattr(f"{module}.seconds_of_evaluation", lambda _task, *, n_samples: n_samples / 1000)
    monkeypatch.setattr(f"{module}.n_bytes", lambda _task: 100)
    n_test = TINY.recipe.n_samples()[1]
    of_point = 0.25 + (40 + n_test) / 1000
    plain = cost(TINY)
    assert plain.n_points == 6 * 6
    assert plain.seconds == pytest.approx(6 * (5 * 2 * 2.0 + 6 * of_point))
    assert plain.n_bytes == 36 * 100
    assert str(plain).endswith("on disk")
    assert str(cost(replace(TINY, with_curvature=True))).endswith("on disk, not counting sharpness and curvature")
    twice = cost(replace(TINY, recipe=replace(TINY.recipe, passes=2)))
    assert twice.seconds == pytest.approx(6 * (5 * 2 * 2 * 2.0 + 6 * of_point))
    parted = cost(replace(TINY, variants={"trunk": {}, "3": {"fork": 3}}))
    assert parted.n_points == 3 * 6 + 3 * (6 + 3)
    assert parted.seconds == pytest.approx(3 * (5 + 5 + 2) * 2 * 2.0 + parted.n_points * of_point)
    whole = replace(TINY.recipe, data="cifar10", data_options={"folder": "nowhere"}, network_options={"width": 2}, batch=0)
    full = cost(replace(TINY, recipe=whole))
    assert full.seconds == pytest.approx(6 * (5 * 2.0 * 50_000 / 256 + 6 * (0.25 + 60)))
    assert cost(TINY, workers=2).seconds == pytest.approx(plain.seconds / 2)
    jumping = replace(TINY, jump=Jump(seeds=(0, 1), steps=(0.5, 1.0), epochs=3, passes=2))
    more = cost(jumping)
    points = 6 + (2 * 2 + 1) * 4 + 1
    assert more.n_retrainings == 6 * 5
    assert more.n_points == 6 * points
    assert more.seconds == pytest.approx(6 * ((5 * 2 + 5 * 3 * 2 * 2) * 2.0 + points * of_point))


def test_time_is_taken_with_as_many_threads_as_a_process_will_have(monkeypatch):
    seen = []
    monkeypatch.setattr(f"{cost.__module__}.seconds_of_update", lambda _task: seen.append(torch.get_num_threads()) or 1.0)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        cost(TINY)
        cost(TINY, workers=2)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert seen == [2, 2, 1, 1]
