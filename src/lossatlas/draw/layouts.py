"""An atlas' ways to draw its points, and how far each can be trusted, in words and numbers."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from lossatlas._arrays import Coordinates
from lossatlas._atlas import Atlas
from lossatlas.draw.scene import Layout, Metric, Score
from lossatlas.embed import Embedding, InPCAEmbedding
from lossatlas.measure import Faithfulness, plane_stress

NAMES = {
    "phate": "PHATE",
    "pca": "PCA",
    "tsne": "t-SNE",
    "umap": "UMAP",
    "isomap": "Isomap",
    "predictions": "Predictions",
    "inpca": "InPCA",
}

# What a score says: label, its name in Faithfulness, how to read it, and to what it is blind.
_SCORES = (
    (
        "neighbours kept",
        "neighbours_kept",
        "Share of each point's {knn} nearest by the true distances that are among its {knn} nearest on the map. Shuffled places "
        "keep what chance keeps. Blind to how far away the lost ones are drawn.",
    ),
    (
        "kept within runs",
        "kept_within_runs",
        "The same of those true neighbours that are of the point's own run. Blind to whether the run is whole: pieces of it keep "
        "their neighbours.",
    ),
    (
        "kept between runs",
        "kept_between_runs",
        "The same of those that are of other runs. It rests on few pairs where runs lie apart.",
    ),
    (
        "trustworthiness",
        "trustworthiness",
        "Whether neighbours on the map are neighbours: 1 if none of the {knn} nearest is an intruder, less the farther away the "
        "intruders truly are (Venna and Kaski 2006). Blind to what is torn apart.",
    ),
    (
        "continuity",
        "continuity",
        "Whether neighbours are neighbours on the map: 1 if none of the {knn} truly nearest is missing, less the farther away "
        "they are drawn (Venna and Kaski 2006). Blind to what is drawn upon each other.",
    ),
    (
        "whole steps",
        "trajectory_continuity",
        "Share of the steps from one snapshot to the next that are not drawn longer than foreseen by more than a tenth of the "
        "map's spread: below 1 trajectories are torn. Blind to runs that are drawn upon each other.",
    ),
    (
        "order of distances",
        "rank_correlation",
        "Rank correlation of true and drawn distances over all pairs of points: 1 if the map keeps their order, 0 if it knows "
        "nothing of it. Far pairs are most of all pairs: blind to who is next to whom.",
    ),
)
STRESS = (
    "How far distances on the map are from those that the method draws, which for PHATE are of potentials: 0 is a perfect map, "
    "0.1 fair, from 0.2 on look twice. Not to be compared where methods draw different distances."
)
LABELS = {name: label for label, name, _ in _SCORES} | {"stress": "stress", "demap": "order of geodesics"}


def layouts(atlas: Atlas) -> tuple[Layout, ...]:
    """Return the map itself, then the other drawings of its distances."""
    return (
        _layout(atlas, "phate", _caption(atlas), atlas.embedding.coordinates),
        *(_layout(atlas, name, _other_caption(name, made), made.coordinates) for name, made in atlas.layouts.items()),
    )


def scores(atlas: Atlas) -> tuple[Score, ...]:
    """Return how far each layout can be trusted, beside the nulls of the first."""
    compared = atlas.comparison
    if not compared.faithfulness:
        return ()
    names = ("phate", *atlas.layouts)
    knn = compared.faithfulness["phate"].knn
    found = [
        Score(
            label=label,
            meaning=meaning.format(knn=knn),
            better="higher",
            values=tuple(_plain(compared.faithfulness[name], of) for name in names),
            nulls=tuple((name, _plain(null.faithfulness, of)) for name, null in compared.nulls.items()),
        )
        for label, of, meaning in _SCORES
    ]
    fit = Score(
        label="stress",
        meaning=STRESS,
        better="lower",
        values=(plane_stress(atlas.embedding), *(made.stress for made in atlas.layouts.values())),
        nulls=tuple((name, null.stress) for name, null in compared.nulls.items()),
    )
    return (*(score for score in found if any(value is not None for value in score.values)), fit)


def _plain(found: Faithfulness, name: str) -> float | None:
    value = found.summary()[name]
    return None if value is None or math.isnan(value) else value


def _layout(atlas: Atlas, name: str, caption: str, coordinates: Coordinates) -> Layout:
    faithful = atlas.comparison.faithfulness.get(name)
    space = atlas.comparison.coordinates_3d.get(name)
    kept = () if faithful is None else (_neighbours_kept(faithful),)
    return Layout(
        name=NAMES[name],
        caption=caption,
        coordinates=_plane(coordinates),
        coordinates_3d=None if space is None else space.astype(np.float32),
        metrics=kept,
    )


def _neighbours_kept(found: Faithfulness) -> Metric:
    return Metric(
        name="faithfulness",
        label="neighbours kept",
        values=found.point_neighbours_kept.astype(np.float32),
        meaning=f"share of the point's {found.knn} nearest by the true distances that are among its {found.knn} nearest here",
    )


def _caption(atlas: Atlas) -> str:
    settings = atlas.embedding.settings
    chosen = f"t {atlas.embedding.t}" + (" (chosen)" if settings.t == "auto" else "")
    about = {"zero": "the origin", "centroid": "the centroid", "start": "the start", "point": "a point"}.get(settings.origin, "")
    metric = f"{settings.metric} distance" + (f" about {about}" if settings.metric == "cosine" and about else "")
    if atlas.space == "predictions":
        metric = "Bhattacharyya distance of predictions"
    points = f"{atlas.n_points:,} points"
    if atlas.is_thinned and atlas.embedding.graph.landmarks is not None:
        n_landmarks = len(atlas.embedding.potential)
        points = f"{atlas.n_mapped:,} points by {n_landmarks:,} landmarks, {atlas.n_points:,} of them shown"
    return (
        f"PHATE of {points}, {metric}; "
        f"knn {settings.knn}, decay {_decimal(settings.decay)}, {chosen}, "
        f"gamma {_decimal(settings.gamma)}, preset {settings.preset}; stress {plane_stress(atlas.embedding):.3f}"
    )


def _other_caption(name: str, made: Embedding) -> str:
    if isinstance(made, InPCAEmbedding):
        return _caption_of_inpca(made)
    if name == "predictions":
        return _caption_of_predictions(made)
    settings = made.settings
    words: Mapping[str, Callable[[], str]] = {
        "pca": lambda: _shares(made.diagnostics),
        "tsne": lambda: f"perplexity {_decimal(settings.perplexity)}, seed {settings.seed}",
        "umap": lambda: f"{settings.n_neighbors} neighbours, min_dist {_decimal(settings.min_dist)}, seed {settings.seed}",
        "isomap": lambda: f"{settings.n_neighbors} neighbours",
    }
    return f"{NAMES[name]} of the same distances; {words[name]()}; stress {made.stress:.3f}"


def _caption_of_inpca(made: InPCAEmbedding) -> str:
    # Distances that came as a matrix are those of predictions, beside a map that may be of weights.
    of = "the predictions' Bhattacharyya distance" if made.settings.metric == "precomputed" else "the same distances"
    n_axes = sum(name.startswith("eigenvalue_") for name in made.diagnostics)
    axes = [f"axis {axis} imaginary" for axis in range(1, n_axes + 1) if made.diagnostics[f"eigenvalue_{axis}"] < 0]
    held = f"{made.explained[-1]:.0%} of it on {len(made.explained)} axes"
    scored = "; scored against the distances of predictions" if made.settings.metric == "precomputed" else ""
    return f"InPCA of {of}; {', '.join([held, *axes])}{scored}; stress {made.stress:.3f}"


def _caption_of_predictions(made: Embedding) -> str:
    settings = made.settings
    return (
        f"PHATE of the predictions' Bhattacharyya distance; knn {settings.knn}, decay {_decimal(settings.decay)}, "
        f"scored against the distances of predictions; stress {made.stress:.3f}"
    )


def _shares(numbers: Mapping[str, Any]) -> str:
    own, chance = (
        " + ".join(f"{numbers[f'{of}_{axis}']:.0%}" for axis in (1, 2)) for of in ("explained_variance", "random_walk")
    )
    return f"{own} of the variance (of a random walk {chance})"


def _plane(coordinates: Coordinates) -> np.ndarray:
    """The first two axes; a map of one axis is drawn on a line."""
    plane = coordinates[:, :2].astype(np.float32)
    return np.pad(plane, ((0, 0), (0, 2 - plane.shape[1])))


def _decimal(value: float | None) -> str:
    return "none" if value is None else f"{value:g}"
