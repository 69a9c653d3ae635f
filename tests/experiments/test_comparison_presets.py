"""Each comparison at a size that tests can wait for: from its file to what it says."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from lossatlas import open_run
from lossatlas.experiments import EXPERIMENTS, experiment
from lossatlas.experiments.comparison import Findings, Preset
from lossatlas.experiments.comparison.unit import units_of
from lossatlas.experiments.networks.precision import MixedPrecision
from lossatlas.experiments.presets import forks, grokking

PRESETS = [name for name in EXPERIMENTS if isinstance(experiment(name), Preset)]


def quick(name, *, epochs):
    """The settings of a preset, its trainings and samples cut short."""
    settings = experiment(name).default_settings()
    jump = None if settings.jump is None else replace(settings.jump, seeds=(0,), steps=(1.0,), epochs=1, passes=1)
    variants = {variant: dict(own) for variant, own in settings.variants.items()}
    for own in variants.values():
        if own.get("fork"):
            own["fork"] = min(own["fork"], epochs - 1)
    recipe = replace(settings.recipe, epochs=epochs, passes=1)
    return replace(settings, recipe=recipe, variants=variants, jump=jump, seeds=settings.seeds[:2], with_curvature=False)


@pytest.mark.slow
@pytest.mark.parametrize("name", PRESETS)
def test_it_goes_from_its_file_to_what_it_says(name, tmp_path):
    settings = quick(name, epochs=2)  # too short for a map of each network, which is what takes long
    report = experiment(name).run(tmp_path, settings)
    assert 2 <= len(report.conclusions) <= 3
    assert all("cannot be concluded" in text for text in report.conclusions[-1:])
    assert not any("nan" in text for text in report.conclusions)
    assert {claim.verdict for claim in report.claims} <= {"held", "not held", "not testable here"}
    assert all(claim.number and claim.source for claim in report.claims)
    assert report.table[0] == ["", *settings.variants, "told apart"]
    labels = [row[0] for row in report.table]
    assert len(set(report.meanings)) >= len({label for label in labels if label}) - labels.count("… of a random walk")
    paths = report.draw(tmp_path)
    assert all(path.exists() for path in paths)
    if settings.shared == "predictions":
        assert tmp_path / "methods.png" in paths


def test_a_fork_leaves_its_twin_at_its_epoch_and_not_before(tmp_path):
    settings = replace(quick("forks", epochs=4), variants={"trunk": {}, "0": {"fork": 0}, "2": {"fork": 2}})
    units = [unit for unit in units_of(settings, tmp_path) if unit.seed == 0]
    for unit in units:
        forks.measure(unit)
    trunk, *others = (open_run(unit.training).weights() for unit in units)
    for unit, weights in zip(units[1:], others, strict=True):
        twin = open_run(unit.trunk).weights()
        np.testing.assert_array_equal(twin, trunk)
        np.testing.assert_array_equal(weights[0], trunk[unit.recipe.fork])
        assert not np.array_equal(weights[1], trunk[unit.recipe.fork + 1])
        assert len(weights) == len(trunk) - unit.recipe.fork
        assert unit.numbers["length_to_twin"] == pytest.approx(np.linalg.norm(weights[-1] - twin[-1]), rel=1e-6)
    assert units[0].numbers.get("length_to_twin") is None


def test_a_network_that_never_fits_has_no_moment(tmp_path):
    settings = replace(quick("grokking", epochs=6), variants={"decay": {}, "no decay": {"weight_decay": 0.0}}, jump=None)
    report = experiment("grokking").run(tmp_path, settings)
    assert report.summary["measures"].get("halfway_inpca") is None
    assert report.claims[0].verdict == "not held"
    assert report.claims[2].verdict == "not testable here"


def said_of(name, **values):
    """Findings of a preset's own variants; ``values`` by measure, one of each variant, the same in every seed."""
    preset = experiment(name)
    settings = preset.default_settings()
    n = len(settings.seeds)
    of = {measure: {one: np.full(n, float(value)) for one, value in each.items()} for measure, each in values.items()}
    return preset, Findings(settings=settings, values=of, further=preset.further)


