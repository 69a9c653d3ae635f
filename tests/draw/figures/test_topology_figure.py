"""Barcode, Betti curves and merge tree: what is drawn is what was measured."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_hex

from lossatlas import persistence
from lossatlas.draw import topology_figure
from lossatlas.draw.figures.persistence import CYCLE, VALLEY, WHOLE
from lossatlas.draw.figures.topology import places
from lossatlas.measure import merge_tree


def landscape(*, n=120, seed=0, knn=4, lift=3.0, **choices):
    rng = np.random.default_rng(seed)
    where = rng.normal(size=(n, 2))
    distances, values = np.linalg.norm(where[:, np.newaxis] - where, axis=2), np.abs(rng.normal(size=n)) + lift
    return persistence(distances, values, knn=knn, **choices), merge_tree(distances, values, knn=knn)


def lines(axes, colour):
    return [line for line in axes.lines if to_hex(line.get_color()) == colour.lower()]


def segments(axes, colour):
    return sorted(tuple(line.get_xdata()) for line in lines(axes, colour))


def test_bars_are_the_classes_and_those_without_end_run_out_of_the_frame():
    diagram, tree = landscape(n=40)
    made = topology_figure(diagram, tree, loss_label="test_loss")
    bars, curves, trunk = made.axes
    assert segments(bars, VALLEY) == sorted(map(tuple, diagram.finite[0]))
    assert segments(bars, WHOLE) == sorted((birth, bars.get_xlim()[1]) for birth in diagram.essential[0])
    assert segments(bars, CYCLE) == []  # of a plain graph they never end
    rows = [line.get_ydata()[0] for line in bars.lines]
    assert rows == list(range(len(rows)))
    assert bars.get_ylim()[0] > rows[-1]
    assert bars.get_ylabel() == "classes"
    words = bars.get_title(loc="left")
    for number in (diagram.total(part="finite"), diagram.total(part="essential"), diagram.loss_range_squared):
        assert f"{number:.3g}" in words
    assert [text.get_text() for text in made.legends[0].get_texts()] == ["valley, ends", "valley, never ends", "cycle"]
    assert (curves.get_xlabel(), trunk.get_ylabel()) == ("test_loss", "test_loss")


def test_cycles_that_triangles_fill_are_bars_and_the_longest_are_shown():
    diagram, tree = landscape(n=250, complex="clique", extended=True, knn=6)
    bars = topology_figure(diagram, tree).axes[0]
    assert 0 < len(lines(bars, CYCLE)) < len(diagram.finite[1]) + len(diagram.essential[1])
    heights = [end - start for start, end in segments(bars, CYCLE)]
    everything = np.concatenate([diagram.finite[1], diagram.closed(1)])
    np.testing.assert_allclose(sorted(heights)[::-1], np.sort(np.abs(np.diff(everything, axis=1)[:, 0]))[::-1][: len(heights)])
    count = len(diagram.barcode()) + len(everything)
    assert bars.get_ylabel() == f"longest {len(bars.lines)} of {count:,}" == f"longest 40 of {count:,}"


@pytest.mark.parametrize("choices", [{}, {"complex": "clique"}])
def test_curves_are_the_betti_numbers_at_every_step(choices):
    diagram, tree = landscape(**choices)
    curves = topology_figure(diagram, tree).axes[1]
    for dimension, colour in enumerate((VALLEY, CYCLE)):
        (line,) = lines(curves, colour)
        levels, counts = line.get_data()
        assert line.get_drawstyle() == "steps-post"
        np.testing.assert_array_equal(levels[1:-1], diagram.breakpoints(dimension))
        expected = diagram.betti(levels, dimension)
        np.testing.assert_array_equal(counts, np.where(expected > 0, expected, np.nan))


def test_branches_stand_from_their_minimum_to_their_pass():
    diagram, tree = landscape(n=40)
    trunk = topology_figure(diagram, tree).axes[2]
    top = trunk.get_ylim()[1]
    upright = sorted(tuple(line.get_ydata()) for colour in (VALLEY, WHOLE) for line in lines(trunk, colour))
    assert upright == sorted(zip(tree.lows, np.where(np.isnan(tree.passes), top, tree.passes), strict=True))
    assert trunk.get_yscale() == "log"
    across = [tuple(line.get_ydata()) for line in trunk.lines if to_hex(line.get_color()) not in (VALLEY.lower(), WHOLE.lower())]
    assert sorted(across) == sorted((height, height) for height in tree.passes[tree.parent >= 0])
    assert f"SMAD {tree.smad:.3g} ({tree.smad_over_range:.1%} of the range)" in trunk.get_title(loc="left")


def test_of_many_branches_the_highest_are_drawn_and_the_rest_counted():
    diagram, tree = landscape(n=400, knn=2)
    trunk = topology_figure(diagram, tree).axes[2]
    assert len(lines(trunk, VALLEY)) + len(lines(trunk, WHOLE)) == 40
    assert f"{len(tree.minima):,} minima, {len(tree.minima) - 40:,} not drawn" in trunk.get_title(loc="left")


@given(seed=st.integers(0, 2**32 - 1), knn=st.integers(1, 4))
def test_no_line_of_the_tree_crosses_another(seed, knn):
    _, tree = landscape(n=40, seed=seed, knn=knn)
    names = np.arange(len(tree.minima))
    place = places(tree.parent, tree.passes, names)
    assert sorted(place.values()) == names.tolist()
    for branch in names[tree.parent >= 0]:
        left, right = sorted((place[branch], place[int(tree.parent[branch])]))
        over = [other for other in names if left < place[other] < right]
        # What stands between has ended below.
        assert all(tree.passes[other] <= tree.passes[branch] for other in over)


def test_losses_of_0_or_less_and_other_scales_have_even_axes():
    bars, _, trunk = topology_figure(*landscape(lift=-1.0)).axes
    assert bars.get_xscale() == trunk.get_yscale() == "linear"
    ranks, tree = landscape(scale="rank")
    bars, curves, trunk = topology_figure(ranks, tree).axes
    assert (bars.get_xscale(), trunk.get_yscale()) == ("linear", "log")
    assert curves.get_xlabel() == "loss (rank)"


@pytest.mark.parametrize("style", ["paper", "talk"])
def test_a_flat_landscape_has_a_figure_too(style):
    distances = np.abs(np.subtract.outer(np.arange(5.0), np.arange(5.0)))
    for values in (np.full(5, 2.0), np.zeros(5), np.arange(5.0) * 1e-300):
        made = topology_figure(persistence(distances, values, knn=1), merge_tree(distances, values, knn=1), style=style)
        made.draw_without_rendering()
        assert [text.get_text() for text in made.legends[0].get_texts()] == ["valley, never ends"]
        assert "1 minimum\nno saddle" in made.axes[2].get_title(loc="left")


def test_a_loss_label_is_no_formula():
    made = topology_figure(*landscape(n=30), loss_label="a $loss", title="50 % of $")
    made.draw_without_rendering()
    assert made.axes[1].get_xlabel() == "a $loss"
