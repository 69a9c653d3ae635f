"""The scene: everything a viewer needs to draw maps, as plain arrays and words.

It is the contract between Python and whatever draws: the page, a notebook, a live view. Python decides what is shown and
computes every number; a viewer computes nothing but pixels. A scene travels as a JSON header and one block of bytes:
each array in the header is ``{"dtype": "float32", "shape": [n, d], "offset": bytes}``, little-endian, C order, and starts
at a multiple of 8 bytes of the block. ``scene.schema.json`` beside this file says the same to machines, ``docs/scene.md`` to
people.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from lossatlas._arrays import InputError

FORMAT = "lossatlas-scene"
VERSION = 4

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
    group: str | None = None  # others: name of the runs that share a colour and an entry of the legend with this one
    n_diverged: int = 0  # points with NaN or infinite weights, which have no row

    def __post_init__(self) -> None:
        if self.group == "":
            raise InputError(f"the group of run {self.name!r} has no name; give it one, or None to a run that stands alone")

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

    def __post_init__(self) -> None:
        m, k = np.size(self.births), np.size(self.members)
        shapes: dict[str, tuple[int, ...]] = {
            "births": (m,),
            "deaths": (m,),
            "dimension": (m,),
            "row": (m,),
            "offsets": (m + 1,),
            "members": (k,),
        }
        _refuse_shapes(f"barcode of {self.metric!r}", self, shapes)
        _refuse_fractions(f"barcode of {self.metric!r}", self, ("dimension", "row", "offsets", "members"))
        if (np.diff(self.offsets) < 0).any() or (self.offsets[0], self.offsets[-1]) != (0, k):
            raise InputError(f"barcode of {self.metric!r}: offsets must rise from 0 to {k}, the number of members; count again")


@dataclass(frozen=True, kw_only=True, eq=False)
class DistanceTable:
    """Distances between some points of a map, evenly spaced along its runs."""

    label: str  # "cosine distance"
    rows: np.ndarray  # (k,) int32, ascending
    values: np.ndarray  # (k, k) float32

    def __post_init__(self) -> None:
        k = np.size(self.rows)
        _refuse_shapes(f"distances {self.label!r}", self, {"rows": (k,), "values": (k, k)})
        _refuse_fractions(f"distances {self.label!r}", self, ("rows",))


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
        n = np.size(self.time)
        self._refuse_shapes(n)
        self._refuse_rows(n)
        for run in self.runs:
            if not 0 <= run.start <= run.stop <= n:
                raise InputError(f"run {run.name!r} spans rows {run.start} to {run.stop}, but the map has {n} points")
        if self.optimum is not None and not 0 <= self.optimum < n:
            raise InputError(f"the optimum is row {self.optimum}, but the map has {n} points")
        for score in self.scores:
            if len(score.values) != len(self.layouts):
                raise InputError(f"score {score.label!r} has {len(score.values)} values for {len(self.layouts)} layouts")

    def _refuse_shapes(self, n: int) -> None:
        of = f"map {self.name!r}"
        _refuse_shapes(of, self, {"time": (n,)})
        if self.provisional is not None:
            _refuse_shapes(of, self, {"provisional": (n,)})
            _refuse_fractions(of, self, ("provisional",))
        for layout in self.layouts:
            _refuse_shape(of, f"layout {layout.name!r}", layout.coordinates, (n, 2))
            if layout.coordinates_3d is not None:
                _refuse_shape(of, f"layout {layout.name!r} in 3-D", layout.coordinates_3d, (n, 3))
        for metric in (*self.metrics, *(metric for layout in self.layouts for metric in layout.metrics)):
            _refuse_shape(of, f"metric {metric.name!r}", metric.values, (n,))

    def _refuse_rows(self, n: int) -> None:
        named = (
            {} if self.barcode is None else {"the barcode's row": self.barcode.row, "the barcode's members": self.barcode.members}
        )
        if self.distances is not None:
            named["the distances' rows"] = self.distances.rows
        for what, rows in named.items():
            if rows.size and not 0 <= rows.min() <= rows.max() < n:
                raise InputError(f"map {self.name!r}: {what} are {rows.min()} to {rows.max()}, but the map has {n} points")


@dataclass(frozen=True, kw_only=True, eq=False)
class SurfacePath:
    """A run on a surface: where it lies, how far from it, and the loss that is shown there beside the true one."""

    name: str
    steps: np.ndarray  # (m,) float32
    coordinates: np.ndarray  # (m, 2) float32, in the units of the surface's axes
    off_plane: np.ndarray  # (m,) float32: distance from the plane, in the weights' unit
    true_loss: np.ndarray  # (m,) float32
    drawn_loss: np.ndarray  # (m,) float32

    def __post_init__(self) -> None:
        m = np.size(self.steps)
        along = dict.fromkeys(("steps", "off_plane", "true_loss", "drawn_loss"), (m,))
        _refuse_shapes(f"run {self.name!r} on a surface", self, along | {"coordinates": (m, 2)})


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
        a, b = np.size(self.x), np.size(self.y)
        _refuse_shapes(f"surface {self.name!r}", self, {"x": (a,), "y": (b,), "loss": (a, b)})


@dataclass(frozen=True, kw_only=True, eq=False)
class Scene:
    """Maps to be looked at together, under one title; beside them, surfaces."""

    title: str
    maps: tuple[SceneMap, ...]
    summary: str = ""  # one or two sentences under the title
    surfaces: tuple[Surface, ...] = ()


def _refuse_shapes(of: str, part: object, shapes: dict[str, tuple[int, ...]]) -> None:
    for what, shape in shapes.items():
        _refuse_shape(of, what, getattr(part, what), shape)


def _refuse_shape(of: str, what: str, values: np.ndarray, shape: tuple[int, ...]) -> None:
    if np.shape(values) != shape:
        raise InputError(f"{of}: {what} has shape {np.shape(values)}, and its points ask for {shape}")


def _refuse_fractions(of: str, part: object, names: tuple[str, ...]) -> None:
    for what in names:
        dtype = getattr(part, what).dtype
        if dtype.kind not in "iu":
            raise InputError(f"{of}: {what} must be whole numbers, but its type is {dtype}; make it int32")
