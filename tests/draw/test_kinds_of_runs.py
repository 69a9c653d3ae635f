"""What a run is can be seen: samples have no line, paths a thick one, and a run that diverged a cross where it did."""

import re

import numpy as np
import pytest
import torch
from landscapes import landscape, quadratic, state
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex

import lossatlas as la
from lossatlas.draw import PAPER, Layout, Metric, Scene, SceneMap, SceneRun, figure, scene, write_figure

# name, kind, number of points, what else
_RUNS = [
    ("sgd", "training", 5, {}),
    ("wild", "retraining", 4, {"seed": 0, "jump": 0.5, "n_diverged": 3}),
    ("lost", "retraining", 0, {"seed": 1, "jump": 0.5, "n_diverged": 2}),
    ("naive", "sample", 6, {"n_diverged": 1}),
    ("grid", "slice", 6, {}),
    ("_$\\bad$", "path", 5, {}),
]
_POINTS = {name: n for name, _, n, _ in _RUNS}


def kinds() -> Scene:
    """Return one map with a run of each kind, each on a circle of its own; the runs' points are 1 apart in time."""
    coordinates, time, runs = [], [], []
    for place, (name, kind, n, fields) in enumerate(_RUNS):
        angle = np.arange(n) * 0.9 + place
        coordinates.append(np.column_stack([5 * place + np.cos(angle), 3 * (place % 2) + np.sin(angle)]))
        runs.append(SceneRun(name=name, kind=kind, start=len(time), stop=len(time) + n, **fields))
        time.extend(range(n))
    n = len(time)
    part = SceneMap(
        name="kinds",
        layouts=(Layout(name="PHATE", caption="", coordinates=np.concatenate([*coordinates, [[12.0, 6.0]]]).astype(np.float32)),),
        time=np.array([*time, 200], np.float32),
        runs=tuple(runs),
        metrics=(Metric(name="loss", label="loss", values=np.linspace(1, 2, n + 1).astype(np.float32), scale="log"),),
        optimum=n,
        landscape="loss",
    )
    return Scene(title="Kinds", maps=(part,))


def line_of(axes, run):
    """Return the line through exactly the points of a run, or None."""
    points = kinds().maps[0].layouts[0].coordinates[run.start : run.stop]
    return next((line for line in axes.lines if np.array_equal(line.get_xydata().astype(np.float32), points)), None)


def crosses(axes):
    """Return colour and places of every collection of crosses: their marker alone is drawn by its edges."""
    found = [c for c in axes.collections if isinstance(c, PathCollection) and len(c.get_paths()[0].codes) == 4]
    return {to_hex(c.get_edgecolors()[0]): c.get_offsets().tolist() for c in found}


@pytest.mark.parametrize("row", [0, 1])
def test_runs_in_order_have_a_line_and_samples_and_slices_have_none(row):
    axes = figure(kinds()).axes[row]
    runs = {run.name: run for run in kinds().maps[0].runs}
    widths = {name: line.get_linewidth() for name, run in runs.items() if run.stop > run.start and (line := line_of(axes, run))}
    assert widths.keys() == {"sgd", "wild", "_$\\bad$"}
    assert widths["_$\\bad$"] >= 2 * max(widths["sgd"], widths["wild"])


def test_samples_and_paths_do_not_fade():
    axes = figure(kinds()).axes[0]
    colours = {}
    for collection in axes.collections:
        if len(collection.get_sizes()) and collection.get_sizes()[0] == PAPER.point:
            first = tuple(collection.get_offsets()[0].tolist())
            colours[first] = {to_hex(colour) for colour in collection.get_facecolors()}
    part = kinds().maps[0]
    by_run = {
        run.name: colours[tuple(part.layouts[0].coordinates[run.start].tolist())] for run in part.runs if run.stop > run.start
    }
    assert {name: len(found) for name, found in by_run.items()} == {"sgd": 5, "wild": 4, "naive": 1, "grid": 1, "_$\\bad$": 1}
    assert to_hex(line_of(axes, part.runs[-1]).get_color()) in by_run["_$\\bad$"]


