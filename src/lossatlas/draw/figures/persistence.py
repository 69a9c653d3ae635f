"""Persistence diagrams, and what they say of networks, in the manner of Horoi et al. 2022, Fig. 3."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from scipy.stats import spearmanr

from lossatlas._arrays import InputError
from lossatlas.draw.figures.bars import LOSSES, draw_bar, mark_axis, scale_of
from lossatlas.draw.figures.colours import HUES, Rgba
from lossatlas.draw.figures.legend import place_legend, sign
from lossatlas.draw.figures.marks import blank, draw_title
from lossatlas.draw.figures.style import FAINT, INK, QUIET, Style, named_style
from lossatlas.measure import Diagram

VALLEY, WHOLE, CYCLE = "#0072B2", "#D55E00", "#7f7f7f"
_UNKNOWN = to_rgba("#c4c4c4")
_BESIDE = 1.15  # inches on the right for legends, on paper


def persistence_figure(
    diagrams: Mapping[str, Diagram],
    *,
    losses: Mapping[str, float] | None = None,
    by: Mapping[str, float | str] | None = None,
    by_label: str = "",
    shown: Sequence[str] | None = None,
    loss_label: str = "loss",
    style: str | Style = "paper",
    title: str = "",
) -> Figure:
    r"""Return diagrams side by side, and below them, where ``losses`` are given, total persistence against loss.

    Above, a valley is born at the loss of its lowest point and dies at the pass to a lower one; a triangle is one that never
    dies, closed at the highest loss, a bar one cycle, which in a graph never dies. In the empty corner stand the sums of
    :math:`|d - b|^2` of the valleys: finite, essential, and the square of the loss's range, which the essential part is for
    each piece of the graph, whatever lies between. Axes are logarithmic unless a loss is 0 or less.

    Below, one mark a network: its total over its loss; the dash beside it is the square of its loss's range. Spearman's
    rank correlation with the loss is given for both, and for the finite part, since a total that does no better than the range
    says no more than the range.

    Horoi, Huang, Rieck, Lajoie, Wolf, Krishnaswamy 2022, Fig. 3.

    Args:
        diagrams: By the name of the network.
        losses: Loss at the optimum of each, by the same names.
        by: What marks are coloured by: numbers, as weight decay, or words.
        by_label: What that is called.
        shown: Names whose diagrams are drawn; by default the first three, on a slide the first two.
        loss_label: What the loss is called.
        style: ``"paper"`` or ``"talk"``, or a style of one's own.
        title: Stands above.

    Raises:
        InputError: there is no diagram, or a name is not among them, or there is no such style.
    """
    chosen = named_style(style)
    names = list(diagrams)[: chosen.most_diagrams] if shown is None else list(shown)
    _refuse_unknown(diagrams, names, {"losses": losses or {}, "by": by or {}})
    with mpl.rc_context(chosen.rc):
        columns = len(names)
        width = chosen.column if columns == 1 and losses is None else chosen.page
        is_column = columns == 1 and losses is None and chosen.height is None
        inches = width - 0.35 if is_column else (width - _BESIDE) / columns
        upper, lower = inches + 0.4, 0 if losses is None else 2.4
        made = blank(chosen, width=width, height=upper + lower + 0.3 * bool(title))
        ratios = (1.2, 1) if chosen.height else (upper, max(lower, 1))
        grid = made.add_gridspec(1 if losses is None else 2, columns, height_ratios=None if losses is None else ratios)
        # Of a panel: a slide's letters are too large for the corner of a small one.
        side = (
            72 * min(inches, upper if chosen.height is None else chosen.height / (1 if losses is None else 2)) - 4 * chosen.text
        )
        is_narrow = side < 12 * chosen.small
        panels: list[Axes] = []
        for place in range(columns):
            together = {"sharex": panels[0], "sharey": panels[0]} if panels else {}
            panels.append(made.add_subplot(grid[0, place], **together))
        _draw_diagrams(
            panels, {name: diagrams[name] for name in names}, loss_label, chosen, is_narrow=is_narrow, is_alone=is_column
        )
        if losses is not None:
            networks = _Networks(diagrams, losses, by or {}, by_label, loss_label)
            _draw_totals(made, made.add_subplot(grid[1, :]), networks, chosen)
        draw_title(made, title, chosen)
        return made


def _refuse_unknown(diagrams: Mapping[str, Diagram], shown: Sequence[str], given: Mapping[str, Mapping[str, object]]) -> None:
    if not diagrams or not shown:
        raise InputError("there is no diagram to draw; pass one at least by its name")
    for what, names in {"shown": shown, **given}.items():
        unknown = [name for name in names if name not in diagrams]
        if unknown:
            raise InputError(f"{what} names {unknown[0]!r}, which is not among the diagrams; those are {', '.join(diagrams)}")


def _draw_diagrams(
    panels: Sequence[Axes], diagrams: Mapping[str, Diagram], loss_label: str, style: Style, *, is_narrow: bool, is_alone: bool
) -> None:
    low, high = min(one.lowest for one in diagrams.values()), max(one.highest for one in diagrams.values())
    is_log = low > 0
    room = (high / low) ** 0.07 if is_log else 0.07 * (high - low)
    room = max(room, 1.05) if is_log else max(room, 1e-9)
    ends = (low / room, high * room) if is_log else (low - room, high + room)
    for axes, (name, diagram) in zip(panels, diagrams.items(), strict=True):
        if is_log:
            axes.set(xscale="log", yscale="log")
        axes.set(xlim=ends, ylim=ends, xlabel=f"birth ({loss_label})")
        axes.xaxis.label.set_parse_math(False)
        axes.set_box_aspect(1)
        for axis in (axes.xaxis, axes.yaxis):
            mark_axis(axis, *ends, is_log=is_log, most=5)
        axes.plot(ends, ends, color=QUIET, linewidth=style.frame, zorder=1)
        axes.axhline(diagram.highest, color=FAINT, linewidth=style.frame, linestyle="--", zorder=0.5)
        _draw_classes(axes, diagram, style)
        _draw_name(axes, name, diagram, style, is_narrow=is_narrow)
        axes.tick_params(labelleft=axes is panels[0])
        open_frame(axes)
    panels[0].set_ylabel("death")
    entries = [
        sign("o", VALLEY, "valley, ends", style, area=style.end * 0.7),
        sign("^", WHOLE, "valley, never ends", style, area=style.end * 1.4),
        sign("|", CYCLE, "cycle, never ends", style, area=style.end * 1.4),
    ]
    entries[-1].set_markeredgecolor(CYCLE)
    made = panels[-1].get_figure(root=True) if is_alone else None
    assert made is None or isinstance(made, Figure)
    place_legend(made, panels[-1], entries, columns=2)


def _draw_classes(axes: Axes, diagram: Diagram, style: Style) -> None:
    births, deaths = diagram.finite[0].T
    axes.scatter(births, deaths, s=style.end * 0.7, color=VALLEY, alpha=0.75, linewidths=0, zorder=3)
    for births, marker, colour, area, height in (
        (diagram.essential[0], "^", WHOLE, style.end * 1.4, 4),
        (diagram.essential[1], "|", CYCLE, style.end * 1.4, 2),
    ):
        edge = {"linewidths": style.edge, "edgecolors": INK} if marker == "^" else {"linewidths": style.edge, "alpha": 0.5}
        closed = np.full(len(births), diagram.highest)
        axes.scatter(births, closed, s=area, marker=marker, color=colour, zorder=height, clip_on=False, **edge)


def _draw_name(axes: Axes, name: str, diagram: Diagram, style: Style, *, is_narrow: bool) -> None:
    """Write the network's name above its diagram, and its sums below the diagonal: nothing dies before it is born."""
    pad = style.small * 1.9 if is_narrow else style.text * 0.7
    axes.set_title(name, parse_math=False, color=INK, fontweight="bold", pad=pad)
    sums = {
        "total": diagram.total(),
        "finite": diagram.total(part="finite"),
        "essential": diagram.total(part="essential"),
        "loss range²": diagram.loss_range_squared,
    }
    if is_narrow:
        words = f"total {sums['total']:.3g}, range² {sums['loss range²']:.3g}"
        up = style.small * 0.5
        axes.annotate(
            words, (0.5, 1), (0, up), xycoords="axes fraction", textcoords="offset points", ha="center", fontsize=style.small
        )
        return
    words = "\n".join(f"{name} {value:.3g}" for name, value in sums.items())
    axes.text(0.97, 0.04, words, transform=axes.transAxes, ha="right", va="bottom", fontsize=style.small, color=INK)


