"""The explorer: layouts, depth, selection and what is linked with it, addresses, exports; and everybody can use it."""

import base64
import csv
import io
import os
import re
import struct
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from explorer_scenes import N_POINTS, bowl, explorer_scene, star_map

from lossatlas.draw import Fact, Layout, Metric, Scene, SceneMap, SceneRun, Score, Surface, encoded

expect = pytest.importorskip("playwright.sync_api").expect

AXE = Path(__file__).parents[2] / "viewer" / "node_modules" / "axe-core" / "axe.min.js"
STILL = {"reduced_motion": "reduce"}
HOSTILE = "</script><script>alert(1)</script><!--<script>'\"&amp;"
SIGNS = str.maketrans({"−": "-", "⁻": "-"} | {sign: str(digit) for digit, sign in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")})


def canvas(page: Any, index: int = 0) -> Any:
    found = page.locator(".frame canvas[role=application]").nth(index)
    found.scroll_into_view_if_needed()
    expect(found).to_have_attribute("data-points", re.compile(r"\d+"))
    expect(found).to_have_attribute("data-moving", "false")
    return found


def choose(page: Any, value: str, index: int = 0) -> None:
    page.locator(f"input[type=radio][value='{value}']").nth(index).check(force=True)


def unfold(page: Any, panel: str, index: int = 0) -> Any:
    found = page.locator(f"[data-panel={panel}]").nth(index)
    if found.get_attribute("open") is None:
        found.locator("summary").click()
    expect(found.locator(":scope > :not(summary)").first).to_be_visible()  # what is in it is drawn once it is open
    found.scroll_into_view_if_needed()
    return found


def number(text: str) -> float:
    """Read a number as the page writes it for people."""
    plain = re.sub(r" × 10", "e", text.strip().translate(SIGNS))
    return float(re.sub(r"^10(?=-?\d)", "1e", plain) if re.match(r"^10-\d", plain) else plain)


def places(page: Any, scene: Scene, index: int = 0, layout: int = 0) -> np.ndarray:
    """Return where in the frame each row should be, by the camera that the map says it has; on the plane."""
    found = canvas(page, index)
    box = found.bounding_box()
    centre = np.array([float(part) for part in found.get_attribute("data-centre").split()])
    scale = float(found.get_attribute("data-scale"))
    shift = (scene.maps[index].layouts[layout].coordinates - centre) * scale
    return np.array([box["width"], box["height"]]) / 2 + shift * [1, -1]


def drag(page: Any, locator: Any, loop: list[tuple[float, float]], *, key: str | None = None) -> None:
    box = locator.bounding_box()
    if key:
        page.keyboard.down(key)
    page.mouse.move(box["x"] + loop[0][0], box["y"] + loop[0][1])
    page.mouse.down()
    for x, y in loop[1:]:
        page.mouse.move(box["x"] + x, box["y"] + y, steps=3)
    page.mouse.up()
    if key:
        page.keyboard.up(key)


def around(points: np.ndarray, margin: float = 6.0) -> list[tuple[float, float]]:
    """Return a rectangle around points."""
    (left, top), (right, bottom) = points.min(axis=0) - margin, points.max(axis=0) + margin
    return [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]


def within(points: np.ndarray, loop: list[tuple[float, float]]) -> list[int]:
    corners = np.array(loop)
    inside = ((points >= corners.min(axis=0)) & (points <= corners.max(axis=0))).all(axis=1)
    return np.flatnonzero(inside).tolist()


def selected(page: Any, index: int = 0) -> int:
    return int(canvas(page, index).get_attribute("data-selected"))


def ink_at(page: Any, locator: Any, place: tuple[float, float], reach: int = 2) -> bool:
    """Say whether anything is drawn at a place of a canvas."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return locator.evaluate(
        """(canvas, [x, y, r]) => {
            const { data } = canvas.getContext("2d").getImageData(x - r, y - r, 2 * r, 2 * r);
            return data.some((value, i) => i % 4 === 3 && value > 0);
        }""",
        [round(place[0]), round(place[1]), reach],
    )


def test_layouts_are_switched_and_the_points_stand_where_each_has_them(opened: Any) -> None:
    scene = explorer_scene()
    page = opened(scene, **STILL)
    for number_, name in enumerate(["PHATE", "PCA", "t-SNE"]):
        choose(page, name)
        expect(page.locator("figure.map").first).to_have_attribute("data-layout", name)
        expect(page.locator("figcaption").first).to_have_text(scene.maps[0].layouts[number_].caption)
        for row in (0, 40, 120):
            assert ink_at(page, canvas(page), tuple(places(page, scene, layout=number_)[row]))


def test_points_move_from_one_layout_to_the_next_and_then_rest(opened: Any) -> None:
    scene = explorer_scene()
    page = opened(scene)
    canvas(page)
    seen = page.evaluate(
        """() => new Promise((done) => {
            const map = document.querySelector(".frame canvas[role=application]");
            const states = [];
            document.querySelector("input[value='PCA']").click();
            setTimeout(() => done(states), 4000);
            const look = () => {
                states.push(map.dataset.moving);
                if (states.includes("true") && map.dataset.moving === "false") done(states);
                else requestAnimationFrame(look);
            };
            look();
        })"""
    )
    assert seen.count("true") >= 3
    assert seen[-1] == "false"


def test_readers_who_asked_for_less_motion_see_points_jump(opened: Any) -> None:
    page = opened(explorer_scene(), **STILL)
    canvas(page)
    states = page.evaluate(
        """() => new Promise((done) => {
            const map = document.querySelector(".frame canvas[role=application]");
            const states = [];
            document.querySelector("input[value='PCA']").click();
            const look = () => (states.push(map.dataset.moving), states.length < 10 ? requestAnimationFrame(look) : done(states));
            look();
        })"""
    )
    assert set(states) == {"false"}


def spatial(scene: Scene, view: tuple[float, float], width: float, height: float) -> np.ndarray:
    """Return where the rows of the first map should be in depth: a naive twin of the viewer's camera."""
    points = scene.maps[0].layouts[0].coordinates_3d.astype(float)
    centred = points - (points.min(axis=0) + points.max(axis=0)) / 2
    scale = (min(width, height) - 60) / 2 / np.linalg.norm(centred, axis=1).max()
    yaw, pitch = view
    about_y = np.array([[np.cos(yaw), 0, -np.sin(yaw)], [0, 1, 0], [np.sin(yaw), 0, np.cos(yaw)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
    turned = centred @ (about_x @ about_y).T
    return np.array([width, height]) / 2 + scale * turned[:, :2] * [1, -1]


def test_a_map_in_depth_is_drawn_as_it_is_turned(opened: Any) -> None:
    scene = explorer_scene()
    page = opened(scene, **STILL)
    choose(page, "3")
    found = canvas(page)
    box = found.bounding_box()
    before = found.get_attribute("data-turn")
    for _ in range(2):
        view = tuple(float(part) for part in found.get_attribute("data-turn").split())
        there = spatial(scene, view, box["width"], box["height"])
        for row in (0, 45, 130, 200):
            page.mouse.move(box["x"] + there[row][0], box["y"] + there[row][1])
            expect(page.locator(".card").first).to_have_attribute("data-row", re.compile(r"\d+"))
            near = int(page.locator(".card").first.get_attribute("data-row"))
            # Another may lie in front, but none farther than a pixel's rounding.
            assert np.linalg.norm(there[near] - there[row]) < 1.5
        drag(page, found, [(200, 200), (260, 230)])
    assert found.get_attribute("data-turn") != before
    turn, centre = found.get_attribute("data-turn"), found.get_attribute("data-centre")
    drag(page, found, [(200, 200), (260, 230)], key="Shift")
    assert found.get_attribute("data-turn") == turn
    assert found.get_attribute("data-centre") != centre
    page.keyboard.press("0")


def test_a_lasso_selects_exactly_the_points_inside_and_joins_or_leaves_others(opened: Any) -> None:
    scene = explorer_scene()
    page = opened(scene, **STILL)
    choose(page, "lasso")
    at = places(page, scene)
    first = around(at[10:20])
    drag(page, canvas(page), first)
    inside = within(at, first)
    assert len(inside) >= 10
    assert selected(page) == len(inside)
    second = around(at[N_POINTS + 25 : N_POINTS + 30])
    drag(page, canvas(page), second, key="Shift")
    union = sorted({*inside, *within(at, second)})
    assert selected(page) == len(union) > len(inside)
    drag(page, canvas(page), first, key="Alt")
    rest = sorted({*union} - {*inside})
    assert selected(page) == len(rest)

    table = unfold(page, "selection")
    lines = table.locator("tbody tr")
    assert [int(line.get_attribute("data-row")) for line in lines.all()] == rest
    part = scene.maps[0]
    for line, row in zip(lines.all(), rest, strict=True):
        cells = line.locator("td").all_inner_texts()
        shown = [number(cell.replace(" %", "")) for cell in cells if cell != "no value"]
        kept = part.layouts[0].metrics
        true = [part.time[row], *(metric.values[row] for metric in (*part.metrics, *kept))]
        np.testing.assert_allclose(shown, [value for value in true if np.isfinite(value)], rtol=6e-4)
    table.get_by_text("Let go").click()
    assert selected(page) == 0


def test_the_keyboard_selects_points_and_runs(opened: Any) -> None:
    page = opened(explorer_scene(), **STILL)
    canvas(page).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert selected(page) == 1
    page.keyboard.press("Shift+Enter")  # its run was begun with it: it is let go
    assert selected(page) == 0
    page.keyboard.press("Shift+Enter")
    assert selected(page) == N_POINTS
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    assert selected(page) == 0
    page.keyboard.press("l")
    expect(page.locator("input[value=lasso]")).to_be_checked()


def test_curves_have_the_range_of_the_scene_and_are_linked_with_the_map(opened: Any) -> None:
    scene = explorer_scene()
    page = opened(scene, **STILL)
    chart = unfold(page, "curves").locator("canvas")
    losses = np.concatenate([part.metrics[0].values[:-1] for part in scene.maps])
    assert float(chart.get_attribute("data-low")) == pytest.approx(np.nanmin(losses))
    assert float(chart.get_attribute("data-high")) == pytest.approx(np.nanmax(losses))
    page.locator("[data-panel=curves] select").first.select_option("accuracy")
    expect(chart).to_have_attribute("data-metric", "metric:accuracy")
    accuracy = scene.maps[0].metrics[1].values[:-1]
    assert float(chart.get_attribute("data-high")) == pytest.approx(accuracy.max())

    box = chart.bounding_box()
    low, high = accuracy.min(), accuracy.max()
    row = 2 * N_POINTS + 20
    x = 52 + (box["width"] - 10 - 52) * 20 / 40
    y = float(box["height"] - 34 - (box["height"] - 44) * (accuracy[row] - low) / (high - low))
    page.mouse.move(box["x"] + x, box["y"] + y)
    expect(page.locator(".card").first).to_have_attribute("data-row", str(row))
    assert number(page.locator(".card [data-name='metric:accuracy'] dd").first.inner_text().replace("%", "")) == pytest.approx(
        accuracy[row], rel=6e-4
    )

    drag(page, chart, [(x - 30, 60), (x + 30, 60)])
    width = box["width"] - 62
    times = scene.maps[0].time
    span = [40 * (x + side - 52) / width for side in (-30, 30)]
    timed = np.arange(len(times)) < len(times) - 1
    assert selected(page) == int((timed & (times >= span[0]) & (times <= span[1])).sum()) > 0


def test_the_keyboard_walks_along_curves_and_picks_a_time_of_all_runs(opened: Any) -> None:
    page = opened(explorer_scene(), **STILL)
    chart = unfold(page, "curves").locator("canvas")
    chart.focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    expect(page.locator(".card").first).to_have_attribute("data-row", "4")  # row 3 has no loss
    page.keyboard.press("Shift+Enter")
    assert selected(page) == 6
    page.keyboard.press("Enter")
    assert selected(page) == 5
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    assert selected(page) == 0


def test_a_valley_that_is_picked_shows_its_points(opened: Any) -> None:
    scene = explorer_scene()
    page = opened(scene, **STILL)
    panel = unfold(page, "valleys")
    chart = panel.locator("canvas")
    bars = scene.maps[0].barcode
    chart.focus()
    for bar in (0, 3, 1, 2):  # from the longest to the shortest
        page.keyboard.press("ArrowRight")
        expect(chart).to_have_attribute("data-bar", str(bar))
        said = panel.locator("[role=status]").inner_text()
        assert said.startswith("cycle" if bars.dimension[bar] else "valley")
        assert number(re.search(r"begins at ([^,]+)", said)[1]) == pytest.approx(bars.births[bar], rel=6e-4)
        if np.isnan(bars.deaths[bar]):
            assert "never ends" in said
        else:
            assert number(re.search(r"ends at ([^,]+)", said)[1]) == pytest.approx(bars.deaths[bar], rel=6e-4)
        page.keyboard.press("Enter")
        members = bars.members[bars.offsets[bar] : bars.offsets[bar + 1]]
        assert selected(page) == len(members)
    # By the pointer: the second one, where its numbers say.
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    low, high = min(bars.births), bars.highest
    share = [np.log(value / low) / np.log(high / low) for value in (bars.births[1], bars.deaths[1])]
    at = (float(52 + share[0] * (box["width"] - 62)), float(box["height"] - 34 - share[1] * (box["height"] - 44)))
    page.mouse.move(box["x"] + at[0] + 3, box["y"] + at[1] - 3)
    expect(chart).to_have_attribute("data-bar", "1")
    page.mouse.click(box["x"] + at[0], box["y"] + at[1])
    assert selected(page) == 30


def test_distances_are_those_of_the_scene_and_a_pair_can_be_picked(opened: Any) -> None:
    scene = explorer_scene()
    page = opened(scene, **STILL)
    panel = unfold(page, "distances")
    chart = panel.locator("canvas")
    table = scene.maps[0].distances
    assert float(chart.get_attribute("data-high")) == pytest.approx(table.values.max())
    chart.focus()
    for key in ["ArrowRight"] * 4 + ["ArrowDown"] * 2:
        page.keyboard.press(key)
    expect(chart).to_have_attribute("data-value", re.compile(r"\d"))
    assert float(chart.get_attribute("data-value")) == pytest.approx(float(table.values[2, 3]))
    assert number(panel.locator("[role=status]").inner_text().split(":")[0]) == pytest.approx(float(table.values[2, 3]), rel=6e-4)
    page.keyboard.press("Enter")
    assert selected(page) == 2
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    side = min(box["width"], box["height"]) - 8
    page.mouse.move(box["x"] + 8 + side * 20.5 / len(table.rows), box["y"] + 8 + side * 90.5 / len(table.rows))
    expect(chart).to_have_attribute("data-value", str(float(table.values[90, 20])))


def test_trust_is_in_view_with_every_number_of_the_scene(opened: Any) -> None:
    scene = explorer_scene()
    page = opened(scene, **STILL)
    choose(page, "PCA")
    for score in scene.maps[0].scores:
        line = page.locator(f".trust [data-score='{score.label}']").first
        expect(line).to_be_visible()
        cells = [number(cell) for cell in line.locator("td").all_inner_texts()]
        assert cells == [*score.values, *(value for _, value in score.nulls)]
    assert page.locator(".trust").first.locator("td.current").all_inner_texts() == ["0.52", "0.01"]
    expect(page.locator(".trust").first).to_contain_text("It does as well as the map by shattered steps (random walk)")


def test_a_surface_says_what_it_shows_and_how_far_the_run_is_from_it(opened: Any) -> None:
    surface = bowl()
    page = opened(explorer_scene(), **STILL)
    figure = page.locator("figure.surface")
    chart = figure.locator("canvas").first
    chart.scroll_into_view_if_needed()
    assert float(chart.get_attribute("data-low")) == pytest.approx(surface.loss.min())
    assert float(chart.get_attribute("data-high")) == pytest.approx(surface.loss.max())
    for way in ("flat", "solid"):
        choose(page, way)
        chart.focus()
        page.keyboard.press("Escape")
        for step in range(4):
            page.keyboard.press("ArrowRight")
            expect(chart).to_have_attribute("data-step", str(step))
        said = figure.locator("[role=status]").first.inner_text()
        found = [number(part) for part in re.findall(r"(?:step|loss|drawn|,) ([\d.]+(?: × 10⁻?[⁰¹²³⁴⁵⁶⁷⁸⁹]+)?)", said)]
        path = surface.path
        np.testing.assert_allclose(found, [3, path.true_loss[3], path.drawn_loss[3], path.off_plane[3]], rtol=6e-4)
    expect(figure).to_contain_text("first component: 71 % of the variance")


def test_the_contours_have_viridis_at_their_ends(opened: Any) -> None:
    surface = bowl()
    page = opened(Scene(title="s", maps=(), surfaces=(surface,)), **STILL)
    chart = page.locator("figure.surface canvas").first
    chart.scroll_into_view_if_needed()
    expect(chart).to_have_attribute("data-low", re.compile(r"\d"))
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    i, j = np.unravel_index(surface.loss.argmax(), surface.loss.shape)
    colour = chart.evaluate(
        """(canvas, [u, v]) => {
            const { clientWidth: w, clientHeight: h } = canvas;
            const scale = Math.min((w - 28) / 4, (h - 28) / 3);
            const [x, y] = [w / 2 + (u - 0.5) * 4 * scale, h / 2 - (v - 0.5) * 3 * scale];
            const inside = [Math.min(x, w / 2 + 2 * scale - 3), Math.max(y, h / 2 - 1.5 * scale + 3)];
            return [...canvas.getContext("2d").getImageData(...inside, 1, 1).data];
        }""",
        [float(i) / 40, float(j) / 30],
    )
    # Yellow, within the half cell that the pixel is from the corner.
    assert colour[0] > 220
    assert colour[1] > 215
    assert colour[2] < 60


def test_a_link_shows_what_its_sender_saw(opened: Any) -> None:
    page = opened(explorer_scene(), **STILL)
    choose(page, "PCA")
    choose(page, "metric:accuracy")
    choose(page, "dark")
    unfold(page, "valleys")
    page.locator("input[type=range]").fill("12")
    page.get_by_role("button", name="seed 1").click(modifiers=["Shift"])
    canvas(page).focus()
    page.keyboard.press("+")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")

    def seen() -> dict[str, Any]:
        found = canvas(page)
        names = ("data-zoom", "data-centre", "data-selected", "data-points")
        return {name: found.get_attribute(name) for name in names} | {
            "colour": page.locator(".page").get_attribute("data-colour"),
            "time": page.locator(".page").get_attribute("data-time"),
            "layout": page.locator("figure.map").first.get_attribute("data-layout"),
            "scheme": page.locator("#lossatlas").get_attribute("data-scheme"),
            "open": page.locator("[data-panel=valleys]").first.get_attribute("open"),
            "hidden": page.get_by_role("button", name="seed 1").get_attribute("aria-pressed"),
        }

    page.wait_for_function("() => location.hash.includes('select')")
    before = seen()
    assert before["hidden"] == "false"
    page.reload()
    assert seen() == before


def saved(page: Any, name: str) -> bytes:
    with page.expect_download() as waiting:
        page.get_by_role("button", name=name, exact=True).click()
    return Path(waiting.value.path()).read_bytes()


def test_the_map_is_saved_as_pixels_shapes_and_a_table(opened: Any) -> None:
    scene = explorer_scene()
    page = opened(scene, **STILL)
    box = canvas(page).bounding_box()
    picture = saved(page, "Save good as PNG")
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", picture[16:24])
    assert width == 2 * round(box["width"])
    assert height > 2 * box["height"]
    colours = page.evaluate(
        """(data) => new Promise((done) => {
            const image = new Image();
            image.onload = () => {
                const canvas = document.createElement("canvas");
                [canvas.width, canvas.height] = [image.width, image.height];
                const context = canvas.getContext("2d");
                context.drawImage(image, 0, 0);
                done(new Set(new Uint32Array(context.getImageData(0, 0, image.width, image.height).data.buffer)).size);
            };
            image.src = "data:image/png;base64," + data;
        })""",
        base64.b64encode(picture).decode(),
    )
    assert colours > 100

    drawing = ElementTree.fromstring(saved(page, "Save good as SVG"))
    texts = ["".join(element.itertext()) for element in drawing.iter("{http://www.w3.org/2000/svg}text")]
    assert {"good", "PHATE, knn 5", "seed 0", "seed 1"} <= set(texts)
    shapes = list(drawing.iter("{http://www.w3.org/2000/svg}path"))
    dots = [shape for shape in shapes if shape.get("d").count("a") == 2 and shape.get("fill") != "none"]
    assert len(dots) == len(scene.maps[0].time) - 1  # the optimum is a star

    table = list(csv.reader(io.StringIO(saved(page, "Save the shown points of good as CSV").decode(), newline="")))
    assert len(table) == 1 + len(scene.maps[0].time)
    places_ = ["x", "y", "x_3d", "y_3d", "z_3d"]
    metrics = ["test_loss", "accuracy", "learning_rate", "neighbours_kept"]
    assert table[0] == ["row", "run", "kind", "seed", "jump", "group", "epoch", *metrics, *places_]
    losses = np.array([float(line[7] or "nan") for line in table[1:]], np.float32)
    np.testing.assert_array_equal(losses, scene.maps[0].metrics[0].values)

    canvas(page).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert len(saved(page, "Save the selected points of good as CSV").splitlines()) == 2


def test_maps_move_together_until_they_are_told_not_to(opened: Any) -> None:
    page = opened(explorer_scene(), **STILL)
    canvas(page, 0).focus()
    page.keyboard.press("+")
    assert [canvas(page, i).get_attribute("data-zoom") for i in (0, 1)] == ["1.400", "1.400"]
    page.get_by_label("Move all maps together").uncheck()
    canvas(page, 1).focus()
    page.keyboard.press("+")
    assert [canvas(page, i).get_attribute("data-zoom") for i in (0, 1)] == ["1.400", "1.960"]
    page.get_by_role("button", name="Whole map").nth(1).click()
    assert [canvas(page, i).get_attribute("data-zoom") for i in (0, 1)] == ["1.400", "1.000"]


def test_a_run_is_renamed_everywhere(opened: Any) -> None:
    maps = (trainings(2),)
    page = opened(Scene(title="r", maps=maps), **STILL)
    chip = page.locator(".legend [data-key='run r0']")
    chip.focus()
    page.keyboard.press("F2")
    page.keyboard.type("the baseline")
    page.keyboard.press("Enter")
    expect(chip).to_have_text("the baseline")
    canvas(page).focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".card-title")).to_have_text("the baseline")
    page.keyboard.press("Enter")
    expect(unfold(page, "selection").locator("tbody th")).to_have_text("the baseline")
    assert "the baseline" in saved(page, "Save trainings as SVG").decode()
    # Nearer, parts of the map lie beyond its frame: they are not drawn over the words below it.
    canvas(page).focus()
    page.keyboard.press("+")
    drawing = saved(page, "Save trainings as SVG").decode()
    size = float(re.search(r'<rect x="0" y="0" width="[\d.]+" height="([\d.]+)" fill="rgb\(246', drawing)[1])
    over = re.search(rf'<rect x="0" y="{size:g}" width="[\d.]+" height="[\d.]+" fill="rgb\(255,255,255\)"/>', drawing)
    assert over.start() > drawing.rindex("stroke-linecap")
    page.wait_for_function("() => location.hash.includes('baseline')")
    chip.focus()
    page.keyboard.press("F2")
    page.keyboard.press("Delete")
    page.keyboard.press("Enter")
    expect(chip).to_have_text("r0")


def test_a_name_that_is_given_up_is_not_given(opened: Any) -> None:
    page = opened(Scene(title="r", maps=(trainings(2),)), **STILL)
    chip = page.locator(".legend [data-key='run r0']")
    chip.focus()
    page.keyboard.press("F2")
    page.keyboard.type("oops")
    page.keyboard.press("Escape")
    expect(chip).to_have_text("r0")
    expect(chip).to_be_focused()  # a reader at the keyboard goes on from there


def grown(page: Any, scene: Scene) -> None:
    """Draw another scene where the page is, as a live view does."""
    header, data = encoded(scene)
    page.evaluate(
        """([header, data]) => {
            const scene = lossatlas.decoded(header, lossatlas.bytes(data));
            lossatlas.mount(document.getElementById("lossatlas"), scene);
        }""",
        [header, base64.b64encode(data).decode()],
    )


def test_what_was_selected_stays_selected_when_runs_grow(opened: Any) -> None:
    page = opened(Scene(title="g", maps=(trainings(2, 10),)), **STILL)
    canvas(page).focus()
    for key in ("ArrowRight", "ArrowDown", "Shift+Enter"):
        page.keyboard.press(key)
    table = unfold(page, "selection")
    expect(table.locator("tbody tr")).to_have_count(10)
    grown(page, Scene(title="g", maps=(trainings(2, 15),)))
    expect(canvas(page)).to_have_attribute("data-points", "30")
    assert selected(page) == 10
    assert set(table.locator("tbody th").all_inner_texts()) == {"r1"}
    assert [int(cell) for cell in table.locator("tbody tr td:nth-child(2)").all_inner_texts()] == list(range(10))
    grown(page, Scene(title="g", maps=(trainings(1, 3),)))
    expect(canvas(page)).to_have_attribute("data-points", "3")
    assert selected(page) == 0


def test_a_link_that_is_pasted_into_the_open_page_is_followed(opened: Any) -> None:
    page = opened(explorer_scene(), **STILL)
    canvas(page)
    page.evaluate("() => (location.hash = 'layout=PCA')")
    expect(page.locator("figure.map").first).to_have_attribute("data-layout", "PCA")


def test_a_surface_turns_as_far_as_it_is_dragged_and_stays_there(opened: Any) -> None:
    page = opened(explorer_scene(), **STILL)
    choose(page, "solid")
    chart = page.locator("figure.surface canvas").first
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    page.mouse.move(box["x"] + 200, box["y"] + 200)
    page.mouse.down()
    page.mouse.move(box["x"] + 200, box["y"] + 260, steps=4)  # straight down, which tilts it
    expect(chart).not_to_have_attribute("data-turn", "0.600 0.550")
    page.mouse.move(box["x"] + 250, box["y"] + 260, steps=4)
    turn = chart.get_attribute("data-turn")
    page.mouse.up()
    page.wait_for_timeout(100)
    assert chart.get_attribute("data-turn") == turn


def test_a_drag_whose_end_is_lost_does_not_go_on(opened: Any) -> None:
    page = opened(explorer_scene(), **STILL)
    found = canvas(page)
    centre = found.get_attribute("data-centre")
    found.evaluate(
        """(map) => {
            const { x, y } = map.getBoundingClientRect();
            map.setPointerCapture = () => {};
            const send = (type, to, buttons) => map.dispatchEvent(new PointerEvent(type, {
                clientX: x + to, clientY: y + to, screenX: to, screenY: to, pointerId: 1, button: 0, buttons, bubbles: true,
            }));
            send("pointerdown", 100, 1);
            send("pointermove", 150, 0);
            send("pointermove", 180, 0);
        }"""
    )
    page.wait_for_timeout(100)
    assert found.get_attribute("data-centre") == centre


def test_light_or_dark_is_the_readers_choice(opened: Any) -> None:
    page = opened(explorer_scene(), color_scheme="light", **STILL)

    def ground() -> str:
        return page.evaluate("() => getComputedStyle(document.querySelector('.lossatlas')).backgroundColor")

    assert ground() == "rgb(255, 255, 255)"
    choose(page, "dark")
    expect(page.locator("#lossatlas")).to_have_attribute("data-scheme", "dark")
    assert ground() == "rgb(20, 23, 27)"
    choose(page, "light")
    assert ground() == "rgb(255, 255, 255)"


def complaints(page: Any) -> list[str]:
    """Return what the accessibility checker finds serious, each as its rule and the element."""
    found = page.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")["violations"]
    return [
        f"{rule['id']} ({rule['impact']}): {node['html'][:160]} {node['failureSummary'][:200]}"
        for rule in found
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_accessibility_checker_finds_nothing_serious(opened: Any, scheme: str) -> None:
    if not AXE.exists():
        if os.environ.get("CI"):
            pytest.fail("axe-core is not installed, and in CI the page must be checked")
        pytest.skip("axe-core is not installed; npm ci in viewer/ brings it")
    page = opened(explorer_scene(), color_scheme=scheme, **STILL)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    assert complaints(page) == []
    for panel in ("valleys", "distances", "selection", "runs"):
        unfold(page, panel)
    choose(page, "metric:test_loss")
    choose(page, "3")
    canvas(page).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="seed 1").click(modifiers=["Shift"])
    assert complaints(page) == []


def test_keyboard_alone_reaches_everything_that_can_be_used(opened: Any) -> None:
    page = opened(explorer_scene(), **STILL)
    for panel in ("valleys", "distances", "selection", "runs"):
        unfold(page, panel)
    canvas(page)
    page.evaluate(
        """() => {
            document.activeElement.blur();
            window.scrollTo(0, 0);
            const usable = "button, input, select, summary, canvas[tabindex='0'], a[href], [tabindex='0']";
            [...document.querySelectorAll(usable)].forEach((element, i) => (element.dataset.usable = i));
        }"""
    )
    wanted = set(page.evaluate("() => [...document.querySelectorAll('[data-usable]')].map((e) => e.dataset.usable)"))
    groups = page.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll("input[type=radio]")].map((e) => [e.dataset.usable, e.name]))"""
    )
    reached = set()
    for _ in range(2 * len(wanted)):
        page.keyboard.press("Tab")
        here = page.evaluate("() => document.activeElement.dataset.usable ?? null")
        reached.add(here)
    # Of radio buttons that share a name Tab finds one, and the arrow keys the others.
    names = {groups[one] for one in reached if one in groups}
    missing = {one for one in wanted - reached if groups.get(one) not in names}
    assert missing == set()


def trainings(n_runs: int, n_points: int = 12) -> SceneMap:
    """Return trainings side by side."""
    u = np.linspace(0, 1, n_points)
    arms = [np.stack([u * np.cos(i / n_runs * 6), u * np.sin(i / n_runs * 6)], axis=1) for i in range(n_runs)]
    loss = np.concatenate([(1 + i / n_runs) * np.exp(-3 * u) for i in range(n_runs)])
    return SceneMap(
        name="trainings",
        layouts=(Layout(name="PHATE", caption="", coordinates=np.concatenate(arms).astype(np.float32)),),
        time=np.tile(np.arange(n_points), n_runs).astype(np.float32),
        runs=tuple(SceneRun(name=f"r{i}", kind="training", start=i * n_points, stop=(i + 1) * n_points) for i in range(n_runs)),
        metrics=(Metric(name="loss", label="loss", values=loss.astype(np.float32), scale="log"),),
        landscape="loss",
    )


@pytest.mark.parametrize(("n_runs", "n_points"), [(1, 1), (1, 12), (50, 12)])
def test_one_point_one_run_and_fifty_runs_are_drawn(opened: Any, n_runs: int, n_points: int) -> None:
    page = opened(Scene(title="t", maps=(trainings(n_runs, n_points),)), **STILL)
    expect(canvas(page)).to_have_attribute("data-points", str(n_runs * n_points))
    assert page.locator(".legend .chip").count() == n_runs
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    for panel in ("curves", "selection", "runs"):
        unfold(page, panel)
    # The legend of many runs does not push the maps away.
    assert page.locator(".legend").bounding_box()["height"] < 115


def test_on_a_phone_nothing_is_wider_than_the_screen_and_the_lasso_works_by_touch(opened: Any) -> None:
    scene = explorer_scene()
    page = opened(scene, viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True, **STILL)
    for panel in ("valleys", "distances", "selection", "runs"):
        unfold(page, panel)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    choose(page, "lasso")
    found = canvas(page)
    at = places(page, scene)[0]
    box = found.bounding_box()
    page.touchscreen.tap(box["x"] + at[0], box["y"] + at[1])
    assert selected(page) == 1
    chart = unfold(page, "distances").locator("canvas")
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    page.touchscreen.tap(box["x"] + 100, box["y"] + 180)
    assert selected(page) == 2


def test_hostile_names_are_only_text_everywhere(opened: Any) -> None:
    star = star_map(HOSTILE)
    layouts = tuple(
        Layout(name=f"{HOSTILE}{i}", caption=HOSTILE, coordinates=layout.coordinates, metrics=layout.metrics)
        for i, layout in enumerate(star.layouts)
    )
    metric = Metric(name=HOSTILE, label=HOSTILE, values=star.metrics[0].values, meaning=HOSTILE, unit=HOSTILE)
    score = Score(label=HOSTILE, meaning=HOSTILE, better="higher", values=(0.1, 0.2, 0.3), nulls=((HOSTILE, 0.9),))
    hostile = SceneMap(
        name=HOSTILE,
        layouts=layouts,
        time=star.time,
        time_label=HOSTILE,
        runs=tuple(
            SceneRun(name=f"{HOSTILE}{run.start}", kind=run.kind, start=run.start, stop=run.stop, jump=run.jump)
            for run in star.runs
        ),
        metrics=(metric,),
        facts=(Fact(label=HOSTILE, value=HOSTILE, meaning=HOSTILE),),
        scores=(score,),
        barcode=star.barcode,
        distances=star.distances,
    )
    flat = bowl()
    surface = Surface(
        name=HOSTILE, caption=HOSTILE, x=flat.x, y=flat.y, loss=flat.loss, label=HOSTILE, x_label=HOSTILE, path=flat.path
    )
    page = opened(Scene(title=HOSTILE, summary=HOSTILE, maps=(hostile,), surfaces=(surface,)), **STILL)
    for panel in ("valleys", "distances", "selection", "runs"):
        unfold(page, panel)
    canvas(page).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator(".card-title").first).to_have_text(f"{HOSTILE}0")
    drawing = ElementTree.fromstring(saved(page, f"Save {HOSTILE} as SVG"))
    texts = ["".join(element.itertext()) for element in drawing.iter("{http://www.w3.org/2000/svg}text")]
    assert HOSTILE in texts
    chip = page.locator(".legend .chip").first
    chip.focus()
    page.keyboard.press("F2")
    page.keyboard.type(HOSTILE)
    page.keyboard.press("Enter")
    expect(page.locator(".legend .chip").first).to_have_text(HOSTILE)
    assert page.evaluate("() => document.scripts.length") == 3


def test_a_scene_of_surfaces_alone_is_a_page(opened: Any) -> None:
    page = opened(Scene(title="Only a plane", maps=(), surfaces=(bowl(),)))
    expect(page.locator("figure.surface")).to_be_visible()
    expect(page.locator(".controls")).to_have_count(0)
