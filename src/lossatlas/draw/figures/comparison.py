"""Methods side by side: the map that each draws of the same distances, and below it what the map scores."""

import textwrap
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lossatlas._atlas import MethodComparison
from lossatlas.draw.comparing import NOTHING, comparison_scene, comparison_table, metric_words
from lossatlas.draw.figures.bars import are_few, draw_bar, draw_fields, scale_of
from lossatlas.draw.figures.marks import draw_title
from lossatlas.draw.figures.methods import draw_by_value
from lossatlas.draw.figures.style import FAINT, INK, QUIET, Style, named_style
from lossatlas.draw.layouts import NAMES

_LABELS, _METHOD, _CHANCE = 1.42, 1.3, 0.95  # inches of the columns on paper: words, each method, chance
_LEADING = 1.5  # of lines, in parts of the size of text


@dataclass(frozen=True)
class _Sheet:
    """Where things stand, in inches from the left and from the top."""

    made: Figure
    style: Style
    column: float  # width of a method's

    @property
    def scale(self) -> float:
        return self.style.text / 8

    @property
    def labels(self) -> float:
        return _LABELS * self.scale

    def middle(self, place: int) -> float:
        """Return the middle of a method's column."""
        return self.labels + (place + 0.5) * self.column

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        across, down = self.made.get_size_inches()
        return self.made.add_axes((left / across, 1 - (top + height) / down, width / across, height / down))

    def write(
        self, words: str, x: float, y: float, *, colour: str = INK, side: str = "center", size: float | None = None
    ) -> None:
        across, down = self.made.get_size_inches()
        self.made.text(
            x / across,
            1 - y / down,
            words,
            color=colour,
            ha=side,
            va="center",
            fontsize=size or self.style.text,
            parse_math=False,
        )

    def rule(self, y: float) -> None:
        down = self.made.get_figheight()
        line = mpl.lines.Line2D([0.01, 0.99], [1 - y / down] * 2, color=FAINT, linewidth=self.style.frame)
        line.set_transform(self.made.transFigure)
        self.made.add_artist(line)


def comparison_figure(found: MethodComparison, *, title: str | None = None, style: str | Style = "paper") -> Figure:
    """Return a column a method: its map, coloured by time, and below it its scores with their spread over seeds.

    What random walks with steps as long score stands below each number, what shuffled places score in the last column. On a
    slide there is room for the scores themselves alone.

    Raises:
        InputError: there is no such style.
    """
    chosen = named_style(style)
    rows = comparison_table(found)
    if not chosen.has_captions:
        rows = [row for row in rows if not row[0].startswith("  ")]
    names = list(found.methods)
    with mpl.rc_context(chosen.rc):
        scale = chosen.text / 8
        least = (_LABELS + _CHANCE) * scale
        column = max((chosen.page - least) / len(names), _METHOD if chosen.height is None else 0.0)
        side = min(column * 0.94, 0.36 * (chosen.height or np.inf))
        line = chosen.text / 72 * _LEADING
        top = 0.3 * scale + 1.6 * line
        words = _about(found)
        height = top + side + line * (len(rows) + 0.9) + 0.1 * scale
        sheet = _Sheet(Figure(figsize=(least + column * len(names), chosen.height or height)), chosen, column)
        draw_title(sheet.made, "" if title is None else title, chosen)
        lines = textwrap.fill(words, int(sheet.labels * 72 / (chosen.small * 0.54)) - 1)
        sheet.write(lines, 0.01 * sheet.made.get_figwidth(), top + side / 2, colour=QUIET, side="left", size=chosen.small)
        _draw_maps(sheet, found, names, top=top, side=side)
        room = (sheet.made.get_figheight() - top - side) / (len(rows) + 0.9)
        _write_rows(sheet, rows, top=top + side + 0.5 * line, line=line if chosen.height is None else min(room, line * 1.3))
        return sheet.made


def _about(found: MethodComparison) -> str:
    drawn = f"mean \N{PLUS-MINUS SIGN} sd over {len(found.seeds)} seeds where chance is used"
    by = drawn if len(found.seeds) > 1 else f"seed {found.seeds[0]}"
    return f"{found.atlas.n_points:,} points, {metric_words(found)}; {by}"


def _draw_maps(sheet: _Sheet, found: MethodComparison, names: list[str], *, top: float, side: float) -> None:
    (part,) = comparison_scene(found, title="").maps
    layouts = {layout.name: layout for layout in part.layouts}
    axes = None
    for place, name in enumerate(names):
        sheet.write(NAMES[name], sheet.middle(place), top - 0.13 * sheet.scale)
        sheet.made.texts[-1].set_fontweight("bold")
        axes = sheet.axes(sheet.middle(place) - side / 2, top, side, side)
        draw_by_value(axes, part, layouts[NAMES[name]], part.time, is_few=are_few(part.time), style=sheet.style)
    if axes is not None and are_few(part.time):
        draw_fields(sheet.made, axes, np.unique(part.time).tolist(), part.time_label, sheet.style)
    elif axes is not None:
        draw_bar(sheet.made, axes, scale_of(part.time, is_log=False), part.time_label, sheet.style)


def _write_rows(sheet: _Sheet, rows: list[list[str]], *, top: float, line: float) -> None:
    across = sheet.made.get_figwidth()
    left, last = 0.01 * across, across - _CHANCE * sheet.scale / 2
    sheet.write("shuffled", last, top, colour=QUIET, size=sheet.style.small)
    y = top + line
    for row in rows[1:]:
        is_null = row[0].startswith("  ")
        if not is_null:
            sheet.rule(y - line / 2)
        colour, size = (QUIET, sheet.style.small) if is_null else (INK, sheet.style.text)
        sheet.write(row[0].strip(), left + (0.1 * sheet.scale if is_null else 0), y, colour=colour, side="left", size=size)
        for place, words in enumerate(row[1:-1]):
            sheet.write(words, sheet.middle(place), y, colour=QUIET if words == NOTHING else colour, size=size)
        sheet.write(row[-1], last, y, colour=QUIET, size=sheet.style.small)
        y += line
