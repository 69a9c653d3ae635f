"""Folders of ``torch.distributed.checkpoint``, read in one process."""

import importlib
import warnings
from functools import partial
from pathlib import Path
from typing import Any

import torch

from lossatlas._arrays import InputError
from lossatlas.record.checkpoints.naming import own_names
from lossatlas.record.weights import stored_bytes, stored_type
from lossatlas.store import LazyTensor

# States that stand beside the model's.
_BESIDE = ("optim", "opt.", "scheduler", "lr_scheduler")


def distributed_tensors(folder: Path) -> dict[str, LazyTensor]:
    """Return the model's tensors in a distributed checkpoint, whatever number of ranks wrote it.

    Raises:
        InputError: it cannot be read.
    """
    dcp = _dcp()
    try:
        entries = dcp.FileSystemReader(folder).read_metadata().state_dict_metadata
    except Exception as error:  # noqa: BLE001 - it is a pickle
        raise InputError(f"the distributed checkpoint {str(folder)!r} cannot be read ({reason(error)}); restore it") from None
    kept = {name: entry for name, entry in entries.items() if hasattr(entry, "chunks") and not name.startswith(_BESIDE)}
    is_nested = len(kept) < len(entries) and all(name.startswith("model.") for name in kept)
    tensors = {}
    for key, name in own_names(kept).items():
        dtype, shape = kept[key].properties.dtype, tuple(kept[key].size)
        own = name.removeprefix("model.") if is_nested else name
        tensors[own] = LazyTensor(stored_type(own, torch.empty(0, dtype=dtype)), shape, partial(_read, folder, key, shape, dtype))
    return tensors


def _read(folder: Path, key: str, shape: tuple[int, ...], dtype: torch.dtype) -> memoryview:
    dcp, state = _dcp(), {key: torch.empty(shape, dtype=dtype)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that there is one process is known
        dcp.load(state, storage_reader=dcp.FileSystemReader(folder), no_dist=True)
    return stored_bytes(state[key])


def _dcp() -> Any:  # noqa: ANN401 - a module without types of its own; it is loaded for these folders alone
    return importlib.import_module("torch.distributed.checkpoint")


def reason(error: Exception) -> str:
    """Return why a pickle cannot be read, in a few words."""
    words = str(error)
    if "Unsupported global" in words:
        name = words.rsplit("GLOBAL ", maxsplit=1)[-1].split(" ", maxsplit=1)[0]
        return f"it needs {name}"
    return (words or type(error).__name__).splitlines()[0][:120]
