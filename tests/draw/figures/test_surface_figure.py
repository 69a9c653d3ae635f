"""A plane as a surface: heights are the log of the loss, holes are holes and said, and a large mesh alone becomes pixels."""

import dataclasses
import re

import numpy as np
import pytest
from landscapes import landscape, quadratic, state
from matplotlib.text import Text
from mpl_toolkits.mplot3d.art3d import Line3D, Poly3DCollection

from lossatlas import loss_plane
from lossatlas.draw import TALK, write_figure
from lossatlas.draw.figures.surface import MOST_FACES, surface_figure
from lossatlas.sample.slice.principal import Projected

_AT = np.array([1.0, 2.0])
_TASK = landscape(quadratic(np.diag([1.0, 9.0]), _AT, 0.01), _AT)


def plane(n=7, task=_TASK, reach=0.5):
    return loss_plane(task, state(_AT), reach=reach, n=n)


def with_run(made):
    """Lay a run of four points on a plane."""
    coordinates = np.array([[-0.4, 0.4], [-0.2, 0.1], [0.1, 0.0], [0.0, 0.0]])
    true, drawn = np.array([2.0, 1.0, 0.5, 0.01]), np.array([1.0, 0.5, 0.1, 0.01])
    run = Projected(np.arange(4.0), coordinates, np.zeros(4), (0.8, 0.1), (0.6, 0.2), true, drawn)
    return dataclasses.replace(made, trajectory=run)


def mesh_of(drawn):
    return next(one for one in drawn.axes[0].collections if isinstance(one, Poly3DCollection))


def faces_of(drawn):
    mesh = mesh_of(drawn)
    return np.asarray(mesh._faces if hasattr(mesh, "_faces") else mesh._vec[:3].T.reshape(-1, 4, 3))  # before Matplotlib 3.11


def words(drawn):
    return " ".join(text.get_text() for text in drawn.findobj(Text)).replace("\n", " ")


def test_the_corners_of_the_surface_are_the_logarithms_of_the_loss():
    made = plane()
    corners = faces_of(surface_figure(made)).reshape(-1, 3)
    low, high = np.log(made.loss.min()), np.log(made.loss.max())
    expected = {
        (x, y): (np.log(made.loss[i, j]) - low) / (high - low) for i, x in enumerate(made.x) for j, y in enumerate(made.y)
    }
    assert len(corners) == 4 * 36
    for x, y, height in corners:
        assert height == pytest.approx(expected[x, y], abs=1e-9)


def test_the_run_lies_at_the_loss_that_the_surface_shows():
    made = with_run(plane())
    low, high = np.log(made.loss.min()), np.log(made.loss.max())
    lines = [line.get_data_3d() for line in surface_figure(made).axes[0].lines if isinstance(line, Line3D)]
    expected = (np.log(made.trajectory.drawn_loss) - low) / (high - low)
    assert any(np.allclose(z, expected) and np.allclose(x, made.trajectory.coordinates[:, 0]) for x, _, z in lines)
    assert "the components hold 80% and 10% of the variance" in words(surface_figure(made))


def test_where_the_loss_is_no_number_there_is_a_hole_and_it_is_said():
    made = plane()
    loss = made.loss.copy()
    loss[2, 3], loss[5, 5] = np.nan, np.inf
    holed = dataclasses.replace(made, loss=loss, losses=dataclasses.replace(made.losses, loss=loss.ravel()))
    drawn = surface_figure(holed)
    assert len(faces_of(drawn)) == 36 - 8
    assert np.isfinite(faces_of(drawn)).all()
    assert "holes: the loss is no number at 2 of 49 points" in words(drawn)
    assert "holes" not in words(surface_figure(made))


