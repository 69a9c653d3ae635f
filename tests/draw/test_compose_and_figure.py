"""Every number that is drawn is one of the atlas, and the figure shows the points where the scene has them."""

import dataclasses
import html
import re
import subprocess
import sys

import numpy as np
import pytest
import torch
from atlases import walks
from matplotlib.collections import PathCollection

import lossatlas as la
from lossatlas.distance import pairwise
from lossatlas.draw import PAPER, Layout, Scene, SceneMap, encoded, figure, notebook_frame, scene, write_figure
from lossatlas.measure import Comparison, merge_tree, trajectory_geometry


@pytest.fixture(scope="module")
def around(tmp_path_factory):
    """A small jump and retrain: an optimum, and two directions at two sizes, three epochs each."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(40, 6, generator=generator)
    y = (x @ torch.randn(6, 3, generator=generator)).argmax(1)
    model = torch.nn.Linear(6, 3)
    with torch.no_grad():
        model.weight.copy_(torch.randn(3, 6, generator=generator))
    task = la.Task(
        model, torch.nn.functional.cross_entropy, [(x[:30], y[:30])], [(x[30:], y[30:])], lambda p: torch.optim.SGD(p, lr=0.5)
    )
    folder = tmp_path_factory.mktemp("around")
    settings = la.JumpSettings(seeds=(0, 1), steps=(0.5, 1.0), epochs=3)
    return la.atlas(la.jump_and_retrain(task, model.state_dict(), folder / "jumps", settings=settings))


def test_the_scene_holds_the_numbers_of_the_atlas(around):
    part = scene({"here": around}, title="t").maps[0]
    np.testing.assert_allclose(part.layouts[0].coordinates, around.embedding.coordinates, rtol=1e-6)  # float32 keeps 7 digits
    shown = {metric.name: metric for metric in part.metrics}
    assert shown.keys() == {*around.metrics, "distance_from_optimum", "step_length", "turning_angle", "angle_to_end"}
    for name, values in around.metrics.items():
        np.testing.assert_allclose(shown[name].values, values, rtol=1e-6)
    np.testing.assert_allclose(shown["distance_from_optimum"].values, around.distance_from_optimum, rtol=1e-6)
    found = around.geometry
    for name, values in {
        "step_length": around.step_lengths,
        "turning_angle": found.turning,
        "angle_to_end": found.angle_to_end,
    }.items():
        np.testing.assert_allclose(shown[name].values, values, rtol=1e-6)
    assert [(run.name, run.start, run.stop, run.seed, run.jump) for run in part.runs] == [
        (trace.name, trace.start, trace.stop, trace.seed, trace.jump) for trace in around.traces
    ]
    assert part.optimum == around.optimum == 0
    assert part.landscape == "test_loss"
    assert part.time_label == "epoch"


def test_a_recorded_number_keeps_a_name_that_is_ours_too(around):
    values = np.arange(17.0)
    mine = dataclasses.replace(around, metrics={**around.metrics, "step_length": values})
    shown = [metric for metric in scene({"here": mine}, title="t").maps[0].metrics if metric.name == "step_length"]
    assert len(shown) == 1
    np.testing.assert_array_equal(shown[0].values, values)


def test_an_atlas_of_the_bare_map_is_still_a_scene(around):
    bare = dataclasses.replace(around, distances=None, geometry=None, valleys=None, comparison=Comparison())
    part = scene({"here": bare}, title="t").maps[0]
    assert [layout.name for layout in part.layouts] == ["PHATE"]
    assert (part.layouts[0].coordinates_3d, part.barcode, part.distances, part.scores) == (None, None, None, ())
    assert part.layouts[0].metrics == ()


def test_angles_and_straightness_are_shown_only_where_a_run_turns():
    made = walks((2, 2, 12), nulls=False)
    short = dataclasses.replace(made, geometry=trajectory_geometry(pairwise(np.eye(16)), [(0, 2), (2, 4)]))
    part = scene({"here": short}, title="t").maps[0]
    assert {"step_length", "angle_to_end", "turning_angle"} & {metric.name for metric in part.metrics} == {
        "step_length",
        "angle_to_end",
    }
    assert "straightness" not in {fact.label for fact in part.facts}
    single = dataclasses.replace(made, geometry=trajectory_geometry(pairwise(np.eye(16)), [(4, 16)]))
    facts = {fact.label: fact.value for fact in scene({"here": single}, title="t").maps[0].facts}
    assert facts["straightness"] == "0.09, a random walk 0.30"  # steps of sqrt 2: 1 / 11, and 1 / sqrt 11


def test_losses_are_on_a_log_scale_and_accuracies_are_not(around):
    scales = {metric.name: metric.scale for metric in scene({"here": around}, title="t").maps[0].metrics}
    assert scales["test_loss"] == scales["train_loss"] == scales["step_length"] == "log"
    assert scales["test_accuracy"] == scales["distance_from_optimum"] == "linear"


def test_the_facts_say_what_the_summary_says(around):
    facts = {fact.label: fact.value for fact in scene({"here": around}, title="t").maps[0].facts}
    numbers = around.summary()
    assert "stress" not in facts  # it is among the scores, beside that of other layouts
    assert facts["pieces of the neighbour graph"] == str(numbers["connected_components"])
    assert facts["return ratio"].startswith(f"{numbers['return_ratio']:.2f} (")
    runs = numbers["trajectories"].values()
    own, null = (np.array([run[name] for run in runs]) for name in ("straightness", "null_straightness"))
    apart, aside = ([spread[name] for spread in numbers["spreads"].values()] for name in ("spread", "null_spread"))
    own_range, null_range = (" to ".join(dict.fromkeys(f"{end(of):.2f}" for end in (min, max))) for of in (apart, aside))
    assert facts["ends apart"] == f"{own_range} jumps, at right angles {null_range}"
    assert facts["straightness"] == f"{own.mean():.2f} ({own.min():.2f} to {own.max():.2f}), a random walk {null.mean():.2f}"
    assert facts["persistence of the test loss"].endswith(f"+ {numbers['persistence']['essential']:.3g} essential")


def test_the_mean_height_of_valleys_is_a_fact_where_there_are_any(around):
    losses = np.random.default_rng(0).uniform(1, 2, size=17)
    for knn, is_there in ((2, True), (16, False)):  # among all others there is one valley
        tree = merge_tree(around.embedding.potential_distances, losses, knn=knn)
        with_it = dataclasses.replace(around, merge_tree=tree)
        facts = {fact.label: fact for fact in scene({"here": with_it}, title="t").maps[0].facts}
        assert ("mean height of valleys" in facts) == is_there
        if is_there:
            numbers, fact = with_it.summary()["persistence"], facts["mean height of valleys"]
            assert fact.value == f"{numbers['smad']:.3g}, {numbers['smad_over_range']:.2g} of the range"
            assert f"mean over {(tree.parent >= 0).sum()} (SMAD)" in fact.meaning


def test_the_caption_names_every_choice_that_changes_the_map(around):
    caption = scene({"here": around}, title="t").maps[0].layouts[0].caption
    for words in (
        "17 points",
        "cosine distance about the origin",
        "knn 5",
        "decay 40",
        f"t {around.embedding.t} (chosen)",
        "gamma 1",
    ):
        assert words in caption


def drawn(axes):
    """Offsets of every scatter of an axes, by their marker's size."""
    return [collection for collection in axes.collections if isinstance(collection, PathCollection)]


