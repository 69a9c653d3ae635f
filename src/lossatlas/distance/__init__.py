"""Runs become a distance matrix."""

from lossatlas.distance.pairwise import Origin, Pairwise, cosine_distances, pairwise
from lossatlas.distance.source import PointSource, RunSource, point_source

__all__ = ["Origin", "Pairwise", "PointSource", "RunSource", "cosine_distances", "pairwise", "point_source"]
