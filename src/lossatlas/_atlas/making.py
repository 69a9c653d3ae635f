"""Runs become an atlas: distances, the map, what else draws them, and what can be measured."""

import functools
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from lossatlas._arrays import InputError, Vector
from lossatlas._atlas.many import mapped, refuse_many, shown_points
from lossatlas._atlas.predicted import Predictions, rows_of, with_predictions
from lossatlas._atlas.recorded import (
    Diverged,
    kept_points,
    kind_of,
    recorded_metrics,
    recorded_steps,
    refuse_unknown_diverged,
    step_label,
    traces_of,
)
from lossatlas._atlas.result import Atlas
from lossatlas._atlas.spreads import optimum_of, spreads
from lossatlas.distance import Origin, Pairwise, hellinger_pairwise, prediction_pairwise, recorded_pairwise
from lossatlas.embed import Method, Own, PhateEmbedding, Preset, phate, refuse_methods
from lossatlas.measure import (
    Diagram,
    MergeTree,
    Valleys,
    comparison,
    distances_from,
    merge_tree,
    persistence,
    trajectory_geometry,
    valleys,
)
from lossatlas.store import Run, open_runs

# Losses by which the landscape is measured, the first that every run has.
_LOSSES = ("test_loss", "val_loss", "eval_loss", "loss", "train_loss")


