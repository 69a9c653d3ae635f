"""Every engine measures the same, what was measured is kept, and the user's things go back as they came."""

import copy
import functools

import numpy as np
import pytest
import torch
from landscapes import landscape, quadratic, state
from tasks_for_workers import attended, batches, shuffled_data, small_net, small_task
from torch import nn

from lossatlas import SliceSettings, Task, atlas, barycentric, linear_path, loss_plane, open_run
from lossatlas.sample import evaluation, fixed_randomness
from lossatlas.sample.slice import engines, losses

_START, _END = small_net(5).state_dict(), small_net(6).state_dict()


def _mlp_task() -> Task:
    with torch.random.fork_rng([]):
        torch.random.manual_seed(0)
        model = nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.Tanh(), nn.Linear(8, 2))
    return small_task(model=model)


@pytest.mark.parametrize("engine", ["threads", "stacked"])
def test_each_engine_measures_what_the_plain_loop_does(engine):
    task = _mlp_task()
    found = {
        name: loss_plane(task, task.model.state_dict(), reach=1.0, n=6, settings=SliceSettings(engine=name))
        for name in ("loop", engine)
    }
    assert found[engine].losses.diagnostics["engine"].startswith(engine)
    np.testing.assert_allclose(found[engine].loss, found["loop"].loss, rtol=1e-5)
    np.testing.assert_array_equal(found[engine].losses.accuracy, found["loop"].losses.accuracy)


def test_threads_keep_each_points_own_statistics():
    made = [loss_plane(small_task(), _START, reach=1.0, n=9, settings=SliceSettings(engine=e)).loss for e in ("loop", "threads")]
    np.testing.assert_allclose(*made, rtol=1e-5)


def test_the_fastest_engine_by_the_clock_is_taken(monkeypatch):
    monkeypatch.setattr(engines, "_WORTH", 0.0)
    monkeypatch.setattr(engines, "_FOR_A_POINT", 1)
    task = _mlp_task()
    for fastest in ("loop", "threads", "stacked"):
        kinds = {"loop": engines.Loop, "threads": engines.Threads, "stacked": engines.Stacked}
        monkeypatch.setattr(engines, "_seconds", lambda engine, *_, kind=kinds[fastest]: 1.0 if isinstance(engine, kind) else 2.0)
        made = loss_plane(task, task.model.state_dict(), reach=1.0, n=5)
        assert made.losses.diagnostics["engine"] == fastest


def test_an_engine_that_measures_something_else_is_never_taken(monkeypatch):
    monkeypatch.setattr(engines, "_WORTH", 0.0)
    monkeypatch.setattr(engines, "_FOR_A_POINT", 1)
    monkeypatch.setattr(engines, "_seconds", lambda engine, *_: 2.0 if isinstance(engine, engines.Loop) else 1.0)
    right = engines.Stacked.measure
    monkeypatch.setattr(engines.Stacked, "measure", lambda *given: right(*given) * (1 + 1e-3))
    monkeypatch.setattr(engines.Threads, "measure", lambda *_: 1 / 0)
    task = _mlp_task()
    assert loss_plane(task, task.model.state_dict(), reach=1.0, n=5).losses.diagnostics["engine"] == "loop"


@pytest.mark.parametrize(("n", "n_tried"), [(10, 0), (13, 0), (15, 2), (45, 16)])
def test_a_trial_is_a_fifth_of_the_work_at_most(n, n_tried, monkeypatch):
    monkeypatch.setattr(engines, "_WORTH", 0.0)
    task, tried = small_task(model=_mlp_task().model, train=batches(2, (6,))), []
    monkeypatch.setattr(engines, "_seconds", lambda _engine, _batch, points: tried.append(len(points)) or 1.0)
    made = loss_plane(task, task.model.state_dict(), reach=1.0, n=n)
    assert made.losses.diagnostics["n_batches"] == 1
    assert set(tried) == ({n_tried} if n_tried else set())


def test_a_trial_evaluates_no_point_twice(monkeypatch):
    monkeypatch.setattr(engines, "_WORTH", 0.0)
    monkeypatch.setattr(engines, "_FOR_A_POINT", 1)
    tried = []
    monkeypatch.setattr(engines, "_seconds", lambda _engine, _batch, points: tried.append(points) or 1.0)
    task = small_task(model=_mlp_task().model, train=batches(2, (400, 400)))  # more evaluations than points
    loss_plane(task, task.model.state_dict(), reach=1.0, n=3)
    assert all(len(np.unique(points, axis=0)) == len(points) == 9 for points in tried)
    assert tried


