"""The map that follows: points at once, a fit behind them, and a picture that does not jump."""

import threading
import time
from dataclasses import dataclass, field

import numpy as np
import pytest

import lossatlas as la
from lossatlas.distance import cross_distances
from lossatlas.draw import encoded
from lossatlas.embed import phate
from lossatlas.serve import live as live_module
from lossatlas.serve import standing as standing_module
from lossatlas.serve import watched as watched_module
from lossatlas.serve.live import LiveAtlas, When
from lossatlas.serve.standing import MapSettings


@dataclass
class Clock:
    """Time that passes when a test says so."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Followed:
    """A live atlas, polled until nothing is left to do."""

    live: LiveAtlas
    scenes: list = field(default_factory=list)

    def poll(self):
        made = self.live.poll()
        if made is not None:
            self.scenes.append(made)
        return made

    def settle(self):
        """Poll until no fit goes on."""
        self.poll()
        until = time.monotonic() + 30
        while self.live.is_fitting:
            assert time.monotonic() < until
            time.sleep(0.005)
            self.poll()
        return self.scenes[-1]

    @property
    def map(self):
        return self.scenes[-1].maps[0]


def followed(path, clock=None, **options):
    return Followed(LiveAtlas([str(path)], when=When(clock=clock or Clock()), **options))


def test_there_is_no_map_below_three_points(growing, tmp_path):
    view = followed(tmp_path)
    view.settle()
    assert view.scenes[-1].summary.startswith("No point is recorded yet at ")
    run = growing(tmp_path / "a")
    run.go(2)
    view.settle()
    assert view.scenes[-1].summary == "2 points so far: a map needs 3."
    assert view.map.n_points == 0
    run.go()
    view.settle()
    assert view.map.n_points == 3
    assert view.scenes[-1].summary == "3 points."
    assert view.poll() is None  # nothing is new


def test_new_points_are_placed_out_of_sample_at_once_and_fitted_when_they_are_many(growing, tmp_path):
    run = growing(tmp_path / "a")
    run.go(40)
    view = followed(tmp_path)
    view.settle()
    fitted = view.live.standing.embedding
    run.go(2)
    view.poll()
    assert not view.live.is_fitting
    assert view.map.provisional.tolist() == [0] * 40 + [1] * 2
    weights = la.open_run(tmp_path / "a").weights()
    expected = fitted.transform(cross_distances(weights[40:], weights[:40]))
    np.testing.assert_allclose(view.map.layouts[0].coordinates[40:], expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(view.map.layouts[0].coordinates[:40], fitted.coordinates.astype(np.float32))
    run.go(2)  # a tenth
    view.settle()
    assert not view.map.provisional.any()
    assert view.live.standing.embedding.n_points == 44


def test_points_that_come_during_a_fit_are_seen_at_once_and_placed_again_on_the_new_map(growing, tmp_path, monkeypatch):
    run = growing(tmp_path / "a")
    run.go(20)
    view = followed(tmp_path)
    view.settle()
    goes_on = threading.Event()

    def slow(*arguments):
        goes_on.wait(30)
        return standing_module.fitted(*arguments)

    monkeypatch.setattr(live_module, "fitted", slow)
    run.go(4)
    view.poll()
    run.go()
    view.poll()
    assert view.live.is_fitting
    assert view.map.provisional.tolist() == [0] * 20 + [1] * 5
    goes_on.set()
    view.settle()
    assert view.map.provisional.tolist() == [0] * 24 + [1]
    weights = la.open_run(tmp_path / "a").weights()
    expected = view.live.standing.embedding.transform(cross_distances(weights[24:], weights[:24]))
    np.testing.assert_allclose(view.map.layouts[0].coordinates[24:], expected, rtol=1e-5, atol=1e-6)


def test_few_new_points_are_fitted_when_nothing_comes_for_a_while(growing, tmp_path):
    clock = Clock()
    run = growing(tmp_path / "a")
    run.go(40)
    view = followed(tmp_path, clock)
    view.settle()
    run.go()
    view.poll()
    clock.now += 2.9
    view.settle()
    assert view.live.standing.embedding.n_points == 40
    clock.now += 0.2
    view.settle()
    assert view.live.standing.embedding.n_points == 41


def test_fit_of_points_that_came_one_by_one_is_that_of_all(growing, tmp_path):
    runs = [growing(tmp_path / name, seed=seed) for seed, name in enumerate("ab")]
    view = followed(tmp_path)
    for _ in range(5):
        for run in runs:
            run.go(5)
            view.settle()
    atlas = la.atlas(tmp_path, nulls=False)
    standing = view.live.standing
    # Distances, and all that comes before the drawing, are those of one call.
    assert standing.embedding.t == atlas.embedding.t
    np.testing.assert_allclose(standing.embedding.potential, atlas.embedding.potential, rtol=1e-4, atol=1e-6)
    assert standing.embedding.stress <= atlas.embedding.stress / 0.94
    assert view.map.metrics[0].values.tolist() == atlas.metrics["loss"].astype(np.float32).tolist()
    assert [run.name for run in view.map.runs] == ["a", "b"]


def test_picture_does_not_jump_when_it_is_fitted_anew(growing, tmp_path):
    run = growing(tmp_path / "a", p=60)
    run.go(20)
    view = followed(tmp_path)
    view.settle()
    moved, alone = [], []
    for _ in range(8):
        n = view.map.n_points
        before = view.map.layouts[0].coordinates[:n]
        run.go(max(2, n // 10 + 1))
        view.settle()
        after = view.map.layouts[0].coordinates[:n]
        assert view.live.standing.embedding.n_points > n
        by_itself = phate(la.open_run(tmp_path / "a"), n_landmark=None).coordinates[:n]
        size = np.linalg.norm(before - before.mean(axis=0), axis=1).mean()
        moved.append(np.linalg.norm(after - before, axis=1).mean() / size)
        alone.append(np.linalg.norm(by_itself - before, axis=1).mean() / size)
    assert np.mean(moved) < np.mean(alone) / 3


def test_map_is_bounded_whatever_the_length_of_a_training(growing, tmp_path):
    run = growing(tmp_path / "a")
    view = followed(tmp_path, most=40)
    for _ in range(10):
        run.go(20)
        view.settle()
        assert view.map.n_points <= 40
        assert len(view.live.standing.keys) <= 40
        assert view.map.time[-1] == run.step - 1  # the newest is always there
    assert "of 200 points, evenly spaced along each run" in view.scenes[-1].summary
    assert view.map.runs[0].n_diverged == 0  # what was thinned out did not diverge
    assert "diverged points" not in [fact.label for fact in view.map.facts]


def test_few_standing_points_are_read_to_place_new_ones_of_a_large_model(growing, tmp_path, monkeypatch):
    runs = [growing(tmp_path / name, p=50, seed=seed) for seed, name in enumerate("ab")]
    for run in runs:
        run.go(60)
    view = followed(tmp_path)
    view.settle()
    whole = view.live.standing
    measured = []

    def counted(new, points, **options):
        measured.append((new.n_points, points.n_points))
        return cross_distances(new, points, **options)

    monkeypatch.setattr(standing_module, "cross_distances", counted)
    monkeypatch.setattr(standing_module, "_BUDGET", 0)
    runs[1].go()
    view.poll()
    ((n_new, n_standing),) = measured
    assert n_new == 1
    assert 24 <= n_standing <= 32
    # Near its own run's end all the same.
    b = whole.embedding.coordinates[60:]
    size = np.ptp(b, axis=0).max()
    assert np.linalg.norm(view.map.layouts[0].coordinates[-1] - b[-5:].mean(axis=0)) < 0.2 * size


def test_points_that_go_leave_the_map_and_a_run_that_is_recorded_again_begins_it_anew(growing, tmp_path):
    run = growing(tmp_path / "a")
    run.go(30)
    clock = Clock()
    view = followed(tmp_path, clock)
    view.settle()
    run.writer.drop([3])
    view.poll()
    assert view.map.n_points == 29
    assert 3 not in view.map.time.tolist()
    run.writer.close()
    again = growing(tmp_path / "a", p=7, seed=5, if_exists="replace")  # even of another model
    again.go(12)
    view.settle()
    clock.now += 10
    view.settle()
    assert view.live.standing.embedding.n_points == view.map.n_points == 12
    assert np.isfinite(view.map.layouts[0].coordinates).all()


def test_points_that_diverged_are_a_cross_and_a_fact_not_an_end(growing, tmp_path):
    run = growing(tmp_path / "a")
    run.go(20)
    run.go(3, is_lost=True)
    view = followed(tmp_path)
    view.settle()
    assert view.map.n_points == 20
    assert view.map.runs[0].diverged_after == 19
    run.go(1, is_lost=True)
    view.settle()
    assert view.map.runs[0].n_diverged == 4


def test_what_cannot_be_mapped_is_said_on_the_page_and_the_view_goes_on(growing, tmp_path):
    view = followed(tmp_path, settings=MapSettings(loss="test_loss"))
    run = growing(tmp_path / "a")
    run.go(5)
    view.settle()
    assert "no run has the metric 'test_loss'" in view.scenes[-1].summary
    assert view.poll() is None  # and is not tried again until there is more
    growing(tmp_path / "b", p=3).go(4)
    view.settle()
    assert "different parameters" in view.scenes[-1].summary


def stale(_):
    raise OSError(116, "Stale file handle")


def test_disk_that_is_away_for_a_while_leaves_the_last_map(growing, tmp_path, monkeypatch):
    run = growing(tmp_path / "a")
    run.go(12)
    view = followed(tmp_path)
    view.settle()

    with monkeypatch.context() as away:
        away.setattr(watched_module, "run_folders", stale)
        view.poll()
    assert view.map.n_points == 12
    assert "cannot be read just now (Stale file handle)" in view.scenes[-1].summary
    run.go()
    view.settle()
    assert view.map.n_points == 13
    assert view.scenes[-1].summary == "13 points."


def test_runs_of_sketches_are_followed_too(tmp_path):
    import torch

    model = torch.nn.Linear(6, 4)
    generator = torch.Generator().manual_seed(0)
    view = followed(tmp_path)
    with la.Recorder(tmp_path / "a", model, keep="sketch") as recorder:
        for step in range(24):
            with torch.no_grad():
                model.weight.add_(0.3 * torch.randn(4, 6, generator=generator))
            recorder.step(loss=1 / (step + 1))
            recorder.flush()
            if step in (10, 11):
                view.poll() if step == 11 else view.settle()
                assert view.map.n_points == step + 2
    assert np.isfinite(view.map.layouts[0].coordinates).all()
    view.settle()
    assert view.live.standing.embedding.n_points == 25


@pytest.mark.parametrize("preset", ["sound", "paper"])
@pytest.mark.parametrize("origin", ["zero", "centroid", "start"])
def test_every_origin_and_preset_follows(growing, tmp_path, preset, origin):
    run = growing(tmp_path / "a")
    run.go(30)
    view = followed(tmp_path, settings=MapSettings(origin=origin, preset=preset))
    view.settle()
    run.go(1)
    view.poll()
    assert view.map.n_points == 31, view.scenes[-1].summary
    assert np.isfinite(view.map.layouts[0].coordinates).all()
    run.go(10)
    view.settle()
    assert view.live.standing.embedding.n_points == 41, view.scenes[-1].summary
    assert view.live.standing.embedding.settings.origin == origin
    encoded(view.scenes[-1])


def test_settings_of_which_no_map_could_be_made_are_refused_at_once(refuses):
    with refuses("gamma"):
        MapSettings(gamma=3.0)
    with refuses("decay"):
        MapSettings(decay=-1.0)
    with refuses("8 points or more"):
        LiveAtlas(["runs"], most=3)


def test_a_run_of_which_nothing_is_left_to_show_is_an_empty_map(growing, tmp_path):
    run = growing(tmp_path / "a")
    run.go(12)
    view = followed(tmp_path)
    view.settle()
    run.writer.close()
    again = growing(tmp_path / "a", if_exists="replace")
    again.go(4, is_lost=True)
    view.settle()
    assert view.map.n_points == 0


def test_a_disk_that_stays_away_is_not_asked_for_a_map_again_and_again(growing, tmp_path, monkeypatch):
    run = growing(tmp_path / "a")
    run.go(12)
    view = followed(tmp_path)
    view.settle()

    monkeypatch.setattr(watched_module, "run_folders", stale)
    before = len(view.scenes)
    for _ in range(20):
        view.poll()
    assert len(view.scenes) == before + 1


def test_new_points_of_sketches_are_placed_by_the_papers_preset_too(tmp_path):
    import torch

    model = torch.nn.Linear(6, 4)
    generator = torch.Generator().manual_seed(0)
    view = followed(tmp_path, settings=MapSettings(preset="paper"))
    with la.Recorder(tmp_path / "a", model, keep="sketch") as recorder:
        for step in range(123):  # above the hundred components that the preset takes
            with torch.no_grad():
                model.weight.add_(0.3 * torch.randn(4, 6, generator=generator))
            recorder.step(loss=1 / (step + 1))
            if step == 119:
                recorder.flush()
                view.settle()
    view.poll()
    assert view.map.n_points == 124
    assert np.isfinite(view.map.layouts[0].coordinates).all()
