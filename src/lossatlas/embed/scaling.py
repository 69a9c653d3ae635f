"""Distances become coordinates: classical, metric and nonmetric scaling, and the stress that says how well."""

from concurrent.futures import Executor
from typing import TypeAlias

import numpy as np
from array_api_compat import array_namespace, device, is_numpy_array
from jaxtyping import Float
from scipy.linalg import eigh
from scipy.optimize import isotonic_regression, minimize
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

from lossatlas._arrays import Array, Coordinates, Distances, Vector
from lossatlas._device import to_numpy
from lossatlas.embed.passes import length_sums, squared_product, stress_and_gradient, threads

# Eigenvalues, and their vectors in columns.
Axes: TypeAlias = tuple[Float[np.ndarray, " d"], Coordinates]

# Up to so many points all eigenvectors of the dense matrix cost less than a few by products with it.
_DENSE = 300


def classical_scaling(distances: Float[Array, "n n"], *, n_components: int = 2) -> Coordinates:
    r"""Coordinates whose inner products fit the distances best, in the distances' own unit (Torgerson 1952).

    .. math:: B = -\tfrac12 J D^{\circ 2} J, \qquad X = V_d\, \Lambda_d^{1/2}

    Distances of points in ``n_components`` dimensions come back exactly. Axes whose eigenvalue is not positive are 0.
    The sign of each axis makes its largest coordinate positive.

    >>> classical_scaling(np.array([[0.0, 3.0], [3.0, 0.0]]), n_components=1)
    array([[ 1.5],
           [-1.5]])
    """
    values, vectors = principal(distances, n_components)
    return vectors * np.sqrt(values)


def principal(distances: Float[Array, "n n"], n_components: int) -> Axes:
    """Largest eigenvalues of B, none below 0, and their vectors, the largest entry of each positive."""
    if not is_numpy_array(distances):
        values, vectors = _principal_on_device(distances, n_components)
    elif len(distances) <= max(_DENSE, 10 * n_components):
        values, vectors = _principal_dense(distances, n_components)
    else:
        values, vectors = _principal_by_products(distances, n_components)
    order = np.argsort(values, kind="stable")[::-1]
    values, vectors = np.maximum(values[order], 0.0), vectors[:, order]
    vectors = vectors * np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(len(values))])
    missing = n_components - len(values)  # fewer points than axes
    return np.pad(values, (0, missing)), np.pad(vectors, ((0, 0), (0, missing)))


def _principal_dense(distances: Distances, n_components: int) -> Axes:
    squared = distances**2
    centred = squared - squared.mean(axis=0) - squared.mean(axis=1, keepdims=True) + squared.mean()
    n = len(distances)
    return eigh(-centred / 2, subset_by_index=(max(n - n_components, 0), n - 1))


def _principal_by_products(distances: Distances, n_components: int) -> Axes:
    n = len(distances)
    with threads(n) as executor:

        def centred_product(vector: Vector) -> Vector:
            vector = vector.ravel()
            product = squared_product(distances, vector - vector.mean(), executor)
            return (product - product.mean()) / -2

        B = LinearOperator((n, n), matvec=centred_product, dtype=np.float64)
        begin = np.random.default_rng(0).standard_normal(n)
        try:
            # Largest, not largest by size: distances that no space has give eigenvalues far below 0.
            values, vectors = eigsh(B, k=n_components, which="LA", v0=begin, ncv=min(n, max(2 * n_components + 1, 32)))
        except ArpackNoConvergence:
            return _principal_dense(distances, n_components)
    return values, vectors


def _principal_on_device(distances: Array, n_components: int) -> Axes:
    xp = array_namespace(distances)
    squared = distances**2
    centred = squared - xp.mean(squared, axis=0) - xp.mean(squared, axis=1, keepdims=True) + xp.mean(squared)
    values, vectors = xp.linalg.eigh(-centred / 2)
    return to_numpy(values[-n_components:]), to_numpy(vectors[:, -n_components:])


