"""``lossatlas demo``."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from lossatlas.cli.output import Json, Seed, print_table, progress


class Experiment(StrEnum):
    """The experiments that ``demo`` runs."""

    FIGURE_2 = "figure-2"
    TABLE_1 = "table-1"
    GOOD_BAD_MEMORISED = "good-bad-memorised"
    OPTIMIZERS = "optimizers"
    INITIALIZATIONS = "initializations"
    ARCHITECTURES = "architectures"
    DATASETS = "datasets"
    BATCH_SIZE = "batch-size"
    LEARNING_RATE = "learning-rate"
    FORKS = "forks"
    GROKKING = "grokking"
    LANGUAGE_MODEL = "language-model"


class Scale(StrEnum):
    """How large an experiment is."""

    SMALL = "small"
    PAPER = "paper"


def demo(
    experiment: Annotated[Experiment, typer.Argument(help="Which comparison of the paper.")] = Experiment.FIGURE_2,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for runs, page, figure and numbers.")] = Path("demo"),
    scale: Annotated[
        Scale, typer.Option(help="small: minutes on two cores. paper: full size, for a GPU or a cluster; see --dry-run first.")
    ] = Scale.SMALL,
    epochs: Annotated[int, typer.Option(min=0, help="Epochs of each retraining; 0 takes the comparison's own.")] = 0,
    workers: Annotated[int, typer.Option(min=0, help="Processes; 0 takes one a processor.")] = 0,
    ray: Annotated[bool, typer.Option("--ray", help="Use the Ray cluster instead.")] = False,  # noqa: FBT002
    gpus: Annotated[float, typer.Option(min=0, help="GPUs of one network on Ray; 0.25 lets four share one.")] = 0.0,
    seed: Seed = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say how long it will take, and stop.")] = False,  # noqa: FBT002
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Train real networks on real data, sample around their minima, and draw the maps, or fill the paper's Table 1.

    Writes index.html, atlas.html, atlas.png and summary.json into the folder, or table.html and table.png. Stopped at any time,
    the same command goes on where it was.
    """
    from dataclasses import asdict
    from functools import partial

    import joblib

    from lossatlas.draw import json_text
    from lossatlas.experiments import experiment as named
    from lossatlas.experiments.report import refuse_unwritable_folder, write_report
    from lossatlas.sample import LocalPool, RayPool

    chosen = named(experiment.value)
    settings = chosen.default_settings(scale=scale.value, epochs=epochs or None, seed=seed)
    processes = workers or joblib.cpu_count()
    if not dry_run:
        refuse_unwritable_folder(output)
    if dry_run or not as_json:
        costs = chosen.cost(settings, workers=processes)
        typer.echo(json_text(asdict(costs)) if as_json else str(costs), err=not dry_run, nl=not as_json)
    if dry_run:
        return
    pool = partial(RayPool, num_gpus=gpus) if ray else partial(LocalPool, processes)
    with progress(total=chosen.n_units(settings), quiet=as_json) as report_progress, pool() as executor:
        report = chosen.run(output, settings, executor=executor, progress=report_progress)
    written = write_report(report, output)
    if as_json:
        typer.echo(json_text(report.summary), nl=False)
    else:
        print_table(report.table, title=report.title)
        typer.echo("\n".join(f"wrote {path}" for path in written))
