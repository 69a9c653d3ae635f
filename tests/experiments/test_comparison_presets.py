"""Each comparison at a size that tests can wait for: from its file to what it says."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from lossatlas import open_run
from lossatlas.experiments import EXPERIMENTS, experiment
from lossatlas.experiments.comparison import Preset
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
