"""A minimum and its task become points around it."""

from lossatlas.sample.directions import random_direction
from lossatlas.sample.evaluate import evaluation, recompute_batchnorm
from lossatlas.sample.jump import JumpSettings, jump_and_retrain
from lossatlas.sample.pool import LocalPool
from lossatlas.sample.randomness import fixed_randomness
from lossatlas.sample.task import Task

__all__ = [
    "JumpSettings",
    "LocalPool",
    "Task",
    "evaluation",
    "fixed_randomness",
    "jump_and_retrain",
    "random_direction",
    "recompute_batchnorm",
]
