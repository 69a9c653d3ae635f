"""What an experiment found: maps and numbers, as files and as a table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from lossatlas._arrays import InputError
from lossatlas._atlas import Atlas
from lossatlas.draw import Fact, Scene, figure, json_text, scene, write_figure, write_page
from lossatlas.experiments.pages import page, picture
from lossatlas.store import unwritable, write_durably


@dataclass(frozen=True, kw_only=True, eq=False)
class Report:
    """Maps side by side, and the numbers beside them."""

    title: str
    sentence: str  # what was compared
    atlases: Mapping[str, Atlas]
    summary: Mapping[str, Any]
    facts: Mapping[str, Sequence[Fact]]  # what is said of a map before its own numbers
    table: Sequence[Sequence[str]]  # a head row, then one row a number: its name, then one value a column

    def scene(self) -> Scene:
        """Return the maps as a scene."""
        return scene(self.atlases, title=self.title, summary=self.sentence, facts=self.facts)

    def draw(self, folder: Path) -> list[Path]:
        """Write the maps as a page and as a figure, and return their paths."""
        page, picture = folder / "atlas.html", folder / "atlas.png"
        drawn = self.scene()
        write_page(drawn, page)
        write_figure(figure(drawn), picture)
        return [page, picture]


@dataclass(frozen=True, kw_only=True, eq=False)
class TableReport:
    """A table and its figure, where what is compared are numbers and no maps."""

    title: str
    sentence: str  # what was compared
    summary: Mapping[str, Any]
    table: Sequence[Sequence[str]]  # a head row, then one row a number: its name, then one value a column
    meanings: Mapping[str, str]  # what the names of rows and columns stand for
    figure: Figure

    def draw(self, folder: Path) -> list[Path]:
        """Write the table as a page with the figure in it, and the figure, and return their paths."""
        page, picture = folder / "table.html", folder / "table.png"
        write_figure(self.figure, picture)
        write_durably(page, [table_page(self).encode()])
        return [page, picture]


def table_page(report: TableReport) -> str:
    """Return a report as a page of its own: table, figure, and what the names mean."""
    return page(
        "table.html",
        title=report.title,
        sentence=report.sentence,
        table=report.table,
        picture=picture(report.figure),
        meanings=report.meanings,
    )


def refuse_unwritable_folder(folder: Path) -> None:
    """Make ``folder``, and try that files can be written in it, before any work is done.

    Raises:
        InputError: it cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".lossatlas-probe"
        probe.touch()
        probe.unlink()
    except OSError as error:
        if isinstance(error, FileExistsError):
            raise InputError(f"{str(folder)!r} is a file; name a folder with -o") from error
        raise unwritable(folder, error) from error


def write_report(report: Report | TableReport, folder: Path) -> list[Path]:
    """Write page, figure and numbers into ``folder`` and return their paths."""
    numbers = folder / "summary.json"
    drawn = report.draw(folder)
    write_durably(numbers, [json_text(report.summary).encode()])
    return [*drawn, numbers]
