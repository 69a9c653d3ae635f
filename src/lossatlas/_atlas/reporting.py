"""What a map shows in words: of each number first what it is where there is nothing to see."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from lossatlas._arrays import Distances
from lossatlas.distance import Pairwise
from lossatlas.embed import Own
from lossatlas.measure import Chance, Faithfulness, shuffled_loss, shuffled_time, truth, walk_shares

if TYPE_CHECKING:
    from lossatlas._atlas.result import Atlas

_LEAST = 3  # points of a map that has scores
_WORDS = {"phate": "This map", "predictions": "What is predicted, drawn by PHATE", "inpca": "By InPCA"}
_SHOWN = {
    "neighbours_kept": "neighbours kept",
    "trajectory_continuity": "whole steps",
    "rank_correlation": "order of distances",
}


def report(atlas: "Atlas") -> str:
    """Return the report of an atlas, a finding a line; see :meth:`Atlas.report`."""
    return "\n".join([*_maps(atlas), *_steps(atlas), *_components(atlas), *_loss(atlas)])


def points_of(distances: Distances, metric: Own) -> Pairwise:
    """Points that have these distances: for a cosine the directions, which lie on a sphere of radius 1."""
    squared = 2 * distances if metric == "cosine" else distances**2
    return Pairwise(squared, np.ones(len(distances)), "zero", len(distances))


def metric_of(atlas: "Atlas") -> Own:
    """Return the distance of which an atlas' distances are."""
    return "cosine" if atlas.embedding.settings.metric == "cosine" else "euclidean"


def _maps(atlas: "Atlas") -> Iterator[str]:
    nulls = {"random walk": "A random walk with the same steps", "shuffled": "Places dealt out at random"}
    for name, words in nulls.items():
        if name in atlas.comparison.nulls:
            yield f"{words}: {_scores(atlas.comparison.nulls[name].faithfulness)}."
    for name, found in atlas.comparison.faithfulness.items():
        yield f"{_WORDS.get(name, f'Drawn by {name}')}: {_scores(found)}."


def _scores(found: Faithfulness) -> str:
    known = found.summary()
    return ", ".join(f"{words} {known[name]:.2f}" for name, words in _SHOWN.items() if known[name] is not None)


def _steps(atlas: "Atlas") -> Iterator[str]:
    if atlas.distances is None or atlas.n_points < _LEAST:
        return
    true = truth(atlas.distances, _spans(atlas))
    chance = shuffled_time(true, atlas.embedding.coordinates[:, :2])
    if chance is not None:
        yield (
            f"With time shuffled within each run {_range(chance)} of the steps would be whole; in their own order "
            f"{chance.value:.2f} are{_p(chance)}."
        )


def _components(atlas: "Atlas") -> Iterator[str]:
    if atlas.distances is None:
        return
    metric, spans = metric_of(atlas), _spans(atlas)
    ordered = [trace.name for trace in atlas.traces if trace.is_ordered]
    found = walk_shares(points_of(atlas.distances, metric), spans, metric=metric)
    if not found:
        return
    alike = [one for one in found if one.is_alike]
    typical = np.mean([one.walk for one in found], axis=0)
    yield (
        f"Principal components of a random walk of as many points hold {typical[0]:.0%} and {typical[1]:.0%} of its variance and "
        f"draw Lissajous figures (Antognini and Sohl-Dickstein 2018); of {len(found)} runs {len(alike)} "
        f"{'has' if len(alike) == 1 else 'have'} such shares{_named([ordered[one.run] for one in alike])}."
    )
    if alike:
        yield "The curve that PCA draws of such a run is a walk's: it shows that the run moves, not a landscape."


def _loss(atlas: "Atlas") -> Iterator[str]:
    if atlas.loss is None or atlas.diagram is None:
        return
    label = atlas.loss.replace("_", " ")
    chance = shuffled_loss(atlas.embedding, atlas.metrics[atlas.loss], knn=atlas.diagram.knn)
    yield (
        f"With the {label} dealt to other points finite persistence would be {_range(chance.persistence, '.3g')}; "
        f"it is {chance.persistence.value:.3g}{_p(chance.persistence)}. "
        f"The range squared alone is {atlas.diagram.loss_range_squared:.3g}."
    )
    yield (
        f"So dealt its roughness over neighbours would be {_range(chance.roughness)}; it is {chance.roughness.value:.2f}"
        f"{_p(chance.roughness)}."
    )


def _spans(atlas: "Atlas") -> list[tuple[int, int]]:
    return [(trace.start, trace.stop) for trace in atlas.traces if trace.is_ordered]


def _range(chance: Chance, digits: str = ".2f") -> str:
    numbers = chance.summary()
    return f"{numbers['null']:{digits}} ({numbers['low']:{digits}} to {numbers['high']:{digits}})"


def _p(chance: Chance) -> str:
    return f" (p {chance.p:.3f})" if len(chance.shuffled) > 1 else ""


def _named(names: list[str]) -> str:
    if not names:
        return ""
    return f": {', '.join(names[:3])}" + (f" and {len(names) - 3} more" if len(names) > 3 else "")
