"""What runs hold of each point, one run after the other: the rows of an atlas."""

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np

from lossatlas._arrays import InputError, Vector
from lossatlas._atlas.result import Trace
from lossatlas.store import Run

Diverged = Literal["refuse", "skip"]


def refuse_unknown_diverged(diverged: str) -> None:
    """Refuse a word that is not one of :data:`Diverged`."""
    if diverged not in get_args(Diverged):
        raise InputError(f"diverged must be 'refuse' or 'skip', but is {diverged!r}; choose one")


def kept_points(run: Run, diverged: Diverged) -> tuple[int, ...]:
    """Return the points of a run, without those that diverged where these are skipped."""
    left_out = set(run.diverged()) if diverged == "skip" else set()
    return tuple(point for point in range(run.n_points) if point not in left_out)


def kind_of(run: Run) -> str:
    """Return what a run is, as its settings say: a training where they say nothing."""
    return str(run.settings.get("kind", "training"))


def step_label(runs: Sequence[Run]) -> str:
    """Return ``"epoch"`` where every run counts epochs, else ``"step"``."""
    return "epoch" if all(run.settings.get("every") == "epoch" for run in runs) else "step"


def traces_of(runs: list[Run], kept: Sequence[Sequence[int]], *, n_left_out: Sequence[int] | None = None) -> tuple[Trace, ...]:
    """Return the rows of each run, and what made it."""
    left_out = n_left_out or [run.n_points - len(points) for run, points in zip(runs, kept, strict=True)]
    traces = []
    start = 0
    for run, points, name, n_missing in zip(runs, kept, _unique_names(runs), left_out, strict=True):
        made_by = run.settings
        traces.append(
            Trace(
                name=name,
                kind=kind_of(run),
                start=start,
                stop=start + len(points),
                seed=made_by.get("seed") if made_by.get("kind") == "retraining" else None,
                jump=made_by.get("step") if made_by.get("kind") == "retraining" else None,
                group=_group(run),
                n_left_out=n_missing,
            )
        )
        start += len(points)
    return tuple(traces)


def _group(run: Run) -> str | None:
    """The group that a run says it is of. What is no name is taken for a setting of the user's own that only sounds like it."""
    named = run.settings.get("group")
    if run.settings.get("kind") in ("retraining", "optimum") or not isinstance(named, str):
        return None
    return named.strip() or None


def _unique_names(runs: list[Run]) -> list[str]:
    """Names of the runs' folders, with as many parents as it takes to tell them apart."""
    paths = [run.path.resolve().parts for run in runs]
    depth = 1
    while len({path[-depth:] for path in paths}) < len(set(paths)):
        depth += 1
    return ["/".join(path[-depth:]) for path in paths]


def recorded_steps(runs: Sequence[Run], kept: Sequence[Sequence[int]]) -> Vector:
    """Return the step of each kept point, one run after the other."""
    return np.concatenate([run.steps[list(points)] for run, points in zip(runs, kept, strict=True)]).astype(np.float64)


def recorded_metrics(runs: Sequence[Run], kept: Sequence[Sequence[int]]) -> dict[str, Vector]:
    """Return each metric of the kept points, one run after the other; NaN where a run has none."""
    recorded = [run.metrics for run in runs]
    names = dict.fromkeys(name for metrics in recorded for name in metrics)
    return {
        name: np.concatenate(
            [
                metrics.get(name, np.full(run.n_points, np.nan))[list(points)]
                for run, metrics, points in zip(runs, recorded, kept, strict=True)
            ]
        )
        for name in names
    }
