"""The batches that every point of a slice is measured on, the same for all."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from lossatlas._arrays import InputError
from lossatlas.sample.evaluate import EVALUATION_SEED
from lossatlas.sample.randomness import fixed_randomness
from lossatlas.sample.task import Batches

# Bytes of batches that are kept rather than loaded again for each group of points.
_KEPT = 512 << 20
# Samples in an even batch: with fewer, the overhead of each layer's call shows; with far more, the caches overflow.
_EVEN = 384

Batch = tuple[Any, Any]


class SameBatches:
    """The task's batches, or a random few of them, in the same order and with the same augmentation at each pass.

    They are kept in memory while they are small, and loaded again for each pass otherwise.

    Args:
        batches: The user's data.
        few: How many of the batches; ``None`` takes all.
        seed: Seed of the choice of them.
    """

    def __init__(self, batches: Batches, *, few: int | None, seed: int) -> None:
        self._batches = batches
        self._kept: list[Batch] | None = None
        self._chosen: frozenset[int] | None = None
        kept: list[Batch] | None = []
        n, n_bytes = 0, 0
        for batch in self._loaded():
            n += 1
            n_bytes += _bytes(batch)
            kept = None if kept is None or n_bytes > _KEPT else [*kept, batch]
        if not n:
            raise InputError("the data to be looked at hold no batch; pass at least one")
        self.n_all = n
        if few is not None and few < n:
            self._chosen = frozenset(np.random.default_rng(seed).choice(n, size=few, replace=False).tolist())
            kept = None if kept is None else [kept[i] for i in sorted(self._chosen)]
        self.n = n if self._chosen is None else len(self._chosen)
        self._kept = kept

    @property
    def is_kept(self) -> bool:
        """Whether the batches are in memory."""
        return self._kept is not None

    def __iter__(self) -> Iterator[Batch]:
        if self._kept is not None:
            yield from self._kept
            return
        for i, batch in enumerate(self._loaded()):
            if self._chosen is None or i in self._chosen:
                yield batch

    def _loaded(self) -> Iterator[Batch]:
        with fixed_randomness(EVALUATION_SEED, self._batches):
            yield from ((x, y) for x, y in self._batches)  # loaders give lists

    def even(self) -> list[Batch] | None:
        """Return the kept samples in batches of some 384, or None where they cannot be dealt anew: no tensors, or unlike ones."""
        if self._kept is None or not all(_is_like(batch, self._kept[0]) for batch in self._kept):
            return None
        x, y = (torch.cat(parts) for parts in zip(*self._kept, strict=True))
        size = -(-len(y) // -(-len(y) // _EVEN))  # no small one at the end
        return list(zip(x.split(size), y.split(size), strict=True))


def _bytes(batch: Batch) -> int:
    return sum(part.nbytes if isinstance(part, torch.Tensor) else _KEPT for part in batch)


def _is_like(batch: Batch, first: Batch) -> bool:
    return all(
        isinstance(part, torch.Tensor)
        and isinstance(other, torch.Tensor)
        and part.dim() > 0
        and (part.shape[1:], part.dtype, part.device) == (other.shape[1:], other.dtype, other.device)
        for part, other in zip(batch, first, strict=True)
    ) and len(batch[0]) == len(batch[1])
