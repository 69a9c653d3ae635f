"""The ways to a map that are compared: ours, and two packages called as black boxes."""

import contextlib
import io
import logging
import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.data import walks
from lossatlas.distance import pairwise
from lossatlas.embed import Embedding, phate, potential

N_LANDMARK = 2000  # of lossatlas and of phate


@dataclass(frozen=True)
class Drawn:
    """A map, and what its maker keeps of it."""

    coordinates: np.ndarray
    made: Any


def ours(points: np.ndarray, *, metric: str = "cosine", n_landmark: int = N_LANDMARK) -> Drawn:
    """Embed with lossatlas."""
    embedding: Embedding = phate(points, metric=metric, n_landmark=n_landmark)
    return Drawn(embedding.coordinates, embedding)


def theirs(points: np.ndarray, *, metric: str = "cosine", n_landmark: int = N_LANDMARK) -> Drawn:
    """Embed with the phate package by its defaults but the metric, on all threads."""
    import phate as package

    threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else -1
    with quiet():
        operator = package.PHATE(knn_dist=metric, n_landmark=n_landmark, n_jobs=threads, verbose=0, random_state=0)
        return Drawn(operator.fit_transform(points), operator)


def torchdr(points: np.ndarray, *, metric: str = "cosine", n_landmark: int = N_LANDMARK) -> Drawn:  # noqa: ARG001 - it has none
    """Embed with TorchDR by its defaults: 100 steps of the walk, decay 10, Adam.

    It has no cosine, but squared Euclidean distances of rows of length 1 are twice the cosine's, and its kernel takes out
    the factor.
    """
    import torchdr as package

    if metric == "cosine":
        points = points / np.linalg.norm(points, axis=1, keepdims=True)
    with quiet():
        metric_in = "sqeuclidean" if metric == "cosine" else metric
        embedder = package.PHATE(metric_in=metric_in, device="cpu", random_state=0)
        return Drawn(np.asarray(embedder.fit_transform(points), dtype=np.float64), embedder)


WAYS = {"lossatlas": ours, "phate": theirs, "torchdr": torchdr}


def warm(way: str, *, with_landmarks: bool) -> None:
    """Call a way on a tiny problem, so that imports and compilation lie behind it."""
    points = walks(160, 50)
    WAYS[way](points, n_landmark=80 if with_landmarks else N_LANDMARK)


def their_scaling(operator: Any) -> tuple[np.ndarray, np.ndarray]:
    """Distances between potentials that a fitted phate.PHATE scaled, and its coordinates of them: of landmarks if it has any.

    ``diff_potential`` is of all points, interpolated from the landmarks'; theirs alone comes from the landmarks' walk.
    """
    given = operator.diff_potential
    if len(given) != len(operator.embedding):
        given = potential(np.linalg.matrix_power(np.asarray(operator.diff_op), int(operator.optimal_t)))
    return pairwise(np.asarray(given)).euclidean, np.asarray(operator.embedding)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep what a package says to itself."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        logging.disable()
        try:
            yield
        finally:
            logging.disable(logging.NOTSET)
