"""Trustworthiness, continuity, neighbours kept and torn steps by their definitions, in loops."""

import itertools
import math


def shares_naive(row, i, knn):
    """Share of each point among the knn nearest of i; those that tie for the last places divide what is left."""
    others = sorted(d for j, d in enumerate(row) if j != i)
    last = others[knn - 1]
    left, tied = knn - sum(d < last for d in others), others.count(last)
    return [0.0 if j == i else 1.0 if d < last else left / tied if d == last else 0.0 for j, d in enumerate(row)]


def rank_naive(row, i, j):
    """One and the number of points nearer to i than j is."""
    return 1 + sum(d < row[j] for k, d in enumerate(row) if k != i)


def faithfulness_naive(true, drawn, knn):
    """Of each point trustworthiness, continuity and share of neighbours kept."""
    n = len(true)
    worst = knn * (2 * n - 3 * knn - 1) / 2
    found = []
    for i in range(n):
        near, near_there = shares_naive(true[i], i, knn), shares_naive(drawn[i], i, knn)
        intruders = sum(near_there[j] * max(rank_naive(true[i], i, j) - knn, 0) for j in range(n) if j != i)
        lost = sum(near[j] * max(rank_naive(drawn[i], i, j) - knn, 0) for j in range(n) if j != i)
        kept = sum(min(a, b) for a, b in zip(near, near_there, strict=True)) / knn
        found.append((1 - intruders / worst, 1 - lost / worst, kept))
    return found


def step_excess_naive(true, drawn, runs):
    """Row after each step, and how much longer than foreseen the step is drawn, in parts of the map's spread."""
    pairs = list(itertools.combinations(range(len(true)), 2))
    lengths = sorted(drawn[i][j] for i, j in pairs)
    spread = math.sqrt(sum(length**2 for length in lengths) / len(lengths))
    found = {}
    for start, stop in runs:
        for row in range(start, stop - 1):
            rank = sum(true[i][j] <= true[row][row + 1] for i, j in pairs)
            found[row + 1] = (drawn[row][row + 1] - lengths[rank - 1]) / spread
    return found


def kept_by_run_naive(true, drawn, run, knn):
    """Share of the true neighbours that are kept, of those of the same run and of all others; None where there are none."""
    own_kept = own = other_kept = other = 0.0
    for i in range(len(true)):
        if run[i] is None:
            continue
        near, near_there = shares_naive(true[i], i, knn), shares_naive(drawn[i], i, knn)
        for j, share in enumerate(near):
            if run[j] == run[i]:
                own, own_kept = own + share, own_kept + min(share, near_there[j])
            else:
                other, other_kept = other + share, other_kept + min(share, near_there[j])
    return tuple(kept / all_of if all_of > 1e-9 else None for kept, all_of in ((own_kept, own), (other_kept, other)))
