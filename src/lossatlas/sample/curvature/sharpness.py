"""How far the loss rises within a small box around a point."""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from lossatlas._arrays import InputError, Vector
from lossatlas.sample.batches import SameBatches
from lossatlas.sample.mean_loss import MeanLoss, as_numpy
from lossatlas.sample.probe import probed
from lossatlas.sample.slice.settings import Part
from lossatlas.sample.start import Start, start_tensors
from lossatlas.sample.task import Task

# Most bytes of a random subspace's directions.
_MOST_BYTES = 2 << 30
_FUNCTION = 20  # evaluations of the loss that an iteration of L-BFGS may take for its line search


@dataclass(frozen=True, eq=False)
class Sharpness:
    r"""The rise of the loss within a box.

    Attributes:
        sharpness: :math:`100\,(\max_y L - L_0) / (1 + L_0)`, in percent; infinite or NaN where the loss in the box is.
        loss: At the point.
        greatest_loss: The greatest that was found in the box.
        by_start: The sharpness that each start of the search found, ``(r,)``. The first start is the point itself, from where
            a search at a minimum need not move.
        settings: Size of the box, dimensions, iterations, data, seed.
        diagnostics: Evaluations of the loss, and of batches in each.
    """

    sharpness: float
    loss: float
    greatest_loss: float
    by_start: Vector
    settings: dict[str, Any] = field(repr=False)
    diagnostics: dict[str, Any] = field(repr=False)


def sharpness(
    task: Task,
    start: Start,
    *,
    epsilon: float = 1e-3,
    dimensions: int | None = None,
    restarts: int = 3,
    iterations: int = 10,
    data: Part = "train",
    batches: int | None = None,
    seed: int = 0,
) -> Sharpness:
    r"""Search the greatest loss in a box around a point (Keskar et al. 2017, Section 2.2.2, Metric 2.1).

    .. math:: \phi = 100\,\frac{\max_{y \in C} L(\theta + A y) - L(\theta)}{1 + L(\theta)}, \qquad
              C = \{y : |y_i| \le \epsilon\,(|(A^+ \theta)_i| + 1)\},

    with A the identity, or ``dimensions`` random directions of unit length. The maximum is searched by L-BFGS-B; as the
    gradient vanishes at a minimum, it starts at random corners of the box as well, and the greatest found is kept. It bounds the
    true one from below. The model is in evaluation mode, its batch norm keeps the point's statistics. The number depends on
    the scale of the weights: rescaled ReLU networks of one function have any sharpness (Dinh et al. 2017).

    Args:
        task: Model, data and loss; the model stays as it is.
        start: A run (its last point), a ``run.snapshot(point)``, or a state dict.
        epsilon: Half the box's width, relative to each coordinate plus one.
        dimensions: Of a random subspace to search in; None takes all parameters.
        restarts: Random corners to start from, besides the point.
        iterations: Of L-BFGS-B from each start.
        data: Where the loss is measured.
        batches: How many batches, drawn at random; None takes all.
        seed: Of the subspace, the corners and the batches.

    Raises:
        InputError: the point is not of this model, its loss does not repeat, or a number is out of its range.
    """
    _refuse_numbers(epsilon, dimensions, restarts, iterations)
    model = probed(task, start_tensors(start), data=data)
    loss = MeanLoss(task, model, SameBatches(task.evaluated if data == "train" else task.test, few=batches, seed=seed))
    at = loss.weights
    box = _Box.around(at, epsilon, dimensions, np.random.default_rng(np.random.SeedSequence((seed, 2))))
    at_point = loss.value(at)
    search = _Search(loss, at, box)
    corners = np.random.default_rng(np.random.SeedSequence((seed, 3))).choice((-1.0, 1.0), size=(restarts, len(box.half)))
    tops = np.array([search.top(begin, iterations) for begin in (np.zeros(len(box.half)), *(corners * box.half))])
    tops = np.maximum(tops, at_point)  # NaN stays
    rises = 100 * (tops - at_point) / (1 + at_point)
    return Sharpness(
        sharpness=float(rises.max()),
        loss=at_point,
        greatest_loss=float(tops.max()),
        by_start=rises,
        settings={
            "epsilon": epsilon,
            "dimensions": dimensions,
            "restarts": restarts,
            "iterations": iterations,
            "data": data,
            "batches": batches,
            "seed": seed,
        },
        diagnostics={"n_evaluations": search.n_evaluations, "n_weights": len(at)},
    )


