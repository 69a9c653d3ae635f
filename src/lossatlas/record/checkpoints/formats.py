"""Checkpoints of each format, opened so that one tensor at a time is in memory."""

import json
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from io import FileIO
from pathlib import Path
from typing import Any

import torch

from lossatlas._arrays import InputError
from lossatlas.record.checkpoints.distributed import distributed_tensors, reason
from lossatlas.record.checkpoints.found import weights_of
from lossatlas.record.checkpoints.mapped import Mapped
from lossatlas.record.checkpoints.naming import own_names, state_dict_in
from lossatlas.record.weights import stored_bytes, stored_type
from lossatlas.store import NUMPY_TYPES, LazyTensor, Snapshot


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint holds of a model."""

    path: Path
    tensors: Mapping[str, LazyTensor]
    step: int | None  # as it says itself
    in_place: Path | None = None  # the one safetensors file that holds these tensors under these names


def opened_checkpoint(path: Path, *, ema: bool = False) -> Checkpoint:
    """Open a checkpoint.

    Args:
        path: File or folder.
        ema: Whether to take the averaged weights that it holds beside the trained ones.

    Raises:
        InputError: it cannot be read, holds no state dict, or needs more than tensors to be read.
    """
    weights = weights_of(path)
    if weights.is_dir():
        return Checkpoint(weights, distributed_tensors(weights), None)
    if weights.name.endswith(".index.json"):
        return _sharded(weights, ema=ema)
    return _file(weights, ema=ema)


def _file(file: Path, *, ema: bool) -> Checkpoint:
    return _safetensors(file) if file.suffix == ".safetensors" else _pickled(file, ema=ema)


def _safetensors(file: Path) -> Checkpoint:
    try:
        with FileIO(file) as stream:
            layout = Snapshot(file, stream).layout
    except OSError as error:
        raise unreadable(file, error) from error
    unknown = [dtype for dtype, _ in layout.values() if dtype not in NUMPY_TYPES]
    if unknown:
        raise InputError(f"{str(file)!r} holds values of type {unknown[0]}, which cannot be mapped; convert them to a real type")
    names = own_names(layout)
    tensors = {own: LazyTensor(*layout[name], _reader(file, name)) for name, own in names.items()}
    return Checkpoint(file, tensors, None, file if list(names) == list(names.values()) == list(layout) else None)


def _reader(file: Path, name: str) -> Callable[[], memoryview]:
    def read() -> memoryview:
        with FileIO(file) as stream:
            return Snapshot(file, stream).raw(name)

    return read


def _pickled(file: Path, *, ema: bool) -> Checkpoint:
    content, is_mapped = _loaded(file)
    if not isinstance(content, Mapping):
        raise InputError(f"{str(file)!r} holds a {type(content).__name__}, no state dict; save model.state_dict()")
    state = state_dict_in(content, ema=ema)
    if state is None:
        held = ", ".join(map(str, list(content)[:5])) or "nothing"
        what = "averaged weights" if ema else "state dict"
        raise InputError(f"{str(file)!r} holds no {what} under a usual name (it holds {held}); save model.state_dict()")
    own = own_names(name for name, value in state.items() if isinstance(value, torch.Tensor))
    tensors: dict[str, LazyTensor] = {}
    seen: set[tuple[object, ...]] = set()
    mapped = Mapped() if is_mapped else None
    for key, name in own.items():
        tensor: Any = state[key]
        place = (tensor.untyped_storage().data_ptr(), tensor.storage_offset(), tuple(tensor.shape), tensor.stride())
        if tensor.numel() and place in seen:  # tied weights count once
            continue
        seen.add(place)
        read = partial(mapped.read, tensor) if mapped else partial(stored_bytes, tensor)
        tensors[name] = LazyTensor(stored_type(name, tensor), tuple(tensor.shape), read)
    steps = [content.get(name) for name in ("global_step", "step", "iteration", "iter", "epoch")]
    step = next((int(step) for step in steps if isinstance(step, int) and not isinstance(step, bool)), None)
    return Checkpoint(file, tensors, step if state is not content else None)


def _loaded(file: Path) -> tuple[object, bool]:
    """Return what a file holds, and whether its values are still in the file."""
    load = torch.load  # noqa: TID251 - the one place that reads others' files, and only with weights_only=True
    for is_mapped in (True, False):  # a file of the old format cannot be mapped
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return load(file, map_location="cpu", weights_only=True, mmap=is_mapped), is_mapped
        except OSError as error:
            raise unreadable(file, error) from error
        except Exception as error:  # noqa: BLE001 - whatever a damaged pickle raises
            if is_mapped and "mmap" in str(error):
                continue
            raise InputError(
                f"{str(file)!r} cannot be read as tensors alone ({reason(error)}); load it where you trust it, and save its "
                "state dict"
            ) from None
    raise AssertionError


def _sharded(index: Path, *, ema: bool) -> Checkpoint:
    try:
        where = json.loads(index.read_text())["weight_map"]
        files = {name: index.parent / Path(file).name for name, file in where.items()}
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise InputError(f"the index {str(index)!r} is damaged ({error}); restore it") from None
    parts = {}
    for file in sorted(set(files.values())):
        if not file.exists():
            raise InputError(f"the shard {file.name} that {str(index)!r} names is missing; restore it")
        parts[file] = _file(file, ema=ema)
    held = {name: tensor for part in parts.values() for name, tensor in part.tensors.items()}
    wanted = own_names(files).values()
    missing = [name for name in wanted if name not in held]
    if missing:
        raise InputError(f"tensor {missing[0]!r}, which {str(index)!r} names, is in none of its shards; restore them")
    return Checkpoint(index, {name: held[name] for name in wanted}, None)


def unreadable(file: Path, error: OSError) -> InputError:
    """Return the refusal of a file that the system does not let us read."""
    return InputError(f"cannot read {str(file)!r}: {error.strerror or error}; check the file")
