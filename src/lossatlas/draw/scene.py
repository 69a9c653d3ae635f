"""The scene: everything a viewer needs to draw maps, as plain arrays and words.

It is the contract between Python and whatever draws: the page, a notebook, a live view. Python decides what is shown and
computes every number; a viewer computes nothing but pixels. A scene travels as a JSON header and one block of bytes:
each array in the header is ``{"dtype": "float32", "shape": [n, d], "offset": bytes}``, little-endian, C order, and starts
at a multiple of 8 bytes of the block.
"""

import dataclasses
import json
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from lossatlas._arrays import InputError

FORMAT = "lossatlas-scene"
VERSION = 2

Scale = Literal["linear", "log"]
# Points of a training and a retraining follow each other in time, those of a path (a way of low loss, a straight line) in
# space; those of a sample and of a slice, a grid of a plane, in no order: they are drawn as points alone.
Kind = Literal["training", "retraining", "sample", "slice", "path"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Metric:
    """One number a point: what it is called, what it means, and how its colours should be spread."""

    name: str  # short and unique in its map, such as "test_loss"
    label: str  # for people, such as "test loss"
    values: np.ndarray  # (n,) float32; NaN where there is none
    scale: Scale = "linear"
    unit: str = ""
    meaning: str = ""


@dataclass(frozen=True, kw_only=True)
class SceneRun:
    """What one run recorded: rows ``start`` to ``stop`` of its map; its kind says in which order, if any."""

    name: str
    kind: Kind
    start: int
    stop: int
    seed: int | None = None  # retrainings: the seed of the direction
    jump: float | None = None  # retrainings: the jump's size as a fraction of the weights' norm
    n_diverged: int = 0  # points with NaN or infinite weights, which have no row

    @property
    def is_ordered(self) -> bool:
        """Whether its points follow each other, so that a line may join them."""
        return self.kind not in ("sample", "slice")

    @property
    def diverged_after(self) -> int | None:
        """Row of the last point before it diverged; None if it did not, or has no such point."""
        return self.stop - 1 if self.n_diverged and self.is_ordered and self.stop > self.start else None


@dataclass(frozen=True, kw_only=True)
class Fact:
    """A number about a whole map, with the sentence that says how to read it."""

    label: str
    value: str
    meaning: str


@dataclass(frozen=True, kw_only=True, eq=False)
class SceneMap:
    """One map: points, the runs they belong to, the numbers at each point, and what is known of the whole."""

    name: str
    caption: str
    coordinates: np.ndarray  # (n, d) float32, d >= 2
    time: np.ndarray  # (n,) float32: the epoch or step of each point in its own run
    time_label: str = "epoch"
    runs: tuple[SceneRun, ...] = ()
    metrics: tuple[Metric, ...] = ()
    facts: tuple[Fact, ...] = ()
    optimum: int | None = None  # the row drawn as a star
    landscape: str | None = None  # name of the metric that is the landscape's height

    def __post_init__(self) -> None:
        n = len(self.coordinates)
        for what, values in [("time", self.time), *((metric.name, metric.values) for metric in self.metrics)]:
            if np.shape(values) != (n,):
                raise InputError(f"map {self.name!r} has {n} points but {what} has shape {np.shape(values)}")
        for run in self.runs:
            if not 0 <= run.start <= run.stop <= n:
                raise InputError(f"run {run.name!r} spans rows {run.start} to {run.stop}, but the map has {n} points")
        if self.optimum is not None and not 0 <= self.optimum < n:
            raise InputError(f"the optimum is row {self.optimum}, but the map has {n} points")


@dataclass(frozen=True, kw_only=True, eq=False)
class Scene:
    """Maps to be looked at together, under one title."""

    title: str
    maps: tuple[SceneMap, ...]
    summary: str = ""  # one or two sentences under the title


def encoded(scene: Scene) -> tuple[str, bytes]:
    """Return the scene as its JSON header and its block of bytes."""
    chunks: list[bytes] = []
    size = 0

    def plain(value: Any) -> Any:  # noqa: ANN401 - walks every field of the contract
        nonlocal size
        if isinstance(value, np.ndarray):
            dtype = "<i4" if value.dtype.kind in "iu" else "<f8" if value.dtype == np.float64 else "<f4"
            data = np.ascontiguousarray(value, dtype=dtype).tobytes()
            data += bytes(-len(data) % 8)
            reference = {"dtype": np.dtype(dtype).name, "shape": list(value.shape), "offset": size}
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
    """Return the scene that :func:`encoded` wrote.

    Raises:
        InputError: the header is of another format or version.
    """
    fields = json.loads(header)
    if fields.pop("format", None) != FORMAT:
        raise InputError("this is not a scene of lossatlas; make one with lossatlas map RUNS -o map.html")
    version = fields.pop("version", None)
    if version != VERSION:
        way_out = "write the page again" if isinstance(version, int) and version < VERSION else "update lossatlas"
        raise InputError(f"this scene has version {version}, and this lossatlas reads version {VERSION}; {way_out}")

    def array(reference: dict[str, Any]) -> np.ndarray:
        dtype = np.dtype(reference["dtype"]).newbyteorder("<")
        count = int(np.prod(reference["shape"]))
        return np.frombuffer(data, dtype, count, reference["offset"]).reshape(reference["shape"])

    def scene_map(fields: dict[str, Any]) -> SceneMap:
        return SceneMap(
            **fields
            | {
                "coordinates": array(fields["coordinates"]),
                "time": array(fields["time"]),
                "runs": tuple(SceneRun(**run) for run in fields["runs"]),
                "metrics": tuple(Metric(**metric | {"values": array(metric["values"])}) for metric in fields["metrics"]),
                "facts": tuple(Fact(**fact) for fact in fields["facts"]),
            }
        )

    return Scene(**fields | {"maps": tuple(scene_map(item) for item in fields["maps"])})
