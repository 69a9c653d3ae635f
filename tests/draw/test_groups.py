"""Runs that say that they are one group: one colour and one entry of the legend, on the page and in figures."""

import re
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex

from lossatlas.draw import PAPER, Layout, Metric, Scene, SceneMap, SceneRun, figure, write_animation
from lossatlas.draw.figures.colours import HUES, colours_of

N_POINTS = 5  # of a run
STILL = {"reduced_motion": "reduce"}


def groups(
    *names: str | None, n_runs: int = 3, name: str = "map", kind: str = "training", optimum: int | None = None
) -> SceneMap:
    """Return a map of runs in rays, so many of each group, dealt in turns; ``None`` stands for runs of no group."""
    dealt = [(group, place) for place in range(n_runs) for group in names]
    angle = 2 * np.pi * np.arange(len(dealt)) / len(dealt)
    ray = np.linspace(0.2, 1, N_POINTS)[:, np.newaxis]
    points = np.concatenate([ray * [np.cos(a), np.sin(a)] for a in angle])
    loss = np.tile(np.linspace(2, 1, N_POINTS), len(dealt))
    runs = tuple(
        SceneRun(name=f"{group}-{place}", kind=kind, start=i * N_POINTS, stop=(i + 1) * N_POINTS, group=group)
        for i, (group, place) in enumerate(dealt)
    )
    return SceneMap(
        name=name,
        layouts=(Layout(name="PHATE", caption="", coordinates=points.astype(np.float32)),),
        time=np.tile(np.arange(N_POINTS), len(dealt)).astype(np.float32),
        runs=runs,
        metrics=(Metric(name="loss", label="loss", values=loss.astype(np.float32), scale="log"),),
        landscape="loss",
        optimum=optimum,
    )


def ends(axes, part):
    """Return colour and number of corners of the mark at the end of each run, by the run's name."""
    found = {}
    for marks in axes.collections:
        if isinstance(marks, PathCollection) and len(marks.get_sizes()) and marks.get_sizes()[0] == PAPER.end:
            place = marks.get_offsets()[0]
            row = np.abs(part.layouts[0].coordinates - place).sum(axis=1).argmin()
            run = next(run for run in part.runs if run.start <= row < run.stop)
            found[run.name] = (to_hex(marks.get_facecolors()[0]), len(marks.get_paths()[0].vertices))
    return found


def entries(axes):
    """Return colour and marker of each entry of the legend, by its words."""
    legend = axes.get_legend()
    words = [text.get_text() for text in legend.get_texts()]
    return {
        word: (to_hex(handle.get_color()), handle.get_marker()) for word, handle in zip(words, legend.legend_handles, strict=True)
    }


def test_a_figure_gives_a_group_one_hue_and_one_entry_and_no_names_on_the_map():
    part = groups("Adam", "SGD", None)
    axes = figure(Scene(title="t", maps=(part,))).axes[0]
    shown = entries(axes)
    assert list(shown) == ["Adam", "SGD"]
    assert [text.get_text() for text in axes.texts] == ["None-0", "None-1", "None-2"]
    hues = {name: hue for name, (hue, _) in ends(axes, part).items()}
    assert len(hues) == 9
    for group in ("Adam", "SGD"):
        assert {hues[f"{group}-{place}"] for place in range(3)} == {shown[group][0]}
    # Each run that is of none has a hue of its own.
    assert len(set(hues.values())) == 5


def test_nine_groups_are_told_apart_by_hue_and_shape_as_their_entries_are():
    names = [f"group {i}" for i in range(9)]
    part = groups(*names)
    axes = figure(Scene(title="t", maps=(part,))).axes[0]
    shown = entries(axes)
    assert list(shown) == names
    assert len(set(shown.values())) == 9
    assert len({hue for hue, _ in shown.values()}) == len(HUES)
    looks = ends(axes, part)
    assert len({looks[f"{name}-0"] for name in names}) == 9
    assert all(len({looks[f"{name}-{place}"] for place in range(3)}) == 1 for name in names)
    # Its points have the shape too, not the end alone.
    points = [marks for marks in axes.collections if len(marks.get_sizes()) and marks.get_sizes()[0] == PAPER.point]
    assert [len(marks.get_paths()[0].vertices) for marks in points] == [looks[run.name][1] for run in part.runs]


def test_a_group_is_the_same_on_every_map_and_no_other_on_a_map_has_its_hue():
    first, second = groups("a", "b", name="first"), groups("b", None, "c", name="second")
    found = colours_of([Scene(title="t", maps=(first, second))])
    hues = [{run.group or run.name: found.of_run(run) for run in part.runs} for part in (first, second)]
    assert hues[0]["b"] == hues[1]["b"]
    assert [len(set(one.values())) for one in hues] == [2, 5]
    # Nor has a run of none the hue of a group that is on another map: they have one legend.
    assert not {hues[1][f"None-{place}"] for place in range(3)} & set(hues[0].values())


