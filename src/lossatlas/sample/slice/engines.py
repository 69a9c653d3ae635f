"""Ways to measure one batch at many points of a frame, and the choice among them by the clock."""

import copy
import functools
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

import joblib
import numpy as np
import torch
from jaxtyping import Float
from torch.nn.attention import SDPBackend, sdpa_kernel

from lossatlas._arrays import InputError
from lossatlas.sample.batches import Batch
from lossatlas.sample.evaluate import are_classes, average_in, batch_norms
from lossatlas.sample.slice.frame import Coefficients, Frame, Replica
from lossatlas.sample.slice.fused import Fused
from lossatlas.sample.task import Task, batch_on_device

EngineName = Literal["loop", "threads", "fused", "stacked"]
SliceBatchNorm = Literal["recompute", "interpolate", "stale"]
Measured = Float[np.ndarray, "b n 2"]  # mean loss of a batch, and its share of right classes: NaN where there are none

# Points of the trial at most, and how far losses may be from those of the plain loop: float32's rounding over a few layers.
_TRIED = 16
_AGREE = 1e-5
# Each point tried is evaluated some four times by each of five engines: of so many evaluations in all, that is a fifth.
_FOR_A_POINT = 100
# Seconds of work below which no trial is worth its time.
_WORTH = 3.0
# Points that are stacked at a time: more spill the caches.
_STACKED = 16


@runtime_checkable
class Engine(Protocol):
    """Measures batches at points."""

    def measure(self, batches: Sequence[Batch], points: Coefficients) -> Measured:
        """Return loss and share of right classes of each batch at each point."""

    def statistics(self, batch: Batch, points: Coefficients, number: int) -> None:
        """Let a batch be the ``number``-th of those whose statistics each point's batch norm averages."""


class Loop:
    """One point after the other, with as many threads within each layer as torch is set to.

    Args:
        task: Model and loss.
        frame: What the points are combined from.
        with_statistics: Whether running statistics of batch norm are combined too.
        channels_last: Whether convolutions get the layout of memory that processors like best.
        is_fused: Whether the forward pass is rewritten to do less, where the model can be traced.
        shared: Another loop of the same frame and layout, whose copies of the vectors serve this one too.
    """

    def __init__(
        self,
        task: Task,
        frame: Frame,
        *,
        with_statistics: bool = False,
        channels_last: bool = False,
        is_fused: bool = False,
        shared: "Loop | None" = None,
    ) -> None:
        self._loss = copy.deepcopy(task.loss)  # a module may keep something of its last call
        self._channels_last = channels_last
        self._replica: Replica = Replica(
            copy.deepcopy(task.model),
            frame,
            with_statistics=with_statistics,
            channels_last=channels_last,
            shared=shared._replica if shared else None,
        )
        self._norms = batch_norms(self._replica.model)
        self._fused = Fused(self._replica.model) if is_fused else None
        if self._fused and not self._fused.is_worth_it:
            raise InputError("nothing of this model can be fused; leave is_fused out")
        # Statistics of each point of the group at hand, once they were asked for.
        self._buffers: dict[tuple[float, ...], dict[str, tuple[torch.Tensor, torch.Tensor]]] = {}

    @torch.no_grad()
    def measure(self, batches: Sequence[Batch], points: Coefficients) -> Measured:
        """Return loss and share of right classes of each batch at each point."""
        moved = [self._on_device(batch) for batch in batches]
        measured = np.full((len(batches), len(points), 2), np.nan)
        if self._fused:
            self._fused.look_at([x for x, _ in moved])
        forward = self._fused or self._replica.model
        for column, point in enumerate(points):
            self._move(point)
            if self._fused:
                self._fused.refold()
            for row, (x, y) in enumerate(moved):
                output = forward(x)
                measured[row, column, 0] = float(self._loss(output, y))
                if are_classes(output, y):
                    measured[row, column, 1] = int((output.argmax(dim=1) == y).sum()) / y.numel()
        return measured

    @torch.no_grad()
    def statistics(self, batch: Batch, points: Coefficients, number: int) -> None:
        """Let a batch be the ``number``-th of those whose statistics each point's batch norm averages."""
        if number == 1:
            self._buffers = {}
        x, _ = self._on_device(batch)
        for point in points:
            if number == 1:
                self._buffers[tuple(point)] = {name: _fresh(norm) for name, norm in self._norms.items()}
            self._move(point)
            average_in(self._norms.values(), number)
            self._replica.model(x)
        self._replica.model.eval()

    def _move(self, point: np.ndarray) -> None:
        self._replica.move(point)
        for name, (mean, variance) in self._buffers.get(tuple(point), {}).items():
            self._norms[name].running_mean, self._norms[name].running_var = mean, variance

    def _on_device(self, batch: Batch) -> tuple[Any, Any]:
        x, y = batch_on_device(batch, self._replica.model)
        if self._channels_last and isinstance(x, torch.Tensor) and x.dim() == 4:
            x = x.contiguous(memory_format=torch.channels_last)
        return x, y


