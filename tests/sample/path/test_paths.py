"""Paths of low loss: saddles and paths of least energy known in closed form, networks, what is kept, what is refused."""

import math

import numpy as np
import pytest
import torch
from landscapes import landscape, state
from scipy.optimize import minimize, minimize_scalar
from tasks_for_workers import batches, small_net, small_task

from lossatlas import BandSettings, BendSettings, InputError, SliceSettings, bezier_path, linear_path, nudged_elastic_band
from lossatlas.sample import Cycle, evaluation, recompute_batchnorm
from lossatlas.sample.path.bends import curve_table

_ANGLE = math.pi / 3
_ENDS = [np.array([math.cos(a), math.sin(a)]) for a in (-_ANGLE, _ANGLE)]


def _along(angle):
    return (angle**2 - _ANGLE**2) ** 2 * (1 + 0.4 * angle)


def _double_well(w: torch.Tensor) -> torch.Tensor:
    """Two wells on the unit circle; at r = 1 the gradient is tangential, so the path of least energy is the arc."""
    return _along(torch.atan2(w[1], w[0])) + 10 * (torch.hypot(w[0], w[1]) - 1) ** 2


_TASK = landscape(_double_well, _ENDS[0])
_SADDLE = -minimize_scalar(lambda a: -_along(a), bounds=(-0.5, 0.5), method="bounded", options={"xatol": 1e-10}).fun
_CYCLES = (*[Cycle(60, 0.01)] * 8, *[Cycle(100, 0.01)] * 2)


def _band(**given):
    settings = BandSettings(**({"cycles": _CYCLES, "weight_decay": 0.0, "excess": 0.002} | given))
    return nudged_elastic_band(_TASK, state(_ENDS[0]), state(_ENDS[1]), settings=settings)


def _assert_on_the_arc(pivots):
    """The tangent is the chord to the higher neighbour, half a step off the arc's, so a share of the slope along the arc stays.

    What is left points radially, |V'| sin(h / 2), and is held by the wells' stiffness across, 20 |r - 1|.
    """
    radius, angle = np.hypot(*pivots.T), np.arctan2(pivots[:, 1], pivots[:, 0])
    h = np.diff(angle)
    a = angle[1:-1]
    slope = np.abs(4 * a * (a**2 - _ANGLE**2) * (1 + 0.4 * a) + 0.4 * (a**2 - _ANGLE**2) ** 2)
    bound = slope * np.sin(np.maximum(h[1:], h[:-1]) / 2) / 20
    assert (np.abs(radius[1:-1] - 1) < 1.3 * bound + 5e-4).all()


@pytest.mark.parametrize("spring", [None, 1.0])
def test_a_double_well_has_its_saddle_and_its_path_of_least_energy(spring):
    path = _band(spring=spring)
    assert path.barrier == pytest.approx(_SADDLE, abs=1e-3)
    assert path.loss[path.saddle] == path.loss.max()
    pivots = np.stack([vector["w"].numpy()[0] for vector in path.losses.frame.vectors])
    assert len(pivots) > 10
    _assert_on_the_arc(pivots)
    angle = np.arctan2(path.weights[:, 1], path.weights[:, 0])
    assert (np.diff(angle) > 0).all()
    assert path.length == pytest.approx(2 * _ANGLE, rel=1e-2)
    assert path.straight.length == pytest.approx(2 * math.sin(_ANGLE))
    assert path.straight.barrier > path.barrier + 0.5


def test_where_momentum_points_uphill_it_ends_so_that_no_wave_runs_along_the_chain():
    path = _band(pivots=23, insertions=0, cycles=(Cycle(400, 0.01),))
    pivots = np.stack([vector["w"].numpy()[0] for vector in path.losses.frame.vectors])
    _assert_on_the_arc(pivots)


def test_without_excess_no_pivot_is_added():
    assert _band(excess=100.0, cycles=(Cycle(5, 0.01),) * 3).diagnostics["pivots_after_cycle"] == [5, 5, 5]
    assert _band(insertions=1, cycles=(Cycle(5, 0.01),) * 3).diagnostics["pivots_after_cycle"] == [6, 7, 7]


