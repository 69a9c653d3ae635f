"""Write the pictures of the page that the documents show: ``make screenshots``.

They show the demo's runs, whose folder is the argument, and a plane of one of its trainings.
"""

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from playwright.sync_api import Error, sync_playwright

from lossatlas import atlas, open_run, trajectory_plane
from lossatlas.draw import Scene, scene, surface, write_page
from lossatlas.experiments import figure_two as preset
from lossatlas.sample import SliceSettings
from lossatlas.store import open_runs

IMAGES = Path(__file__).parent / "images"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
MAP = ".frame canvas[role=application]"


def main() -> None:
    """Make the scenes and take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("demo", type=Path, help="folder that lossatlas demo wrote")
    demo = parser.parse_args().demo
    with tempfile.TemporaryDirectory() as folder:
        one, three = Path(folder, "one.html"), Path(folder, "three.html")
        write_page(_one(demo), one)
        shutil.copy(demo / "atlas.html", three)
        _take(one, three)
        _take_live(demo, Path(folder, "runs"))
        _take_notebook(demo, Path(folder, "lab"))


def _one(demo: Path) -> Scene:
    """Return the map of the good optimum, drawn by four methods, and the plane of its training."""
    around = atlas([demo / "runs" / "good", demo / "jumps" / "good"], methods=("pca", "tsne", "isomap"))
    training = open_run(demo / "runs" / "good")
    settings = preset.default_settings()
    plane = trajectory_plane(preset.task("good", settings), training, n=41, settings=SliceSettings(data="test"))
    return scene(
        {"The good optimum": around},
        title="Sixteen retrainings around one optimum",
        surfaces=[surface(plane, name="The plane of the training")],
    )


def _take(one: Path, three: Path) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)

        def shot(name: str, path: Path, act: Callable[[Any], None], *, size: dict[str, int] = DESK, **options: Any) -> None:
            page = browser.new_page(viewport=size, reduced_motion="reduce", **options)
            page.goto(path.as_uri())
            page.wait_for_selector(f"{MAP}[data-first-ms]")
            act(page)
            page.wait_for_timeout(500)
            page.screenshot(path=IMAGES / f"{name}.png")
            page.close()

        shot("explorer", one, lambda _: None)
        shot("explorer-dark", one, _by_loss, color_scheme="dark")
        shot("explorer-3d", one, _in_depth)
        shot("explorer-selection", one, _selected)
        shot("explorer-playing", three, _half_way)
        shot("explorer-three", three, lambda page: page.locator("input[value='metric:test_loss']").check(force=True))
        shot("explorer-surface", one, lambda page: _to_surface(page, "flat"))
        shot("explorer-surface-3d", one, lambda page: _to_surface(page, "solid"))
        shot(
            "explorer-phone", one, lambda page: page.locator("h2").first.scroll_into_view_if_needed(), size=PHONE, is_mobile=True
        )
        browser.close()


def _by_loss(page: Any) -> None:
    page.locator("input[value='metric:test_loss']").check(force=True)


def _in_depth(page: Any) -> None:
    page.locator("input[value='3']").check(force=True)
    page.locator("input[value=time]").check(force=True)


def _half_way(page: Any) -> None:
    page.locator("input[type=range]").evaluate(
        "(slider) => (slider.value = 18, slider.dispatchEvent(new Event('input', { bubbles: true })))"
    )


def _selected(page: Any) -> None:
    page.locator("input[value=lasso]").check(force=True)
    for panel in ("curves", "valleys", "selection"):
        fold = page.locator(f"[data-panel={panel}]")
        if fold.get_attribute("open") is None and panel != "curves":
            fold.locator("summary").click()
    page.evaluate("scrollTo(0, 0)")
    box = page.locator(MAP).bounding_box()
    loop = [(0.55, 0.1), (0.8, 0.12), (0.8, 0.6), (0.6, 0.65), (0.52, 0.4)]
    places = [(box["x"] + u * box["width"], box["y"] + v * box["height"]) for u, v in loop]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=4)
    page.mouse.up()
    page.locator("[data-panel=valleys]").scroll_into_view_if_needed()


def _to_surface(page: Any, way: str) -> None:
    page.locator(f"input[value={way}]").check(force=True)
    page.locator("figure.surface").evaluate("(figure) => figure.scrollIntoView({ block: 'center' })")
    page.locator("figure.surface canvas").first.focus()
    for _ in range(6):
        page.keyboard.press("ArrowRight")


def _take_live(demo: Path, runs: Path) -> None:
    """Take the live view half way through the three trainings."""
    shutil.copytree(demo / "runs", runs)
    for run in open_runs(runs):
        manifest = run.path / "snapshots.jsonl"
        lines = manifest.read_text().splitlines(keepends=True)
        manifest.write_text("".join(lines[: len(lines) // 2]))
    watching = subprocess.Popen(
        [sys.executable, "-m", "lossatlas", "watch", str(runs), "--no-browser"], stdout=subprocess.PIPE, text=True
    )
    assert watching.stdout is not None
    watching.stdout.readline()
    address = watching.stdout.readline().strip()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
            page = browser.new_page(viewport=DESK)
            page.goto(address)
            page.wait_for_function(f"() => Number(document.querySelector('{MAP}')?.dataset.points ?? 0) > 10", timeout=60_000)
            page.wait_for_timeout(1500)
            page.screenshot(path=IMAGES / "explorer-live.png")
            browser.close()
    finally:
        watching.terminate()
        watching.wait()


def _take_notebook(demo: Path, folder: Path) -> None:
    """Take the widget in a JupyterLab of its own, with a point selected."""
    cells = [
        'import lossatlas as la\n\nwidget = la.atlas(["demo/runs/good", "demo/jumps/good"]).widget(height=640)\nwidget',
        "len(widget.selection), widget.selection[:8]",
    ]
    held = [
        {"cell_type": "code", "id": str(i), "source": cell, "metadata": {}, "outputs": [], "execution_count": None}
        for i, cell in enumerate(cells)
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    (folder / "CONFIG" / "labconfig").mkdir(parents=True)
    quiet = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}
    (folder / "CONFIG" / "labconfig" / "page_config.json").write_text(json.dumps(quiet))
    (folder / "demo").symlink_to(demo.resolve())
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": kernel}, "cells": held}
    (folder / "map.ipynb").write_text(json.dumps(notebook))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {f"JUPYTER_{name}_DIR": str(folder / name) for name in ("CONFIG", "DATA", "RUNTIME")}
    lab = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}"]
    lab += ["--IdentityProvider.token=picture", "--LabApp.extension_manager=readonly", f"--ServerApp.root_dir={folder}"]
    server = subprocess.Popen(lab, env=os.environ | own | {"JUPYTER_PREFER_ENV_PATH": "1"}, stderr=subprocess.DEVNULL)
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
            page = browser.new_page(viewport={"width": 1440, "height": 1000})
            page.set_default_timeout(90_000)
            for _ in range(100):
                with suppress(Error):
                    page.goto(f"http://127.0.0.1:{port}/lab/tree/map.ipynb?token=picture&reset")
                    break
                page.wait_for_timeout(300)
            page.get_by_role("button", name="Python 3 (ipykernel) | Idle").wait_for()
            page.keyboard.press("Control+B")  # the folders' side is not what is to be seen
            page.locator(".jp-Cell .cm-content").first.click()
            page.keyboard.press("Shift+Enter")
            map_ = page.locator(MAP)
            map_.wait_for()
            page.wait_for_timeout(1500)
            map_.focus()
            for key in ("ArrowRight", "Shift+Enter"):
                page.keyboard.press(key)
            page.locator(".jp-Cell .cm-content").nth(1).click()
            page.keyboard.press("Shift+Enter")
            page.wait_for_timeout(1500)
            page.locator(".jp-Cell").first.scroll_into_view_if_needed()
            page.screenshot(path=IMAGES / "explorer-notebook.png")
            browser.close()
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