def _fresh(norm: torch.nn.modules.batchnorm._BatchNorm) -> tuple[torch.Tensor, torch.Tensor]:
    assert norm.running_mean is not None
    assert norm.running_var is not None
    return torch.zeros_like(norm.running_mean), torch.ones_like(norm.running_var)


class Threads:
    """A loop a processor, each with a copy of the model and one thread within its layers."""

    def __init__(self, loops: Sequence[Loop], pool: ThreadPoolExecutor) -> None:
        self._loops = loops
        self._pool = pool

    def measure(self, batches: Sequence[Batch], points: Coefficients) -> Measured:
        """Return loss and share of right classes of each batch at each point."""
        return np.concatenate(self._shared(lambda loop, part: loop.measure(batches, part), points), axis=1)

    def statistics(self, batch: Batch, points: Coefficients, number: int) -> None:
        """Let a batch be the ``number``-th of those whose statistics each point's batch norm averages."""
        self._shared(lambda loop, part: loop.statistics(batch, part, number), points)

    def _shared(self, do: Callable[[Loop, Coefficients], Any], points: Coefficients) -> list[Any]:
        # The same part to the same loop each time: it keeps its points' statistics.
        parts = np.array_split(points, len(self._loops))
        work = [self._pool.submit(do, loop, part) for loop, part in zip(self._loops, parts, strict=True) if len(part)]
        return [future.result() for future in work]