def test_the_weights_are_those_that_the_losses_belong_to():
    path = _band(cycles=(Cycle(20, 0.01),))
    values = [float(_double_well(torch.as_tensor(w))) for w in path.weights]
    np.testing.assert_allclose(path.loss, values, atol=1e-12)
    np.testing.assert_array_equal(path.weights[[0, -1]], _ENDS)
    steps = np.linalg.norm(np.diff(path.weights, axis=0), axis=1)
    np.testing.assert_allclose(path.positions, np.concatenate([[0], np.cumsum(steps)]) / steps.sum(), atol=1e-12)
    assert path.excess >= path.barrier


@pytest.mark.parametrize("curve", ["bezier", "chain"])
def test_a_curve_with_a_trained_bend_goes_around_the_hill(curve):
    settings = BendSettings(curve=curve, learning_rate=0.01, weight_decay=0.0, steps=1000)
    path = bezier_path(_TASK, state(_ENDS[0]), state(_ENDS[1]), settings=settings)
    assert _SADDLE < path.barrier < 0.6 * path.straight.barrier
    # The mean over t is what is trained.
    (_, bend, _) = (vector["w"].numpy()[0] for vector in path.losses.frame.vectors)
    t = np.linspace(0, 1, 100)

    def mean(w):
        points = curve_table(t, settings) @ np.stack([_ENDS[0], w, _ENDS[1]])
        return np.mean([float(_double_well(torch.as_tensor(p))) for p in points])

    best = minimize(mean, [1.0, 0.0], method="Nelder-Mead").fun
    assert mean(bend) < 1.01 * best


@pytest.mark.parametrize("bends", [1, 2, 3])
def test_curves_begin_and_end_where_they_should_and_are_convex_combinations(bends):
    t = np.linspace(0, 1, 13)
    for curve in ("bezier", "chain"):
        table = curve_table(t, BendSettings(curve=curve, bends=bends))
        np.testing.assert_allclose(table.sum(axis=1), 1)
        assert (table >= 0).all()
        np.testing.assert_array_equal(table[[0, -1]], np.eye(bends + 2)[[0, -1]])
    # De Casteljau: the same curve by repeated lines between points.
    corners = np.random.default_rng(0).standard_normal((bends + 2, 2))
    table = curve_table(t, BendSettings(bends=bends))
    for share, row in zip(t, table, strict=True):
        points = corners
        while len(points) > 1:
            points = (1 - share) * points[:-1] + share * points[1:]
        np.testing.assert_allclose(row @ corners, points[0], atol=1e-12)
    # A chain is at its bends at even times.
    at_bends = curve_table(np.linspace(0, 1, bends + 2), BendSettings(curve="chain", bends=bends))
    np.testing.assert_allclose(at_bends, np.eye(bends + 2), atol=1e-12)


_ONE, _OTHER = small_net(5).state_dict(), small_net(6).state_dict()
_SHORT = {
    "band": lambda task, **k: nudged_elastic_band(
        task, _ONE, _OTHER, settings=BandSettings(pivots=2, cycles=(Cycle(3, 0.05), Cycle(3, 0.01)), between=2), **k
    ),
    "bezier": lambda task, **k: bezier_path(task, _ONE, _OTHER, settings=BendSettings(steps=20, points=5), **k),
}


@pytest.mark.parametrize("way", _SHORT)
def test_batch_norm_is_recomputed_at_each_point(way, tmp_path):
    task = small_task()
    path = _SHORT[way](task)
    np.testing.assert_array_equal(path.straight.loss, linear_path(task, _ONE, _OTHER, n=len(path.loss)).loss)
    model = small_net(0)
    point = len(path.loss) // 2
    model.load_state_dict(path.losses.frame.point(path.losses.coefficients[point]))
    recompute_batchnorm(model, task.evaluated)
    assert path.loss[point] == pytest.approx(evaluation(task, model)["train_loss"], rel=1e-5)
    runs = path.record(tmp_path / "runs", task)
    assert [run.settings["kind"] for run in runs] == ["path", "path"]
    np.testing.assert_allclose(runs[0].metrics["train_loss"], path.loss)
    np.testing.assert_allclose(runs[0].weights(), path.weights, atol=1e-6)


