"""How far a map can be trusted.

``faithfulness`` scores a map by its distances, with ``ranks`` of neighbours; ``nulls`` are what a map would show of nothing;
``comparison`` puts a map beside others of its distances and beside its nulls.
"""

from lossatlas.measure.trust.comparison import Comparison, Null, comparison, plane_stress
from lossatlas.measure.trust.faithfulness import Faithfulness, Truth, faithfulness, truth
from lossatlas.measure.trust.nulls import random_walks, shuffled

__all__ = [
    "Comparison",
    "Faithfulness",
    "Null",
    "Truth",
    "comparison",
    "faithfulness",
    "plane_stress",
    "random_walks",
    "shuffled",
    "truth",
]
