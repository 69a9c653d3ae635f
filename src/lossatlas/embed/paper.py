"""The scaling of PHATE 1.x, of squared axes and stopped unconverged: for ``preset="paper"`` alone."""

import numpy as np

from lossatlas._arrays import Coordinates, Distances
from lossatlas._compiled import compiled
from lossatlas.embed.scaling import principal


def squared_classical_scaling(distances: Distances, *, n_components: int = 2) -> Coordinates:
    """Classical scaling as the releases of PHATE have it, without -1/2 and with eigenvalues in place of their roots.

    Its axes are squared lengths, so that an aspect of 10 becomes one of 100; kept for ``preset="paper"`` alone.
    """
    values, vectors = principal(distances, n_components)
    return vectors * 2 * values


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


@compiled
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
