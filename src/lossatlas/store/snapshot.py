"""One snapshot file in the safetensors format: eight bytes of length, a JSON header, then the values without gaps.

Written and read here rather than through the library, for three things that it does not offer without torch: bfloat16,
a flat range of values across tensors, and writing tensor by tensor. Any safetensors reader opens the files.
"""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple, Protocol, runtime_checkable

import numpy as np

from lossatlas._arrays import InputError

Kind = Literal["parameter", "buffer"]
Layout = Mapping[str, tuple[str, tuple[int, ...]]]

# What a header calls a type, and how NumPy reads it. BF16 has no NumPy type: its bits are the upper half of a float32's.
NUMPY_TYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2",
    "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1", "BOOL": "?",
}  # fmt: skip


class RawTensor(NamedTuple):
    """A tensor as bytes, so that the store needs no torch and bfloat16 needs no NumPy type."""

    dtype: str  # as a safetensors header spells it: "F32", "BF16", …
    shape: tuple[int, ...]
    data: bytes | memoryview


@dataclass(frozen=True)
class LazyTensor:
    """A tensor whose bytes are read when they are asked for, so that one of many is in memory at a time."""

    dtype: str
    shape: tuple[int, ...]
    read: Callable[[], bytes | memoryview] = field(repr=False)

    @property
    def data(self) -> bytes | memoryview:
        """The values."""
        return self.read()


Tensors = Mapping[str, RawTensor | LazyTensor]


class TensorEntry(NamedTuple):
    """What a run knows of one of its tensors."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    kind: Kind

    @property
    def size(self) -> int:
        """Number of values."""
        return math.prod(self.shape)

    @property
    def n_bytes(self) -> int:
        """Bytes of all of them."""
        return self.size * _width(self.dtype)


def layout(tensors: Tensors | tuple[TensorEntry, ...]) -> Layout:
    """Return type and shape by name: what two snapshots of one run have in common."""
    if isinstance(tensors, Mapping):
        return {name: (tensor.dtype, tensor.shape) for name, tensor in tensors.items()}
    return {tensor.name: (tensor.dtype, tensor.shape) for tensor in tensors}


def mismatch(expected: Layout, came: Layout) -> str | None:
    """Return the first difference between two layouts in words, or None if there is none."""
    for name, (dtype, shape) in expected.items():
        if name not in came:
            return f"tensor {name!r} is missing"
        if came[name] != (dtype, shape):
            return f"tensor {name!r} should be {dtype} {shape} and is {came[name][0]} {came[name][1]}"
    extra = [name for name in came if name not in expected]
    return f"tensor {extra[0]!r} is not in the run" if extra else None


def chunks(tensors: Tensors) -> Iterator[bytes | memoryview]:
    """Yield the bytes of a snapshot file, tensor by tensor, so that the whole is never in memory twice."""
    # Widest type first: then every tensor starts at a multiple of its own width, which readers that map the file need.
    order = sorted(tensors.items(), key=lambda item: -_width(item[1].dtype))
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    offset = 0
    for name, tensor in order:
        end = offset + math.prod(tensor.shape) * _width(tensor.dtype)
        header[name] = {"dtype": tensor.dtype, "shape": list(tensor.shape), "data_offsets": [offset, end]}
        offset = end
    words = json.dumps(header, separators=(",", ":")).encode()
    words += b" " * (-len(words) % 8)
    yield len(words).to_bytes(8, "little") + words
    for _, tensor in order:
        yield tensor.data


@runtime_checkable
class Stream(Protocol):
    """What a snapshot is read from."""

    def seek(self, place: int, /) -> object:
        """Go to a byte."""
        ...

    def read(self, size: int, /) -> bytes:
        """Return ``size`` bytes from there on."""
        ...

    def readinto(self, out: memoryview, /) -> int:
        """Fill ``out`` from there on, or part of it; return how many bytes."""
        ...


class Places(NamedTuple):
    """What the header of a snapshot file says: which tensors are in it, where each begins, and where the last ends."""

    layout: Layout
    offsets: dict[str, int]
    end: int


class Snapshot:
    """An open snapshot file: its layout, and any range of values read without the rest."""

    def __init__(self, path: Path, stream: Stream, *, places: Places | None = None) -> None:
        self._path, self._stream = path, stream
        self.places = self._read_places() if places is None else places

    @property
    def layout(self) -> Layout:
        """Type and shape of each tensor in the file."""
        return self.places.layout

    @property
    def is_whole(self) -> bool:
        """Whether the file has all that its header promises."""
        return self._path.stat().st_size >= self.places.end

    def _read_places(self) -> Places:
        try:
            length = int.from_bytes(self._stream.read(8), "little")
            # A damaged length must not ask for more memory than the file has bytes.
            entries = json.loads(self._stream.read(min(length, self._path.stat().st_size)))
            entries.pop("__metadata__", None)
            return Places(
                layout={name: (e["dtype"], tuple(e["shape"])) for name, e in entries.items()},
                offsets={name: 8 + length + e["data_offsets"][0] for name, e in entries.items()},
                end=8 + length + max((e["data_offsets"][1] for e in entries.values()), default=0),
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            raise InputError(f"the snapshot {str(self._path)!r} is damaged; restore it or remove its line") from None

    def values(self, tensor: TensorEntry, start: int, count: int) -> np.ndarray:
        """Return ``count`` values of a flattened tensor from ``start`` on; bfloat16 comes as float32."""
        values = np.empty(count, np.float32 if tensor.dtype == "BF16" else NUMPY_TYPES[tensor.dtype])
        self.read(tensor, start, values)
        return values

    def raw(self, name: str) -> memoryview:
        """Return the bytes of one tensor as they are in the file."""
        dtype, shape = self.layout[name]
        values = np.empty(math.prod(shape), NUMPY_TYPES[dtype])
        self._fill(self.places.offsets[name], values)
        return values.view(np.uint8).data

    def read(self, tensor: TensorEntry, start: int, out: np.ndarray) -> None:
        """Fill ``out`` with values of a flattened tensor from ``start`` on, as its type; without a copy where it is theirs.

        Raises:
            InputError: the file ends before them.
        """
        numpy_type = np.dtype(NUMPY_TYPES[tensor.dtype])
        is_theirs = out.dtype == numpy_type and out.flags.c_contiguous
        values = out if is_theirs else np.empty(len(out), numpy_type)
        self._fill(self.places.offsets[tensor.name] + start * numpy_type.itemsize, values)
        if tensor.dtype == "BF16":
            values = as_numbers(values.data, "BF16")
        if not is_theirs:
            out[:] = values

    def _fill(self, place: int, values: np.ndarray) -> None:
        self._stream.seek(place)
        rest = values.view(np.uint8).data
        while rest:
            count = self._stream.readinto(rest)
            if not count:
                raise InputError(f"the snapshot {str(self._path)!r} is cut short; restore it or remove its line")
            rest = rest[count:]


def as_numbers(data: bytes | memoryview, dtype: str) -> np.ndarray:
    r"""Return the values of a tensor's bytes; bfloat16 comes as float32.

    >>> as_numbers(b"\x00\x00\x80?", "F32"), as_numbers(b"\x80?", "BF16")
    (array([1.], dtype=float32), array([1.], dtype=float32))
    """
    values = np.frombuffer(data, NUMPY_TYPES[dtype])
    return (values.astype(np.uint32) << 16).view(np.float32) if dtype == "BF16" else values


def _width(dtype: str) -> int:
    return np.dtype(NUMPY_TYPES[dtype]).itemsize