def test_what_was_not_measured_is_a_hole_too_and_said_as_such():
    made = plane()
    done = made.losses.done.copy()
    done[:14] = False
    drawn = surface_figure(dataclasses.replace(made, losses=dataclasses.replace(made.losses, done=done)))
    assert len(faces_of(drawn)) == 24
    assert "35 of 49 points measured so far" in words(drawn)
    assert "holes" not in words(drawn)


def test_a_surface_of_no_number_at_all_is_still_a_picture():
    made = plane(n=3)
    loss = np.full_like(made.loss, np.nan)
    assert "at 9 of 9" in words(
        surface_figure(dataclasses.replace(made, loss=loss, losses=dataclasses.replace(made.losses, loss=loss.ravel())))
    )


def test_a_loss_of_0_is_drawn_on_its_own_scale():
    made = plane(task=landscape(quadratic(np.eye(2), _AT), _AT))
    assert made.loss.min() == 0
    heights = faces_of(surface_figure(made))[:, :, 2]
    assert heights.min() == 0
    assert heights.max() == 1
    assert "(log scale)" not in words(surface_figure(made))


def test_only_a_large_mesh_becomes_pixels_and_its_words_stay_words(tmp_path):
    small, large = plane(), plane()
    n = 102  # 101 squared is above 10,000
    x = np.linspace(-1, 1, n)
    loss = 1 + np.add.outer(x**2, x**2)
    losses = dataclasses.replace(
        large.losses,
        loss=loss.ravel(),
        error=np.zeros(n * n),
        coefficients=np.zeros((n * n, 3)),
        done=np.ones(n * n, bool),
    )
    large = dataclasses.replace(large, x=x, y=x, loss=loss, losses=losses)
    assert (n - 1) ** 2 > MOST_FACES
    for made, name in ((small, "small"), (large, "large")):
        write_figure(surface_figure(made, title="Words"), tmp_path / f"{name}.svg")
    svg = {name: (tmp_path / f"{name}.svg").read_text() for name in ("small", "large")}
    assert "<image" in svg["large"]
    assert len(re.findall("<image", svg["small"])) == len(re.findall("<image", svg["large"])) - 1  # a bar of colours is one
    assert all("first direction</text>" in text and "Words</text>" in text for text in svg.values())
    assert len(svg["large"]) < 1_000_000


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_the_same_surface_twice_is_the_same_bytes(ending, tmp_path):
    made = with_run(plane())
    for name in "ab":
        write_figure(surface_figure(made), tmp_path / f"{name}.{ending}")
    assert (tmp_path / f"a.{ending}").read_bytes() == (tmp_path / f"b.{ending}").read_bytes()


@pytest.mark.parametrize("style", ["paper", "talk"])
def test_nothing_of_a_surface_is_cut_off(style):
    drawn = surface_figure(with_run(plane()), style=style, title="A title")
    drawn.draw_without_rendering()
    for text in drawn.findobj(Text):
        if text.get_visible() and text.get_text().strip():
            box = text.get_window_extent()
            assert drawn.bbox.x0 <= box.x0 <= box.x1 <= drawn.bbox.x1, text.get_text()
            assert drawn.bbox.y0 <= box.y0 <= box.y1 <= drawn.bbox.y1, text.get_text()
    if style == "talk":
        assert drawn.get_size_inches().tolist() == [TALK.page, TALK.height]


def test_a_plane_saves_its_surface_and_a_line_has_none(tmp_path, refuses):
    from lossatlas import linear_path

    plane().save(tmp_path / "a.svg", surface=True, style="talk")
    assert "first direction</text>" in (tmp_path / "a.svg").read_text()
    with refuses("a surface is of a plane, which this slice is not"):
        linear_path(_TASK, state(_AT), state(-_AT), n=3).save(tmp_path / "b.svg", surface=True)
    with refuses("a surface is a figure, but 'b.npz' is none; end it in .png, .svg or .pdf"):
        plane().save(tmp_path / "b.npz", surface=True)
    assert [path.name for path in tmp_path.iterdir()] == ["a.svg"]
