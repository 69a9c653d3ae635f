"""How far and how straight trajectories go, run by run or layer by layer, beside random walks."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from lossatlas._arrays import InputError
from lossatlas.draw.figures.bars import tick_words
from lossatlas.draw.figures.legend import place_legend, sign
from lossatlas.draw.figures.marks import blank, draw_title
from lossatlas.draw.figures.style import FAINT, INK, QUIET, Style, named_style
from lossatlas.measure import LayerGeometry, TrajectoryGeometry

_FROM_START, _FROM_END = "#0072B2", "#D55E00"
# Panels and bars that a page has room for, and a slide.
_PAGE, _SLIDE = (12, 40), (6, 16)
_LONGEST = 20  # letters of a name that fit over a panel


class _Path(NamedTuple):
    """One trajectory of a result, under the name that it has in the figure."""

    name: str
    geometry: TrajectoryGeometry
    run: int

    @property
    def rows(self) -> slice:
        return slice(*self.geometry.runs[self.run])

    @property
    def times(self) -> np.ndarray:
        first, stop = self.geometry.runs[self.run]
        return np.arange(stop - first) if self.geometry.steps is None else self.geometry.steps[first:stop]


def geometry_figure(
    found: TrajectoryGeometry | LayerGeometry,
    *,
    names: Sequence[str] = (),
    run: int = 0,
    time_label: str = "step",
    style: str | Style = "paper",
    title: str = "",
) -> Figure:
    """Return small panels, one a run or a layer, with the distances from start and end over time, and bars of straightness.

    The dashed line is how far a random walk with the same step lengths comes, the dark mark on a bar how straight it is: what
    lies near them has gone nowhere in particular. A page has room for 12 panels and 40 bars, a slide for 6 and 16: where there
    are more, those that went farthest are shown.

    Args:
        found: Trajectories, a panel each; or layers, a panel each, of one run.
        names: Of the trajectories; by default their numbers.
        run: Whose layers.
        time_label: What steps are called.
        style: ``"paper"`` or ``"talk"``, or a style of one's own.
        title: Stands above.

    Raises:
        InputError: there is no trajectory of two points or more, no such run or style, or other names than trajectories.
    """
    chosen = named_style(style)
    paths = _layers(found, run) if isinstance(found, LayerGeometry) else _runs(found, names)
    if not paths:
        raise InputError("there is no trajectory of two points or more, so there is nothing to draw; record more")
    paths = [path._replace(name=name) for path, name in zip(paths, _short([path.name for path in paths]), strict=True)]
    most_panels, most_bars = _SLIDE if chosen.height else _PAGE
    barred = _farthest(paths, most_bars)
    shown = _farthest(barred, most_panels)
    columns = min(len(shown), 2 if chosen.height or len(shown) == 4 else 3)  # four are two by two
    lines = math.ceil(len(shown) / columns)
    with mpl.rc_context(chosen.rc):
        height = max(1.35 * lines, 0.17 * len(barred) + 0.5) + 0.45 + 0.3 * bool(title)
        made = blank(chosen, width=chosen.page, height=height)
        grid = made.add_gridspec(lines, columns + 1, width_ratios=[*[1] * columns, 1.05])
        for place, path in enumerate(shown):
            axes = made.add_subplot(grid[place // columns, place % columns])
            _draw_distances(axes, path, chosen)
            if place + columns >= len(shown):
                axes.set_xlabel(time_label, parse_math=False)
        bars = made.add_subplot(grid[:, columns])
        _draw_bars(bars, barred, chosen)
        place_legend(made, bars, _signs(chosen), columns=4)
        draw_title(made, title, chosen)
        return made


def _runs(found: TrajectoryGeometry, names: Sequence[str]) -> list[_Path]:
    known = list(names) or [f"run {number}" for number in range(len(found.runs))]
    if len(known) != len(found.runs):
        raise InputError(f"names must be one a trajectory, but there are {len(known)} for {len(found.runs)}; name each")
    paths = [_Path(name, found, number) for number, name in enumerate(known)]
    return [path for path in paths if len(path.times) > 1]


def _layers(found: LayerGeometry, run: int) -> list[_Path]:
    if not 0 <= run < len(found.whole.runs):
        raise InputError(f"there are {len(found.whole.runs)} runs, but run {run} was asked for; name one of them")
    return [_Path(name, layer, run) for name, layer in found.layers.items() if len(_Path(name, layer, run).times) > 1]


def _short(names: Sequence[str]) -> list[str]:
    """Names without the modules that all are in; of what is still too long the beginning and the end."""
    parts = [name.split(".") for name in names]
    shared = 0
    while (
        len(names) > 1 and len({tuple(one[: shared + 1]) for one in parts}) == 1 and all(len(one) > shared + 1 for one in parts)
    ):
        shared += 1
    own = [".".join(one[shared:]) for one in parts]
    return [one if len(one) <= _LONGEST else f"{one[:7]}\N{HORIZONTAL ELLIPSIS}{one[8 - _LONGEST :]}" for one in own]


def _farthest(paths: list[_Path], most: int) -> list[_Path]:
    by_distance = sorted(range(len(paths)), key=lambda i: -paths[i].geometry.displacement[paths[i].run])
    return [paths[i] for i in sorted(by_distance[:most])]


def _draw_distances(axes: Axes, path: _Path, style: Style) -> None:
    found, times = path.geometry, path.times
    axes.plot(times, found.null.distance_from_start[path.rows], color=QUIET, linewidth=style.thin, linestyle="--")
    axes.plot(times, found.distance_from_end[path.rows], color=_FROM_END, linewidth=style.thick)
    axes.plot(times, found.distance_from_start[path.rows], color=_FROM_START, linewidth=style.thick)
    axes.set_title(path.name, parse_math=False, fontsize=style.small, color=INK, loc="left", pad=style.small * 0.4)
    axes.margins(x=0)
    axes.set_ylim(bottom=0)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(3, integer=axis is axes.xaxis))
        axis.set_major_formatter(FuncFormatter(tick_words))
    _quiet(axes)


def _draw_bars(axes: Axes, paths: Sequence[_Path], style: Style) -> None:
    straight = np.array([path.geometry.straightness[path.run] for path in paths])
    null = np.array([path.geometry.null.straightness[path.run] for path in paths])
    places = np.arange(len(paths))
    axes.barh(places, np.nan_to_num(straight), height=0.62, color=_FROM_START, zorder=2)
    for colour, width in (("white", style.edge * 5), (INK, style.edge * 3)):  # white beneath, so that it is seen on a bar too
        axes.scatter(null, places, marker="|", s=style.end * 3, color=colour, linewidths=width, zorder=3)
    for place in np.flatnonzero(np.isnan(straight)).tolist():
        axes.text(0.02, place, "stands still", va="center", fontsize=style.small, color=QUIET)
    axes.set(xlim=(0, 1), ylim=(len(paths) - 0.4, -0.6), xlabel="straightness")
    axes.set_yticks(places, labels=[path.name for path in paths])
    for label in axes.get_yticklabels():
        label.set_parse_math(False)
    axes.tick_params(axis="y", length=0)
    axes.xaxis.set_major_locator(MaxNLocator(2))
    axes.xaxis.set_major_formatter(FuncFormatter(tick_words))
    axes.grid(axis="x", color=FAINT, linewidth=style.frame, zorder=0)
    _quiet(axes)


def _signs(style: Style) -> list[Line2D]:
    solid = {"distance from the start": _FROM_START, "from the end": _FROM_END}
    mark = sign("|", INK, "its straightness", style, area=style.end * 3)
    mark.set_markeredgewidth(style.edge * 3)
    return [
        *(Line2D([], [], color=colour, linewidth=style.thick, label=label) for label, colour in solid.items()),
        Line2D([], [], color=QUIET, linewidth=style.thin, linestyle="--", label="of a random walk"),
        mark,
    ]


def _quiet(axes: Axes) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
