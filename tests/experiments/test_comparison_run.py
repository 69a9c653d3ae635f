"""A comparison from nothing to its page: what is done once, what goes on, and what is refused."""

import html
import json
import re
from dataclasses import replace

import matplotlib.image as mpl_image
import numpy as np
import pytest
from small_comparison import PRESET, SMALL, Small

from lossatlas import InputError, open_run
from lossatlas.experiments import gallery
from lossatlas.experiments import training as training_module
from lossatlas.experiments.comparison import unit as unit_module
from lossatlas.experiments.comparison.measures import Measure
from lossatlas.experiments.comparison.unit import units_of
from lossatlas.experiments.report import write_report
from lossatlas.sample import LocalPool


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("small")
    report = PRESET.run(folder, SMALL)
    return folder, report, write_report(report, folder)


@pytest.fixture
def nothing_is_trained(monkeypatch):
    """Refuse all work but reading."""

    def refuse(*_args, **_keywords):
        pytest.fail("it was done again")

    monkeypatch.setattr(training_module, "train", refuse)
    for name in ("curvature", "sharpness"):
        monkeypatch.setattr(unit_module, name, refuse)


def test_numbers_are_those_of_the_runs(made):
    folder, report, _ = made
    run = open_run(folder / "training" / "slow" / "seed-1")
    measures = report.summary["measures"]
    assert measures["test_loss"]["variants"]["slow"]["values"][1] == pytest.approx(run.metrics["test_loss"][-1])
    ends = [open_run(folder / "training" / "fast" / f"seed-{seed}").weights()[-1] for seed in (0, 1)]
    cosine = 1 - ends[0] @ ends[1] / np.linalg.norm(ends[0]) / np.linalg.norm(ends[1])
    assert measures["distance_between_seeds"]["variants"]["fast"]["values"] == [pytest.approx(cosine)]
    norms = measures["norm"]["variants"]["fast"]["values"]
    assert norms == [pytest.approx(np.linalg.norm(end)) for end in ends]
    assert len(measures["barrier_to_first"]["variants"]["slow"]["values"]) == 2
    assert measures["barrier_to_first"]["variants"]["fast"]["values"] == [None, None]
    assert report.claims[0].verdict == "held"


def test_variants_begin_at_the_same_starts(made):
    folder, _, _ = made
    for seed in (0, 1):
        fast, slow = (open_run(folder / "training" / name / f"seed-{seed}").weights()[0] for name in ("fast", "slow"))
        np.testing.assert_array_equal(fast, slow)
    assert not np.array_equal(fast, open_run(folder / "training" / "fast" / "seed-0").weights()[0])


def test_maps_are_of_all_trainings_and_of_each_variant(made):
    _, report, _ = made
    assert list(report.atlases) == ["All trainings", "Around fast", "Around slow"]
    assert [trace.name for trace in report.atlases["All trainings"].traces] == [
        "fast/seed-0",
        "fast/seed-1",
        "slow/seed-0",
        "slow/seed-1",
    ]
    assert report.atlases["Around fast"].n_points == 1 + 2 * 4


def test_the_page_says_what_was_found(made):
    folder, report, written = made
    assert [path.name for path in written] == ["index.html", "atlas.html", "atlas.png", "atlas-2.png", "summary.json"]
    page = (folder / "index.html").read_text()
    assert "<h1>Slow &amp; fast</h1>" in page
    assert report.conclusions[0] in page
    assert "Held." in page
    for row in report.table[1:]:
        assert f'<th scope="row">{html.escape(row[0]).replace("&#x27;", "&#39;")}</th>' in page
    assert 'src="http' not in page
    assert json.loads((folder / "summary.json").read_text())["conclusions"] == list(report.conclusions)


def test_what_is_done_is_not_done_again(made, nothing_is_trained):
    folder, report, _ = made
    again = PRESET.run(folder, SMALL)
    assert again.table == report.table
    assert again.seconds > report.seconds  # both runs' time


def test_a_stopped_comparison_goes_on(tmp_path, made, monkeypatch):
    class StoppedError(Exception):
        pass

    def stop_after_two(done, _what):
        if done == 2:
            raise StoppedError

    with pytest.raises(StoppedError):
        PRESET.run(tmp_path, SMALL, progress=stop_after_two)
    known = [unit for unit in units_of(SMALL, tmp_path) if unit.numbers is not None]
    assert len(known) == 2
    assert json.loads((tmp_path / "took.json").read_text())[PRESET.key(SMALL)] > 0  # its time counts, though it was stopped
    trained = []
    train = training_module.train
    monkeypatch.setattr(training_module, "train", lambda training: trained.append(training.path) or train(training))
    assert PRESET.run(tmp_path, SMALL).table == made[1].table
    assert sorted(trained) == sorted(unit.training for unit in units_of(SMALL, tmp_path) if unit.seed == 1)