@pytest.mark.parametrize("way", _SHORT)
def test_a_path_that_was_stopped_goes_on_and_ends_where_it_would_have(way, tmp_path, refuses):
    task = small_task()
    whole = _SHORT[way](task)

    def stop(done: int, total: int) -> None:
        if (total, done) in ((20, 13), (6, 5)):
            raise KeyboardInterrupt

    kept = tmp_path / "kept.npz"
    with pytest.raises(KeyboardInterrupt):
        _SHORT[way](task, path=kept, progress=stop)
    told = []
    again = _SHORT[way](task, path=kept, progress=lambda *done: told.append(done))
    assert told[0][0] > 1  # not from the beginning
    np.testing.assert_array_equal(again.weights, whole.weights)
    np.testing.assert_array_equal(again.loss, whole.loss)
    with refuses("holds a path between other points or with other settings"):
        _SHORT[way](task, path=kept, seed=1)
    kept.write_bytes(b"nothing")
    with refuses("is no file of a path"):
        _SHORT[way](task, path=kept)


def test_frozen_parameters_stay_on_the_line():
    task = small_task()
    name, frozen = next(iter(task.model.named_parameters()))
    frozen.requires_grad = False
    path = nudged_elastic_band(task, _ONE, _OTHER, settings=BandSettings(pivots=1, cycles=(Cycle(4, 0.05),), weight_decay=0.0))
    middle = path.losses.frame.vectors[1][name]
    ends = path.losses.frame.vectors
    share = float((middle - ends[0][name]).flatten() @ (ends[-1][name] - ends[0][name]).flatten()) / float(
        (ends[-1][name] - ends[0][name]).square().sum()
    )
    torch.testing.assert_close(middle, ends[0][name] + share * (ends[-1][name] - ends[0][name]), atol=1e-5, rtol=1e-5)


def test_what_diverges_is_said_with_its_cause(refuses):
    with refuses("the band diverged in step .* of cycle 1, at a learning rate of 1e.*20"):
        _band(cycles=(Cycle(50, 1e20),))
    with refuses(r"the curve diverged in step .*; pass BendSettings\(learning_rate"):
        bezier_path(_TASK, state(_ENDS[0]), state(_ENDS[1]), settings=BendSettings(learning_rate=1e20))


@pytest.mark.usefixtures("as_users_call")
@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: BandSettings(pivots=0), "BandSettings: pivots must be 1 or more, but is 0"),
        (lambda: BandSettings(cycles=()), "cycles must be cycles of one step"),
        (lambda: BandSettings(cycles=(Cycle(1, 0.0),)), "learning rates above 0"),
        (lambda: BandSettings(insertions=-1), "insertions must be 0 or more"),
        (lambda: BandSettings(excess=0), "excess must be above 0"),
        (lambda: BandSettings(momentum=1), "momentum must be from 0 to below 1"),
        (lambda: BandSettings(weight_decay=-1), "weight_decay must be 0 or more"),
        (lambda: BandSettings(spring=0), "spring must be above 0, or None"),
        (lambda: BandSettings(between=0), "between must be 1 or more"),
        (lambda: BendSettings(curve="arc"), "curve must be one of bezier, chain, but is 'arc'"),
        (lambda: BendSettings(bends=0), "bends must be 1 or more"),
        (lambda: BendSettings(steps=0), "steps must be 1 or more"),
        (lambda: BendSettings(learning_rate=0), "learning_rate must be above 0"),
        (lambda: BendSettings(points=2), "points must be 3 or more"),
    ],
)
def test_settings_out_of_range_are_refused(make, said, refuses):
    with refuses(said):
        make()


def test_the_papers_schedule_has_ten_times_the_steps():
    assert [cycle.steps for cycle in BandSettings.paper().cycles] == [1000] * 4 + [2000] * 2 + [1000] * 8


@pytest.mark.parametrize("find", [nudged_elastic_band, bezier_path])
def test_points_of_other_models_are_refused(find, refuses):
    task = small_task(train=batches(2))
    with refuses("the end has no tensor"):
        find(task, _ONE, {})
    with pytest.raises(InputError, match="no statistics to interpolate"):
        find(task, _ONE, _OTHER, measure=SliceSettings(batchnorm="interpolate"))
