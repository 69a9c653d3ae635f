"""The mathematics of PHATE in loops and dense matrices, written from the formulas and from nothing else."""

import math

import numpy as np


def kernel_naive(distances, knn, decay, threshold=1e-4):
    """``K = (A + A.T) / 2``, ``A_ij = exp(-(d_ij / eps_i)^decay)``, cut at ``threshold`` before it is made symmetric."""
    n = len(distances)
    A = [[0.0] * n for _ in range(n)]
    for i in range(n):
        others = sorted(float(distances[i, j]) for j in range(n) if j != i)
        width = others[knn - 1]  # the knn-th neighbour, the point itself not counted
        for j in range(n):
            if i == j:
                A[i][j] = 1.0
            elif decay is None:
                A[i][j] = 1.0 if distances[i, j] <= width else 0.0
            elif width == 0:  # knn copies of the point: they are as near as can be, all else is out of reach
                A[i][j] = 1.0 if distances[i, j] == 0 else 0.0
            else:
                ratio = float(distances[i, j]) / width
                value = math.exp(-(ratio**decay)) if ratio < 1e7 else 0.0  # 1e7^40 can be raised, and exp(-1e7) is 0
                A[i][j] = value if value >= threshold else 0.0
    return np.array([[(A[i][j] + A[j][i]) / 2 for j in range(n)] for i in range(n)])


def kernel_with_options_naive(
    distances, knn, decay, *, knn_max=None, bandwidth=None, scale=1.0, how="+", theta=1.0, anisotropy=0.0, threshold=1e-4
):
    """Return the kernel with every option of METHOD 3.1: each point's view in a loop, then the pairs, then the density."""
    n = len(distances)
    A = [[0.0] * n for _ in range(n)]
    for i in range(n):
        others = sorted((float(distances[i, j]), j) for j in range(n) if j != i)
        given = others[knn - 1][0] if bandwidth is None else float(np.broadcast_to(bandwidth, n)[i])
        A[i][i] = 1.0
        for distance, j in others[:knn_max]:
            ratio = distance / (given * scale)
            value = float(ratio <= 1) if decay is None else math.exp(-(ratio**decay)) if ratio < 1e7 else 0.0
            A[i][j] = value if value >= threshold else 0.0
    joined = {
        "+": lambda a, b: (a + b) / 2,
        "*": lambda a, b: a * b,
        "mnn": lambda a, b: theta * min(a, b) + (1 - theta) * max(a, b),
    }[how]
    K = [[joined(A[i][j], A[j][i]) for j in range(n)] for i in range(n)]
    q = [sum(row) for row in K]
    return np.array([[K[i][j] / (q[i] * q[j]) ** anisotropy for j in range(n)] for i in range(n)])


def autocorrelation_naive(points, trajectories):
    """``sum <x_i - m, x_i+k - m> / sum |x_i - m|^2`` in coordinates, m the mean of the trajectory, until it is not positive."""
    runs = [points[[i for i, own in enumerate(trajectories) if own == run]] for run in sorted(set(trajectories))]
    sums = [0.0] * max(map(len, runs))
    for run in runs:
        apart = run - run.mean(axis=0)
        for lag in range(len(run)):
            for i in range(len(run) - lag):
                sums[lag] += float(apart[i] @ apart[i + lag])
    found = []
    for value in sums:
        if value <= 0:
            break
        found.append(value / sums[0])
    return np.array(found)


def remembered_naive(kernel, correlation, trajectories):
    """``T K T``, ``T_ij = rho(|i - j|)`` within a trajectory, counted in its own snapshots, and 0 between two."""
    n = len(kernel)
    own = [[j for j in range(n) if trajectories[j] == trajectories[i]] for i in range(n)]
    T = [[0.0] * n for _ in range(n)]
    for i in range(n):
        for j in own[i]:
            lag = abs(own[i].index(i) - own[i].index(j))
            T[i][j] = float(correlation[lag]) if lag < len(correlation) else 0.0
    return np.array(T) @ kernel @ np.array(T)


def operator_naive(kernel):
    """Each row divided by its sum."""
    return np.array([[value / sum(row) for value in row] for row in np.asarray(kernel).tolist()])


def entropy_naive(spectrum, t_max):
    """``H(k) = -sum p ln p``, ``p = s^k / sum s^k + eps``, for ``k = 1 ... t_max``."""
    eps = float(np.finfo(float).eps)
    curve = []
    for k in range(1, t_max + 1):
        powers = [float(s) ** k for s in spectrum]
        total = sum(powers)
        curve.append(-sum((s / total + eps) * math.log(s / total + eps) for s in powers))
    return np.array(curve)


