"""Planes of the loss as surfaces of a scene: the numbers that were measured, on a page of their own or beside a map."""

import dataclasses
import re
import subprocess
import sys

import numpy as np
import pytest
import torch
from atlases import walks
from landscapes import landscape, quadratic, state
from test_slices import _AT, _KINDS, _TASK

from lossatlas import SliceSettings, loss_plane
from lossatlas.draw import Surface, surface


def header(path):
    return re.search(r'id="scene-header">(.*?)</script>', path.read_text(), flags=re.DOTALL).group(1)


def test_a_plane_of_directions_is_a_surface():
    made = loss_plane(_TASK, state(_AT), reach=0.5, n=7)
    found = surface(made, name="around the optimum")
    assert (found.name, found.label, found.path) == ("around the optimum", "train loss", None)
    np.testing.assert_allclose(found.x, made.x, rtol=1e-6)
    np.testing.assert_allclose(found.y, made.y, rtol=1e-6)
    np.testing.assert_allclose(found.loss, made.loss, rtol=1e-6)
    assert found.loss.dtype == np.float32
    assert found.caption == f"cosine of the directions {made.cosine:.2g}"
    assert found.x_label == "first direction (1 is 100 % of the weights)"


def test_a_run_lies_on_the_plane_that_it_spans(tmp_path):
    made = _KINDS["pca"](tmp_path)
    found = surface(made, name="run")
    for name in ("steps", "coordinates", "off_plane", "true_loss", "drawn_loss"):
        np.testing.assert_allclose(getattr(found.path, name), getattr(made.trajectory, name), rtol=1e-6)
    shares = [f"{share:.0%}" for share in (made.trajectory.explained[1], made.trajectory.explained_by_chance[1])]
    assert found.y_label == f"second component: {shares[0]} of the variance (a random walk: {shares[1]})"
    assert found.caption == "axes in units of distance in weights"


def test_a_wide_loss_is_on_a_log_scale_and_what_is_no_number_stays():
    made = loss_plane(_TASK, state(_AT), reach=0.5, n=7)
    assert made.loss.max() > 20 * made.loss.min() > 0
    assert surface(made, name="s").scale == "log"
    level = dataclasses.replace(made, loss=made.loss + 1000)
    assert surface(level, name="s").scale == "linear"
    assert surface(dataclasses.replace(made, loss=made.loss - 1), name="s").scale == "linear"
    hole = dataclasses.replace(made, loss=np.where(made.x == 0, np.nan, made.loss))
    assert np.isnan(surface(hole, name="s").loss[:, 3]).all()
    assert surface(dataclasses.replace(made, loss=made.loss * np.nan), name="s").scale == "linear"


def test_the_caption_says_how_it_was_measured():
    task = landscape(quadratic(np.eye(3), _AT, 1.0), _AT)
    batches = [(torch.full((1, 1), float(i)), torch.full((1,), float(i))) for i in range(4)]
    uneven = type(task)(task.model, lambda output, y: (output[0] ** 2).sum() * (1 + y[0]), batches, batches, task.optimizer)
    made = loss_plane(uneven, state(_AT), reach=0.5, n=5, settings=SliceSettings(batches=2, data="test"))
    made.losses.done[12:] = False
    found = surface(made, name="s")
    assert f"2 of 4 batches, error up to {made.losses.error.max():.2g}; 12 of 25 points measured so far" in found.caption
    assert found.label == "test loss"


def test_a_plane_is_a_page_and_nothing_else_is(tmp_path, refuses):
    made = loss_plane(_TASK, state(_AT), reach=0.5, n=5)
    made.save(tmp_path / "plane.html", title="Around")
    assert '"name": "Around"' in header(tmp_path / "plane.html")
    assert '"maps": []' in header(tmp_path / "plane.html")
    with refuses(r"'line.html': only a plane has a page; end it in .png, .svg, .pdf, .npz or .json"):
        _KINDS["line"](tmp_path).save(tmp_path / "line.html")
    assert not (tmp_path / "line.html").exists()


def test_planes_stand_beside_a_map_under_their_names(tmp_path):
    plane, atlas = loss_plane(_TASK, state(_AT), reach=0.5, n=5), walks((12,), nulls=False)
    atlas.write_html(tmp_path / "a.html", surfaces=[surface(plane, name="mine"), plane])
    words = header(tmp_path / "a.html")
    assert '"name": "mine"' in words
    assert '"name": "plane 2"' in words
    atlas.write_html(tmp_path / "b.html")
    assert '"surfaces": []' in header(tmp_path / "b.html")


def test_drawing_loads_no_torch():
    code = "import lossatlas.draw, sys; lossatlas.draw.surface; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.usefixtures("as_users_call")
def test_a_surface_has_as_many_losses_as_places(refuses):
    with refuses(r"surface 's': loss has shape \(2, 2\), and its points ask for \(2, 3\)"):
        Surface(name="s", caption="", x=np.zeros(2), y=np.zeros(3), loss=np.zeros((2, 2)))
