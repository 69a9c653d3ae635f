"""What the commands print: progress with the time left, tables, numbers."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from typing import Annotated, Any, Protocol, runtime_checkable

import typer

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON, and nothing else.")]


class Style(StrEnum):
    """Where a figure is shown."""

    PAPER = "paper"
    TALK = "talk"


class BatchNormStatistics(StrEnum):
    """What becomes of the statistics of batch norm after a jump."""

    RECOMPUTE = "recompute"
    STALE = "stale"


TaskName = Annotated[
    str, typer.Argument(metavar="TASK", help="module:function or file.py:function of your own.", show_default=False)
]
Device = Annotated[str, typer.Option(help="Where the model runs, as torch names it.", show_default="where the task puts it")]
Seed = Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Seed of all chance.")]


@runtime_checkable
class Report(Protocol):
    """Shows how much is done, of what, and of how many."""

    def __call__(self, done: int, what: str, total: int | None = ..., /) -> None:
        """Show it."""


@contextmanager
def progress(*, total: int | None, quiet: bool) -> "Iterator[Report]":
    """Yield a function that shows how much is done and of what: a bar with the time left, or lines where nobody watches."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield _lines(total, quiet=quiet)
        return
    amount: list[Any] = [BarColumn(), MofNCompleteColumn(), TextColumn("left"), TimeRemainingColumn()] if total else []
    columns = [TextColumn("{task.description}"), *amount, TextColumn("passed"), TimeElapsedColumn()]
    # Units differ in length: the estimate looks back over minutes.
    with Progress(*columns, console=console, transient=True, speed_estimate_period=180) as bar:
        line = bar.add_task("starting", total=total)
        yield lambda done, what, total=total: bar.update(line, completed=done, description=what, total=total)


def _lines(total: int | None, *, quiet: bool) -> "Report":
    shown: list[str] = []

    def report(done: int, what: str, total: int | None = total) -> None:
        if total and not quiet and what not in shown[-1:]:
            shown.append(what)
            typer.echo(f"{what} ({done} of {total} done)", err=True)

    return report


def print_table(rows: Sequence[Sequence[str]], *, title: str | None) -> None:
    """Print rows of words as columns."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, box=None, show_header=False, pad_edge=False, title_justify="left")
    for row in rows:
        table.add_row(*map(Text, row))  # names are no markup
    Console().print(table)


def short(value: object) -> str:
    """Return a number in three digits, and anything else as it is."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)
