"""Loops over points and pairs that NumPy could only do with copies; compiled, and run outside Python's lock."""

import numpy as np

from lossatlas._compiled import compiled

# Columns that are centred at once: what of them all points hold stays in a core's own cache between the two looks at it.
_STRIP = 256
_TILE = 64


@compiled
def centre(
    points: np.ndarray, rows: np.ndarray, start: int, stop: int, origin: int, place: np.ndarray, out: np.ndarray,
    norms: np.ndarray, own: np.ndarray,
) -> None:  # fmt: skip
    """Write columns of some rows less their mean to ``out``; squared norms about the origin, and about the mean, in float64.

    ``origin`` is 0 for zero, 1 for the mean, 2 for the first of the rows, 3 for ``place``, which begins at ``start``.
    """
    n = len(rows)
    mean = np.empty(_STRIP)
    seen_from = np.zeros(_STRIP)
    norms[:] = 0.0
    own[:] = 0.0
    for low in range(start, stop, _STRIP):
        width = min(_STRIP, stop - low)
        mean[:] = 0.0
        for i in range(n):
            row = points[rows[i], low : low + width]
            for k in range(width):
                mean[k] += row[k]
        for k in range(width):
            mean[k] /= n
            if origin == 1:
                seen_from[k] = mean[k]
            elif origin == 2:
                seen_from[k] = points[rows[0], low + k]
            elif origin == 3:
                seen_from[k] = place[low - start + k]
        for i in range(n):
            row = points[rows[i], low : low + width]
            target = out[i, low - start : low - start + width]
            about_origin = 0.0
            about_mean = 0.0
            for k in range(width):
                value = np.float64(row[k])
                centred = value - mean[k]
                target[k] = centred
                about_mean += centred * centred
                value -= seen_from[k]
                about_origin += value * value
            norms[i] += about_origin
            own[i] += about_mean


@compiled
def add_tile(sums: np.ndarray, part: np.ndarray) -> None:
    """Add a tile of products in its precision to sums in float64."""
    for i in range(len(part)):
        for j in range(part.shape[1]):
            sums[i, j] += part[i, j]


@compiled
def add_differences(
    points: np.ndarray, others: np.ndarray, first: np.ndarray, second: np.ndarray, start: int, stop: int, squared: np.ndarray
) -> None:
    """Add ``sum (a - b)^2`` of each pair over columns ``start`` to ``stop``, in float64; ``b`` is one of ``others``."""
    for low in range(start, stop, 1024):
        high = min(low + 1024, stop)
        for m in range(len(first)):
            a = points[first[m], low:high]
            b = others[second[m], low:high]
            part = 0.0
            for k in range(high - low):
                gap = np.float64(a[k]) - np.float64(b[k])
                part += gap * gap
            squared[m] += part


@compiled
def square_distances(
    gram: np.ndarray, own: np.ndarray, norms: np.ndarray, error: float, tolerances: np.ndarray, start: int, stop: int
) -> int:
    """Turn rows of the upper half of a Gram matrix into squared distances in place; return how many are not known well.

    Those are set to -1: pairs with ``error (|a-c|^2 + |b-c|^2)`` above ``tolerances[0]`` of what their cosine keeps,
    ``|a-b|^2 - (|a|-|b|)^2``, and above ``tolerances[1]`` of ``|a-b|^2``.
    """
    n = len(gram)
    count = 0
    for i in range(start, stop):
        for j in range(i + 1, n):
            total = own[i] + own[j]
            squared = max(total - 2 * gram[i, j], 0.0)
            part = squared - (norms[i] - norms[j]) ** 2
            is_lost = error * total > max(tolerances[0] * part, tolerances[1] * squared)
            # Where both points lie on the mean, nothing was subtracted: they coincide.
            gram[i, j] = -1.0 if is_lost else squared
            count += is_lost
        gram[i, i] = 0.0
    return count


@compiled
def mirror(matrix: np.ndarray, start: int, stop: int) -> None:
    """Copy rows ``start`` to ``stop`` of the upper half to the columns of the lower one."""
    n = len(matrix)
    for left in range(start, n, _TILE):
        for i in range(start, stop):
            for j in range(max(i + 1, left), min(left + _TILE, n)):
                matrix[j, i] = matrix[i, j]


@compiled
def count_lost(squared: np.ndarray, counts: np.ndarray, start: int, stop: int) -> None:
    """Count the lost pairs, -1 in the upper half, of rows ``start`` to ``stop``."""
    n = len(squared)
    for i in range(start, stop):
        count = 0
        for j in range(i + 1, n):
            count += squared[i, j] < 0
        counts[i] = count


