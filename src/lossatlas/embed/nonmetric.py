"""Scaling by the order of the distances alone."""

import numpy as np
from jaxtyping import Float
from scipy.optimize import isotonic_regression
from scipy.spatial.distance import pdist

from lossatlas._arrays import Coordinates, Distances, InputError
from lossatlas.embed.descent import descended
from lossatlas.embed.passes import HostPasses, Rows, shared


def nonmetric_scaling(
    distances: Distances, start: Coordinates, *, tolerance: float = 1e-6, max_iterations: int = 500
) -> tuple[Coordinates, int]:
    r"""Coordinates whose distances rise in the order of the given ones, whatever the given ones' scale (Kruskal 1964).

    .. math:: S(X)^2 = \min_{\hat d \text{ rising with } \delta} \frac{\sum_{i<j} (d_{ij}(X) - \hat d_{ij})^2}{\sum_{i<j}
              d_{ij}(X)^2}

    The disparities are the isotonic regression of the drawn lengths. Its minimum's gradient is the one at fixed disparities,
    so that each pass of the descent fits them anew. S has no scale: X does not shrink, and comes back with the norm of the
    distances. Equal distances have equal disparities (Kruskal's secondary treatment of ties).

    Args:
        distances: ``(n, n)``.
        start: ``(n, d)``, not at one place; metric scaling's are good.
        tolerance: It ends where five steps together lower the square of S by at most this part of itself.
        max_iterations: Passes after which it ends at the latest.

    Returns:
        The coordinates, and the number of passes over all pairs.

    Raises:
        InputError: ``start`` has not one row for each point, or all of it is one place.
    """
    n = len(distances)
    if len(start) != n:
        raise InputError(f"start must have a row for each of the {n} points, but has {len(start)}; pass (n, d) coordinates")
    rows = _rows(start)
    norm = _norm(rows)
    if norm == 0:
        raise InputError("start has all points at one place, where lengths have no order; pass metric_scaling's coordinates")
    order = _Order(distances)
    with shared(n) as run:

        def scaled_stress(points: Rows) -> tuple[float, Rows]:
            raw, pulls = HostPasses(order.disparities(points), run).raw_stress_and_pulls(points)
            here = _norm(points)
            part = raw / here
            slope = norm / here * ((1 - part) * points - pulls / n)
            # A mean of rounding would grow: the formulas take it for 0.
            return part * norm / (2 * n), slope - slope.mean(axis=1, keepdims=True)

        found, count = descended(scaled_stress, rows, tolerance=tolerance, limit=max_iterations)
    found *= np.sqrt(order.norm / _norm(found))
    return np.ascontiguousarray(found.T), count


def nonmetric_stress(distances: Distances, coordinates: Coordinates) -> float:
    """Stress-1 against the disparities, the S of :func:`nonmetric_scaling`: 0 where drawn lengths rise with the distances."""
    points = _rows(coordinates)
    norm = _norm(points)
    if norm == 0:
        return 0.0 if not distances.any() else 1.0
    with shared(len(distances)) as run:
        raw, _ = HostPasses(_Order(distances).disparities(points), run).raw_stress_and_pulls(points)
    return float(np.sqrt(raw / norm))


def _rows(coordinates: Coordinates) -> Rows:
    return np.ascontiguousarray((coordinates - coordinates.mean(axis=0)).T, dtype=np.float64)


def _norm(points: Rows) -> float:
    # The sum of squared lengths over pairs, for points whose mean is 0.
    return points.shape[1] * float(np.einsum("dn,dn->", points, points))


class _Order:
    """The order of the distances of all pairs i < j, and which are equal."""

    def __init__(self, distances: Distances) -> None:
        n = len(distances)
        self._pairs = np.flatnonzero(np.triu(np.ones((n, n), dtype=bool), k=1))
        given = distances.ravel()[self._pairs]
        self.norm = float(np.einsum("m,m->", given, given))
        self._order = np.argsort(given, kind="stable")
        rising = given[self._order]
        self._begins = np.flatnonzero(np.concatenate([[True], rising[1:] > rising[:-1]]))
        self._counts = np.diff(self._begins, append=len(given)).astype(np.float64)
        self._matrix = np.zeros((n, n))

    def disparities(self, points: Rows) -> Float[np.ndarray, "n n"]:
        """Return the values rising with the distances that are nearest to the drawn lengths, above the diagonal."""
        lengths = pdist(points.T)[self._order]
        means = np.add.reduceat(lengths, self._begins) / self._counts
        fitted = isotonic_regression(means, weights=self._counts).x
        self._matrix.ravel()[self._pairs[self._order]] = np.repeat(fitted, self._counts.astype(np.int64))
        return self._matrix
