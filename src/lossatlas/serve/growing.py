"""A map of a scene with other rows than it had: some gone, some new, which have no more than a place and what was recorded."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int

from lossatlas._arrays import Vector
from lossatlas.draw import Barcode, DistanceTable, Layout, Metric, SceneMap, SceneRun


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows that a map is to have."""

    old: Int[np.ndarray, " n"]  # row of the standing map, -1 for a new point
    places: Float[np.ndarray, "n d"]  # of the new points; else NaN
    time: Vector
    runs: tuple[SceneRun, ...]
    recorded: Mapping[str, Vector]  # metrics by name


def grown(map_: SceneMap, rows: Rows) -> SceneMap:
    """Return the map with these rows.

    New points have a place in the first layout, in its plane, and are marked; in other layouts, and for numbers that are not
    recorded but derived, they have NaN. What rests on a row that is gone (a barcode, a row of distances) is left out.
    """
    row_of = np.full(map_.n_points, -1)
    row_of[rows.old[rows.old >= 0]] = np.flatnonzero(rows.old >= 0)
    first, *others = map_.layouts
    plane = rows.places[:, :2]
    seen_first = _layout(first, rows.old)
    coordinates = np.where(rows.old[:, None] < 0, plane, seen_first.coordinates).astype(np.float32)
    optimum = None if map_.optimum is None else int(row_of[map_.optimum])
    return replace(
        map_,
        layouts=(replace(seen_first, coordinates=coordinates), *(_layout(layout, rows.old) for layout in others)),
        time=rows.time.astype(np.float32),
        runs=rows.runs,
        metrics=tuple(_metric(metric, rows) for metric in map_.metrics),
        optimum=None if optimum is not None and optimum < 0 else optimum,
        barcode=_barcode(map_, row_of),
        distances=_distances(map_, row_of),
        provisional=(rows.old < 0).astype(np.int32),
    )


def _taken(values: np.ndarray, old: np.ndarray) -> np.ndarray:
    taken = np.full((len(old), *values.shape[1:]), np.nan, np.float32)
    taken[old >= 0] = values[old[old >= 0]]
    return taken


def _layout(layout: Layout, old: np.ndarray) -> Layout:
    return replace(
        layout,
        coordinates=_taken(layout.coordinates, old),
        coordinates_3d=None if layout.coordinates_3d is None else _taken(layout.coordinates_3d, old),
        metrics=tuple(replace(metric, values=_taken(metric.values, old)) for metric in layout.metrics),
    )


def _metric(metric: Metric, rows: Rows) -> Metric:
    values = _taken(metric.values, rows.old)
    if metric.name in rows.recorded:
        with np.errstate(over="ignore"):  # beyond 3e38 a viewer shows infinity
            values = rows.recorded[metric.name].astype(np.float32)
    return replace(metric, values=values)


def _barcode(map_: SceneMap, row_of: np.ndarray) -> Barcode | None:
    barcode = map_.barcode
    if barcode is None or (row_of[np.concatenate([barcode.row, barcode.members])] < 0).any():
        return None
    return replace(barcode, row=row_of[barcode.row].astype(np.int32), members=row_of[barcode.members].astype(np.int32))


def _distances(map_: SceneMap, row_of: np.ndarray) -> DistanceTable | None:
    table = map_.distances
    if table is None:
        return None
    kept = np.flatnonzero(row_of[table.rows] >= 0)
    return replace(table, rows=row_of[table.rows[kept]].astype(np.int32), values=table.values[np.ix_(kept, kept)])
