"""Coordinates and losses become numbers."""

from lossatlas.measure.auditing import Audit, Finding, audit
from lossatlas.measure.comparison import Comparison, Null, comparison
from lossatlas.measure.faithfulness import Faithfulness, faithfulness
from lossatlas.measure.graph import neighbour_graph
from lossatlas.measure.nulls import random_walks, shuffled
from lossatlas.measure.persistence import Diagram, persistence
from lossatlas.measure.similarity import cka, ckas
from lossatlas.measure.trajectory import distances_from, return_ratio, step_lengths
from lossatlas.measure.valleys import Valleys, valleys

__all__ = [
    "Audit",
    "Comparison",
    "Diagram",
    "Faithfulness",
    "Finding",
    "Null",
    "Valleys",
    "audit",
    "cka",
    "ckas",
    "comparison",
    "distances_from",
    "faithfulness",
    "neighbour_graph",
    "persistence",
    "random_walks",
    "return_ratio",
    "shuffled",
    "step_lengths",
    "valleys",
]
