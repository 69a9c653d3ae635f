"""PHATE: graph, walk, potential and drawing, composed; the result keeps each stage."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
from jaxtyping import Float, Int
from scipy.sparse import csr_array

from lossatlas._arrays import Distances, Indices, InputError, Vector
from lossatlas.distance import Origin
from lossatlas.embed.connect import Connect
from lossatlas.embed.diffusion import lasting, potential, reached
from lossatlas.embed.drawing import Drawing, drawing, known_start, potential_distances
from lossatlas.embed.embedding import Embedding, Other
from lossatlas.embed.given import GivenPoints, Metric, given
from lossatlas.embed.kernel import Symmetrization
from lossatlas.embed.settings import PRESETS, PhateSettings, PotentialMetric, Preset, Scaling, Time
from lossatlas.embed.stages import Graph, graph, walk_length, walked
from lossatlas.embed.steps import DiffusionTime
from lossatlas.embed.transform import affinities_to, checked_new_distances, placed


@dataclass(frozen=True, kw_only=True, eq=False)
class PhateEmbedding(Embedding):
    """A map of ``n`` points with every stage that led to it, so that another can begin in the middle: :meth:`revised`.

    The walk goes between ``m`` places: the landmarks where there are some, else the distinct points.
    """

    settings: PhateSettings
    graph: Graph
    diffusion_time: DiffusionTime  # how long the walk should go: the entropy, its knee, and how sharp that is
    t: int  # how long it went
    potential: Float[np.ndarray, "m m"]
    iterations: int  # of the scaling

    @property
    def entropy(self) -> Float[np.ndarray, " times"]:
        """Entropy of the walk, in nats, at ``diffusion_time.times``."""
        return self.diffusion_time.entropy

    @property
    def affinities(self) -> csr_array:
        """Affinities between the distinct points, bridges included."""
        return self.graph.affinities

    @property
    def distinct(self) -> Indices:
        """Of each point the row of :attr:`affinities`."""
        return self.graph.distinct

    @property
    def n_duplicates(self) -> int:
        """Points at distance 0 from an earlier one (for a cosine: on one ray), which share its place."""
        return len(self.distinct) - len(np.unique(self.distinct))

    @property
    def connected_components(self) -> int:
        """Pieces of the neighbour graph before any bridge."""
        return self.graph.connected_components

    @cached_property
    def potential_distances(self) -> Distances:
        """Distances ``(n, n)`` between potentials, through landmarks interpolated: what the coordinates approximate."""
        places, rows = np.unique(self.distinct, return_inverse=True)
        landmarks = self.graph.landmarks
        if landmarks is not None:
            between = potential_distances(landmarks.shares[places] @ self.potential, self.settings.potential_metric)
        elif len(places) == len(self.potential):
            between = self._drawn_distances
        else:
            between = self._drawn_distances[np.ix_(places, places)]
        return between if np.array_equal(rows, np.arange(len(rows))) else between[np.ix_(rows, rows)]

    @cached_property
    def _drawn_distances(self) -> Float[np.ndarray, "m m"]:
        """Distances between the places, which the scaling draws."""
        return potential_distances(self.potential, self.settings.potential_metric, device=self.settings.device)

    def picked(self, rows: Int[np.ndarray, " k"]) -> "PhateEmbedding":
        """Return the map of some of its points, each where it was: what is measured of it is of these alone.

        >>> walk = np.random.default_rng(0).normal(size=(40, 200)).cumsum(axis=0) + 10
        >>> phate(walk).picked(np.arange(0, 40, 4)).potential_distances.shape
        (10, 10)
        """
        return replace(self, coordinates=self.coordinates[rows], graph=replace(self.graph, distinct=self.distinct[rows]))

    def revised(
        self,
        *,
        t: int | Literal["auto"] | None = None,
        gamma: float | None = None,
        n_components: int | None = None,
        scaling: Scaling | None = None,
    ) -> "PhateEmbedding":
        """Return the map for another length of the walk, gamma, number of axes or scaling, from where the stages part.

        Distances, graph, landmarks and spectrum are not computed again; nor are powers of the walk
        unless t is another, or a gamma between 0 and 1 follows 1.

        Args:
            t: Steps of the walk; None keeps them, also where they were chosen.
            gamma: Kind of potential.
            n_components: Axes of the map.
            scaling: How potential distances are drawn.

        Raises:
            InputError: a setting is out of its range.

        >>> walk = np.random.default_rng(0).normal(size=(40, 200)).cumsum(axis=0) + 10
        >>> phate(walk).revised(n_components=3).coordinates.shape
        (40, 3)
        """
        asked: dict[str, Any] = {"t": t, "gamma": gamma, "n_components": n_components, "scaling": scaling}
        settings = replace(self.settings, **{name: value for name, value in asked.items() if value is not None})
        steps = self.t if t is None else self.diffusion_time.t if t == "auto" else int(t)
        # The logarithm's floor hides small probabilities, which a power below the square root would bring forth again.
        lost = self.settings.gamma == 1 and 0 < settings.gamma < 1
        if steps != self.t or lost:
            U = walked(self.graph.walk, steps, settings)
        elif settings.gamma != self.settings.gamma:
            U = potential(reached(self.potential, gamma=self.settings.gamma), gamma=settings.gamma)
        else:
            U = self.potential
        known = self._drawn_distances if U is self.potential else None
        drawn = drawing(U, settings, distances=known)
        return replace(self, settings=settings, t=steps, potential=U, **_shown(drawn, self.graph))

    def transform(
        self, distances: Float[np.ndarray, "q k"], *, rows: Int[np.ndarray, " k"] | None = None
    ) -> Float[np.ndarray, "q d"]:
        r"""Coordinates of new points, from their distances to the points of the map, which stays as it is.

        .. math:: y = \frac{\sum_j A_j\, x_j}{\sum_j A_j}, \qquad A_j = \exp\bigl(-(d_j / \varepsilon)^\alpha\bigr)

        with the bandwidth of the new point's own ``knn``-th neighbour (Moon et al. 2019, Methods). A new point at distance 0
        from one of the map takes its place. For weights, the distances are :func:`lossatlas.distance.cross_distances`.

        Args:
            distances: ``(q, k)``; of a map of precomputed affinities, affinities.
            rows: The ``k`` points of the map that the distances are to, where it would cost too much to measure all; by default
                all. The places rest on these alone.

        Raises:
            InputError: the distances are not ``(q, k)``, not finite, or negative; or an affinity of all points is 0.
        """
        settings = self.settings
        known = np.arange(self.n_points) if rows is None else rows
        coordinates = self.coordinates[known]
        if settings.metric == "precomputed_affinity":
            A = checked_new_distances(distances, len(known), what="affinities")
            if not A.any(axis=1).all():
                raise InputError("a new point has no affinity to any point of the map, so no place; leave it out")
            return placed(A / A.sum(axis=1, keepdims=True), coordinates)
        D = checked_new_distances(distances, len(known))
        if self.n_duplicates:  # copies are one neighbour, as in the graph
            _, first = np.unique(self.distinct[known], return_index=True)
            D, coordinates = D[:, first], coordinates[first]
        shares = affinities_to(
            D, knn=settings.knn, decay=settings.decay, knn_max=settings.knn_max, bandwidth_scale=settings.bandwidth_scale
        )
        return placed(shares, coordinates)


def phate(  # noqa: PLR0913 - each stage's choices; all but the points by name
    points: GivenPoints,
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
    knn_max: int | None = None,
    bandwidth: float | Vector | None = None,
    bandwidth_scale: float = 1.0,
    symmetrization: Symmetrization = "+",
    theta: float = 1.0,
    anisotropy: float = 0.0,
    scaling: Scaling = "metric",
    n_pca: int | Literal["preset"] | None = "preset",
    connect: Connect | Literal["preset"] | None = "preset",
    trajectories: Indices | None = None,
    time: Time | None = None,
    potential_metric: PotentialMetric | Literal["preset"] = "preset",
    start: Embedding | Other | None = None,
    seed: int = 0,
    device: str = "cpu",
) -> PhateEmbedding:
    r"""Map points so that distances on the map follow how a random walk among neighbours sees them.

    Distances become affinities :math:`K` (:func:`alpha_decay_affinities`), these a walk :math:`P` (:func:`diffusion_operator`)
    of t steps, its potential :math:`U = -\ln(P^t + 10^{-7})`, and the distances between rows of U are drawn in the plane by
    classical and then metric scaling (Moon et al. 2019, Nature Biotechnology 37; on weights Horoi et al. 2022).

    Points that coincide are fitted once and drawn at one place. Under ``preset="sound"`` a neighbour graph in pieces is
    joined along the minimum spanning tree, and the number of pieces is reported. The same seed gives the same map.

    Args:
        points: Points ``(n, p)``, a run, runs of one model, or a :class:`Pairwise`; with a precomputed metric, a matrix.
        metric: Distance between points: ``"cosine"`` or ``"euclidean"``, streamed; any of scikit-learn's names or a function of
            two points, for arrays; ``"precomputed"`` for distances, ``"precomputed_affinity"`` for affinities.
        origin: Where the cosine is measured; see :func:`cosine_distances`.
        knn: Neighbours that set the kernel's width. Default of Moon et al. 2019.
        decay: How sharply the kernel falls; None counts neighbours alike. Default of Moon et al. 2019.
        t: Steps of the walk; ``"auto"`` takes the knee of the entropy, see :func:`diffusion_time`.
        gamma: 1 for the logarithm, 0 for the square root, -1 for no transformation.
        n_components: Axes of the map.
        n_landmark: Largest number of points that is embedded point by point; of more, as many landmarks are embedded and the
            points placed among them (:class:`Landmarks`). None sets no limit.
        preset: ``"sound"``, or ``"paper"`` for what PHATE 1.0.6 did with its defaults.
        knn_max: See :func:`alpha_decay_affinities`, also for the next five.
        bandwidth: A fixed bandwidth, or one for each point.
        bandwidth_scale: Factor on the bandwidths.
        symmetrization: How the two views of a pair are joined.
        theta: Share of what both see, for ``symmetrization="mnn"``.
        anisotropy: How far the density of points is divided out.
        scaling: How potential distances are drawn: ``"classical"``; ``"metric"``, which begins there; ``"nonmetric"``, which
            begins at the metric one and keeps the order of distances alone.
        n_pca: Principal components kept before the distances; the preset's unless given (none, or 100).
        connect: How pieces of the graph are joined; the preset's unless given (``"mst"``, or None): along the minimum spanning
            tree, or ``"temporal"``, each snapshot with the next of its trajectory. None leaves them, with a warning.
        trajectories: ``(n,)``, the trajectory of each point, in the order of time within each. Runs are known; an array is
            taken for one trajectory unless told.
        time: ``"autocorrelation"`` lets the walk remember as long as the trajectories do; see :func:`remembered`, which
            states what that assumes.
        potential_metric: Distance between potentials; the preset's unless given (Euclidean, or cosine).
        start: A map, or coordinates ``(n, d)`` with NaN for new points, from which the drawing begins and onto which it is
            laid, so that a map that grows keeps its look. A map of fewer points is of the first ones.
        seed: Seed of the landmarks, and of the paper's stochastic scaling; else "sound" uses no chance.
        device: Where matrices are multiplied: ``"cpu"``, or a device of torch, as ``"cuda"``.

    Raises:
        InputError: the points cannot be mapped, or a setting is out of its range; the message says which and why.

    >>> rng = np.random.default_rng(0)
    >>> walk = rng.normal(size=(40, 200)).cumsum(axis=0) + 10
    >>> embedding = phate(walk)
    >>> embedding.coordinates.shape, embedding.connected_components
    ((40, 2), 1)
    """
    decided = _decided(preset, metric, n_pca=n_pca, connect=connect, potential_metric=potential_metric)
    settings = PhateSettings(
        metric=metric if isinstance(metric, str) else "callable",
        origin=origin if isinstance(origin, str) else "point",
        knn=knn,
        decay=decay,
        t=t,
        gamma=gamma,
        n_components=n_components,
        n_landmark=n_landmark,
        preset=preset,
        knn_max=knn_max,
        bandwidth="given" if isinstance(bandwidth, np.ndarray) else bandwidth,
        bandwidth_scale=bandwidth_scale,
        symmetrization=symmetrization,
        theta=theta,
        anisotropy=anisotropy,
        scaling=scaling,
        time=time,
        seed=seed,
        device=device,
        **decided,
    )
    ground = given(points, settings, metric=metric, origin=origin, trajectories=trajectories)
    settings = ground.settings
    made = graph(ground.near, settings, bandwidth=bandwidth, trajectories=ground.trajectories)
    del ground  # the matrix of distances, where there is one
    here = known_start(start, len(made.distinct), settings.n_components)
    walk = made.walk
    length, spectral = walk_length(walk, settings)
    steps = length.t if t == "auto" else int(t)
    left = None if spectral is None else lasting(spectral, t=steps)
    del spectral  # as large as the potential
    U = walked(walk, steps, settings, left=left)
    del left
    drawn = drawing(U, settings, start=None if here is None else made.gathered(here))
    embedding = PhateEmbedding(
        method="phate",
        settings=settings,
        graph=made,
        diffusion_time=length,
        t=steps,
        potential=U,
        **_shown(drawn, made),
    )
    if here is None:
        return embedding
    known = np.flatnonzero(np.isfinite(here).all(axis=1))
    return embedding.align_to(here, rows=(known, known))


def _decided(preset: Preset, metric: Metric, **chosen: object) -> dict[str, Any]:
    """Return the choices with those left to the preset filled in."""
    if preset not in PRESETS:
        return chosen  # the settings refuse it
    decided = {name: PRESETS[preset][name] if value == "preset" else value for name, value in chosen.items()}
    if metric == "precomputed_affinity" and chosen["connect"] == "preset":
        decided["connect"] = None  # there are no distances to join pieces by
    return decided


def _shown(drawn: Drawing, made: Graph) -> dict[str, Any]:
    return {
        "coordinates": made.spread(drawn.places),
        "stress": drawn.stress,
        "iterations": drawn.iterations,
    }