@pytest.mark.parametrize("row", [0, 1])
def test_a_cross_with_a_white_halo_is_at_the_last_point_before_a_run_diverged(row):
    part = kinds().maps[0]
    wild = next(run for run in part.runs if run.name == "wild")
    where = [part.layouts[0].coordinates[wild.stop - 1].tolist()]
    assert crosses(figure(kinds()).axes[row]) == {"#ffffff": where, "#1a1a1a": where}


def test_the_legend_names_what_has_no_direction_as_it_is_drawn(tmp_path):
    made = figure(kinds())
    write_figure(made, tmp_path / "kinds.svg")
    assert "_$\\bad$</text>" in (tmp_path / "kinds.svg").read_text()
    legend = made.axes[0].get_legend()
    labels = [text.get_text() for text in legend.get_texts()]
    assert labels[-4:] == ["naive", "grid", "_$\\bad$", "sgd"]
    assert "diverged after here" in labels
    handles = dict(zip(labels, legend.legend_handles, strict=True))
    assert [handles[name].get_linestyle() for name in ("naive", "grid", "_$\\bad$")] == ["None", "None", "-"]
    colours = {to_hex(handles[name].get_color()) for name in ("direction 0", "direction 1", "naive", "grid", "_$\\bad$", "sgd")}
    assert len(colours) == 6
    assert to_hex(line_of(made.axes[0], kinds().maps[0].runs[-1]).get_color()) == to_hex(handles["_$\\bad$"].get_color())


def test_nothing_that_diverged_means_no_word_of_it():
    part = kinds().maps[0]
    calm = SceneMap(
        name="calm",
        layouts=(Layout(name="PHATE", caption="", coordinates=part.layouts[0].coordinates),),
        time=part.time,
        runs=(part.runs[0], part.runs[-1]),
    )
    axes = figure(Scene(title="Calm", maps=(calm,))).axes[0]
    assert crosses(axes) == {}
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["_$\\bad$"]  # a training has its name on the map


def test_many_names_leave_room_for_the_map():
    part = kinds().maps[0]
    runs = tuple(SceneRun(name=f"samples/{place:030}", kind="sample", start=0, stop=1) for place in range(14))
    many = SceneMap(
        name="many",
        layouts=(Layout(name="PHATE", caption="", coordinates=part.layouts[0].coordinates),),
        time=part.time,
        runs=runs,
    )
    labels = [text.get_text() for text in figure(Scene(title="Many", maps=(many,))).axes[0].get_legend().get_texts()]
    assert len(labels) == 11
    assert labels[3] == "…" + "0" * 21 + "3"
    assert labels[-1] == "and 4 runs more"


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """An atlas of a training, a retraining that diverged, a naive sample, a plane and a straight line, recorded as users do."""
    folder = tmp_path_factory.mktemp("kinds")
    centre = np.linspace(0.5, 1.5, 6)
    task = landscape(quadratic(np.eye(6), centre, level=1.0), centre)
    with la.Recorder(folder / "sgd", task.model) as recorder:
        for step in range(8):
            with torch.no_grad():
                task.model.w += 0.1 * torch.eye(6)[step % 6]
            recorder.step(train_loss=1.0)
    wild = {"kind": "retraining", "seed": 0, "step": 0.5}
    with la.Recorder(folder / "wild", task.model, settings=wild) as recorder:
        for step in range(5):
            with torch.no_grad():
                task.model.w *= -1.5 if step < 3 else np.inf
            recorder.step(train_loss=2.0)
    la.naive_sample(task, state(centre), folder / "naive", n_directions=2, steps=(0.5, 1.0))
    la.loss_plane(task, state(centre), reach=0.5, n=3).losses.record(folder / "plane", task)
    la.linear_path(task, state(centre), state(-centre[::-1].copy()), n=5).losses.record(folder / "line", task)
    return la.atlas([folder / name for name in ("sgd", "wild", "naive/naive", "plane", "line")], diverged="skip")


def test_what_was_recorded_arrives_as_what_it_is(recorded):
    runs = {run.name: run for run in scene({"here": recorded}, title="t").maps[0].runs}
    kinds = {name: run.kind for name, run in runs.items()}
    assert kinds == {"sgd": "training", "wild": "retraining", "naive": "sample", "plane": "slice", "line": "path"}
    assert {name: run.n_diverged for name, run in runs.items()} == {"sgd": 0, "wild": 2, "naive": 0, "plane": 0, "line": 0}
    assert runs["wild"].diverged_after == runs["wild"].stop - 1


