"""Parameters that are not trained: written once, and looked at each time."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping

import torch
from torch import nn

from lossatlas.record.weights import unwrapped
from lossatlas.store import Tensors

_PIECE = 1 << 22  # values that are looked at at once


def frozen_names(model: nn.Module) -> frozenset[str]:
    """Return the names of parameters that ask for no gradient."""
    return frozenset(name for name, parameter in unwrapped(model).named_parameters() if not parameter.requires_grad)


class Frozen:
    """Tensors that are in a run's first point, and can be left out of another while they are the same to the last bit.

    Args:
        first: The first point's, as they are stored.
    """

    def __init__(self, first: Tensors) -> None:
        self._marks = {name: _mark([tensor.data]) for name, tensor in first.items()}

    def unchanged(self, now: Mapping[str, torch.Tensor], as_stored: Callable[[torch.Tensor], torch.Tensor]) -> frozenset[str]:
        """Return the names of those that are the same now; what asks for no gradient may still be written to."""
        return frozenset(
            name for name, mark in self._marks.items() if name in now and _mark(_pieces(as_stored(now[name]))) == mark
        )


def _mark(pieces: Iterable[bytes | memoryview]) -> bytes:
    """Return what two tensors share only if they are the same to the last bit."""
    digest = hashlib.blake2b(digest_size=16)
    for piece in pieces:
        digest.update(piece)
    return digest.digest()


def _pieces(tensor: torch.Tensor) -> Iterator[memoryview]:
    """Yield the bytes of a tensor, a piece at a time: no copy is made of a base that may be a hundred times what is trained."""
    flat = tensor.detach().reshape(-1)
    for piece in flat.split(_PIECE) if flat.numel() else ():
        yield piece.contiguous().cpu().view(torch.uint8).numpy().data
