"""The widget in a real JupyterLab: what is selected on the map is selected in Python, and the notebook stays as it was."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

pytest.importorskip("jupyterlab")
pytest.importorskip("anywidget")
expect = pytest.importorskip("playwright.sync_api").expect

SOON = 30_000  # a kernel that shares its machine
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(1)>"
CELLS = [
    f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from explorer_scenes import star_map
from lossatlas.draw import Scene
from lossatlas.draw.widget import AtlasWidget
widget = AtlasWidget(Scene(title={HOSTILE!r}, maps=(star_map({HOSTILE!r}),)))
seen = []
widget.observe(lambda change: seen.append(change.new), "selection")
widget""",
    "print(f'selected {widget.selection} seen {seen[-1]}')",
    "widget.selection = [7, 5, 6]",
    "print(f'{len(widget.selection)} rows')",
]
# The same for every element: a style sheet that leaks would change some of them.
LOOKS = """() => ["body", "#jp-main-dock-panel", ".jp-ToolbarButtonComponent", ".jp-NotebookPanel", ".jp-InputArea"].map((at) => {
    const { margin, padding, font, color, backgroundColor, boxSizing } = getComputedStyle(document.querySelector(at));
    return [at, margin, padding, font, color, backgroundColor, boxSizing].join(" ");
})"""


def _notebook() -> dict[str, Any]:
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    cells = [
        {"cell_type": "code", "id": f"c{i}", "source": code.strip(), "metadata": {}, "outputs": [], "execution_count": None}
        for i, code in enumerate(CELLS)
    ]
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": kernel}, "cells": cells}


def _write(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """The address of a JupyterLab of its own: dark, its news and its extension manager off."""
    folder = tmp_path_factory.mktemp("lab")
    _write(folder / "notebooks" / "map.ipynb", _notebook())
    _write(
        folder / "config/labconfig/page_config.json",
        {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}},
    )
    settings = folder / "config/lab/user-settings/@jupyterlab/apputils-extension"
    _write(settings / "themes.jupyterlab-settings", {"theme": "JupyterLab Dark"})
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {f"JUPYTER_{name.upper()}_DIR": str(folder / name) for name in ("config", "data", "runtime")}
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}"]
    command += ["--ServerApp.port_retries=0", "--IdentityProvider.token=none-else", "--LabApp.extension_manager=readonly"]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            [*command, f"--ServerApp.root_dir={folder / 'notebooks'}"],
            env=os.environ | own | {"IPYTHONDIR": str(folder / "ipython"), "JUPYTER_PREFER_ENV_PATH": "1"},
            stdout=log,
            stderr=log,
        )
        try:
            _wait_for(server, f"http://127.0.0.1:{port}/api?token=none-else", folder / "log")
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(timeout=30)


def _wait_for(server: subprocess.Popen, address: str, log: Path) -> None:
    for _ in range(300):
        assert server.poll() is None, log.read_text()
        try:
            urlopen(address, timeout=5).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"JupyterLab did not begin:\n{log.read_text()}")


@pytest.fixture
def notebook(browser, lab):
    """A tab with the notebook, its kernel idle; nothing may be asked of another machine."""
    elsewhere, complaints = [], []
    context = browser.new_context(viewport={"width": 1300, "height": 1000}, color_scheme="light")
    page = context.new_page()
    page.set_default_timeout(SOON)
    page.on("request", lambda request: request.url.startswith((lab, "data:", "blob:", "ws:")) or elsewhere.append(request.url))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: (complaints.append(f"dialog {dialog.message}"), dialog.dismiss()))
    page.goto(f"{lab}/lab/tree/map.ipynb?token=none-else&reset")
    page.get_by_role("button", name="Python 3 (ipykernel) | Idle").wait_for()
    yield page
    context.close()
    assert (elsewhere, complaints) == ([], [])


def _cell(page, number):
    return page.locator(".jp-Notebook .jp-Cell").nth(number)


def _run(page, number):
    """Run a cell as a reader does, and return where its words appear."""
    _cell(page, number).locator(".cm-content").click()
    page.keyboard.press("Control+Enter")
    return _cell(page, number).locator(".jp-OutputArea-output")


@pytest.mark.slow
def test_a_selection_goes_both_ways_and_the_notebook_stays_as_it_was(notebook):
    notebook.emulate_media(color_scheme="dark")  # as the notebook: what is drawn too early keeps the wrong colours
    before = notebook.evaluate(LOOKS)
    _run(notebook, 0)
    chart = notebook.locator(".frame canvas[role=application]")
    expect(chart).to_have_attribute("data-points", re.compile(r"\d+"), timeout=SOON)
    assert notebook.evaluate(LOOKS) == before

    # Names are text; the page is as dark as the notebook, in the colours of its own style sheet.
    expect(notebook.locator(".lossatlas h1")).to_have_text(HOSTILE)
    expect(notebook.locator(".lossatlas h2").first).to_have_text(HOSTILE)
    expect(notebook.locator(".lossatlas")).to_have_attribute("data-scheme", "dark")
    jumps = notebook.locator(".lossatlas .scale .mark path").evaluate_all(
        "(marks) => marks.map((mark) => mark.getAttribute('fill'))"
    )
    assert len(set(jumps)) == len(jumps) >= 3
    notebook.emulate_media(color_scheme="light")
    notebook.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    expect(notebook.locator(".lossatlas")).to_have_attribute("data-scheme", "dark")
    box, frame = chart.bounding_box(), notebook.locator(".lossatlas").bounding_box()
    assert box["height"] <= frame["height"] == 720
    assert frame["width"] < 1080  # as narrow as the frame, not as wide as the window: the map has the whole width
    assert box["width"] > 0.85 * frame["width"]

    # From the page to Python, by keys that the notebook would take for its own.
    chart.focus()
    for key in ("ArrowRight", "ArrowRight", "Enter", "d", "d"):
        notebook.keyboard.press(key)
    expect(chart).to_have_attribute("data-selected", "1")
    assert notebook.locator(".jp-Notebook .jp-Cell").count() == len(CELLS)
    expect(_run(notebook, 1)).to_have_text("selected (1,) seen (1,)\n", timeout=SOON)

    # From Python to the page.
    _run(notebook, 2)
    expect(chart).to_have_attribute("data-selected", "3", timeout=SOON)
    expect(_run(notebook, 1)).to_have_text("selected (5, 6, 7) seen (5, 6, 7)\n", timeout=SOON)

    # By a lasso around all of it, which the notebook gets as so many rows.
    chart.focus()
    notebook.keyboard.press("l")
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    corners = [
        (box["x"] + a * box["width"], box["y"] + b * box["height"])
        for a, b in ((0.02, 0.02), (0.98, 0.02), (0.98, 0.9), (0.02, 0.9))
    ]
    notebook.mouse.move(*corners[0])
    notebook.mouse.down()
    for corner in (*corners[1:], corners[0]):
        notebook.mouse.move(*corner, steps=3)
    notebook.mouse.up()
    expect(chart).not_to_have_attribute("data-selected", "3")
    count = int(chart.get_attribute("data-selected"))
    assert count > 100
    expect(_run(notebook, 3)).to_have_text(f"{count} rows\n", timeout=SOON)

    # The space bar plays where the focus is, and is a blank where one writes.
    _cell(notebook, 3).locator(".cm-content").click()
    notebook.keyboard.press("Space")
    expect(notebook.locator(".lossatlas .page")).to_have_attribute("data-playing", "false")
    chart.focus()
    notebook.keyboard.press("Space")
    expect(notebook.locator(".lossatlas .page")).to_have_attribute("data-playing", "true")
