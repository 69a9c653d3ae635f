"""Many points are embedded through some of their walk's own meeting places, the landmarks."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.sparse import csr_array, diags_array

from lossatlas._arrays import Coordinates, Indices
from lossatlas._compiled import compiled
from lossatlas.distance.threads import over_rows, workers
from lossatlas.embed.diffusion import Walk

# Steps and directions by which places are told apart: enough for the walk to leave a cluster of some points, and for
# distances among the rows to keep within some 20 % (Johnson and Lindenstrauss).
_STEPS = 8
_DIRECTIONS = 32
_ROUNDS = 3


@dataclass(frozen=True, eq=False)
class Landmarks:
    r"""Groups of places, and the walk between them by way of the points.

    With K the affinities and C the membership of points in groups, :math:`W = K C` leads from points to groups. A step from
    group to group goes to a point and on, :math:`P = P_{mn} P_{nm}` (Moon et al. 2019, Methods, "Scalability").
    """

    groups: Indices  # (n,): the group of each point
    shares: csr_array  # (n, m): P_nm, by which points are placed among the groups
    walk: Walk  # (m, m)

    def interpolated(self, coordinates: Float[np.ndarray, "m d"]) -> Coordinates:
        """Coordinates of all points from those of the groups."""
        return self.shares @ coordinates


def landmarks(affinities: csr_array, *, n_landmark: int, seed: int = 0) -> Landmarks:
    r"""Landmarks of a walk: groups of points from which it goes on alike.

    Points are told apart by the rows of :math:`P^8 G` with random directions G ``(n, 32)``, whose distances are those of the
    rows of :math:`P^8`, the diffusion distances, to some 20 %. Groups grow around places chosen each as far as can be from
    those before it (Gonzalez 1985), and are then centred (Lloyd 1982): the same seed, the same groups.
    """
    n = affinities.shape[0]
    operator = diags_array(1 / affinities.sum(axis=1)) @ affinities
    places = np.random.default_rng(seed).standard_normal((n, _DIRECTIONS))
    for _ in range(_STEPS):
        places = operator @ places
    groups = _groups(places, n_landmark)
    membership = csr_array((np.ones(n), (np.arange(n), groups)), shape=(n, int(groups.max()) + 1))
    leading = (affinities @ membership).tocsr()
    root = np.sqrt(leading.sum(axis=0))
    shares = (diags_array(1 / leading.sum(axis=1)) @ leading).tocsr()
    inverse = diags_array(1 / root)
    return Landmarks(groups, shares, Walk((inverse @ (leading.T @ shares) @ inverse).tocsr(), root))


def _groups(places: Float[np.ndarray, "n k"], count: int) -> Indices:
    centres = places[_spread(np.ascontiguousarray(places.T), count)]
    groups = np.zeros(len(places), dtype=np.int64)
    for _ in range(_ROUNDS):
        groups = _nearest(places, centres)
        sums = np.zeros_like(centres)
        np.add.at(sums, groups, places)
        sizes = np.bincount(groups, minlength=len(centres))
        used = sizes > 0
        centres = sums[used] / sizes[used, np.newaxis]
    return np.unique(_nearest(places, centres), return_inverse=True)[1].astype(np.int64)


def _nearest(places: Float[np.ndarray, "n k"], centres: Float[np.ndarray, "m k"]) -> Indices:
    own, nearest = (centres**2).sum(axis=1), np.empty(len(places), dtype=np.int64)

    def look(start: int, stop: int) -> None:
        products = places[start:stop] @ centres.T
        products *= -2
        products += own
        products.argmin(axis=1, out=nearest[start:stop])

    with workers() as pool:
        over_rows(pool, look, len(places))
    return nearest


@compiled
def _spread(places: np.ndarray, count: int) -> np.ndarray:
    # The first is the point farthest from the middle; each next the one farthest from all before. `places` is (k, n), so
    # that every inner loop runs over points.
    k, n = places.shape
    chosen = np.empty(count, dtype=np.int64)
    gap = np.zeros(n)
    squares = np.empty(n)
    for a in range(k):
        middle = places[a].mean()
        for i in range(n):
            gap[i] += (places[a, i] - middle) ** 2
    last = np.argmax(gap)
    gap[:] = np.inf
    for m in range(count):
        chosen[m] = last
        squares[:] = 0.0
        for a in range(k):
            here = places[a, last]
            for i in range(n):
                squares[i] += (places[a, i] - here) ** 2
        for i in range(n):
            gap[i] = min(gap[i], squares[i])
        last = np.argmax(gap)
    return chosen
