"""How a path of low loss is found."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, get_args

from lossatlas._arrays import InputError

Curve = Literal["bezier", "chain"]


@dataclass(frozen=True)
class Cycle:
    """Steps of a band with one learning rate, between two insertions of pivots."""

    steps: int
    learning_rate: float


# Draxler et al. 2018: 4 cycles and 2 long ones at 0.1, then 4 at 0.01 and 4 at 0.001; a tenth of their 1,000 steps each.
_CYCLES = (*[Cycle(100, 0.1)] * 4, *[Cycle(200, 0.1)] * 2, *[Cycle(100, 0.01)] * 4, *[Cycle(100, 0.001)] * 4)


@dataclass(frozen=True, kw_only=True)
class BandSettings:
    """How a nudged elastic band is relaxed; the defaults are those of Draxler et al. 2018 with a tenth of their steps.

    Raises:
        InputError: a value is out of its range.
    """

    pivots: int = 3  # between the ends, at first, evenly on the straight line
    cycles: tuple[Cycle, ...] = _CYCLES
    insertions: int = 2  # at most so many pivots are added after a cycle
    excess: float = 0.1  # and only where the loss exceeds the line between two pivots by this share of the pivots' range
    momentum: float = 0.9
    weight_decay: float = 1e-4  # added to the gradient; the task's optimiser is not used
    spring: float | None = None  # None keeps the pivots at fixed fractions of the length, else the springs' constant
    between: int = 9  # points measured between two pivots

    def __post_init__(self) -> None:
        expectations = {
            "pivots": (self.pivots >= 1, "1 or more"),
            "cycles": (
                self.cycles and all(c.steps >= 1 and _is_positive(c.learning_rate) for c in self.cycles),
                "cycles of one step or more at learning rates above 0",
            ),
            "insertions": (self.insertions >= 0, "0 or more"),
            "excess": (self.excess > 0, "above 0"),
            "momentum": (0 <= self.momentum < 1, "from 0 to below 1"),
            "weight_decay": (0 <= self.weight_decay < math.inf, "0 or more"),
            "spring": (self.spring is None or _is_positive(self.spring), "above 0, or None for fixed fractions of the length"),
            "between": (self.between >= 1, "1 or more"),
        }
        _refuse("BandSettings", self, expectations)

    @classmethod
    def paper(cls) -> "BandSettings":
        """Return the published schedule: ten times as many steps."""
        default = cls()
        return replace(default, cycles=tuple(replace(cycle, steps=10 * cycle.steps) for cycle in default.cycles))


@dataclass(frozen=True, kw_only=True)
class BendSettings:
    """How the bends of a curve are trained; the defaults follow Garipov et al. 2018, Appendix A, but for fewer steps.

    Raises:
        InputError: a value is out of its range.
    """

    curve: Curve = "bezier"  # or "chain": straight pieces from bend to bend
    bends: int = 1
    steps: int = 2000
    learning_rate: float = 0.05  # for the first half of the steps, then falling to a hundredth until 0.9 of them
    momentum: float = 0.9
    weight_decay: float = 5e-4  # of the point on the curve, as of any network; the task's optimiser is not used
    points: int = 61  # measured along the curve

    def __post_init__(self) -> None:
        expectations = {
            "curve": (self.curve in get_args(Curve), f"one of {', '.join(get_args(Curve))}"),
            "bends": (self.bends >= 1, "1 or more"),
            "steps": (self.steps >= 1, "1 or more"),
            "learning_rate": (_is_positive(self.learning_rate), "above 0"),
            "momentum": (0 <= self.momentum < 1, "from 0 to below 1"),
            "weight_decay": (0 <= self.weight_decay < math.inf, "0 or more"),
            "points": (self.points >= 3, "3 or more"),
        }
        _refuse("BendSettings", self, expectations)


def _is_positive(value: float) -> bool:
    return math.isfinite(value) and value > 0


def _refuse(what: str, settings: object, expectations: Mapping[str, tuple[object, str]]) -> None:
    for name, (is_met, expected) in expectations.items():
        if not is_met:
            raise InputError(f"{what}: {name} must be {expected}, but is {getattr(settings, name)!r}; change it")
