"""The two lines that a user adds to a training loop."""

import math
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, SupportsFloat, get_args

import torch
from torch import distributed, nn

from lossatlas._arrays import InputError
from lossatlas.record.background import BackgroundWriter
from lossatlas.record.sharding import Processes, is_sharded
from lossatlas.record.sketching import Sketching
from lossatlas.record.taking import Taken, Taking
from lossatlas.record.thinning import LEAST, Thinning
from lossatlas.record.weights import Selection
from lossatlas.sketch import K, Sketch
from lossatlas.store import IfExists, Keep, RunWriter, TensorEntry, open_run

Every = Literal["epoch", "log"] | int

StoredAs = Literal["float32", "bfloat16", "float16"]

# Snapshots per tenfold of steps when every="log": neighbours are then 12 % apart in time.
_PER_DECADE = 20


class Recorder:
    """Record a model's weights while it trains.

    The weights at entry are point 0. Each call of :meth:`step` counts one step or epoch of the loop, and stores a point when
    ``every`` says so: each call (``"epoch"``), each N-th call (an integer), or calls 1, 2, 3, … spaced evenly on a log scale
    (``"log"``, 20 a decade). The last call is always stored. Nothing of the model is changed. What wraps it (data parallelism,
    ``torch.compile``, averaging) leaves no trace in the names; of processes that train together the first writes. A parameter
    that asks for no gradient is written once, as long as it stays the same.

    Training waits for the copy of the weights alone: a thread writes them, and two copies may wait for it. An error of the disk
    reaches the loop at the next call. What waits when the process is killed is lost; :meth:`flush` waits until nothing does.

    Args:
        path: Folder of the run, made if it is not there.
        model: The module that is trained.
        every: Which calls of :meth:`step` are stored.
        if_exists: Whether a run at ``path`` is refused, appended to, or replaced.
        initial: Metrics of point 0, where they are known.
        settings: Plain values that describe the run; stored with it.
        only: Pattern or patterns of the names of tensors that are stored (``"*.lora_*"``); by default all.
        without: Pattern or patterns of those that are left out.
        dtype: ``"float32"``, ``"bfloat16"`` or ``"float16"``: what real numbers that are wider are stored as. bfloat16 halves the
            disk, and leaves 3 digits of each weight: enough for a map of steps that are longer than that, too few for late ones.
        max_bytes: Of the run's snapshots; four must fit. Where they would be more, points are taken out, so that those that stay
            are evenly spaced along the path, not in time. None keeps all.
        keep: ``"weights"``; ``"sketch"``, 4,096 numbers a point of a model of any size, from which distances are known to 1.1 %;
            or ``"both"``. Sketches hold a copy of the start in memory. Of a model that is spread over processes (FSDP2) each one
            sketches its own part, and nothing is gathered.

    Raises:
        InputError: the folder cannot be written, or holds a run already; a value is out of its range.

    >>> import tempfile, torch
    >>> model = torch.nn.Linear(2, 1)
    >>> with Recorder(tempfile.mkdtemp() + "/run", model) as recorder:
    ...     recorder.step(loss=0.5)
    >>> recorder.n_points
    2
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        model: nn.Module,
        *,
        every: Every = "epoch",
        if_exists: IfExists = "refuse",
        initial: Mapping[str, SupportsFloat] | None = None,
        settings: Mapping[str, Any] | None = None,
        only: str | Sequence[str] | None = None,
        without: str | Sequence[str] = (),
        dtype: StoredAs | None = None,
        max_bytes: int | None = None,
        keep: Keep = "weights",
    ) -> None:
        is_number = isinstance(every, int) and not isinstance(every, bool) and every >= 1
        if not is_number and every not in ("epoch", "log"):
            raise InputError(
                f"every must be 'epoch', 'log' or a number of steps from 1 on, but is {every!r}; choose one of these"
            )
        if not isinstance(model, nn.Module):
            raise InputError(f"model must be a torch.nn.Module, but is a {type(model).__name__}; pass the module that is trained")
        if dtype is not None and dtype not in get_args(StoredAs):
            raise InputError(f"dtype must be one of {', '.join(get_args(StoredAs))}, but is {dtype!r}; choose one of these")
        if keep not in get_args(Keep):
            raise InputError(f"keep must be one of {', '.join(get_args(Keep))}, but is {keep!r}; choose one of these")
        if keep == "sketch" and dtype is not None:
            raise InputError("dtype says how weights are stored, and keep='sketch' stores none; leave it out")
        self._every, self._keep = every, keep
        selection = Selection(
            None if only is None else _patterns(only), _patterns(without), None if dtype is None else getattr(torch, dtype)
        )
        # The metrics are looked at before the folder is made: a refusal leaves nothing behind.
        metrics = _numbers(initial or {})
        is_together = distributed.is_available() and distributed.is_initialized()
        # Of processes that train one model together the first writes; the others count with it, and store nothing.
        self._is_writing = not (is_together and distributed.get_rank() > 0)
        is_spread = is_together and is_sharded(model)
        self._taking = Taking(model, selection, keep=keep, is_sharded=is_spread, is_first=self._is_writing)
        _refuse_small(max_bytes, self._taking.entries, keep)
        self._n_points = self._step = 0
        self._pending: dict[str, float] | None = None
        self._is_closed = False
        self._is_counting = self._is_writing or is_spread
        if self._is_counting:
            self._processes = Processes() if is_spread else None
            self._writer: RunWriter | None = None
            frozen = {"frozen": list(self._taking.frozen)} if self._taking.frozen else {}
            settings = {"kind": "training", "every": every, **frozen, **(settings or {})}
            try:
                self._begin(path, metrics, settings, if_exists, max_bytes)
            except BaseException:
                self._let_go()
                raise

    def _begin(
        self,
        path: str | os.PathLike[str],
        metrics: Mapping[str, float],
        settings: Mapping[str, Any],
        if_exists: IfExists,
        max_bytes: int | None,
    ) -> None:
        # Sketches are counted from here; weights are copied once it is known that the run takes a first point.
        first = None if self._keep == "weights" else self._taking()
        self._sketching = Sketching(self._taking.entries, first, self._processes) if first else None
        start = self._sketching.start() if self._sketching else None
        self._writer = self._opened_writer(path, settings, if_exists, start)
        self._step, n_stored = self._writer.last_step if self._writer else 0, self._writer.n_points if self._writer else 0
        if self._processes:
            self._step, n_stored = self._processes.told((self._step, n_stored))
        before = open_run(path) if n_stored else None
        if before and self._sketching:
            self._sketching.begin_with(before)
        thinning = Thinning(self._writer, max_bytes) if self._writer and max_bytes is not None else None
        store = thinning.append if thinning else self._writer.append if self._writer else None
        write = _Writing(self._sketching, store)
        if before is None:  # in this thread: a place that takes no point is refused here
            first = first or self._taking()
            write(first, step=0, metrics=metrics)
            self._taking.leave_out(first.tensors)
        else:
            self._taking.leave_out(before.lazy(0))
        self._n_points = self._writer.n_points if self._writer else 0
        self._background = BackgroundWriter(write, skip=self._sketching.sketch if self._sketching and self._processes else None)

    def _opened_writer(
        self, path: str | os.PathLike[str], settings: Mapping[str, Any], if_exists: IfExists, start: Sketch | None
    ) -> RunWriter | None:
        refusal: InputError | None = None
        writer = None
        try:
            if self._is_writing:
                entries = self._taking.entries
                writer = RunWriter(path, entries, settings=settings, if_exists=if_exists, keep=self._keep, start=start)
        except InputError as error:
            refusal = error
        if self._processes:  # a refusal in one process must not leave the others waiting for it
            message = self._processes.told(None if refusal is None else str(refusal))
            if message and refusal is None:
                raise InputError(message)
        if refusal is not None:
            raise refusal
        return writer

    @property
    def n_points(self) -> int:
        """Number of points so far, those that wait to be written and those that a budget took out included."""
        return self._n_points

    def step(self, **metrics: SupportsFloat) -> None:
        """Count one step or epoch, and store the weights with these metrics when their turn has come.

        Raises:
            InputError: a metric is not one number, or the disk refuses.
        """
        numbers = _numbers(metrics)
        if not self._is_counting:
            return
        if self._is_closed:
            raise InputError("this recorder has ended; call step() inside its with block")
        if not self._processes:  # else the others wait for this one's part, whatever its disk says
            self._background.refuse_failed()
        self._step += 1
        if _is_due(self._step, self._every):
            self._store(numbers)
        else:
            self._pending = numbers

    def _store(self, metrics: Mapping[str, float]) -> None:
        taken = self._taking()
        if self._writer:
            self._writer.refuse_other(taken.tensors, point=self._n_points, left_out=taken.left_out)
            self._n_points += 1
        self._background.append(taken, step=self._step, metrics=metrics)
        self._pending = None

    def flush(self) -> None:
        """Wait until every point so far is on disk.

        Raises:
            InputError: the disk refused.
        """
        if self._is_counting:
            self._background.flush()

    def close(self) -> None:
        """Store the last call's weights if they are not stored yet, and end the run in good order.

        Raises:
            InputError: the disk refused.
        """
        if not self._is_counting or self._is_closed:
            return
        self._is_closed = True
        try:
            try:
                if self._pending is not None:
                    self._store(self._pending)
            finally:
                self._background.close()
            if self._writer:
                self._writer.end("complete")
        finally:
            self._let_go()

    def _let_go(self) -> None:
        try:
            if self._writer:
                self._writer.close()
        finally:
            if self._processes:
                self._processes.end()

    def __enter__(self) -> "Recorder":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        if kind is None or not self._is_counting:
            self.close()
            return
        self._is_closed = True
        # The weights may be half-way through a step: keep what was stored, and say what stopped the run.
        try:
            with suppress(InputError):  # a disk that refuses must not hide the error that came first
                self._background.close()
            if self._writer:
                with suppress(InputError):
                    self._writer.end(kind.__name__)
        finally:
            self._let_go()


@dataclass(frozen=True)
class _Writing:
    """What the writing thread does with a point; it holds nothing of the recorder, which may be dropped before it ends."""

    sketching: Sketching | None
    store: Callable[..., None] | None  # in the process that writes

    def __call__(self, taken: Taken, *, step: int, metrics: Mapping[str, float]) -> None:
        sketch = self.sketching.sketch(taken) if self.sketching else None
        if self.store:
            self.store(taken.tensors, step=step, metrics=metrics, sketch=sketch, left_out=taken.left_out)


def _refuse_small(max_bytes: int | None, entries: Sequence[TensorEntry], keep: Keep) -> None:
    weights = 0 if keep == "sketch" else sum(entry.n_bytes for entry in entries)
    least = LEAST * (weights + (0 if keep == "weights" else 4 * K))
    if max_bytes is not None and max_bytes < least:
        raise InputError(f"max_bytes must hold {LEAST} snapshots, {least} bytes at least, but is {max_bytes}; raise it")


def _patterns(given: str | Sequence[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


def _is_due(step: int, every: Every) -> bool:
    if every == "epoch":
        return True
    if every == "log":
        # Due when the count on the log scale, rounded down, moves on between the step before and this one.
        return step == 1 or math.floor(_PER_DECADE * math.log10(step)) > math.floor(_PER_DECADE * math.log10(step - 1))
    assert isinstance(every, int)
    return step % every == 0


def _numbers(metrics: Mapping[str, SupportsFloat]) -> dict[str, float]:
    numbers = {}
    for name, value in metrics.items():
        try:
            numbers[name] = float(value.detach() if isinstance(value, torch.Tensor) else value)
        except (TypeError, ValueError, RuntimeError):
            raise InputError(f"metric {name!r} must be one number, but is a {type(value).__name__}; pass its mean") from None
    return numbers
