"""What can be wrong with snapshots, found from what was kept of them."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from scipy.spatial.distance import pdist, squareform

from lossatlas.measure.auditing.finding import Finding
from lossatlas.measure.auditing.reading import Reading

# Snapshots that differ by less than this share of their norm are one: float32 rounds at 6e-8.
_NEAR = 3e-7
# A step between snapshots that is longer than so many times the median of its neighbours is a jump.
_JUMP = 10.0
_AROUND = 4
# Snapshots in each other's place: their exchange saves so much of the steps around them. Of a random walk, neighbours in the
# wrong order cost 22 % of three steps, of a straight one 40; distant ones half of four and more. Noise saves less.
_NEAR_SAVES, _FAR_SAVES = 0.2, 0.3
_WINDOW = 2_000  # snapshots whose pairs are compared at once


def findings(read: Sequence[Reading]) -> list[Finding]:
    """Return all that is wrong, in the order of the checks."""
    whole = [reading for reading in read if reading.error is None]
    made = [Finding("damaged", (reading.source.name,), reading.error) for reading in read if reading.error is not None]
    made += _layouts(whole)
    made += _not_finite(whole)
    made += _identical(whole)
    made += _gaps(read)
    made += _never_moved(whole)
    placed = [reading for reading in whole if reading.sketch is not None and reading.tensors.keys() == whole[0].tensors.keys()]
    exchanged, in_order = _exchanged(placed)
    return made + exchanged + list(_jumps(in_order))


def _layouts(read: Sequence[Reading]) -> Iterator[Finding]:
    """Compare each with the one before, so that a change is said once."""
    for before, after in pairwise(read):
        for name in sorted(before.tensors.keys() | after.tensors.keys()):
            old, new = before.tensors.get(name), after.tensors.get(name)
            pair = (before.source.name, after.source.name)
            if old is None or new is None:
                yield Finding("layout", pair, "is missing" if new is None else "is new", name)
            elif old.layout != new.layout:
                (dtype, shape), (new_dtype, new_shape) = old.layout, new.layout
                yield Finding("layout", pair, f"was {dtype} {shape} and is {new_dtype} {new_shape}", name)


def _not_finite(read: Sequence[Reading]) -> Iterator[Finding]:
    for reading in read:
        for name, tensor in reading.tensors.items():
            if tensor.n_not_finite:
                values = "value is" if tensor.n_not_finite == 1 else "values are"
                yield Finding("not finite", (reading.source.name,), f"{tensor.n_not_finite} {values} NaN or infinite", name)


def _identical(read: Sequence[Reading]) -> Iterator[Finding]:
    same = defaultdict(list)
    for reading in read:
        same[reading.digest].append(reading)
    groups = [group for group in same.values() if len(group) > 1]
    for group in groups:
        names = tuple(reading.source.name for reading in group)
        steps = ", ".join(str(reading.source.step) for reading in group)
        yield Finding("identical", names, f"the same to the last bit at steps {steps}")
    firsts = [group[0] for group in same.values() if group[0].sketch is not None]
    for i, j, share in _near_pairs(firsts):
        names = (firsts[i].source.name, firsts[j].source.name)
        yield Finding("identical", names, f"the same but for {share:.0e} of their norm, as rounding leaves it")


def _near_pairs(read: Sequence[Reading]) -> Iterator[tuple[int, int, float]]:
    """Find pairs that differ by rounding: of norms as near as that, which are neighbours in the order of norms."""
    order = sorted(range(len(read)), key=lambda i: read[i].norm)
    for place, i in enumerate(order):
        for j in order[place + 1 :]:
            norm = max(read[i].norm, np.finfo(float).tiny)
            if read[j].norm - read[i].norm > _NEAR * norm:
                break
            share = float(np.linalg.norm(read[i].sketched - read[j].sketched)) / norm
            if share <= _NEAR and read[i].tensors.keys() == read[j].tensors.keys():
                yield min(i, j), max(i, j), share


def _gaps(read: Sequence[Reading]) -> Iterator[Finding]:
    steps = np.array([reading.source.step for reading in read])
    apart = np.diff(steps)
    if len(apart) < 4:
        return
    usual, count = Counter(apart.tolist()).most_common(1)[0]
    if count < 0.7 * len(apart):
        return  # spaced otherwise, as on a log scale
    for i in np.flatnonzero((apart > usual) & (apart % max(usual, 1) == 0)).tolist():
        if i + 1 == len(apart):
            continue  # the last one of a training comes when it ends
        names = (read[i].source.name, read[i + 1].source.name)
        yield Finding("gap", names, f"no snapshot from step {steps[i]} to {steps[i + 1]}, where others are {usual} apart")


def _never_moved(read: Sequence[Reading]) -> Iterator[Finding]:
    """Find tensors of real numbers that are the same in all, while something moves."""
    if len(read) < 3 or len({reading.digest for reading in read}) < 3:
        return
    for name, first in read[0].tensors.items():
        if name in read[0].source.frozen:
            continue
        others = [reading.tensors.get(name) for reading in read[1:]]
        if first.layout[0].startswith(("F", "BF")) and all(
            other is not None and other.digest == first.digest for other in others
        ):
            names = (read[0].source.name, read[-1].source.name)
            yield Finding("never moved", names, f"is the same in all {len(read)} snapshots", name)


def _exchanged(read: Sequence[Reading]) -> tuple[list[Finding], list[Reading]]:
    """Exchange pairs while that makes the path through all snapshots much shorter; return what was found, and that order."""
    order = list(read)
    made = []
    for first in range(0, max(1, len(read) - _WINDOW // 2), _WINDOW // 2):
        window = slice(first, first + _WINDOW)
        points = np.array([reading.sketched for reading in order[window]]).reshape(len(order[window]), -1)
        distances = squareform(pdist(points))
        for _ in range(len(points)):
            share, i, j = _best_exchange(distances)
            if share <= 0:
                break
            a, b = order[first + i], order[first + j]
            made.append(
                Finding("out of order", (a.source.name, b.source.name), f"exchanged, the path around them is {share:.0%} shorter")
            )
            order[first + i], order[first + j] = b, a
            places = np.arange(len(points))
            places[[i, j]] = j, i
            distances = distances[np.ix_(places, places)]
    return made, order


def _best_exchange(D: np.ndarray) -> tuple[float, int, int]:
    """Return which two points to exchange, and the share of the steps around them that it saves; 0 where it is too little.

    Of those that save a large share the one that saves most: its halves, an end for one of the two, save a share as large.
    """
    n = len(D)
    if n < 4:
        return 0.0, 0, 0
    step = np.diagonal(D, 1)
    before, after = np.append(0, step), np.append(step, 0)  # of each point to its neighbours; none beyond the ends
    left = np.vstack([np.zeros(n), D[:-1]])  # [i, j]: from the point before i to j
    right = np.vstack([D[1:], np.zeros(n)])  # [i, j]: from the point after i to j
    own = before + after
    now = own[:, None] + own[None, :]
    saved = now - (left + right + left.T + right.T)
    least = np.where(np.triu(np.ones((n, n), bool), 2), _FAR_SAVES, 2.0)  # none saves more than all
    # Neighbours share a step, which stays; at an end, where one side is free, a shorter way means little.
    i = np.arange(1, n - 2)
    now[i, i + 1] = before[i] + step[i] + after[i + 1]
    saved[i, i + 1] = before[i] + after[i + 1] - D[i - 1, i + 1] - D[i, i + 2]
    least[i, i + 1] = _NEAR_SAVES
    saved = np.where(saved >= least * now, saved, 0)
    place = np.unravel_index(int(saved.argmax()), saved.shape)
    return (float(saved[place] / now[place]) if saved[place] > 0 else 0.0), int(place[0]), int(place[1])


def _jumps(read: Sequence[Reading]) -> Iterator[Finding]:
    if len(read) < 2 * _AROUND:
        return
    points = np.array([reading.sketched for reading in read])
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    for i, step in enumerate(steps):
        around = np.delete(steps[max(0, i - _AROUND) : i + _AROUND + 1], min(i, _AROUND))
        if step > _JUMP * np.median(around) > 0:
            names = (read[i].source.name, read[i + 1].source.name)
            yield Finding("jump", names, f"{step / np.median(around):.0f} times as far apart as the snapshots around them")
