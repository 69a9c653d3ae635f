"""What every comparison shares: variants of one recipe over seeds, each trained, sampled and measured, then told apart."""

from lossatlas.experiments.comparison.claims import Claim, lower, not_testable
from lossatlas.experiments.comparison.findings import Findings
from lossatlas.experiments.comparison.preset import Preset
from lossatlas.experiments.comparison.recipe import Recipe
from lossatlas.experiments.comparison.settings import Jump, Settings

__all__ = ["Claim", "Findings", "Jump", "Preset", "Recipe", "Settings", "lower", "not_testable"]
