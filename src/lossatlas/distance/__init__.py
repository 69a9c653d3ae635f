"""Runs become a distance matrix."""

from lossatlas.distance.cloud import SketchCloud, cloud
from lossatlas.distance.cross import cross_distances, metric_cross_distances, metric_distances
from lossatlas.distance.extended import extended, picked, seen_from
from lossatlas.distance.neighbours import Neighbours, nearest, neighbours_within
from lossatlas.distance.pairs import pair_squares
from lossatlas.distance.pairwise import Origin, Pairwise, cosine_distances, pairwise, spent
from lossatlas.distance.predictions import PredictionKind, hellinger_pairwise, prediction_distances, prediction_pairwise
from lossatlas.distance.recorded import recorded_cloud, recorded_pairwise, recorded_sketches
from lossatlas.distance.sketched import Sketches, sketched_pairwise, sketches
from lossatlas.distance.source import PointSource, RunSource, point_source

__all__ = [
    "Neighbours", "Origin", "Pairwise", "PointSource", "PredictionKind", "RunSource", "SketchCloud", "Sketches", "cloud",
    "cosine_distances", "cross_distances", "extended", "hellinger_pairwise", "metric_cross_distances", "metric_distances",
    "nearest", "neighbours_within", "pair_squares", "pairwise", "picked", "point_source", "prediction_distances",
    "prediction_pairwise", "recorded_cloud", "recorded_pairwise", "recorded_sketches", "seen_from", "sketched_pairwise",
    "sketches", "spent",
]  # fmt: skip
