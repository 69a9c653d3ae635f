"""How far, how straight and how fast trajectories go, from distances alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float

from lossatlas._arrays import InputError, Vector
from lossatlas.distance import Pairwise
from lossatlas.measure.geometry.sides import Corners, PerRun, Squares, corners, squares_of_walks
from lossatlas.measure.geometry.triangles import angles, turns


@dataclass(frozen=True, kw_only=True, eq=False)
class TrajectoryGeometry:
    """Numbers of each trajectory, ``(r,)``, and of each point of the table, ``(n,)``; points of no trajectory have NaN.

    Lengths are in units of the weights, angles in degrees. How finely a trajectory was recorded is part of its length, its
    straightness and its turning: compare those that were recorded alike, or each with its :attr:`null`.

    Attributes:
        runs: First row, and row after the last, of each trajectory.
        steps: When each point was recorded, ``(n,)``; None counts snapshots.
        length: Sum of the step lengths.
        displacement: Distance of the end from the start.
        straightness: Displacement over length, 0 to 1: 1 is a straight line, 0 a loop; NaN where nothing moved.
        mean_turning: Mean of the turning angles; NaN where there is none.
        mean_velocity: Length over the time from start to end; NaN where no time passes.
        step_lengths: From the snapshot before; NaN at each start.
        velocity: Step length over the time that the step took; NaN at each start, and where time does not advance.
        turning: Between the step to a point and the step from it: 0 straight on, 90 at a right angle, 180 back. NaN at both
            ends, and beside a step of length 0, which has no direction.
        distance_from_start: Of each point.
        distance_from_end: Of each point.
        angle_to_end: Seen from the start, between a point and the end: 0 where it lies on the straight way. NaN where either is
            the start itself.
        angle_to_start: Seen from the end, between a point and the start; NaN where either is the end itself.
    """

    runs: tuple[tuple[int, int], ...]
    steps: Vector | None
    length: Float[np.ndarray, " r"]
    displacement: Float[np.ndarray, " r"]
    straightness: Float[np.ndarray, " r"]
    mean_turning: Float[np.ndarray, " r"]
    mean_velocity: Float[np.ndarray, " r"]
    step_lengths: Vector
    velocity: Vector
    turning: Vector
    distance_from_start: Vector
    distance_from_end: Vector
    angle_to_end: Vector
    angle_to_start: Vector

    @cached_property
    def null(self) -> "TrajectoryGeometry":
        r"""Of random walks in many dimensions whose steps are as long: all at right angles to each other.

        After steps :math:`h_1, \ldots, h_m` such a walk is :math:`\sqrt{\sum h_s^2}` away, so that m equal steps are
        :math:`1 / \sqrt{m}` straight; it turns by 90 degrees each time. As :func:`random_walks`, without its table.
        """
        rows = corners(self.runs, len(self.step_lengths))
        return geometry_of(squares_of_walks(np.square(self.step_lengths), rows), rows, self.runs, self.steps)

    def summary(self, run: int) -> dict[str, float | None]:
        """Return the numbers of one trajectory beside its null's, as plain values: None where there is none."""
        numbers = {
            "length": self.length,
            "displacement": self.displacement,
            "straightness": self.straightness,
            "null_straightness": self.null.straightness,
            "mean_turning_degrees": self.mean_turning,
            "null_turning_degrees": self.null.mean_turning,
            "mean_velocity": self.mean_velocity,
        }
        return {name: None if np.isnan(values[run]) else float(values[run]) for name, values in numbers.items()}


def trajectory_geometry(between: Pairwise, runs: Sequence[tuple[int, int]], *, steps: Vector | None = None) -> TrajectoryGeometry:
    r"""Measure trajectories by the distances of their points: no weights, and time and memory in proportion to the points.

    The angle by which a path turns at a point follows from the triangle with the points before and after, the angle to the end
    from that with start and end. Distances with a relative error :math:`\epsilon` leave angles near 0 and 180 degrees uncertain
    by up to :math:`4 \sqrt{\epsilon}` radians, others by :math:`\epsilon`. That is at the worst 0.02 degrees of points in
    float64, 0.7 degrees of float32 where :func:`pairwise` multiplies in it, and 25 from sketches: of those, read no small
    angle.

    Args:
        between: Distances of the points.
        runs: First row, and row after the last, of each trajectory, in the order of time; no row is in two.
        steps: Step or epoch of each point, for the velocity; by default snapshots are one apart.

    Raises:
        InputError: two runs overlap, one leaves the table, or ``steps`` are not one a point.

    >>> from lossatlas.distance import pairwise
    >>> found = trajectory_geometry(pairwise(np.array([[0.0, 0.0], [3.0, 0.0], [3.0, 4.0]])), [(0, 3)])
    >>> found.length, found.displacement, found.turning, found.angle_to_end.round(2)
    (array([7.]), array([5.]), array([nan, 90., nan]), array([  nan, 53.13,  0.  ]))
    """
    n = len(between.squared)
    if steps is not None and len(steps) != n:
        raise InputError(f"steps must be one a point, but there are {len(steps)} of {n} points; pass those of the table's rows")
    rows = corners(runs, n)
    here, squared = np.arange(n), between.squared
    squares = Squares(
        steps=squared[rows.before, here],
        across=squared[rows.before, rows.after],
        from_start=squared[rows.start, here],
        from_end=squared[here, rows.end],
    )
    return geometry_of(squares, rows, tuple(runs), steps)


def geometry_of(squares: Squares, rows: Corners, runs: tuple[tuple[int, int], ...], steps: Vector | None) -> TrajectoryGeometry:
    """Return what follows from the squared sides of the triangles."""
    before, across, from_start, from_end = (np.sqrt(side) for side in squares)
    after = before[rows.after]
    way = from_end[rows.start]  # from the start of its run to the end, at each point
    lengths = np.where(rows.has_before, before, np.nan)
    turning = np.where(rows.has_before & rows.has_after, turns(before, after, across), np.nan)
    here = np.arange(len(before))
    times = here.astype(np.float64) if steps is None else steps
    per_run = PerRun(runs)
    length, displacement = per_run.sums(lengths), per_run.firsts(from_end)
    return TrajectoryGeometry(
        runs=runs,
        steps=steps,
        length=length,
        displacement=displacement,
        # Of a straight line rounding could leave more than 1.
        straightness=_over(np.minimum(displacement, length), length),
        mean_turning=per_run.means(turning),
        mean_velocity=_over(length, per_run.spans(times)),
        step_lengths=lengths,
        velocity=_over(lengths, times - times[rows.before]),
        turning=turning,
        distance_from_start=np.where(rows.is_in_run, from_start, np.nan),
        distance_from_end=np.where(rows.is_in_run, from_end, np.nan),
        angle_to_end=angles(from_start, way, from_end),
        angle_to_start=angles(from_end, way, from_start),
    )


def _over(what: Float[np.ndarray, " m"], amount: Float[np.ndarray, " m"]) -> Float[np.ndarray, " m"]:
    """Return a ratio; NaN where the amount is not above 0."""
    return np.divide(what, amount, out=np.full(len(what), np.nan), where=amount > 0)
