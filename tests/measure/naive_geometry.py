"""The geometry of trajectories from the weights themselves, one formula after the other."""

import math

import numpy as np


def angle(u, v):
    """Angle between two vectors in degrees, by the tangent of its half (Kahan); NaN where one is 0."""
    if not u.any() or not v.any():
        return math.nan
    u, v = u / np.linalg.norm(u), v / np.linalg.norm(v)
    return math.degrees(2 * math.atan2(np.linalg.norm(u - v), np.linalg.norm(u + v)))


def geometry_naive(points, times=None):
    """Return every number of one trajectory, by its name in the result."""
    n = len(points)
    times = np.arange(n) if times is None else times
    h = [math.nan, *(float(np.linalg.norm(points[i] - points[i - 1])) for i in range(1, n))]
    passed = [math.nan, *(times[i] - times[i - 1] for i in range(1, n))]
    turning = [math.nan] * n
    for i in range(1, n - 1):
        turning[i] = angle(points[i] - points[i - 1], points[i + 1] - points[i])
    length, displacement = math.fsum(h[1:]), float(np.linalg.norm(points[-1] - points[0]))
    known = [t for t in turning if not math.isnan(t)]
    span = times[-1] - times[0]
    return {
        "length": length,
        "displacement": displacement,
        "straightness": displacement / length if length else math.nan,
        "mean_turning": sum(known) / len(known) if known else math.nan,
        "mean_velocity": length / span if span > 0 else math.nan,
        "step_lengths": h,
        "velocity": [step / time if time > 0 else math.nan for step, time in zip(h, passed, strict=True)],
        "turning": turning,
        "distance_from_start": [float(np.linalg.norm(x - points[0])) for x in points],
        "distance_from_end": [float(np.linalg.norm(x - points[-1])) for x in points],
        "angle_to_end": [angle(x - points[0], points[-1] - points[0]) for x in points],
        "angle_to_start": [angle(x - points[-1], points[0] - points[-1]) for x in points],
    }
