"""A run within a budget: points are taken out where the trajectory loses least of its shape."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lossatlas.sketch import Sketch
from lossatlas.store import RunWriter, Tensors, as_numbers

# Of the budget, after a thinning: so that there is not one at every point.
_LEFT = 0.75
# Fewer points than these have no shape.
LEAST = 4


class Thinning:
    r"""Append to a run, and keep its snapshots within so many bytes.

    Once they exceed the budget points are taken out one by one until three quarters of it are left: always the one whose
    neighbours are nearest to each other along the path, :math:`s_{i+1} - s_{i-1}` with
    :math:`s_i = \sum_{j \le i} \lVert \theta_j - \theta_{j-1} \rVert`. So points end evenly spaced along the path, not in time:
    long steps stay, a rest is thinned. The first and the last always stay.

    Args:
        writer: Of the run, whose points so far all stay.
        most: Bytes of snapshots.
    """

    def __init__(self, writer: RunWriter, most: int) -> None:
        self._writer, self._most = writer, most
        self._before: dict[str, np.ndarray] | None = None
        self._was_finite = True
        self._fixed = writer.n_points  # of an earlier recorder: how far they went is not known
        self._along: list[float] = []  # of the points since

    def append(self, tensors: Tensors, *, sketch: Sketch | None = None, **about: Any) -> None:  # noqa: ANN401 - the writer's own
        """Append a point as the writer does, and take others out where the budget asks for it."""
        self._writer.append(tensors, sketch=sketch, **about)
        if sketch is not None:  # where there is one, its distances will do
            values = {"sketch": sketch.values}
        else:
            parameters = [entry for entry in self._writer.tensors if entry.kind == "parameter" and entry.name in tensors]
            values = {entry.name: as_numbers(tensors[entry.name].data, entry.dtype) for entry in parameters}
        is_finite = all(np.isfinite(tensor).all() for tensor in values.values())
        passed = self._along[-1] if self._along else 0.0
        moved = 0.0 if self._before is None else _distance(values, self._before)
        if not np.isfinite(moved):
            # The step to what is no number is longer than all before, so that its ends stay; from there on nothing moves.
            moved = 1 + passed if is_finite != self._was_finite else 0.0
        self._before, self._was_finite = values, is_finite
        self._along.append(passed + moved)
        if self._writer.n_bytes > self._most:
            size = self._writer.n_bytes / self._writer.n_points
            surplus = self._writer.n_points - max(LEAST, int(_LEFT * self._most / size))
            taken = superfluous(self._along, surplus)
            self._writer.drop([self._fixed + point for point in taken])
            gone = set(taken)
            self._along = [s for point, s in enumerate(self._along) if point not in gone]


def superfluous(along: Sequence[float], n: int) -> list[int]:
    """Return ``n`` points to take out of a path, given how far along it each lies; fewer where only its ends are left.

    >>> superfluous([0.0, 1.0, 1.1, 1.2, 2.0], 2)
    [2, 3]
    """
    left = list(range(len(along)))
    for _ in range(min(n, len(along) - 2)):
        s = np.array([along[point] for point in left])
        left.pop(1 + int(np.argmin(s[2:] - s[:-2])))
    return sorted(set(range(len(along))) - set(left))


def _distance(a: Mapping[str, np.ndarray], b: Mapping[str, np.ndarray]) -> float:
    return float(np.sqrt(sum(float(np.square(a[name].astype(np.float64) - b[name]).sum()) for name in a.keys() & b.keys())))
