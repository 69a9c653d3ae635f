"""``lossatlas map``."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from lossatlas.cli.embedding import (
    Decay,
    Gamma,
    Knn,
    Loss,
    Metric,
    MetricName,
    Origin,
    OriginName,
    Preset,
    PresetName,
    Steps,
    Tasks,
    asked,
    refuse_unasked,
    title_of,
)
from lossatlas.cli.output import Json, Seed, Style, print_table, progress, short


class Drawn(StrEnum):
    """The figures of Horoi et al. 2022, and the tree of the loss."""

    LANDSCAPE = "landscape"
    METHODS = "methods"
    PERSISTENCE = "persistence"
    TOPOLOGY = "topology"


class Diverged(StrEnum):
    """What happens to points with NaN weights."""

    REFUSE = "refuse"
    SKIP = "skip"


class Method(StrEnum):
    """What else draws the same distances."""

    PCA = "pca"
    TSNE = "tsne"
    UMAP = "umap"
    ISOMAP = "isomap"


def map_(
    runs: Annotated[list[str], typer.Argument(help="Run folders, folders of runs, or patterns.", show_default=False)],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Ends in .html, .png, .svg, .pdf, .gif, .mp4, .npz or .json.")
    ] = Path("atlas.html"),
    metric: Metric = MetricName.COSINE,
    task: Tasks = None,
    knn: Knn = 5,
    decay: Decay = 40.0,
    t: Steps = 0,
    gamma: Gamma = 1.0,
    preset: Preset = PresetName.SOUND,
    origin: Origin = OriginName.ZERO,
    loss: Loss = None,
    diverged: Annotated[Diverged, typer.Option(help="What happens to points with NaN weights.")] = Diverged.REFUSE,
    method: Annotated[
        list[Method] | None, typer.Option(help="Another drawing beside PHATE; may be repeated.", show_default="pca")
    ] = None,
    nulls: Annotated[bool, typer.Option(help="Draw random walks and shuffled places too, to score the map beside.")] = True,  # noqa: FBT002
    max_points: Annotated[
        int | None,
        typer.Option(min=8, help="Points shown and measured; of more, all are mapped by landmarks.", show_default="all"),
    ] = None,
    style: Annotated[Style, typer.Option(help="Sizes of a figure or film: of print, or of a slide.")] = Style.PAPER,
    drawn: Annotated[
        Drawn,
        typer.Option(
            "--figure", help="Runs and loss, every layout by time, the diagram of the loss, or its bars, curves and tree."
        ),
    ] = Drawn.LANDSCAPE,
    seed: Seed = 0,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Map recorded runs together: distances, PHATE, measures, and the picture."""
    from lossatlas._atlas import atlas
    from lossatlas.draw import checked_look, json_text, refuse_unwritable

    refuse_unwritable(output)
    checked_look(output, title="", style=style.value, preset=drawn.value)
    refuse_unasked(metric, task)
    with progress(total=None, quiet=as_json) as report_progress:
        said = asked(runs, task, report_progress, skip_diverged=diverged == Diverged.SKIP) if task else None
        made = atlas(
            runs,
            metric=metric.value,
            predictions=said,
            origin=origin.value,
            knn=knn,
            decay=decay,
            t=t or "auto",
            gamma=gamma,
            preset=preset.value,
            loss=loss,
            diverged=diverged.value,
            methods=[one.value for one in dict.fromkeys(method or [Method.PCA])],
            nulls=nulls,
            max_points=max_points,
            seed=seed,
            progress=lambda stage: report_progress(0, stage),
        )
        report_progress(0, "drawing")
        made.save(output, title=title_of(runs), style=style.value, preset=drawn.value)
    numbers = made.summary()
    if as_json:
        typer.echo(json_text(numbers), nl=False)
    else:
        shown = {name: value for name, value in numbers.items() if not isinstance(value, dict)}
        print_table([[name.replace("_", " "), short(value)] for name, value in shown.items()], title=None)
        if nulls:
            typer.echo(made.report())
        typer.echo(f"wrote {output}")
