"""What is kept of each snapshot: a few numbers a tensor, and a sketch of all of it."""

import hashlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from lossatlas._arrays import InputError
from lossatlas.measure.auditing.sources import Source
from lossatlas.sketch import Sketcher
from lossatlas.store import LazyTensor, as_numbers

_PIECE = 4 << 20  # bytes of a tensor that are looked at at once


@dataclass(frozen=True)
class TensorReading:
    """What is kept of a tensor."""

    layout: tuple[str, tuple[int, ...]]
    digest: bytes
    n_not_finite: int


@dataclass(frozen=True, eq=False)
class Reading:
    """What is kept of a snapshot."""

    source: Source
    tensors: Mapping[str, TensorReading] = field(default_factory=dict)
    sketch: np.ndarray | None = None  # of its real numbers; None where some are not finite, or it could not be read
    norm: float = float("nan")
    error: str | None = None  # why it could not be read

    @property
    def sketched(self) -> np.ndarray:
        """The sketch, of a snapshot that is known to have one."""
        assert self.sketch is not None
        return self.sketch

    @property
    def digest(self) -> bytes:
        """The same for snapshots that are the same to the last bit."""
        return b"".join(name.encode() + tensor.digest for name, tensor in sorted(self.tensors.items()))


def readings(given: Sequence[Source], *, progress: Callable[[int, int], None] | None = None) -> list[Reading]:
    """Read all snapshots once, a tensor in memory at a time."""
    made = []
    for done, source in enumerate(given):
        if progress:
            progress(done, len(given))
        try:
            made.append(_read(source, source.open()))
        except InputError as error:
            made.append(Reading(source, error=str(error)))
    if progress:
        progress(len(given), len(given))
    return made


def _read(source: Source, tensors: Mapping[str, LazyTensor]) -> Reading:
    kept: dict[str, TensorReading] = {}
    sketcher, offset, is_finite = Sketcher(), 0, True
    for name in sorted(tensors):  # the same place in the sketch, whatever order the file has
        tensor = tensors[name]
        data = memoryview(tensor.data)
        n_lost = 0
        for values in _pieces(data, tensor.dtype):
            n_lost += int(values.size - np.isfinite(values).sum())
            if is_finite and not n_lost:
                sketcher.add(values.astype(np.float32) if tensor.dtype == "F16" else values, offset=offset)
            offset += values.size
        is_finite = is_finite and not n_lost
        digest = hashlib.blake2b(data, digest_size=16).digest()
        kept[name] = TensorReading((tensor.dtype, tensor.shape), digest, n_lost)
        del data
    made = sketcher.sketch()
    return Reading(source, kept, made.values if is_finite else None, math.sqrt(made.squared_norm))


def _pieces(data: memoryview, dtype: str) -> Iterator[np.ndarray]:
    """Yield the real numbers of a tensor, some megabytes at a time: narrow types are widened, and masks made, of these alone."""
    if dtype.startswith(("F", "BF")):
        for start in range(0, data.nbytes, _PIECE):
            yield as_numbers(data[start : start + _PIECE], dtype)
