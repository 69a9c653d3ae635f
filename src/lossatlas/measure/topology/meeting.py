"""The components of a landscape as its loss rises, edge by edge."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from lossatlas.measure.topology.filtration import Filtration


class Meeting(NamedTuple):
    """An edge that enters: the lowest points of the components of its two ends; the same one where it closes a cycle."""

    height: float
    higher: int  # end of the edge
    lower: int
    older: int
    younger: int

    @property
    def is_cycle(self) -> bool:
        """Whether the ends hung together before."""
        return self.older == self.younger


def meetings(on: Filtration) -> Iterator[Meeting]:
    """Yield the edges in the order of their values, of equal ones in that of their ends (union-find).

    Of two components that meet, the one whose lowest point is the lower is the older, of equals that of the lower row.
    """
    heights = on.values[on.edges].max(axis=1)
    order = np.lexsort((on.edges[:, 1], on.edges[:, 0], heights))
    ages = list(zip(on.values.tolist(), range(len(on.values)), strict=True))
    parent = list(range(len(on.values)))  # a root is the lowest point of its component

    def root(point: int) -> int:
        while parent[point] != point:
            parent[point] = parent[parent[point]]
            point = parent[point]
        return point

    for height, (a, b) in zip(heights[order].tolist(), on.edges[order].tolist(), strict=True):
        older, younger = sorted((root(a), root(b)), key=ages.__getitem__)
        lower, higher = sorted((a, b), key=ages.__getitem__)
        yield Meeting(height, higher, lower, older, younger)
        parent[younger] = older
