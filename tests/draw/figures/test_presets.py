"""The three figures of the paper show the numbers that they were given, where they belong."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.collections import PathCollection
from matplotlib.text import Text
from scipy.stats import spearmanr
from seeded import N_STEPS, diagram, part, scene_of

from lossatlas.draw import PAPER, Metric, landscape_figure, methods_figure, persistence_figure
from lossatlas.draw.figures.bars import log_ticks, tick_words


def words(made):
    return " ".join(text.get_text() for text in made.findobj(Text)).replace("\n", " ")


def scatters(axes):
    return [one for one in axes.collections if isinstance(one, PathCollection) and len(one.get_offsets())]


def coloured(axes):
    """The one scatter that is coloured by numbers."""
    (found,) = [one for one in scatters(axes) if one.get_array() is not None]
    return found


def test_samplers_are_rows_and_networks_columns_on_one_scale_of_the_loss():
    scenes = {"naive": scene_of(part("good"), part("bad", lift=5)), "jump": scene_of(part("good", lift=0.1), part("bad"))}
    made = landscape_figure(scenes, rows=("loss",))
    assert len(made.axes) == 4
    assert [axes.get_title() for axes in made.axes] == ["good", "bad", "", ""]
    assert [axes.get_ylabel() for axes in made.axes] == ["naive", "", "jump", ""]
    least = 0.1
    greatest = max(float(one.metrics[0].values.max()) for scene in scenes.values() for one in scene.maps)
    for axes in made.axes:
        assert coloured(axes).norm.vmin == pytest.approx(least)
        assert coloured(axes).norm.vmax == pytest.approx(greatest)
    assert len(landscape_figure(scenes).axes) == 8


def test_a_name_is_broken_into_lines_alike_in_length_and_within_no_word_that_fits():
    names = ["Around sharpness-aware", "true labels and 4 more", "ab cdefghijklmnopqrs", "a" * 30]
    made = landscape_figure(scene_of(*map(part, names)), rows=("runs",))
    assert [axes.get_title() for axes in made.axes] == [
        "Around\nsharpness-aware",
        "true labels\nand 4 more",
        "ab\ncdefghijklmnopqrs",
        "a" * 19 + "\n" + "a" * 11,
    ]


def test_a_sampler_with_fewer_networks_leaves_its_place_empty():
    made = landscape_figure({"both": scene_of(part("a"), part("b")), "one": scene_of(part("a"))}, rows=("runs",))
    assert [axes.axison for axes in made.axes] == [True, True, True, False]


def test_a_loss_of_which_nothing_is_finite_is_no_loss():
    lost = dataclasses.replace(
        part(), metrics=(Metric(name="test_loss", label="test loss", values=np.full(part().n_points, np.nan, np.float32)),)
    )
    assert len(landscape_figure(scene_of(lost)).axes) == 1
    beside = landscape_figure(scene_of(part("known"), dataclasses.replace(lost, name="lost")))
    assert "no loss was recorded" in words(beside)


def test_unknown_rows_are_refused(refuses, as_users_call):
    with refuses("rows must be of 'runs' and 'loss', but are \\['accuracy'\\]; name one or both"):
        landscape_figure(scene_of(part()), rows=("accuracy",))


@pytest.mark.parametrize(("epochs", "is_few"), [(N_STEPS, True), (30, False)])
def test_each_method_draws_each_point_in_the_colour_of_its_time(epochs, is_few):
    one = part(epochs=epochs, methods=("PHATE", "PCA"))
    made = methods_figure(scene_of(one))
    assert [axes.get_title() for axes in made.axes] == ["PHATE", "PCA"]
    for axes, layout in zip(made.axes, one.layouts, strict=True):
        marks = coloured(axes)
        at = {tuple(place): value for place, value in zip(marks.get_offsets().tolist(), marks.get_array(), strict=True)}
        for row in range(1, one.n_points):  # 0 is the star
            assert at[tuple(layout.coordinates[row].tolist())] == one.time[row]
        assert tuple(layout.coordinates[0].tolist()) not in at
    (bar,) = made.axes[-1].child_axes
    assert bar.get_ylabel() == "epoch"
    made.draw_without_rendering()
    if is_few:
        assert [tick.get_text() for tick in bar.get_yticklabels()] == [str(i) for i in range(epochs)]


def test_methods_are_coloured_by_any_metric_and_an_unknown_one_is_refused(refuses):
    one = part(methods=("PHATE", "PCA"))
    marks = coloured(methods_figure(scene_of(one), colour="test_loss").axes[1])
    np.testing.assert_allclose(sorted(marks.get_array()), sorted(one.metrics[0].values[1:]))
    with refuses("map 'net' has no metric 'test_lost'; it has test_loss"):
        methods_figure(scene_of(one), colour="test_lost")


def test_a_map_that_lacks_a_method_says_so():
    made = methods_figure(scene_of(part("a", methods=("PHATE", "PCA")), part("b")))
    assert "not drawn by PCA" in words(made)


def test_a_diagram_is_drawn_in_log_axes_with_its_sums():
    one = diagram()
    made = persistence_figure({"net": one}, loss_label="test loss")
    axes = made.axes[0]
    assert axes.get_xscale() == axes.get_yscale() == "log"
    by_marker = {len(marks.get_offsets()): marks.get_offsets().tolist() for marks in scatters(axes)}
    finite, whole, cycles = (marks.get_offsets().data.tolist() for marks in scatters(axes))
    assert finite == one.finite[0].tolist()
    assert whole == [[0.5, 8.0]]
    assert cycles == [[2.0, 8.0], [2.5, 8.0]]
    assert by_marker
    for name, value in {
        "total": one.total(),
        "finite": one.total(part="finite"),
        "essential": one.total(part="essential"),
        "loss range²": 7.5**2,
    }.items():
        assert f"{name} {value:.3g}" in words(made)
    diagonal = next(line for line in axes.lines if np.array_equal(line.get_xdata(), line.get_ydata()))
    assert tuple(diagonal.get_xdata()) == axes.get_xlim()


def test_a_loss_of_0_has_no_logarithm_and_is_drawn_all_the_same():
    axes = persistence_figure({"net": diagram(low=0.0)}).axes[0]
    assert axes.get_xscale() == axes.get_yscale() == "linear"
    assert axes.get_xlim()[0] < 0


def _networks(n):
    generator = np.random.default_rng(0)
    diagrams = {f"n{i}": diagram(low=0.1 + 0.1 * i, high=float(high)) for i, high in enumerate(generator.uniform(4, 30, n))}
    return diagrams, {name: float(loss) for name, loss in zip(diagrams, generator.uniform(0.1, 3, n), strict=True)}


def test_totals_stand_over_losses_with_their_rank_correlation_and_the_baseline_s():
    diagrams, losses = _networks(7)
    made = persistence_figure(diagrams, losses=losses, by={name: int(name[1]) % 3 for name in diagrams}, by_label="decay")
    axes = made.axes[-1]
    dashes, marks = scatters(axes)
    x, total = list(losses.values()), [one.total() for one in diagrams.values()]
    baseline = [one.loss_range_squared for one in diagrams.values()]
    np.testing.assert_allclose(marks.get_offsets(), np.column_stack([x, total]))
    np.testing.assert_allclose(dashes.get_offsets(), np.column_stack([x, baseline]))
    finite = [one.total(part="finite") for one in diagrams.values()]
    for name, values in {"total": total, "loss range²": baseline, "finite part": finite}.items():
        assert f"{name} {spearmanr(values, x).statistic:.2f}".replace("-", "−") in words(made)
    assert "7 networks" in words(made)
    legend = axes.get_legend()
    assert legend.get_title().get_text() == "decay"
    assert [text.get_text() for text in legend.get_texts()] == ["0", "1", "2"]
    assert len({tuple(face) for face in marks.get_facecolors()}) == 3
    assert len(made.axes) - 1 == PAPER.most_diagrams


def test_marks_are_coloured_by_words_by_many_numbers_and_grey_where_nothing_is_known():
    diagrams, losses = _networks(12)
    by_word = persistence_figure(diagrams, losses=losses, by={name: "ab"[int(name[1:]) % 2] for name in diagrams}).axes[-1]
    assert [text.get_text() for text in by_word.get_legend().get_texts()] == ["a", "b"]
    some = {name: 0.1 * (1 + int(name[1:])) for name in list(diagrams)[1:]}
    by_number = persistence_figure(diagrams, losses=losses, by=some, by_label="learning rate").axes[-1]
    assert by_number.get_legend() is None
    assert by_number.child_axes[0].get_ylabel() == "learning rate (log scale)"
    first = scatters(by_number)[1].get_facecolors()[0]
    assert first[0] == first[1] == first[2]


def test_two_networks_have_no_rank_correlation():
    diagrams, losses = _networks(2)
    assert "total has none" in words(persistence_figure(diagrams, losses=losses))


def test_names_that_are_no_diagram_are_refused(refuses):
    with refuses("there is no diagram to draw; pass one at least by its name"):
        persistence_figure({})
    for what in ({"shown": ["b"]}, {"losses": {"b": 1.0}}, {"by": {"b": 1.0}}):
        with refuses(f"{next(iter(what))} names 'b', which is not among the diagrams; those are a"):
            persistence_figure({"a": diagram()}, **what)


@given(st.floats(-30, 30), st.floats(0.01, 40))
def test_ticks_of_a_log_axis_lie_in_it_and_are_neither_none_nor_many(start, decades):
    low, high = 10.0**start, 10.0 ** (start + decades)
    ticks = log_ticks(low, high)
    assert 1 <= len(ticks) <= 9
    assert ticks == sorted(set(ticks))
    assert all(low * (1 - 1e-6) <= tick <= high * (1 + 1e-6) for tick in ticks)
    assert len({tick_words(tick) for tick in ticks}) == len(ticks)


@pytest.mark.parametrize("style", ["paper", "talk"])
@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("has_losses", [False, True])
def test_sums_stand_below_the_diagonal_or_above_the_diagram_where_there_is_no_room(style, n, has_losses):
    diagrams, losses = _networks(n)
    made = persistence_figure(diagrams, losses=losses if has_losses else None, style=style)
    made.draw_without_rendering()
    for axes in made.axes[: min(n, 2)]:
        box, words = axes.get_window_extent(), axes.texts[0].get_window_extent()
        is_below = words.x0 - box.x0 > words.y1 - box.y0 and words.x1 < box.x1 and words.y0 > box.y0
        assert is_below or words.y0 > box.y1