@pytest.mark.slow
def test_processes_find_the_same(tmp_path, made):
    with LocalPool(2) as pool:
        assert PRESET.run(tmp_path, SMALL, executor=pool).table == made[1].table


def test_other_settings_are_refused_or_replace_what_is_there(tmp_path, refuses):
    PRESET.run(tmp_path, SMALL)
    other = replace(SMALL, variants={"fast": {}, "slow": {"learning_rate": 0.01}})
    with refuses("was made with other settings; choose another folder or remove that one"):
        PRESET.run(tmp_path, other)
    fast, slow = tmp_path / "training" / "fast" / "seed-0", tmp_path / "training" / "slow" / "seed-0"
    kept, replaced = ((run / "run.json").stat().st_mtime_ns for run in (fast, slow))
    found = PRESET.run(tmp_path, other, stale="replace")
    assert (fast / "run.json").stat().st_mtime_ns == kept
    assert (slow / "run.json").stat().st_mtime_ns != replaced
    assert found.summary["settings"]["variants"]["slow"] == {"learning_rate": 0.01}


def test_time_of_what_was_removed_does_not_count(tmp_path):
    own = replace(SMALL, seeds=(0,), jump=None)
    other = replace(own, recipe=replace(own.recipe, epochs=4))
    PRESET.run(tmp_path, own)
    took = tmp_path / "took.json"
    took.write_text(json.dumps({PRESET.key(own): 1e6}))
    assert PRESET.run(tmp_path, own).seconds > 1e6
    PRESET.run(tmp_path, other, stale="replace")
    assert PRESET.run(tmp_path, own, stale="replace").seconds < 1e5


def test_data_that_are_not_there_are_refused_before_any_work(tmp_path):
    absent = {"data": "cifar10", "data_options": {"folder": str(tmp_path / "none")}}
    with pytest.raises(InputError):
        PRESET.run(tmp_path / "made", replace(SMALL, variants={"fast": {}, "absent": absent}))
    assert not (tmp_path / "made" / "training").exists()


def test_a_preset_may_read_numbers_off_its_maps_and_leave_pairs_out(made):
    folder, _, _ = made
    asked = []

    def of_maps(units, atlases):
        asked.append(([unit.variant for unit in units], list(atlases)))
        return {"half_way": {"fast": np.array([1.0, 3.0]), "slow": np.array([5.0, np.nan])}}

    half_way = Measure(name="half_way", label="half-way", meaning="Where the end becomes nearer than the start.")
    own = replace(PRESET, further=(half_way,), of_maps=of_maps, with_pairs=False)
    told = []
    report = own.run(folder, SMALL, progress=lambda done, _what: told.append(done))
    assert asked == [(["fast", "slow"] * 2, ["All trainings"])]
    row = next(row for row in report.table if row[0] == "half-way")
    assert row[1:3] == ["2 ± 1.4", "5 (1 of 2)"]
    assert report.meanings["half-way"] == half_way.meaning
    assert not [name for name in report.summary["measures"] if name.startswith(("barrier", "distance"))]
    assert set(told) == set(range(own.n_units(SMALL) + 1))


def test_pictures_are_of_trainings_first_and_of_four_maps_at_most(tmp_path, made):
    kinds = replace(SMALL, seeds=(0,), variants={"fast": {}, "wide": {"network_options": {"width": 9}}})
    assert PRESET.run(tmp_path, kinds).pictures() == {
        "atlas.png": ["fast", "wide"],
        "atlas-2.png": ["Around fast", "Around wide"],
    }
    many = replace(made[1], atlases=dict.fromkeys(["All trainings", *"abcdef"], made[1].atlases["All trainings"]))
    assert list(many.pictures().values()) == [["All trainings"], [*"abcd"], [*"ef"]]


def test_a_map_of_predictions_is_drawn_by_each_method_too(tmp_path):
    own = replace(SMALL, seeds=(0,), jump=None, shared="predictions", recipe=replace(SMALL.recipe, epochs=3))
    report = PRESET.run(tmp_path, own)
    assert report.methods == "All trainings"
    assert (tmp_path / "methods.png") in report.draw(tmp_path)
    alone, methods = (mpl_image.imread(tmp_path / name).shape for name in ("atlas.png", "methods.png"))
    assert methods[1] / methods[0] > 1.5 * alone[1] / alone[0]  # the methods stand side by side
    assert "methods.png" in (tmp_path / "index.html").read_text()


