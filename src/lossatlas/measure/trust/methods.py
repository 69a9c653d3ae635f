"""The same distances drawn by several methods, seed by seed, and each map scored alike."""

import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from lossatlas._arrays import Points
from lossatlas.distance import Pairwise
from lossatlas.embed import Embedding, MapWarning
from lossatlas.measure.trust.comparison import Null
from lossatlas.measure.trust.faithfulness import Faithfulness, Truth
from lossatlas.measure.trust.geodesics import demap
from lossatlas.measure.trust.stability import Stability, stability

# Draws distances in the plane, by a seed.
Draws: TypeAlias = Callable[[Pairwise, int], Embedding]


@dataclass(frozen=True, kw_only=True, eq=False)
class MethodScores:
    """What a method's maps of the same distances score.

    Attributes:
        embedding: The map of the first seed, laid upon that of the first method.
        faithfulness: Of this map.
        scores: By name, one value a seed: the numbers of :class:`Faithfulness`, ``"stress"``, and ``"demap"`` where the truth is
            known. A method without chance has one value.
        walk: How well its map of random walks scores; None where there are no steps.
        stability: How far points move when others are left out; None where none are.
    """

    embedding: Embedding
    faithfulness: Faithfulness
    scores: Mapping[str, tuple[float, ...]]
    walk: Null | None
    stability: Stability | None

    @property
    def walk_scores(self) -> dict[str, float]:
        """The scores of the map of random walks, by name; none without."""
        if self.walk is None:
            return {}
        known = self.walk.faithfulness.summary() | {"stress": self.walk.stress}
        return {name: value for name, value in known.items() if value is not None}

    def mean(self, name: str) -> float:
        """Return the mean of a score over the seeds."""
        return float(np.mean(self.scores[name]))

    def spread(self, name: str) -> float | None:
        """Return the standard deviation of a score over the seeds; None of a method without chance."""
        values = self.scores[name]
        return float(np.std(values, ddof=1)) if len(values) > 1 else None


def methods_scored(
    draws: Mapping[str, Draws],
    between: Pairwise,
    true: Truth,
    *,
    seeds: Sequence[int],
    with_chance: Collection[str],
    walks: tuple[Pairwise, Truth] | None = None,
    left_out: float = 0.1,
    noise_free: Points | None = None,
) -> dict[str, MethodScores]:
    """Draw the same distances by each method and score the maps.

    Args:
        draws: The methods, by their names.
        between: The distances.
        true: The same, as maps are scored against.
        seeds: Each method with chance is drawn by each of them, the others by the first.
        with_chance: Names of the methods that a seed makes a difference to.
        walks: Distances of random walks, and the same as maps are scored against; drawn by each method too.
        left_out: Share of the points that are left out, by each seed others; 0 leaves none out.
        noise_free: The points before noise, where these are known.
    """
    found: dict[str, MethodScores] = {}
    for name, draw in draws.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", MapWarning)  # that of the first map is the atlas' own
            made = [draw(between, seed) for seed in (seeds if name in with_chance else seeds[:1])]
            scored = [true.of(one) for one in made]
            rows = [_numbers(one, by, noise_free) for one, by in zip(made, scored, strict=True)]
            walked = None if walks is None else _walked(draw(walks[0], seeds[0]), walks[1])
            moved = stability(draw, between, made[0], seeds=seeds, shares=(left_out,)) if left_out else None
        first = next(iter(found.values())).embedding if found else made[0]
        found[name] = MethodScores(
            embedding=made[0] if first is made[0] else made[0].align_to(first),
            faithfulness=scored[0],
            scores={score: tuple(row[score] for row in rows) for score in rows[0]},
            walk=walked,
            stability=moved,
        )
    return found


def _walked(made: Embedding, true: Truth) -> Null:
    return Null(stress=made.stress, faithfulness=true.of(made))


def _numbers(made: Embedding, found: Faithfulness, noise_free: Points | None) -> dict[str, float]:
    numbers = {name: value for name, value in found.summary().items() if value is not None} | {"stress": made.stress}
    if noise_free is not None:
        numbers["demap"] = demap(noise_free, made, knn=min(30, len(noise_free) - 1)).correlation
    return numbers
