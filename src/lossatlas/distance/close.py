"""Pairs that a product about one centre cannot tell apart: measured about their own centre, or one by one."""

from concurrent.futures import Executor
from dataclasses import dataclass, field

import numpy as np

from lossatlas.distance.gram import Gram, add_block, block_width
from lossatlas.distance.kernels import add_differences, label_lost, square_distances
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


def groups(squared: np.ndarray) -> list[Group]:
    """Return the connected components of the lost pairs, which are -1 in the upper half."""
    n = len(squared)
    labels, counts = np.empty(n, np.int64), np.empty(n, np.int64)
    label_lost(squared, labels, counts)
    order = np.argsort(labels, kind="stable")
    first = np.flatnonzero(np.diff(labels[order], prepend=-1))
    parts = np.split(order, first[1:])
    return [Group(rows, int(counts[rows[0]])) for rows in parts if counts[rows[0]]]


def measure_lost(squared: np.ndarray, norms: np.ndarray, source: PointSource, pool: Executor, *, megabytes: float) -> None:
    """Fill in the lost pairs of the upper half of squared distances, in float64; one pass over their points a round.

    A group of many lost pairs is multiplied about its own mean, which leaves those that are near even there to the next
    round: so clusters within clusters are reached. Few, as in a trajectory whose neighbours in time are near, are measured
    from their differences; so are those that rounds do not part.
    """
    before = np.inf
    for round_ in range(_ROUNDS):
        lost = groups(squared)
        if not lost:
            return
        count = sum(group.n_lost for group in lost)
        is_last = round_ == _ROUNDS - 1 or count > before / 2
        before = count
        dense = [] if is_last else [group for group in lost if group.is_dense]
        single = [group for group in lost if is_last or not group.is_dense]
        _pass(squared, norms, dense, single, source, pool=pool, megabytes=megabytes)


def _pass(
    squared: np.ndarray, norms: np.ndarray, dense: list[Group], single: list[Group], source: PointSource, *, pool: Executor,
    megabytes: float,
) -> None:  # fmt: skip
    first, second = _lost_pairs(squared, single)
    sums = np.zeros(len(first))
    needed = np.sort(np.concatenate([group.rows for group in dense + single]))
    for group in dense:
        group.gram = Gram(np.zeros((len(group.rows),) * 2), np.float64)
    for slab in slabs(source, needed, megabytes=megabytes):
        at = np.full(source.n_points, -1)
        at[needed] = slab.rows
        for group in dense:
            most = max(1, int(megabytes * 2**17 / len(group.rows)))
            width = block_width(len(group.rows), np.float64, most=min(most, slab.stop - slab.start))
            add_block(group.gram, slab.points, at[group.rows], (slab.start, slab.stop), pool, width=width)
        if len(first):
            _add_pairs(slab.points, (at[first], at[second]), (slab.start, slab.stop), sums, pool)
    squared[first, second] = sums
    for group in dense:
        products, own, rows = group.gram.products, group.gram.own, group.rows
        square_distances(products, own, norms[rows], CANCELLED, np.ones(2), 0, len(rows))
        upper = np.triu_indices(len(rows), k=1)
        squared[rows[upper[0]], rows[upper[1]]] = products[upper]


def _lost_pairs(squared: np.ndarray, single: list[Group]) -> tuple[np.ndarray, np.ndarray]:
    pairs = [[np.zeros(0, np.int64)], [np.zeros(0, np.int64)]]
    for group in single:
        for at, i in enumerate(group.rows[:-1]):
            later = group.rows[at + 1 :]
            found = later[squared[i, later] < 0]
            pairs[0].append(np.full(len(found), i))
            pairs[1].append(found)
    return np.concatenate(pairs[0]), np.concatenate(pairs[1])


def _add_pairs(
    points: np.ndarray, pairs: tuple[np.ndarray, np.ndarray], columns: tuple[int, int], sums: np.ndarray, pool: Executor
) -> None:
    def add(start: int, stop: int) -> None:
        add_differences(points, points, pairs[0][start:stop], pairs[1][start:stop], columns[0], columns[1], sums[start:stop])

    over_rows(pool, add, len(sums))
