"""Slices as figures and files: they say how they were measured, and hatch what is no number."""

import json

import numpy as np
import pytest
import torch
from landscapes import landscape, quadratic, state
from matplotlib.image import imread
from matplotlib.text import Text

from lossatlas import (
    BandSettings,
    BendSettings,
    Recorder,
    SliceSettings,
    barycentric,
    bezier_path,
    bilinear,
    linear_path,
    loss_line,
    loss_plane,
    nudged_elastic_band,
    open_run,
    trajectory_plane,
)
from lossatlas.draw.figures.slices import slice_figure
from lossatlas.draw.slices import slice_numbers
from lossatlas.sample import Cycle

_AT = np.array([1.0, 2.0, 3.0])
_OTHER = [np.array(p) for p in ([0.0, 1.0, 0.0], [2.0, -1.0, 1.0], [0.5, 0.5, 4.0])]
_TASK = landscape(quadratic(np.diag([1.0, 4.0, 9.0]), _AT, 0.01), _AT)


def _walk(folder):
    model = landscape(quadratic(np.eye(3), _AT), _OTHER[0]).model
    with Recorder(folder / "run", model) as recorder:
        for step in np.random.default_rng(0).normal(size=(8, 3)) * 0.3:
            with torch.no_grad():
                model.w.add_(torch.as_tensor(step))
            recorder.step()
    return open_run(folder / "run")


def _band(task=_TASK):
    settings = BandSettings(pivots=2, cycles=(Cycle(3, 0.01),), between=2)
    return nudged_elastic_band(task, state(_AT), state(_OTHER[0]), settings=settings)


_KINDS = {
    "line": lambda _: linear_path(_TASK, state(_AT), state(_OTHER[0]), n=9),
    "direction": lambda _: loss_line(_TASK, state(_AT), reach=0.5, n=9),
    "plane": lambda _: loss_plane(_TASK, state(_AT), reach=0.5, n=7),
    "pca": lambda folder: trajectory_plane(_TASK, _walk(folder), n=7),
    "triangle": lambda _: barycentric(_TASK, *map(state, [_AT, *_OTHER[:2]]), n=6),
    "band": lambda _: _band(),
    "curve": lambda _: bezier_path(_TASK, state(_AT), state(_OTHER[0]), settings=BendSettings(steps=4, points=5)),
    "square": lambda _: bilinear(_TASK, *map(state, [_AT, *_OTHER]), n=6),
}


def _words(figure):
    return " ".join(text.get_text() for text in figure.findobj(Text)).replace("\n", " ")


@pytest.mark.parametrize("kind", _KINDS)
def test_each_is_written_by_its_ending_and_the_same_bytes_twice(tmp_path, kind):
    made = _KINDS[kind](tmp_path)
    for suffix in ("png", "svg", "pdf", "npz", "json"):
        made.save(tmp_path / f"a.{suffix}", title="A title")
        made.save(tmp_path / f"b.{suffix}", title="A title")
        assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()
    assert imread(tmp_path / "a.png").std() > 0.05
    assert "A title" in (tmp_path / "a.svg").read_text()
    numbers = json.loads((tmp_path / "a.json").read_text())
    assert numbers["n_points"] == numbers["n_measured"] == len(made.losses.loss)
    assert numbers["greatest_loss"] == made.losses.loss.max()
    with np.load(tmp_path / "a.npz") as arrays:
        np.testing.assert_array_equal(arrays["loss"], made.loss)
        np.testing.assert_array_equal(arrays["coefficients"], made.losses.coefficients)


def test_the_words_of_a_picture_are_its_numbers(tmp_path):
    line = _KINDS["line"](tmp_path)
    assert f"distance {line.length:.3g}" in _words(line.figure())
    assert "the loss only falls" not in _words(line.figure())
    assert "the loss only falls on the way" in _words(linear_path(_TASK, state(_OTHER[0]), state(_AT), n=9).figure())
    plane = _KINDS["plane"](tmp_path)
    assert f"cosine of the directions {plane.cosine:.2g}" in _words(plane.figure())
    pca = _KINDS["pca"](tmp_path)
    words = _words(pca.figure())
    for share in (*pca.trajectory.explained, *pca.trajectory.explained_by_chance):
        assert f"{share:.0%}" in words
    assert "loss that the contours show" in words
    assert "distance from the plane" in words


