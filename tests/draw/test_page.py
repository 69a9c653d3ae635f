"""The page: one file, no network, every number as the scene has it, in reach of pointer, keyboard and screen reader."""

import base64
import dataclasses
import hashlib
import json
import re
from html.parser import HTMLParser
from importlib import resources
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest

from lossatlas._arrays import InputError
from lossatlas.draw.encoding import decoded, encoded
from lossatlas.draw.figures.colours import HUES
from lossatlas.draw.page import page, write_page
from lossatlas.draw.scene import Fact, Layout, Metric, Scene, SceneMap, SceneRun, Score

expect = pytest.importorskip("playwright.sync_api").expect

VIEWER = Path(__file__).parents[2] / "viewer"
HOSTILE = "</script><script>alert(1)</script><!--<script>'\"&amp;"
N_TIMES = 6
SUPERSCRIPTS = str.maketrans({"⁻": "e-"} | {sign: str(digit) for digit, sign in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")})


def spiral_map(name: str = "spiral", *, seeds: tuple[int, ...] = (0, 1), jumps: tuple[float, ...] = (0.5, 1.0)) -> SceneMap:
    """Return retrainings that spiral towards an optimum, found at epoch 200; the loss of row 3 is missing."""
    u = np.linspace(0, 1, N_TIMES)
    arms, runs = [], []
    for number, (seed, jump) in enumerate((seed, jump) for seed in seeds for jump in jumps):
        angle = 2 * np.pi * number / (len(seeds) * len(jumps)) + u
        radius = 10 * jump * (1 - 0.8 * u)
        arms.append(np.column_stack([radius * np.cos(angle), radius * np.sin(angle)]))
        runs.append(
            SceneRun(
                name=f"seed {seed}, jump {jump:g}",
                kind="retraining",
                start=number * N_TIMES,
                stop=(number + 1) * N_TIMES,
                seed=seed,
                jump=jump,
            )
        )
    coordinates = np.concatenate([*arms, np.zeros((1, 2))]).astype(np.float32)
    n = len(coordinates)
    loss = np.geomspace(1e-4, 3.0, n).astype(np.float32)
    loss[3] = np.nan
    return SceneMap(
        name=name,
        layouts=(Layout(name="PHATE", caption="Arms around an optimum.", coordinates=coordinates),),
        time=np.append(np.tile(np.arange(N_TIMES), len(runs)), 200).astype(np.float32),
        runs=tuple(runs),
        metrics=(
            Metric(name="loss", label="test loss", values=loss, scale="log", meaning="mean cross-entropy"),
            Metric(name="accuracy", label="accuracy", values=np.linspace(10, 94.321, n).astype(np.float32), unit="%"),
        ),
        facts=(Fact(label="stress", value="0.043", meaning="What the plane could not keep."),),
        optimum=n - 1,
    )


def training_map() -> SceneMap:
    """Return two trainings of five epochs more than the retrainings have."""
    n = N_TIMES + 5
    u = np.linspace(0, 1, n)
    coordinates = np.concatenate([np.column_stack([u, u**2]), np.column_stack([u, -u])]).astype(np.float32)
    return SceneMap(
        name="trainings",
        layouts=(Layout(name="PHATE", caption="", coordinates=coordinates),),
        time=np.tile(np.arange(n), 2).astype(np.float32),
        runs=tuple(SceneRun(name=name, kind="training", start=i * n, stop=(i + 1) * n) for i, name in enumerate(("sgd", "adam"))),
        metrics=(Metric(name="loss", label="test loss", values=np.tile(3 - 2 * u, 2).astype(np.float32), scale="log"),),
    )


def spiral_scene() -> Scene:
    return Scene(title="Spirals", summary="Two maps.", maps=(spiral_map(), training_map()))


def canvas(page_: Any, index: int = 0) -> Any:
    found = page_.locator(".frame canvas[role=application]").nth(index)
    found.scroll_into_view_if_needed()
    return found


def place(page_: Any, scene: Scene, row: int, *, index: int = 0) -> tuple[float, float]:
    """Return where on the window a point of the scene should be, by the camera that the map says it has."""
    found = canvas(page_, index)
    expect(found).to_have_attribute("data-points", re.compile(r"\d+"))
    box = found.bounding_box()
    x, y = map(float, found.get_attribute("data-centre").split())
    scale = float(found.get_attribute("data-scale"))
    point = scene.maps[index].layouts[0].coordinates[row].astype(float)
    return (
        box["x"] + box["width"] / 2 + (point[0] - x) * scale,
        box["y"] + box["height"] / 2 - (point[1] - y) * scale,
    )


def choose(page_: Any, colour: str) -> None:
    page_.locator(f"input[type=radio][value='{colour}']").check(force=True)
    expect(page_.locator(".page")).to_have_attribute("data-colour", colour)


def seek(page_: Any, step: int) -> None:
    page_.locator("input[type=range]").fill(str(step))


def colour_at(page_: Any, where: tuple[float, float], index: int = 0) -> list[int]:
    """Return the red, green and blue that the canvas has at a place of the window, once it has drawn."""
    page_.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return canvas(page_, index).evaluate(
        """(canvas, [x, y]) => {
            const box = canvas.getBoundingClientRect();
            const data = canvas.getContext("2d").getImageData(Math.round(x - box.x), Math.round(y - box.y), 1, 1).data;
            return [...data.slice(0, 3)];
        }""",
        list(where),
    )


class Elements(HTMLParser):
    """The texts of elements with an id, and the number of script elements."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.texts: dict[str, str] = {}
        self.scripts = 0
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        self._inside = dict(attrs).get("id") or ""

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.texts[self._inside] = self.texts.get(self._inside, "") + data


def test_the_hues_are_those_of_the_figures():
    listed = re.search(r"HUES: readonly Colour\[\] = \[(.*?)\]", (VIEWER / "src" / "colours.ts").read_text(), re.DOTALL)
    assert [hue.lower() for hue in HUES] == [f"#{hue}" for hue in re.findall(r"0x(\w{6})", listed[1])]


def test_page_carries_the_scene_unchanged() -> None:
    scene = spiral_scene()
    texts = Elements(page(scene)).texts
    again = decoded(texts["scene-header"], base64.b64decode(texts["scene-data"]))
    assert encoded(again) == encoded(scene)


def test_page_names_no_address_but_the_namespaces_of_w3c() -> None:
    addresses = set(re.findall(r"(?:https?:)?//[\w.-]+\.[a-z]{2,}[^\s\"'`)]*", page(spiral_scene())))
    assert {address for address in addresses if not address.startswith("http://www.w3.org/")} == set()


def test_page_is_small_before_its_data() -> None:
    # The promise is 2 MB; the viewer takes some 50 kB, and a library that slips in should be noticed long before.
    assert len(page(Scene(title="", maps=()))) < 200_000


def test_same_scene_gives_the_same_page() -> None:
    assert page(spiral_scene()) == page(spiral_scene())


@pytest.mark.parametrize("name", ["viewer.js", "viewer.css", "widget.js"])
def test_bundle_was_built_from_the_sources_beside_it(name: str) -> None:
    """The first line of each built file holds a hash over its sources; ``npm run build`` in viewer/ renews all."""
    paths = [path.relative_to(VIEWER).as_posix() for path in (VIEWER / "src").rglob("*") if path.is_file()]
    digest = hashlib.sha256()
    for path in sorted([*paths, "package-lock.json", "package.json", "tsconfig.json", "vite.config.ts"]):
        digest.update(path.encode() + b"\0" + (VIEWER / path).read_bytes() + b"\0")
    built = (resources.files("lossatlas.draw") / "static" / name).read_text(encoding="utf-8")
    assert built.splitlines()[0] == f"/* lossatlas viewer, sources sha256:{digest.hexdigest()} */"


def test_bundle_cannot_end_its_own_element() -> None:
    static = resources.files("lossatlas.draw") / "static"
    assert not re.search(r"</script|<script|<!--", (static / "viewer.js").read_text(encoding="utf-8"), re.IGNORECASE)
    assert "</style" not in (static / "viewer.css").read_text(encoding="utf-8").lower()


def test_page_in_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no folder .*absent.* to write atlas\.html into; make it first"):
        write_page(spiral_scene(), tmp_path / "absent" / "atlas.html")


def test_folder_in_place_of_the_page_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"is a folder; name a file in it"):
        write_page(spiral_scene(), tmp_path)


def test_page_where_nothing_may_be_written_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Simulated, because an administrator may write into any folder.
    def refused(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "write_bytes", refused)
    with pytest.raises(InputError, match=r"cannot write .*atlas\.html: Permission denied; name a file in a folder"):
        write_page(spiral_scene(), tmp_path / "atlas.html")


def test_page_that_cannot_be_finished_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "atlas.html"
    target.write_text("old")

    def full(self: Path, data: bytes) -> None:
        with self.open("wb") as file:
            file.write(data[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(InputError, match="No space left on device"):
        write_page(spiral_scene(), target)
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_name_without_utf8_bytes_can_be_written(tmp_path: Path) -> None:
    scene = Scene(title="caf\udce9", maps=())
    write_page(scene, str(tmp_path / "atlas.html"))
    header = Elements((tmp_path / "atlas.html").read_text(encoding="utf-8")).texts["scene-header"]
    assert json.loads(header)["title"] == scene.title


def test_page_opens_from_disk_and_draws_every_point(opened: Any) -> None:
    scene = spiral_scene()
    shown = opened(scene)
    expect(shown).to_have_title("Spirals")
    expect(shown.get_by_role("heading", level=1)).to_have_text("Spirals")
    for index, map_ in enumerate(scene.maps):
        expect(canvas(shown, index)).to_have_attribute("data-points", str(len(map_.layouts[0].coordinates)))
        expect(shown.locator("figure.map").nth(index).get_by_role("heading")).to_have_text(map_.name)


def test_pointing_at_a_point_shows_exactly_its_numbers(opened: Any) -> None:
    scene = spiral_scene()
    shown = opened(scene)
    map_ = scene.maps[0]
    # A jump, a point without a loss, the middle of an arm, and the optimum.
    for row in (0, 3, 14, 24):
        shown.mouse.move(*place(shown, scene, row))
        card = shown.locator(".card").first
        expect(card).to_have_attribute("data-row", str(row))
        values = {
            line.get_attribute("data-name"): (float(line.get_attribute("data-value")), line.locator("dd").inner_text())
            for line in card.locator("[data-name]").all()
        }
        run = next((run for run in map_.runs if run.start <= row < run.stop), None)
        wanted = {"time": map_.time[row]} | {f"metric:{metric.name}": metric.values[row] for metric in map_.metrics}
        if run:
            wanted["jump"] = run.jump
        assert {name: value for name, (value, _) in values.items()} == pytest.approx(wanted, rel=1e-15, nan_ok=True)
        assert card.locator(".card-title").inner_text() == (run.name if run else "optimum")
        for value, text in values.values():
            if np.isnan(value):
                assert text == "no value"
            else:
                read = float(text.removesuffix(" %").translate(SUPERSCRIPTS).replace(" × 10e", "e").replace("10e", "1e"))
                # Four digits are shown.
                assert read == pytest.approx(value, rel=6e-4)
    shown.mouse.move(2, 2)
    expect(shown.locator(".card").first).to_be_hidden()


def test_every_choice_of_colour_has_the_range_of_the_scene(opened: Any) -> None:
    scene = spiral_scene()
    shown = opened(scene)
    assert shown.locator(".page").get_attribute("data-colour") == "run"
    expect(shown.locator(".bar")).to_have_count(0)
    losses = np.concatenate([map_.metrics[0].values for map_ in scene.maps])
    accuracy = scene.maps[0].metrics[1].values
    for colour, low, high, missing in [
        ("time", 0, N_TIMES + 4, 0),
        ("jump", 0.5, 1, len(scene.maps[1].time)),
        ("metric:loss", np.nanmin(losses), np.nanmax(losses), 1),
        ("metric:accuracy", accuracy.min(), accuracy.max(), len(scene.maps[1].time)),
    ]:
        choose(shown, colour)
        bar = shown.locator(".bar")
        found = [float(bar.get_attribute(f"data-{what}")) for what in ("low", "high", "missing")]
        assert found == pytest.approx([low, high, missing], rel=1e-12)
        assert shown.locator(".bar .ticks span").count() >= 2
    expect(shown.locator(".bar-title")).to_contain_text("accuracy (%)")
    choose(shown, "metric:loss")
    expect(shown.locator(".bar-title")).to_contain_text("log scale")
    expect(shown.locator(".bar-title")).to_contain_text("no value (1 point)")


def test_ends_of_the_range_have_the_ends_of_viridis_and_a_missing_value_is_grey(opened: Any) -> None:
    scene = spiral_scene()
    shown = opened(scene)
    choose(shown, "metric:loss")
    for row, end in ((0, 0.0), (24, 1.0)):
        wanted = 255 * np.array(mpl.colormaps["viridis"](end)[:3])
        # A colour on the screen is whole numbers.
        np.testing.assert_allclose(colour_at(shown, place(shown, scene, row)), wanted, atol=0.51)
    red, green, blue = colour_at(shown, place(shown, scene, 3))
    assert max(red, green, blue) - min(red, green, blue) < 25


def test_points_of_no_run_are_drawn_too(opened: Any) -> None:
    loss = Metric(name="loss", label="loss", values=np.array([1, 2], np.float32))
    points = SceneMap(
        name="points",
        layouts=(Layout(name="PHATE", caption="", coordinates=np.array([[0, 0], [1, 0.5]], np.float32)),),
        time=np.zeros(2, np.float32),
        metrics=(loss,),
    )
    scene = Scene(title="Points", maps=(points,))
    shown = opened(scene)
    choose(shown, "metric:loss")
    for row, end in ((0, 0.0), (1, 1.0)):
        wanted = 255 * np.array(mpl.colormaps["viridis"](end)[:3])
        np.testing.assert_allclose(colour_at(shown, place(shown, scene, row)), wanted, atol=0.51)


def test_each_seed_has_its_own_colour_by_run(opened: Any) -> None:
    scene = spiral_scene()
    shown = opened(scene)
    blue = colour_at(shown, place(shown, scene, 1))
    vermillion = colour_at(shown, place(shown, scene, 13))
    assert blue[2] > blue[0] + 60
    assert vermillion[0] > vermillion[2] + 60


def test_larger_jumps_have_darker_diamonds_on_light_ground(opened: Any) -> None:
    scene = spiral_scene()
    shown = opened(scene, color_scheme="light")
    small, large = (sum(colour_at(shown, place(shown, scene, row))) for row in (0, N_TIMES))
    assert large < 150
    assert small > 500


def test_slider_shows_the_points_up_to_its_time(opened: Any) -> None:
    scene = spiral_scene()
    shown = opened(scene)
    # The trainings' last epoch is the end; the epoch of the optimum belongs to another training.
    assert shown.locator(".page").get_attribute("data-time") == str(N_TIMES + 4)
    for time in (0, 2, N_TIMES + 1):
        seek(shown, time)
        expect(shown.locator(".page")).to_have_attribute("data-time", str(time))
        for index, map_ in enumerate(scene.maps):
            n = int(((map_.time <= time) | (np.arange(len(map_.time)) == map_.optimum)).sum())
            expect(canvas(shown, index)).to_have_attribute("data-points", str(n))
    slider = shown.get_by_role("slider")
    expect(slider).to_have_attribute("aria-valuetext", f"epoch {N_TIMES + 1} of {N_TIMES + 4}")


def test_points_that_are_not_shown_yet_cannot_be_pointed_at(opened: Any) -> None:
    scene = spiral_scene()
    shown = opened(scene)
    seek(shown, 0)
    shown.mouse.move(*place(shown, scene, N_TIMES + 2))
    expect(shown.locator(".card").first).to_be_hidden()
    shown.mouse.move(*place(shown, scene, N_TIMES))
    expect(shown.locator(".card").first).to_be_visible()


def test_play_goes_through_time_once_and_stops(opened: Any) -> None:
    shown = opened(spiral_scene(), is_clock_held=True)
    root = shown.locator(".page")
    shown.clock.run_for(100)
    shown.keyboard.press("Space")
    expect(root).to_have_attribute("data-playing", "true")
    expect(root).to_have_attribute("data-time", "0")
    # Eleven moments, at most 0.6 s each.
    counts = []
    for _ in range(3):
        shown.clock.run_for(620)
        counts.append(int(canvas(shown).get_attribute("data-points")))
    assert counts == sorted(set(counts))
    shown.keyboard.press("Space")
    expect(root).to_have_attribute("data-playing", "false")
    paused = root.get_attribute("data-time")
    shown.clock.run_for(3000)
    assert root.get_attribute("data-time") == paused
    shown.get_by_role("button", name="Play").click()
    shown.clock.run_for(9000)
    expect(root).to_have_attribute("data-playing", "false")
    expect(root).to_have_attribute("data-time", str(N_TIMES + 4))
    expect(canvas(shown)).to_have_attribute("data-points", "25")


def test_play_makes_few_and_slow_steps_for_readers_who_asked_for_less_motion(opened: Any) -> None:
    shown = opened(spiral_scene(), is_clock_held=True, reduced_motion="reduce")
    root = shown.locator(".page")
    shown.get_by_role("button", name="Play").click()
    shown.clock.run_for(1000)
    expect(root).to_have_attribute("data-time", "0")
    shown.clock.run_for(400)
    expect(root).not_to_have_attribute("data-time", "0")
    shown.clock.run_for(12000)
    expect(root).to_have_attribute("data-playing", "false")


def test_nothing_is_drawn_while_nothing_changes(opened: Any) -> None:
    shown = opened(spiral_scene())
    expect(canvas(shown)).to_have_attribute("data-points", "25")
    shown.evaluate(
        """() => {
            const ask = requestAnimationFrame;
            window.asked = 0;
            window.requestAnimationFrame = (draw) => (window.asked++, ask(draw));
        }"""
    )
    shown.wait_for_timeout(300)
    assert shown.evaluate("window.asked") == 0


def test_wheel_zooms_drag_moves_and_double_click_shows_the_whole_map_again(opened: Any) -> None:
    scene = spiral_scene()
    shown = opened(scene)
    found = canvas(shown)
    before = place(shown, scene, N_TIMES)
    shown.wait_for_timeout(300)  # a wheel right after a scroll of the page goes on scrolling
    shown.mouse.move(*before)
    shown.mouse.wheel(0, -240)
    expect(found).not_to_have_attribute("data-zoom", "1.000")
    assert float(found.get_attribute("data-zoom")) > 1.5
    assert place(shown, scene, N_TIMES) == pytest.approx(before, abs=0.6)
    shown.mouse.down()
    shown.mouse.move(before[0] - 60, before[1] + 40, steps=4)
    shown.mouse.up()
    assert place(shown, scene, N_TIMES) == pytest.approx((before[0] - 60, before[1] + 40), abs=0.6)
    found.dblclick(position={"x": 5, "y": 5})
    expect(found).to_have_attribute("data-zoom", "1.000")
    assert place(shown, scene, N_TIMES) == pytest.approx(before, abs=0.6)


def test_click_on_a_seed_shows_it_alone_and_shift_click_hides_it(opened: Any) -> None:
    shown = opened(spiral_scene())
    one = shown.get_by_role("button", name="seed 1")
    one.click()
    expect(canvas(shown)).to_have_attribute("data-points", str(2 * N_TIMES + 1))
    expect(canvas(shown, 1)).to_have_attribute("data-points", "0")
    expect(one).to_have_attribute("aria-pressed", "true")
    expect(shown.get_by_role("button", name="seed 0")).to_have_attribute("aria-pressed", "false")
    shown.get_by_role("button", name="Show all").click()
    expect(canvas(shown)).to_have_attribute("data-points", "25")
    shown.get_by_role("button", name="run adam").click(modifiers=["Shift"])
    expect(canvas(shown, 1)).to_have_attribute("data-points", str(N_TIMES + 5))
    expect(canvas(shown)).to_have_attribute("data-points", "25")


def test_tab_reaches_every_control(opened: Any) -> None:
    shown = opened(spiral_scene())
    reached = []
    for _ in range(80):
        shown.keyboard.press("Tab")
        reached.append(
            shown.evaluate(
                """() => {
                    const { tagName, type, textContent, ariaLabel } = document.activeElement;
                    return [tagName, type ?? "", ariaLabel ?? textContent];
                }"""
            )
        )
        if reached[-1][0] == "BODY":
            break
    kinds = [(tag, kind) for tag, kind, _ in reached]
    names = [name for *_, name in reached]
    assert ("INPUT", "radio") in kinds
    assert ("INPUT", "range") in kinds
    assert kinds.count(("CANVAS", "")) == 4  # each map and its curves
    assert kinds.count(("SUMMARY", "")) == 6
    assert {"Play", "seed 0", "seed 1", "run sgd", "run adam", "stress", "Save spiral as PNG", "Save spiral as SVG"} <= set(names)


def test_arrow_keys_choose_a_colour_and_space_on_a_button_presses_only_the_button(opened: Any) -> None:
    shown = opened(spiral_scene())
    shown.locator("input[value=run]").focus()
    shown.keyboard.press("ArrowRight")
    expect(shown.locator(".page")).to_have_attribute("data-colour", "time")
    shown.get_by_role("button", name="seed 0").focus()
    shown.keyboard.press("Space")
    expect(shown.locator(".page")).to_have_attribute("data-playing", "false")
    expect(canvas(shown, 1)).to_have_attribute("data-points", "0")


def test_arrow_keys_walk_along_a_run_and_from_run_to_run_and_the_card_follows_aloud(opened: Any) -> None:
    shown = opened(spiral_scene())
    card = shown.locator(".card").first
    expect(card).to_have_attribute("aria-live", "polite")
    canvas(shown).focus()
    for key, row in [
        ("ArrowRight", 0),
        ("ArrowRight", 1),
        ("ArrowDown", N_TIMES + 1),
        ("End", 2 * N_TIMES - 1),
        ("ArrowUp", N_TIMES - 1),
        ("ArrowLeft", N_TIMES - 2),
        ("Home", 0),
        ("ArrowUp", 24),
    ]:
        shown.keyboard.press(key)
        expect(card).to_have_attribute("data-row", str(row))
    shown.keyboard.press("Escape")
    expect(card).to_be_hidden()
    shown.keyboard.press("+")
    expect(canvas(shown)).to_have_attribute("data-zoom", "1.400")
    shown.keyboard.press("0")
    expect(canvas(shown)).to_have_attribute("data-zoom", "1.000")


def test_meaning_of_a_fact_appears_with_the_focus(opened: Any) -> None:
    shown = opened(spiral_scene())
    term = shown.get_by_role("button", name="stress")
    meaning = shown.get_by_role("tooltip", include_hidden=True)
    expect(meaning).to_be_hidden()
    term.focus()
    expect(meaning).to_be_visible()
    expect(meaning).to_have_text("What the plane could not keep.")
    expect(term).to_have_accessible_description("What the plane could not keep.")
    shown.keyboard.press("Escape")
    expect(meaning).to_be_hidden()


def test_scores_fit_their_panel_and_what_they_mean_is_read_whole(opened: Any) -> None:
    map_ = spiral_map("spiral")
    long = (
        "Whether neighbours on the map are neighbours: 1 if none is an intruder, less the farther away the intruders truly are. "
    )
    values = tuple(0.5 for _ in map_.layouts)
    named = [
        Score(label=name, meaning=2 * long, better="higher", values=values, nulls=(("chance", 0.1),))
        for name in ("first", "last")
    ]
    shown = opened(Scene(title="Scores", maps=(dataclasses.replace(map_, scores=tuple(named)),)))
    scores = shown.locator(".trust .scroll").first
    assert scores.evaluate("(panel) => panel.scrollWidth <= panel.clientWidth")
    for term in (scores.locator(".term").first, scores.locator(".term").last):
        term.hover()
        meaning = scores.locator(".meaning:visible")
        expect(meaning).to_have_count(1)
        # Broken into lines, and not cut off by the panel that scrolls.
        assert meaning.evaluate("(text) => text.scrollWidth <= text.clientWidth && text.clientWidth <= 320")
        at_corner = (
            "(text) => { const { x, y } = text.getBoundingClientRect(); return document.elementFromPoint(x + 8, y + 8) === text }"
        )
        assert meaning.evaluate(at_corner)


def test_runs_of_a_map_are_also_a_table(opened: Any) -> None:
    scene = spiral_scene()
    shown = opened(scene)
    shown.get_by_text("4 runs as a table").click()
    rows = shown.locator("figure.map").first.locator("[data-panel=runs] tbody tr")
    expect(rows).to_have_count(4)
    cells = rows.nth(3).locator("th, td").all_inner_texts()
    last = scene.maps[0].metrics[1].values[4 * N_TIMES - 1]
    assert cells[:5] == ["seed 1, jump 1", "1", "1", str(N_TIMES), f"0 to {N_TIMES - 1}"]
    assert cells[-1] == f"{last:.2f} %"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_from_their_ground(opened: Any, scheme: str) -> None:
    shown = opened(spiral_scene(), color_scheme=scheme)
    names = ("paper", "ground", "ink", "muted")
    colours = shown.evaluate(
        """(names) => {
            const style = getComputedStyle(document.documentElement);
            const context = document.createElement("canvas").getContext("2d");
            return names.map((name) => ((context.fillStyle = style.getPropertyValue(`--${name}`)), context.fillStyle));
        }""",
        names,
    )

    def luminance(colour: str) -> float:
        share = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
        linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    of = dict(zip(names, map(luminance, colours), strict=True))
    for word in ("ink", "muted"):
        for ground in ("paper", "ground"):
            high, low = sorted((of[word], of[ground]), reverse=True)
            assert (high + 0.05) / (low + 0.05) >= 4.5, (word, ground)
    assert (of["paper"] > 0.5) == (scheme == "light")


@pytest.mark.parametrize(("width", "columns"), [(1440, 3), (390, 1)])
def test_maps_stand_three_abreast_on_a_desk_and_one_on_a_phone(opened: Any, width: int, columns: int) -> None:
    scene = Scene(title="Many", maps=tuple(spiral_map(name) for name in ("good", "bad", "memorised")))
    shown = opened(scene, viewport={"width": width, "height": 844})
    boxes = [figure.bounding_box() for figure in shown.locator("figure.map").all()]
    assert len({round(box["x"]) for box in boxes}) == columns
    # A table wider than its map scrolls in its own frame.
    shown.locator("summary").first.click()
    assert [round(figure.bounding_box()["width"]) for figure in shown.locator("figure.map").all()] == [
        round(box["width"]) for box in boxes
    ]
    assert shown.evaluate("document.documentElement.scrollWidth") <= width


def test_hostile_name_is_only_text(opened: Any) -> None:
    map_ = SceneMap(
        name=HOSTILE,
        layouts=(Layout(name=HOSTILE, caption=HOSTILE, coordinates=np.zeros((2, 2), np.float32)),),
        time=np.arange(2, dtype=np.float32),
        time_label=HOSTILE,
        runs=(SceneRun(name=HOSTILE, kind="training", start=0, stop=2),),
        metrics=(Metric(name=HOSTILE, label=HOSTILE, values=np.ones(2, np.float32), unit=HOSTILE, meaning=HOSTILE),),
        facts=(Fact(label=HOSTILE, value=HOSTILE, meaning=HOSTILE),),
    )
    scene = Scene(title=HOSTILE, summary=HOSTILE, maps=(map_,))
    assert Elements(page(scene)).scripts == 3
    shown = opened(scene)
    expect(shown).to_have_title(HOSTILE)
    for where in (
        "h1",
        ".summary",
        "h2",
        "figcaption",
        ".chip-name",
        ".option >> nth=2",
        ".term",
        ".facts td",
        ".meaning",
    ):
        assert shown.locator(where).first.text_content() == HOSTILE
    canvas(shown).focus()
    shown.keyboard.press("ArrowRight")
    expect(shown.locator(".card-title")).to_have_text(HOSTILE)
    assert shown.locator("script").count() == 3
    # The colour by this metric can be chosen all the same.
    shown.locator("input[type=radio]").nth(2).check(force=True)
    expect(shown.locator(".page")).to_have_attribute("data-colour", f"metric:{HOSTILE}")


def test_script_that_does_not_belong_to_the_page_is_not_run(browser: Any) -> None:
    shown = browser.new_page()
    html = page(spiral_scene()).replace("</body>", "<script>window.foreign = 1</script></body>")
    shown.set_content(html)
    expect(shown.locator(".frame canvas[role=application]").first).to_be_visible()
    assert shown.evaluate("window.foreign") is None
    shown.close()


def test_reader_without_scripts_is_told_why_nothing_is_seen(opened: Any) -> None:
    shown = opened(spiral_scene(), java_script_enabled=False)
    expect(shown.locator("noscript p")).to_be_visible()
    expect(shown.locator("noscript p")).to_contain_text("allow scripts here to see them")


def test_scene_without_maps_says_so(opened: Any) -> None:
    shown = opened(Scene(title="Nothing", maps=()))
    expect(shown.get_by_text("This scene has no maps.")).to_be_visible()
    expect(shown.get_by_role("slider")).to_have_count(0)


def test_map_without_points_says_so(opened: Any) -> None:
    empty = SceneMap(
        name="empty",
        layouts=(Layout(name="PHATE", caption="", coordinates=np.zeros((0, 2), np.float32)),),
        time=np.zeros(0, np.float32),
    )
    shown = opened(Scene(title="Empty", maps=(empty,)))
    expect(shown.get_by_text("No points yet")).to_be_visible()
    expect(canvas(shown)).to_have_attribute("data-points", "0")


def test_one_point_is_drawn_in_the_middle_and_has_no_time_to_play(opened: Any) -> None:
    one = SceneMap(
        name="start",
        layouts=(Layout(name="PHATE", caption="", coordinates=np.full((1, 2), 5, np.float32)),),
        time=np.zeros(1, np.float32),
        runs=(SceneRun(name="sgd", kind="training", start=0, stop=1),),
        metrics=(Metric(name="loss", label="loss", values=np.full(1, np.nan, np.float32), scale="log"),),
    )
    scene = Scene(title="One", maps=(one,))
    shown = opened(scene)
    box = canvas(shown).bounding_box()
    assert place(shown, scene, 0) == pytest.approx((box["x"] + box["width"] / 2, box["y"] + box["height"] / 2))
    expect(shown.get_by_role("slider")).to_have_count(0)
    choose(shown, "metric:loss")
    expect(shown.locator(".bar-title")).to_contain_text("no value (1 point)")
    shown.mouse.move(*place(shown, scene, 0))
    expect(shown.locator(".card-title")).to_have_text("sgd")


def test_losses_of_zero_are_drawn_in_the_lowest_colour_and_said_so(opened: Any) -> None:
    map_ = training_map()
    loss = map_.metrics[0].values.copy()
    loss[:3] = 0
    zeros = Metric(name="loss", label="loss", values=loss, scale="log")
    scene = Scene(
        title="Zeros",
        maps=(
            SceneMap(
                name="m",
                layouts=(Layout(name="PHATE", caption="", coordinates=map_.layouts[0].coordinates),),
                time=map_.time,
                runs=map_.runs,
                metrics=(zeros,),
            ),
        ),
    )
    shown = opened(scene)
    choose(shown, "metric:loss")
    expect(shown.locator(".bar-title")).to_contain_text("0 or less (3 points): lowest colour")
    assert float(shown.locator(".bar").get_attribute("data-low")) == pytest.approx(loss[3:].min())


def test_twenty_thousand_points_are_drawn(opened: Any) -> None:
    n, length = 20_000, 100
    rng = np.random.default_rng(0)
    scene = Scene(
        title="Many",
        maps=(
            SceneMap(
                name="many",
                layouts=(Layout(name="PHATE", caption="", coordinates=rng.normal(size=(n, 2)).astype(np.float32)),),
                time=np.tile(np.arange(length), n // length).astype(np.float32),
                runs=tuple(
                    SceneRun(name=f"run {i}", kind="training", start=i * length, stop=(i + 1) * length)
                    for i in range(n // length)
                ),
            ),
        ),
    )
    shown = opened(scene)
    expect(canvas(shown)).to_have_attribute("data-points", str(n))
