"""The full size of each comparison: the same path on tiny sets of images in the formats of the real ones."""

from dataclasses import replace

import numpy as np
import pytest
from image_files import let_read, write_images

from lossatlas.experiments import EXPERIMENTS, experiment
from lossatlas.experiments.comparison import Preset
from lossatlas.experiments.comparison.recipe import task_of
from lossatlas.sample.task import update

SIZED = [name for name in EXPERIMENTS if isinstance(found := experiment(name), Preset) and found.has_full_size]


@pytest.fixture
def tiny_cifar(tmp_path, monkeypatch):
    """Sixty images to train on and twenty to test on, as CIFAR-10 keeps its own."""
    rng = np.random.default_rng(0)

    def drawn(n):
        return rng.integers(256, size=(n, 32, 32, 3), dtype=np.uint8), np.arange(n) % 10

    write_images("cifar10", tmp_path / "data", drawn(60), drawn(20))
    let_read(monkeypatch)
    return tmp_path / "data"


def at_full_size(name, folder):
    """The settings of a full size on the images in ``folder``."""
    settings = experiment(name).default_settings(scale="paper")
    options = {**settings.recipe.data_options, "folder": str(folder)}
    return replace(settings, recipe=replace(settings.recipe, data_options=options))


@pytest.mark.parametrize("name", SIZED)
def test_the_full_size_is_that_of_the_paper(name):
    settings = experiment(name).default_settings(scale="paper")
    assert settings.recipe.data == "cifar10"
    assert settings.recipe.epochs == 200
    assert settings.recipe.drop_after() == [100, 150, 185]
    assert settings.recipe.precision == "bfloat16"
    small = experiment(name).default_settings()
    assert (settings.jump is None) == (small.jump is None)
    if settings.jump is not None:
        assert (settings.jump.seeds, settings.jump.steps) == ((0, 1, 2, 3), (0.25, 0.5, 0.75, 1.0))
        assert settings.jump.rate == 0.01
    assert list(settings.variants) == list(small.variants)
    assert settings.seeds == small.seeds


@pytest.mark.parametrize("name", SIZED)
def test_every_variant_takes_a_step_at_full_size(name, tiny_cifar):
    settings = at_full_size(name, tiny_cifar)
    for variant in settings.variants:
        task = task_of(settings.recipe_of(variant), 0, name="")
        x, y = next(iter(task.train))
        update(task, task.model, task.optimizer(task.model.parameters()), (x[:4], y[:4]))
        assert all(parameter.isfinite().all() for parameter in task.model.parameters()), variant


@pytest.mark.slow
def test_its_path_goes_from_the_files_to_the_page(tiny_cifar, tmp_path):
    settings = at_full_size("good-bad-memorised", tiny_cifar)
    recipe = replace(settings.recipe, epochs=2, batch=30, network_options={"depth": 10, "width": 1}, milestones=(0.5,))
    jump = replace(settings.jump, seeds=(0,), steps=(1.0,), epochs=2)
    few = replace(settings, recipe=recipe, jump=jump, seeds=(0, 1), with_curvature=False)
    preset = experiment("good-bad-memorised")
    cost = preset.cost(few)
    assert cost.n_networks == 6
    report = preset.run(tmp_path / "full", few)
    assert {path.name for path in report.draw(tmp_path / "full")} >= {"index.html", "atlas.html", "atlas.png"}
    # Random labels are of the training images alone: by chance one in ten is right.
    assert report.summary["measures"]["test_accuracy"]["variants"]["memorised"]["mean"] < 0.6
    again = preset.run(tmp_path / "full", few)
    assert again.table == report.table


def test_the_estimate_needs_no_images(monkeypatch):
    settings = experiment("good-bad-memorised").default_settings(scale="paper")
    thin = {"depth": 10, "width": 1}
    few = replace(settings, recipe=replace(settings.recipe, network_options=thin), variants={"a": {}, "b": {"shift": 4}})
    cost = experiment("good-bad-memorised").cost(few)
    # 391 updates an epoch: a day at the least on one processor, which no stand-in of 256 images would come to.
    assert cost.seconds > 3600
    assert cost.n_points == 2 * 3 * (201 + 1 + 17 * 41)


def test_without_the_images_nothing_is_begun(tmp_path, monkeypatch, refuses):
    let_read(monkeypatch)
    settings = at_full_size("optimizers", tmp_path / "nowhere")
    with refuses("CIFAR-10 is not in .*nowhere"):
        experiment("optimizers").run(tmp_path / "full", settings)
    assert not list((tmp_path / "full").iterdir())
