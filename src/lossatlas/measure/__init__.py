"""Coordinates and losses become numbers."""

from lossatlas.measure.auditing import Audit, Finding, audit
from lossatlas.measure.comparison import Comparison, Null, comparison
from lossatlas.measure.faithfulness import Faithfulness, faithfulness
from lossatlas.measure.nulls import random_walks, shuffled
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
from lossatlas.measure.trajectory import distances_from, return_ratio, step_lengths

__all__ = [
    "Audit",
    "Comparison",
    "Diagram",
    "Faithfulness",
    "Finding",
    "MergeTree",
    "Null",
    "Valleys",
    "audit",
    "comparison",
    "diagram_distance",
    "distances_from",
    "faithfulness",
    "merge_tree",
    "neighbour_graph",
    "paper_persistence",
    "persistence",
    "random_walks",
    "return_ratio",
    "shuffled",
    "step_lengths",
    "valleys",
]
