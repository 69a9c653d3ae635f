"""Things that settings name: looked up, and called with the options that they know."""

import inspect
from collections.abc import Callable, Mapping, Set
from typing import TypeVar

from lossatlas._arrays import InputError

T = TypeVar("T")
Value = bool | int | float | str


def named(what: str, name: str, table: Mapping[str, T]) -> T:
    """Return what a table has under a name.

    >>> named("colour", "red", {"red": 1, "blue": 2})
    1

    Raises:
        InputError: it has nothing of that name.
    """
    if name not in table:
        raise InputError(f"{what} must be one of {', '.join(table)}, but is {name!r}; choose one")
    return table[name]


def refuse_other_options(name: str, maker: Callable[..., object], options: Mapping[str, Value], given: Set[str]) -> None:
    """Refuse options that ``maker`` does not know, or of another type than it takes.

    Args:
        name: Of what is made.
        maker: A function with annotated keywords.
        options: What is asked.
        given: Keywords that no settings choose.

    Raises:
        InputError: one is unknown, or of another type.
    """
    known = {key: own.annotation for key, own in inspect.signature(maker).parameters.items() if key not in given}
    for key, value in options.items():
        if key not in known:
            can = f"its options are {', '.join(known)}" if known else "it has no options"
            raise InputError(f"{name} has no option {key!r}; {can}")
        kind = known[key]
        # A whole number is a number, but yes and no are not.
        is_fit = isinstance(value, (int, float) if kind is float else kind) and (kind is bool or not isinstance(value, bool))
        if not is_fit:
            raise InputError(f"{key} of {name} must be of type {_words(kind)}, but is {value!r}; change it")


def refuse_small(least: int, **values: int) -> None:
    """Refuse values below ``least``, by their names.

    Raises:
        InputError: one is below.
    """
    for name, value in values.items():
        if value < least:
            raise InputError(f"{name} must be {least} or more, but is {value}; change it")


def _words(kind: object) -> str:
    return kind.__name__ if isinstance(kind, type) else str(kind).removesuffix(" | None")
