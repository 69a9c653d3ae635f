"""Curves between two minima whose bends are trained, so that the loss is low all along them."""

import os
import time
from math import comb

import numpy as np
import torch
from jaxtyping import Float

from lossatlas._arrays import InputError, Vector
from lossatlas.sample.path.ends import Ends, opened_ends
from lossatlas.sample.path.result import LowLossPath, Progress, measured_path
from lossatlas.sample.path.settings import BendSettings
from lossatlas.sample.randomness import fixed_randomness
from lossatlas.sample.slice.settings import SliceSettings
from lossatlas.sample.start import Start
from lossatlas.sample.task import Task

# Rounds into which the steps are dealt; after each the bends are kept.
_ROUNDS = 10


def bezier_path(
    task: Task,
    start: Start,
    end: Start,
    *,
    settings: BendSettings | None = None,
    measure: SliceSettings | None = None,
    seed: int = 0,
    path: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> LowLossPath:
    r"""Train the bends of a curve between two minima so that the loss on it is low (Garipov et al. 2018, Section 3).

    .. math:: \min_{w}\; E_{t \sim U(0, 1)}\, L(\phi_w(t)), \qquad
              \phi_w(t) = (1 - t)^2\, \theta_a + 2 t (1 - t)\, w + t^2\, \theta_b

    for a Bézier curve of one bend, of a higher degree for more; or straight pieces from bend to bend
    (``BendSettings(curve="chain")``). Each step draws one ``t`` and one batch. The curve is then measured in evaluation mode with
    the statistics of batch norm recomputed at each point.

    Args:
        task: Model, data and loss; the model stays as it is. Its optimiser is not used.
        start: A run (its last point), a ``run.snapshot(point)``, or a state dict.
        end: Likewise; of the same model.
        settings: Curve, bends, steps; by default ``BendSettings()``.
        measure: How the path is measured; by default ``SliceSettings()``.
        seed: Of the order of the training data and the draws of ``t``.
        path: A file that keeps the bends ten times on the way, so that the same call goes on from there.
        progress: Called with the numbers of steps, then of measured points, done and in all.

    Raises:
        InputError: the points are not of this model, a loss does not repeat, or the training diverged.
    """
    settings = settings or BendSettings()
    ends = opened_ends(task, start, end, settings=settings, measure=measure, seed=seed, path=path)
    began = time.perf_counter()
    bends = _trained(ends, settings, progress or (lambda _, __: None))
    return measured_path(
        ends,
        [ends.loss.tensors(weights) for weights in bends],
        curve_table(np.linspace(0, 1, settings.points), settings),
        diagnostics={"n_bends": settings.bends, "steps": settings.steps, "seconds": time.perf_counter() - began},
        progress=progress,
    )


def curve_table(t: Vector, settings: BendSettings) -> Float[np.ndarray, "n k"]:
    """Return the combination of start, bends and end that the curve is at each ``t``.

    >>> curve_table(np.array([0.0, 0.5, 1.0]), BendSettings()).tolist()
    [[1.0, 0.0, 0.0], [0.25, 0.5, 0.25], [0.0, 0.0, 1.0]]
    """
    degree = settings.bends + 1
    if settings.curve == "bezier":
        return np.stack([comb(degree, j) * t**j * (1 - t) ** (degree - j) for j in range(degree + 1)], axis=1)
    return np.maximum(0, 1 - np.abs(t[:, None] * degree - np.arange(degree + 1)))


def _trained(ends: Ends, settings: BendSettings, progress: Progress) -> Float[torch.Tensor, "bends p"]:
    corners = torch.stack([ends.loss.flat(tensors) for tensors in ends.points])
    share = torch.linspace(0, 1, settings.bends + 2, dtype=corners.dtype, device=corners.device)[1:-1, None]
    bends = (1 - share) * corners[:1] + share * corners[1:]
    velocity = torch.zeros_like(bends)
    rounds = [part for part in np.array_split(np.arange(settings.steps), _ROUNDS) if len(part)]
    first = 0
    stored = ends.kept.read()
    if stored is not None:
        bends, velocity = (torch.as_tensor(stored[name]).to(bends) for name in ("bends", "velocity"))
        first = int(stored["round"])
    for number in range(first, len(rounds)):
        own = np.random.SeedSequence((ends.seed, 5, number))
        draws = np.random.default_rng(own).random(len(rounds[number]))
        # A round has chance of its own: what was stopped in one is repeated to the last bit.
        with fixed_randomness(int(own.generate_state(1)[0]), ends.task.train):
            batches = ends.loss.batches()
            for step, t in zip(rounds[number], draws, strict=True):
                table = curve_table(np.array([t]), settings)[0]
                c = torch.as_tensor(table, dtype=corners.dtype, device=corners.device)
                weights = c[0] * corners[0] + c[1:-1] @ bends + c[-1] * corners[1]
                gradient = ends.loss.value_and_gradient(weights, next(batches))[1] + settings.weight_decay * weights
                velocity = settings.momentum * velocity + c[1:-1, None] * gradient
                bends = bends - _learning_rate(int(step), settings) * velocity
                if not torch.isfinite(bends).all():
                    raise InputError(
                        f"the curve diverged in step {step + 1}, at a learning rate of {settings.learning_rate:g}; "
                        "pass BendSettings(learning_rate=...) with a lower one"
                    )
                progress(int(step) + 1, settings.steps)
        ends.kept.write({"bends": bends.cpu().numpy(), "velocity": velocity.cpu().numpy(), "round": np.array(number + 1)})
    return bends


def _learning_rate(step: int, settings: BendSettings) -> float:
    """Return the rate: whole for half of the steps, falling to a hundredth until 0.9 of them, then constant."""
    done = step / settings.steps
    share = 1.0 if done <= 0.5 else 1 - 0.99 * (done - 0.5) / 0.4 if done <= 0.9 else 0.01
    return settings.learning_rate * share
