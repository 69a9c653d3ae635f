"""What an experiment found: maps and numbers, as files and as a table."""

import base64
import html
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from lossatlas._arrays import InputError
from lossatlas._atlas import Atlas
from lossatlas.draw import Fact, Scene, figure, json_text, scene, write_figure, write_page
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


_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; --ink: #1a1a1a; --quiet: #5f5f5f; --line: #d0d0d0; --paper: #ffffff }}
@media (prefers-color-scheme: dark) {{ :root {{ --ink: #ececec; --quiet: #a8a8a8; --line: #444444; --paper: #161616 }} }}
body {{ font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 62rem; margin: 2rem auto; padding: 0 1rem }}
h1 {{ font-size: 1.5rem; margin: 0 0 0.5rem }}
.wide {{ overflow-x: auto }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; white-space: nowrap; font-size: 0.9rem }}
th, td {{ padding: 0.3rem 0.9rem 0.3rem 0; text-align: right; border-bottom: 1px solid var(--line) }}
th:first-child {{ text-align: left; font-weight: 500 }}
thead th {{ font-weight: 600; vertical-align: bottom }}
td:nth-child(odd) {{ color: var(--quiet) }}
img {{ display: block; width: 100%; height: auto; margin: 1.5rem 0; border-radius: 4px }}
dt {{ font-weight: 600 }} dd {{ margin: 0 0 0.5rem; color: var(--quiet) }}
</style>
</head>
<body>
<h1>{title}</h1>
<p>{sentence}</p>
<div class="wide"><table>
<thead><tr>{head}</tr></thead>
<tbody>
{rows}
</tbody>
</table></div>
<img src="data:image/png;base64,{picture}" alt="The accuracies of the table as points with their errors">
<dl>
{meanings}
</dl>
</body>
</html>
"""


def table_page(report: TableReport) -> str:
    """Return a report as a page of its own: table, figure, and what the names mean."""
    head, *rows = report.table
    stream = io.BytesIO()
    report.figure.savefig(stream, format="png", dpi=200, metadata={"Software": None})
    return _PAGE.format(
        title=html.escape(report.title),
        sentence=html.escape(report.sentence),
        head="".join(f'<th scope="col">{html.escape(cell)}</th>' for cell in head),
        rows="\n".join(_row(row) for row in rows),
        picture=base64.b64encode(stream.getvalue()).decode(),
        meanings="\n".join(
            f"<dt>{html.escape(name)}</dt><dd>{html.escape(meaning)}</dd>" for name, meaning in report.meanings.items()
        ),
    )


def _row(cells: Sequence[str]) -> str:
    name, *values = cells
    return (
        f'<tr><th scope="row">{html.escape(name)}</th>' + "".join(f"<td>{html.escape(value)}</td>" for value in values) + "</tr>"
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
