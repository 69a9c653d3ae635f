"""The checker of annotations under pytest: beartype, with whole numbers taken where real ones are expected.

Arrays of an inner loop are alike in all its rounds, and to check them takes longer than to compute with them: in each test a
function is checked as often as ``_MOST`` says, and then left alone.
"""

import functools
import inspect
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

from beartype import BeartypeConf, beartype

_MOST = 20

_checks = beartype(conf=BeartypeConf(is_pep484_tower=True))
_calls: Counter[tuple[str, str]] = Counter()
_left_alone: list[Any] = []


def checked(function: Callable[..., Any]) -> Callable[..., Any]:
    """Check the annotations of the first calls of a function in each test."""
    checking = _checks(function)
    name = (function.__module__, function.__qualname__)

    @functools.wraps(function)
    def counted(*args: Any, **keywords: Any) -> Any:
        _calls[name] += 1
        if _calls[name] == _MOST and (own := _function(*name)) is not None:
            own.__no_type_check__ = True  # jaxtyping asks for it at each call
            _left_alone.append(own)
        return checking(*args, **keywords)

    return counted


def check_again() -> None:
    """Check all functions again, for the next test."""
    _calls.clear()
    while _left_alone:
        del _left_alone.pop().__no_type_check__


def _function(module: str, qualname: str) -> Any:
    """The function of a name; None where it cannot be reached by it, as one that is made within another."""
    found: Any = sys.modules.get(module)
    for name in qualname.split("."):
        found = inspect.getattr_static(found, name, None)
    for attribute in ("fget", "func", "__func__"):  # of properties, computed once or each time, and of methods of a class
        found = getattr(found, attribute, found)
    found = inspect.unwrap(found) if callable(found) else None
    return found if inspect.isfunction(found) else None
