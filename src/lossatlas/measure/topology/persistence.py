"""How the loss rises and falls over the map's neighbour graph: valleys, the passes between them, and loops."""

import gudhi
import numpy as np

from lossatlas._arrays import Distances, Vector
from lossatlas.embed import PhateEmbedding
from lossatlas.embed.settings import refuse_unknown
from lossatlas.measure.topology.diagram import Complex, Diagram, Pairs
from lossatlas.measure.topology.filtration import Pieces, filtration
from lossatlas.measure.topology.scales import Scale

_DIMENSIONS = (0, 1)


def persistence(
    distances_or_embedding: Distances | PhateEmbedding,
    values: Vector,
    *,
    knn: int = 20,
    scale: Scale = "raw",
    pieces: Pieces = "apart",
    complex: Complex = "graph",
    extended: bool = False,
) -> Diagram:
    """Persistence diagram of the sublevel filtration of ``values`` over the neighbour graph.

    A point enters at its value, an edge at the higher value of its ends. A component dies when it meets an older one (the
    elder rule); cycles of a graph never die. Points with a value that is not finite are left out and counted.

    Horoi et al. 2022, Sections 2.2 and 3.3, on the true nearest neighbours by potential distance; their released code
    takes the farthest, and gives each point its predecessor's loss: :func:`lossatlas.measure.paper_persistence`.

    Args:
        distances_or_embedding: Distances ``(n, n)``, or an embedding whose potential distances are taken.
        values: The loss at each point, ``(n,)``.
        knn: Neighbours of each point. Default of Horoi et al. 2022, Section 3.3.
        scale: What the loss is read on: ``"raw"``, ``"log"``, ``"rank"`` from 0 to 1, which no monotone change of the loss
            alters, or ``"range"``, the share of the range.
        pieces: Whether the components of the graph count ``"apart"``, or are ``"joined"`` along the minimum spanning tree of
            the distances first, so that one class never ends.
        complex: ``"graph"``, or ``"clique"``: three points that are neighbours of each other are filled by a triangle, so that
            a cycle dies where triangles fill it.
        extended: Whether the loss falls again after it has risen (Cohen-Steiner, Edelsbrunner and Harer 2009), which ends
            what never ends: a component at its own highest value, and a cycle at its lowest, where it closes as seen from
            above. ``relative[1]`` then holds the hills, each with its peak and the pass to a higher one. On 640 points this
            takes half a second, and with cliques half a minute.

    Raises:
        InputError: the numbers of points differ, fewer than two values are finite, ``knn`` does not fit, or the values have
            no place on the scale.

    >>> path = np.abs(np.subtract.outer(np.arange(3.0), np.arange(3.0)))
    >>> diagram = persistence(path, np.array([0.0, 5.0, 1.0]), knn=1)
    >>> diagram.finite[0], diagram.total(part="finite"), diagram.total(part="essential")
    (array([[1., 5.]]), 16.0, 25.0)
    """
    refuse_unknown(scale=(scale, Scale), complex=(complex, Complex))
    on = filtration(distances_or_embedding, values, knn=knn, pieces=pieces)
    # On the numbers of the values in their order no sum is rounded: births and deaths are values to the last bit.
    levels, place = np.unique(on.values, return_inverse=True)
    tree = gudhi.SimplexTree()
    tree.insert_batch(np.arange(len(place))[np.newaxis], place.astype(np.float64))
    tree.insert_batch(on.edges.T, place[on.edges].max(axis=1).astype(np.float64))
    if complex == "clique":
        tree.expansion(2)
    finite, closed, relative = _extended(tree, levels) if extended else _ordinary(tree, levels)
    return Diagram(
        finite=finite,
        essential={dimension: pairs[:, 0] for dimension, pairs in closed.items()},
        values=np.sort(on.values),
        n_left_out=on.n_left_out,
        knn=knn,
        pieces=pieces,
        complex=complex,
        ends={dimension: pairs[:, 1] for dimension, pairs in closed.items()} if extended else None,
        relative=relative,
    ).rescaled(scale)


_Found = dict[int, Pairs]


def _ordinary(tree: gudhi.SimplexTree, levels: Vector) -> tuple[_Found, _Found, _Found]:
    """Classes that end, and those that do not, closed at the highest level."""
    tree.compute_persistence(homology_coeff_field=2, persistence_dim_max=tree.dimension() < 2)
    intervals = {dimension: tree.persistence_intervals_in_dimension(dimension).reshape(-1, 2) for dimension in _DIMENSIONS}
    finite, closed = {}, {}
    for dimension, found in intervals.items():
        ends = np.isfinite(found[:, 1])
        finite[dimension] = _pairs(found[ends], levels)
        closed[dimension] = _pairs(np.where(np.isfinite(found[~ends]), found[~ends], len(levels) - 1), levels)
    return finite, closed, {}


def _extended(tree: gudhi.SimplexTree, levels: Vector) -> tuple[_Found, _Found, _Found]:
    """Classes of the way up, those of the way up that end on the way down, and those of the way down."""
    tree.extend_filtration()
    # gudhi leaves out what ends where it began, which a flat loop does too; it is a loop all the same.
    up, down, plus, minus = tree.extended_persistence(homology_coeff_field=2, min_persistence=-1)
    parts = []
    for part, is_kept_flat in ((up, False), ([*plus, *minus], True), (down, False)):
        found = {}
        for dimension in _DIMENSIONS:
            pairs = np.array([ends for of, ends in part if of == dimension]).reshape(-1, 2)
            pairs = np.rint(pairs)  # it scales the levels and scales them back
            found[dimension] = _pairs(pairs if is_kept_flat else pairs[pairs[:, 0] != pairs[:, 1]], levels)
        parts.append(found)
    return parts[0], parts[1], parts[2]


def _pairs(found: Pairs, levels: Vector) -> Pairs:
    return levels[found.astype(np.int64)]
