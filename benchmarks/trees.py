"""Trees whose truth is known: how much of it each map recovers."""

from collections.abc import Callable, Mapping

import numpy as np

from benchmarks.data import Tree, artificial_tree, their_tree
from benchmarks.measures import demap, geodesics
from benchmarks.tables import table
from benchmarks.ways import ours, theirs
from lossatlas.distance import pairwise

SETS: Mapping[str, Callable[..., Tree]] = {"artificial_tree": artificial_tree, "phate.tree.gen_dla": their_tree}
METRICS = ("euclidean", "cosine")
HEAD = ("tree", "distances", "lossatlas", "phate", "difference", "seeds where ours is no lower", "unreachable")


def trees_table(*, seeds: int = 10, n_branch: int = 10, say: Callable[[str], object] = print) -> str:
    """Return DEMaP of both on the same noisy points, mean ± spread (one standard deviation) over seeds."""
    rows = []
    for name, make in SETS.items():
        found = [tree_scores(make(seed, n_branch=n_branch)) for seed in range(seeds)]
        for metric in METRICS:
            scores = np.array([one[metric] for one in found])
            rows.append([name, metric, *_summary(scores), f"{max(one['unreachable'][0] for one in found):.0%}"])
            say(f"{' '.join(rows[-1])}")
    return table(HEAD, rows)


def tree_scores(tree: Tree) -> dict[str, tuple[float, ...]]:
    """DEMaP of ours and theirs by metric, and the fraction of pairs that no path joins."""
    paths = geodesics(pairwise(tree.clean).euclidean)
    scores: dict[str, tuple[float, ...]] = {"unreachable": (paths.unreachable,)}
    for metric in METRICS:
        drawn = [way(tree.noisy, metric=metric).coordinates for way in (ours, theirs)]
        scores[metric] = tuple(demap(paths, coordinates) for coordinates in drawn)
    return scores


def _summary(scores: np.ndarray) -> list[str]:
    difference = scores[:, 0] - scores[:, 1]
    spread = [f"{values.mean():.3f} ± {values.std(ddof=1):.3f}" for values in (*scores.T, difference)]
    return [*spread, f"{(difference >= 0).sum()} of {len(scores)}"]
