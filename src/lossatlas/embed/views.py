"""Where metric scaling begins: several views of the points, and the first of them from which it ends low."""

import numpy as np
from jaxtyping import Float, Int

from lossatlas._arrays import Coordinates, Distances
from lossatlas.distance.threads import workers
from lossatlas.embed.passes import HostPasses, shared
from lossatlas.embed.scaling import classical_scaling, metric_scaling, stress

_VIEWS = 8
# What is as good as the best: stress within this part of it. Arrangements of equal arms differ by less, and chance decides.
_AS_GOOD = 0.02
# Points that are tried out. Which view of them ends low shows long before any has converged.
_TRIED = 320
_TOLERANCE = 1e-3
_GOLDEN = (5**0.5 - 1) / 2
_NEAREST = 3  # points tried out among which another is placed
_LEAST = 1e-6  # length of a view's shortest axis in parts of the longest, in squares


def beginning(distances: Distances, *, n_components: int = 2) -> Coordinates:
    r"""Coordinates from which metric scaling ends in a low valley, and in the same one when distances change a little.

    Stress has many minima. The classical start lies in a low valley where its axes stand out; where the next axis is about
    as long, as for the arms of a star, which two are longest hangs on the last digits, and the map with it. So the points
    are seen along fixed directions g, one value a point,

    .. math:: X = B G\, (G^T B G)^{-1/2}, \qquad B = -\tfrac12 J D^{\circ 2} J,

    the projection of all classical axes onto as many as are asked for, which moves as little as the distances do. Of eight
    such views and the classical axes, in this order, the first is taken whose descent ends within 2 % of the lowest. They
    are tried on at most 320 points, spread evenly; the others are placed among the nearest three of these.

    Views belong to points by their numbers: in another order the points may be drawn in another arrangement that is as good.

    >>> corners = np.array([[0.0, 1.0, 1.0], [1.0, 0.0, 1.0], [1.0, 1.0, 0.0]])
    >>> coordinates, _ = metric_scaling(corners, beginning(corners))
    >>> bool(np.isclose(np.linalg.norm(coordinates[0] - coordinates[1]), 1))
    True
    """
    tried = evenly(len(distances), _TRIED)
    between = np.ascontiguousarray(distances[np.ix_(tried, tried)])
    with workers():  # the BLAS in one thread, whose sums do not change with their number
        starts = [*views(between, n_components=n_components), classical_scaling(between, n_components=n_components)]
        ends = [metric_scaling(between, start, tolerance=_TOLERANCE) for start in starts]
        stresses = np.array([stress(between, coordinates) for coordinates, _ in ends])
        chosen, _ = ends[int(np.argmax(stresses <= stresses.min() * (1 + _AS_GOOD)))]
    return _placed(distances, tried, chosen)


def evenly(n: int, most: int) -> Int[np.ndarray, " m"]:
    """Return ``most`` of n numbers, or all, rising: spread evenly, and in no step with what repeats itself."""
    if n <= most:
        return np.arange(n)
    return np.sort(np.argsort(np.arange(n) * _GOLDEN % 1, kind="stable")[:most])


def views(distances: Distances, *, n_components: int) -> list[Coordinates]:
    """Coordinates of the points as they are seen along fixed directions; see :func:`beginning`."""
    n = len(distances)
    # Row by row: more points leave the values of those before them as they are.
    directions = np.random.default_rng(0).standard_normal((n, _VIEWS * n_components))
    squared = distances**2
    seen = squared @ (directions - directions.mean(axis=0))
    seen = (seen - seen.mean(axis=0)) / -2
    found = []
    with shared(n) as run:
        passes = HostPasses(distances, run)
        for G, Y in zip(*(np.split(columns, _VIEWS, axis=1) for columns in (directions, seen)), strict=True):
            lengths, turn = np.linalg.eigh((G.T @ Y + Y.T @ G) / 2)
            view = Y @ turn / np.sqrt(np.maximum(lengths, max(_LEAST * lengths[-1], np.finfo(float).tiny)))
            # A projection shortens all lengths: the best common factor gives back what it took.
            norm, product, _ = passes.length_sums(np.ascontiguousarray(view.T), 1.0)
            found.append(view * (product / norm if norm > 0 else 1.0))
    return found


def _placed(distances: Distances, tried: Int[np.ndarray, " m"], coordinates: Float[np.ndarray, "m d"]) -> Coordinates:
    n = len(distances)
    if len(tried) == n:
        return coordinates
    others = np.setdiff1d(np.arange(n), tried, assume_unique=True)
    there = distances[np.ix_(others, tried)]
    nearest = np.argpartition(there, _NEAREST, axis=1)[:, :_NEAREST]
    weights = 1 / np.maximum(np.take_along_axis(there, nearest, axis=1), np.finfo(float).eps * there.max()) ** 2
    placed: Float[np.ndarray, "n d"] = np.empty((n, coordinates.shape[1]))
    placed[tried] = coordinates
    placed[others] = np.einsum("ik,ikd->id", weights / weights.sum(axis=1, keepdims=True), coordinates[nearest])
    return placed
