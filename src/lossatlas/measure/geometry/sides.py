"""The triangles that a trajectory's geometry is made of: which points are their corners, how long their sides are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from lossatlas._arrays import Indices, Mask, Vector
from lossatlas.measure.trust.nulls import checked_runs


class Corners(NamedTuple):
    """The other corners of the triangles at each point, ``(n,)``: a point that has none is its own."""

    before: Indices
    after: Indices
    start: Indices
    end: Indices
    is_in_run: Mask

    @property
    def has_before(self) -> Mask:
        """Whether a step leads to it."""
        return self.before != np.arange(len(self.before))

    @property
    def has_after(self) -> Mask:
        """Whether a step leads from it."""
        return self.after != np.arange(len(self.after))


class Squares(NamedTuple):
    """Squared lengths of their sides, ``(n,)``."""

    steps: Vector  # from the point before
    across: Vector  # from the point before to the point after
    from_start: Vector
    from_end: Vector


def corners(runs: Sequence[tuple[int, int]], n: int) -> Corners:
    """Return the rows of the corners.

    Raises:
        InputError: two runs overlap, or one leaves the table.
    """
    before, after, start, end = np.tile(np.arange(n), (4, 1))
    is_in_run = np.zeros(n, dtype=bool)
    for first, stop in checked_runs(runs, n):
        if first == stop:
            continue
        before[first + 1 : stop] -= 1
        after[first : stop - 1] += 1
        start[first:stop], end[first:stop] = first, stop - 1
        is_in_run[first:stop] = True
    return Corners(before, after, start, end, is_in_run)


def squares_of_walks(steps: Vector, rows: Corners) -> Squares:
    """Squared sides where all steps are at right angles: sums of their squares; NaN counts as no step."""
    steps = np.where(rows.has_before, steps, 0.0)
    from_start, from_end = np.zeros((2, len(steps)))
    for first in np.flatnonzero((rows.start == np.arange(len(steps))) & rows.has_after):
        last = rows.end[first]
        from_start[first + 1 : last + 1] = np.cumsum(steps[first + 1 : last + 1])
        from_end[first:last] = np.cumsum(steps[first + 1 : last + 1][::-1])[::-1]
    return Squares(steps, steps + steps[rows.after], from_start, from_end)


@dataclass(frozen=True)
class PerRun:
    """What becomes of numbers of points where there is one a run."""

    runs: tuple[tuple[int, int], ...]

    def sums(self, values: Vector) -> Float[np.ndarray, " r"]:
        """Sums of those that are numbers."""
        return np.array([np.nansum(values[first:stop]) for first, stop in self.runs], dtype=np.float64)

    def means(self, values: Vector) -> Float[np.ndarray, " r"]:
        """Means of those that are numbers; NaN where none is."""
        kept = [values[first:stop][~np.isnan(values[first:stop])] for first, stop in self.runs]
        return np.array([part.mean() if len(part) else np.nan for part in kept], dtype=np.float64)

    def firsts(self, values: Vector) -> Float[np.ndarray, " r"]:
        """The value of each start; 0 of a run without points."""
        return np.array([values[first] if stop > first else 0.0 for first, stop in self.runs], dtype=np.float64)

    def spans(self, values: Vector) -> Float[np.ndarray, " r"]:
        """The value of each end less that of its start."""
        return np.array(
            [values[stop - 1] - values[first] if stop > first else 0.0 for first, stop in self.runs], dtype=np.float64
        )
