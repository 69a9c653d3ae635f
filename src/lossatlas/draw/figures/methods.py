"""One sample as several methods draw it, in the manner of Horoi et al. 2022, Fig. 1."""

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lossatlas._arrays import InputError
from lossatlas.draw.figures.bars import LOSSES, are_few, draw_bar, draw_fields, fields_of, scale_of
from lossatlas.draw.figures.marks import blank, draw_caption, draw_frame, draw_lines, draw_star, draw_title
from lossatlas.draw.figures.style import INK, QUIET, Style, named_style
from lossatlas.draw.scene import Layout, Scene, SceneMap

_BESIDE = 0.75  # inches on the right for the bar, on paper


def methods_figure(scene: Scene, *, colour: str | None = None, style: str | Style = "paper", title: str | None = None) -> Figure:
    """Return one column a layout and one row a map: the same points, drawn by each method, coloured by their time.

    Up to 12 moments have a field each in the bar of colours, more run into each other. The latest points lie on top. A star
    is the optimum.

    Horoi, Huang, Rieck, Lajoie, Wolf, Krishnaswamy 2022, Fig. 1.

    Args:
        scene: Maps with several layouts each, under names that they share.
        colour: Name of a metric to colour by, in place of time.
        style: ``"paper"`` or ``"talk"``, or a style of one's own.
        title: By default the scene's.

    Raises:
        InputError: the scene has no map, or a map no such metric, or there is no such style.
    """
    if not scene.maps:
        raise InputError("the scene has no map, so there is nothing to draw; give it one")
    chosen = named_style(style)
    names = list(dict.fromkeys(layout.name for part in scene.maps for layout in part.layouts))
    with mpl.rc_context(chosen.rc):
        width = chosen.column if len(names) == 1 else chosen.page
        inches = max((width - _BESIDE) / len(names), 1.3)
        width = max(width, inches * len(names) + _BESIDE)
        made = blank(chosen, width=width, height=(inches + 0.25) * len(scene.maps) + 0.85)
        grid = made.subplots(len(scene.maps), len(names), squeeze=False)
        for axes, name in zip(grid[0], names, strict=True):
            axes.set_title(name, parse_math=False, color=INK, fontweight="bold")
        for row, part in zip(grid, scene.maps, strict=True):
            values, label, is_log = _values(part, colour)
            is_few = colour is None and are_few(values)
            by_name = {layout.name: layout for layout in part.layouts}
            for axes, name in zip(row, names, strict=True):
                if name in by_name:
                    draw_by_value(axes, part, by_name[name], values, is_log=is_log, is_few=is_few, style=chosen)
                    draw_caption(axes, by_name[name].caption, chosen, inches=inches)
                else:
                    axes.axis("off")
                    axes.text(0.5, 0.5, f"not drawn by {name}", transform=axes.transAxes, ha="center", color=QUIET)
            if is_few:
                draw_fields(made, row[-1], _distinct(values).tolist(), label, chosen)
            else:
                draw_bar(made, row[-1], scale_of(values, is_log=is_log), label, chosen)
            if len(scene.maps) > 1:
                row[0].set_ylabel(part.name, parse_math=False, color=INK, fontweight="bold")
        draw_title(made, scene.title if title is None else title, chosen)
        return made


def _values(part: SceneMap, colour: str | None) -> tuple[np.ndarray, str, bool]:
    """Return what points are coloured by, what it is called, and whether its scale is one of logarithms."""
    if colour is None:
        return part.time, part.time_label, False
    metric = next((metric for metric in part.metrics if metric.name == colour), None)
    if metric is None:
        known = ", ".join(metric.name for metric in part.metrics) or "none"
        raise InputError(f"map {part.name!r} has no metric {colour!r}; it has {known}")
    return metric.values, metric.label, metric.scale == "log"


def _distinct(values: np.ndarray) -> np.ndarray:
    return np.unique(values[np.isfinite(values)])


def draw_by_value(
    axes: Axes,
    part: SceneMap,
    layout: Layout,
    values: np.ndarray,
    *,
    is_log: bool = False,
    is_few: bool = False,
    style: Style,
) -> None:
    """Draw the points in the order of a value and coloured by it, the latest on top, and the star."""
    draw_frame(axes, layout)
    axes.set_box_aspect(1)
    draw_lines(axes, part, style, layout=layout)
    known = np.isfinite(values)
    if part.optimum is not None:
        known[part.optimum] = False  # it is the star
    x, y = layout.coordinates.T
    order = np.flatnonzero(known)[np.argsort(values[known], kind="stable")]
    norm, colours = fields_of(_distinct(values).tolist()) if is_few else (scale_of(values, is_log=is_log), LOSSES)
    shown = np.searchsorted(_distinct(values), values[order]) if is_few else values[order]
    axes.scatter(x[order], y[order], s=style.point, c=shown, norm=norm, cmap=colours, linewidths=0, zorder=3)
    draw_star(axes, part, style, layout=layout)
