"""What every folder of tests shares."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import hypothesis
import jaxtyping
import pytest

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
