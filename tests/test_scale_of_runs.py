"""What many points cost: the formulas by hand, the page that shows them, and the books kept at a small size."""

import re
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

import lossatlas
from benchmarks import scale
from benchmarks.bookkeeping import Bookkeeping, handed_over, kept_books, runs, stages_table, transformer
from benchmarks.scale import Scale, costs, document
from lossatlas.store import open_runs

PAGE = Path(lossatlas.__file__).parents[2] / "docs" / "scale.md"


def amounts(given: Scale) -> dict[str, str]:
    return {cost.part: cost.amount for cost in costs(given)}


def test_the_page_shows_what_the_formulas_give():
    text = PAGE.read_text()
    assert document(text) == text, "python -m benchmarks.scale has other tables; fill them in with benchmarks.scale.document"


def test_the_costs_by_hand():
    # 10 trainings of 6 · 1e9 weights · 2e10 tokens at 4e14 a second: 3e6 s of one GPU.
    given = Scale(weights=1e9, gpu_flops=1e15, utilisation=0.4, gpus=100, retrainings=5e3, snapshots=2e4, probe_tokens=3.6e5)
    assert given.training_hours == pytest.approx(10 * 6 * 1e9 * 2e10 / 4e14 / 3600)
    assert given.retraining_hours == pytest.approx(given.training_hours * 5e3 / 10 / 1e3)
    assert given.probe_hours == pytest.approx(2e4 * 2 * 1e9 * 3.6e5 / 4e14 / 3600) == pytest.approx(10)
    assert given.sketch_bytes == 4 * 4096 + 192
    found = amounts(given)
    assert found["measure the loss"] == "10 GPU hours, 20 to 40 dollars"
    assert found["hold a model in training"] == "16 GB"
    assert found["keep weights"] == "40 TB, 800 dollars a month"
    assert found["copy a snapshot, training waits"] == "1.6 ms"  # 1e7 weights of 4 bytes at 25 GB/s
    assert found["sketch it, a thread beside"] == "18 ms"
    assert found["all distances in memory"] == "3.2 GB"
    assert found["neighbours from sketches"] == "7.62 s"  # 4e8 · 4096 / 2.15e11


def test_training_grows_with_the_square_of_the_weights_and_distances_with_that_of_the_points():
    small, large = Scale(weights=1e8), Scale(weights=2e8)
    assert large.training_hours == pytest.approx(4 * small.training_hours)
    assert replace(small, snapshots=1e6).sketch_bytes == small.sketch_bytes
    assert amounts(replace(small, snapshots=2e5))["all distances in memory"] == "320 GB"


def test_every_assumption_is_an_option_that_changes_something(capsys):
    usual = amounts(Scale())
    for one in fields(Scale):
        other = amounts(replace(Scale(), **{one.name: 3 * one.default}))
        changed = other != usual
        assert changed, f"nothing hangs on {one.name}"
    scale.main(["--weights", "1e9", "--sketch-ns", "3"])
    printed = capsys.readouterr().out
    assert re.search(r"`--weights` \| 1e\+09 \|", printed)
    assert "| hold a model in training | FSDP2 | state bytes · weights | 16 GB |" in printed


@pytest.mark.parametrize("weights", [10, 10**6, 10**10, 10**10 + 7])
def test_a_transformer_has_exactly_so_many_weights(weights):
    assert sum(entry.size for entry in transformer(weights)) == weights


def test_what_the_processes_hand_over_adds_up_to_the_point():
    asked = Bookkeeping(weights=1003, ranks=8)
    rng = np.random.default_rng(0)
    start, point = rng.normal(size=(2, 4096))
    total = handed_over(point, start, asked)
    assert total.n_parameters == 1003
    np.testing.assert_allclose(total.values, point - start, rtol=1e-12)
    expected = [point @ point, (point - start) @ (point - start), (point - start) @ start]
    np.testing.assert_allclose(total.moments, expected, rtol=1e-12)


def test_the_books_are_kept(tmp_path):
    asked = Bookkeeping(snapshots=130, weights=10**10, retrainings=12, trainings=2, ranks=3, max_points=40)
    stages = kept_books(tmp_path, asked)
    assert [one.name for one in stages] == ["write", "open", "manifests", "sketches", "neighbours", "map", "page"]
    opened = open_runs(tmp_path / "runs")
    assert len(opened) == 2 + 1 + 12
    assert {run.n_parameters for run in opened} == {10**10}
    assert {run.keep for run in opened} == {"sketch"}
    n = sum(run.n_points for run in opened)
    assert abs(n - 130) <= 15
    assert stages[5].note.startswith(f"{n} points")
    assert (tmp_path / "atlas.html").stat().st_size > 100_000
    assert len(stages_table(stages).splitlines()) == 2 + 7
    # Tensors of runs of one model are held once, however many runs are opened.
    assert len({id(run.tensors) for run in opened}) == 1


def test_the_made_up_runs_are_what_they_are_called():
    asked = Bookkeeping(snapshots=200, retrainings=8, trainings=2)
    made = list(runs(Path("anywhere"), asked))
    trainings = [one for one in made if "kind" not in one.settings]
    optimum = next(one for one in made if one.settings.get("kind") == "optimum").start
    assert len(trainings) == 2
    for one in trainings:  # from one start towards the optimum
        np.testing.assert_array_equal(one.points[0], trainings[0].start)
        assert np.linalg.norm(one.points[-1] - optimum) < 0.5 * np.linalg.norm(one.points[0] - optimum)
    for one in made:
        if one.settings.get("kind") == "retraining":
            away = np.linalg.norm(one.points - optimum, axis=1)
            assert 0.6 < away[-1] / away[0] < 0.85
