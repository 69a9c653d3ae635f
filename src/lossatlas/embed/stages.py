"""The stages of PHATE, each from the one before: graph, length of the walk, potential; `drawing` is the last."""

import warnings
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.sparse import csr_array

from lossatlas._arrays import Affinities, Coordinates, Indices, InputError, Vector
from lossatlas._device import namespace, to_numpy
from lossatlas.embed.connect import chained, components
from lossatlas.embed.decomposition import Decomposition
from lossatlas.embed.diffusion import (
    Lasting,
    Walk,
    decomposed,
    knee,
    potential,
    random_walk,
    spectral_entropy,
    spectrum,
    transitions,
)
from lossatlas.embed.kernel import kernel
from lossatlas.embed.landmarks import Landmarks, landmarks
from lossatlas.embed.memory import autocorrelation, remembered
from lossatlas.embed.proximity import Proximity
from lossatlas.embed.settings import PhateSettings
from lossatlas.embed.steps import DiffusionTime, diffusion_time


class MapWarning(UserWarning):
    """Something about a map that its reader has to know, and what to do about it."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Graph:
    """The neighbour graph, and the walk on it."""

    affinities: csr_array  # (k, k), over the distinct points, bridges included
    distinct: Indices  # (n,): of each point the row of `affinities`
    connected_components: int  # before any bridge
    unconnected: int  # pieces that are left; 1 is none
    landmarks: Landmarks | None

    @property
    def walk(self) -> Walk:
        """Walk between the places: landmarks where there are some, else distinct points."""
        return random_walk(self.affinities) if self.landmarks is None else self.landmarks.walk

    def spread(self, places: Float[np.ndarray, "m d"]) -> Coordinates:
        """Coordinates of the points from those of the places."""
        return (places if self.landmarks is None else self.landmarks.interpolated(places))[self.distinct]

    def gathered(self, coordinates: Coordinates) -> Float[np.ndarray, "m d"]:
        """Coordinates of the places: means of those of their points that are known, NaN where none is."""
        place = self.distinct if self.landmarks is None else self.landmarks.groups[self.distinct]
        known = np.isfinite(coordinates).all(axis=1)
        count = int(place.max()) + 1
        sums = np.zeros((count, coordinates.shape[1]))
        np.add.at(sums, place[known], coordinates[known])
        sizes = np.bincount(place[known], minlength=count)[:, np.newaxis]
        return np.divide(sums, sizes, out=np.full_like(sums, np.nan), where=sizes > 0)


def graph(
    near: Proximity | Affinities,
    settings: PhateSettings,
    *,
    bandwidth: float | Vector | None = None,
    trajectories: Indices | None = None,
) -> Graph:
    """Neighbour graph of points, or of precomputed affinities: copies merged, pieces joined, time remembered."""
    if isinstance(near, np.ndarray):
        affinities, distinct, rows = csr_array(near), np.arange(len(near)), None
        keep = distinct
    else:
        keep, distinct = _distinct(near, settings)
        bandwidth = _kept_bandwidth(bandwidth, keep, len(distinct))
        near = near if len(keep) == len(distinct) else near.kept(keep)
        affinities, rows = _affinities(near, settings, bandwidth), near.rows
    count, _ = components(affinities)
    if settings.connect == "temporal" and trajectories is not None:
        affinities = chained(affinities, trajectories, places=distinct)
    elif settings.connect == "mst" and not isinstance(near, np.ndarray):
        affinities = near.bridged(affinities)
    if settings.time is not None and trajectories is not None and rows is not None:
        squared = (lambda points: 2 * rows(points)) if settings.metric == "cosine" else (lambda points: rows(points) ** 2)
        kept = trajectories[keep]
        affinities = remembered(affinities, autocorrelation(squared, kept), kept)
    left, _ = components(affinities)
    if left > 1:
        remedy = "affinities between them" if rows is None else f"connect='mst' or a knn above {settings.knn}"
        warnings.warn(
            f"the neighbour graph is in {left} pieces, whose distances on the map are arbitrary; pass {remedy} to join them",
            MapWarning,
            stacklevel=3,
        )
    most = settings.n_landmark
    return Graph(
        affinities=affinities,
        distinct=distinct,
        connected_components=count,
        unconnected=left,
        landmarks=None
        if most is None or affinities.shape[0] <= most
        else landmarks(affinities, n_landmark=most, seed=settings.seed),
    )


def _distinct(near: Proximity, settings: PhateSettings) -> tuple[Int[np.ndarray, " m"], Indices]:
    """Return one point of each group that coincides, and for each point the position of its group."""
    if settings.preset == "paper":
        return np.arange(near.n_points), np.arange(near.n_points)
    _, keep, distinct = np.unique(near.groups(), return_index=True, return_inverse=True)
    if len(keep) == 1:
        raise InputError(f"all {near.n_points} points coincide, so there is nothing to map; record points that differ")
    return keep.astype(np.int64), distinct.astype(np.int64)


def _kept_bandwidth(bandwidth: float | Vector | None, keep: Int[np.ndarray, " m"], n: int) -> float | np.ndarray | None:
    """Return the bandwidths of the points that are kept; one of another shape goes on to be refused."""
    return bandwidth[keep] if isinstance(bandwidth, np.ndarray) and bandwidth.shape == (n,) else bandwidth


def _affinities(near: Proximity, settings: PhateSettings, bandwidth: float | Vector | None) -> csr_array:
    return kernel(
        near.neighbourhood(settings, bandwidth),
        decay=settings.decay,
        symmetrization=settings.symmetrization,
        theta=settings.theta,
        anisotropy=settings.anisotropy,
    )


def walk_length(walk: Walk, settings: PhateSettings) -> tuple[DiffusionTime, Decomposition | None]:
    """How long the walk should go, until the knee of its entropy as the preset finds it; and its decomposition, if made."""
    if settings.preset != "paper":
        known = decomposed(walk)
        return diffusion_time(known.values), known
    entropy = spectral_entropy(spectrum(walk, of="singular values"))
    # The entropy of power t stands at position t - 1. PHATE numbers the positions from 0 and takes that number for t.
    t = max(1, knee(entropy, lead=1))
    times = np.arange(1.0, len(entropy) + 1)
    return DiffusionTime(t=t, knee=float(t), shortest=float(t), longest=float(t), times=times, entropy=entropy), None


def walked(walk: Walk, t: int, settings: PhateSettings, *, left: Lasting | None = None) -> Float[np.ndarray, "m m"]:
    """Potential of the walk after ``t`` steps."""
    xp, device = namespace(settings.device)
    P = transitions(walk, t=t, left=left, xp=xp, device=device)
    return to_numpy(potential(P, gamma=settings.gamma, out=P))
