"""Distances become coordinates: classical and metric scaling, and the stress that says how well."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeAlias

import numpy as np
from array_api_compat import is_numpy_array
from jaxtyping import Float
from scipy.linalg import eigh

from lossatlas._arrays import Array, Coordinates, Distances, InputError
from lossatlas._device import to_numpy
from lossatlas.distance.threads import workers
from lossatlas.embed.descent import descended
from lossatlas.embed.leading import Vectors, leading_eigenpairs
from lossatlas.embed.on_device import DevicePasses
from lossatlas.embed.passes import HostPasses, Rows, shared

# Eigenvalues, and their vectors in columns.
Axes: TypeAlias = tuple[Float[np.ndarray, " d"], Coordinates]

# Up to so many points all of a dense matrix costs less than products with it.
_DENSE = 200
# How far points that share a place are set apart, in parts of the largest coordinate: enough to see where to go from there.
_APART = 1e-4


def classical_scaling(distances: Float[Array, "n n"], *, n_components: int = 2) -> Coordinates:
    r"""Coordinates whose inner products fit the distances best, in the distances' own unit (Torgerson 1952).

    .. math:: B = -\tfrac12 J D^{\circ 2} J, \qquad X = V_d\, \Lambda_d^{1/2}

    Distances of points in ``n_components`` dimensions come back exactly. Axes whose eigenvalue is not positive are 0.
    The sign of each axis makes its largest coordinate positive. Distances may lie on a device; coordinates are NumPy's.

    >>> classical_scaling(np.array([[0.0, 3.0], [3.0, 0.0]]), n_components=1)
    array([[ 1.5],
           [-1.5]])
    """
    values, vectors = principal(distances, n_components)
    return vectors * np.sqrt(values)


def principal(distances: Float[Array, "n n"], n_components: int) -> Axes:
    """Largest eigenvalues of B, none below 0, and their vectors, the largest entry of each positive."""
    n = len(distances)
    # The BLAS in one thread: its sums differ with its threads, and what differs here comes out larger at the other end.
    with workers():
        pairs = _by_products(distances, n_components) if n > max(_DENSE, 20 * n_components) else None
        values, rows = pairs or _dense(to_numpy(distances), n_components)
    values, vectors = np.maximum(values, 0.0), upright(rows.T)
    missing = n_components - len(values)  # fewer points than axes
    return np.pad(values, (0, missing)), np.pad(vectors, ((0, 0), (0, missing)))


def upright(axes: Coordinates) -> Coordinates:
    """Axes, in columns, turned round where their largest coordinate is negative."""
    return axes * np.where(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])] < 0, -1.0, 1.0)


def _by_products(distances: Array, n_components: int) -> tuple[Float[np.ndarray, " k"], Vectors] | None:
    with _passes(distances) as passes:

        def centred_product(vectors: Vectors) -> Vectors:
            products = passes.times_squares(vectors - vectors.mean(axis=1, keepdims=True))
            return (products - products.mean(axis=1, keepdims=True)) / -2

        return leading_eigenpairs(centred_product, len(distances), count=n_components)


def _dense(distances: Distances, n_components: int) -> tuple[Float[np.ndarray, " k"], Vectors]:
    squared = distances**2
    centred = squared - squared.mean(axis=0) - squared.mean(axis=1, keepdims=True) + squared.mean()
    n = len(distances)
    values, vectors = eigh(-centred / 2, subset_by_index=(max(n - n_components, 0), n - 1))
    return values[::-1], vectors[:, ::-1].T


@contextmanager
def _passes(distances: Array) -> Iterator[HostPasses | DevicePasses]:
    if not is_numpy_array(distances):
        yield DevicePasses(distances)
        return
    with shared(len(distances)) as run:
        yield HostPasses(distances, run)


def metric_scaling(
    distances: Float[Array, "n n"], start: Coordinates, *, tolerance: float = 1e-8, max_iterations: int = 3000
) -> tuple[Coordinates, int]:
    r"""Coordinates whose distances fit the given ones best, downhill from ``start``: to convergence, without chance.

    Minimises the raw stress :math:`\sigma(X) = \sum_{i<j} (d_{ij}(X) - \delta_{ij})^2` (Kruskal 1964) by L-BFGS. A step of
    majorisation, :math:`X \leftarrow B(X) X / n` (SMACOF; de Leeuw 1977), is one down the gradient of :math:`\sigma / 2n`:
    a pass over the pairs is the same, and the descent learns from passes how the gradient turns, so that it needs a fifth
    to a fiftieth as many; ``benchmarks/README.md`` has the figures. An axis on which all of ``start`` is 0 stays so.

    Args:
        distances: ``(n, n)``, of NumPy or on a device.
        start: ``(n, d)``. The minimum is one near it. Where all of it is one place, classical scaling stands in.
        tolerance: It ends where five steps together lower the stress by at most this part of itself.
        max_iterations: Passes after which it ends at the latest.

    Returns:
        The coordinates, their mean 0, and the number of passes over all pairs.

    Raises:
        InputError: ``start`` has not one row for each point.

    >>> line = np.abs(np.subtract.outer(np.arange(4.0), np.arange(4.0)))
    >>> coordinates, _ = metric_scaling(line, np.array([[0.0], [1.0], [1.5], [2.0]]))
    >>> coordinates.ravel().round(6)
    array([-1.5, -0.5,  0.5,  1.5])
    """
    n = len(distances)
    if len(start) != n:
        raise InputError(f"start must have a row for each of the {n} points, but has {len(start)}; pass (n, d) coordinates")
    with _passes(distances) as passes:

        def scaled_stress(points: Rows) -> tuple[float, Rows]:
            raw, pulls = passes.raw_stress_and_pulls(points)
            return raw / (2 * n), points - pulls / n

        found, count = descended(scaled_stress, _begun(distances, start), tolerance=tolerance, limit=max_iterations)
    return np.ascontiguousarray(found.T), count


def _begun(distances: Array, start: Coordinates) -> Rows:
    # Points that share a place, at distances that say they should not, have no direction to part in: they are given one.
    _, first, group = np.unique(start, axis=0, return_index=True, return_inverse=True)
    if len(first) < len(start):
        if len(first) == 1:
            start = classical_scaling(distances, n_components=start.shape[1])
        else:
            leader = first[group.ravel()]
            later = np.flatnonzero(leader != np.arange(len(start)))
            later = later[[float(distances[i, leader[i]]) > 0 for i in later]]
            size = _APART * np.abs(start - start.mean(axis=0)).max()
            start = start.astype(np.float64)
            start[later] += size * np.random.default_rng(0).standard_normal((len(later), start.shape[1]))
    return np.ascontiguousarray((start - start.mean(axis=0)).T, dtype=np.float64)


def stress(distances: Distances, coordinates: Coordinates) -> float:
    r"""Kruskal's stress-1, :math:`\sqrt{\sum (d - \delta)^2 / \sum d^2}`: 0 is a perfect map, 0.1 fair, 0.2 poor.

    With coordinates of another unit than the distances (``preset="paper"``) the best common factor is taken out first,
    so that the value is the same at every scale.
    """
    points = np.ascontiguousarray(coordinates.T, dtype=np.float64)
    with shared(len(distances)) as run:
        passes = HostPasses(distances, run)
        norm, product, misfit = passes.length_sums(points, 1.0)
        if norm == 0:
            return 0.0 if misfit == 0 else 1.0
        factor = product / norm
        if factor <= 0:
            return 1.0
        _, _, misfit = passes.length_sums(points, factor)
    return float(np.sqrt(misfit / (factor**2 * norm)))