def open_frame(axes: Axes) -> None:
    """Leave the left and the lower side of a frame."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


@dataclass(frozen=True)
class _Networks:
    """What is known of each network, by its name."""

    diagrams: Mapping[str, Diagram]
    losses: Mapping[str, float]
    by: Mapping[str, float | str]
    by_label: str
    loss_label: str

    @property
    def numbers(self) -> dict[str, np.ndarray]:
        """Loss at the optimum, and what there is to hold against it."""
        drawn = {name: self.diagrams[name] for name in self.losses}
        return {
            "loss": np.array(list(self.losses.values()), dtype=np.float64),
            "total": np.array([one.total() for one in drawn.values()]),
            "loss range²": np.array([one.loss_range_squared for one in drawn.values()]),
            "finite part": np.array([one.total(part="finite") for one in drawn.values()]),
        }


def _draw_totals(made: Figure, axes: Axes, networks: _Networks, style: Style) -> None:
    numbers = networks.numbers
    x, y, baseline = numbers["loss"], numbers["total"], numbers["loss range²"]
    axes.scatter(x, baseline, s=style.end * 6, marker="_", color=QUIET, linewidths=style.edge * 2, zorder=2)
    faces, entries = _faces(made, axes, networks, style)
    axes.scatter(x, y, s=style.end * 1.3, c=faces, linewidths=style.edge, edgecolors=INK, zorder=3)
    _spread(axes, "x", x)
    _spread(axes, "y", np.concatenate([y, baseline]))
    axes.set_xlabel(f"{networks.loss_label} at the optimum", parse_math=False)
    axes.set_ylabel("total persistence\n(dash: loss range²)")
    held = ", ".join(f"{name} {_rank_correlation(numbers[name], x)}" for name in ("total", "loss range²", "finite part"))
    axes.set_title(f"{len(x)} networks; Spearman's ρ: {held}", loc="left", fontsize=style.small, color=INK)
    open_frame(axes)
    if entries:
        place_legend(None, axes, entries, title=networks.by_label)


def _spread(axes: Axes, which: Literal["x", "y"], values: np.ndarray) -> None:
    """Give an axis its scale and room on both sides."""
    counted = values[np.isfinite(values)]
    if not len(counted):
        return
    low, high = float(counted.min()), float(counted.max())
    is_log = low > 0
    room = max((high / low) ** 0.08, 1.1) if is_log else max(0.08 * (high - low), 1e-9)
    ends = (low / room, high * room) if is_log else (low - room, high + room)
    axes.set(**{f"{which}scale": "log" if is_log else "linear", f"{which}lim": ends})
    mark_axis(axes.xaxis if which == "x" else axes.yaxis, *ends, is_log=is_log)


def _faces(made: Figure, axes: Axes, networks: _Networks, style: Style) -> tuple[list[Rgba], list[Line2D]]:
    """Return the colour of each network, and the entries of the legend for it."""
    values = [networks.by.get(name) for name in networks.losses]
    numbers = [float(value) for value in values if value is not None and not isinstance(value, str)]
    if len(set(numbers)) > len(HUES) and len(numbers) == sum(value is not None for value in values):
        norm = scale_of(np.array(numbers), is_log=min(numbers) > 0)
        draw_bar(made, axes, norm, networks.by_label, style)
        return [_UNKNOWN if value is None else mpl.colormaps[LOSSES](norm(float(value))) for value in values], []
    # Numbers in their order have the colours of a scale, words those that are told apart best.
    distinct = [*sorted(set(numbers)), *dict.fromkeys(value for value in values if isinstance(value, str))]
    shades = [to_rgba(hue) for hue in HUES]
    if len(numbers) == len(networks.by):
        shades = [mpl.colormaps[LOSSES](place) for place in np.linspace(0, 0.92, len(distinct))]
    shade = {value: shades[place % len(shades)] for place, value in enumerate(distinct)}
    entries = [
        sign("o", colour, value if isinstance(value, str) else f"{value:g}", style, area=style.end * 1.3)
        for value, colour in shade.items()
    ]
    return [_UNKNOWN if value is None else shade[value] for value in values], entries


def _rank_correlation(values: np.ndarray, losses: np.ndarray) -> str:
    known = np.isfinite(values) & np.isfinite(losses)
    if len(np.unique(values[known])) < 2 or len(np.unique(losses[known])) < 2 or known.sum() < 3:
        return "has none"
    return f"{spearmanr(values[known], losses[known]).statistic:.2f}".replace("-", "\N{MINUS SIGN}")
