"""Accuracies of several sources of features beside chance and beside another's, in the manner of Horoi et al. 2022, Table 1."""

from collections.abc import Mapping

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lossatlas._arrays import InputError
from lossatlas.draw.figures.colours import HUES
from lossatlas.draw.figures.legend import place_legend, sign
from lossatlas.draw.figures.marks import blank, draw_title
from lossatlas.draw.figures.style import FAINT, INK, QUIET, Style, named_style

# A mean and its standard error, in percent, by panel and by row.
Measured = Mapping[str, Mapping[str, tuple[float, float]]]

_OWN, _OTHER = HUES[0], HUES[1]
_APART = 0.17  # of a row's height, from its middle to each of two marks


def accuracies_figure(
    accuracies: Measured,
    *,
    chance: Mapping[str, float],
    others: Measured,
    others_name: str = "paper",
    style: str | Style = "paper",
    title: str = "",
) -> Figure:
    """Return a panel for each thing that is predicted, and in it a line for each source of features.

    A dot is a mean accuracy, its bar a standard error to both sides; the dashed line is chance.

    Args:
        accuracies: By what is predicted, then by the source, in percent.
        chance: By what is predicted, in percent.
        others: The same from elsewhere, such as a paper, where there is one.
        others_name: What they are called.
        style: ``"paper"`` or ``"talk"``, or a style of one's own.
        title: Stands above.

    Raises:
        InputError: there is nothing to draw, or there is no such style.
    """
    chosen = named_style(style)
    if not accuracies or not all(accuracies.values()):
        raise InputError("there is no accuracy to draw; pass one at least by what is predicted and from what")
    rows = list(dict.fromkeys(row for found in accuracies.values() for row in found))
    with mpl.rc_context(chosen.rc):
        made = blank(chosen, width=chosen.page, height=0.9 + chosen.text / 72 * 2.3 * len(rows) + 0.3 * bool(title))
        panels = made.subplots(1, len(accuracies), sharey=True, squeeze=False)[0]
        for axes, (name, found) in zip(panels, accuracies.items(), strict=True):
            axes.axvline(chance[name], color=QUIET, linewidth=chosen.frame * 1.6, linestyle="--", zorder=1)
            _draw_marks(axes, rows, found, others.get(name, {}), chosen)
            _quiet(axes)
            axes.set_title(name, parse_math=False, loc="left", color=INK, fontweight="bold")
        panels[0].set_yticks(range(len(rows)), rows, parse_math=False)
        panels[0].set_ylim(len(rows) - 0.5, -0.5)
        entries = [sign("o", _OWN, "here", chosen, area=chosen.end * 1.3)]
        if any(others.values()):
            entries.append(sign("D", _OTHER, others_name, chosen, area=chosen.end))
        entries.append(sign("|", QUIET, "chance", chosen, area=chosen.end * 3))
        entries[-1].set_markeredgecolor(QUIET)
        place_legend(made, panels[0], entries)
        draw_title(made, title, chosen)
        return made


def _draw_marks(
    axes: Axes,
    rows: list[str],
    found: Mapping[str, tuple[float, float]],
    others: Mapping[str, tuple[float, float]],
    style: Style,
) -> None:
    for place, row in enumerate(rows):
        axes.axhline(place, color=FAINT, linewidth=style.frame, zorder=0)
        apart = _APART if row in others else 0.0
        for marks, up, marker, colour in ((found, -apart, "o", _OWN), (others, apart, "D", _OTHER)):
            if row not in marks:
                continue
            mean, error = marks[row]
            axes.errorbar(mean, place + up, xerr=error, color=colour, linewidth=style.thick, zorder=2)
            area = style.end * (1.3 if marker == "o" else 0.8)
            axes.scatter(mean, place + up, s=area, marker=marker, color=colour, linewidths=style.edge, edgecolors=INK, zorder=3)


def _quiet(axes: Axes) -> None:
    axes.set_xlabel("accuracy, %")
    axes.tick_params(axis="y", length=0)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
