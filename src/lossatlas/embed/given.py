"""Whatever points come as, for PHATE: near ones and distances, or affinities."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, cast

import numpy as np

from lossatlas._arrays import Affinities, Distances, Indices, InputError, checked_affinities, checked_distances
from lossatlas.distance import Origin, Pairwise, metric_distances, pairwise, spent
from lossatlas.embed.proximity import DistanceMatrix, Proximity, point_cloud
from lossatlas.embed.scaling import classical_scaling
from lossatlas.embed.settings import PhateSettings
from lossatlas.store import Run

GivenPoints: TypeAlias = np.ndarray | Run | Sequence[Run] | Pairwise
Metric: TypeAlias = str | Callable[[np.ndarray, np.ndarray], float]

Own: TypeAlias = Literal["cosine", "euclidean"]

_OWN = ("cosine", "euclidean")


@dataclass(frozen=True, eq=False)
class Given:
    """What the stages begin with, and the settings with what does not apply put to none."""

    near: Proximity | Affinities
    settings: PhateSettings
    trajectories: Indices | None


def given(points: GivenPoints, settings: PhateSettings, *, metric: Metric, origin: Origin, trajectories: Indices | None) -> Given:
    """Return what PHATE needs of points in any of the forms that :func:`phate` takes."""
    trajectories = _trajectories(points, settings, trajectories)
    if settings.metric == "precomputed_affinity":
        if settings.connect == "mst":
            raise InputError(
                "connect='mst' needs distances, but the metric is 'precomputed_affinity'; pass connect=None or 'temporal'"
            )
        if settings.time is not None:
            raise InputError(
                "time='autocorrelation' needs distances, but the metric is 'precomputed_affinity'; pass time=None, or distances"
            )
        return Given(
            checked_affinities(_matrix(points, "affinities")), replace(settings, origin="none", n_pca=None), trajectories
        )
    if settings.metric == "precomputed":
        near = DistanceMatrix(checked_distances(_matrix(points, "distances")))
        return Given(near, replace(settings, origin="none", n_pca=None), trajectories)
    if metric not in _OWN:
        near = DistanceMatrix(_by_scikit_learn(points, metric))
        return Given(near, replace(settings, origin="none", n_pca=None), trajectories)
    own: Own = "cosine" if metric == "cosine" else "euclidean"
    if _is_cloud(points, settings):
        return Given(point_cloud(cast(np.ndarray, points), settings, own, origin), settings, trajectories)
    return _of_pairs(points, settings, own, origin, trajectories)


def _of_pairs(points: GivenPoints, settings: PhateSettings, metric: Own, origin: Origin, trajectories: Indices | None) -> Given:
    between = points if isinstance(points, Pairwise) else pairwise(points, origin=origin, device=settings.device)
    seen = as_embedded(between, n_pca=settings.n_pca)
    settings = replace(settings, n_pca=None if seen is between else settings.n_pca, origin=seen.origin)
    if seen is not points:  # which is the caller's
        return Given(DistanceMatrix(spent(seen, metric)), settings, trajectories)
    return Given(DistanceMatrix(seen.cosine if metric == "cosine" else seen.euclidean), settings, trajectories)


def as_embedded(between: Pairwise, *, n_pca: int | None) -> Pairwise:
    """Distances as PHATE sees them: of so many principal components, where that is fewer than there are."""
    if n_pca is None or n_pca >= min(len(between.squared), between.n_parameters):
        return between
    # The scores of a centred PCA are the classical scaling of the distances; the cosine is then about the centroid.
    return replace(pairwise(classical_scaling(between.euclidean, n_components=n_pca)), origin="centroid")


def _is_cloud(points: GivenPoints, settings: PhateSettings) -> bool:
    """Whether neighbours are looked for without the matrix of all distances."""
    return (
        isinstance(points, np.ndarray)
        and settings.n_landmark is not None
        and len(points) > settings.n_landmark
        and settings.n_pca is None
        and settings.bandwidth is None
    )


def _matrix(points: GivenPoints, what: Literal["distances", "affinities"]) -> np.ndarray:
    if not isinstance(points, np.ndarray):
        name = "precomputed" if what == "distances" else "precomputed_affinity"
        raise InputError(f"with metric={name!r} points must be a matrix of {what} (n, n); pass one")
    return points


def _trajectories(points: GivenPoints, settings: PhateSettings, given: Indices | None) -> Indices | None:
    """Return the trajectory of each point: as given, by run, or all one where only that makes sense."""
    if settings.connect != "temporal" and settings.time is None:
        return None
    if isinstance(points, (np.ndarray, Pairwise)):
        own = np.zeros(len(points.squared if isinstance(points, Pairwise) else points), dtype=np.int64)
    else:
        runs = (points,) if isinstance(points, Run) else points
        own = np.repeat(np.arange(len(runs)), [run.n_points for run in runs])
    n = len(own)
    labels = own if given is None else np.asarray(given)
    if labels.shape != (n,):
        raise InputError(f"trajectories must name the trajectory of each of the {n} points, but the shape is {labels.shape}")
    return np.unique(labels, return_inverse=True)[1].astype(np.int64)


def given_distances(points: GivenPoints, *, metric: Metric, origin: Origin) -> tuple[Distances, str]:
    """All distances between points in any of the forms that :func:`phate` takes, and the name of the cosine's origin."""
    if metric == "precomputed":
        return checked_distances(_matrix(points, "distances")), "none"
    if metric not in _OWN:
        return _by_scikit_learn(points, metric), "none"
    between = points if isinstance(points, Pairwise) else pairwise(points, origin=origin)
    return (between.cosine if metric == "cosine" else between.euclidean), between.origin


def _by_scikit_learn(points: GivenPoints, metric: Metric) -> Distances:
    if not isinstance(points, np.ndarray):
        raise InputError(f"metric {metric!r} needs points as an array (n, p); pass one, as run.weights()")
    return metric_distances(points, metric)
