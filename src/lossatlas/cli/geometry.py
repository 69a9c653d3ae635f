"""``lossatlas geometry``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from lossatlas.cli.embedding import title_of
from lossatlas.cli.map import Diverged
from lossatlas.cli.output import Json, Style, print_table, progress, short

_COLUMNS = {
    "length": "length",
    "displacement": "start to end",
    "straightness": "straightness",
    "null_straightness": "random walk",
    "mean_turning_degrees": "turning (90)",
}
_SPREAD = {
    "n_runs": "runs",
    "return_ratio": "return ratio",
    "return_ratio_std": "std",
    "way": "ends from origin",
    "apart": "from each other",
    "null_apart": "at right angles",
}


def geometry(
    runs: Annotated[list[str], typer.Argument(help="Run folders, folders of runs, or patterns.", show_default=False)],
    by_layer: Annotated[bool, typer.Option("--by-layer", help="The layers of each run too.")] = False,  # noqa: FBT002
    depth: Annotated[
        int | None,
        typer.Option(min=1, help="Parts of a tensor's name that name its layer.", show_default="all: each tensor its own"),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="A figure: ends in .png, .svg or .pdf.", show_default="none")
    ] = None,
    style: Annotated[Style, typer.Option(help="Sizes of the figure: of print, or of a slide.")] = Style.PAPER,
    diverged: Annotated[Diverged, typer.Option(help="What happens to points with NaN weights.")] = Diverged.REFUSE,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Measure how far, how straight and how fast runs went, beside random walks with the same steps.

    Of runs that are alike but for their seeds, how far apart they end. A figure by layer shows the first run.
    """
    from lossatlas._atlas import geometry as measured
    from lossatlas.draw import json_text, refuse_no_figure, write_figure

    if output is not None:
        refuse_no_figure(output)
    with progress(total=None, quiet=as_json) as report:
        report(0, "measuring")
        found = measured(runs, by_layer=by_layer, depth=depth, diverged=diverged.value)
    if output is not None:
        title = title_of(runs) if not by_layer else found.traces[0].name
        write_figure(found.figure(style=style.value, title=title), output, style=style.value)
    numbers = found.summary()
    if as_json:
        typer.echo(json_text(numbers), nl=False)
        return
    print_table(_rows(numbers["trajectories"], by_layer=by_layer), title=None)
    if "spreads" in numbers:
        rows = [[name, *(_words(of, own) for own in _SPREAD)] for name, of in numbers["spreads"].items()]
        print_table([["ends", *_SPREAD.values()], *rows], title="")
    if output is not None:
        typer.echo(f"wrote {output}")


def _rows(trajectories: Mapping[str, Mapping[str, Any]], *, by_layer: bool) -> list[list[str]]:
    rows = [["run", *_COLUMNS.values(), *(["share"] if by_layer else [])]]
    for name, own in trajectories.items():
        rows.append([name, *(_words(own, column) for column in _COLUMNS)])
        for layer, of in own.get("layers", {}).items():
            rows.append([f"  {layer}", *(_words(of, column) for column in (*_COLUMNS, "share"))])
    return rows


def _words(numbers: Mapping[str, Any], name: str) -> str:
    value = numbers.get(name)
    if value is None:
        return "-"
    if name == "mean_turning_degrees":
        return f"{value:.0f}°"
    return f"{value:.2f}" if "straightness" in name or name in {"share", "return_ratio", "return_ratio_std"} else short(value)
