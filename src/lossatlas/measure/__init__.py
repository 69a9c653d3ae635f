"""Coordinates and losses become numbers."""

from lossatlas.measure.auditing import Audit, Finding, audit
from lossatlas.measure.graph import neighbour_graph
from lossatlas.measure.persistence import Diagram, persistence
from lossatlas.measure.trajectory import distances_from, return_ratio, step_lengths
from lossatlas.measure.trust import (
    Comparison,
    Faithfulness,
    Null,
    Truth,
    comparison,
    faithfulness,
    plane_stress,
    random_walks,
    shuffled,
    truth,
)
from lossatlas.measure.valleys import Valleys, valleys

__all__ = [
    "Audit",
    "Comparison",
    "Diagram",
    "Faithfulness",
    "Finding",
    "Null",
    "Truth",
    "Valleys",
    "audit",
    "comparison",
    "distances_from",
    "faithfulness",
    "neighbour_graph",
    "persistence",
    "plane_stress",
    "random_walks",
    "return_ratio",
    "shuffled",
    "step_lengths",
    "truth",
    "valleys",
]
