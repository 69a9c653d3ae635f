"""Jump and retrain: leave a minimum by random steps, train on, and see where the weights go."""

from lossatlas.sample.jump.cost import JumpCost, jump_cost
from lossatlas.sample.jump.rivals import grid_sample, naive_sample
from lossatlas.sample.jump.sampling import jump_and_retrain
from lossatlas.sample.jump.settings import JumpSettings

__all__ = ["JumpCost", "JumpSettings", "grid_sample", "jump_and_retrain", "jump_cost", "naive_sample"]
