"""The shape of a loss over the map's neighbour graph.

``graph`` is what points are neighbours, ``filtration`` puts the loss on it, ``scales`` reads the loss otherwise; ``meeting``
follows the components as the loss rises. Of these are made ``persistence`` (a ``diagram``), ``valleys`` and the ``merge_tree``;
``between`` compares diagrams, and ``paper`` is the released analysis with its faults.
"""

from lossatlas.measure.topology.between import diagram_distance
from lossatlas.measure.topology.diagram import Diagram
from lossatlas.measure.topology.graph import neighbour_graph
from lossatlas.measure.topology.merge_tree import MergeTree, merge_tree
from lossatlas.measure.topology.paper import paper_persistence
from lossatlas.measure.topology.persistence import persistence
from lossatlas.measure.topology.valleys import Valleys, valleys

__all__ = [
    "Diagram",
    "MergeTree",
    "Valleys",
    "diagram_distance",
    "merge_tree",
    "neighbour_graph",
    "paper_persistence",
    "persistence",
    "valleys",
]
