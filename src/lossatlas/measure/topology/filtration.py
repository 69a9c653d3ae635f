"""A loss over the neighbour graph: the points that count, and the edges between them."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from jaxtyping import Float, Int

from lossatlas._arrays import Distances, InputError, Vector, checked_distances
from lossatlas.embed import PhateEmbedding
from lossatlas.embed.settings import refuse_unknown
from lossatlas.measure.topology.graph import bridged_graph, neighbour_graph

Pieces: TypeAlias = Literal["apart", "joined"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Filtration:
    """Points with a finite value, and the edges of the graph of their nearest neighbours."""

    rows: Int[np.ndarray, " c"]  # of the points that count, ascending
    values: Float[np.ndarray, " c"]
    edges: Int[np.ndarray, "e 2"]  # between the points that count, by their number among these
    n_left_out: int


def filtration(
    distances_or_embedding: Distances | PhateEmbedding, values: Vector, *, knn: int, pieces: Pieces = "apart"
) -> Filtration:
    """Return the graph of the points whose value is finite; see :func:`persistence`.

    Raises:
        InputError: the numbers of points differ, fewer than two values are finite, or ``knn`` does not fit.
    """
    refuse_unknown(pieces=(pieces, Pieces))
    if isinstance(distances_or_embedding, PhateEmbedding):
        distances = distances_or_embedding.potential_distances
    else:
        distances = checked_distances(distances_or_embedding)
    if np.shape(values) != (len(distances),):
        raise InputError(f"there are {len(distances)} points but values have shape {np.shape(values)}; pass one value a point")
    rows = np.flatnonzero(np.isfinite(values))
    if len(rows) < 2:
        raise InputError(f"a filtration needs at least 2 finite values, but there are {len(rows)}; record the loss")
    counted = distances[np.ix_(rows, rows)]
    edges = neighbour_graph(counted, knn=knn)
    return Filtration(
        rows=rows,
        values=np.asarray(values, dtype=np.float64)[rows],
        edges=edges if pieces == "apart" else bridged_graph(edges, counted),
        n_left_out=len(distances) - len(rows),
    )
