"""How the loss of a slice is measured."""

from dataclasses import dataclass
from typing import Literal, get_args

from lossatlas._arrays import InputError
from lossatlas.sample.slice.engines import EngineName, SliceBatchNorm

Part = Literal["train", "test"]


@dataclass(frozen=True, kw_only=True)
class SliceSettings:
    """What is measured at each point of a slice, and how.

    Raises:
        InputError: a value is out of its range.
    """

    data: Part = "train"  # training data as they are evaluated, as Li et al. 2018 have it, or the test data
    batchnorm: SliceBatchNorm = "recompute"  # statistics at each point: over one pass, or between the ends', or the first's
    batches: int | None = None  # how many batches, drawn at random and the same for all points; None takes all
    seed: int = 0  # of the choice of batches
    seconds: float | None = None  # after which no more points are begun; grids go from coarse to fine, so all of it is seen
    engine: EngineName | Literal["auto"] = "auto"  # "auto" takes the fastest on one batch; losses are alike to 1e-5

    def __post_init__(self) -> None:
        expectations = {
            "data": (self.data in get_args(Part), f"one of {', '.join(get_args(Part))}"),
            "batchnorm": (self.batchnorm in get_args(SliceBatchNorm), f"one of {', '.join(get_args(SliceBatchNorm))}"),
            "batches": (self.batches is None or _is_count(self.batches, 2), "a whole number from 2 on, or None for all"),
            "seed": (_is_count(self.seed, 0), "a whole number from 0 on"),
            "seconds": (self.seconds is None or self.seconds > 0, "above 0, or None for as long as it takes"),
            "engine": (self.engine in ("auto", *get_args(EngineName)), f"auto, {', '.join(get_args(EngineName))}"),
        }
        for name, (is_met, expected) in expectations.items():
            if not is_met:
                raise InputError(f"SliceSettings: {name} must be {expected}, but is {getattr(self, name)!r}; change it")


def _is_count(value: object, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least
