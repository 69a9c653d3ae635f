"""PHATE: kernel, walk, potential and scaling, composed; the result keeps each stage."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Literal, get_args

import numpy as np
from jaxtyping import Float, Int
from scipy.sparse import csgraph, csr_array
from scipy.spatial import procrustes

from lossatlas._arrays import Coordinates, Distances, Indices, InputError, checked_distances
from lossatlas.distance import Origin, Pairwise, pairwise
from lossatlas.embed.diffusion import diffusion_operator, knee, potential, spectral_entropy, spectrum
from lossatlas.embed.kernel import alpha_decay_affinities, bridged, components
from lossatlas.embed.scaling import (
    classical_scaling,
    metric_scaling,
    squared_classical_scaling,
    stochastic_scaling,
    stress,
)
from lossatlas.store import Run

Metric = Literal["cosine", "euclidean", "precomputed"]
Preset = Literal["sound", "paper"]
PotentialMetric = Literal["euclidean", "cosine"]

# What a preset decides. "sound": METHOD by the mathematics. "paper": PHATE 1.0.6 as Horoi et al. 2022 called it, its centred
# PCA, its step of t, its unconverged scaling of no unit and its graph in pieces included.
_PRESETS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "sound": {"n_pca": None, "connect": "mst", "potential_metric": "euclidean"},
        "paper": {"n_pca": 100, "connect": None, "potential_metric": "cosine"},
    }
)


@dataclass(frozen=True, kw_only=True)
class PhateSettings:
    """Every choice that made an embedding."""

    metric: Metric
    origin: str
    knn: int
    decay: float | None
    t: int | Literal["auto"]
    gamma: float
    n_components: int
    n_landmark: int | None
    preset: Preset
    n_pca: int | None
    connect: Literal["mst"] | None
    potential_metric: PotentialMetric
    seed: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Embedding:
    """A map of ``n`` points, with every stage that led to it and what is known of its truth."""

    coordinates: Coordinates  # in the unit of the potential distances ("sound"), or of no unit ("paper")
    potential: Float[np.ndarray, "m m"]  # over the distinct points
    potential_distances: Distances  # (n, n): what the coordinates approximate
    affinities: Float[np.ndarray, "m m"]
    t: int  # steps of the walk
    entropy: Float[np.ndarray, " t_max"]  # entropy after 1, 2, … steps
    stress: float  # Kruskal's stress-1 of the coordinates
    iterations: int  # of the scaling
    connected_components: int  # of the neighbour graph, before any bridge
    n_duplicates: int  # points at distance 0 from an earlier one (for a cosine: on one ray), which share its place
    distinct: Indices  # (n,): the row of `potential` of each point
    settings: PhateSettings


def phate(  # noqa: PLR0913 - each stage's choices; all but the points by name
    points: np.ndarray | Run | Sequence[Run] | Pairwise,
    *,
    metric: Metric = "cosine",
    origin: Origin = "zero",
    knn: int = 5,
    decay: float | None = 40.0,
    t: int | Literal["auto"] = "auto",
    gamma: float = 1.0,
    n_components: int = 2,
    n_landmark: int | None = 2000,
    preset: Preset = "sound",
    n_pca: int | Literal["preset"] | None = "preset",
    connect: Literal["mst", "preset"] | None = "preset",
    potential_metric: Literal["euclidean", "cosine", "preset"] = "preset",
    seed: int = 0,
    device: Literal["cpu"] = "cpu",
) -> Embedding:
    r"""Map points so that distances on the map follow how a random walk among neighbours sees them.

    Distances become affinities :math:`K` (:func:`alpha_decay_affinities`), these a walk :math:`P` (:func:`diffusion_operator`)
    of t steps, its potential :math:`U = -\ln(P^t + 10^{-7})`, and the distances between rows of U are drawn in the plane by
    classical and then metric scaling (Moon et al. 2019, Nature Biotechnology 37; on weights Horoi et al. 2022).

    Points that coincide are fitted once and drawn at one place. Under ``preset="sound"`` a neighbour graph in pieces is
    joined along the minimum spanning tree, and the number of pieces is reported. The same seed gives the same map.

    Args:
        points: Points ``(n, p)``, a run, runs of one model, distances (``metric="precomputed"``) or a :class:`Pairwise`.
        metric: Distance between points.
        origin: Where the cosine is measured; see :func:`cosine_distances`.
        knn: Neighbours that set the kernel's width. Default of Moon et al. 2019.
        decay: How sharply the kernel falls. Default of Moon et al. 2019.
        t: Steps of the walk; ``"auto"`` takes the knee of the entropy.
        gamma: 1 for the logarithm, 0 for the square root, -1 for no transformation.
        n_components: Axes of the map.
        n_landmark: Largest n that is embedded point by point; None sets no limit.
        preset: ``"sound"``, or ``"paper"`` for what PHATE 1.0.6 did with its defaults.
        n_pca: Principal components kept before the distances; the preset's unless given (none, or 100).
        connect: How pieces of the graph are joined; the preset's unless given (``"mst"``, or None).
        potential_metric: Distance between potentials; the preset's unless given (Euclidean, or cosine).
        seed: Seed of the paper's stochastic scaling; ``"sound"`` uses no chance.
        device: Where it is computed.

    Raises:
        InputError: the points cannot be mapped, or a setting is out of its range; the message says which and why.

    >>> rng = np.random.default_rng(0)
    >>> walk = rng.normal(size=(40, 200)).cumsum(axis=0) + 10
    >>> embedding = phate(walk)
    >>> embedding.coordinates.shape, embedding.connected_components
    ((40, 2), 1)
    """
    _refuse_unknown(metric=(metric, Metric), preset=(preset, Preset))
    if device != "cpu":
        raise InputError(f"device must be 'cpu', but is {device!r}; pass device='cpu'")
    _refuse_fractions(knn=knn, n_components=n_components, seed=seed)
    if n_components == 0:
        raise InputError("n_components must be 1 or more, but is 0; a map has 2")
    if t != "auto" and (not isinstance(t, (int, np.integer)) or t < 1):
        raise InputError(f"t must be 'auto' or a whole number from 1 on, but is {t!r}; pass one of these")
    chosen = {"n_pca": n_pca, "connect": connect, "potential_metric": potential_metric}
    decided: dict[str, Any] = {name: _PRESETS[preset][name] if value == "preset" else value for name, value in chosen.items()}
    _refuse_unknown(
        connect=(decided["connect"] or "mst", Literal["mst"]), potential_metric=(decided["potential_metric"], PotentialMetric)
    )
    if decided["n_pca"] is not None:
        _refuse_fractions(n_pca=decided["n_pca"])
        if decided["n_pca"] == 0:
            raise InputError("n_pca must be 1 or more, but is 0; pass None to keep every dimension")
    settings = PhateSettings(
        metric=metric,
        origin=origin if isinstance(origin, str) else "point",
        knn=knn,
        decay=decay,
        t=t,
        gamma=gamma,
        n_components=n_components,
        n_landmark=n_landmark,
        preset=preset,
        seed=seed,
        **decided,
    )
    distances, settings = _distances(points, settings, origin)
    n = len(distances)
    if n_landmark is not None and n > n_landmark:
        raise InputError(f"there are {n} points and n_landmark is {n_landmark}; pass n_landmark=None to embed every point")
    return _embedding(distances, settings)


def _embedding(distances: Distances, settings: PhateSettings) -> Embedding:
    keep, distinct = _distinct(distances, settings.preset)
    reduced = distances[np.ix_(keep, keep)]
    affinities = alpha_decay_affinities(reduced, knn=settings.knn, decay=settings.decay)
    count, _ = components(affinities)
    if settings.connect == "mst":
        affinities = bridged(affinities, reduced)
    is_paper = settings.preset == "paper"
    entropy = spectral_entropy(spectrum(affinities, of="singular values" if is_paper else "eigenvalues"))
    # The entropy of power t stands at position t - 1. PHATE numbers the positions from 0 and takes that number for t.
    chosen = max(1, knee(entropy, lead=1)) if is_paper else knee(entropy) + 1
    t = chosen if settings.t == "auto" else int(settings.t)
    U = potential(diffusion_operator(affinities), t=t, gamma=settings.gamma)
    between = pairwise(U)
    drawn = between.euclidean if settings.potential_metric == "euclidean" else between.cosine
    coordinates, iterations = _paper_scaling(drawn, settings) if is_paper else _sound_scaling(drawn, settings)
    return Embedding(
        coordinates=coordinates[distinct],
        potential=U,
        potential_distances=drawn[np.ix_(distinct, distinct)],
        affinities=affinities,
        t=t,
        entropy=entropy,
        stress=stress(drawn, coordinates),
        iterations=iterations,
        connected_components=count,
        n_duplicates=len(distinct) - len(keep),
        distinct=distinct,
        settings=settings,
    )


def _sound_scaling(distances: Distances, settings: PhateSettings) -> tuple[Coordinates, int]:
    return metric_scaling(distances, classical_scaling(distances, n_components=settings.n_components))


def _paper_scaling(distances: Distances, settings: PhateSettings) -> tuple[Coordinates, int]:
    start = squared_classical_scaling(distances, n_components=settings.n_components)
    if settings.n_components == 2:
        epochs = 30
        fitted = stochastic_scaling(distances, start, rng=np.random.default_rng(settings.seed), epochs=epochs)
    else:  # PHATE 1.x has its stochastic scaling in the plane alone
        fitted, epochs = metric_scaling(distances, start)
    return procrustes(start, fitted)[1], epochs


def _distances(
    points: np.ndarray | Run | Sequence[Run] | Pairwise, settings: PhateSettings, origin: Origin
) -> tuple[Distances, PhateSettings]:
    """Return the distances between points, and the settings with what of them does not apply put to none."""
    if settings.metric == "precomputed":
        if not isinstance(points, np.ndarray):
            raise InputError("with metric='precomputed' points must be a matrix of distances (n, n); pass one")
        return checked_distances(points), replace(settings, origin="none", n_pca=None)
    between = points if isinstance(points, Pairwise) else pairwise(points, origin=origin)
    n_pca = settings.n_pca
    if n_pca is not None and n_pca < min(len(between.squared), between.n_parameters):
        # The scores of a centred PCA are the classical scaling of the distances; the cosine is then about the centroid.
        between = pairwise(classical_scaling(between.euclidean, n_components=n_pca))
        settings = replace(settings, origin="centroid")
    else:
        settings = replace(settings, n_pca=None, origin=between.origin)
    return (between.cosine if settings.metric == "cosine" else between.euclidean), settings


def _distinct(distances: Distances, preset: Preset) -> tuple[Int[np.ndarray, " m"], Indices]:
    """Return one point of each group that coincides, and for each point the position of its group."""
    n = len(distances)
    if preset == "paper":
        return np.arange(n), np.arange(n)
    _, groups = csgraph.connected_components(csr_array(distances == 0), directed=False)
    _, keep, distinct = np.unique(groups, return_index=True, return_inverse=True)
    if len(keep) == 1:
        raise InputError(f"all {n} points coincide, so there is nothing to map; record points that differ")
    return keep.astype(np.int64), distinct.astype(np.int64)


def _refuse_fractions(**numbers: object) -> None:
    for name, value in numbers.items():
        if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < 0:
            raise InputError(f"{name} must be a whole number, 0 or more, but is {value!r}; pass one")


def _refuse_unknown(**choices: tuple[Any, Any]) -> None:
    for name, (value, allowed) in choices.items():
        if value not in get_args(allowed):
            raise InputError(f"{name} must be one of {', '.join(get_args(allowed))}, but is {value!r}; choose one of these")
