"""How far a map can be trusted.

``faithfulness`` scores a map by its distances, with ``ranks`` of neighbours; ``geodesics`` by a known truth; ``stability`` says
whether it would come out again. ``nulls`` and ``dealt`` are what a map would show of nothing. ``comparison`` puts a map beside
others of its distances and beside its nulls, ``methods`` draws and scores each over seeds.
"""

from lossatlas.measure.trust.comparison import Comparison, Null, comparison, plane_stress
from lossatlas.measure.trust.dealt import Chance, ShuffledLoss, shuffled_loss, shuffled_time
from lossatlas.measure.trust.faithfulness import Faithfulness, Truth, faithfulness, truth
from lossatlas.measure.trust.geodesics import Demap, demap
from lossatlas.measure.trust.methods import Draws, MethodScores, methods_scored
from lossatlas.measure.trust.nulls import WalkShares, random_walks, shuffled, walk_shares
from lossatlas.measure.trust.stability import Stability, displaced, displaced_by_chance, part_of, stability

__all__ = [
    "Chance",
    "Comparison",
    "Demap",
    "Draws",
    "Faithfulness",
    "MethodScores",
    "Null",
    "ShuffledLoss",
    "Stability",
    "Truth",
    "WalkShares",
    "comparison",
    "demap",
    "displaced",
    "displaced_by_chance",
    "faithfulness",
    "methods_scored",
    "part_of",
    "plane_stress",
    "random_walks",
    "shuffled",
    "shuffled_loss",
    "shuffled_time",
    "stability",
    "truth",
    "walk_shares",
]
