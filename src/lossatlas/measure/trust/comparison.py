"""A map beside other maps of the same distances, and beside maps of nothing: drawn, laid upon it, and scored on one metric."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lossatlas._arrays import Coordinates, Distances
from lossatlas.distance import Pairwise
from lossatlas.embed import Embedding, MapWarning, Method, Own, PhateEmbedding, as_embedded, layout, pcas, stress
from lossatlas.measure.trust.faithfulness import Faithfulness, Truth, faithfulness, truth
from lossatlas.measure.trust.nulls import random_walks, shuffled

_TOO_FEW = 2  # points, of which none has a neighbour below half of them


@dataclass(frozen=True, kw_only=True, eq=False)
class Null:
    """How well a map scores that has nothing to show."""

    stress: float
    faithfulness: Faithfulness


@dataclass(frozen=True, kw_only=True, eq=False)
class Comparison:
    """What stands beside a map.

    Attributes:
        layouts: The same distances drawn by other methods, by their names, each turned upon the map.
        coordinates_3d: ``(n, 3)`` of ``"phate"`` and ``"pca"``, turned so that their first two axes lie upon the plane.
        faithfulness: How faithfully each draws the metric's distances, ``"phate"`` first; none of fewer than three points.
        nulls: The same of ``"random walk"``, steps of the same lengths embedded by the same settings, and of ``"shuffled"``,
            the map's places dealt out at random.
    """

    layouts: Mapping[str, Embedding] = field(default_factory=dict)
    coordinates_3d: Mapping[str, Coordinates] = field(default_factory=dict)
    faithfulness: Mapping[str, Faithfulness] = field(default_factory=dict)
    nulls: Mapping[str, Null] = field(default_factory=dict)

    def summary(self) -> dict[str, Any]:
        """Return the scores as plain values: of each layout, and of each null."""
        scores = {name: found.summary() for name, found in self.faithfulness.items()}
        for name, made in self.layouts.items():
            scores[name] = {"stress": made.stress, **scores.get(name, {})}
        nulls = {name: {"stress": null.stress, **null.faithfulness.summary()} for name, null in self.nulls.items()}
        return {"faithfulness": scores} | ({"nulls": nulls} if nulls else {})


def comparison(
    embedding: PhateEmbedding,
    between: Pairwise,
    *,
    metric: Own,
    runs: Sequence[tuple[int, int]],
    methods: Sequence[Method],
    redrawn: Callable[[Pairwise], PhateEmbedding] | None,
) -> Comparison:
    """Draw the distances of a map by other methods and in three dimensions, draw nulls, and score them all.

    Args:
        embedding: The map.
        between: The distances that it was made of.
        metric: Which of them.
        runs: First row, and row after the last, of each trajectory, in the order of time.
        methods: What else draws them.
        redrawn: Embeds other distances by the map's settings; None leaves the nulls out.

    Raises:
        InputError: a method cannot map so few points.
    """
    seen = as_embedded(between, n_pca=embedding.settings.n_pca)
    plane = embedding.coordinates[:, :2]
    flat, spatial = _drawn(seen, metric, methods, embedding.settings.seed)
    layouts = {method: made.align_to(plane) for method, made in flat.items()}
    spaces = {method: made.align_to(layouts[method]).coordinates for method, made in spatial.items()}
    D = _distances(seen, metric)
    true = truth(D, runs) if len(D) > _TOO_FEW else None
    scored: dict[str, Coordinates] = {"phate": plane, **{name: made.coordinates for name, made in layouts.items()}}
    return Comparison(
        layouts=layouts,
        coordinates_3d={"phate": _in_space(embedding), **spaces},
        faithfulness={name: true.of(where) for name, where in scored.items()} if true else {},
        nulls=_nulls(embedding, between, true, metric=metric, runs=runs, redrawn=redrawn) if true and redrawn else {},
    )


def _distances(between: Pairwise, metric: Own) -> Distances:
    return between.cosine if metric == "cosine" else between.euclidean


def _drawn(
    seen: Pairwise, metric: Own, methods: Sequence[Method], seed: int
) -> tuple[dict[str, Embedding], dict[str, Embedding]]:
    """Each method's map on the plane, and in space that of the one which has it at no further cost."""
    flat: dict[str, Embedding] = {}
    spatial: dict[str, Embedding] = {}
    for method in methods:
        if method == "pca":
            flat[method], spatial[method] = pcas(seen, axes=(2, 3), metric=metric)
        else:
            flat[method] = layout(method, seen, metric=metric, seed=seed)
    return flat, spatial


def _in_space(embedding: PhateEmbedding) -> Coordinates:
    """The map in three dimensions, upon the plane: the stages before the drawing stand; of more axes the first three are seen."""
    if embedding.settings.n_components > 2:
        return embedding.coordinates[:, :3]
    return embedding.revised(n_components=3).align_to(embedding.coordinates[:, :2]).coordinates


def plane_stress(made: PhateEmbedding) -> float:
    """The stress of what is drawn: of a map of more axes the first two are."""
    return made.stress if made.coordinates.shape[1] <= 2 else stress(made.potential_distances, made.coordinates[:, :2])


def _nulls(
    embedding: PhateEmbedding,
    between: Pairwise,
    true: Truth,
    *,
    metric: Own,
    runs: Sequence[tuple[int, int]],
    redrawn: Callable[[Pairwise], PhateEmbedding],
) -> dict[str, Null]:
    found = {}
    if any(stop - start > 1 for start, stop in runs):
        walks = random_walks(between, runs)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", MapWarning)  # it is not the reader's map
            drawn = redrawn(walks)
        D = _distances(as_embedded(walks, n_pca=embedding.settings.n_pca), metric)
        found["random walk"] = Null(
            stress=plane_stress(drawn), faithfulness=faithfulness(D, drawn.coordinates[:, :2], runs, knn=true.knn)
        )
    places = shuffled(embedding.coordinates[:, :2], seed=embedding.settings.seed)
    found["shuffled"] = Null(stress=stress(embedding.potential_distances, places), faithfulness=true.of(places))
    return found
