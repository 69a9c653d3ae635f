"""Settings of comparisons: files, what variants change, and what names the work."""

from dataclasses import replace
from importlib.resources import files

import pytest
from small_comparison import SMALL

from lossatlas.experiments import EXPERIMENTS, experiment
from lossatlas.experiments.comparison import Jump, Preset, Recipe, Settings, settings
from lossatlas.experiments.comparison.settings import settings_of

PRESETS = [name for name in EXPERIMENTS if isinstance(experiment(name), Preset)]


@pytest.mark.parametrize("name", PRESETS)
def test_each_preset_has_a_file_of_its_name_and_three_seeds(name):
    found = experiment(name).default_settings()
    assert files("lossatlas.experiments.presets").joinpath(f"{name.replace('-', '_')}.toml").is_file()
    assert len(found.seeds) >= 3
    assert found.title
    assert found.question.endswith("?")


@pytest.mark.parametrize("name", PRESETS)
def test_seeds_of_two_runs_are_apart(name):
    first, second = (experiment(name).default_settings(seed=seed).seeds for seed in (0, 1))
    assert not set(first) & set(second)


def test_a_variant_changes_what_it_says_and_nothing_else():
    fast, slow = (SMALL.recipe_of(name) for name in ("fast", "slow"))
    assert fast == SMALL.recipe
    assert slow == replace(SMALL.recipe, learning_rate=0.005)


def test_options_are_of_one_thing_and_replaced_as_a_whole():
    found = replace(SMALL, variants={"a": {}, "b": {"data": "wine", "data_options": {"split": 1}}})
    assert found.recipe_of("a").data_options == {"n_train": 40}
    assert found.recipe_of("b").data_options == {"split": 1}


@pytest.fixture
def read(monkeypatch, tmp_path):
    """Read settings from text, as if it was the file of a preset."""

    def reading(text, **asked):
        (tmp_path / "own.toml").write_text(text)
        monkeypatch.setattr(settings, "files", lambda _: tmp_path)
        return settings_of("own", **asked)

    return reading


TEXT = """
title = "T"
question = "Q?"
seeds = [0, 1, 2]
[recipe]
epochs = 4
[variants.a]
[variants.b]
learning_rate = 0.5
[jump]
epochs = 3
[paper.recipe]
epochs = 200
[paper.variants.b]
weight_decay = 0.1
"""


def test_a_file_is_read(read):
    found = read(TEXT)
    assert found.seeds == (0, 1, 2)
    assert found.recipe == Recipe(epochs=4)
    assert found.recipe_of("b") == Recipe(epochs=4, learning_rate=0.5)
    assert found.jump == Jump(epochs=3)


def test_the_full_size_is_the_same_file_with_changes(read):
    found = read(TEXT, scale="paper")
    assert found.recipe == Recipe(epochs=200)
    assert found.recipe_of("b") == Recipe(epochs=200, learning_rate=0.5, weight_decay=0.1)
    assert found.jump == Jump(epochs=3)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("epochs = 4", "epoch = 4", r"own\.toml\.recipe\.epoch: .*Unexpected"),
        ("epochs = 4", "epochs = 0", r"recipe: epochs must be 1 or more, but is 0; change it"),
        ("epochs = 4", "epochs = 1.5", r"own\.toml\.recipe\.epochs: .*but 1\.5 came; change it"),
        ("learning_rate = 0.5", "learning_rate = -1", r"variants\.b.*learning_rate must be above 0, but is -1"),
        ("learning_rate = 0.5", 'optimizer = "fast"', r"optimizer must be one of .*momentum.*, but is 'fast'; choose one"),
        ("[variants.b]", "[jump.b]", r"jump\.b"),
        ("[0, 1, 2]", "[0, 0]", r"seeds must be different whole numbers from 0 on"),
        ("[0, 1, 2]", "[0, -1]", r"seeds must be different whole numbers from 0 on"),
        ("[variants.b]", '[variants."a/../b"]', r"a variant's name must be letters"),
        ("[jump]", "[jump", r"own\.toml is no TOML: .*; mend it"),
    ],
)
def test_what_is_wrong_is_named_by_its_place(read, refuses, old, new, expected):
    with refuses(expected):
        read(TEXT.replace(old, new))


def test_a_size_that_is_not_there_is_refused(read, refuses):
    with refuses("own has no full size; leave out --scale paper"):
        read(TEXT[: TEXT.index("[paper")], scale="paper")


def test_one_variant_is_no_comparison(refuses):
    with refuses("2 variants or more, but has 1"):
        replace(SMALL, variants={"alone": {}})


def test_the_key_is_of_all_that_decides_the_numbers_and_of_nothing_else():
    key = SMALL.key("fast", 0)
    assert key == replace(SMALL, title="other", seeds=(0, 1, 2), variants={**SMALL.variants, "third": {}}).key("fast", 0)
    assert key == replace(SMALL, recipe=replace(SMALL.recipe, device="auto")).key("fast", 0)
    others = [
        SMALL.key("slow", 0),
        SMALL.key("fast", 1),
        replace(SMALL, jump=None).key("fast", 0),
        replace(SMALL, jump=replace(SMALL.jump, epochs=4)).key("fast", 0),
        replace(SMALL, recipe=replace(SMALL.recipe, shift=1)).key("fast", 0),
        replace(SMALL, with_curvature=True).key("fast", 0),
        replace(SMALL, options={"k": 1}).key("fast", 0),
    ]
    assert len({key, *others}) == 1 + len(others)


def test_other_code_is_other_work(monkeypatch):
    key = SMALL.key("fast", 0)
    monkeypatch.setattr(settings, "__version__", "999")
    assert SMALL.key("fast", 0) != key


def test_a_rate_falls_after_the_first_epoch_at_the_soonest():
    assert Recipe(epochs=10, milestones=(0.01, 0.5, 0.75)).drop_after() == [1, 5, 8]


def test_a_retraining_begins_at_a_share_of_the_rate_of_its_training():
    jump = Jump(seeds=(3, 4), steps=(0.5,), epochs=7, rate=0.1, batchnorm="stale")
    made = jump.settings(0.5)
    assert (made.seeds, made.steps, made.epochs, made.batchnorm) == ((3, 4), (0.5,), 7, "stale")
    assert made.learning_rate == pytest.approx(0.05)


def test_settings_are_frozen():
    assert isinstance(SMALL, Settings)
    with pytest.raises(AttributeError):
        SMALL.title = "other"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "lossatlas demo optimizers"),
        ({"scale": "paper"}, "lossatlas demo optimizers --scale paper"),
        ({"epochs": 3}, "lossatlas demo optimizers --epochs 3"),
        ({"seed": 2, "scale": "paper"}, "lossatlas demo optimizers --scale paper --seed 2"),
    ],
)
def test_the_command_is_the_one_that_makes_it_again(options, said):
    preset = experiment("optimizers")
    made = preset.default_settings(**options)
    assert preset.command(made) == said
    own = replace(made, title="My own")
    assert preset.command(own) == 'experiment("optimizers").run(folder, settings)'


def test_a_comparison_with_a_hessian_is_another_than_one_without(monkeypatch):
    preset = experiment("optimizers")
    made = preset.default_settings()
    keys = set()
    for there in (True, False):
        monkeypatch.setattr(f"{Preset.__module__}.has_hessian", lambda there=there: there)
        keys.add(preset.key(made))
    assert len(keys) == 2
    assert preset.key(replace(made, with_curvature=False)) not in keys
