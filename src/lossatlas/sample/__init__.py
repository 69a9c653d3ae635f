"""A minimum and its task become points around it."""

from lossatlas.sample.directions import normalized_direction, random_direction
from lossatlas.sample.evaluate import evaluation, recompute_batchnorm
from lossatlas.sample.jump import JumpSettings, jump_and_retrain
from lossatlas.sample.named import named_task
from lossatlas.sample.pool import LocalPool
from lossatlas.sample.randomness import fixed_randomness
from lossatlas.sample.slice import (
    LossLine,
    LossPlane,
    LossSquare,
    LossTriangle,
    SliceSettings,
    barycentric,
    bilinear,
    linear_path,
    loss_line,
    loss_plane,
    trajectory_plane,
)
from lossatlas.sample.task import Task, on_device

__all__ = [
    "JumpSettings",
    "LocalPool",
    "LossLine",
    "LossPlane",
    "LossSquare",
    "LossTriangle",
    "SliceSettings",
    "Task",
    "barycentric",
    "bilinear",
    "evaluation",
    "fixed_randomness",
    "jump_and_retrain",
    "linear_path",
    "loss_line",
    "loss_plane",
    "named_task",
    "normalized_direction",
    "on_device",
    "random_direction",
    "recompute_batchnorm",
    "trajectory_plane",
]
