"""What loss and time show on a map when they are dealt out to its points at random."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.stats import rankdata

from lossatlas._arrays import Coordinates, Distances, InputError, Vector
from lossatlas._compiled import compiled
from lossatlas.embed import Embedding, PhateEmbedding
from lossatlas.measure.topology.filtration import filtration
from lossatlas.measure.trust.faithfulness import Truth

_SHUFFLES = 199


@dataclass(frozen=True, kw_only=True, eq=False)
class Chance:
    """A number of the data beside the same number where something was dealt out at random.

    Attributes:
        value: Of the data.
        shuffled: Of each shuffle, ``(s,)``.
        p: Share of the shuffles, the data counted among them, that are as far out as the data: with s shuffles not below
            1 / (s + 1), and where both sides count not below 2 / (s + 1).
    """

    value: float
    shuffled: Float[np.ndarray, " s"]
    p: float

    def summary(self) -> dict[str, float]:
        """Return value, the mean and the range of 95 % of the shuffles, and p."""
        low, high = np.quantile(self.shuffled, [0.025, 0.975])
        return {"value": self.value, "null": float(self.shuffled.mean()), "low": float(low), "high": float(high), "p": self.p}


@dataclass(frozen=True, kw_only=True, eq=False)
class ShuffledLoss:
    """A loss on a map beside the same losses dealt to other points.

    Attributes:
        persistence: The finite part of total persistence. Chance makes many valleys, which meet as soon as the loss rises above
            most of the points; smooth slopes make none, and walls of high loss deep ones. So p counts both sides.
        roughness: Geary's C of the ranks of the loss: 1 by chance, 0 where neighbours have the same loss; p counts what is as
            smooth.
        seed: Of the shuffles.
    """

    persistence: Chance
    roughness: Chance
    seed: int

    def summary(self) -> dict[str, dict[str, float]]:
        """Return both as plain values."""
        return {"persistence": self.persistence.summary(), "roughness": self.roughness.summary()}


def shuffled_loss(
    distances_or_embedding: Distances | PhateEmbedding,
    values: Vector,
    *,
    knn: int = 20,
    n_shuffles: int = _SHUFFLES,
    seed: int = 0,
) -> ShuffledLoss:
    r"""Measure the valleys and the smoothness of a loss over the neighbour graph, and of losses dealt to other points.

    The valleys are those of :func:`persistence`, the squares of their heights added up. Over the m edges, with r the ranks of
    the n losses,

    .. math:: C = \frac{n - 1}{2 m} \frac{\sum_{(i,j)} (r_i - r_j)^2}{\sum_i (r_i - \bar r)^2}

    (Geary 1954, The Incorporated Statistician 5), whose mean over all shuffles is 1.

    Args:
        distances_or_embedding: Distances ``(n, n)``, or an embedding whose potential distances are taken.
        values: The loss at each point, ``(n,)``; points where it is not finite are left out.
        knn: Neighbours of each point. Default of Horoi et al. 2022, Section 3.3.
        n_shuffles: How often it is dealt out; 199 or more for a p of 0.01, which is of both sides for persistence.
        seed: Of the shuffles.

    Raises:
        InputError: the numbers of points differ, or fewer than two values are finite, or there are no shuffles.

    >>> line = np.abs(np.subtract.outer(np.arange(40.0), np.arange(40.0)))
    >>> found = shuffled_loss(line, np.arange(40.0), knn=2)
    >>> found.persistence.value, found.persistence.p, round(found.roughness.value, 3), found.roughness.p
    (0.0, 0.01, 0.004, 0.005)
    """
    if n_shuffles < 1:
        raise InputError(f"n_shuffles must be 1 or more, but is {n_shuffles}; 199 is usual")
    on = filtration(distances_or_embedding, values, knn=knn)
    rng = np.random.default_rng(seed)
    dealt = [on.values, *(rng.permutation(on.values) for _ in range(n_shuffles))]
    heights = np.array([_finite_persistence(one, on.edges) for one in dealt])
    rough = np.array([_roughness(one, on.edges) for one in dealt])
    return ShuffledLoss(persistence=_outside(heights), roughness=_below(rough), seed=seed)


def shuffled_time(
    true: Truth, embedding: Embedding | Coordinates, *, n_shuffles: int = _SHUFFLES, seed: int = 0
) -> Chance | None:
    """Share of whole steps of a map, and the same when the order in time is shuffled within each run; None without steps.

    A step of shuffled time joins any two points of a run: it is whole where the map keeps how far these are apart. A map whose
    steps are whole no more often than those has no more of the trajectory than of any other pairs of its points.

    Args:
        true: The distances that the map draws, and the runs.
        embedding: The map.
        n_shuffles: How often time is shuffled.
        seed: Of the shuffles.

    Raises:
        InputError: the map has other points, or there are no shuffles.
    """
    if n_shuffles < 1:
        raise InputError(f"n_shuffles must be 1 or more, but is {n_shuffles}; 199 is usual")
    if not len(true.steps):
        return None
    drawn = embedding.coordinates if isinstance(embedding, Embedding) else embedding
    rng = np.random.default_rng(seed)
    rows_of = [np.flatnonzero(true.run == number) for number in np.unique(true.run[true.steps])]
    orders = [[rows.copy() for rows in rows_of], *([rng.permutation(rows) for rows in rows_of] for _ in range(n_shuffles))]
    whole = true.whole_steps(
        drawn, [np.concatenate([rows[:-1] for rows in order]) for order in orders],
        [np.concatenate([rows[1:] for rows in order]) for order in orders],
    )  # fmt: skip
    return Chance(value=float(whole[0]), shuffled=whole[1:], p=float((whole >= whole[0]).mean()))


def _outside(found: Float[np.ndarray, " s"]) -> Chance:
    """Where structure makes a number small or large."""
    above = float((found >= found[0] * (1 - 1e-12)).mean())
    below = _below(found)
    return Chance(value=below.value, shuffled=below.shuffled, p=min(2 * min(above, below.p), 1.0))


def _below(found: Float[np.ndarray, " s"]) -> Chance:
    """Where structure makes a number small. What differs by rounding is as far."""
    return Chance(value=float(found[0]), shuffled=found[1:], p=float((found <= found[0] * (1 + 1e-12)).mean()))


def _roughness(values: Vector, edges: Int[np.ndarray, "e 2"]) -> float:
    ranks = rankdata(values) - (len(values) + 1) / 2
    spread = np.square(ranks).sum()
    if not spread:
        return 1.0  # all alike: no rougher than chance, no smoother
    apart = np.square(ranks[edges[:, 0]] - ranks[edges[:, 1]]).sum()
    return float((len(values) - 1) / (2 * len(edges)) * apart / spread)


def _finite_persistence(values: Vector, edges: Int[np.ndarray, "e 2"]) -> float:
    heights = values[edges].max(axis=1)
    with np.errstate(over="ignore"):  # a loss of 1e300 has an infinite square
        return float(np.square(_valleys(values, edges, np.argsort(heights, kind="stable"))).sum())


@compiled
def _valleys(values: np.ndarray, edges: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Heights of all valleys that end, found by joining points along edges as they rise; 0 where none ends."""
    parent = np.arange(len(values))  # of each root, the lowest point of its component
    heights = np.zeros(len(values))
    for edge in order:
        a, b = edges[edge, 0], edges[edge, 1]
        height = max(values[a], values[b])
        while parent[a] != a:
            parent[a] = parent[parent[a]]
            a = parent[a]
        while parent[b] != b:
            parent[b] = parent[parent[b]]
            b = parent[b]
        if a != b:
            if values[b] < values[a]:
                a, b = b, a
            heights[b] = height - values[b]
            parent[b] = a
    return heights
