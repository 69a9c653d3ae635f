"""The geometry's figure shows the numbers of its result, in as many panels as there is room for."""

import re

import numpy as np
import pytest
from layered_runs import SHAPES, recorded

from lossatlas.distance import pairwise
from lossatlas.draw import PAPER, TALK, geometry_figure, write_figure
from lossatlas.measure import layer_geometry, trajectory_geometry


def walks(n_runs=3, n=8):
    points = np.random.default_rng(0).normal(size=(n_runs * n, 20)).cumsum(axis=0)
    steps = np.tile(np.arange(float(n)) * 10, n_runs)
    return trajectory_geometry(pairwise(points), [(n * i, n * i + n) for i in range(n_runs)], steps=steps)


@pytest.fixture(scope="module")
def layers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("layers")
    return layer_geometry([recorded(folder / "a", 7)[0], recorded(folder / "b", 5, seed=1)[0]])


def curves(axes):
    """The lines of a panel: random walk, from the end, from the start."""
    return [line.get_ydata() for line in axes.get_lines()]


def test_a_panel_a_run_has_its_distances_and_its_bar_its_straightness():
    found = walks()
    *panels, bars = geometry_figure(found, names=["a", "b", "c"], time_label="batch").axes
    assert [axes.get_title(loc="left") for axes in panels] == ["a", "b", "c"]
    for (first, stop), axes in zip(found.runs, panels, strict=True):
        expected = [found.null.distance_from_start, found.distance_from_end, found.distance_from_start]
        np.testing.assert_array_equal(curves(axes), [values[first:stop] for values in expected])
        assert axes.get_lines()[0].get_xdata().tolist() == [0, 10, 20, 30, 40, 50, 60, 70]
        assert axes.get_xlabel() == "batch"
    np.testing.assert_allclose([bar.get_width() for bar in bars.patches], found.straightness)
    np.testing.assert_allclose(bars.collections[-1].get_offsets()[:, 0], found.null.straightness)
    assert [label.get_text() for label in bars.get_yticklabels()] == ["a", "b", "c"]


def test_a_panel_a_layer_has_those_of_the_run_that_is_asked_for(layers):
    *panels, bars = geometry_figure(layers, run=1).axes
    assert [axes.get_title(loc="left") for axes in panels] == list(SHAPES)
    for axes, layer in zip(panels, layers.layers.values(), strict=True):
        np.testing.assert_array_equal(curves(axes)[2], layer.distance_from_start[7:12])
    still = list(SHAPES).index("blocks.0.norm.weight")
    assert [text.get_text() for text in bars.texts] == ["stands still"]
    assert bars.texts[0].get_position()[1] == still
    straight = np.array([layer.straightness[1] for layer in layers.layers.values()])
    np.testing.assert_allclose([bar.get_width() for bar in bars.patches], np.nan_to_num(straight))


def test_where_there_is_no_room_those_that_went_farthest_are_shown_in_their_order():
    found = walks(n_runs=45)
    for style, most in ((PAPER, 12), (TALK, 6)):
        *panels, bars = geometry_figure(found, style=style).axes
        expected = sorted(np.argsort(-found.displacement)[:most])
        assert [axes.get_title(loc="left") for axes in panels] == [f"run {i}" for i in expected]
        most_bars = 16 if style is TALK else 40
        barred = sorted(np.argsort(-found.displacement)[:most_bars])
        assert [label.get_text() for label in bars.get_yticklabels()] == [f"run {i}" for i in barred]


def test_names_are_words_whatever_signs_they_hold(tmp_path):
    long = "a_very_long_name_of_a_run_that_ends_in_7"
    made = geometry_figure(walks(2), names=[long, "a_$name$"], title="a $title$", time_label="$t$")
    shown = made.axes[0].get_title(loc="left")
    assert shown == "a_very_\N{HORIZONTAL ELLIPSIS}" + long[-12:]
    write_figure(made, tmp_path / "a.svg")
    written = re.sub(r"<!--.*?-->", "", (tmp_path / "a.svg").read_text())
    assert written.count("a_$name$") == 2  # over its panel, beside its bar
    assert written.count("$t$") == 2
    assert "a $title$" in written


def test_modules_that_all_are_in_are_not_named():
    made = geometry_figure(walks(3), names=["net.blocks.0.weight", "net.blocks.1.weight", "net.blocks.bias"])
    assert [axes.get_title(loc="left") for axes in made.axes[:3]] == ["0.weight", "1.weight", "bias"]
    assert geometry_figure(walks(2), names=["net.a", "net.a"]).axes[0].get_title(loc="left") == "a"
    assert geometry_figure(walks(1), names=["net.a"]).axes[0].get_title(loc="left") == "net.a"


def test_what_cannot_be_drawn_is_refused(layers, refuses):
    with refuses(r"there are 2 runs, but run 2 was asked for; name one of them"):
        geometry_figure(layers, run=2)
    with refuses(r"names must be one a trajectory, but there are 1 for 3"):
        geometry_figure(walks(), names=["a"])
    with refuses(r"no trajectory of two points or more, so there is nothing to draw"):
        geometry_figure(trajectory_geometry(pairwise(np.eye(3)), [(0, 1)]))
