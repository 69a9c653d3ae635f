"""A browser without a network, and pages opened in it."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from lossatlas.draw.page import write_page
from lossatlas.draw.scene import Scene

# Rastering by the CPU, and none of the calls home that a browser makes by itself.
_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Yield a headless Chromium; without one, skip here and fail in CI."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        _missing("playwright is not installed")
    with sync_playwright() as playwright:
        known = (shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"))
        path = next(filter(None, known), playwright.chromium.executable_path)
        if not Path(path).exists():
            _missing("there is no Chromium")
        browser = playwright.chromium.launch(executable_path=path, args=_FLAGS)
        yield browser
        browser.close()


def _missing(what: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(f"{what}, and in CI the page must be seen")
    pytest.skip(what)


@dataclass
class Seen:
    """What pages did that they should not have done."""

    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Yield a function that writes a scene and opens it; no page may use the network or complain."""
    seen = Seen()
    contexts = []

    def open_scene(scene: Scene, *, is_clock_held: bool = False, **options: Any) -> Any:
        path = tmp_path / "page.html"
        write_page(scene, path)
        context = browser.new_context(**({"viewport": {"width": 1440, "height": 900}} | options))
        contexts.append(context)

        def only_files(route: Any) -> None:
            if route.request.url.startswith("file://"):
                route.continue_()
            else:
                seen.requests.append(route.request.url)
                route.abort()

        context.route("**/*", only_files)
        page = context.new_page()
        page.set_default_timeout(5000)
        page.on("console", lambda message: seen.complaints.append(message.text))
        page.on("pageerror", lambda error: seen.complaints.append(str(error)))
        page.on("dialog", lambda dialog: (seen.complaints.append(f"dialog {dialog.message}"), dialog.dismiss()))
        if is_clock_held:
            page.clock.install()
        page.goto(path.as_uri())
        return page

    yield open_scene
    for context in contexts:
        context.close()
    assert seen == Seen()
