"""Distances become affinities: the alpha-decay kernel, a bandwidth for each point."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from scipy.sparse import csr_array

from lossatlas._arrays import Distances, InputError, Vector
from lossatlas.distance.threads import over_rows, workers
from lossatlas.embed.near import count_near, list_near, measure_widths

Symmetrization: TypeAlias = Literal["+", "*", "mnn"]

# Affinities below this are none: Moon et al. 2019 and every release of PHATE.
_THRESHOLD = 1e-4


@dataclass(frozen=True, eq=False)
class Neighbourhood:
    """For each point the distances to the others that its kernel reaches, and its bandwidth."""

    distances: csr_array  # (n, n); row i holds what i reaches, itself left out; a stored 0 is a copy
    bandwidths: Vector


def reach(decay: float | None) -> float:
    r"""Bandwidths until which the kernel is at least 1e-4, :math:`(-\ln 10^{-4})^{1 / \alpha}`: 1.057 for a decay of 40."""
    if decay is None:
        return 1.0
    if not decay > 0:
        raise InputError(f"decay must be above 0, but is {decay}; 40 is the usual value")
    with np.errstate(over="ignore"):
        return float(np.float64(-np.log(_THRESHOLD)) ** (1 / decay))


def refuse_knn(knn: int, n: int) -> None:
    """Refuse a number of neighbours that ``n`` points do not have."""
    if not 1 <= knn < n:
        raise InputError(
            f"knn={knn} needs at least {max(knn, 1) + 1} points, but there are {n}; record more or pass another knn, 1 to {n - 1}"
        )


def neighbourhood(
    distances: Distances,
    *,
    knn: int = 5,
    decay: float | None = 40.0,
    knn_max: int | None = None,
    bandwidth: float | Vector | None = None,
    bandwidth_scale: float = 1.0,
) -> Neighbourhood:
    """Neighbours that the kernel of each point reaches; see :func:`alpha_decay_affinities` for the arguments."""
    n = len(distances)
    refuse_knn(knn, n)
    furthest = reach(decay)
    with workers() as pool:
        if bandwidth is None:
            bandwidths = np.empty(n)
            over_rows(pool, lambda a, b: measure_widths(distances, knn, a, b, bandwidths), n)
        else:
            bandwidths = _fixed_bandwidths(bandwidth, n)
        bandwidths *= bandwidth_scale
        radius, counts = _radius(bandwidths, furthest), np.empty(n, dtype=np.int64)
        over_rows(pool, lambda a, b: count_near(distances, radius, a, b, counts), n)
        starts = np.concatenate([[0], counts.cumsum()])
        columns, values = np.empty(starts[-1], dtype=np.int64), np.empty(starts[-1])
        over_rows(pool, lambda a, b: list_near(distances, radius, a, b, starts, columns, values), n)
    found = csr_array((values, columns, starts), shape=(n, n))
    return Neighbourhood(found if knn_max is None else _nearest(found, knn_max), bandwidths)


def _radius(bandwidths: Vector, furthest: float) -> Vector:
    # A rounding beyond the reach, where the threshold decides; a bandwidth of 0 reaches copies alone, be the kernel endless.
    return np.where(bandwidths > 0, np.where(bandwidths > 0, bandwidths, 1.0) * furthest * (1 + 1e-12), 0.0)


def _fixed_bandwidths(bandwidth: float | Vector, n: int) -> Vector:
    given = np.asarray(bandwidth, dtype=np.float64)
    if given.shape not in {(), (n,)}:
        raise InputError(f"bandwidth must be a number or one for each of the {n} points, but its shape is {given.shape}")
    if not (np.isfinite(given).all() and (given > 0).all()):
        raise InputError("bandwidth must be above 0 and finite, but some are not; pass None to take the knn-th neighbour's")
    return np.broadcast_to(given, (n,)).astype(np.float64)


def _nearest(found: csr_array, most: int) -> csr_array:
    """Keep the ``most`` nearest of each row, of equals the lower."""
    rows = np.repeat(np.arange(found.shape[0]), np.diff(found.indptr))
    order = np.lexsort((found.indices, found.data, rows))
    rank = np.arange(len(order)) - found.indptr[rows]
    kept = np.sort(order[rank < most])
    counts = np.bincount(rows[kept], minlength=found.shape[0])
    return csr_array((found.data[kept], found.indices[kept], np.concatenate([[0], counts.cumsum()])), shape=found.shape)


def decayed(neighbours: Neighbourhood, *, decay: float | None = 40.0) -> csr_array:
    r"""Affinities :math:`A_{ij} = \exp(-(d_{ij} / \varepsilon_i)^\alpha)` as each point sees its neighbours, 1 on the diagonal.

    Values below 1e-4 are none. Without ``decay`` all within the bandwidth count 1.
    """
    distances = neighbours.distances
    width = np.repeat(neighbours.bandwidths, np.diff(distances.indptr))
    # 0/0: copies of a point that has knn copies are as near as can be.
    ratio = np.divide(distances.data, width, out=np.zeros_like(distances.data), where=width > 0)
    values = (ratio <= 1.0).astype(float) if decay is None else np.exp(-(ratio**decay))
    n = distances.shape[0]
    rows = np.repeat(np.arange(n), np.diff(distances.indptr))
    kept = values >= _THRESHOLD
    own = np.arange(n)
    return csr_array(
        (
            np.concatenate([values[kept], np.ones(n)]),
            (np.concatenate([rows[kept], own]), np.concatenate([distances.indices[kept], own])),
        ),
        shape=(n, n),
    )


def symmetrized(affinities: csr_array, *, how: Symmetrization = "+", theta: float = 1.0) -> csr_array:
    r"""Affinities that both points of a pair agree on.

    ``"+"`` is the mean :math:`(A + A^T) / 2`, ``"*"`` the product :math:`A \circ A^T`, and ``"mnn"``, mutual nearest
    neighbours, :math:`\theta \min(A, A^T) + (1 - \theta) \max(A, A^T)`.
    """
    other = affinities.T.tocsr()
    if how == "+":
        return ((affinities + other) / 2).tocsr()
    if how == "*":
        return affinities.multiply(other).tocsr()
    if not 0 <= theta <= 1:
        raise InputError(f"theta must be from 0 to 1, but is {theta}; 1 keeps what both points see, 0 what either sees")
    mixed = theta * affinities.minimum(other) + (1 - theta) * affinities.maximum(other)
    mixed.eliminate_zeros()
    return mixed.tocsr()


def anisotropic(affinities: csr_array, *, anisotropy: float) -> csr_array:
    r"""Affinities freed of the density of points, :math:`K_{ij} / (q_i q_j)^\alpha` with :math:`q_i = \sum_j K_{ij}`.

    0 leaves them as they are, 1 removes the density (Coifman and Lafon 2006, Section 3).
    """
    if not 0 <= anisotropy <= 1:
        raise InputError(f"anisotropy must be from 0 to 1, but is {anisotropy}; 0 keeps the density of points, 1 removes it")
    if anisotropy == 0:
        return affinities
    factor = affinities.sum(axis=1) ** -anisotropy
    return affinities.multiply(factor[:, np.newaxis]).multiply(factor[np.newaxis]).tocsr()


def kernel(
    neighbours: Neighbourhood, *, decay: float | None, symmetrization: Symmetrization, theta: float, anisotropy: float
) -> csr_array:
    """Affinities from what each point reaches; see :func:`alpha_decay_affinities`."""
    return anisotropic(symmetrized(decayed(neighbours, decay=decay), how=symmetrization, theta=theta), anisotropy=anisotropy)


def alpha_decay_affinities(  # noqa: PLR0913 - the kernel's own choices, by name
    distances: Distances,
    *,
    knn: int = 5,
    decay: float | None = 40.0,
    knn_max: int | None = None,
    bandwidth: float | Vector | None = None,
    bandwidth_scale: float = 1.0,
    symmetrization: Symmetrization = "+",
    theta: float = 1.0,
    anisotropy: float = 0.0,
) -> csr_array:
    r"""Affinity of all pairs of points ``(n, n)``, sparse, with a bandwidth of its own at each point.

    .. math:: A_{ij} = \exp\bigl(-(d_{ij} / \varepsilon_i)^{\alpha}\bigr), \qquad K = (A + A^T) / 2,

    where :math:`\varepsilon_i` is the distance from i to its ``knn``-th neighbour, itself not counted, and values of A
    below 1e-4 are none (Moon et al. 2019, Methods). With ``decay`` = 40 a neighbour counts until 1.06 bandwidths.

    Args:
        distances: ``(n, n)``.
        knn: Neighbours that set the bandwidth. Default of Moon et al. 2019.
        decay: The exponent alpha; None counts the ``knn`` neighbours alike. Default of Moon et al. 2019.
        knn_max: Most neighbours that a point keeps of those its kernel reaches; None keeps all.
        bandwidth: A bandwidth for all points, or one for each, in the unit of the distances, in place of the neighbour's.
        bandwidth_scale: Factor on every bandwidth.
        symmetrization: How the two views of a pair are joined; see :func:`symmetrized`.
        theta: Of ``"mnn"``: share of what both points see.
        anisotropy: How far the density of points is divided out; see :func:`anisotropic`.

    Raises:
        InputError: ``knn`` is not from 1 to n - 1, ``knn_max`` is less, or another number is out of its range.

    >>> line = np.abs(np.subtract.outer(np.arange(3.0), np.arange(3.0)))
    >>> alpha_decay_affinities(line, knn=1).toarray().round(3)
    array([[1.   , 0.368, 0.   ],
           [0.368, 1.   , 0.368],
           [0.   , 0.368, 1.   ]])
    """
    refuse_kernel(knn=knn, knn_max=knn_max, bandwidth_scale=bandwidth_scale, symmetrization=symmetrization)
    found = neighbourhood(distances, knn=knn, decay=decay, knn_max=knn_max, bandwidth=bandwidth, bandwidth_scale=bandwidth_scale)
    return kernel(found, decay=decay, symmetrization=symmetrization, theta=theta, anisotropy=anisotropy)


def refuse_kernel(*, knn: int, knn_max: int | None, bandwidth_scale: float, symmetrization: str) -> None:
    """Refuse settings of the kernel that no distances are needed to see through."""
    if knn_max is not None and knn_max < knn:
        raise InputError(f"knn_max must be at least knn={knn}, but is {knn_max}; pass None to keep all that the kernel reaches")
    if not 0 < bandwidth_scale < np.inf:
        raise InputError(f"bandwidth_scale must be above 0, but is {bandwidth_scale}; 1 leaves the bandwidths as they are")
    if symmetrization not in {"+", "*", "mnn"}:
        raise InputError(f"symmetrization must be one of +, *, mnn, but is {symmetrization!r}; choose one of these")
