"""Homology of a complex and of the cone over it by reduction of the boundary matrix over Z/2; graphs by thresholds."""

import itertools
import math

from naive_persistence import neighbours_naive


def simplices_of(n, edges, *, is_clique):
    """Points, edges, and with ``is_clique`` every triangle whose three edges are there."""
    found = [(v,) for v in range(n)] + [tuple(sorted(edge)) for edge in edges]
    if is_clique:
        known = set(found)
        found += [three for three in itertools.combinations(range(n), 3) if known >= set(itertools.combinations(three, 2))]
    return found


def extended_naive(values, simplices):
    """Pairs (dimension, birth, death) in three lists: ordinary, extended, relative; those of no length among them.

    Simplices enter at their highest value as the loss rises, then cones over them at their lowest as it falls (Cohen-Steiner,
    Edelsbrunner, Harer 2009). The tip of all cones is there from the beginning.
    """
    up = sorted((max(values[v] for v in one), len(one), one) for one in simplices)
    down = sorted((-min(values[v] for v in one), len(one), one) for one in simplices)
    cells = [("tip", (), None)] + [("up", one, high) for high, _, one in up] + [("down", one, -low) for low, _, one in down]
    place = {(kind, one): number for number, (kind, one, _) in enumerate(cells)}

    def boundary(kind, one):
        faces = [face for face in itertools.combinations(one, len(one) - 1) if face]
        if kind == "up":
            return {place["up", face] for face in faces}
        return {place["up", one]} | ({place["down", face] for face in faces} if faces else {place["tip", ()]})

    reduced, pairs = {}, {}
    for number, (kind, one, _) in enumerate(cells):
        column = boundary(kind, one) if kind != "tip" else set()
        while column and max(column) in reduced:
            column ^= reduced[max(column)]
        if column:
            reduced[max(column)] = column
            pairs[max(column)] = number
    ordinary, extended, relative = [], [], []
    for born, dead in sorted(pairs.items()):
        kind, one, birth = cells[born]
        dimension = len(one) - 1 + (kind == "down")
        end = cells[dead][0]
        {("up", "up"): ordinary, ("up", "down"): extended, ("down", "down"): relative}[kind, end].append(
            (dimension, birth, cells[dead][2])
        )
    return ordinary, extended, relative


def components_naive(n, edges):
    """Label of the component of each point, by spreading."""
    label = list(range(n))
    for _ in range(n):
        for a, b in edges:
            label[a] = label[b] = min(label[a], label[b])
    return label


def joined_naive(distances, knn):
    """Edges of the neighbour graph and, the shortest first, every edge that joins two of its pieces."""
    n, edges = len(distances), neighbours_naive(distances, knn)
    for _, a, b in sorted((float(distances[a][b]), a, b) for a, b in itertools.combinations(range(n), 2)):
        label = components_naive(n, edges)
        if label[a] != label[b]:
            edges.append((a, b))
    return sorted(edges)


def merge_tree_naive(values, edges):
    """Each minimum with its pass and the minimum it gives way to, by the lowest way between all pairs (Floyd, Warshall).

    Returns:
        ``{minimum: (pass, parent)}``; the pass is infinite and the parent None where there is no way to an older one.
    """
    n = len(values)
    over = [[values[a] if a == b else math.inf for b in range(n)] for a in range(n)]
    for a, b in edges:
        over[a][b] = over[b][a] = max(values[a], values[b])
    for c, a, b in itertools.product(range(n), repeat=3):
        over[a][b] = min(over[a][b], max(over[a][c], over[c][b]))
    age = [(value, number) for number, value in enumerate(values)]
    found = {}
    for point in range(n):
        height = min((over[point][other] for other in range(n) if age[other] < age[point]), default=math.inf)
        if height > values[point]:
            reached = [other for other in range(n) if over[point][other] <= height]
            found[point] = (height, None if math.isinf(height) else min(reached, key=age.__getitem__))
    return found


def matchings(m, k):
    """Every way to match some of m with some of k."""
    for size in range(min(m, k) + 1):
        for first in itertools.combinations(range(m), size):
            for second in itertools.permutations(range(k), size):
                yield list(zip(first, second, strict=True))


def diagram_distance_naive(these, those, *, p):
    """Distance by all matchings; ``p`` infinite is the bottleneck."""
    best = math.inf
    for matching in matchings(len(these), len(those)):
        apart = [max(abs(x - y) for x, y in zip(these[i], those[j], strict=True)) for i, j in matching]
        apart += [abs(d - b) / 2 for i, (b, d) in enumerate(these) if i not in {i for i, _ in matching}]
        apart += [abs(d - b) / 2 for j, (b, d) in enumerate(those) if j not in {j for _, j in matching}]
        whole = max(apart, default=0) if math.isinf(p) else sum(one**p for one in apart) ** (1 / p)
        best = min(best, whole)
    return best


def paper_naive(potential, values, knn):
    """Components that end, those that are closed at the last edge, and births of cycles, as the released analysis finds them."""
    edges = []
    for a, row in enumerate(potential):
        ranked = sorted((float(entry), b) for b, entry in enumerate(row))
        edges += [(a, b) for _, b in ranked[-knn:]]
    parent = list(range(len(potential)))
    pairs, cycles = [], []

    def root(v):
        return v if parent[v] == v else root(parent[v])

    for height, a, b in sorted((max(values[a], values[b]), a, b) for a, b in edges):
        older, younger = sorted((root(a), root(b)), key=lambda v: (values[v], v))
        if older == younger:
            cycles.append(height)
        else:
            pairs.append((values[younger], height))
            parent[younger] = older
    last = max(max(values[a], values[b]) for a, b in edges)
    return pairs, [(values[v], last) for v in range(len(potential)) if parent[v] == v], cycles
