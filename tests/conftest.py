"""What every folder of tests shares."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import hypothesis
import jaxtyping
import pytest

import lossatlas
from lossatlas._arrays import InputError

# How long an example takes says nothing on a machine that others use too.
hypothesis.settings.register_profile("shared", deadline=None)
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
