"""Parameters that are not trained: written once, and looked at each time."""

from collections.abc import Mapping

import torch
from torch import nn

from lossatlas.record.weights import unwrapped

_AS_BITS = {1: torch.int8, 2: torch.int16, 4: torch.int32, 8: torch.int64}

Mark = tuple[int, int]


def frozen_names(model: nn.Module) -> frozenset[str]:
    """Return the names of parameters that ask for no gradient."""
    return frozenset(name for name, parameter in unwrapped(model).named_parameters() if not parameter.requires_grad)


class Frozen:
    """Tensors that are in a run's first point, and can be left out of another while they are the same to the last bit.

    Args:
        first: The first point's, under their names.
    """

    def __init__(self, first: Mapping[str, torch.Tensor]) -> None:
        self._marks = {name: _mark(tensor) for name, tensor in first.items()}

    def unchanged(self, now: Mapping[str, torch.Tensor]) -> frozenset[str]:
        """Return the names of those that are the same now; what asks for no gradient may still be written to."""
        return frozenset(name for name, mark in self._marks.items() if name in now and _mark(now[name]) == mark)


def _mark(tensor: torch.Tensor) -> Mark:
    # Sums of all bits, weighted by row and by column, on the tensor's own device: a change, and an exchange of rows or of
    # columns, show, and no copy is made of a base that may be a hundred times as large as what is trained.
    bits = tensor.detach().contiguous().view(_AS_BITS[tensor.element_size()])
    rows = bits.flatten(1) if bits.dim() > 1 else bits.reshape(1, -1)
    return _weighted(rows, 1), _weighted(rows, 0)


def _weighted(rows: torch.Tensor, axis: int) -> int:
    sums = rows.sum(dim=axis, dtype=torch.int64)
    return int((sums * torch.arange(1, len(sums) + 1, device=sums.device)).sum())
