"""The valleys and cycles of a landscape one by one: where each begins and ends as the loss rises, and which points are in it."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from lossatlas._arrays import Distances, InputError, Vector
from lossatlas.embed import PhateEmbedding
from lossatlas.measure.topology.filtration import Filtration, filtration
from lossatlas.measure.topology.meeting import meetings

# As many members are listed as the map has points, so many times: valleys lie within valleys.
_LISTED = 10


@dataclass(frozen=True, kw_only=True, eq=False)
class Valleys:
    """Classes of a sublevel filtration with their points: valleys (dimension 0) first, each kind by its persistence.

    Attributes:
        births: Value at which each begins, ``(m,)``.
        deaths: Value at which it ends, ``(m,)``; NaN where it never does.
        dimension: 0 a valley, 1 a cycle.
        row: Of a valley the lowest point, of a cycle the higher end of the edge that closes it.
        offsets: ``members[offsets[i]:offsets[i + 1]]`` are the rows in the i-th; none where too many were listed before.
        members: Of a valley the points that hang together below its end, ascending; of a cycle the ends of its last edge.
        highest: Highest value, where what never ends is closed.
        n_all: Numbers of valleys and of cycles there are, of which the most persistent are here.
        n_left_out: Points whose value is NaN or infinite.
        knn: Neighbours of each point.
    """

    births: Float[np.ndarray, " m"]
    deaths: Float[np.ndarray, " m"]
    dimension: Int[np.ndarray, " m"]
    row: Int[np.ndarray, " m"]
    offsets: Int[np.ndarray, " o"]
    members: Int[np.ndarray, " k"]
    highest: float
    n_all: tuple[int, int]
    n_left_out: int
    knn: int

    @property
    def persistence(self) -> Float[np.ndarray, " m"]:
        """Height of each, closed at the highest value where it never ends."""
        return np.where(np.isnan(self.deaths), self.highest, self.deaths) - self.births

    def rows_in(self, i: int) -> Int[np.ndarray, " j"]:
        """Rows of the points in one of them."""
        return self.members[self.offsets[i] : self.offsets[i + 1]]


class _Class(NamedTuple):
    birth: float
    death: float  # NaN where it never ends
    dimension: int
    row: int
    members: list[int]


def valleys(distances_or_embedding: Distances | PhateEmbedding, values: Vector, *, knn: int = 20, most: int = 200) -> Valleys:
    """The valleys and cycles that :func:`persistence` counts, with the points in each.

    Of two components that meet, the one with the higher lowest value ends (the elder rule; Edelsbrunner and Harer 2010,
    Section VII.1), of equal ones that whose lowest point has the higher row. Valleys that end where they begin are none.

    Args:
        distances_or_embedding: Distances ``(n, n)``, or an embedding whose potential distances are taken.
        values: The loss at each point, ``(n,)``.
        knn: Neighbours of each point. Default of Horoi et al. 2022, Section 3.3.
        most: Valleys and cycles in all; each kind gets half, and what the other leaves.

    Raises:
        InputError: the numbers of points differ, fewer than two values are finite, or a number does not fit.

    >>> path = np.abs(np.subtract.outer(np.arange(3.0), np.arange(3.0)))
    >>> found = valleys(path, np.array([0.0, 5.0, 1.0]), knn=1)
    >>> found.births, found.deaths, [found.rows_in(i).tolist() for i in range(2)]
    (array([0., 1.]), array([nan,  5.]), [[0, 1, 2], [2]])
    """
    if most < 1:
        raise InputError(f"most must be 1 or more, but is {most}; pass how many valleys and cycles are wanted")
    on = filtration(distances_or_embedding, values, knn=knn)
    highest = float(on.values.max())
    basins, cycles = (
        sorted(found, key=lambda one: (one.birth - (highest if math.isnan(one.death) else one.death), one.row))
        for found in _classes(on)
    )
    n_basins = min(len(basins), max((most + 1) // 2, most - len(cycles)))
    shown = [*basins[:n_basins], *cycles[: most - n_basins]]
    sizes, left = [], _LISTED * len(on.rows)
    for one in shown:
        size = len(one.members) if len(one.members) <= left else 0
        left -= size
        sizes.append(size)
    listed = [np.sort(on.rows[one.members]) for one, size in zip(shown, sizes, strict=True) if size]
    return Valleys(
        births=np.array([one.birth for one in shown]),
        deaths=np.array([one.death for one in shown]),
        dimension=np.array([one.dimension for one in shown], dtype=np.int64),
        row=on.rows[[one.row for one in shown]],
        offsets=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        members=np.concatenate(listed),
        highest=highest,
        n_all=(len(basins), len(cycles)),
        n_left_out=on.n_left_out,
        knn=knn,
    )


def _classes(on: Filtration) -> tuple[list[_Class], list[_Class]]:
    """All valleys and all cycles, in the order in which they end and close."""
    # Of each component, by its lowest point, all that joined it; the height of the last that did, and how many were there below.
    inside = [[point] for point in range(len(on.values))]
    joined = [(-np.inf, 0)] * len(on.values)
    births = on.values.tolist()
    basins, cycles = [], []
    for meeting in meetings(on):
        height, older, younger = meeting.height, meeting.older, meeting.younger
        if meeting.is_cycle:
            cycles.append(_Class(height, math.nan, 1, meeting.higher, [meeting.lower, meeting.higher]))
            continue
        if births[younger] < height:
            last, below = joined[younger]
            basins.append(_Class(births[younger], height, 0, younger, inside[younger][: below if last == height else None]))
        if joined[older][0] < height:
            joined[older] = (height, len(inside[older]))
        inside[older].extend(inside[younger])
        inside[younger] = []
    basins += [_Class(births[point], math.nan, 0, point, members) for point, members in enumerate(inside) if members]
    return basins, cycles
