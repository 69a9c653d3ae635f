"""How far two diagrams are apart."""

from collections.abc import Iterator
from itertools import chain
from typing import Literal, TypeAlias

import gudhi.hera
import numpy as np
from jaxtyping import Float
from scipy.optimize import linear_sum_assignment

from lossatlas._arrays import InputError
from lossatlas.embed.settings import refuse_unknown
from lossatlas.measure.topology.diagram import Diagram, Part

Kind: TypeAlias = Literal["bottleneck", "wasserstein"]
These: TypeAlias = Float[np.ndarray, "m 2"]
Those: TypeAlias = Float[np.ndarray, "k 2"]


def diagram_distance(
    a: Diagram, b: Diagram, *, kind: Kind = "bottleneck", p: float = 2, dimension: int = 0, part: Part = "all"
) -> float:
    r"""Distance between two diagrams: the best matching of their classes, of which some may be matched with the diagonal.

    .. math:: W_p = \min_\pi \Bigl(\sum_x \lVert x - \pi(x) \rVert_\infty^p\Bigr)^{1/p}, \qquad
        W_\infty = \min_\pi \max_x \lVert x - \pi(x) \rVert_\infty

    The bottleneck distance is at most the largest change of the loss, where graph and points stay (Cohen-Steiner, Edelsbrunner
    and Harer 2007); of Wasserstein's, p weighs how much many small classes count against a few large ones. Each kind of class
    is matched with its own. What never ends is matched by its births, and diagrams that differ in how many there are, are
    infinitely far apart: join the pieces, or end what never ends by extended persistence.

    Args:
        a: A diagram.
        b: Another, on the same scale. Losses of networks that fit differently are best compared by ``"rank"`` or ``"range"``.
        kind: ``"bottleneck"``, by Hera (seconds for thousands of classes), or ``"wasserstein"``, exact, by scipy's assignment,
            whose time grows with the cube of the number of classes: valleys take milliseconds, the thousands of cycles of a plain
            graph many minutes.
        p: Power of Wasserstein's.
        dimension: 0 components, 1 cycles.
        part: ``"all"``, which is finite and essential, or one of these, or ``"relative"``.

    Raises:
        InputError: the diagrams are of different scales or only one is extended, or a choice is none of those above.

    >>> from lossatlas import persistence
    >>> path = np.abs(np.subtract.outer(np.arange(3.0), np.arange(3.0)))
    >>> a, b = (persistence(path, np.array([0.0, height, 1.0]), knn=1) for height in (5.0, 8.0))
    >>> round(diagram_distance(a, b), 9)
    3.0
    """
    refuse_unknown(kind=(kind, Kind), part=(part, Part))
    if not 1 <= p < np.inf:
        raise InputError(f"p must be from 1 on, but is {p}; kind='bottleneck' is the limit of large ones")
    if a.scale != b.scale:
        raise InputError(f"the diagrams are on the scales {a.scale!r} and {b.scale!r}; put both on one")
    if (a.ends is None) != (b.ends is None):
        raise InputError("one diagram is of extended persistence, the other is not; pass two of a kind")
    a.total(part=part, dimension=dimension)  # refuses what they do not have
    apart = np.array(list(_apart(a, b, kind, p, dimension=dimension, part=part)))
    return float(apart.max()) if kind == "bottleneck" else _norm(apart, p)


def _apart(a: Diagram, b: Diagram, kind: Kind, p: float, *, dimension: int, part: Part) -> Iterator[float]:
    """Distance between the classes of each kind."""
    if part == "relative":
        yield from _planar(a.relative[dimension], b.relative[dimension], kind, p)
    if part in {"all", "finite"}:
        yield from _planar(a.finite[dimension], b.finite[dimension], kind, p)
    if part in {"all", "essential"}:
        if a.ends is not None:
            yield from _planar(a.closed(dimension), b.closed(dimension), kind, p)
        else:
            yield _linear(a.essential[dimension], b.essential[dimension], kind, p)


def _linear(these: Float[np.ndarray, " m"], those: Float[np.ndarray, " k"], kind: Kind, p: float) -> float:
    if len(these) != len(those):
        return np.inf
    apart = np.abs(np.sort(these) - np.sort(those))  # on a line the order is the best matching
    return float(apart.max(initial=0)) if kind == "bottleneck" else _norm(apart, p)


def _planar(these: These, those: Those, kind: Kind, p: float) -> Iterator[float]:
    # One above and one below the diagonal are farther from each other than both from it together: they are never matched.
    for sign in (1, -1):
        first, second = (pairs[:, ::sign][sign * (pairs[:, 1] - pairs[:, 0]) > 0] for pairs in (these, those))
        yield _bottleneck(first, second) if kind == "bottleneck" else _assigned(first, second, p)


def _bottleneck(these: These, those: Those) -> float:
    # Not gudhi.bottleneck_distance, which misses the best matching of some diagrams with ties (gudhi 3.13: 44 of 3,000).
    return float(gudhi.hera.bottleneck_distance(these, those, delta=0))


def _assigned(these: These, those: Those, p: float) -> float:
    """Wasserstein's distance by what each match saves over leaving both of it to the diagonal: m times k numbers."""
    away, off = (np.diff(pairs, axis=1)[:, 0] / 2 for pairs in (these, those))
    unit = max(away.max(initial=0), off.max(initial=0))
    if unit == 0:
        return 0.0
    away, off = (away / unit) ** p, (off / unit) ** p
    apart = np.abs(these[:, np.newaxis] - those).max(axis=2) / unit
    alone = away[:, np.newaxis] + off
    cost = np.minimum(np.minimum(apart, 2) ** p - alone, 0)  # beyond the sum of both a match saves nothing, and may overflow
    rows, columns = linear_sum_assignment(cost)
    saved = cost[rows, columns]
    is_matched = np.zeros(len(these), bool), np.zeros(len(those), bool)
    is_matched[0][rows[saved < 0]] = True
    is_matched[1][columns[saved < 0]] = True
    matched = apart[rows[saved < 0], columns[saved < 0]] ** p
    # Added up anew: alone minus what is saved would leave the rounding of both where the diagrams are the same.
    return float(unit * sum(chain(matched, away[~is_matched[0]], off[~is_matched[1]])) ** (1 / p))


def _norm(numbers: Float[np.ndarray, " m"], p: float) -> float:
    unit = numbers.max(initial=0)
    return float(unit * ((numbers / unit) ** p).sum() ** (1 / p)) if 0 < unit < np.inf else float(unit)
