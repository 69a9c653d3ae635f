"""How far trajectories end from where they set out, against how far from each other: the paper's star as numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lossatlas._arrays import InputError
from lossatlas.distance import Pairwise
from lossatlas.measure.geometry.lengths import return_ratio
from lossatlas.measure.trust.nulls import checked_runs


@dataclass(frozen=True, kw_only=True)
class EndSpread:
    """Ends of several runs, in units of the weights.

    A star whose arms lead back to its centre has both ``way`` and ``apart`` near 0; where the ends meet somewhere else
    ``apart`` is far below ``null_apart``, and where each direction ends in a place of its own it is near.

    Attributes:
        n_runs: How many.
        scale: Mean length of the jumps; of runs that did not jump, mean displacement.
        way: Mean distance of the ends from the optimum; of runs that did not jump, each from its own start.
        apart: Mean distance of two ends.
        null_apart: The same if all ways led in directions at right angles, as directions drawn at random in many dimensions do.
        return_ratio: Mean over the runs of their :func:`return_ratio`; None without jumps.
        return_ratio_std: Standard deviation of it over the runs (of a sample, n - 1); None without jumps.
    """

    n_runs: int
    scale: float
    way: float
    apart: float
    null_apart: float
    return_ratio: float | None = None
    return_ratio_std: float | None = None

    @property
    def spread(self) -> float:
        """Mean distance of two ends over the scale; NaN where that is 0."""
        return self.apart / self.scale if self.scale else float("nan")

    @property
    def null_spread(self) -> float:
        """The spread if all ways led in directions at right angles."""
        return self.null_apart / self.scale if self.scale else float("nan")

    def summary(self) -> dict[str, float | int | None]:
        """Return the numbers as plain values: None where there is none."""
        numbers: dict[str, float | int | None] = {
            "n_runs": self.n_runs,
            "scale": self.scale,
            "way": self.way,
            "apart": self.apart,
            "null_apart": self.null_apart,
            "spread": self.spread if self.scale else None,
            "null_spread": self.null_spread if self.scale else None,
        }
        returned = {"return_ratio": self.return_ratio, "return_ratio_std": self.return_ratio_std}
        return numbers | {name: value for name, value in returned.items() if value is not None}


def end_spread(between: Pairwise, runs: Sequence[tuple[int, int]], *, optimum: int | None = None) -> EndSpread:
    r"""Measure the ends of retrainings that jumped equally far from an optimum, or of trainings of the same settings.

    With ends :math:`e_i` that lie :math:`d_i` from where run i set out, :math:`o_i`,

    .. math:: \text{apart} = \frac{2}{m (m - 1)} \sum_{i<j} \lVert e_i - e_j \rVert, \qquad
              \text{null} = \frac{2}{m (m - 1)} \sum_{i<j} \sqrt{\lVert o_i - o_j \rVert^2 + d_i^2 + d_j^2}

    Args:
        between: Distances of the points.
        runs: First row, and row after the last, of each.
        optimum: Row from which all jumped, which is then each :math:`o_i`; by default each set out at its own first row.

    Raises:
        InputError: there are fewer than two runs, one has no point or does not fit, or a retraining begins at the optimum.

    >>> from lossatlas.distance import pairwise
    >>> star = pairwise(np.array([[0.0, 0.0], [4.0, 0.0], [1.0, 0.0], [0.0, 4.0], [0.0, 1.0]]))
    >>> found = end_spread(star, [(1, 3), (3, 5)], optimum=0)
    >>> found.return_ratio, round(found.spread, 3), round(found.null_spread, 3)
    (0.25, 0.354, 0.354)
    """
    n = len(between.squared)
    bounds = np.array(checked_runs(runs, n)).reshape(-1, 2)
    if len(bounds) < 2 or (bounds[:, 0] == bounds[:, 1]).any():
        raise InputError(f"a spread needs 2 runs or more with points in each, but {len(bounds)} came; leave empty ones out")
    if optimum is not None and not 0 <= optimum < n:
        raise InputError(f"there are {n} points, but the optimum is row {optimum}; name one of them")
    starts, ends = bounds[:, 0], bounds[:, 1] - 1
    origins = starts if optimum is None else np.full(len(starts), optimum)
    ways = np.sqrt(between.squared[origins, ends])
    i, j = np.triu_indices(len(ends), k=1)
    jumps = np.sqrt(between.squared[origins, starts])
    ratios = None if optimum is None else [return_ratio(np.array(pair)) for pair in zip(jumps, ways, strict=True)]
    return EndSpread(
        n_runs=len(ends),
        scale=float((ways if optimum is None else jumps).mean()),
        way=float(ways.mean()),
        apart=float(np.sqrt(between.squared[ends[i], ends[j]]).mean()),
        null_apart=float(np.sqrt(between.squared[origins[i], origins[j]] + ways[i] ** 2 + ways[j] ** 2).mean()),
        return_ratio=None if ratios is None else float(np.mean(ratios)),
        return_ratio_std=None if ratios is None else float(np.std(ratios, ddof=1)),
    )