def test_attention_is_stacked_without_going_one_by_one(recwarn):
    class Asking(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inward, self.out = nn.Linear(8, 24), nn.Linear(8, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.out(attended(self.inward(x)).mean(1))

    with fixed_randomness(0):
        x, y, model = torch.randn(6, 5, 8), torch.arange(6) % 2, Asking()
    task = Task(model, nn.functional.cross_entropy, [(x, y)], [(x, y)], torch.optim.SGD)
    found = [loss_plane(task, model.state_dict(), reach=1.0, n=3, settings=SliceSettings(engine=e)) for e in ("loop", "stacked")]
    np.testing.assert_allclose(found[1].loss, found[0].loss, rtol=1e-5)
    assert not [str(said.message) for said in recwarn if "performance drop" in str(said.message)]


def test_an_engine_that_cannot_is_refused(refuses):
    with refuses("engine='stacked' cannot evaluate this model with this batch norm; pass engine='auto'"):
        loss_plane(small_task(), _START, reach=1.0, n=3, settings=SliceSettings(engine="stacked"))


def test_a_loss_that_sees_its_batch_as_a_whole_keeps_the_batches_as_they_are():
    def largest(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return nn.functional.cross_entropy(output, target, reduction="none").max()

    task = small_task(loss=largest, train=batches(2, (3, 5, 4)))
    line = linear_path(task, _START, _END, n=3, settings=SliceSettings(batchnorm="stale"))
    model = copy.deepcopy(task.model)
    model.load_state_dict(_START)
    np.testing.assert_allclose(line.loss[0], evaluation(task, model)["train_loss"], rtol=1e-6)


def test_uneven_batches_count_by_their_samples():
    x = torch.arange(7.0).reshape(7, 1)
    task = Task(
        nn.Linear(1, 1),
        nn.functional.mse_loss,
        [(x[:5], x[:5]), (x[5:], x[5:])],
        [(x, x)],
        functools.partial(torch.optim.SGD, lr=0.1),
    )
    a, b = ({"weight": torch.full((1, 1), w), "bias": torch.zeros(1)} for w in (2.0, 3.0))
    line = linear_path(task, a, b, n=3)
    np.testing.assert_allclose(line.loss, [float((x**2).mean()) * (w - 1) ** 2 for w in (2, 2.5, 3)], rtol=1e-6)
    assert line.losses.accuracy is None
    assert (line.losses.error == 0).all()


def test_the_error_bar_of_a_few_batches_is_that_of_all_ways_to_draw_them():
    # The mean of the squared errors over all draws is the mean of the stated variances: an unbiased error bar.
    sizes = (4,) * 6
    task = small_task(train=batches(2, sizes))
    whole = linear_path(task, _START, _END, n=3, settings=SliceSettings(batchnorm="stale"))
    squares, variances = [], []
    for seed in range(400):
        few = linear_path(task, _START, _END, n=3, settings=SliceSettings(batchnorm="stale", batches=3, seed=seed))
        squares.append((few.loss - whole.loss) ** 2)
        variances.append(few.losses.error**2)
    np.testing.assert_allclose(np.mean(squares, axis=0), np.mean(variances, axis=0), rtol=0.15)
    assert few.losses.diagnostics["n_batches"] == 3
    assert few.losses.diagnostics["n_all_batches"] == 6
    more = linear_path(task, _START, _END, n=3, settings=SliceSettings(batchnorm="stale", batches=9))
    np.testing.assert_allclose(more.loss, whole.loss, rtol=1e-6)
    assert (more.losses.error == 0).all()


def test_data_that_do_not_fit_into_memory_are_loaded_for_each_group(monkeypatch):
    from lossatlas.sample import batches as held

    task = small_task(train=shuffled_data(2))
    kept = linear_path(task, _START, _END, n=5)
    monkeypatch.setattr(held, "_KEPT", 1)
    loaded = linear_path(task, _START, _END, n=5)
    np.testing.assert_allclose(loaded.loss, kept.loss, rtol=1e-6)
    few = SliceSettings(batches=2, seed=3)
    a = linear_path(task, _START, _END, n=5, settings=few)
    monkeypatch.undo()
    np.testing.assert_allclose(linear_path(task, _START, _END, n=5, settings=few).loss, a.loss, rtol=1e-6)


class _StopsAfter:
    """A loss that is pulled down after some calls, as a process is."""

    def __init__(self, calls: int) -> None:
        self.left = calls
        self.seen = 0

    def __call__(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        self.seen += 1
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt
        return nn.functional.cross_entropy(output, target)

    def __deepcopy__(self, _: object) -> "_StopsAfter":
        return self


def test_a_slice_goes_on_where_it_was_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(losses, "_GROUP", 4)
    how = SliceSettings(batchnorm="stale", engine="loop")
    full = _StopsAfter(10**9)
    whole = loss_plane(small_task(loss=full), _START, reach=1.0, n=6, settings=how, path=tmp_path / "whole.npz")
    stopped = _StopsAfter(full.seen - 15)
    with pytest.raises(KeyboardInterrupt):
        loss_plane(small_task(loss=stopped), _START, reach=1.0, n=6, settings=how, path=tmp_path / "part.npz")
    reports = []
    rest = _StopsAfter(10**9)
    again = loss_plane(
        small_task(loss=rest),
        _START,
        reach=1.0,
        n=6,
        settings=how,
        path=tmp_path / "part.npz",
        progress=lambda *done: reports.append(done),
    )
    np.testing.assert_array_equal(again.loss, whole.loss)
    assert reports[0] == (20, 36)
    assert reports[-1] == (36, 36)
    assert rest.seen < full.seen - 18  # the points that were there are not measured again
    at_rest = _StopsAfter(10**9)
    loss_plane(small_task(loss=at_rest), _START, reach=1.0, n=6, settings=how, path=tmp_path / "part.npz")
    assert at_rest.seen < rest.seen


def test_what_is_kept_of_another_slice_is_refused_and_left_alone(tmp_path, refuses):
    path = tmp_path / "kept.npz"
    linear_path(small_task(), _START, _END, n=5, path=path)
    before = path.read_bytes()
    for change in ({"n": 7}, {"settings": SliceSettings(data="test")}, {"end": small_net(7).state_dict()}, {"task": "other"}):
        arguments = {"n": 5, "settings": None, "end": _END, "task": ""} | change
        with refuses("holds losses of other points, data or settings; choose another path, or remove that file first"):
            linear_path(
                small_task(name=arguments["task"]),
                _START,
                arguments["end"],
                n=arguments["n"],
                settings=arguments["settings"],
                path=path,
            )
    assert path.read_bytes() == before
    # Another engine measures the same.
    linear_path(small_task(), _START, _END, n=5, path=path, settings=SliceSettings(engine="threads"))
    path.write_text("something else")
    with refuses("is no file of measured losses; choose another path, or remove it"):
        linear_path(small_task(), _START, _END, n=5, path=path)
    with refuses("cannot write .*nowhere.*kept.npz': No such file or directory; choose a place"):
        linear_path(small_task(), _START, _END, n=5, path=tmp_path / "nowhere" / "kept.npz")


def test_time_that_ran_out_leaves_a_coarse_picture(monkeypatch):
    monkeypatch.setattr(losses, "_GROUP", 1)
    task = landscape(quadratic(np.eye(2), np.zeros(2)), np.zeros(2))
    directions = tuple({"w": torch.eye(2, dtype=torch.float64)[i : i + 1]} for i in range(2))
    clock = iter(np.arange(10**6) / 10)
    monkeypatch.setattr(losses.time, "perf_counter", lambda: float(next(clock)))
    made = loss_plane(task, state(np.zeros(2)), directions=directions, reach=1.0, n=9, settings=SliceSettings(seconds=2.05))
    done = made.losses.done.reshape(9, 9)
    assert 9 <= done.sum() <= 25
    assert done[::8, ::8].all()
    np.testing.assert_array_equal(np.isnan(made.loss), ~done)
    x, y = np.meshgrid(made.x, made.y, indexing="ij")
    np.testing.assert_allclose(made.loss[done], ((x**2 + y**2) / 2)[done])


@pytest.mark.parametrize("batchnorm", ["recompute", "interpolate", "stale"])
def test_the_points_of_a_slice_are_a_run_that_can_be_put_on_a_map(tmp_path, batchnorm):
    task = small_task()
    made = barycentric(task, _START, _END, small_net(7).state_dict(), n=5, settings=SliceSettings(batchnorm=batchnorm))
    run = made.losses.record(tmp_path / "triangle", task)
    assert run.n_points == len(made.loss)
    np.testing.assert_array_equal(run.metrics["train_loss"], made.loss)
    corners = [
        np.concatenate([net.state_dict()[name].numpy().ravel() for name in run.names]) for net in map(small_net, (5, 6, 7))
    ]
    np.testing.assert_allclose(run.weights(), made.weights @ np.stack(corners), atol=1e-5)
    for point in (0, 7):
        model = copy.deepcopy(task.model)
        model.load_state_dict({name: torch.as_tensor(value) for name, value in run.snapshot(point).items()})
        np.testing.assert_allclose(evaluation(task, model)["train_loss"], made.loss[point], rtol=1e-5)
    assert atlas(run).n_points == run.n_points
    assert open_run(tmp_path / "triangle").settings["kind"] == "slice"
