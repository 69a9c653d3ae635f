"""A run within a budget keeps the shape of its trajectory."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from lossatlas import Recorder, open_run
from lossatlas.record.thinning import Thinning, superfluous
from lossatlas.sketch import sketch
from lossatlas.store import RunWriter, TensorEntry


def _walked(path, steps, **given):
    """Record a model whose weight goes along a line by these steps."""
    model = nn.Linear(50, 1, bias=False)
    with torch.no_grad():
        model.weight.zero_()
    with Recorder(path, model, **given) as recorder:
        for step in steps:
            with torch.no_grad():
                model.weight += step
            recorder.step(loss=float(model.weight.detach()[0, 0]))
    return open_run(path)


def _bytes(run) -> int:
    return sum(file.stat().st_size for file in (run.path / "snapshots").iterdir())


def test_the_budget_is_kept_and_the_ends_stay(tmp_path):
    steps = np.ones(200) / 200
    whole = _walked(tmp_path / "whole", steps)
    budget = _bytes(whole) // 5
    run = _walked(tmp_path / "thin", steps, max_bytes=budget)
    assert budget / 2 < _bytes(run) <= budget
    assert run.steps[0] == 0
    assert run.steps[-1] == 200
    assert run.is_complete
    assert len(list((run.path / "snapshots").iterdir())) == run.n_points
    # Every point that stayed is one of the whole run, with its metrics.
    np.testing.assert_array_equal(run.weights(), whole.weights()[run.steps])
    np.testing.assert_array_equal(run.metrics["loss"][1:], whole.metrics["loss"][run.steps[1:]])


def test_points_stay_evenly_spaced_along_the_path_not_in_time(tmp_path):
    steps = np.concatenate([np.full(20, 1.0), np.full(200, 1e-3)])  # fast, then a long rest
    size = _bytes(_walked(tmp_path / "one", steps[:1])) // 2
    run = _walked(tmp_path / "run", steps, max_bytes=24 * size)
    w = run.weights()[:, 0]
    assert (np.diff(w[w < 19.5]) < 2.5).all()  # the fast part is there
    assert (run.steps > 20).sum() < 10


def test_a_thinned_run_is_gone_on_with(tmp_path):
    steps = np.ones(60)
    size = _bytes(_walked(tmp_path / "one", steps[:1])) // 2
    first = _walked(tmp_path / "run", steps, max_bytes=12 * size)
    last = sorted(file.name for file in (first.path / "snapshots").iterdir())[-1]
    again = _walked(tmp_path / "run", steps, max_bytes=12 * size, if_exists="append")
    assert again.steps[: first.n_points - 1].tolist() == first.steps[:-1].tolist()
    assert again.steps[-1] == 120
    assert _bytes(again) <= 12 * size + first.n_points * size
    assert min(file.name for file in (again.path / "snapshots").iterdir() if file.name > last) > last
    again.weights()


def test_a_death_between_the_line_and_the_files_leaves_a_whole_run(tmp_path, monkeypatch):
    from pathlib import Path

    def die(self, *, missing_ok=False):
        raise KeyboardInterrupt

    steps = np.ones(30)
    size = _bytes(_walked(tmp_path / "one", steps[:1])) // 2
    own = Path.unlink
    monkeypatch.setattr(
        Path,
        "unlink",
        lambda self, missing_ok=False: die(self) if self.parent.name == "snapshots" else own(self, missing_ok=missing_ok),
    )
    with pytest.raises(KeyboardInterrupt):
        _walked(tmp_path / "run", steps, max_bytes=8 * size)
    monkeypatch.undo()
    run = open_run(tmp_path / "run")
    assert 4 <= run.n_points <= 8
    assert len(list((run.path / "snapshots").iterdir())) > run.n_points  # files that no line knows
    run.weights()


def test_a_budget_without_room_is_refused(tmp_path, refuses):
    with refuses("max_bytes must hold 4 snapshots, 800 bytes at least, but is 799; raise it"):
        Recorder(tmp_path / "run", nn.Linear(50, 1, bias=False), max_bytes=799)


def test_weights_that_are_no_numbers_stay(tmp_path):
    steps = np.ones(40)
    steps[20] = np.nan
    size = _bytes(_walked(tmp_path / "one", steps[:1])) // 2
    run = _walked(tmp_path / "run", steps, max_bytes=10 * size)
    assert {20, 21} <= set(run.steps.tolist())
    assert np.isnan(run.weights()[run.steps >= 21]).all()


@given(st.lists(st.floats(0, 100), min_size=2, max_size=30), st.integers(0, 40))
def test_what_is_taken_out_is_never_an_end_and_as_many_as_asked(gaps, n):
    along = np.cumsum(gaps).tolist()
    taken = superfluous(along, n)
    assert len(taken) == min(n, len(along) - 2)
    assert not {0, len(along) - 1} & set(taken)
    assert taken == sorted(set(taken))


def test_taken_out_is_the_one_whose_neighbours_are_nearest_not_the_one_after_the_shortest_step():
    # Steps of 0.5, 2.5, 0.6, 0.4 and 4: the shortest ends at point 4, which stands before the longest.
    assert superfluous([0.0, 0.5, 3.0, 3.6, 4.0, 8.0], 1) == [3]


def test_sketches_are_thinned_by_their_own_distances(tmp_path):
    entries = [TensorEntry("w", (200,), "F32", "parameter")]
    places = np.cumsum(np.concatenate([[0.0], np.full(20, 1.0), np.full(200, 1e-3)]))  # fast, then a long rest
    direction = np.random.default_rng(0).normal(size=200)
    start = sketch(np.zeros(200))
    with RunWriter(tmp_path / "run", entries, keep="sketch", start=start) as writer:
        thinning = Thinning(writer, 24 * 17_000)
        for step, place in enumerate(places):  # of a model that is spread over processes there are no whole tensors
            thinning.append({}, step=step, metrics={}, sketch=sketch(place * direction))
    steps = open_run(tmp_path / "run").steps
    assert (steps <= 20).sum() > 10
    assert (steps > 20).sum() < 10
