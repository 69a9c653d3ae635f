"""Who is near, and how near: compiled loops over rows of distances, or over points themselves."""

import numpy as np

from lossatlas._compiled import compiled


@compiled
def measure_widths(distances: np.ndarray, knn: int, start: int, stop: int, widths: np.ndarray) -> None:
    """Write the ``knn``-th least distance of each row to the others."""
    least = np.empty(knn)
    for i in range(start, stop):
        least[:] = np.inf
        row = distances[i]
        for j in range(len(row)):
            value = row[j]
            if value < least[-1] and i != j:
                at = knn - 1
                while at > 0 and least[at - 1] > value:
                    least[at] = least[at - 1]
                    at -= 1
                least[at] = value
        widths[i] = least[-1]


@compiled
def count_near(distances: np.ndarray, radius: np.ndarray, start: int, stop: int, counts: np.ndarray) -> None:
    """Count, row by row, the others within a radius."""
    for i in range(start, stop):
        row, furthest = distances[i], radius[i]
        count = 0
        for j in range(len(row)):
            count += row[j] <= furthest
        counts[i] = count - (row[i] <= furthest)


@compiled
def list_near(
    distances: np.ndarray, radius: np.ndarray, start: int, stop: int, starts: np.ndarray, columns: np.ndarray, values: np.ndarray
) -> None:
    """Write, row by row, the others within a radius and their distances, from ``starts`` on."""
    for i in range(start, stop):
        row, furthest, at = distances[i], radius[i], starts[i]
        for j in range(len(row)):
            if row[j] <= furthest and i != j:
                columns[at], values[at] = j, row[j]
                at += 1


@compiled
def measure_gaps(
    points: np.ndarray,
    rows: np.ndarray,
    place: np.ndarray,
    origin: np.ndarray,
    is_direction: bool,
    found: np.ndarray,
) -> None:
    """Write squared gaps from a place to some points, seen from an origin, each brought to length 1 for directions."""
    for k in range(len(rows)):
        row = points[rows[k]]
        factor = 1.0
        if is_direction:
            square = 0.0
            for j in range(len(place)):
                square += (row[j] - origin[j]) ** 2
            factor = 1.0 / np.sqrt(square)
        total = 0.0
        for j in range(len(place)):
            total += ((row[j] - origin[j]) * factor - place[j]) ** 2
        found[k] = total
