"""Names and options of settings."""

import pytest

from lossatlas.experiments.catalogue import named, refuse_other_options, refuse_small


def maker(*, seed: int, depth: int = 2, rate: float = 0.1, is_wide: bool = False, n: int | None = None) -> None:
    """Take options of each type."""


def nothing(*, seed: int) -> None:
    """Take no options."""


def test_what_fits_is_let_through():
    refuse_other_options("it", maker, {"depth": 3, "rate": 1, "is_wide": True, "n": 4}, {"seed"})
    refuse_other_options("it", maker, {"rate": 0.5}, {"seed"})
    refuse_small(2, depth=2, width=3)


@pytest.mark.parametrize(
    ("own", "options", "message"),
    [
        (maker, {"deep": 3}, r"it has no option 'deep'; its options are depth, rate, is_wide, n$"),
        (maker, {"seed": 3}, r"it has no option 'seed'"),
        (nothing, {"depth": 3}, r"it has no option 'depth'; it has no options$"),
        (maker, {"depth": 2.0}, r"depth of it must be of type int, but is 2\.0; change it"),
        (maker, {"depth": True}, r"depth of it must be of type int, but is True"),
        (maker, {"rate": False}, r"rate of it must be of type float, but is False"),
        (maker, {"is_wide": 1}, r"is_wide of it must be of type bool, but is 1"),
        (maker, {"n": "4"}, r"n of it must be of type int, but is '4'"),
    ],
)
def test_what_does_not_is_refused(own, options, message, refuses):
    with refuses(message):
        refuse_other_options("it", own, options, {"seed"})


def test_names_and_sizes_are_refused_by_name(refuses):
    with refuses(r"colour must be one of red, blue, but is 'green'; choose one"):
        named("colour", "green", {"red": 1, "blue": 2})
    with refuses(r"width must be 1 or more, but is 0; change it"):
        refuse_small(1, depth=1, width=0)
