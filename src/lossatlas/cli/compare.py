"""``lossatlas compare``."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from lossatlas.cli.embedding import Metric, MetricName, Origin, OriginName, Tasks, asked, refuse_unasked, title_of
from lossatlas.cli.map import Diverged
from lossatlas.cli.output import Json, Style, print_table, progress


class AnyMethod(StrEnum):
    """What draws distances."""

    PHATE = "phate"
    PCA = "pca"
    TSNE = "tsne"
    UMAP = "umap"
    ISOMAP = "isomap"
    INPCA = "inpca"


def compare(
    runs: Annotated[
        list[str] | None, typer.Argument(help="Run folders, folders of runs, or patterns.", show_default=False)
    ] = None,
    output: Annotated[Path, typer.Option("-o", "--output", help="Ends in .html, .png, .svg, .pdf or .json.")] = Path(
        "compare.html"
    ),
    tree: Annotated[bool, typer.Option("--tree", help="The artificial tree with noise in place of runs.")] = False,  # noqa: FBT002
    method: Annotated[
        list[AnyMethod] | None, typer.Option(help="May be repeated.", show_default="all that are installed")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds methods with chance are drawn by.")] = 5,
    left_out: Annotated[float, typer.Option(min=0.0, max=0.9, help="Share of points left out, to see how others move.")] = 0.1,
    nulls: Annotated[bool, typer.Option(help="Draw random walks by each method too.")] = True,  # noqa: FBT002
    metric: Metric = MetricName.COSINE,
    task: Tasks = None,
    origin: Origin = OriginName.ZERO,
    diverged: Annotated[Diverged, typer.Option(help="What happens to points with NaN weights.")] = Diverged.REFUSE,
    style: Annotated[Style, typer.Option(help="Sizes of a figure: of print, or of a slide.")] = Style.PAPER,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Draw the same distances by several methods over seeds, and score each map beside maps of nothing."""
    from lossatlas._arrays import InputError
    from lossatlas._atlas import atlas
    from lossatlas._atlas import compare as compared
    from lossatlas.draw import json_text
    from lossatlas.draw.comparing import refuse_unwritable_comparison

    refuse_unwritable_comparison(output)
    if tree == bool(runs):
        raise InputError("compare needs runs, or --tree in their place; name one or the other")
    if tree and (metric == MetricName.PREDICTIONS or task or origin != OriginName.ZERO):
        raise InputError("the tree has points in space and no networks; leave --metric predictions, --task and --origin out")
    if task and metric != MetricName.PREDICTIONS:
        raise InputError(f"--task asks the networks what they predict, but --metric is {metric.value}; pass --metric predictions")
    if metric == MetricName.PREDICTIONS and origin != OriginName.ZERO:
        raise InputError(f"distances of predictions have no origin, but --origin is {origin.value}; leave it out")
    refuse_unasked(metric, task)
    chosen: list[Any] | None = None if method is None else [one.value for one in method]
    with progress(total=None, quiet=as_json) as report_progress:
        if tree:
            from lossatlas.experiments.artificial_tree import compared_tree

            found = compared_tree(
                methods=chosen,
                seeds=range(seeds),
                left_out=left_out,
                nulls=nulls,
                progress=lambda stage: report_progress(0, stage),
            )
        else:
            given: Any = runs or ()
            if metric == MetricName.PREDICTIONS:
                said = asked(runs or [], task or [], report_progress, skip_diverged=diverged == Diverged.SKIP)
                given = atlas(
                    runs or [], metric="predictions", predictions=said, methods=(), nulls=False, diverged=diverged.value
                )
            found = compared(
                given,
                methods=chosen,
                seeds=range(seeds),
                left_out=left_out,
                nulls=nulls,
                metric="euclidean" if metric == MetricName.EUCLIDEAN else "cosine",
                origin=origin.value,
                diverged=diverged.value,
                progress=lambda stage: report_progress(0, stage),
            )
        report_progress(0, "drawing")
        found.save(output, title="an artificial tree" if tree else title_of(runs or ()), style=style.value)
    if as_json:
        typer.echo(json_text(found.summary()), nl=False)
    else:
        print_table(found.table(), title=None)
        typer.echo("\n".join([*found.skipped.values(), f"wrote {output}"]))
