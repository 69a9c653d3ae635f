"""The widget's module without a notebook: a model of its own, an element that gets its place late, or none any more."""

import base64
import json
import re

import numpy as np
import pytest
from explorer_scenes import star_map

from lossatlas.draw import Scene, encoded
from lossatlas.draw.page import built

expect = pytest.importorskip("playwright.sync_api").expect

# As anywidget does it: the module from its text, a model with `get`, `set`, `save_changes`, `on` and `off`.
HOST = """async ([code, header, data]) => {
    const { default: widget } = await import(URL.createObjectURL(new Blob([code], { type: "text/javascript" })));
    const bytes = Uint8Array.from(atob(data), (sign) => sign.charCodeAt(0));
    const message = new Uint8Array(bytes.length + 3);
    message.set(bytes, 3);  // where no array may start
    const state = { _header: header, _data: new DataView(message.buffer, 3), _height: 400, selection: [] };
    const followers = new Set();
    window.saved = [];
    window.model = {
        get: (name) => state[name],
        set: (name, value) => { state[name] = value; followers.forEach((follow) => follow()); },
        save_changes: () => window.saved.push(state.selection),
        on: (_, follow) => followers.add(follow),
        off: (_, follow) => followers.delete(follow),
    };
    window.followers = followers;
    const el = document.createElement("div");
    window.leave = widget.render({ model: window.model, el });
    await new Promise(requestAnimationFrame);
    document.body.append(el);
}"""


@pytest.fixture
def shown(browser):
    context = browser.new_context(viewport={"width": 900, "height": 700}, color_scheme="dark")
    page = context.new_page()
    page.set_default_timeout(10_000)
    complaints = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.set_content("<body style='background: #111'></body>")

    def show(header, data):
        page.evaluate(HOST, [built("widget.js"), header, base64.b64encode(data).decode()])
        return page

    yield show
    context.close()
    assert complaints == []


def test_an_element_that_gets_its_place_late_has_the_colours_of_its_place(shown):
    star = star_map()
    page = shown(*encoded(Scene(title="t", maps=(star,))))
    chart = page.locator(".frame canvas[role=application]")
    expect(chart).to_have_attribute("data-points", str(star.n_points))
    places = star.layouts[0].coordinates
    centre = [float(number) for number in chart.get_attribute("data-centre").split()]
    np.testing.assert_allclose(centre, (places.min(axis=0) + places.max(axis=0)) / 2, atol=1e-5)
    jumps = page.locator(".scale .mark path").evaluate_all("(marks) => marks.map((mark) => mark.getAttribute('fill'))")
    assert len(set(jumps)) == len(jumps) >= 3
    assert page.title() == ""


def test_a_selection_is_saved_once_and_one_from_python_is_not_sent_back(shown):
    page = shown(*encoded(Scene(title="t", maps=(star_map(),))))
    chart = page.locator(".frame canvas[role=application]")
    expect(chart).to_have_attribute("data-points", re.compile(r"\d+"))
    page.evaluate("model.set('selection', [4, 5, 6])")
    expect(chart).to_have_attribute("data-selected", "3")
    chart.focus()
    for key in ("ArrowRight", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    expect(chart).to_have_attribute("data-selected", "4")
    assert page.evaluate("saved") == [[1, 4, 5, 6]]


def test_a_widget_that_leaves_takes_all_with_it(shown):
    page = shown(*encoded(Scene(title="t", maps=(star_map(),))))
    expect(page.locator(".frame canvas[role=application]")).to_have_count(1)
    page.evaluate("leave()")
    assert page.evaluate("[followers.size, document.body.firstElementChild.childElementCount]") == [0, 0]


def test_a_scene_of_another_version_is_said(shown):
    header, data = encoded(Scene(title="t", maps=(star_map(),)))
    page = shown(json.dumps(json.loads(header) | {"version": 99}), data)
    expect(page.locator("body > div > div")).to_contain_text("This map cannot be drawn: this scene has version 99")
