"""What every folder of tests shares."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import hypothesis
import jaxtyping
import pytest

import lossatlas
from lossatlas._arrays import InputError

# How long an example takes says nothing on a machine that others use too. `make test` looks at the same examples each time, so
# that a change is judged by itself; pytest by hand looks at new ones.
hypothesis.settings.register_profile("shared", deadline=None)
hypothesis.settings.register_profile("same", deadline=None, derandomize=True)
hypothesis.settings.load_profile("shared")


@pytest.fixture
def as_users_call() -> Iterator[None]:
    """Switch the type checks of the tests off: a user who passes a wrong type must meet our refusal instead."""
    jaxtyping.config.update("jaxtyping_disable", True)  # noqa: FBT003 - its signature
    yield
    jaxtyping.config.update("jaxtyping_disable", False)  # noqa: FBT003 - its signature


@pytest.fixture
def refuses() -> Callable[[str], AbstractContextManager[None]]:
    """Expect an InputError of one line that matches."""

    @contextmanager
    def expecting(pattern: str) -> Iterator[None]:
        with pytest.raises(InputError) as caught:
            yield
        message = str(caught.value)
        assert "\n" not in message
        assert re.search(pattern, message), message

    return expecting


@pytest.fixture(scope="module")
def own_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of a user's own: the example's task, and two runs of it."""
    folder = tmp_path_factory.mktemp("own")
    shutil.copy(Path(lossatlas.__file__).parents[2] / "examples" / "own_task.py", folder / "own_task.py")
    subprocess.run([sys.executable, "-W", "error", "own_task.py", "runs"], cwd=folder, check=True)
    return folder


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