def test_a_run_of_no_group_is_not_taken_for_a_group_of_its_name():
    part = groups("None-0", None, n_runs=1)
    found = colours_of([Scene(title="t", maps=(part,))])
    grouped, alone = part.runs
    assert (grouped.group, found.of_run(grouped) == found.of_run(alone)) == (alone.name, False)


def test_runs_of_two_maps_that_share_one_keep_their_hues_apart():
    part = groups(None, n_runs=3)
    later = replace(part, runs=tuple(replace(run, name=f"None-{place + 1}") for place, run in enumerate(part.runs)))
    found = colours_of([Scene(title="t", maps=(part, later))])
    for one in (part, later):
        assert len({found.of_run(run) for run in one.runs}) == 3


def test_a_legend_says_how_many_groups_it_leaves_out():
    names = [f"{i}, a group with a name that is too long" for i in range(12)]
    shown = list(entries(figure(Scene(title="t", maps=(groups(*names, n_runs=1),))).axes[0]))
    assert shown[0] == "0, a group with a name…"
    assert (len(shown), shown[-1]) == (11, "and 2 groups more")


def test_samples_of_a_group_are_one_entry_too():
    part = groups("naive", "grid", kind="sample", optimum=0)
    assert list(entries(figure(Scene(title="t", maps=(part,))).axes[0])) == ["optimum", "naive", "grid"]


def test_a_film_of_groups_has_their_shapes_and_names_none_of_their_runs(tmp_path, monkeypatch):
    from lossatlas.draw import animation

    stages = []
    made = animation._stage
    monkeypatch.setattr(animation, "_stage", lambda *scene_and_style: stages.append(made(*scene_and_style)) or stages[-1])
    part = groups(*map(str, range(9)), n_runs=2)
    write_animation(Scene(title="t", maps=(part,)), tmp_path / "a.gif", fps=2, seconds=1)
    (panel,) = stages[0].panels
    assert len(entries(panel.axes)) == 9
    assert not panel.axes.texts
    corners = [len(path.vertices) for path in panel.points.get_paths()]
    assert len(corners) == len(part.time)
    of_run = {run.name: set(corners[run.start : run.stop]) for run in part.runs}
    assert of_run["0-0"] == of_run["7-1"] == {corners[0]}
    assert of_run["8-0"] == of_run["8-1"] != of_run["0-0"]


def test_a_group_without_a_name_is_refused(refuses):
    with refuses("the group of run 'r' has no name; give it one, or None to a run that stands alone"):
        SceneRun(name="r", kind="training", start=0, stop=0, group="")


NINE = ["SGD", "momentum", "Nesterov", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta", "NAdam"]


def canvas(page, index=0):
    return page.locator(".frame canvas[role=application]").nth(index)


def chip(page, group):
    return page.locator(f".legend [data-key='group {group}']")


def test_the_page_isolates_hides_and_renames_a_group_as_one(opened):
    expect = pytest.importorskip("playwright.sync_api").expect
    page = opened(Scene(title="t", maps=(groups(*NINE, None), groups("Adam", n_runs=4, name="more"))), **STILL)
    of_a_run, of_the_map = N_POINTS, N_POINTS * 30
    chips = page.locator(".legend [role=group][aria-label=Group] .chip")
    expect(chips).to_have_count(9)
    expect(page.locator(".legend [role=group][aria-label=Run] .chip")).to_have_count(3)
    # On both maps it is one group; three of its runs are the same there.
    expect(chip(page, "Adam")).to_have_accessible_name("group Adam, 4 runs")
    expect(chip(page, "Adam")).to_have_text("Adam×4")
    strokes = {stroke.inner_html() for stroke in chips.locator(".stroke").all()}
    assert len(strokes) == 9

    chip(page, "Adam").click()
    expect(canvas(page)).to_have_attribute("data-points", str(3 * of_a_run))
    expect(canvas(page, 1)).to_have_attribute("data-points", str(4 * of_a_run))
    chip(page, "Adam").click()
    chip(page, "Adam").click(modifiers=["Shift"])
    expect(canvas(page)).to_have_attribute("data-points", str(of_the_map - 3 * of_a_run))
    expect(canvas(page, 1)).to_have_attribute("data-points", "0")
    page.get_by_role("button", name="Show all").click()

    chip(page, "SGD").focus()
    page.keyboard.press("F2")
    page.keyboard.type("plain descent")
    page.keyboard.press("Enter")
    expect(chip(page, "SGD")).to_have_text("plain descent×3")
    expect(chip(page, "SGD")).to_have_accessible_name("plain descent, 3 runs")
    expect(canvas(page)).to_have_attribute("data-points", str(of_the_map))  # Enter named it, and pressed nothing
    # The card and the tables name the run, and beside it its group.
    canvas(page).focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".card-title")).to_have_text("SGD-0")
    expect(page.locator(".card-group")).to_have_text("plain descent")
    page.keyboard.press("Enter")
    page.locator("[data-panel=selection] summary").first.click()
    selected = page.locator("[data-panel=selection] tbody tr").first
    expect(selected.locator("th")).to_have_text("SGD-0")
    expect(selected.locator("td").first).to_have_text("plain descent")
    page.keyboard.press("Escape")
    page.get_by_text("30 runs as a table").click()
    rows = page.locator("[data-panel=runs]").first.locator("tbody tr")
    expect(rows).to_have_count(30)
    cells = {row.locator("th").inner_text(): row.locator("td").first.inner_text() for row in rows.all()}
    assert [cells[name] for name in ("SGD-2", "Adam-1", "None-0")] == ["plain descent", "Adam", ""]

    with page.expect_download() as waiting:
        page.get_by_role("button", name="Save map as SVG", exact=True).click()
    drawing = waiting.value.path().read_text()
    key = re.findall(r"<text[^>]*font:12px[^>]*>([^<]*)</text>", drawing)
    assert key == ["plain descent", *NINE[1:], "None-0", "None-1", "None-2"]
    # An address that was written with a group hidden brings it back so.
    chip(page, "Nesterov").click(modifiers=["Shift"])
    page.wait_for_function("() => location.hash.includes('Nesterov')")
    page.reload()
    expect(chip(page, "Nesterov")).to_have_attribute("aria-pressed", "false")
    expect(chip(page, "SGD")).to_have_text("plain descent×3")


