"""Networks of a comparison in pairs and on maps: which are beside which, and what lies between them."""

import json
from dataclasses import replace

import numpy as np
import pytest
from small_comparison import TINY, Reversed

from lossatlas import open_run, prediction_distances
from lossatlas.experiments.comparison import maps, pairs
from lossatlas.experiments.comparison.unit import keep, measure_network, units_of
from lossatlas.sample import linear_path, predictions


def test_pairs_are_of_seeds_and_of_the_same_start(tiny_networks):
    units = units_of(TINY, tiny_networks)
    found = pairs.pairs_of(TINY, units, tiny_networks)
    assert [(pair.a.seed, pair.b.seed) for pair in found["between_seeds"]["slow"]] == [(0, 1), (0, 2), (1, 2)]
    assert {pair.a.variant for pair in found["between_seeds"]["slow"]} == {"slow"}
    assert [(pair.a.variant, pair.b.variant, pair.a.seed, pair.b.seed) for pair in found["to_first"]["slow"]] == [
        ("fast", "slow", seed, seed) for seed in (0, 1, 2)
    ]
    assert list(found["to_first"]) == ["slow"]
    assert list(pairs.pairs_of(replace(TINY, shared="predictions"), units, tiny_networks)) == ["between_seeds"]


def test_a_pair_says_what_lies_on_its_line_and_is_measured_once(tiny_networks, monkeypatch):
    found = pairs.pairs_of(TINY, units_of(TINY, tiny_networks), tiny_networks)
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


def test_predictions_are_those_of_their_own_run_in_whatever_order_they_come(tiny_networks):
    shared = replace(TINY, shared="predictions")
    units = units_of(shared, tiny_networks)
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
