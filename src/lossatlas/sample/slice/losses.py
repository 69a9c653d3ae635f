"""The loss at many points of a frame."""

import copy
import os
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from lossatlas._arrays import Indices, InputError, Mask, Vector
from lossatlas.record import Recorder, load_tensors
from lossatlas.sample.batches import Batch, SameBatches
from lossatlas.sample.evaluate import batch_norms, recompute_batchnorm
from lossatlas.sample.slice.engines import Engine, chosen_engine
from lossatlas.sample.slice.frame import Coefficients, Frame
from lossatlas.sample.slice.resume import Ledger
from lossatlas.sample.slice.settings import SliceSettings
from lossatlas.sample.task import Task, batch_size
from lossatlas.store import Run, open_run

Progress = Callable[[int, int], None]

# Points that share one pass over the data: what is lost when the process is stopped, and how often progress is told.
_GROUP = 64


@dataclass(frozen=True, eq=False)
class Losses:
    """What was measured at the ``n`` points of a slice; NaN and infinity are findings, and stay.

    Points that were not reached within ``settings.seconds`` are NaN and not marked in ``done``.

    Attributes:
        loss: Mean over the samples, ``(n,)``.
        error: Its standard error, ``(n,)``, from the scatter between the batches when only some were looked at, else 0. It is the
            error of each value; the same batches serve all points, so differences between points are surer.
        accuracy: Share of right classes, ``(n,)``, or None where the target is no class.
        frame: The vectors that the points are combined from.
        coefficients: The combinations, ``(n, k)``.
        done: Which points were measured, ``(n,)``.
        settings: How it was measured.
        diagnostics: Engine, seconds of each that was tried for one batch at a few points, number of batches.
    """

    loss: Vector
    error: Vector
    accuracy: Vector | None
    frame: Frame = field(repr=False)
    coefficients: Coefficients = field(repr=False)
    done: Mask = field(repr=False)
    settings: SliceSettings = field(repr=False)
    diagnostics: dict[str, object] = field(repr=False)

    def record(self, path: str | os.PathLike[str], task: Task, *, is_path: bool | None = None) -> Run:
        """Write the points as a run, with what was measured at each, so that they can be put on a map.

        Statistics of batch norm are those that the loss was measured with.

        Args:
            path: Folder of the run.
            task: What the points were measured on.
            is_path: Whether the points follow each other, and are drawn so; by default those of a line do, of a grid not.

        Raises:
            InputError: the folder holds a run already, or cannot be written.
        """
        model = copy.deepcopy(task.model)
        names = {"loss": f"{self.settings.data}_loss", "accuracy": f"{self.settings.data}_accuracy"}
        is_line = self.coefficients.shape[1] == 2
        kind = "path" if (is_line if is_path is None else is_path) else "slice"
        settings = {"kind": kind, "task": task.name, "batchnorm": self.settings.batchnorm, "data": self.settings.data}
        recorder: Recorder | None = None
        with ExitStack() as stack:
            for point in np.flatnonzero(self.done):
                load_tensors(
                    model, self.frame.point(self.coefficients[point], statistics=self.settings.batchnorm == "interpolate")
                )
                if self.settings.batchnorm == "recompute":
                    recompute_batchnorm(model, task.evaluated)
                metrics = {names["loss"]: self.loss[point]}
                if self.accuracy is not None:
                    metrics[names["accuracy"]] = self.accuracy[point]
                if recorder is None:
                    recorder = stack.enter_context(Recorder(path, model, initial=metrics, settings=settings))
                else:
                    recorder.step(**metrics)
        return open_run(path)


