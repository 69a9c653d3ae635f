"""Snapshots one after the other, their tensors read when they are asked for."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from lossatlas.store import LazyTensor, Run, open_run


@dataclass(frozen=True)
class Source:
    """A snapshot: how messages call it, its step, and how it is opened, which may refuse a damaged file.

    ``frozen`` names tensors that are meant to stay as they are.
    """

    name: str
    step: int
    open: Callable[[], Mapping[str, LazyTensor]]
    frozen: frozenset[str] = frozenset()


Audited = Run | str | os.PathLike[str] | Sequence[str | os.PathLike[str]]


def sources(given: Audited) -> list[Source]:
    """Return the snapshots of a run, or of checkpoints in the order of their steps.

    Raises:
        InputError: there are none.
    """
    if isinstance(given, Run):
        return _of_run(given)
    if isinstance(given, (str, os.PathLike)) and (Path(given) / "run.json").exists():
        return _of_run(open_run(given))
    # They need torch, runs do not.
    from lossatlas.record.checkpoints import checkpoint_tensors, ordered_checkpoints

    return [Source(path.name, step, partial(checkpoint_tensors, path)) for step, path in ordered_checkpoints(given)]


def _of_run(run: Run) -> list[Source]:
    frozen = frozenset(run.settings.get("frozen", ()))
    return [Source(f"point {point}", int(step), partial(_opened, run, point), frozen) for point, step in enumerate(run.steps)]


def _opened(run: Run, point: int) -> dict[str, LazyTensor]:
    run.refuse_damaged(point)
    if run.has_weights:
        return run.lazy(point)
    values = run.sketch(point).values.astype("<f4")  # as they were stored; what differs between points shows in them
    return {"sketch": LazyTensor("F32", values.shape, values.tobytes)}
