"""Atlases become a scene: which numbers are shown, in which words."""

from collections.abc import Mapping, Sequence
from typing import get_args

import numpy as np

from lossatlas._arrays import Vector
from lossatlas._atlas import Atlas, Trace
from lossatlas.draw.layouts import layouts, scores
from lossatlas.draw.scene import Fact, Kind, Metric, Scale, Scene, SceneMap, SceneRun, Surface
from lossatlas.draw.tables import barcode, distance_table

_KINDS: dict[str, Kind] = {kind: kind for kind in get_args(Kind)}

# What a metric says, by the end of its name. Others are shown under their own name, without a sentence.
_MEANINGS = {
    "loss": "mean loss over the samples, in evaluation mode",
    "accuracy": "share of samples whose class is right, in evaluation mode",
}

_OF = {
    "weights": "Euclidean distance of the weights, in their own unit,",
    "predictions": "Hellinger distance of the predictions, 0 to 1,",
}


def scene(
    atlases: Mapping[str, Atlas],
    *,
    title: str,
    summary: str = "",
    facts: Mapping[str, Sequence[Fact]] | None = None,
    surfaces: Sequence[Surface] = (),
) -> Scene:
    """Return the scene of named atlases, side by side in their order; ``facts`` come before an atlas' own."""
    further = facts or {}
    maps = tuple(scene_map(name, atlas, facts=further.get(name, ())) for name, atlas in atlases.items())
    return Scene(title=title, summary=summary, maps=maps, surfaces=tuple(surfaces))


def scene_map(name: str, atlas: Atlas, *, facts: Sequence[Fact] = ()) -> SceneMap:
    """Return one map of a scene."""
    return SceneMap(
        name=name,
        layouts=layouts(atlas),
        time=atlas.steps.astype(np.float32),
        time_label=atlas.step_label,
        runs=tuple(scene_run(trace) for trace in atlas.traces),
        metrics=tuple(_metrics(atlas)),
        facts=(*facts, *_facts(atlas)),
        scores=scores(atlas),
        optimum=atlas.optimum,
        landscape=atlas.loss,
        barcode=barcode(atlas),
        distances=distance_table(atlas),
    )


def scene_run(trace: Trace) -> SceneRun:
    """Return what a scene says of one run."""
    return SceneRun(
        name=trace.name,
        kind=_KINDS.get(trace.kind, "training"),
        start=trace.start,
        stop=trace.stop,
        seed=trace.seed,
        jump=trace.jump,
        group=trace.group,
        n_diverged=trace.n_left_out,
    )


def _metrics(atlas: Atlas) -> list[Metric]:
    shown = []
    for name, values in atlas.metrics.items():
        kind = name.rsplit("_", maxsplit=1)[-1]
        positive = values[np.isfinite(values) & (values > 0)]
        scale: Scale = "log" if kind == "loss" and len(positive) else "linear"
        meaning = _MEANINGS.get(kind, "")
        shown.append(Metric(name=name, label=name.replace("_", " "), values=_single(values), scale=scale, meaning=meaning))
    if atlas.distance_from_optimum is not None:
        shown.append(
            Metric(
                name="distance_from_optimum",
                label="distance from the optimum",
                values=_single(atlas.distance_from_optimum),
                meaning=f"{_OF[atlas.space]} from the optimum",
            )
        )
    shown += _geometry_metrics(atlas)
    # What was recorded under a name of ours keeps it.
    return [metric for place, metric in enumerate(shown) if metric.name not in {one.name for one in shown[:place]}]


def _geometry_metrics(atlas: Atlas) -> list[Metric]:
    found = atlas.geometry
    if found is None:
        return []
    shown = (
        Metric(
            name="step_length",
            label="step length",
            values=_single(found.step_lengths),
            scale="log" if (found.step_lengths > 0).any() else "linear",
            meaning=f"{_OF[atlas.space]} from the snapshot before in the same run",
        ),
        Metric(
            name="turning_angle",
            label="turning angle",
            values=_single(found.turning),
            unit="°",
            meaning="between the step to a point and the step from it: 0 is straight on, 90 what a random walk does, 180 back",
        ),
        Metric(
            name="angle_to_end",
            label="angle to the end",
            values=_single(found.angle_to_end),
            unit="°",
            meaning="seen from where the run began, between a point and where the run ends: 0 is on the straight way there",
        ),
    )
    return [metric for metric in shown if np.isfinite(metric.values).any()]


