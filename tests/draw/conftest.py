"""Pages opened in a browser without a network."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from lossatlas.draw.page import write_page
from lossatlas.draw.scene import Scene


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
            page.clock.install(time=0)
        page.goto(path.as_uri())
        if is_clock_held:
            page.clock.pause_at(60_000)  # else it also goes by itself, however slow the machine is
        return page

    yield open_scene
    for context in contexts:
        context.close()
    assert seen == Seen()