def test_a_kind_that_nobody_knows_is_a_training(recorded):
    from dataclasses import replace

    odd = replace(recorded, traces=tuple(replace(trace, kind="something") for trace in recorded.traces))
    assert {run.kind for run in scene({"here": odd}, title="t").maps[0].runs} == {"training"}


def test_the_page_draws_each_kind_in_its_own_way(opened):
    playwright = pytest.importorskip("playwright.sync_api")
    expect = playwright.expect
    made = kinds()
    part = made.maps[0]
    shown = opened(made)
    found = shown.locator(".frame canvas[role=application]")
    expect(found).to_have_attribute("data-points", str(len(part.time)))
    expect(found).to_have_attribute("aria-label", re.compile("1 of them diverged$"))
    runs = {run.name: run for run in part.runs}

    def at(place):
        x, y = map(float, found.get_attribute("data-centre").split())
        scale = float(found.get_attribute("data-scale"))
        box = found.bounding_box()
        return [float(box["width"] / 2 + (place[0] - x) * scale), float(box["height"] / 2 - (place[1] - y) * scale)]

    def alpha(place):
        return found.evaluate(
            """(canvas, [x, y]) => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => {
                const data = canvas.getContext("2d").getImageData(Math.round(x) - 1, Math.round(y) - 1, 3, 3).data;
                done(Math.max(...data.filter((_, i) => i % 4 === 3)));
            })))""",
            at(place),
        )

    # Half-way between neighbours there is a line, or nothing.
    between = {
        name: alpha((part.layouts[0].coordinates[run.start] + part.layouts[0].coordinates[run.start + 1]) / 2)
        for name, run in runs.items()
        if run.stop > run.start
    }
    assert between["naive"] == between["grid"] == 0
    assert between["_$\\bad$"] == 255
    assert 0 < between["sgd"] < 255

    # Samples, slices and paths have no moment: they are there from the beginning, whole.
    shown.locator("input[type=range]").fill("0")
    expect(shown.locator(".page")).to_have_attribute("data-time", "0")
    always = sum(_POINTS[name] for name in ("naive", "grid", "_$\\bad$"))
    expect(found).to_have_attribute("data-points", str(always + 2 + 1))
    assert alpha(part.layouts[0].coordinates[runs["naive"].start]) == 255
    shown.locator("input[type=range]").fill("4")

    # The cross: ink in its middle, and a word in the card.
    last = runs["wild"].stop - 1
    middle = found.evaluate(
        """(canvas, [x, y]) => [...canvas.getContext("2d").getImageData(Math.round(x), Math.round(y), 1, 1).data]""",
        at(part.layouts[0].coordinates[last]),
    )
    assert max(middle[:3]) < 60
    box = found.bounding_box()
    for row, words in (
        (last, "diverged after this point (3 points not drawn)"),
        (last - 1, None),
        (runs["naive"].stop - 1, None),
    ):
        x, y = at(part.layouts[0].coordinates[row])
        shown.mouse.move(box["x"] + x, box["y"] + y)
        expect(shown.locator(".card")).to_have_attribute("data-row", str(row))
        remark = shown.locator(".card-remark")
        expect(remark).to_have_text(words) if words else expect(remark).to_have_count(0)
    expect(shown.locator(".card [data-name=time] dt")).to_have_text("point")

    expect(shown.get_by_text("diverged after here")).to_be_visible()
    assert shown.locator(".legend [data-key='run naive'] circle").count() == 3
    assert shown.locator(".legend [data-key='run sgd'] circle").count() == 0
    shown.get_by_text("6 runs as a table").click()
    rows = shown.locator("[data-panel=runs] tbody tr")
    expect(rows).to_have_count(6)
    cells = {row.locator("th").inner_text(): row.locator("td").all_inner_texts() for row in rows.all()}
    assert cells["wild"][:6] == ["retraining", "0", "0.5", "4", "0 to 3", "3 points not drawn"]
    assert cells["lost"][:6] == ["retraining", "1", "0.5", "0", "", "2 points not drawn"]
    assert cells["naive"][:6] == ["sample", "", "", "6", "", "1 point not drawn"]
    assert cells["_$\\bad$"][:6] == ["path", "", "", "5", "", ""]
