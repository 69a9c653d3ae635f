"""The rivals of jump and retrain in Horoi et al. 2022, Table 1: points around a minimum without any retraining."""

import copy
import itertools
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from lossatlas._arrays import InputError
from lossatlas.record import Recorder, load_tensors
from lossatlas.sample.directions import DirectionNorm, random_direction
from lossatlas.sample.evaluate import BatchNorm, evaluation, recompute_batchnorm
from lossatlas.sample.jump.done import is_done, made_folder, recorded_optimum
from lossatlas.sample.key import digest, visible
from lossatlas.sample.probe import probed
from lossatlas.sample.start import Start, Tensors, start_tensors
from lossatlas.sample.task import Task
from lossatlas.store import Run, open_run

Progress = Callable[[int, int], None]


def naive_sample(
    task: Task,
    start: Start,
    path: str | os.PathLike[str],
    *,
    n_directions: int = 64,
    steps: Sequence[float] = tuple(np.linspace(0.1, 1.0, 10).tolist()),
    norm: DirectionNorm = "filter",
    batchnorm: BatchNorm = "recompute",
    seed: int = 0,
    progress: Progress | None = None,
) -> list[Run]:
    r"""Look at :math:`\theta_o + c\, v_i` for many random directions and a few steps each: 64 x 10 are the paper's 640 points.

    How the paper divides its 640 into directions and steps is not given. Calling again with the same arguments goes on where it
    was stopped.

    Args:
        task: Model, data and loss; the model stays as it is.
        start: The minimum: a run (its last point), a ``run.snapshot(point)``, or a state dict.
        path: Folder for the runs.
        n_directions: How many directions.
        steps: Sizes of the steps along each, as fractions of the weights' norm.
        norm: What of a direction is brought to the weights' length.
        batchnorm: Statistics at each point: recomputed, or the optimum's (``"stale"``, as the authors' code).
        seed: Of the directions.
        progress: Called with the numbers of points done and in all.

    Returns:
        The optimum as a run of one point, and a run of all points, direction after direction.

    Raises:
        InputError: the task or the start does not fit, a number is out of its range, or ``path`` holds something else.
    """
    sizes = _checked_numbers("steps", steps)
    _checked_counts("n_directions", (n_directions,))
    seeds = np.random.SeedSequence((seed, 3)).generate_state(n_directions).tolist()

    def points(model: nn.Module) -> Iterator[Tensors]:
        for own_seed in seeds:
            v = random_direction(model.named_parameters(), seed=own_seed, norm=norm)
            for c in sizes:
                yield {name: c * tensor for name, tensor in v.items()}

    described = {"n_directions": n_directions, "steps": sizes, "norm": norm, "batchnorm": batchnorm, "seed": seed}
    return _sampled(task, start, path, _Plan("naive", described, n_directions * len(sizes), points), progress)


