"""A comparison from nothing to its page: what is done once, what goes on, and what is refused."""

import html
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from small_comparison import PRESET, SMALL

from lossatlas import open_run
from lossatlas.experiments import gallery
from lossatlas.experiments import training as training_module
from lossatlas.experiments.comparison import unit as unit_module
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
    assert counts[-1] == PRESET.n_units(SMALL)


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
    monkeypatch.setattr(type(PRESET), "settings", replace(SMALL, title="Other"))
    gallery.make_gallery(tmp_path, progress=lambda *what: told.append(what))
    assert "Other" in front.read_text()
    assert (tmp_path / "small" / "summary.json").read_bytes() != kept


def test_the_gallery_names_what_it_has(tmp_path, site, refuses):
    with refuses("the gallery has small, but 'large' was asked for; choose one of them"):
        gallery.make_gallery(tmp_path, ["large"])
