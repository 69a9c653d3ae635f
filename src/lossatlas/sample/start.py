"""The point that a sample, a slice or a path starts from, in the forms in which a user has it."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from lossatlas._arrays import InputError
from lossatlas.store import Run

Tensors = dict[str, torch.Tensor]
Start = Run | Mapping[str, torch.Tensor] | Mapping[str, np.ndarray]


def start_tensors(start: Start, *, what: str = "start") -> Tensors:
    """Return parameters and buffers of a run's last point, of a snapshot or of a state dict, as tensors of their own.

    Raises:
        InputError: it is none of these, or holds NaN or infinite values.
    """
    named: Mapping[str, Any] = start.snapshot(-1) if isinstance(start, Run) else start
    if not isinstance(named, Mapping):
        raise InputError(f"{what} must be a run, a snapshot or a state dict, but is a {type(start).__name__}; pass one of these")
    tensors = {name: torch.as_tensor(tensor).detach().cpu().clone() for name, tensor in named.items()}
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise InputError(
                f"tensor {name!r} of the {what} holds NaN or infinite values; start from a point that has not diverged"
            )
    return tensors
