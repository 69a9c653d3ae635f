"""Checkpoints become a run, one tensor in memory at a time."""

import os
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

from lossatlas._arrays import InputError
from lossatlas.record.checkpoints.formats import Checkpoint, opened_checkpoint
from lossatlas.record.checkpoints.found import checkpoint_paths, named_step
from lossatlas.record.checkpoints.naming import is_buffer
from lossatlas.record.checkpoints.trainer_state import trainer_state
from lossatlas.store import IfExists, LazyTensor, Run, RunWriter, TensorEntry, open_run


def import_checkpoints(
    checkpoints: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    path: str | os.PathLike[str],
    *,
    link: bool = False,
    ema: bool = False,
    if_exists: IfExists = "refuse",
    progress: Callable[[int, int], None] | None = None,
) -> Run:
    """Write a run from checkpoints that a training left behind.

    ``.pt``, ``.pth``, ``.bin`` and ``.ckpt`` files are read with ``weights_only=True`` alone; ``.safetensors``, sharded ones by
    their index, ``checkpoint-N`` folders of the Hugging Face Trainer with its steps, losses and learning rates, and folders of
    ``torch.distributed.checkpoint``. They are ordered by step: what the checkpoint says, or else its name. Optimiser states are
    left out, ``module.`` and ``_orig_mod.`` before all names too, and tied weights count once.

    Args:
        checkpoints: Files, folders or patterns.
        path: Folder of the run.
        link: Leave the values where they are: the run then points to each file, which must stay. For safetensors files with
            the model's own names.
        ema: Take the averaged weights that each checkpoint holds beside the trained ones.
        if_exists: Whether a run at ``path`` is refused, appended to, or replaced.
        progress: Called with the numbers of checkpoints done and in all.

    Raises:
        InputError: there is no checkpoint, one cannot be read, they are not of one model, or ``path`` is taken.
    """
    found = _one_a_step(ordered_checkpoints(checkpoints))
    first = opened_checkpoint(found[0][1], ema=ema)
    entries = _entries(first)
    settings = {"kind": "training", "imported": [str(source) for _, source in found]}
    with RunWriter(path, entries, settings=settings, if_exists=if_exists) as writer:
        for done, (step, source) in enumerate(found):
            if progress:
                progress(done, len(found))
            checkpoint = opened_checkpoint(source, ema=ema)
            metrics = trainer_state(source)[1]
            if link:
                writer.link(_in_place(checkpoint), step=step, metrics=metrics)
            else:
                writer.append(checkpoint.tensors, step=step, metrics=metrics)
        writer.end("complete")
    if progress:
        progress(len(found), len(found))
    return open_run(path)


def _entries(checkpoint: Checkpoint) -> tuple[TensorEntry, ...]:
    entries = tuple(
        TensorEntry(name, tensor.shape, tensor.dtype, "buffer" if is_buffer(name, tensor.dtype) else "parameter")
        for name, tensor in checkpoint.tensors.items()
    )
    if not any(entry.kind == "parameter" for entry in entries):
        raise InputError(f"{str(checkpoint.path)!r} holds no weights; name checkpoints of a model")
    return entries


def ordered_checkpoints(
    given: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
) -> list[tuple[int, Path]]:
    """Return checkpoints with their steps, by step: what their trainer says, or their name, or the file itself."""
    made = []
    for number, source in enumerate(checkpoint_paths(given)):
        step = _said_step(source)
        made.append((number if step is None else step, source))
    return sorted(made, key=lambda pair: pair[0])


def _said_step(checkpoint: Path) -> int | None:
    step, _ = trainer_state(checkpoint)
    step = named_step(checkpoint) if step is None else step
    return opened_checkpoint(checkpoint).step if step is None else step


def checkpoint_tensors(checkpoint: Path) -> dict[str, LazyTensor]:
    """Return the tensors of a checkpoint, each read when it is asked for.

    Raises:
        InputError: it cannot be read.
    """
    return dict(opened_checkpoint(checkpoint).tensors)


def _one_a_step(found: list[tuple[int, Path]]) -> list[tuple[int, Path]]:
    """Leave out all but the first of those at one step, with a warning."""
    kept: dict[int, Path] = {}
    for step, source in found:
        if step in kept:
            warnings.warn(f"{source.name!r} is of step {step} as {kept[step].name!r} is, and was left out", stacklevel=3)
        else:
            kept[step] = source
    return list(kept.items())


def _in_place(checkpoint: Checkpoint) -> Path:
    if checkpoint.in_place is None:
        raise InputError(
            f"{str(checkpoint.path)!r} cannot be read in place: only one safetensors file with the model's own names can; "
            "import without link"
        )
    return checkpoint.in_place
