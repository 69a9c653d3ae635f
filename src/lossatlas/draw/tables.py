"""An atlas' valleys and distances, as a scene has them."""

import numpy as np
from jaxtyping import Int

from lossatlas._atlas import Atlas, Trace, evenly
from lossatlas.draw.scene import Barcode, DistanceTable

# Points between which distances are shown: 256 kB of them.
_MOST = 256
_LABELS = {"cosine": "cosine distance", "euclidean": "Euclidean distance"}


def barcode(atlas: Atlas) -> Barcode | None:
    """Return valleys and cycles of the atlas' loss, if it has one."""
    found = atlas.valleys
    if found is None or atlas.loss is None:
        return None
    with np.errstate(over="ignore"):  # beyond 3e38 a viewer shows infinity
        return Barcode(
            metric=atlas.loss,
            births=found.births.astype(np.float32),
            deaths=found.deaths.astype(np.float32),
            dimension=found.dimension.astype(np.int32),
            row=found.row.astype(np.int32),
            offsets=found.offsets.astype(np.int32),
            members=found.members.astype(np.int32),
            highest=found.highest,
        )


def distance_table(atlas: Atlas) -> DistanceTable | None:
    """Return the distances between some points of the atlas, if it keeps them."""
    if atlas.distances is None:
        return None
    rows = spread(atlas.traces, atlas.n_points)
    return DistanceTable(
        label="root of the Bhattacharyya distance" if atlas.space == "predictions" else _LABELS[atlas.embedding.settings.metric],
        rows=rows.astype(np.int32),
        values=atlas.distances[np.ix_(rows, rows)].astype(np.float32),
    )


def spread(traces: tuple[Trace, ...], n: int, *, most: int = _MOST) -> Int[np.ndarray, " k"]:
    """Return rows spread evenly along the runs, with the first and the last of each where there is room."""
    if n <= most:
        return np.arange(n)
    ends = np.unique([row for trace in traces if trace.stop > trace.start for row in (trace.start, trace.stop - 1)])
    if len(ends) >= most:
        return ends[evenly(len(ends), most)]
    others = np.setdiff1d(np.arange(n), ends, assume_unique=True)
    return np.union1d(ends, others[evenly(len(others), most - len(ends))])
