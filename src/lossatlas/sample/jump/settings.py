"""How to jump and retrain."""

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from lossatlas._arrays import InputError
from lossatlas.sample.directions import DirectionNorm
from lossatlas.sample.evaluate import BatchNorm

OptimizerState = Literal["fresh", "restored"]


@dataclass(frozen=True, kw_only=True)
class JumpSettings:
    """How to jump and retrain; the defaults are those of Horoi et al. 2022, Section 3.1, unless said otherwise.

    Raises:
        InputError: a value is out of its range.
    """

    seeds: tuple[int, ...] = (0, 1, 2, 3)  # one direction and one order of the data each, the same for all its steps
    steps: tuple[float, ...] = (0.25, 0.5, 0.75, 1.0)  # sizes of the jumps, as fractions of the weights' norm; 0 is a control
    epochs: int = 40  # points after the jump; an epoch is one pass over task.train, unless
    updates: int | None = None  # optimiser steps make an epoch, however many passes over task.train they take
    norm: DirectionNorm = "filter"
    batchnorm: BatchNorm = "recompute"  # of the jumped weights. The authors' code keeps the optimum's: "stale"
    optimizer: OptimizerState = "fresh"  # or "restored": with the state that jump_and_retrain is given, momentum and all
    learning_rate: float | None = None  # constant; None keeps the task's own. The authors' runs: a hundredth of the original
    data_seed: int | None = None  # of the order of the data, the same for all; None: each direction's seed has its own

    def __post_init__(self) -> None:
        # Plain numbers: they are stored with the runs, and 1 is the same step as 1.0.
        object.__setattr__(self, "seeds", tuple(np.atleast_1d(np.asarray(self.seeds)).tolist()))
        object.__setattr__(self, "steps", tuple(float(step) for step in np.atleast_1d(np.asarray(self.steps))))
        expectations = {
            "seeds": (
                self.seeds
                and len(set(self.seeds)) == len(self.seeds)
                and all(isinstance(seed, int) and seed >= 0 for seed in self.seeds),
                "different whole numbers from 0 on",
            ),
            "steps": (
                self.steps and len(set(self.steps)) == len(self.steps) and all(0 <= step < math.inf for step in self.steps),
                "different numbers from 0 on",
            ),
            "epochs": (isinstance(self.epochs, int) and self.epochs >= 1, "a whole number from 1 on"),
            "norm": (self.norm in get_args(DirectionNorm), f"one of {', '.join(get_args(DirectionNorm))}"),
            "batchnorm": (self.batchnorm in get_args(BatchNorm), f"one of {', '.join(get_args(BatchNorm))}"),
            "updates": (
                self.updates is None or (isinstance(self.updates, int) and self.updates >= 1),
                "a whole number from 1 on, or None for one pass over the data",
            ),
            "optimizer": (self.optimizer in get_args(OptimizerState), f"one of {', '.join(get_args(OptimizerState))}"),
            "data_seed": (
                self.data_seed is None or (isinstance(self.data_seed, int) and self.data_seed >= 0),
                "a whole number from 0 on, or None for each seed's own",
            ),
            "learning_rate": (self.learning_rate is None or self.learning_rate > 0, "above 0, or None for the task's own"),
        }
        for name, (is_met, expected) in expectations.items():
            if not is_met:
                raise InputError(f"JumpSettings: {name} must be {expected}, but is {getattr(self, name)!r}; change it")
