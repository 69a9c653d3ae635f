"""A minimum and its task become points around it."""

from lossatlas.sample.curvature import Along, Curvature, Sharpness, along, curvature, sharpness
from lossatlas.sample.directions import normalized_direction, random_direction
from lossatlas.sample.evaluate import evaluation, recompute_batchnorm
from lossatlas.sample.jump import JumpCost, JumpSettings, grid_sample, jump_and_retrain, jump_cost, naive_sample
from lossatlas.sample.named import named_task
from lossatlas.sample.outputs import activations, predictions
from lossatlas.sample.path import BandSettings, BendSettings, Cycle, LowLossPath, bezier_path, nudged_elastic_band
from lossatlas.sample.pool import LocalPool
from lossatlas.sample.randomness import fixed_randomness
from lossatlas.sample.ray_pool import RayPool
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
from lossatlas.sample.symmetry import (
    Alignment,
    PermutationGroup,
    Use,
    align,
    filter_cosine_distance,
    permutation_groups,
    permuted,
)
from lossatlas.sample.task import Task, on_device

__all__ = [
    "Alignment",
    "Along",
    "BandSettings",
    "BendSettings",
    "Curvature",
    "Cycle",
    "JumpCost",
    "JumpSettings",
    "LocalPool",
    "LossLine",
    "LossPlane",
    "LossSquare",
    "LossTriangle",
    "LowLossPath",
    "PermutationGroup",
    "RayPool",
    "Sharpness",
    "SliceSettings",
    "Task",
    "Use",
    "activations",
    "align",
    "along",
    "barycentric",
    "bezier_path",
    "bilinear",
    "curvature",
    "evaluation",
    "filter_cosine_distance",
    "fixed_randomness",
    "grid_sample",
    "jump_and_retrain",
    "jump_cost",
    "linear_path",
    "loss_line",
    "loss_plane",
    "naive_sample",
    "named_task",
    "normalized_direction",
    "nudged_elastic_band",
    "on_device",
    "permutation_groups",
    "permuted",
    "predictions",
    "random_direction",
    "recompute_batchnorm",
    "sharpness",
    "trajectory_plane",
]