def line_residuals_naive(x, y, judged=0):
    """Summed absolute residuals of the least-squares line through the points, from point ``judged`` on."""
    mx, my = sum(x) / len(x), sum(y) / len(y)
    across = sum((a - mx) ** 2 for a in x)
    slope = sum((a - mx) * (b - my) for a, b in zip(x, y, strict=True)) / across
    return sum(abs(b - (my + slope * (a - mx))) for a, b in list(zip(x, y, strict=True))[judged:])


def knee_naive(y, lead=0):
    """Position of the breakpoint, which both lines share, where the two fits together err least.

    The second line is fitted from ``lead`` points before the breakpoint on, and judged from the breakpoint on.
    """
    x, y = list(range(len(y))), list(y)
    errors = {}
    for k in range(1, len(y) - 1):
        left = line_residuals_naive(x[: k + 1], y[: k + 1])
        right = line_residuals_naive(x[k - lead :], y[k - lead :], judged=lead)
        errors[k] = left + right
    return min(errors, key=errors.get)


def power_naive(P, t):
    """``P^t`` by ``t - 1`` multiplications."""
    power = P
    for _ in range(t - 1):
        power = power @ P
    return power


def potential_naive(P, t, gamma):
    """``-ln(P^t + 1e-7)`` for gamma 1, ``P^t`` for -1, and between ``(P^t)^c / c`` with ``c = (1 - gamma) / 2``."""
    power = power_naive(P, t).tolist()
    if gamma == 1:
        return np.array([[-math.log(value + 1e-7) for value in row] for row in power])
    if gamma == -1:
        return np.array(power)
    c = (1 - gamma) / 2
    return np.array([[value**c / c for value in row] for row in power])


def euclidean_naive(rows):
    """Distances between rows, pair by pair."""
    n = len(rows)
    return np.array(
        [[math.sqrt(sum((a - b) ** 2 for a, b in zip(rows[i], rows[j], strict=True))) for j in range(n)] for i in range(n)]
    )


def cosine_naive(rows):
    """``1 - cos`` between rows, pair by pair, no trick."""
    n = len(rows)
    norm = [math.sqrt(sum(a * a for a in row)) for row in rows]
    return np.array(
        [
            [1 - sum(a * b for a, b in zip(rows[i], rows[j], strict=True)) / (norm[i] * norm[j]) for j in range(n)]
            for i in range(n)
        ]
    )


def stress_naive(distances, coordinates):
    """Stress-1 against given distances: ``sqrt(sum (d - |x - y|)^2 / sum d^2)`` over pairs."""
    above = below = 0.0
    for i in range(len(coordinates)):
        for j in range(i):
            drawn = math.sqrt(sum((a - b) ** 2 for a, b in zip(coordinates[i], coordinates[j], strict=True)))
            above += (float(distances[i, j]) - drawn) ** 2
            below += float(distances[i, j]) ** 2
    return math.sqrt(above / below)


def raw_stress_naive(distances, coordinates):
    """``sum (d - |x - y|)^2`` over pairs: what majorisation never increases."""
    return stress_naive(distances, coordinates) ** 2 * sum(
        float(distances[i, j]) ** 2 for i in range(len(distances)) for j in range(i)
    )


def guttman_naive(distances, coordinates):
    """One step of majorisation with weights one: ``X+ = B(X) X / n``."""
    n, d = coordinates.shape
    moved = np.zeros((n, d))
    for i in range(n):
        for j in range(n):
            if i == j:
                continue
            gap = coordinates[i] - coordinates[j]
            drawn = math.sqrt(float(gap @ gap))
            if drawn > 0:
                moved[i] += float(distances[i, j]) / drawn * gap
        moved[i] /= n
    return moved


def majorised_naive(distances, coordinates, tolerance=1e-6, limit=3000):
    """Majorisation by dense matrices until a step gains less than ``tolerance`` of the stress, or ``limit`` is reached."""
    n = len(distances)
    raw = []
    for _ in range(limit):
        drawn = np.sqrt(((coordinates[:, np.newaxis] - coordinates[np.newaxis]) ** 2).sum(axis=2))
        raw.append(((distances - drawn) ** 2).sum() / 2)
        if len(raw) > 1 and raw[-2] - raw[-1] <= tolerance * raw[-1]:
            break
        B = -np.divide(distances, drawn, out=np.zeros_like(drawn), where=drawn > 0)
        B -= np.diag(B.sum(axis=1))
        coordinates = B @ coordinates / n
    return coordinates


def aligned(moving, fixed):
    """``moving`` shifted and turned (mirrored if need be), never scaled, onto ``fixed``."""
    a, b = moving - moving.mean(0), fixed - fixed.mean(0)
    u, _, vt = np.linalg.svd(a.T @ b)
    return a @ u @ vt + fixed.mean(0)