def grid_sample(
    task: Task,
    start: Start,
    path: str | os.PathLike[str],
    *,
    shape: tuple[int, int, int] = (8, 8, 10),
    reach: float = 1.0,
    norm: DirectionNorm = "filter",
    batchnorm: BatchNorm = "recompute",
    seed: int = 0,
    progress: Progress | None = None,
) -> list[Run]:
    r"""Look at a grid :math:`\theta_o + a\, u + b\, v + c\, w` of three random directions: 8 x 8 x 10 are the paper's 640 points.

    How many points its axes have is not given. Calling again with the same arguments goes on where it was stopped.

    Args:
        task: Model, data and loss; the model stays as it is.
        start: The minimum: a run (its last point), a ``run.snapshot(point)``, or a state dict.
        path: Folder for the runs.
        shape: Points along each axis.
        reach: The axes run from ``-reach`` to ``reach``; 1 is 100 % of the weights' norm.
        norm: What of a direction is brought to the weights' length.
        batchnorm: Statistics at each point: recomputed, or the optimum's (``"stale"``, as the authors' code).
        seed: Of the directions.
        progress: Called with the numbers of points done and in all.

    Returns:
        The optimum as a run of one point, and a run of all points, the last axis fastest.

    Raises:
        InputError: the task or the start does not fit, a number is out of its range, or ``path`` holds something else.
    """
    _checked_counts("shape", shape)
    (width,) = _checked_numbers("reach", (reach,))
    seeds = np.random.SeedSequence((seed, 4)).generate_state(3).tolist()

    def points(model: nn.Module) -> Iterator[Tensors]:
        axes = [random_direction(model.named_parameters(), seed=own_seed, norm=norm) for own_seed in seeds]
        for at in itertools.product(*(np.linspace(-width, width, n).tolist() for n in shape)):
            yield {name: sum((c * axis[name] for c, axis in zip(at, axes, strict=True)), torch.zeros(())) for name in axes[0]}

    described = {"shape": list(shape), "reach": width, "norm": norm, "batchnorm": batchnorm, "seed": seed}
    return _sampled(task, start, path, _Plan("grid", described, int(np.prod(shape)), points), progress)


@dataclass(frozen=True)
class _Plan:
    """Where a sampler looks: steps from the optimum, in an order that a second call repeats."""

    method: str
    settings: Mapping[str, Any]
    n_points: int
    points: Callable[[nn.Module], Iterator[Tensors]]


def _sampled(task: Task, start: Start, path: str | os.PathLike[str], plan: _Plan, progress: Progress | None) -> list[Run]:
    tensors = start_tensors(start)
    optimum = probed(task, tensors)
    folder = made_folder(path)
    seen = visible(task)
    recorded = recorded_optimum(task, optimum, folder / "optimum", key=digest(seen, tensors))
    where = folder / plan.method
    described = {"kind": "sample", "method": plan.method, "task": task.name, **plan.settings}
    described["key"] = digest({**seen, **described}, tensors)
    report = progress or (lambda _, __: None)
    if is_done(where, described["key"]):
        report(plan.n_points, plan.n_points)
    else:
        _record(task, optimum, where, replace(plan, settings=described), report)
    return [recorded, open_run(where)]


def _record(task: Task, optimum: nn.Module, where: Path, plan: _Plan, report: Progress) -> None:
    there = open_run(where).n_points if (where / "run.json").exists() else 0
    report(there, plan.n_points)
    model = copy.deepcopy(optimum)
    base = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    recorder: Recorder | None = None
    steps = itertools.islice(plan.points(optimum), there, None)
    try:
        for number, step in enumerate(steps, start=there + 1):
            load_tensors(model, {**optimum.state_dict(), **{name: base[name] + step[name].to(base[name]) for name in base}})
            if plan.settings["batchnorm"] == "recompute":
                recompute_batchnorm(model, task.evaluated)
            metrics = evaluation(task, model)
            if recorder is None:
                recorder = Recorder(where, model, if_exists="append", initial=metrics, settings=plan.settings)
                if there:
                    recorder.step(**metrics)
            else:
                recorder.step(**metrics)
            report(number, plan.n_points)
    except BaseException as error:
        if recorder is not None:
            recorder.__exit__(type(error), error, error.__traceback__)
        raise
    if recorder is not None:
        recorder.close()


def _checked_counts(name: str, counts: tuple[int, ...]) -> None:
    if not all(isinstance(count, int) and not isinstance(count, bool) and count >= 1 for count in counts):
        came = counts[0] if len(counts) == 1 else counts
        raise InputError(f"{name} must be whole numbers from 1 on, but is {came!r}; change it")


def _checked_numbers(name: str, numbers: Sequence[float]) -> list[float]:
    given = np.atleast_1d(np.asarray(numbers, dtype=np.float64)).tolist()
    if not given or not all(np.isfinite(number) and number > 0 for number in given):
        raise InputError(f"{name} must be numbers above 0, but is {numbers!r}; change it")
    return given
