"""The command line: parses, calls, prints."""

import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

# Nothing heavier than typer is imported up here: `lossatlas --help` answers at once.

app = typer.Typer(
    name="lossatlas",
    help="Maps of where neural networks go when they train.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


_STOPPED = 130


class Experiment(StrEnum):
    """The experiments that ``demo`` runs."""

    GOOD_BAD_MEMORISED = "good-bad-memorised"


class Preset(StrEnum):
    """The presets of PHATE."""

    SOUND = "sound"
    PAPER = "paper"


class Origin(StrEnum):
    """Where a cosine is measured."""

    ZERO = "zero"
    CENTROID = "centroid"
    START = "start"


class Diverged(StrEnum):
    """What happens to points with NaN weights."""

    REFUSE = "refuse"
    SKIP = "skip"


Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON, and nothing else.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of all chance.")]


@app.callback(invoke_without_command=True)
def _version(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:  # noqa: FBT002
    if version:
        from lossatlas import __version__

        typer.echo(f"lossatlas {__version__}")
        raise typer.Exit


@app.command()
def demo(
    experiment: Annotated[Experiment, typer.Argument(help="Which comparison of the paper.")] = Experiment.GOOD_BAD_MEMORISED,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for runs, page, figure and numbers.")] = Path("demo"),
    epochs: Annotated[int, typer.Option(min=1, help="Epochs of each retraining.")] = 40,
    workers: Annotated[int, typer.Option(min=0, help="Processes; 0 takes one a processor.")] = 0,
    seed: Seed = 0,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Train real networks on real data, sample around their minima, and draw the maps.

    Writes atlas.html, atlas.png and summary.json into the folder. Stopped at any time, the same command goes on where it was.
    """
    from importlib import import_module

    from lossatlas.draw import json_text
    from lossatlas.experiments import EXPERIMENTS
    from lossatlas.experiments.report import write_report
    from lossatlas.sample import LocalPool

    chosen = import_module(EXPERIMENTS[experiment.value])
    settings = chosen.default_settings(epochs=epochs, seed=seed)
    with _progress(total=chosen.n_units(settings), quiet=as_json) as report_progress, LocalPool(workers or None) as pool:
        report = chosen.run(output, settings, executor=pool, progress=report_progress)
    written = write_report(report, output)
    if as_json:
        typer.echo(json_text(report.summary), nl=False)
    else:
        _print_table(report.table, title=report.title)
        typer.echo("\n".join(f"wrote {path}" for path in written))


@app.command(name="map")
def map_(
    runs: Annotated[list[str], typer.Argument(help="Run folders, folders of runs, or patterns.", show_default=False)],
    output: Annotated[Path, typer.Option("-o", "--output", help="Ends in .html, .png, .svg, .pdf, .npz or .json.")] = Path(
        "atlas.html"
    ),
    knn: Annotated[int, typer.Option(min=1, help="Neighbours that set the kernel's width.")] = 5,
    decay: Annotated[float, typer.Option(help="How sharply the kernel falls.")] = 40.0,
    t: Annotated[int, typer.Option("-t", min=0, help="Steps of the walk; 0 chooses them by the knee of the entropy.")] = 0,
    gamma: Annotated[float, typer.Option(help="1: log potential, 0: square root, -1: none.")] = 1.0,
    preset: Annotated[Preset, typer.Option(help="'paper' repeats PHATE 1.0.6 with its defaults.")] = Preset.SOUND,
    origin: Annotated[Origin, typer.Option(help="Where the cosine is measured.")] = Origin.ZERO,
    loss: Annotated[str | None, typer.Option(help="Metric whose landscape is measured.", show_default="the first loss")] = None,
    diverged: Annotated[Diverged, typer.Option(help="What happens to points with NaN weights.")] = Diverged.REFUSE,
    seed: Seed = 0,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Map recorded runs together: distances, PHATE, measures, and the picture."""
    from lossatlas._atlas import atlas
    from lossatlas.draw import json_text, refuse_unwritable

    refuse_unwritable(output)
    with _progress(total=None, quiet=as_json) as report_progress:
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
            seed=seed,
            progress=lambda stage: report_progress(0, stage),
        )
        report_progress(0, "drawing")
        made.save(output, title=_title(runs))
    numbers = made.summary()
    if as_json:
        typer.echo(json_text(numbers), nl=False)
    else:
        shown = {name: value for name, value in numbers.items() if not isinstance(value, dict)}
        _print_table([[name.replace("_", " "), _short(value)] for name, value in shown.items()], title=None)
        typer.echo(f"wrote {output}")


def main() -> None:
    """Run the command line; bad input ends it with one line and exit code 2."""
    warnings.showwarning = _print_warning  # one line, as all that this program says
    try:
        code = app(standalone_mode=False) or 0
    except Exception as error:  # noqa: BLE001 - raised again unless it is the user's to mend
        _fail(_refusal(error), 2)
    if code == _STOPPED:  # by Ctrl-C
        _fail("stopped; the same command goes on where it was", code)
    sys.exit(code)


def _refusal(error: Exception) -> str:
    """Return the line of an error that is the user's to mend, and raise any other."""
    # An unknown option or a value of the wrong type: typer's own refusals carry their sentence.
    if hasattr(error, "format_message"):
        return f"{error.format_message().rstrip('.')}; see lossatlas --help"
    from lossatlas._arrays import InputError  # here, since it brings NumPy

    if not isinstance(error, InputError):
        raise error
    return str(error)


def _fail(message: str, code: int) -> None:
    typer.echo(f"lossatlas: {' '.join(message.split())}", err=True)
    sys.exit(code)


def _print_warning(message: Warning | str, *_: object, **__: object) -> None:
    typer.echo(f"lossatlas: warning: {message}", err=True)


@contextmanager
def _progress(*, total: int | None, quiet: bool) -> "Iterator[Callable[[int, str], None]]":
    """Yield a function that shows how much is done and of what: a bar with the time left, or lines where nobody watches."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield _lines(total, quiet=quiet)
        return
    amount = [BarColumn(), MofNCompleteColumn(), TextColumn("left"), TimeRemainingColumn()] if total else []
    columns = [TextColumn("{task.description}"), *amount, TextColumn("passed"), TimeElapsedColumn()]
    # Units differ in length: the estimate looks back over minutes.
    with Progress(*columns, console=console, transient=True, speed_estimate_period=180) as bar:
        line = bar.add_task("starting", total=total)
        yield lambda done, what: bar.update(line, completed=done, description=what)


def _lines(total: int | None, *, quiet: bool) -> "Callable[[int, str], None]":
    shown: list[str] = []

    def report(done: int, what: str) -> None:
        if total and not quiet and what not in shown[-1:]:
            shown.append(what)
            typer.echo(f"{what} ({done} of {total} done)", err=True)

    return report


def _print_table(rows: Sequence[Sequence[str]], *, title: str | None) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, box=None, show_header=False, pad_edge=False, title_justify="left")
    for row in rows:
        table.add_row(*row)
    Console().print(table)


def _title(runs: Sequence[str]) -> str:
    names = [Path(run).resolve().name for run in runs if not set("*?[") & set(run)]
    return ", ".join(dict.fromkeys(names)) if 0 < len(names) <= 3 else "lossatlas"


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
