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
from lossatlas.measure.graph import neighbour_graph
from lossatlas.measure.nulls import random_walks, shuffled
from lossatlas.measure.persistence import Diagram, persistence
from lossatlas.measure.similarity import cka, ckas
from lossatlas.measure.valleys import Valleys, valleys

__all__ = [
    "Audit",
    "Comparison",
    "Diagram",
    "EndSpread",
    "Faithfulness",
    "Finding",
    "LayerGeometry",
    "Null",
    "TrajectoryGeometry",
    "Valleys",
    "audit",
    "cka",
    "ckas",
    "comparison",
    "distances_from",
    "end_spread",
    "faithfulness",
    "layer_geometry",
    "neighbour_graph",
    "persistence",
    "random_walks",
    "return_ratio",
    "shuffled",
    "step_lengths",
    "trajectory_geometry",
    "valleys",
]
