"""A scene as it travels, as a JSON header and one block of bytes, and the way back.

What comes back may have been written by anybody: ``decoded`` holds it against the fields of the dataclasses, as
``scene.schema.json`` does, and against the bytes that came with it.
"""

import dataclasses
import json
import math
import reprlib
import sys
import types
import typing
from functools import cache
from typing import Any

import numpy as np

from lossatlas._arrays import InputError
from lossatlas.draw.scene import FORMAT, VERSION, Scene

_DTYPES: dict[str, np.dtype] = {"float32": np.dtype("<f4"), "float64": np.dtype("<f8"), "int32": np.dtype("<i4")}
_LONGEST = 2**31 - 1


def encoded(scene: Scene) -> tuple[str, bytes]:
    """Return the scene as its JSON header and its block of bytes."""
    chunks: list[bytes] = []
    size = 0

    def plain(value: Any) -> Any:  # noqa: ANN401 - walks every field of the contract
        nonlocal size
        if isinstance(value, np.ndarray):
            dtype = "int32" if value.dtype.kind in "iu" else "float64" if value.dtype == np.float64 else "float32"
            data = np.ascontiguousarray(value, dtype=_DTYPES[dtype]).tobytes()
            data += bytes(-len(data) % 8)
            reference = {"dtype": dtype, "shape": list(value.shape), "offset": size}
            chunks.append(data)
            size += len(data)
            return reference
        if dataclasses.is_dataclass(value):
            return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
        if isinstance(value, tuple):
            return [plain(item) for item in value]
        return value

    header = {"format": FORMAT, "version": VERSION, **plain(scene)}
    return json.dumps(header, allow_nan=False, ensure_ascii=False), b"".join(chunks)


def decoded(header: str, data: bytes) -> Scene:
    """Return the scene that :func:`encoded`, or a program of somebody else's, wrote.

    Raises:
        InputError: the header is no JSON, of another format or version, lacks a field or has one too many, or a value is of
            another type; an array lies outside the data, or does not fit the points. The message names the field.
    """
    fields = _parsed(header)
    if not isinstance(fields, dict) or fields.pop("format", None) != FORMAT:
        raise InputError("this is not a scene of lossatlas; make one with lossatlas map RUNS -o map.html")
    version = fields.pop("version", None)
    if isinstance(version, bool) or version != VERSION:
        way_out = "write the page again" if isinstance(version, int) and version < VERSION else "update lossatlas"
        raise InputError(f"this scene has version {reprlib.repr(version)}, and this lossatlas reads version {VERSION}; {way_out}")
    return typing.cast("Scene", _made(Scene, fields, "", data))


def _parsed(header: str) -> Any:  # noqa: ANN401 - what JSON may hold
    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is no number there")

    try:
        return json.loads(header, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise InputError(f"the header is not JSON: {error}; write it with a JSON library, and NaN into arrays alone") from error


def _made(kind: Any, value: Any, where: str, data: bytes) -> Any:  # noqa: ANN401 - walks every field of the contract
    """Return what a field of this kind holds: the way back from :func:`encoded`."""
    if isinstance(kind, types.UnionType):
        inner = next(part for part in typing.get_args(kind) if part is not type(None))
        return None if value is None else _made(inner, value, where, data)
    if dataclasses.is_dataclass(kind):
        kinds = _kinds(typing.cast("type", kind))
        _refuse_fields(value, set(kinds), where)
        return kind(**{name: _made(kinds[name], item, _at(where, name), data) for name, item in value.items()})  # type: ignore[operator]
    if kind is np.ndarray:
        return _array(value, where, data)
    if typing.get_origin(kind) is tuple:
        return _made_tuple(typing.get_args(kind), value, where, data)
    if typing.get_origin(kind) is typing.Literal:
        return _one_of(typing.get_args(kind), value, where)
    return _plain(kind, value, where)


@cache
def _kinds(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _at(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _refuse_fields(value: Any, known: set[str], where: str) -> None:  # noqa: ANN401
    of = where or "the scene"
    if not isinstance(value, dict):
        raise InputError(f"{of} is {reprlib.repr(value)}, but must be an object with fields")
    if missing := sorted(known - set(value)):
        raise InputError(f"{of} lacks the field {missing[0]!r}; version {VERSION} needs every field, null where there is nothing")
    if unknown := sorted(set(value) - known):
        raise InputError(f"{of} has a field {reprlib.repr(unknown[0])}, which version {VERSION} does not know; leave it out")


def _made_tuple(parts: tuple[Any, ...], value: Any, where: str, data: bytes) -> tuple[Any, ...]:  # noqa: ANN401
    if not isinstance(value, list):
        raise InputError(f"{where} is {reprlib.repr(value)}, but must be a list")
    if parts[-1] is ...:
        parts = (parts[0],) * len(value)
    if len(value) != len(parts):
        raise InputError(f"{where} has {len(value)} items, but must have {len(parts)}")
    return tuple(_made(part, item, f"{where}[{i}]", data) for i, (part, item) in enumerate(zip(parts, value, strict=True)))


def _one_of(names: tuple[str, ...], value: Any, where: str) -> str:  # noqa: ANN401
    if value not in names:
        raise InputError(f"{where} is {reprlib.repr(value)}, but must be {', '.join(map(repr, names[:-1]))} or {names[-1]!r}")
    return value


def _plain(kind: type, value: Any, where: str) -> Any:  # noqa: ANN401
    if kind is str:
        is_good, wanted = isinstance(value, str), "text"
    else:
        # JSON has one kind of number: 3 and 3.0 are the same.
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= sys.float_info.max
        is_good = is_number and (kind is float or value == int(value))
        wanted = "a number" if kind is float else "a whole number"
    if not is_good:
        raise InputError(f"{where} is {reprlib.repr(value)}, but must be {wanted}")
    return kind(value)


def _array(reference: Any, where: str, data: bytes) -> np.ndarray:  # noqa: ANN401
    _refuse_fields(reference, {"dtype", "shape", "offset"}, where)
    dtype = _DTYPES[_one_of(tuple(_DTYPES), reference["dtype"], f"{where}.dtype")]
    shape = _made_tuple((int, ...), reference["shape"], f"{where}.shape", data)
    offset = _plain(int, reference["offset"], f"{where}.offset")
    if len(shape) not in (1, 2) or not all(0 <= length <= _LONGEST for length in shape):
        raise InputError(f"{where}.shape is {reprlib.repr(shape)}, but must be one or two lengths from 0 on")
    if offset < 0 or offset % 8:
        raise InputError(f"{where}.offset is {offset}, but must be a multiple of 8 from 0 on; fill up the array before it")
    count = math.prod(shape)
    stop = offset + count * dtype.itemsize
    if stop > len(data):
        raise InputError(f"{where} ends at byte {stop} of the data, but there are {len(data)}; pass all of them")
    return np.frombuffer(data, dtype, count, offset).reshape(shape)
