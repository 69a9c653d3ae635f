"""The scene: everything a viewer needs to draw maps, as plain arrays and words.

It is the contract between Python and whatever draws: the page, a notebook, a live view. Python decides what is shown and
computes every number; a viewer computes nothing but pixels. A scene travels as a JSON header and one block of bytes:
each array in the header is ``{"dtype": "float32", "shape": [n, d], "offset": bytes}``, little-endian, C order, and starts
at a multiple of 8 bytes of the block. ``scene.schema.json`` beside this file says the same to machines, ``docs/scene.md`` to
people.
"""

import dataclasses
import json
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from lossatlas._arrays import InputError

FORMAT = "lossatlas-scene"
VERSION = 3

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
class Layout:
    """One way to draw the points of a map, and what it says of each of them: the first of a map is seen first."""

    name: str  # "PHATE", "PCA", …
    caption: str
    coordinates: np.ndarray  # (n, 2) float32; NaN where a point has no place
    coordinates_3d: np.ndarray | None = None  # (n, 3) float32, turned so that its first two axes lie upon the two of the plane
    metrics: tuple[Metric, ...] = ()  # numbers a point that depend on how the points are drawn, as how faithfully


@dataclass(frozen=True, kw_only=True, eq=False)
class Barcode:
    """Valleys and cycles of a landscape: where each begins and ends as the loss rises, and the points that are in it."""

    metric: str  # name of the metric that rises
    births: np.ndarray  # (m,) float32
    deaths: np.ndarray  # (m,) float32; NaN where it never ends
    dimension: np.ndarray  # (m,) int32: 0 a valley, 1 a cycle
    row: np.ndarray  # (m,) int32: the point where it begins, for a valley its lowest
    offsets: np.ndarray  # (m + 1,) int32: `members[offsets[i]:offsets[i + 1]]` are the rows in the i-th
    members: np.ndarray  # (k,) int32
    highest: float  # where what never ends is closed


@dataclass(frozen=True, kw_only=True, eq=False)
class DistanceTable:
    """Distances between some points of a map, evenly spaced along its runs."""

    label: str  # "cosine distance"
    rows: np.ndarray  # (k,) int32, ascending
    values: np.ndarray  # (k, k) float32


@dataclass(frozen=True, kw_only=True)
class Score:
    """How far layouts can be trusted, as one number each, beside the same number of nulls."""

    label: str
    meaning: str
    better: Literal["higher", "lower"]
    values: tuple[float | None, ...]  # one a layout of the map, in their order
    nulls: tuple[tuple[str, float | None], ...] = ()  # what the null is, as "random walk", and the number of its first layout


@dataclass(frozen=True, kw_only=True, eq=False)
class SceneMap:
    """One map: points, the ways to draw them, the runs they belong to, the numbers at each, and what is known of the whole."""

    name: str
    layouts: tuple[Layout, ...]
    time: np.ndarray  # (n,) float32: the epoch or step of each point in its own run
    time_label: str = "epoch"
    runs: tuple[SceneRun, ...] = ()
    metrics: tuple[Metric, ...] = ()
    facts: tuple[Fact, ...] = ()
    scores: tuple[Score, ...] = ()
    optimum: int | None = None  # the row drawn as a star
    landscape: str | None = None  # name of the metric that is the landscape's height
    barcode: Barcode | None = None
    distances: DistanceTable | None = None
    provisional: np.ndarray | None = None  # (n,) int32: 1 where a point was placed on a standing map, which a refit will move

    @property
    def n_points(self) -> int:
        """Number of points."""
        return len(self.time)

    def __post_init__(self) -> None:
        if not self.layouts:
            raise InputError(f"map {self.name!r} has no layout; give it one way at least to draw its points")
        self._refuse_shapes()
        n = len(self.time)
        for run in self.runs:
            if not 0 <= run.start <= run.stop <= n:
                raise InputError(f"run {run.name!r} spans rows {run.start} to {run.stop}, but the map has {n} points")
        if self.optimum is not None and not 0 <= self.optimum < n:
            raise InputError(f"the optimum is row {self.optimum}, but the map has {n} points")
        for score in self.scores:
            if len(score.values) != len(self.layouts):
                raise InputError(f"score {score.label!r} has {len(score.values)} values for {len(self.layouts)} layouts")

    def _refuse_shapes(self) -> None:
        n = len(self.time)
        for layout in self.layouts:
            _refuse_shape(self.name, f"layout {layout.name!r}", layout.coordinates, (n, 2))
            if layout.coordinates_3d is not None:
                _refuse_shape(self.name, f"layout {layout.name!r} in 3-D", layout.coordinates_3d, (n, 3))
        for metric in (*self.metrics, *(metric for layout in self.layouts for metric in layout.metrics)):
            _refuse_shape(self.name, metric.name, metric.values, (n,))
        if self.provisional is not None:
            _refuse_shape(self.name, "provisional", self.provisional, (n,))


@dataclass(frozen=True, kw_only=True, eq=False)
class SurfacePath:
    """A run on a surface: where it lies, how far from it, and the loss that is shown there beside the true one."""

    name: str
    steps: np.ndarray  # (m,) float32
    coordinates: np.ndarray  # (m, 2) float32, in the units of the surface's axes
    off_plane: np.ndarray  # (m,) float32: distance from the plane, in the weights' unit
    true_loss: np.ndarray  # (m,) float32
    drawn_loss: np.ndarray  # (m,) float32


@dataclass(frozen=True, kw_only=True, eq=False)
class Surface:
    """The loss over a plane of weights, on a grid."""

    name: str
    caption: str
    x: np.ndarray  # (a,) float32, ascending
    y: np.ndarray  # (b,) float32, ascending
    loss: np.ndarray  # (a, b) float32; NaN where it is no number or was not measured
    label: str = "loss"
    x_label: str = ""
    y_label: str = ""
    scale: Scale = "linear"
    path: SurfacePath | None = None

    def __post_init__(self) -> None:
        _refuse_shape(self.name, "loss", self.loss, (len(self.x), len(self.y)), of="surface")


@dataclass(frozen=True, kw_only=True, eq=False)
class Scene:
    """Maps to be looked at together, under one title; beside them, surfaces."""

    title: str
    maps: tuple[SceneMap, ...]
    summary: str = ""  # one or two sentences under the title
    surfaces: tuple[Surface, ...] = ()


def _refuse_shape(name: str, what: str, values: np.ndarray, shape: tuple[int, ...], *, of: str = "map") -> None:
    if np.shape(values) != shape:
        raise InputError(f"{of} {name!r}: {what} has shape {np.shape(values)}, and its points ask for {shape}")


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

    return typing.cast("Scene", _made(Scene, fields, array))


def _made(kind: Any, value: Any, array: Callable[[Any], np.ndarray]) -> Any:  # noqa: ANN401 - walks every field of the contract
    """Return what a field of this kind holds: the way back from :func:`encoded`."""
    if isinstance(kind, types.UnionType):
        if value is None:
            return None
        return _made(next(part for part in typing.get_args(kind) if part is not type(None)), value, array)
    if kind is np.ndarray:
        return array(value)
    if dataclasses.is_dataclass(kind):
        kinds = typing.get_type_hints(kind)
        return kind(**{name: _made(kinds[name], item, array) for name, item in value.items()})  # type: ignore[operator]
    if typing.get_origin(kind) is tuple:
        inner = typing.get_args(kind)
        parts = [inner[0]] * len(value) if inner[-1] is ... else inner
        return tuple(_made(part, item, array) for part, item in zip(parts, value, strict=True))
    return value