@compiled
def label_lost(squared: np.ndarray, counts: np.ndarray, labels: np.ndarray) -> None:
    """Label points that lost pairs link, ``counts`` of them in each row, by the first of those points."""
    n = len(labels)
    for i in range(n):
        labels[i] = i
    for i in range(n):
        left = counts[i]
        j = i + 1
        while left > 0:  # of a trajectory they are beside the diagonal, and the rest of the row is not looked at
            if squared[i, j] < 0:
                left -= 1
                a = i
                while labels[a] != a:
                    labels[a] = labels[labels[a]]
                    a = labels[a]
                b = j
                while labels[b] != b:
                    labels[b] = labels[labels[b]]
                    b = labels[b]
                labels[max(a, b)] = min(a, b)
            j += 1
    for i in range(n):
        root = i
        while labels[root] != root:
            root = labels[root]
        labels[i] = root


@compiled
def list_lost(squared: np.ndarray, counts: np.ndarray, rows: np.ndarray, first: np.ndarray, second: np.ndarray) -> None:
    """Write the lost pairs of some rows, ``counts`` in each, row by row."""
    at = 0
    for i in rows:
        left = counts[i]
        j = i + 1
        while left > 0:
            if squared[i, j] < 0:
                left -= 1
                first[at], second[at] = i, j
                at += 1
            j += 1


@compiled
def cosine_rows(squared: np.ndarray, norms: np.ndarray, out: np.ndarray, start: int, stop: int) -> None:
    """Write rows of cosine distances; a point of norm 0 is at 1 from every other place."""
    for i in range(start, stop):
        for j in range(len(norms)):
            if norms[i] == 0 or norms[j] == 0:
                out[i, j] = 0.0 if norms[i] == norms[j] else 1.0
            else:
                part = max(squared[i, j] - (norms[i] - norms[j]) ** 2, 0.0)  # negative but by rounding
                out[i, j] = min(part / (2 * norms[i] * norms[j]), 2.0)
        out[i, i] = 0.0


@compiled
def add_rows(points: np.ndarray, rows: np.ndarray, start: int, stop: int, sums: np.ndarray) -> None:
    """Add some rows up, over columns ``start`` to ``stop``."""
    for i in rows:
        row = points[i, start:stop]
        for k in range(stop - start):
            sums[start + k] += row[k]


@compiled
def squared_norms(points: np.ndarray, place: np.ndarray, first: int, last: int, out: np.ndarray) -> None:
    """Squared distances of rows ``first`` to ``last`` from a place, in float64."""
    for i in range(first, last):
        total = 0.0
        for low in range(0, points.shape[1], 1024):
            row = points[i, low : low + 1024]
            seen_from = place[low : low + 1024]
            part = 0.0
            for k in range(len(row)):
                part += (np.float64(row[k]) - seen_from[k]) ** 2
            total += part
        out[i] = total


@compiled
def shift_rows(points: np.ndarray, rows: np.ndarray, start: int, stop: int, mean: np.ndarray, out: np.ndarray) -> None:
    """Write columns of some rows less the mean to ``out``."""
    for i in range(len(rows)):
        row = points[rows[i], start:stop]
        seen_from = mean[start:stop]
        target = out[i]
        for k in range(stop - start):
            target[k] = row[k] - seen_from[k]


@compiled
def distance_of(squared: float, norm: float, other: float, is_cosine: bool) -> float:
    """Squared distance, or the cosine distance that belongs to it."""
    if not is_cosine:
        return max(squared, 0.0)
    if norm == 0 or other == 0:
        return 0.0 if norm == other else 1.0
    return min(max(squared - (norm - other) ** 2, 0.0) / (2 * norm * other), 2.0)


@compiled
def _keep(values: np.ndarray, indices: np.ndarray, value: float, index: int) -> None:
    at = len(values) - 1
    while at > 0 and values[at - 1] > value:
        values[at] = values[at - 1]
        indices[at] = indices[at - 1]
        at -= 1
    values[at] = value
    indices[at] = index


@compiled
def keep_nearest(
    products: np.ndarray, left: np.ndarray, right: np.ndarray, own: np.ndarray, norms: np.ndarray, is_cosine: bool,
    first: int, is_two_sided: bool, values: np.ndarray, indices: np.ndarray,
) -> None:  # fmt: skip
    """Merge a tile of products into lists of the least distances of each point, rising.

    The lists of ``left`` begin at row ``first``; those of ``right``, if it has some here, at its own numbers.
    """
    last = values.shape[1] - 1
    row = np.empty(len(right))
    for a in range(len(left)):
        i = left[a]
        for b in range(len(right)):
            j = right[b]
            row[b] = distance_of(own[i] + own[j] - 2 * products[a, b], norms[i], norms[j], is_cosine)
        for b in range(len(right)):
            j, value = right[b], row[b]
            if i == j or (is_two_sided and j < i):
                continue
            if value < values[first + a, last]:
                _keep(values[first + a], indices[first + a], value, j)
            if is_two_sided and value < values[j, last]:
                _keep(values[j], indices[j], value, i)