def test_runs_of_one_group_have_one_colour_on_the_page_and_the_ninth_another_shape(opened):
    expect = pytest.importorskip("playwright.sync_api").expect
    part = groups(*NINE)
    page = opened(Scene(title="t", maps=(part,)), **STILL)
    found = canvas(page)
    expect(found).to_have_attribute("data-points", str(len(part.time)))
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Save map as SVG", exact=True).click()
    drawing = waiting.value.path().read_text()
    x, y = map(float, found.get_attribute("data-centre").split())
    scale = float(found.get_attribute("data-scale"))
    box = found.bounding_box()
    fills = re.findall(r'<path d="([^"]+)" fill="(rgb[^"]+)"', drawing)
    looks = {}
    for run in part.runs:
        place = part.layouts[0].coordinates[run.stop - 1]
        at = (box["width"] / 2 + (place[0] - x) * scale, box["height"] / 2 - (place[1] - y) * scale)
        near = [(d, fill) for d, fill in fills if np.hypot(*(middle(d) - at)) < 1.5]
        assert len(near) == 1, run.name
        looks.setdefault(run.group, set()).add((re.sub(r"[^A-Za-z]", "", near[0][0]), near[0][1]))
    assert all(len(look) == 1 for look in looks.values())
    shapes = {group: look.copy().pop()[0] for group, look in looks.items()}
    hues = {group: look.copy().pop()[1] for group, look in looks.items()}
    assert (shapes["SGD"], shapes["NAdam"], hues["SGD"]) == ("MaaZ", "MLLZ", hues["NAdam"])
    assert len(set(hues.values())) == 8


def test_the_curves_of_groups_that_share_a_hue_differ_in_their_dashes(opened):
    expect = pytest.importorskip("playwright.sync_api").expect
    page = opened(Scene(title="t", maps=(groups(*NINE),)), **STILL)
    expect(canvas(page)).to_have_attribute("data-points", str(N_POINTS * 27))
    page.evaluate(
        """() => {
            window.strokes = [];
            const { stroke } = CanvasRenderingContext2D.prototype;
            CanvasRenderingContext2D.prototype.stroke = function () {
                if (this.canvas.closest("[data-panel=curves]")) strokes.push(`${this.strokeStyle} ${this.getLineDash()}`);
                stroke.call(this);
            };
        }"""
    )
    chip(page, "momentum").click(modifiers=["Shift"])
    page.wait_for_function("() => strokes.some((look) => look.endsWith(' 7,3'))")
    found = page.evaluate("() => strokes")
    assert {look for look in found if look.startswith("#0072b2")} == {"#0072b2 ", "#0072b2 7,3"}
    assert [found.count(look) for look in ("#0072b2 ", "#0072b2 7,3")] == [3, 3]


def middle(d):
    """The middle of a circle or polygon that a pen has written."""
    numbers = np.array([float(one) for one in re.findall(r"-?[\d.]+", d)])
    if "a" in d:
        return numbers[:2] + np.array([numbers[2], 0])
    return numbers.reshape(-1, 2).mean(axis=0)


def test_a_page_of_many_groups_fits_a_phone(opened):
    page = opened(
        Scene(title="t", maps=(groups(*[f"{name}, of many words" for name in NINE]),)), viewport={"width": 390, "height": 844}
    )
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    assert all(chip.bounding_box()["width"] < 390 for chip in page.locator(".legend .chip").all())
