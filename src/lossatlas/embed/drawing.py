"""The last stage: a potential becomes places on the map, whose distances are those between its rows."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.spatial import procrustes

from lossatlas._arrays import Array, Coordinates, Distances, InputError
from lossatlas._device import namespace
from lossatlas.distance import pairwise, spent
from lossatlas.embed.embedding import Embedding, Other, aligned
from lossatlas.embed.nonmetric import nonmetric_scaling
from lossatlas.embed.paper import squared_classical_scaling, stochastic_scaling
from lossatlas.embed.scaling import classical_scaling, metric_scaling, stress, upright
from lossatlas.embed.settings import PhateSettings, PotentialMetric
from lossatlas.embed.views import beginning

_EPOCHS = 30  # of PHATE 1.x's stochastic scaling


def potential_distances(U: Float[np.ndarray, "n m"], metric: PotentialMetric, *, device: str = "cpu") -> Distances:
    """Distances between rows of a potential."""
    return spent(pairwise(U, device=device), metric)


@dataclass(frozen=True, kw_only=True, eq=False)
class Drawing:
    """Places on the map."""

    places: Coordinates
    stress: float
    iterations: int  # passes over all pairs of places


def drawing(
    U: Float[np.ndarray, "m m"],
    settings: PhateSettings,
    *,
    start: Coordinates | None = None,
    distances: Float[np.ndarray, "m m"] | None = None,
) -> Drawing:
    """Places drawn so that their distances are those of the potential, from ``start`` where one is given.

    ``distances`` are those of the potential where they are known.
    """
    if distances is None:
        distances = potential_distances(U, settings.potential_metric, device=settings.device)
    places, iterations = (_as_paper if settings.preset == "paper" else _sound)(distances, settings, start)
    return Drawing(places=places, stress=stress(distances, places), iterations=iterations)


def _sound(distances: Distances, settings: PhateSettings, start: Coordinates | None) -> tuple[Coordinates, int]:
    xp, device = namespace(settings.device)
    there = distances if device == "cpu" else xp.asarray(distances, device=device)
    axes = settings.n_components
    if settings.scaling == "classical":
        return classical_scaling(there, n_components=axes), 0
    if start is None:
        begin = beginning(distances, n_components=axes)
    else:
        begin = _begun(classical_scaling(there, n_components=axes), start)
    places, iterations = _fitted(distances, there, begin, settings)
    return (principal_axes(places) if start is None else places), iterations


def _as_paper(distances: Distances, settings: PhateSettings, start: Coordinates | None) -> tuple[Coordinates, int]:
    classical = squared_classical_scaling(distances, n_components=settings.n_components)
    if settings.scaling == "classical":
        return classical, 0
    begin = classical if start is None else _begun(classical, start)
    if settings.n_components == 2 and settings.scaling == "metric":
        rng, iterations = np.random.default_rng(settings.seed), _EPOCHS
        places = stochastic_scaling(distances, begin, rng=rng, epochs=_EPOCHS)
    else:  # PHATE 1.x has its stochastic scaling in the plane alone
        places, iterations = _fitted(distances, distances, begin, settings)
    return procrustes(begin, places)[1], iterations


def _fitted(distances: Distances, there: Array, begin: Coordinates, settings: PhateSettings) -> tuple[Coordinates, int]:
    # `there` are the distances on the device, where they are used.
    places, iterations = metric_scaling(there, begin)
    if settings.scaling == "nonmetric":
        places, more = nonmetric_scaling(distances, places)
        iterations += more
    return places, iterations


def known_start(start: Embedding | Other | None, n: int, d: int) -> Coordinates | None:
    """Return what is known of where ``n`` points begin on ``d`` axes, NaN for the others, or refuse it."""
    if start is None:
        return None
    there = np.asarray(start.coordinates if isinstance(start, Embedding) else start, dtype=np.float64)
    if there.ndim != 2 or len(there) > n or there.shape[1] != d:
        raise InputError(f"start must be coordinates of at most {n} points on {d} axes, but their shape is {there.shape}")
    padded = np.full((n, d), np.nan)
    padded[: len(there)] = there
    if np.isfinite(padded).all(axis=1).sum() < 2:
        raise InputError("start must hold the coordinates of 2 points or more, but the rest is NaN; pass None to begin anew")
    return padded


def _begun(classical: Coordinates, start: Coordinates) -> Coordinates:
    """Return where the descent begins: ``start`` where it is known, elsewhere the classical places laid upon it."""
    known = np.flatnonzero(np.isfinite(start).all(axis=1))
    laid = aligned(classical, start, rows=(known, known))
    laid[known] = start[known]
    return laid


def principal_axes(places: Coordinates) -> Coordinates:
    """Places turned so that they spread most along the first axis, the largest coordinate of each axis positive."""
    places = places - places.mean(axis=0)
    _, turn = np.linalg.eigh(np.einsum("ni,nj->ij", places, places))  # not by BLAS, whose sums change with its threads
    return upright(np.einsum("ni,ij->nj", places, turn[:, ::-1]))