class Stacked:
    """Many weight vectors in one call of each layer, by ``torch.func.vmap``; for evaluation mode alone."""

    def __init__(self, task: Task, frame: Frame) -> None:
        self._loss = task.loss
        self._model = copy.deepcopy(task.model).eval()
        first = frame.vectors[0]
        parameters = dict(self._model.named_parameters())
        self._vectors = {
            name: torch.stack([vector.get(name, torch.zeros_like(first[name])).to(own) for vector in frame.vectors])
            for name, own in parameters.items()
        }
        self._buffers = {name: first[name].to(own) if name in first else own for name, own in self._model.named_buffers()}

    @torch.no_grad()
    def measure(self, batches: Sequence[Batch], points: Coefficients) -> Measured:
        """Return loss and share of right classes of each batch at each point."""
        measured = np.empty((len(batches), len(points), 2))
        parts = np.array_split(np.arange(len(points)), max(1, -(-len(points) // _STACKED)))
        with sdpa_kernel(SDPBackend.MATH):  # vmap would send one after the other through a fused kernel of attention
            for part in parts:
                self._measure(measured, batches, points, part)
        return measured

    def _measure(self, measured: Measured, batches: Sequence[Batch], points: Coefficients, part: np.ndarray) -> None:
        weights = {
            name: torch.tensordot(torch.as_tensor(points[part], dtype=vectors.dtype, device=vectors.device), vectors, dims=1)
            for name, vectors in self._vectors.items()
        }
        for row, batch in enumerate(batches):
            x, y = batch_on_device(batch, self._model)
            loss, hits = torch.vmap(self._one, in_dims=(0, None, None))(weights, x, y)
            measured[row, part] = torch.stack([loss.double(), hits.double()], dim=1).cpu().numpy()

    def _one(self, weights: dict[str, torch.Tensor], x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        output = torch.func.functional_call(self._model, (weights, self._buffers), (x,))
        hits = (output.argmax(dim=1) == y).double().mean() if are_classes(output, y) else torch.full((), float("nan"))
        return self._loss(output, y), hits

    def statistics(self, batch: Batch, points: Coefficients, number: int) -> None:
        """Refuse: batch norm's statistics cannot be stacked."""
        raise NotImplementedError


@dataclass(frozen=True)
class Choice:
    """An engine, and what the clock said of each: seconds for one batch at the trial's points."""

    engine: Engine
    name: str
    seconds: dict[str, float]


def chosen_engine(
    task: Task,
    frame: Frame,
    batch: Batch,
    points: Coefficients,
    *,
    n_batches: int,
    only: EngineName | None,
    batchnorm: SliceBatchNorm | None,
    stack: ExitStack,
) -> Choice:
    """Return the engine that measures a batch fastest, among those whose losses are the plain loop's to 1e-5.

    Args:
        task: Model and loss.
        frame: What the points are combined from.
        batch: A batch for the trial.
        points: Points, of which a few are tried.
        n_batches: How many batches there will be.
        only: The one engine to use, or None for the fastest.
        batchnorm: What becomes of its statistics; None where the model keeps none.
        stack: Ends what the engine holds.
    """
    n_tried = min(_TRIED, len(points), len(points) * n_batches // _FOR_A_POINT)
    loop = Loop(task, frame, with_statistics=batchnorm == "interpolate")
    if only == "loop" or (only is None and n_tried < 2):
        return Choice(loop, "loop", {})
    tried = points[np.linspace(0, len(points) - 1, max(n_tried, 1)).astype(int)]
    start = time.perf_counter()
    reference = loop.measure([batch], tried)
    expected = (time.perf_counter() - start) / len(tried) * len(points) * n_batches
    if only is None and expected < _WORTH:
        return Choice(loop, "loop", {})
    seconds = {"loop": _seconds(loop, batch, tried)}
    engines: dict[str, Engine] = {"loop": loop}
    for name, make in _others(task, frame, batchnorm, stack).items():
        if only is not None and not name.startswith(only):
            continue
        try:
            engine = make()
            measured = engine.measure([batch], tried)
        except Exception:  # noqa: BLE001, S112 - a layout or a transform that the user's code does not bear
            continue
        if np.allclose(measured, reference, rtol=_AGREE, atol=_AGREE * 1e-2, equal_nan=True):
            seconds[name] = _seconds(engine, batch, tried)
            engines[name] = engine
    able = [name for name in engines if only is None or name.startswith(only)]
    if not able:
        raise InputError(f"engine={only!r} cannot evaluate this model with this batch norm; pass engine='auto'")
    best = min(able, key=lambda name: seconds[name])
    return Choice(engines[best], best, seconds)


def _others(task: Task, frame: Frame, batchnorm: SliceBatchNorm | None, stack: ExitStack) -> dict[str, Callable[[], Engine]]:
    device = next(task.model.parameters()).device
    has_images = any(parameter.dim() == 4 for parameter in task.model.parameters())
    workers = joblib.cpu_count()
    others: dict[str, Callable[[], Engine]] = {}
    if device.type == "cpu" and workers > 1:
        pool = stack.enter_context(ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)))

        def threads(*, channels_last: bool = False, is_fused: bool = False) -> Engine:
            make = functools.partial(
                Loop, task, frame, with_statistics=batchnorm == "interpolate", channels_last=channels_last, is_fused=is_fused
            )
            first = make()
            return Threads([first, *(make(shared=first) for _ in range(workers - 1))], pool)

        others["threads"] = threads
        if has_images:
            others["threads, channels last"] = lambda: threads(channels_last=True)
        others["fused"] = lambda: threads(channels_last=has_images, is_fused=True)
    if batchnorm in (None, "stale"):  # statistics cannot be stacked
        others["stacked"] = lambda: Stacked(task, frame)
    return others


def _seconds(engine: Engine, batch: Batch, points: Coefficients) -> float:
    """Return the best of three: what else the machine does only adds."""
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        engine.measure([batch], points)
        best = min(best, time.perf_counter() - start)
    return best