def test_a_path_is_drawn_with_its_pivots_beside_the_straight_line():
    path = _band()
    drawn = path.figure()
    words = _words(drawn)
    assert f"barrier {path.barrier:.3g}, of the straight line {path.straight.barrier:.3g}" in words
    assert f"{path.length / path.straight.length:.2f} times its length" in words
    assert "straight line" in words
    lines = {line.get_label(): line for line in drawn.axes[0].get_lines()}
    for name, made in {"path": path, "straight line": path.straight}.items():
        np.testing.assert_array_equal(lines[name].get_xdata(), made.positions)
        np.testing.assert_array_equal(lines[name].get_ydata(), made.loss)
    pivots = [marks.get_offsets() for marks in drawn.axes[0].collections if len(marks.get_offsets()) == 2]
    np.testing.assert_array_equal(pivots[0][:, 0], path.positions[[3, 6]])  # two pivots, two points between each two
    numbers = slice_numbers(path)
    assert numbers["straight"]["barrier"] == path.straight.barrier
    assert numbers["found_by"]["settings"]["pivots"] == 2


def test_a_place_without_a_loss_on_a_path_is_a_gap_and_said():
    path = _band(landscape(lambda w: torch.where((w[0] > 0.4) & (w[0] < 0.6), torch.nan, (w * w).sum()), _AT))
    assert np.isnan(path.loss).any()
    assert np.isnan(path.barrier)
    drawn = path.figure()
    assert "barrier nan" in _words(drawn)
    assert all(np.isfinite(line.get_ydata()).all() for line in drawn.axes[0].get_lines())
    assert any(patch.get_hatch() for patch in drawn.axes[0].patches)


def test_the_curves_beside_a_trajectory_are_its_losses_and_distances(tmp_path):
    pca = _KINDS["pca"](tmp_path)
    curves = [line.get_ydata() for axes in pca.figure().axes for line in axes.get_lines()]
    for values in (pca.trajectory.true_loss, pca.trajectory.drawn_loss, pca.trajectory.off_plane):
        assert any(len(curve) == len(values) and np.array_equal(curve, values) for curve in curves)


def test_what_is_no_number_is_hatched_and_said():
    def hole(w):
        return torch.sqrt(w[0] - 0.5) + w[1] ** 2

    task = landscape(hole, np.array([1.0, 0.0]))
    directions = tuple({"w": torch.eye(2, dtype=torch.float64)[i : i + 1]} for i in range(2))
    plane = loss_plane(task, state(np.array([1.0, 0.0])), directions=directions, reach=1.0, n=9)
    assert np.isnan(plane.loss).any()
    drawn = plane.figure()
    assert drawn.axes[0].patch.get_hatch()
    assert "hatched: the loss is no number" in _words(drawn)
    # No filled contour reaches into the hole.
    filled = [collection for collection in drawn.axes[0].collections if hasattr(collection, "levels") and collection.filled]
    lowest = min(path.vertices[:, 0].min() for collection in filled for path in collection.get_paths() if len(path.vertices))
    assert lowest >= -0.5 - 1e-9
    line = linear_path(task, state(np.array([1.0, 0.0])), state(np.array([0.0, 0.0])), n=9)
    assert any(patch.get_hatch() for patch in line.figure().axes[0].patches)
    assert "hatched" not in _words(_KINDS["plane"](None).figure())


def test_all_of_it_without_a_number_is_still_a_picture():
    task = landscape(lambda w: torch.where(w[0] == 1, w[1] + 1, torch.nan), np.array([1.0, 0.0]))
    slice_figure(linear_path(task, state([1.0, 0.0]), state([2.0, 0.0]), n=5))
    slice_figure(loss_plane(task, state([1.0, 0.0]), reach=1.0, n=4))
    curve = BendSettings(steps=1, learning_rate=1e-9, points=5)
    slice_figure(bezier_path(task, state([1.0, 0.0]), state([2.0, 0.0]), settings=curve))


def test_a_few_batches_and_a_half_measured_plane_are_said():
    task = landscape(quadratic(np.eye(3), _AT, 1.0), _AT)
    batches = [(torch.full((1, 1), float(i)), torch.full((1,), float(i))) for i in range(4)]
    uneven = type(task)(task.model, lambda output, y: (output[0] ** 2).sum() * (1 + y[0]), batches, batches, task.optimizer)
    made = loss_plane(uneven, state(_AT), reach=0.5, n=5, settings=SliceSettings(batches=2))
    assert f"2 of 4 batches, error up to {made.losses.error.max():.2g}" in _words(made.figure())
    made.losses.done[12:] = False
    assert "12 of 25 points measured so far" in _words(made.figure())


def test_what_cannot_be_written_is_refused(tmp_path, refuses):
    made = _KINDS["line"](tmp_path)
    with refuses("'a.html': only a plane has a page; end it in .png, .svg, .pdf, .npz or .json"):
        made.save(tmp_path / "a.html")
    with refuses("there is no folder"):
        made.save(tmp_path / "nowhere" / "a.png")
