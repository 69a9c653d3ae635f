"""The point that a slice goes through, and directions from it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch

from lossatlas._arrays import InputError
from lossatlas.record import load_tensors
from lossatlas.sample.directions import Biases, DirectionNorm, random_direction
from lossatlas.sample.probe import probed
from lossatlas.sample.slice.frame import Frame, refuse_other_shapes
from lossatlas.sample.slice.losses import losses
from lossatlas.sample.slice.settings import SliceSettings
from lossatlas.sample.start import Start, Tensors, start_tensors
from lossatlas.sample.task import Task

# Halvings of the range between a step of 1 % and one of 100 % of the weights' length.
_HALVINGS = 7


@dataclass(frozen=True, eq=False)
class Middle:
    """A point of the task's model, known to fit it and to have a loss that repeats."""

    tensors: Tensors
    model: torch.nn.Module  # a copy, at the point

    @property
    def parameters(self) -> dict[str, torch.Tensor]:
        """The trained tensors at the point."""
        return {name: parameter.detach() for name, parameter in self.model.named_parameters()}

    def through(self, others: Mapping[str, Tensors]) -> Frame:
        """Return the frame of this point and others of the same model, each by the word that messages have for it."""
        for what, tensors in others.items():
            self._refuse_other_model(what, tensors)
        return self._frame(others)

    def along(self, directions: Mapping[str, Tensors]) -> Frame:
        """Return the frame of this point and directions from it."""
        refuse_other_shapes(self.model, directions)
        return self._frame(directions)

    def _frame(self, others: Mapping[str, Tensors]) -> Frame:
        own = self.parameters
        return Frame((self.tensors, *others.values()), frozenset(name for name in self.tensors if name not in own))

    def _refuse_other_model(self, what: str, tensors: Tensors) -> None:
        load_tensors(self.model, tensors, what=what)
        load_tensors(self.model, self.tensors)

    def direction(self, given: Mapping[str, torch.Tensor] | None, *, seed: int, norm: DirectionNorm, biases: Biases) -> Tensors:
        """Return a given direction as it is, or a random one."""
        if given is not None:
            return {name: torch.as_tensor(tensor).detach().cpu() for name, tensor in given.items()}
        return random_direction(self.model.named_parameters(), seed=seed, norm=norm, biases=biases)

    def distance(self, first: Tensors, second: Tensors | None = None) -> float:
        """Return the distance between two points over all parameters, the second being this one if none is given."""
        other = self.tensors if second is None else second
        return self.length({name: first[name].double() - other[name].double() for name in self.parameters})

    def length(self, direction: Tensors) -> float:
        """Return the length of a direction over all parameters."""
        return math.sqrt(sum(float(tensor.double().square().sum()) for tensor in direction.values()))

    def checked_reach(self, reach: float) -> float:
        """Return half the width of a slice, or say what is wrong with it."""
        if not (math.isfinite(reach) and reach > 0):
            raise InputError(f"reach must be a number above 0, but is {reach!r}; 1 is a step of 100 % of the weights' length")
        return float(reach)


def middle(task: Task, start: Start, settings: SliceSettings) -> Middle:
    """Return the point that a slice goes through.

    Raises:
        InputError: it is not of this model, or the loss there does not repeat.
    """
    tensors = start_tensors(start)
    return Middle(tensors, probed(task, tensors, data=settings.data))


def automatic_range(task: Task, frame: Frame, settings: SliceSettings) -> float:
    """Return the step at which the loss has risen half as far, on a log scale, as at a step of 100 % of the weights.

    The rise is the median over both ends of each direction. A plot of this width shows the basin and its walls, neither a flat
    floor nor walls alone.
    """
    n = len(frame.vectors) - 1
    ends = np.concatenate([np.eye(n), -np.eye(n)])

    def level(step: float) -> float:
        loss = losses(task, frame, np.concatenate([np.ones((2 * n, 1)), step * ends], axis=1), settings=settings).loss
        return float(np.median(np.nan_to_num(loss, nan=np.inf)))

    at_start = float(losses(task, frame, np.eye(1, n + 1), settings=settings).loss[0])
    low, high = 0.01, 1.0
    top = level(high)
    while not math.isfinite(top) and high > low:
        high /= 2
        top = level(high)
    if not top > at_start:  # nothing rises: the widest is shown
        return 1.0
    floor = max(at_start, 1e-3 * top)
    for _ in range(_HALVINGS):
        step = math.sqrt(low * high)
        if level(step) > math.sqrt(floor * top):
            high = step
        else:
            low = step
    return float(f"{high:.2g}")