def atlas(
    runs: str | os.PathLike[str] | Run | Iterable[str | os.PathLike[str] | Run],
    *,
    metric: Literal["cosine", "euclidean", "predictions"] = "cosine",
    predictions: Predictions | None = None,
    origin: Origin = "zero",
    knn: int = 5,
    decay: float | None = 40.0,
    t: int | Literal["auto"] = "auto",
    gamma: float = 1.0,
    n_components: int = 2,
    preset: Preset = "sound",
    loss: str | None = None,
    diverged: Diverged = "refuse",
    methods: Sequence[Method] = ("pca",),
    nulls: bool = True,
    max_points: int | None = None,
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> Atlas:
    """Map runs: distances between all their points, the PHATE embedding of them, and what can be measured on it.

    Args:
        runs: Run folders, folders of runs, patterns such as ``"runs/*"``, or opened runs; of one model, unless predictions
            are mapped. Of runs without weights the distances are estimated from their sketches.
        metric: Distance between points: of weights, or of what is predicted, by which runs of different models share a map.
        predictions: Log-probabilities of each run, as :func:`lossatlas.predictions` returns them. Beside a map of weights they
            are two layouts more, PHATE and InPCA of their Bhattacharyya distances; of ``metric="predictions"`` they are the map.
        origin: Where the cosine is measured; see :func:`cosine_distances`.
        knn: Neighbours that set the kernel's width; see :func:`phate`, also for the next four.
        decay: How sharply the kernel falls.
        t: Steps of the walk.
        gamma: Kind of potential.
        n_components: Axes of the map.
        preset: ``"sound"``, or ``"paper"``.
        loss: Metric whose landscape is measured; by default test_loss, val_loss, eval_loss, loss or train_loss, whichever
            comes first.
        diverged: Whether points with NaN or infinite weights are refused or skipped and counted.
        methods: What else draws the same distances, to be compared: ``"pca"``, ``"tsne"``, ``"umap"``, ``"isomap"``.
        nulls: Whether maps of nothing are drawn, to be scored beside: with their scores it takes two to three
            times as long as the embedding.
        max_points: Points that are shown and measured. Of more, all are mapped through landmarks by their sketches, so that
            memory grows with their number and not its square; shown are the ends of runs, and others evenly. None shows all.
        seed: Seed of what chance there is.
        progress: Called with the name of each stage as it begins.

    Raises:
        InputError: the runs cannot be read or mapped together; the message says why.
    """
    refuse_unknown_diverged(diverged)
    if metric == "predictions" and predictions is None:
        raise InputError(
            "metric='predictions' needs predictions of each run; pass predictions=[lossatlas.predictions(task, run), …]"
        )
    if max_points is not None:
        refuse_many(max_points, metric=metric, preset=preset, is_asked=predictions is not None)
    refuse_methods(methods)
    report = progress or (lambda _: None)
    report("reading")
    opened = open_runs(runs)
    every = [kept_points(run, diverged) for run in opened]
    shown = every if max_points is None else shown_points([kind_of(run) for run in opened], every, most=max_points)
    seen = [place for place in range(len(opened)) if shown is every or shown[place]]
    some, kept = [opened[place] for place in seen], [shown[place] for place in seen]
    report("distances")
    rows = None if predictions is None else rows_of(predictions, some, kept)
    said = None if rows is None else prediction_pairwise(rows)
    if metric == "predictions" and said is not None:
        between, distance_error = said, 0.0
    else:
        between, distance_error = recorded_pairwise(some, kept=kept, origin=origin)
    report("embedding")
    embedded = functools.partial(
        phate,
        metric="euclidean" if metric == "predictions" else metric,
        origin=origin,
        knn=knn,
        decay=decay,
        t=t,
        gamma=gamma,
        n_components=n_components,
        n_landmark=None,
        preset=preset,
        seed=seed,
    )
    if shown is every:
        embedding = embedded(between)
    else:
        embedding, distance_error = mapped(opened, every, shown, origin=origin, embedded=embedded)
    report("measures")
    made = charted(
        some,
        kept,
        between,
        embedding,
        loss=loss,
        methods=methods,
        redrawn=embedded if nulls else None,
        distance_error=distance_error,
        ways=hellinger_pairwise(rows) if rows is not None and said is between else None,
        n_left_out=[opened[place].n_points - len(every[place]) for place in seen],
        n_mapped=sum(map(len, every)),
        report=report,
    )
    if said is None:
        return made
    compared = with_predictions(
        made.comparison,
        said,
        embedding.coordinates[:, :2],
        runs=[(trace.start, trace.stop) for trace in made.traces if trace.is_ordered],
        embedded=None if said is between else functools.partial(embedded, metric="euclidean"),
    )
    return replace(made, comparison=compared, space="predictions" if said is between else "weights")


def charted(
    runs: list[Run],
    kept: Sequence[Sequence[int]],
    between: Pairwise,
    embedding: PhateEmbedding,
    *,
    loss: str | None = None,
    methods: Sequence[Method] = (),
    redrawn: Callable[[Pairwise], PhateEmbedding] | None = None,
    distance_error: float = 0.0,
    ways: Pairwise | None = None,
    n_left_out: Sequence[int] | None = None,
    n_mapped: int | None = None,
    report: Callable[[str], None] = lambda _: None,
) -> Atlas:
    """Measure what a finished embedding shows.

    Args:
        runs: Of one model.
        kept: The points of each run that are rows of the embedding.
        between: Distances between them.
        embedding: Of these distances.
        loss: See :func:`atlas`, also for the next.
        methods: What else draws them.
        redrawn: Embeds other distances by the map's settings, for the nulls; None leaves these out.
        distance_error: Of a distance over itself, where they were estimated.
        ways: Euclidean distances by which trajectories are measured; by default ``between``.
        n_left_out: How many points of each run had diverged; by default all that are not kept.
        n_mapped: Points that shaped the map, where these are some of them.
        report: Called with the name of each further stage.

    Raises:
        InputError: no run has the metric ``loss``, or a method cannot map so few points.
    """
    metric: Own = "cosine" if embedding.settings.metric == "cosine" else "euclidean"
    traces = traces_of(runs, kept, n_left_out=n_left_out)
    metrics = recorded_metrics(runs, kept)
    ways = between if ways is None else ways
    optimum = optimum_of(traces)
    measured = _loss(metrics, loss)
    ordered = [(trace.start, trace.stop) for trace in traces if trace.is_ordered]
    steps = recorded_steps(runs, kept)
    diagram, found, tree = (None, None, None) if measured is None else _landscape(embedding, metrics[measured])
    report("comparison")
    compared = comparison(embedding, between, metric=metric, runs=ordered, methods=methods, redrawn=redrawn)
    return Atlas(
        traces=traces,
        steps=steps,
        step_label=step_label(runs),
        metrics=metrics,
        embedding=embedding,
        optimum=optimum,
        distance_from_optimum=None if optimum is None else distances_from(optimum, ways),
        diagram=diagram,
        loss=measured,
        distance_error=distance_error,
        distances=between.cosine if metric == "cosine" else between.euclidean,
        geometry=trajectory_geometry(ways, ordered, steps=steps),
        spreads=spreads(runs, traces, ways),
        valleys=found,
        merge_tree=tree,
        comparison=compared,
        n_mapped=n_mapped or len(steps),
    )


def _loss(metrics: Mapping[str, Vector], asked: str | None) -> str | None:
    if asked is not None and asked not in metrics:
        raise InputError(f"no run has the metric {asked!r}; recorded are {', '.join(metrics) or 'none'}")
    usable = [name for name in ([asked] if asked else _LOSSES) if name in metrics]
    # A filtration needs two finite values; runs without a loss are mapped all the same.
    return next((name for name in usable if np.isfinite(metrics[name]).sum() >= 2), None)


def _landscape(embedding: PhateEmbedding, loss: Vector) -> tuple[Diagram, Valleys, MergeTree]:
    # 20 neighbours as in Horoi et al. 2022, or all of them where there are fewer.
    knn = min(20, int(np.isfinite(loss).sum()) - 1)
    between = embedding.potential_distances
    return persistence(between, loss, knn=knn), valleys(between, loss, knn=knn), merge_tree(between, loss, knn=knn)