def _ends(atlas: Atlas) -> list[Fact]:
    jumped = [found for found in atlas.spreads.values() if found.return_ratio is not None]
    if not jumped:
        return []
    own, null = (_range([getattr(found, name) for found in jumped]) for name in ("spread", "null_spread"))
    return [
        Fact(
            label="ends apart",
            value=f"{own} jumps, at right angles {null}",
            meaning="Mean distance between the ends of retrainings that jumped equally far, over the jump: 0 is one end for all. "
            "Beside it what it would be if each ended as far from the optimum as it does, in a direction of its own.",
        )
    ]


def _range(values: Sequence[float]) -> str:
    low, high = f"{min(values):.2f}", f"{max(values):.2f}"
    return low if low == high else f"{low} to {high}"


def _straightness(atlas: Atlas) -> list[Fact]:
    if atlas.geometry is None:
        return []
    # A single step is straight, whatever it is.
    is_path = np.array([stop - first > 2 for first, stop in atlas.geometry.runs], dtype=bool)
    known = is_path & np.isfinite(atlas.geometry.straightness)
    own, null = atlas.geometry.straightness[known], atlas.geometry.null.straightness[known]
    if not len(own):
        return []
    spread = f" ({own.min():.2f} to {own.max():.2f})" if len(own) > 1 else ""
    return [
        Fact(
            label="straightness",
            value=f"{own.mean():.2f}{spread}, a random walk {null.mean():.2f}",
            meaning="Distance from start to end of a run over the length of its path, mean and range over the runs: 1 is a "
            "straight line. Beside it that of random walks with the same step lengths; both fall the oftener a run is recorded.",
        )
    ]


def _facts(atlas: Atlas) -> list[Fact]:
    embedding = atlas.embedding
    facts = [
        Fact(
            label="pieces of the neighbour graph",
            value=str(embedding.connected_components),
            meaning="1 is one landscape. More are parts that share no neighbours: between them the map's distances rest on one "
            "bridge each.",
        ),
    ]
    ratios = list(atlas.return_ratios.values())
    if ratios:
        facts.append(
            Fact(
                label="return ratio",
                value=f"{np.mean(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})",
                meaning="Distance from the optimum after retraining over that just after the jump, mean and range: 0 is a full "
                "return, 1 is standing still.",
            )
        )
    n_optima = sum(trace.kind == "optimum" for trace in atlas.traces)
    if n_optima > 1:
        facts.append(
            Fact(
                label="optima",
                value=str(n_optima),
                meaning="Distances from the optimum, return ratios and how far apart ends lie are told of maps with one: map "
                "each with its own retrainings to see them.",
            )
        )
    facts += [*_ends(atlas), *_straightness(atlas)]
    if atlas.diagram is not None:
        label = (atlas.loss or "loss").replace("_", " ")
        facts.append(
            Fact(
                label=f"persistence of the {label}",
                value=f"{atlas.diagram.total(part='finite'):.3g} finite + {atlas.diagram.total(part='essential'):.3g} essential",
                meaning="Squared heights of the valleys within the map, and of the whole. The essential part is squared height "
                f"up to the highest loss, from the lowest of each piece of the graph of {atlas.diagram.knn} neighbours "
                f"({len(atlas.diagram.essential[0])}), whatever lies between: of one piece the loss's range squared "
                f"({atlas.diagram.loss_range_squared:.3g}).",
            )
        )
    if atlas.merge_tree is not None and not np.isnan(atlas.merge_tree.smad):
        tree = atlas.merge_tree
        facts.append(
            Fact(
                label="mean height of valleys",
                value=f"{tree.smad:.3g}, {tree.smad_over_range:.2g} of the range",
                meaning=f"From a minimum up to the pass to a lower one, mean over {(tree.saddles >= 0).sum()} (SMAD). One high "
                "point alone does not raise it, but many shallow valleys lower it.",
            )
        )
    if atlas.distance_error:
        facts.append(
            Fact(
                label="error of distances",
                value=f"{atlas.distance_error:.1%}",
                meaning="The runs hold sketches in place of weights: each distance is an estimate, and this its standard error.",
            )
        )
    if atlas.is_thinned:
        facts.append(
            Fact(
                label="points shown",
                value=f"{atlas.n_points:,} of {atlas.n_mapped:,}",
                meaning="All points shaped the map. Scores, valleys, steps and turns are of the shown ones alone: the fewer they "
                "are, the shorter and straighter a way looks.",
            )
        )
    left_out = sum(trace.n_left_out for trace in atlas.traces)
    if left_out:
        facts.append(
            Fact(
                label="diverged points",
                value=str(left_out),
                meaning="Points with NaN or infinite weights; not on the map, where a cross is the last point before, and their "
                "retrainings not in the return ratio.",
            )
        )
    return facts


def _single(values: Vector) -> Vector:
    with np.errstate(over="ignore"):  # beyond 3e38 a viewer shows infinity
        return values.astype(np.float32)
