"""Pairs that a product about one centre cannot tell apart: measured about their own centre, or one by one."""

from concurrent.futures import Executor
from dataclasses import dataclass, field

import numpy as np

from lossatlas.distance.gram import Gram, Part, add_parts, block_width
from lossatlas.distance.kernels import add_differences, count_lost, label_lost, list_lost, square_distances
from lossatlas.distance.source import PointSource, slabs
from lossatlas.distance.threads import over_rows

# ‖a-b‖² from a Gram matrix about the centroid is off by some eps (‖a-c‖² + ‖b-c‖²). Below this share of that sum it has
# fewer than 8 good digits left in float64.
CANCELLED = 1e-7
# A pair measured alone costs some five times its part of a product: above this share of lost pairs a product is cheaper.
_DENSE = 0.2
_LEAST = 12  # points below which it does not matter
_ROUNDS = 4


@dataclass
class Group:
    """Points that lost pairs link, some of them through others."""

    rows: np.ndarray
    n_lost: int
    gram: Gram = field(init=False)

    @property
    def is_dense(self) -> bool:
        """Whether a product about the mean of the group is cheaper than its lost pairs one by one."""
        m = len(self.rows)
        return m >= _LEAST and self.n_lost > _DENSE * m * (m - 1) / 2


@dataclass(frozen=True, eq=False)
class Lost:
    """The lost pairs, -1 in the upper half of squared distances: how many in each row, and whom they link."""

    counts: np.ndarray
    groups: list[Group]

    def __len__(self) -> int:
        return sum(group.n_lost for group in self.groups)


def lost_pairs(squared: np.ndarray, pool: Executor) -> Lost:
    """Find the lost pairs and the connected components of their graph."""
    n = len(squared)
    counts, labels = np.empty(n, np.int64), np.empty(n, np.int64)
    over_rows(pool, lambda a, b: count_lost(squared, counts, a, b), n, triangle=True)
    label_lost(squared, counts, labels)
    order = np.argsort(labels, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(labels[order])) + 1)
    found = [Group(rows, int(counts[rows].sum())) for rows in parts if len(rows) > 1]
    return Lost(counts, found)


def measure_lost(squared: np.ndarray, norms: np.ndarray, source: PointSource, pool: Executor, *, megabytes: float) -> None:
    """Fill in the lost pairs of the upper half of squared distances, in float64; one pass over their points a round.

    A group of many lost pairs is multiplied about its own mean, which leaves those that are near even there to the next
    round: so clusters within clusters are reached. Few, as in a trajectory whose neighbours in time are near, are measured
    from their differences; so are those that rounds do not part.
    """
    before = np.inf
    for round_ in range(_ROUNDS):
        lost = lost_pairs(squared, pool)
        if not lost:
            return
        is_last = round_ == _ROUNDS - 1 or len(lost) > before / 2
        before = len(lost)
        dense = [] if is_last else [group for group in lost.groups if group.is_dense]
        single = [group for group in lost.groups if is_last or not group.is_dense]
        _pass(squared, norms, dense, _listed(squared, lost, single), source, pool=pool, megabytes=megabytes)


def _pass(
    squared: np.ndarray, norms: np.ndarray, dense: list[Group], single: tuple[np.ndarray, np.ndarray], source: PointSource, *,
    pool: Executor, megabytes: float,
) -> None:  # fmt: skip
    first, second = single
    sums = np.zeros(len(first))
    needed = np.unique(np.concatenate([*(group.rows for group in dense), first, second]))
    for group in dense:
        group.gram = Gram(np.zeros((len(group.rows),) * 2), np.float64)
    for slab in slabs(source, needed, megabytes=megabytes):
        at = np.full(source.n_points, -1)
        at[needed] = slab.rows
        for group in dense:
            most = max(1, int(megabytes * 2**17 / len(group.rows)))
            columns = slab.stop - slab.start
            width = block_width(len(group.rows), columns, np.float64, most=min(most, columns))
            add_parts(group.gram, [Part(slab._replace(rows=at[group.rows]))], pool, width=width)
        if len(first):
            _add_pairs(slab.points, (at[first], at[second]), (slab.start, slab.stop), sums, pool)
    squared[first, second] = sums
    for group in dense:
        products, own, rows = group.gram.products, group.gram.own, group.rows
        square_distances(products, own, norms[rows], CANCELLED, np.ones(2), 0, len(rows))
        upper = np.triu_indices(len(rows), k=1)
        squared[rows[upper[0]], rows[upper[1]]] = products[upper]


def _listed(squared: np.ndarray, lost: Lost, single: list[Group]) -> tuple[np.ndarray, np.ndarray]:
    """Return the two points of each lost pair of some groups."""
    rows = np.sort(np.concatenate([np.zeros(0, np.int64), *(group.rows for group in single)]))
    first, second = np.empty((2, lost.counts[rows].sum()), np.int64)
    list_lost(squared, lost.counts, rows, first, second)
    return first, second


def _add_pairs(
    points: np.ndarray, pairs: tuple[np.ndarray, np.ndarray], columns: tuple[int, int], sums: np.ndarray, pool: Executor
) -> None:
    def add(start: int, stop: int) -> None:
        add_differences(points, points, pairs[0][start:stop], pairs[1][start:stop], columns[0], columns[1], sums[start:stop])

    over_rows(pool, add, len(sums))
