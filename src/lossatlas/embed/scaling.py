"""Distances become coordinates: classical, metric (by majorisation), and the stochastic one of the paper's release."""

import inspect
from collections.abc import Callable
from typing import Any

import numba
import numpy as np

from lossatlas._arrays import Coordinates, Distances


def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    # The tests wrap every function in a check of its annotations, which numba cannot compile: it gets what is inside.
    inside = inspect.unwrap(function)
    try:
        return numba.njit(cache=True)(inside)
    except RuntimeError:  # neither the package's folder nor the home can be written: compiled anew in each process
        return numba.njit(inside)


def classical_scaling(distances: Distances, *, n_components: int = 2) -> Coordinates:
    r"""Coordinates whose inner products fit the distances best, in the distances' own unit (Torgerson 1952).

    .. math:: B = -\tfrac12 J D^{\circ 2} J, \qquad X = V_d\, \Lambda_d^{1/2}

    Distances of points in ``n_components`` dimensions come back exactly. Axes whose eigenvalue is not positive are 0.
    The sign of each axis makes its largest coordinate positive.

    >>> classical_scaling(np.array([[0.0, 3.0], [3.0, 0.0]]), n_components=1)
    array([[ 1.5],
           [-1.5]])
    """
    values, vectors = _principal(distances, n_components)
    return vectors * np.sqrt(values)


def squared_classical_scaling(distances: Distances, *, n_components: int = 2) -> Coordinates:
    """Classical scaling as the releases of PHATE have it, without -1/2 and with eigenvalues in place of their roots.

    Its axes are squared lengths, so that an aspect of 10 becomes one of 100; kept for ``preset="paper"`` alone.
    """
    values, vectors = _principal(distances, n_components)
    return vectors * 2 * values


def _principal(distances: Distances, n_components: int) -> tuple[np.ndarray, np.ndarray]:
    squared = distances**2
    centred = squared - squared.mean(axis=0) - squared.mean(axis=1, keepdims=True) + squared.mean()
    values, vectors = np.linalg.eigh(-centred / 2)
    order = np.argsort(values)[::-1][:n_components]
    vectors = vectors[:, order]
    peak = np.abs(vectors).argmax(axis=0)
    vectors = vectors * np.sign(vectors[peak, np.arange(len(order))])
    values = np.maximum(values[order], 0.0)
    if len(order) < n_components:  # fewer points than axes
        missing = n_components - len(order)
        values, vectors = np.pad(values, (0, missing)), np.pad(vectors, ((0, 0), (0, missing)))
    return values, vectors


def metric_scaling(
    distances: Distances, start: Coordinates, *, tolerance: float = 1e-6, max_iterations: int = 3000
) -> tuple[Coordinates, int]:
    r"""Coordinates whose distances fit the given ones best, by majorisation from ``start``: SMACOF, deterministic.

    Minimises the raw stress :math:`\sum_{i<j} (d_{ij}(X) - \delta_{ij})^2` by :math:`X \leftarrow B(X) X / n`
    (de Leeuw 1977), which never raises it, until an iteration lowers it by less than ``tolerance`` of itself.

    Returns:
        The coordinates, and the number of iterations.
    """
    coordinates = np.ascontiguousarray(start - start.mean(axis=0))
    moved = np.empty_like(coordinates)
    last = np.inf
    for iteration in range(1, max_iterations + 1):
        current = _majorise(np.ascontiguousarray(distances), coordinates, moved)
        if last - current <= tolerance * current:
            return coordinates, iteration
        coordinates, moved = moved, coordinates
        last = current
    return coordinates, max_iterations


@_compiled
def _majorise(distances: np.ndarray, points: np.ndarray, moved: np.ndarray) -> float:
    # One pass over pairs gives the stress of `points` and the next points, with no n x n array made.
    n, d = points.shape
    moved[:] = 0.0
    raw = 0.0
    for i in range(n):
        for j in range(i + 1, n):
            squared = 0.0
            for k in range(d):
                squared += (points[i, k] - points[j, k]) ** 2
            length = np.sqrt(squared)
            raw += (length - distances[i, j]) ** 2
            if length > 0.0:
                pull = distances[i, j] / (length * n)
                for k in range(d):
                    step = pull * (points[i, k] - points[j, k])
                    moved[i, k] += step
                    moved[j, k] -= step
    return raw


def stochastic_scaling(distances: Distances, start: Coordinates, *, rng: np.random.Generator, epochs: int = 30) -> Coordinates:
    """Metric scaling by moving one pair of points at a time, in random order, as PHATE 1.x did.

    Each pair is moved by half its error along its line, times a rate that falls geometrically from 1 to 0.01 over the
    epochs (Zheng, Pawar, Goodman 2019). It stops after the epochs, converged or not; kept for ``preset="paper"`` alone.
    """
    coordinates = np.ascontiguousarray(start, dtype=np.float64).copy()
    first, second = np.triu_indices(len(distances), k=1)
    for rate in np.geomspace(1.0, 0.01, epochs):
        order = rng.permutation(len(first))
        _move_pairs(np.ascontiguousarray(distances), coordinates, first[order], second[order], rate)
    return coordinates


@_compiled
def _move_pairs(distances: np.ndarray, points: np.ndarray, first: np.ndarray, second: np.ndarray, rate: float) -> None:
    d = points.shape[1]
    for m in range(len(first)):
        i, j = first[m], second[m]
        squared = 0.0
        for k in range(d):
            squared += (points[i, k] - points[j, k]) ** 2
        length = np.sqrt(squared)
        if length > 0.0:
            move = rate / 2 * (length - distances[i, j]) / length
            for k in range(d):
                step = move * (points[i, k] - points[j, k])
                points[i, k] -= step
                points[j, k] += step


def stress(distances: Distances, coordinates: Coordinates) -> float:
    r"""Kruskal's stress-1, :math:`\sqrt{\sum (d - \delta)^2 / \sum d^2}`: 0 is a perfect map, 0.1 fair, 0.2 poor.

    With coordinates of another unit than the distances (``preset="paper"``) the best common factor is taken out first,
    so that the value is the same at every scale.
    """
    upper = np.triu_indices(len(distances), k=1)
    drawn = np.sqrt(((coordinates[upper[0]] - coordinates[upper[1]]) ** 2).sum(axis=1))
    given = distances[upper]
    norm = float((drawn**2).sum())
    if norm == 0:
        return 0.0 if not given.any() else 1.0
    factor = float(drawn @ given) / norm
    return float(np.sqrt(((factor * drawn - given) ** 2).sum() / (factor**2 * norm))) if factor > 0 else 1.0