def metric_scaling(
    distances: Float[Array, "n n"], start: Coordinates, *, tolerance: float = 1e-10, max_iterations: int = 3000
) -> tuple[Coordinates, int]:
    r"""Coordinates whose distances fit the given ones best, by descent from ``start``, deterministic.

    Minimises the raw stress :math:`\sum_{i<j} (d_{ij}(X) - \delta_{ij})^2` (Kruskal 1964) by L-BFGS (Liu and Nocedal 1989),
    until an iteration lowers it by less than ``tolerance`` of what it was at the start. SMACOF (de Leeuw 1977) descends to
    the same minimum in 5 to 20 times as many passes over the pairs; ``benchmarks/README.md`` has the figures.

    Args:
        distances: ``(n, n)``, of NumPy or of a device.
        start: ``(n, d)``.
        tolerance: Where to stop.
        max_iterations: Where to stop at the latest.

    Returns:
        The coordinates, and the number of passes over all pairs.
    """
    n, d = start.shape
    with threads(n) as executor:
        fitted = _Descent(distances, executor)
        begin = np.ascontiguousarray((start - start.mean(axis=0)).T)
        unit, _ = fitted(begin.ravel(), d)
        if unit == 0 or n < 2:
            return begin.T.copy(), 1
        found = minimize(
            lambda flat: [part / unit for part in fitted(flat, d)],
            begin.ravel(),
            jac=True,
            method="L-BFGS-B",
            options={"ftol": tolerance, "gtol": 0.0, "maxiter": max_iterations, "maxfun": 2 * max_iterations},
        )
    coordinates = np.ascontiguousarray(found.x.reshape(d, n).T)
    return coordinates - coordinates.mean(axis=0), fitted.passes


class _Descent:
    """Raw stress and gradient of flat coordinates, and how often they were asked for."""

    def __init__(self, distances: Array, executor: Executor | None) -> None:
        self.here = is_numpy_array(distances)
        self.distances = np.ascontiguousarray(distances) if self.here else distances
        self.executor = executor
        self.passes = 0

    def __call__(self, flat: Vector, d: int) -> tuple[float, Vector]:
        self.passes += 1
        points = flat.reshape(d, -1)
        if self.here:
            raw, gradient = stress_and_gradient(self.distances, points, self.executor)
        else:
            raw, gradient = _on_device(self.distances, points)
        return raw, gradient.ravel()


def _on_device(distances: Array, points: Float[np.ndarray, "d n"]) -> tuple[float, Float[np.ndarray, "d n"]]:
    xp = array_namespace(distances)
    X = xp.asarray(points, device=device(distances), dtype=distances.dtype)
    gaps = X[:, :, None] - X[:, None, :]
    lengths = xp.sqrt(xp.sum(gaps**2, axis=0))
    excess = lengths - distances
    slopes = excess / xp.where(lengths > 0, lengths, xp.ones_like(lengths))
    return float(xp.sum(excess**2)) / 2, to_numpy(2 * xp.sum(slopes * gaps, axis=2))


def nonmetric_scaling(
    distances: Distances, start: Coordinates, *, tolerance: float = 1e-4, max_iterations: int = 100
) -> tuple[Coordinates, int]:
    r"""Coordinates whose distances rise in the order of the given ones, whatever the given ones' scale (Kruskal 1964).

    Alternates between the disparities, the rising function of the given distances that fits the drawn lengths best
    (isotonic regression; equal distances may be drawn unlike), put to the norm of the given distances, and a few steps of metric
    scaling to them, until stress-1 against the disparities falls by less than ``tolerance`` of itself.

    Returns:
        The coordinates, and the number of passes over all pairs.
    """
    n = len(distances)
    upper = np.triu_indices(n, k=1)
    given = distances[upper]
    norm = np.sqrt((given**2).sum())
    coordinates, passes, last = start, 0, np.inf
    for _ in range(max_iterations):
        lengths = np.sqrt(((coordinates[upper[0]] - coordinates[upper[1]]) ** 2).sum(axis=1))
        order = np.lexsort((lengths, given))
        rising = np.empty_like(given)
        rising[order] = isotonic_regression(lengths[order]).x
        size = float(np.sqrt((rising**2).sum()))
        if size == 0:
            break
        current = float(np.sqrt(((lengths - rising) ** 2).sum()) / np.sqrt((lengths**2).sum()))
        if current == 0 or last - current <= tolerance * current:
            break
        last = current
        disparities = np.zeros_like(distances)
        disparities[upper] = rising * (norm / size)
        coordinates, more = metric_scaling(disparities + disparities.T, coordinates * (norm / size), max_iterations=5)
        passes += more + 1
    return coordinates, passes


def stress(distances: Distances, coordinates: Coordinates) -> float:
    r"""Kruskal's stress-1, :math:`\sqrt{\sum (d - \delta)^2 / \sum d^2}`: 0 is a perfect map, 0.1 fair, 0.2 poor.

    With coordinates of another unit than the distances (``preset="paper"``) the best common factor is taken out first,
    so that the value is the same at every scale.
    """
    points = np.ascontiguousarray(coordinates.T, dtype=np.float64)
    with threads(len(coordinates)) as executor:
        drawn, both, misfit = length_sums(distances, points, 1.0, executor)
        if drawn == 0:
            return 0.0 if misfit == 0 else 1.0
        factor = both / drawn
        if factor <= 0:
            return 1.0
        _, _, misfit = length_sums(distances, points, factor, executor)
    return float(np.sqrt(misfit / (factor**2 * drawn)))
