"""The loss on lines, planes, triangles and squares through given points.

Every slice is a few weight vectors (a frame) and a table of combinations of them; ``losses`` measures the loss at any such table.
"""

from lossatlas.sample.slice.corners import LossSquare, LossTriangle, barycentric, bilinear
from lossatlas.sample.slice.line import LossLine, linear_path, loss_line
from lossatlas.sample.slice.plane import LossPlane, loss_plane
from lossatlas.sample.slice.settings import SliceSettings
from lossatlas.sample.slice.trajectory import trajectory_plane

__all__ = [
    "LossLine",
    "LossPlane",
    "LossSquare",
    "LossTriangle",
    "SliceSettings",
    "barycentric",
    "bilinear",
    "linear_path",
    "loss_line",
    "loss_plane",
    "trajectory_plane",
]
