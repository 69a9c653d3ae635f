"""What every comparison shares: variants of one recipe over seeds, each trained, sampled and measured, then told apart."""

from lossatlas.experiments.comparison.claims import Claim, lower, not_testable, ranked, told_apart
from lossatlas.experiments.comparison.findings import Findings
from lossatlas.experiments.comparison.measures import Measure
from lossatlas.experiments.comparison.preset import Preset
from lossatlas.experiments.comparison.recipe import Recipe
from lossatlas.experiments.comparison.settings import Jump, Settings

__all__ = [
    "Claim",
    "Findings",
    "Jump",
    "Measure",
    "Preset",
    "Recipe",
    "Settings",
    "lower",
    "not_testable",
    "ranked",
    "told_apart",
]
