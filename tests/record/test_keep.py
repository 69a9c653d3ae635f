"""Sketches in place of weights, or beside them: distances within their error, whatever else is asked of the recorder."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

from lossatlas import Recorder, atlas, audit, open_run
from lossatlas.distance import pairwise, recorded_sketches, sketched_pairwise, sketches
from lossatlas.sketch import sketch


def _model(seed: int = 0) -> nn.Sequential:
    with torch.random.fork_rng([]):
        torch.random.manual_seed(seed)
        return nn.Sequential(nn.Linear(40, 300), nn.BatchNorm1d(300), nn.ReLU(), nn.Linear(300, 10))


def _train(path, model, *, steps=12, seed=0, bad_at=None, **given):
    """Train on noise, recorded."""
    generator = torch.Generator().manual_seed(seed)
    x, y = torch.randn(64, 40, generator=generator), torch.randint(10, (64,), generator=generator)
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.3)
    with Recorder(path, model, **given) as recorder:
        for step in range(steps):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
            if step == bad_at:
                with torch.no_grad():
                    model[0].weight[3, 4] = float("nan")
            recorder.step(loss=loss)
    return open_run(path)


def test_both_has_the_weights_and_their_sketches(tmp_path):
    run = _train(tmp_path / "run", _model(), keep="both")
    assert (run.keep, run.has_weights, run.has_sketches) == ("both", True, True)
    weights = run.weights()
    for point in range(run.n_points):
        made, expected = run.sketch(point), sketch(weights[point], start=weights[0])
        assert made.n_parameters == expected.n_parameters == run.n_parameters
        np.testing.assert_allclose(made.values, expected.values, rtol=1e-6, atol=1e-12)
        for name in ("squared_norm", "squared_displacement", "dot"):
            np.testing.assert_allclose(getattr(made, name), getattr(expected, name), rtol=1e-12, atol=1e-15)
    np.testing.assert_array_equal(run.start().values, sketch(weights[0]).values)
    # Read back they are what the weights give.
    np.testing.assert_allclose(
        sketched_pairwise(recorded_sketches([run])).squared, sketched_pairwise(sketches(weights)).squared, rtol=1e-5
    )


def test_sketches_alone_leave_16_kb_a_point_and_the_same_map(tmp_path):
    both = _train(tmp_path / "both", _model(), keep="both")
    alone = _train(tmp_path / "alone", _model(), keep="sketch")
    assert not (tmp_path / "alone/snapshots").exists()
    sizes = [file.stat().st_size for file in (tmp_path / "alone/sketches").glob("0*")]
    assert len(sizes) == both.n_points
    assert max(sizes) < 17_000
    assert alone.names == both.names
    np.testing.assert_array_equal(alone.metrics["loss"], both.metrics["loss"])
    for point in range(both.n_points):
        np.testing.assert_array_equal(alone.sketch(point).values, both.sketch(point).values)
    measured, estimated = atlas(both, knn=3), atlas(alone, knn=3)
    assert measured.distance_error == 0
    assert estimated.distance_error == pytest.approx(1 / np.sqrt(8192))
    assert estimated.summary()["distance_error"] == estimated.distance_error
    exact = pairwise(both).euclidean
    off = sketched_pairwise(recorded_sketches([alone])).euclidean / np.where(exact == 0, 1, exact)
    assert np.abs(off[exact > 0] - 1).max() < 4 * estimated.distance_error
    from scipy.spatial import procrustes

    assert procrustes(measured.embedding.coordinates, estimated.embedding.coordinates)[2] < 1e-3


def test_the_page_says_that_distances_are_estimates(tmp_path):
    made = atlas(_train(tmp_path / "run", _model(), keep="sketch"), knn=3)
    made.save(tmp_path / "atlas.html")
    assert "error of distances" in (tmp_path / "atlas.html").read_text()
    made.save(tmp_path / "atlas.json")
    assert json.loads((tmp_path / "atlas.json").read_text())["distance_error"] == pytest.approx(0.011, abs=1e-3)


def test_runs_of_one_start_and_runs_of_others_share_a_map(tmp_path):
    runs = [
        _train(tmp_path / f"{start}{seed}", _model(start), seed=seed, keep="both") for start, seed in ((0, 0), (0, 1), (1, 0))
    ]
    for chosen, is_one in ((runs[:2], True), (runs, False)):
        read = recorded_sketches(chosen)
        assert (read.start.squared_norm > 0) is is_one
        exact, found = pairwise(chosen).euclidean, sketched_pairwise(read).euclidean
        off = found[exact > 0] / exact[exact > 0] - 1
        assert np.abs(off).max() < 4 * read.relative_error
        np.testing.assert_allclose(sketched_pairwise(read).norms, pairwise(chosen).norms, rtol=1e-12)


def test_both_is_gone_on_with_from_the_same_start(tmp_path):
    model = _model()
    _train(tmp_path / "run", model, steps=3, keep="both")
    run = _train(tmp_path / "run", model, steps=3, keep="both", if_exists="append")
    weights = run.weights()
    assert run.n_points == 7
    for point in range(7):
        np.testing.assert_allclose(
            run.sketch(point).values, sketch(weights[point], start=weights[0]).values, rtol=1e-6, atol=1e-12
        )


@pytest.mark.parametrize("keep", ["sketch", "both"])
def test_a_start_whose_writer_died_before_its_first_point_is_not_this_ones(tmp_path, keep):
    _train(tmp_path / "run", _model(1), steps=0, keep=keep)
    (tmp_path / "run/snapshots.jsonl").write_bytes(b"")
    run = _train(tmp_path / "run", _model(0), keep=keep, if_exists="append")
    expected = _train(tmp_path / "other", _model(0), keep=keep)
    np.testing.assert_array_equal(run.start().values, expected.start().values)
    np.testing.assert_array_equal(run.sketch(3).values, expected.sketch(3).values)


def test_a_budget_holds_for_sketches_too(tmp_path):
    run = _train(tmp_path / "run", _model(), steps=30, keep="sketch", max_bytes=100_000)
    sizes = [file.stat().st_size for file in (tmp_path / "run/sketches").glob("0*")]
    assert len(sizes) == run.n_points < 8
    assert sum(sizes) <= 100_000
    assert run.steps[[0, -1]].tolist() == [0, 30]


def test_other_precisions_are_sketched(tmp_path):
    model = _model().to(torch.bfloat16)
    run = _train_still(tmp_path / "run", model)
    weights = run.weights()
    np.testing.assert_allclose(run.sketch(2).squared_norm, (weights[2] ** 2).sum(), rtol=1e-12)
    np.testing.assert_allclose(run.sketch(2).values, sketch(weights[2], start=weights[0]).values, rtol=1e-6, atol=1e-12)


def _train_still(path, model):
    with Recorder(path, model, keep="both") as recorder:
        for _ in range(3):
            with torch.no_grad():
                model[0].weight.mul_(1.5)
            recorder.step()
    return open_run(path)


def test_a_point_that_diverged_is_kept_and_found(tmp_path, refuses):
    run = _train(tmp_path / "run", _model(), keep="sketch", bad_at=8)
    assert run.n_points == 13
    assert run.diverged() == [9, 10, 11, 12]
    with refuses("run 'run', point 9 .step 9. has weights that are NaN or infinite; leave it out, as atlas does with"):
        atlas(run, knn=3)
    assert atlas(run, knn=3, diverged="skip").n_points == 9
    assert {finding.kind for finding in audit(run).findings} >= {"not finite"}


def test_an_audit_of_sketches_finds_what_shows_in_them(tmp_path):
    clean = _train(tmp_path / "clean", _model(), keep="sketch")
    assert audit(clean).is_clean
    model = _model()
    with Recorder(tmp_path / "copied", model, keep="sketch") as recorder:
        for step in range(8):
            if step != 4:
                with torch.no_grad():
                    model[3].bias.add_(torch.linspace(0, 1, 10) * (step + 1))
            recorder.step()
    found = audit(open_run(tmp_path / "copied")).findings
    assert [finding.kind for finding in found] == ["identical"]
    assert "point 4" in found[0].points


def test_what_weights_are_needed_for_is_refused(tmp_path, refuses):
    run = _train(tmp_path / "alone", _model(), keep="sketch")
    needs = "run 'alone' holds sketches and no weights, which this needs; record with keep='both' or 'weights'"
    for ask in (run.weights, run.snapshot, lambda: run.block(0, 3)):
        with refuses(needs):
            ask()
    plain = _train(tmp_path / "plain", _model())
    with refuses("run 'plain' holds weights and no sketches, which this needs; record with keep='both'"):
        plain.sketch(0)
    with refuses("run 'alone' holds sketches and no weights, run 'plain' weights and no sketches"):
        atlas([run, plain])
    with refuses("sketches have distances about zero and the start, not about 'centroid'"):
        atlas(run, origin="centroid")
    other = _train(tmp_path / "other", _model(1), keep="sketch")
    with refuses("the runs did not start at the same weights, so origin='start' names no place"):
        atlas([run, other], origin="start")
    assert atlas(run, origin="start", knn=3).n_points == run.n_points
    with refuses("runs 'alone' and 'narrow' have different parameters"):
        narrow = nn.Linear(3, 2)
        Recorder(tmp_path / "narrow", narrow, keep="sketch").close()
        atlas([run, open_run(tmp_path / "narrow")])


@pytest.mark.usefixtures("as_users_call")
def test_what_cannot_be_kept_is_refused(tmp_path, refuses):
    with refuses("keep must be one of weights, sketch, both, but is 'none'"):
        Recorder(tmp_path / "run", _model(), keep="none")
    with refuses("dtype says how weights are stored, and keep='sketch' stores none"):
        Recorder(tmp_path / "run", _model(), keep="sketch", dtype="bfloat16")
    with refuses("max_bytes must hold 4 snapshots, 65536 bytes at least, but is 60000"):
        Recorder(tmp_path / "run", _model(), keep="sketch", max_bytes=60_000)
    assert not (tmp_path / "run").exists()
    _train(tmp_path / "run", _model(), keep="sketch", steps=2)
    with refuses("has sketches alone, and the weights they are counted from are not on disk; go on in another folder"):
        Recorder(tmp_path / "run", _model(), keep="sketch", if_exists="append")
    with refuses("was recorded with keep='sketch', not 'both'; pass the same"):
        Recorder(tmp_path / "run", _model(), keep="both", if_exists="append")
    assert _train(tmp_path / "run", _model(), keep="weights", if_exists="replace", steps=2).has_weights
    assert not (tmp_path / "run/sketches").exists()


def test_a_model_that_changes_is_refused(tmp_path, refuses):
    model = _model()
    recorder = Recorder(tmp_path / "run", model, keep="sketch")
    model[3] = nn.Linear(300, 11)
    recorder.step()
    with refuses("the model's parameters are not where they were at the start"):
        recorder.close()


def test_no_compiler_is_loaded_where_nothing_is_sketched():
    code = "import sys, lossatlas.sample; assert 'numba' not in sys.modules and 'scipy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