@dataclass(frozen=True, eq=False)
class _Box:
    half: Float[np.ndarray, " k"]
    directions: Float[torch.Tensor, "p k"] | None  # None: the coordinates themselves

    @classmethod
    def around(cls, at: torch.Tensor, epsilon: float, dimensions: int | None, rng: np.random.Generator) -> "_Box":
        if dimensions is None:
            return cls(epsilon * (np.abs(as_numpy(at)) + 1), None)
        if 8 * len(at) * dimensions > _MOST_BYTES:
            raise InputError(
                f"dimensions={dimensions} of {len(at):,} weights take {8e-9 * len(at) * dimensions:.1f} GB; pass fewer dimensions"
            )
        if dimensions > len(at):
            raise InputError(f"dimensions must be at most the number of weights, {len(at)}, but is {dimensions}; pass fewer")
        A = rng.standard_normal((len(at), dimensions))
        A /= np.linalg.norm(A, axis=0)
        # A⁺θ by the normal equations: random directions are well conditioned, and A stays the only large array.
        inside = np.linalg.solve(A.T @ A, A.T @ as_numpy(at))
        return cls(epsilon * (np.abs(inside) + 1), torch.as_tensor(A).to(at))

    def out(self, y: Float[np.ndarray, " k"], like: torch.Tensor) -> torch.Tensor:
        step = torch.as_tensor(y, dtype=torch.float64)
        # Beside the weights in their own type, a step of 1e-3 keeps its digits only if it is added in float64.
        return step.to(like.device) if self.directions is None else self.directions.double() @ step.to(like.device)

    def within(self, gradient: torch.Tensor) -> Float[np.ndarray, " k"]:
        return as_numpy(gradient if self.directions is None else self.directions.T @ gradient)


class _Search:
    """Climbs within a box; remembers the greatest loss that it met, wherever the climb ends."""

    def __init__(self, loss: MeanLoss, at: torch.Tensor, box: _Box) -> None:
        self._loss, self._at, self._box = loss, at, box
        self.n_evaluations = 0

    def top(self, begin: Float[np.ndarray, " k"], iterations: int) -> float:
        from scipy.optimize import minimize

        best = -math.inf

        def negative(y: Float[np.ndarray, " k"]) -> tuple[float, Float[np.ndarray, " k"]]:
            nonlocal best
            self.n_evaluations += 1
            moved = (self._at.double() + self._box.out(y, self._at)).to(self._at)
            value, gradient = self._loss.value_and_gradient(moved)
            if not math.isfinite(value):
                raise _NotFiniteError(value)
            best = max(best, value)
            return -value, -self._box.within(gradient)

        try:
            minimize(
                negative,
                begin,
                jac=True,
                method="L-BFGS-B",
                bounds=list(zip(-self._box.half, self._box.half, strict=True)),
                options={"maxiter": iterations, "maxfun": _FUNCTION * iterations},
            )
        except _NotFiniteError as found:  # a finding: the loss has no greatest value in the box
            return found.value
        return best


class _NotFiniteError(Exception):
    def __init__(self, value: float) -> None:
        super().__init__(value)
        self.value = value


def _refuse_numbers(epsilon: float, dimensions: int | None, restarts: int, iterations: int) -> None:
    expectations = {
        "epsilon": (math.isfinite(epsilon) and epsilon > 0, "a number above 0", epsilon),
        "dimensions": (dimensions is None or dimensions >= 1, "1 or more, or None for all weights", dimensions),
        "restarts": (restarts >= 0, "0 or more", restarts),
        "iterations": (iterations >= 1, "1 or more", iterations),
    }
    for name, (is_met, expected, came) in expectations.items():
        if not is_met:
            raise InputError(f"{name} must be {expected}, but is {came!r}; change it")
