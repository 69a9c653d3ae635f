"""Where trajectories go, in weight space itself."""

from lossatlas.measure.geometry.layers import LayerGeometry, layer_geometry
from lossatlas.measure.geometry.lengths import distances_from, return_ratio
from lossatlas.measure.geometry.spread import EndSpread, end_spread
from lossatlas.measure.geometry.trajectory import TrajectoryGeometry, trajectory_geometry

__all__ = [
    "EndSpread",
    "LayerGeometry",
    "TrajectoryGeometry",
    "distances_from",
    "end_spread",
    "layer_geometry",
    "return_ratio",
    "trajectory_geometry",
]
