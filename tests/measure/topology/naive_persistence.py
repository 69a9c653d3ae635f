"""Sublevel persistence of a graph by union-find with the elder rule, and neighbour graphs, in loops."""

import itertools
import math


def persistence_naive(values, edges):
    """Pairs (birth, death) of dimension 0, births of what never dies, and births of the cycles.

    A vertex enters at its value, an edge when both its ends are in. An edge between two components kills the younger one; an
    edge within a component makes a cycle.
    """
    parent = list(range(len(values)))
    eldest = list(range(len(values)))  # the vertex with the least (value, number) of each component

    def root(v):
        while parent[v] != v:
            v = parent[v]
        return v

    finite, cycles = [], []
    for height, a, b in sorted((max(values[a], values[b]), a, b) for a, b in edges):
        ra, rb = root(a), root(b)
        if ra == rb:
            cycles.append(height)
            continue
        older, younger = sorted((ra, rb), key=lambda r: (values[eldest[r]], eldest[r]))
        finite.append((values[eldest[younger]], height))
        parent[younger] = older
    essential = [values[eldest[v]] for v in range(len(values)) if root(v) == v]
    return sorted(finite), sorted(essential), sorted(cycles)


def neighbours_naive(distances, knn):
    """Edges (i, j), i < j: j is among the knn nearest of i or the other way round; of equals the lower number is nearer."""
    edges = set()
    for i in range(len(distances)):
        ranked = sorted((float(distances[i][j]), j) for j in range(len(distances)) if j != i)
        for _, j in ranked[:knn]:
            edges.add((min(i, j), max(i, j)))
    return sorted(edges)


def geodesic_length(points):
    """Length of the polygon through the points."""
    return sum(math.dist(a, b) for a, b in itertools.pairwise(points))
