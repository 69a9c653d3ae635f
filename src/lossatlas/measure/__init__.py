"""Coordinates and losses become numbers."""

from lossatlas.measure.auditing import Audit, Finding, audit
from lossatlas.measure.comparison import Comparison, Null, comparison
from lossatlas.measure.faithfulness import Faithfulness, faithfulness
from lossatlas.measure.geometry import (
    EndSpread,
    LayerGeometry,
    TrajectoryGeometry,
    distances_from,
    end_spread,
    layer_geometry,
    return_ratio,
    step_lengths,
    trajectory_geometry,
)
from lossatlas.measure.nulls import random_walks, shuffled
from lossatlas.measure.similarity import cka, ckas
from lossatlas.measure.topology import (
    Diagram,
    MergeTree,
    Valleys,
    diagram_distance,
    merge_tree,
    neighbour_graph,
    paper_persistence,
    persistence,
    valleys,
)

__all__ = [
    "Audit",
    "Comparison",
    "Diagram",
    "EndSpread",
    "Faithfulness",
    "Finding",
    "LayerGeometry",
    "MergeTree",
    "Null",
    "TrajectoryGeometry",
    "Valleys",
    "audit",
    "cka",
    "ckas",
    "comparison",
    "diagram_distance",
    "distances_from",
    "end_spread",
    "faithfulness",
    "layer_geometry",
    "merge_tree",
    "neighbour_graph",
    "paper_persistence",
    "persistence",
    "random_walks",
    "return_ratio",
    "shuffled",
    "step_lengths",
    "trajectory_geometry",
    "valleys",
]