def test_each_point_is_drawn_where_the_scene_has_it(around):
    made = scene({"here": around}, title="t")
    upper, lower = figure(made).axes[:2]
    points = made.maps[0].layouts[0].coordinates
    sizes = {PAPER.point: [], PAPER.diamond: [], PAPER.star: []}
    for collection in drawn(upper):
        if (size := int(collection.get_sizes()[0])) in sizes:
            sizes[size].extend(collection.get_offsets().tolist())
    retrained = [row for run in made.maps[0].runs if run.kind == "retraining" for row in range(run.start, run.stop)]
    np.testing.assert_allclose(sizes[PAPER.point], points[retrained])
    np.testing.assert_allclose(sizes[PAPER.diamond], points[[run.start for run in made.maps[0].runs if run.kind == "retraining"]])
    np.testing.assert_allclose(sizes[PAPER.star], points[[0]])
    coloured = next(c for c in drawn(lower) if c.get_array() is not None)
    by_place = {tuple(place): value for place, value in zip(coloured.get_offsets().tolist(), coloured.get_array(), strict=True)}
    loss = next(metric for metric in made.maps[0].metrics if metric.name == "test_loss").values
    for place, value in zip(points.tolist(), loss, strict=True):
        assert by_place[tuple(place)] == pytest.approx(value)