def test_a_variant_that_diverges_is_a_finding(tmp_path):
    report = PRESET.run(tmp_path, replace(SMALL, variants={"fast": {}, "wild": {"learning_rate": 1e30}}, jump=None))
    rows = {row[0]: row[1:3] for row in report.table}
    assert rows["diverged"] == ["0.0% ± 0.0", "100.0% ± 0.0"]
    assert rows["norm of the weights"][1] == "–"
    assert report.claims[0].verdict == "not testable here"
    assert {trace.group for trace in report.atlases["All trainings"].traces} == {"fast"}


def test_progress_ends_where_it_was_said_to(made):
    folder, _, _ = made
    told = []
    PRESET.run(folder, SMALL, progress=lambda done, what: told.append((done, what)))
    counts = [done for done, _ in told]
    assert counts == sorted(counts)
    assert set(counts) == set(range(PRESET.n_units(SMALL) + 1))  # each piece of work is one
    assert [what for _, what in told[-4:]] == ["mapping trainings", "mapping fast", "mapping slow", "done"]


def test_the_cost_counts_every_point():
    cost = PRESET.cost(SMALL, workers=2)
    assert cost.n_networks == 4
    assert cost.n_retrainings == 4 * 3  # two jumps and a control
    assert cost.n_points == 4 * (7 + 1 + 3 * 4)
    assert cost.seconds > 0
    assert re.match(r"4 networks and 12 retrainings, 80 points: about .* on 2 processes, .* on disk", str(cost))


@pytest.fixture
def site(monkeypatch):
    """A gallery of the small comparison alone."""
    monkeypatch.setattr(gallery, "presets", lambda: {"small": PRESET})


def test_the_gallery_makes_what_is_not_up_to_date(tmp_path, site, monkeypatch):
    told = []
    front = gallery.make_gallery(tmp_path, progress=lambda *what: told.append(what))
    page = front.read_text()
    assert "Slow &amp; fast" in page
    assert 'href="small/index.html"' in page
    assert "../index.html" in (tmp_path / "small" / "index.html").read_text()
    assert told[-1] == ("small", PRESET.n_units(SMALL), PRESET.n_units(SMALL), "done")
    kept = (tmp_path / "small" / "summary.json").read_bytes()

    told.clear()
    gallery.make_gallery(tmp_path, progress=lambda *what: told.append(what))
    assert [what[-1] for what in told] == ["up to date"]

    # A file that is there, but not as it was written.
    (tmp_path / "small" / "index.html").write_text("")
    told.clear()
    gallery.make_gallery(tmp_path, progress=lambda *what: told.append(what))
    assert told[-1][-1] == "done"
    assert (tmp_path / "small" / "index.html").read_text()

    # Other settings.
    monkeypatch.setattr(type(PRESET), "settings", replace(SMALL, title="Other", recipe=replace(SMALL.recipe, epochs=4)))
    gallery.make_gallery(tmp_path, progress=lambda *what: told.append(what))
    assert "Other" in front.read_text()
    assert (tmp_path / "small" / "summary.json").read_bytes() != kept


def test_who_stops_has_a_site_of_what_is_made(tmp_path, monkeypatch):
    other = Small(name="other", claims=PRESET.claims, conclusions=PRESET.conclusions)
    monkeypatch.setattr(type(PRESET), "settings", replace(SMALL, seeds=(0,), jump=None))
    monkeypatch.setattr(gallery, "presets", lambda: {"small": PRESET, "other": other})

    def stop_at_other(name, *_):
        if name == "other":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        gallery.make_gallery(tmp_path, progress=stop_at_other)
    front = (tmp_path / "index.html").read_text()
    assert 'href="small/index.html"' in front
    assert 'href="other/index.html"' not in front
    assert "other" in front  # what is missing is said
    # What was written and not signed, as by who stopped in the middle, is no part of it.
    (tmp_path / "other").mkdir(exist_ok=True)
    (tmp_path / "other" / "summary.json").write_text("{}")
    assert [entry.name for entry in gallery.entries(tmp_path, ["small", "other"])] == ["small"]
    (tmp_path / "small" / "atlas.png").unlink()
    assert not gallery.is_up_to_date(tmp_path / "small", PRESET.key(PRESET.settings))


def test_the_gallery_names_what_it_has(tmp_path, site, refuses):
    with refuses("the gallery has small, but 'large' was asked for; choose one of them"):
        gallery.make_gallery(tmp_path, ["large"])