def losses(
    task: Task,
    frame: Frame,
    coefficients: Coefficients,
    *,
    settings: SliceSettings,
    order: Indices | None = None,
    path: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> Losses:
    """Measure the loss at each combination of the frame's vectors.

    Args:
        task: Model, data and loss; copies of the model are used, it stays as it is.
        frame: The vectors.
        coefficients: A row a point.
        settings: Data, batch norm and engine.
        order: The order in which the points are measured; by default their own.
        path: A file that keeps what was measured, so that the same call goes on where it was stopped.
        progress: Called with the numbers of points done and in all.
    """
    has_norms = bool(batch_norms(task.model))
    if has_norms and settings.batchnorm == "interpolate" and (coefficients < 0).any():
        raise InputError(
            "batchnorm='interpolate' needs points between the given ones, since a variance extrapolated can fall below 0; "
            "keep to the range from 0 to 1, or pass batchnorm='recompute'"
        )
    began = time.perf_counter()
    data = SameBatches(task.evaluated if settings.data == "train" else task.test, few=settings.batches, seed=settings.seed)
    ledger = Ledger.opened(None if path is None else Path(path), frame, coefficients, settings, task.name)
    report = progress or (lambda _, __: None)
    with ExitStack() as stack:
        for_statistics = _statistics_data(task, data, settings) if has_norms else None
        even = data.even() if settings.batches is None else None
        choice = chosen_engine(
            task,
            frame,
            even[0] if even else next(iter(data)),
            coefficients,
            n_batches=len(even) if even else data.n,
            only=None if settings.engine == "auto" else settings.engine,
            batchnorm=settings.batchnorm if has_norms else None,
            stack=stack,
        )
        evaluated = even if even and _may_be_even(choice.engine, data, even, coefficients[:1]) else data
        left = ledger.left if order is None else order[~ledger.done[order]]
        report(len(coefficients) - len(left), len(coefficients))
        for group in np.array_split(left, max(1, -(-len(left) // _GROUP))) if len(left) else []:
            if settings.seconds is not None and time.perf_counter() - began > settings.seconds:
                break
            points = coefficients[group]
            if for_statistics is not None:
                for number, batch in enumerate(for_statistics, start=1):
                    choice.engine.statistics(batch, points, number)
            ledger.enter(group, *_means(choice.engine, evaluated, points, n_all=data.n_all if data.n < data.n_all else None))
            report(len(coefficients) - len(ledger.left), len(coefficients))
    accuracy = None if np.isnan(ledger.accuracy).all() else ledger.accuracy
    diagnostics = {
        "has_batchnorm": has_norms,
        "engine": choice.name,
        "trial_seconds": choice.seconds,
        "n_batches": data.n,
        "n_all_batches": data.n_all,
        "seconds": time.perf_counter() - began,
    }
    return Losses(ledger.loss, ledger.error, accuracy, frame, coefficients, ledger.done, settings, diagnostics)


def _statistics_data(task: Task, data: SameBatches, settings: SliceSettings) -> SameBatches | None:
    if settings.batchnorm != "recompute":
        return None
    # Statistics are those of the training data, whatever the loss is measured on.
    return data if settings.data == "train" else SameBatches(task.evaluated, few=settings.batches, seed=settings.seed)


def _may_be_even(engine: Engine, data: SameBatches, even: list[Batch], one: Coefficients) -> bool:
    """Whether even batches have the loss of the given ones: a mean over samples that look at no others."""
    (as_given, _, _), (dealt_anew, _, _) = (_means(engine, batches, one, n_all=None) for batches in (data, even))
    return np.allclose(dealt_anew, as_given, rtol=1e-6, atol=0)


def _means(engine: Engine, batches: Iterable[Batch], points: Coefficients, *, n_all: int | None) -> tuple[Vector, Vector, Vector]:
    # Kept batches at once: a point is then made once for all of them.
    parts = [list(batches)] if isinstance(batches, list) or getattr(batches, "is_kept", False) else ([batch] for batch in batches)
    sizes: list[int] = []
    rows = []
    for part in parts:
        sizes.extend(map(batch_size, part))
        rows.append(engine.measure(part, points))
    measured = np.concatenate(rows)  # (batches, n, 2)
    weights = np.array(sizes) / sum(sizes)
    with np.errstate(invalid="ignore", over="ignore"):  # a diverged point stays NaN or infinite
        loss = weights @ measured[..., 0]
        accuracy = weights @ measured[..., 1]
        k = len(sizes)
        if n_all is None:  # nothing was left out
            return loss, np.zeros_like(loss), accuracy
        # Scatter of the batches about their weighted mean, for k of n_all without replacement.
        scatter = np.square(weights) @ np.square(measured[..., 0] - loss) * k / (k - 1)
        return loss, np.sqrt(scatter * (1 - k / n_all)), accuracy