def test_maps_share_one_scale_of_the_loss(around):
    made = figure(scene({"one": around, "other": around}, title="t"))
    norms = {(c.norm.vmin, c.norm.vmax) for axes in made.axes[2:4] for c in drawn(axes) if c.get_array() is not None}
    assert len(norms) == 1


def test_a_colour_fades_after_a_jump_and_grows_in_a_training(around):
    upper = figure(scene({"here": around}, title="t")).axes[0]
    for collection in drawn(upper):
        if int(collection.get_sizes()[0]) == PAPER.point:
            brightness = collection.get_facecolors()[:, :3].sum(axis=1)
            assert (np.diff(brightness) > 0).all()


def test_a_figure_has_no_ticks_and_equal_scales(around):
    for axes in figure(scene({"here": around}, title="t")).axes[:2]:
        assert len(axes.get_xticks()) == len(axes.get_yticks()) == 0
        assert axes.get_aspect() == 1


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_the_same_scene_gives_the_same_bytes(around, tmp_path, ending):
    for name in ("a", "b"):
        write_figure(figure(scene({"here": around}, title="t")), tmp_path / f"{name}.{ending}")
    assert (tmp_path / f"a.{ending}").read_bytes() == (tmp_path / f"b.{ending}").read_bytes()


def test_letters_stay_letters_in_vector_figures(around, tmp_path):
    write_figure(figure(scene({"a map": around}, title="A title")), tmp_path / "a.svg")
    assert "A title" in re.sub(r"<!--.*?-->", "", (tmp_path / "a.svg").read_text())


def test_a_scene_without_maps_is_refused(refuses):
    with refuses("no map, so there is nothing to draw"):
        figure(Scene(title="t", maps=()))


def test_maps_without_loss_or_with_one_point_are_drawn():
    one = SceneMap(
        name="one",
        layouts=(Layout(name="PHATE", caption="", coordinates=np.zeros((1, 2), np.float32)),),
        time=np.zeros(1, np.float32),
    )
    assert len(figure(Scene(title="t", maps=(one,))).axes) == 1


def test_drawing_leaves_matplotlibs_settings_and_pyplot_alone(around):
    code = "import lossatlas.draw, sys; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    import matplotlib as mpl

    figure(scene({"here": around}, title="t"))
    ours = ("font.size", "axes.linewidth", "svg.hashsalt", "svg.fonttype", "pdf.fonttype")
    assert {name: mpl.rcParams[name] for name in ours} == {name: mpl.rcParamsDefault[name] for name in ours}


def test_a_notebook_gets_the_page_in_a_closed_frame(around):
    frame = notebook_frame(scene({"here": around}, title="t"))
    assert frame.startswith('<iframe sandbox="allow-scripts" srcdoc="')
    inside = html.unescape(frame.split('srcdoc="')[1].split('"')[0])
    assert encoded(scene({"here": around}, title="t"))[0].split('"title"')[0] in inside
    assert around._repr_html_().startswith("<iframe")


def test_a_figure_of_another_ending_is_refused_and_a_path_may_be_words(around, tmp_path, refuses):
    made = figure(scene({"here": around}, title="t"))
    with refuses("'a.jpg' must end in .png, .svg or .pdf; rename it"):
        write_figure(made, tmp_path / "a.jpg")
    write_figure(made, str(tmp_path / "a.svg"))
    assert (tmp_path / "a.svg").exists()


def test_a_map_with_two_stars_says_what_it_does_not_tell():
    two = walks((1, 15, 1, 15), kinds=["optimum", "retraining"] * 2, nulls=False, methods=())
    facts = {fact.label: fact for fact in scene({"m": two}, title="t").maps[0].facts}
    assert facts["optima"].value == "2"
    assert "map each with its own retrainings" in facts["optima"].meaning
    one = walks((1, 15), kinds=["optimum", "retraining"], nulls=False, methods=())
    assert "optima" not in {fact.label for fact in scene({"m": one}, title="t").maps[0].facts}


def test_the_essential_part_is_told_by_the_pieces_that_it_counts():
    made = walks((20, 20), nulls=False, methods=())
    apart = la.persistence(np.kron(1 - np.eye(2), np.ones((20, 20))) * 9 + 1 - np.eye(40), made.metrics["loss"], knn=3)
    fact = next(
        fact
        for fact in scene({"m": dataclasses.replace(made, diagram=apart)}, title="t").maps[0].facts
        if fact.label == "persistence of the loss"
    )
    assert len(apart.essential[0]) == 2
    assert "graph of 3 neighbours (2), whatever lies between" in fact.meaning
