"""``lossatlas map``."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from lossatlas.cli.output import Json, Seed, print_table, progress, short


class Preset(StrEnum):
    """The presets of PHATE."""

    SOUND = "sound"
    PAPER = "paper"


class Origin(StrEnum):
    """Where a cosine is measured."""

    ZERO = "zero"
    CENTROID = "centroid"
    START = "start"


class Style(StrEnum):
    """Where a figure is shown."""

    PAPER = "paper"
    TALK = "talk"


class Drawn(StrEnum):
    """The figures of Horoi et al. 2022."""

    LANDSCAPE = "landscape"
    METHODS = "methods"
    PERSISTENCE = "persistence"


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
    knn: Annotated[int, typer.Option(min=1, help="Neighbours that set the kernel's width.")] = 5,
    decay: Annotated[float, typer.Option(help="How sharply the kernel falls.")] = 40.0,
    t: Annotated[int, typer.Option("-t", min=0, help="Steps of the walk; 0 chooses them by the knee of the entropy.")] = 0,
    gamma: Annotated[float, typer.Option(help="1: log potential, 0: square root, -1: none.")] = 1.0,
    preset: Annotated[Preset, typer.Option(help="'paper' repeats PHATE 1.0.6 with its defaults.")] = Preset.SOUND,
    origin: Annotated[Origin, typer.Option(help="Where the cosine is measured.")] = Origin.ZERO,
    loss: Annotated[str | None, typer.Option(help="Metric whose landscape is measured.", show_default="the first loss")] = None,
    diverged: Annotated[Diverged, typer.Option(help="What happens to points with NaN weights.")] = Diverged.REFUSE,
    method: Annotated[
        list[Method] | None, typer.Option(help="Another drawing beside PHATE; may be repeated.", show_default="pca")
    ] = None,
    nulls: Annotated[bool, typer.Option(help="Draw random walks and shuffled places too, to score the map beside.")] = True,  # noqa: FBT002
    style: Annotated[Style, typer.Option(help="Sizes of a figure or film: of print, or of a slide.")] = Style.PAPER,
    drawn: Annotated[
        Drawn, typer.Option("--figure", help="Runs and loss, every layout by time, or the diagram of the loss.")
    ] = Drawn.LANDSCAPE,
    seed: Seed = 0,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Map recorded runs together: distances, PHATE, measures, and the picture."""
    from lossatlas._atlas import atlas
    from lossatlas.draw import checked_look, json_text, refuse_unwritable

    refuse_unwritable(output)
    checked_look(output, title="", style=style.value, preset=drawn.value)
    with progress(total=None, quiet=as_json) as report_progress:
        made = atlas(
            runs,
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
            seed=seed,
            progress=lambda stage: report_progress(0, stage),
        )
        report_progress(0, "drawing")
        made.save(output, title=_title(runs), style=style.value, preset=drawn.value)
    numbers = made.summary()
    if as_json:
        typer.echo(json_text(numbers), nl=False)
    else:
        shown = {name: value for name, value in numbers.items() if not isinstance(value, dict)}
        print_table([[name.replace("_", " "), short(value)] for name, value in shown.items()], title=None)
        typer.echo(f"wrote {output}")


def _title(runs: Sequence[str]) -> str:
    names = [Path(run).resolve().name for run in runs if not set("*?[") & set(run)]
    return ", ".join(dict.fromkeys(names)) if 0 < len(names) <= 3 else "lossatlas"
