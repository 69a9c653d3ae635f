"""The merge tree of a landscape: its minima, the saddles over which they meet, and which minimum each gives way to."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from lossatlas._arrays import Distances, Vector
from lossatlas.embed import PhateEmbedding
from lossatlas.measure.topology.filtration import Pieces, filtration
from lossatlas.measure.topology.meeting import meetings


@dataclass(frozen=True, kw_only=True, eq=False)
class MergeTree:
    """Branches of the components of a rising loss, the lowest minimum first, of equals that of the lower row.

    Attributes:
        minima: Row of the lowest point of each branch, ``(m,)``.
        lows: Value there.
        saddles: Row of the point over which the branch meets an older one, ``(m,)``; -1 where it never does.
        passes: Value there; NaN where there is none.
        parent: Branch that it meets, the oldest that it hangs together with at its pass, ``(m,)``; -1 where there is none.
        highest: Highest value.
        n_points: Points with a finite value, which are those that count.
        n_left_out: Points whose value is NaN or infinite.
        knn: Neighbours of each point.
        pieces: Whether the components of the graph were joined.
    """

    minima: Int[np.ndarray, " m"]
    lows: Float[np.ndarray, " m"]
    saddles: Int[np.ndarray, " m"]
    passes: Float[np.ndarray, " m"]
    parent: Int[np.ndarray, " m"]
    highest: float
    n_points: int
    n_left_out: int
    knn: int
    pieces: Pieces

    @property
    def heights(self) -> Float[np.ndarray, " m"]:
        """Pass minus minimum of each branch; NaN where there is no pass."""
        return self.passes - self.lows

    @property
    def smad(self) -> float:
        r"""Mean of :math:`|\text{saddle} - \text{minimum}|` over the branches that have a saddle; NaN where none has.

        SMAD of Landscaper (arXiv 2602.07135).
        """
        known = self.heights[self.saddles >= 0]
        return float(known.mean()) if len(known) else np.nan

    @property
    def smad_over_range(self) -> float:
        """SMAD as a share of the range of the values, 0 to 1."""
        return self.smad / (self.highest - float(self.lows[0])) if (self.saddles >= 0).any() else np.nan


def merge_tree(
    distances_or_embedding: Distances | PhateEmbedding, values: Vector, *, knn: int = 20, pieces: Pieces = "apart"
) -> MergeTree:
    """The merge tree of ``values`` over the neighbour graph that :func:`persistence` looks at.

    Of two components that meet, the one with the higher lowest value ends (the elder rule), of equal ones that whose lowest
    point has the higher row; branches that end where they begin are none. Heights are the finite classes of the diagram.

    Args:
        distances_or_embedding: Distances ``(n, n)``, or an embedding whose potential distances are taken.
        values: The loss at each point, ``(n,)``.
        knn: Neighbours of each point. Default of Horoi et al. 2022, Section 3.3.
        pieces: Whether the components of the graph stay ``"apart"``, or are ``"joined"``; see :func:`persistence`.

    Raises:
        InputError: the numbers of points differ, fewer than two values are finite, or ``knn`` does not fit.

    >>> path = np.abs(np.subtract.outer(np.arange(5.0), np.arange(5.0)))
    >>> tree = merge_tree(path, np.array([2.0, 4.0, 1.0, 6.0, 0.0]), knn=1)
    >>> tree.minima, tree.saddles, tree.parent, tree.smad
    (array([4, 2, 0]), array([-1,  3,  1]), array([-1,  0,  1]), 3.5)
    """
    on = filtration(distances_or_embedding, values, knn=knn, pieces=pieces)
    n = len(on.values)
    older, saddle, passes = np.full(n, -1), np.full(n, -1), np.full(n, np.nan)
    for meeting in meetings(on):
        if not meeting.is_cycle:
            older[meeting.younger] = meeting.older
            saddle[meeting.younger] = meeting.higher
            passes[meeting.younger] = meeting.height
    minima = np.flatnonzero(~(passes == on.values))
    minima = minima[np.lexsort((minima, on.values[minima]))]
    # Where several meet at one height, they all meet the oldest: which edge is seen first is chance. The oldest come first.
    for branch in minima:
        if older[branch] >= 0 and passes[older[branch]] == passes[branch]:
            older[branch] = older[older[branch]]
    place = np.full(n + 1, -1)
    place[minima] = np.arange(len(minima))
    return MergeTree(
        minima=on.rows[minima],
        lows=on.values[minima],
        saddles=np.where(saddle[minima] < 0, -1, on.rows[saddle[minima]]),
        passes=passes[minima],
        parent=place[older[minima]],
        highest=float(on.values.max()),
        n_points=n,
        n_left_out=on.n_left_out,
        knn=knn,
        pieces=pieces,
    )
