"""What the commands that draw a map have in common: how it is made."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lossatlas.cli.output import Report

if TYPE_CHECKING:
    import numpy as np


class PresetName(StrEnum):
    """The presets of PHATE."""

    SOUND = "sound"
    PAPER = "paper"


class OriginName(StrEnum):
    """Where a cosine is measured."""

    ZERO = "zero"
    CENTROID = "centroid"
    START = "start"


class MetricName(StrEnum):
    """What points are near by."""

    COSINE = "cosine"
    EUCLIDEAN = "euclidean"
    PREDICTIONS = "predictions"


Metric = Annotated[MetricName, typer.Option(help="What points are near by: their weights, or what they predict.")]
Tasks = Annotated[
    list[str] | None,
    typer.Option("--task", help="Ask the networks of this task, module:function, what they predict; once, or once a run."),
]
Knn = Annotated[int, typer.Option(min=1, help="Neighbours that set the kernel's width.")]
Decay = Annotated[float, typer.Option(help="How sharply the kernel falls.")]
Steps = Annotated[int, typer.Option("-t", min=0, help="Steps of the walk; 0 chooses them by the knee of the entropy.")]
Gamma = Annotated[float, typer.Option(help="1: log potential, 0: square root, -1: none.")]
Preset = Annotated[PresetName, typer.Option(help="'paper' repeats PHATE 1.0.6 with its defaults.")]
Origin = Annotated[OriginName, typer.Option(help="Where the cosine is measured.")]
Loss = Annotated[str | None, typer.Option(help="Metric whose landscape is measured.", show_default="the first loss")]


def title_of(runs: Sequence[str]) -> str:
    """Return the title of the map of runs that are named one by one, or of a pattern."""
    names = [Path(run).resolve().name for run in runs if not set("*?[") & set(run)]
    return ", ".join(dict.fromkeys(names)) if 0 < len(names) <= 3 else "lossatlas"


def refuse_unasked(metric: MetricName, tasks: Sequence[str] | None) -> None:
    """Refuse a map of predictions that nobody can be asked for."""
    from lossatlas._arrays import InputError

    if metric == MetricName.PREDICTIONS and not tasks:
        raise InputError("--metric predictions asks the networks, and needs --task module:function; name it once, or once a run")


def asked(runs: list[str], tasks: list[str], report_progress: Report, *, skip_diverged: bool) -> "list[np.ndarray]":
    """What the networks of each run predict, by the one task or by each run's own; NaN for those that are skipped."""
    import numpy as np

    from lossatlas._arrays import InputError
    from lossatlas.sample import named_task, predictions
    from lossatlas.store import open_runs

    opened = open_runs(runs)
    if len(tasks) not in (1, len(opened)):
        raise InputError(f"--task must be given once, or once for each of the {len(opened)} runs, but came {len(tasks)} times")
    report_progress(0, "asking the networks")
    named = {name: named_task(name) for name in dict.fromkeys(tasks)}
    of_runs = [named[name] for name in tasks * (len(opened) if len(tasks) == 1 else 1)]
    said = []
    for task, run in zip(of_runs, opened, strict=True):
        lost = set(run.diverged()) if skip_diverged else set()
        points = [point for point in range(run.n_points) if point not in lost]
        kept = predictions(task, run, points=points)
        said.append(np.full((run.n_points, *kept.shape[1:]), np.nan, dtype=np.float32))
        said[-1][points] = kept
    return said
