"""Whether a map would come out again: drawn by other seeds, and without some of its points."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from jaxtyping import Float, Int

from lossatlas._arrays import Coordinates, InputError
from lossatlas.distance import Pairwise
from lossatlas.embed import Embedding

# Rows of the map, and their coordinates on another drawing: (k,) and (k, d), with another k for each.
Drawn: TypeAlias = tuple[Int[np.ndarray, " _"], Float[np.ndarray, "_ _"]]

_LEAST = 4  # points of a map that is laid upon another


@dataclass(frozen=True, kw_only=True, eq=False)
class Stability:
    r"""How far the points of a map move when it is drawn again.

    Attributes:
        spread: Mean square of each point's displacement from its place on the map, ``(n, d, d)``; its root is drawn as an
            ellipse. NaN for a point that was never drawn again.
        share: Root mean square displacement over that of the map's points from their mean: 0 is the same map again; one that has
            nothing to do with it is :func:`displaced_by_chance` away, :math:`\sqrt 2` of many points.
        n_drawn: How often it was drawn again.
    """

    spread: Float[np.ndarray, "n d d"]
    share: float
    n_drawn: int


def stability(
    embedded: Callable[[Pairwise, int], Embedding],
    between: Pairwise,
    made: Embedding | Coordinates,
    *,
    seeds: Sequence[int] = (1, 2, 3, 4),
    shares: Sequence[float] = (0.1,),
) -> Stability:
    """Draw a map again, once for each seed and each share of points left out, and measure how far points move.

    Args:
        embedded: Draws distances by a seed, by the settings of the map.
        between: The distances that the map was made of.
        made: The map.
        seeds: Of what is drawn, and of which points are left out.
        shares: How many of the points are left out: 0 leaves none, and only the seed is another.

    Raises:
        InputError: there is nothing to draw, a share is not from 0 to below 1, or too few points are left.

    >>> from lossatlas.distance import pairwise
    >>> from lossatlas.embed import pca
    >>> between = pairwise(np.random.default_rng(0).normal(size=(30, 2)) * [5, 1])
    >>> def by_pca(points, seed):
    ...     return pca(points, metric="euclidean")
    >>> bool(stability(by_pca, between, by_pca(between, 0)).share < 1e-6)  # two dimensions come back whatever is left out
    True
    """
    n = len(between.squared)
    drawings = []
    for share in shares:
        if not 0 <= share < 1:
            raise InputError(f"shares left out must be from 0 to below 1, but one is {share}; pass as 0.1")
        for seed in seeds:
            rows = np.sort(np.random.default_rng(seed).permutation(n)[_left_out(share, n) :])
            if len(rows) < _LEAST:
                raise InputError(f"of {n} points {len(rows)} are left, and a map needs {_LEAST}; leave out fewer")
            drawings.append((rows, embedded(part_of(between, rows), seed).coordinates))
    return displaced(made, drawings)


def displaced_by_chance(made: Coordinates, *, n_drawn: int = 20, seed: int = 0) -> float:
    """How far points move, as :attr:`Stability.share`, to maps that have nothing to do with theirs: their places dealt out anew.

    Of many points it is √2; of few less, for a turn can be found for any of them.
    """
    rng = np.random.default_rng(seed)
    here = np.arange(len(made))
    return displaced(made, [(here, made[rng.permutation(len(made))]) for _ in range(n_drawn)]).share


def _left_out(share: float, n: int) -> int:
    # Some at least, where some are to be: a map that nothing is taken from always comes out again.
    return max(round(share * n), 1 if share else 0)


def displaced(made: Embedding | Coordinates, drawings: Iterable[Drawn]) -> Stability:
    r"""How far points move from a map to other drawings of some of them.

    Each is shifted, turned and, as its unit means nothing, scaled to the map's size over the points that both have,

    .. math:: y' = \frac{\sigma_y}{\sigma_x} Q (x - \bar x) + \bar y,
              \qquad Q = \arg\min_{Q^T Q = I} \sum_i \lVert Q (x_i - \bar x) - (y_i - \bar y) \rVert^2 .

    The factor is that of the sizes, not the best in least squares, which would shrink a map that has nothing to do with the
    other to a point and halve how far it seems to be away.

    Args:
        made: The map.
        drawings: The rows of the map that each drawing has, and their coordinates there.

    Raises:
        InputError: there is no other drawing.
    """
    there = made.coordinates if isinstance(made, Embedding) else np.asarray(made, dtype=np.float64)
    n, d = there.shape
    moments, counts, n_drawn = np.zeros((n, d, d)), np.zeros(n), 0
    for rows, coordinates in drawings:
        moved = _laid(coordinates, there[rows]) - there[rows]
        moments[rows] += moved[:, :, np.newaxis] * moved[:, np.newaxis]
        counts[rows] += 1
        n_drawn += 1
    if not n_drawn:
        raise InputError("a map is compared with other drawings of it, but there are none; pass seeds and shares")
    with np.errstate(invalid="ignore"):
        spread = moments / counts[:, np.newaxis, np.newaxis]
    size = np.square(there - there.mean(axis=0)).sum(axis=1).mean()
    known = np.trace(spread[counts > 0], axis1=1, axis2=2).mean()
    return Stability(spread=spread, share=float(np.sqrt(known / size)) if size else float("nan"), n_drawn=n_drawn)


def part_of(between: Pairwise, rows: Int[np.ndarray, " k"]) -> Pairwise:
    """Distances between some of the points; the cosine's origin stays where it was."""
    return Pairwise(between.squared[np.ix_(rows, rows)], between.norms[rows], between.origin, between.n_parameters)


def _laid(x: Float[np.ndarray, "k d"], y: Float[np.ndarray, "k d"]) -> Float[np.ndarray, "k d"]:
    middle, x, about = y.mean(axis=0), x - x.mean(axis=0), y - y.mean(axis=0)
    U, _, Vt = np.linalg.svd(x.T @ about)
    size = np.linalg.norm(x)
    return (np.linalg.norm(about) / size if size else 1.0) * x @ (U @ Vt) + middle
