"""Runs become a distance matrix."""

from lossatlas.distance.cross import cross_distances, metric_cross_distances, metric_distances
from lossatlas.distance.neighbours import Neighbours, nearest, neighbours_within
from lossatlas.distance.pairwise import Origin, Pairwise, cosine_distances, pairwise
from lossatlas.distance.source import PointSource, RunSource, point_source

__all__ = [
    "Neighbours", "Origin", "Pairwise", "PointSource", "RunSource", "cosine_distances", "cross_distances",
    "metric_cross_distances", "metric_distances", "nearest", "neighbours_within", "pairwise", "point_source",
]  # fmt: skip