@pytest.mark.parametrize(
    ("above", "since"),
    [
        ({"0": 0.1, "1": 0.01, "2": 0.03, "4": 0.01, "8": 0.0, "16": 0.0}, "within 2% of its ends from epoch 4 on"),
        ({"0": 0.0, "1": 0.01, "2": 0.01, "4": 0.01, "8": 0.0, "16": 0.0}, "within 2% of its ends from epoch 0 on"),
        ({"0": 0.1, "1": 0.01, "2": 0.01, "4": 0.01, "8": 0.0, "16": 0.1}, "within 2% of its ends from none of these epochs on"),
    ],
)
def test_forks_are_stable_from_the_epoch_after_which_all_are(above, since):
    preset, found = said_of("forks", train_error_above=above)
    assert since in preset.conclusions(found)[0]


@pytest.mark.parametrize(("falls", "verdict"), [(True, "held"), (False, "not held")])
def test_the_barrier_of_forks_is_claimed_to_fall(falls, verdict):
    rising = {"0": 1, "1": 2, "2": 3, "4": 4, "8": 5, "16": 6}
    preset, found = said_of("forks", train_loss_above={name: -value if falls else value for name, value in rising.items()})
    assert preset.claims(found)[0].verdict == verdict


def test_optimisers_that_do_not_all_fit_say_nothing_of_how_those_generalise():
    names = list(experiment("optimizers").default_settings().variants)
    test = dict.fromkeys(names, 0.9) | {"SGD": 0.8}
    preset, found = said_of("optimizers", train_accuracy=dict.fromkeys(names, 0.99), test_accuracy=test)
    assert preset.claims(found)[-1].verdict == "held"
    preset, found = said_of("optimizers", train_accuracy=dict.fromkeys(names, 1.0), test_accuracy=test)
    found.values["train_accuracy"]["Adadelta"][1] = 0.98
    assert preset.claims(found)[-1].verdict == "not testable here"
    assert preset.claims(found)[-1].number == "Adadelta does not fit its training samples in every seed"


@pytest.mark.parametrize(
    ("fits", "late", "at_fit", "verdict"),
    [(3, 40, 0.01, "held"), (3, 14, 0.01, "not held"), (3, 40, 0.3, "not held"), (3, np.nan, 0.01, "not held")],
)
def test_grokking_is_late_and_begins_at_chance(fits, late, at_fit, verdict):
    preset, found = said_of(
        "grokking",
        epochs_to_fit={"decay": fits},
        epochs_to_generalise={"decay": late},
        accuracy_when_it_fits={"decay": at_fit},
    )
    assert preset.claims(found)[0].verdict == verdict
    assert ("follow in no seed, with" in preset.conclusions(found)[0]) == np.isnan(late)


@pytest.mark.parametrize(("last", "verdict"), [([0.04] * 3, "held"), ([0.04, 0.2, 0.04], "not held")])
def test_without_decay_no_seed_may_generalise(last, verdict):
    preset, found = said_of("grokking", test_accuracy={"no decay": 0.04})
    found.values["test_accuracy"]["no decay"][:] = last
    assert preset.claims(found)[1].verdict == verdict


@pytest.mark.parametrize(("moments", "verdict"), [((20, 30, 40), "held"), ((30, 20, 40), "not held")])
def test_a_map_shows_when_a_network_generalises_if_its_moments_come_in_that_order(moments, verdict):
    names = ("more data", "more decay", "decay")
    epochs = dict(zip(names, (10, 20, 40), strict=True))
    preset, found = said_of("grokking", epochs_to_generalise=epochs, halfway_inpca=dict(zip(names, moments, strict=True)))
    assert preset.claims(found)[2].verdict == verdict


def test_half_way_is_where_the_end_becomes_nearer():
    line = np.array([0.0, 0.1, 0.2, 5.2, 9.9, 10.0])
    distances = np.abs(np.subtract.outer(line, line))
    assert grokking.halfway(distances, 0) == 3
    assert grokking.halfway(distances[:3, :3], 0) == 1  # 0.1 is as near to either


def test_a_network_of_mixed_precision_computes_in_few_digits_and_keeps_many():
    inner = nn.Linear(64, 8)
    mixed = MixedPrecision(inner)
    x = torch.randn(32, 64, generator=torch.Generator().manual_seed(0))
    said = mixed(x)
    assert said.dtype == torch.float32
    assert not torch.equal(said, inner(x))
    torch.testing.assert_close(said, inner(x), rtol=0.02, atol=0.02)
    said.sum().backward()
    assert inner.weight.dtype == inner.weight.grad.dtype == torch.float32
