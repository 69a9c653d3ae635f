"""Landscapes around optima, in the manner of Horoi et al. 2022, Fig. 2."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure

from lossatlas._arrays import InputError
from lossatlas.draw.figures.bars import LOSSES, draw_bar, scale_of
from lossatlas.draw.figures.colours import Colours, colours_of
from lossatlas.draw.figures.legend import draw_legend
from lossatlas.draw.figures.marks import (
    blank,
    draw_caption,
    draw_crosses,
    draw_frame,
    draw_lines,
    draw_name,
    draw_runs,
    draw_star,
    draw_title,
)
from lossatlas.draw.figures.style import INK, QUIET, Style, named_style
from lossatlas.draw.scene import Metric, Scene, SceneMap

Shown = Literal["runs", "loss"]

_BESIDE = 1.15  # inches on the right for the legend and the bar, on paper


def landscape_figure(
    scene: Scene | Mapping[str, Scene],
    *,
    rows: Sequence[Shown] = ("runs", "loss"),
    style: str | Style = "paper",
    title: str | None = None,
) -> Figure:
    """Return one column a map: above by run, fading with time, below by loss; of several samplers, a pair of rows for each.

    A star is the optimum; a diamond is where a jump landed, coloured by its size; a cross is the last point of a run that
    diverged. Samples and slices are points without a line, for they have no order; a path is a thick line. The loss is on a
    log scale that all maps share. Distances on PHATE's axes mean what the caption says, their directions nothing, so there are
    no ticks.

    Horoi, Huang, Rieck, Lajoie, Wolf, Krishnaswamy 2022, Fig. 2: networks as columns, ways to sample as rows, all by loss, is
    ``landscape_figure({"grid": ..., "jump and retrain": ...}, rows=("loss",))``.

    Args:
        scene: Maps side by side; or such scenes by the name of what is compared, one below the other.
        rows: What is drawn of each: ``"runs"``, ``"loss"``, or both. Without any loss ``"runs"`` alone.
        style: ``"paper"`` or ``"talk"``, or a style of one's own.
        title: By default that of the (first) scene.

    Raises:
        InputError: the scene has no map, or there is no such row or style.
    """
    sheet = _sheet({"": scene} if isinstance(scene, Scene) else scene, rows, named_style(style))
    with mpl.rc_context(sheet.style.rc):
        made, grid, inches = _grid(sheet)
        for place, name in enumerate(sheet.scenes):
            block = grid[place * len(sheet.rows) : (place + 1) * len(sheet.rows)]
            _draw_block(made, block, name, sheet, inches=inches)
        for axes, part in zip(grid[0], sheet.first.maps, strict=False):
            if part.name != sheet.first.title:
                draw_name(axes, part.name, sheet.style, inches=inches)
        if "runs" in sheet.rows:
            draw_legend(made, grid[0, -1], list(sheet.scenes.values()), sheet.colours, sheet.style)
        draw_title(made, sheet.first.title if title is None else title, sheet.style)
        return made


@dataclass(frozen=True)
class _Sheet:
    """What a figure shows, in which rows, and the scales that all its panels share."""

    scenes: Mapping[str, Scene]
    rows: Sequence[Shown]
    style: Style
    colours: Colours
    norm: Normalize | None  # of the loss; None where there is none
    label: str

    @property
    def first(self) -> Scene:
        """The first scene that has a map."""
        return next(one for one in self.scenes.values() if one.maps)


def _sheet(scenes: Mapping[str, Scene], rows: Sequence[Shown], style: Style) -> _Sheet:
    parts = [part for one in scenes.values() for part in one.maps]
    if not parts:
        raise InputError("the scene has no map, so there is nothing to draw; give it one")
    if not rows or not set(rows) <= set(get_args(Shown)):
        raise InputError(f"rows must be of 'runs' and 'loss', but are {list(rows)}; name one or both")
    norm = _scale(parts)
    label = next((metric.label for part in parts if (metric := loss_of(part)) is not None), "")
    # In this order, the loss below; and something at least.
    shown: list[Shown] = [row for row in get_args(Shown) if row in rows and (row == "runs" or norm is not None)]
    return _Sheet(scenes, shown or ["runs"], style, colours_of(list(scenes.values())), norm, label)


def _grid(sheet: _Sheet) -> tuple[Figure, np.ndarray, float]:
    """Return a figure, its panels by row and column, and how wide each is."""
    columns = max(len(one.maps) for one in sheet.scenes.values())
    rows, style = len(sheet.rows) * len(sheet.scenes), sheet.style
    across, down = (rows, columns) if style.is_side_by_side and columns == 1 else (columns, rows)
    width = style.column if across == 1 else style.page
    inches = max((width - _BESIDE) / across, 1.3)
    width = max(width, inches * across + _BESIDE)
    made = blank(style, width=width, height=(inches + 0.25) * down + 0.85)
    grid = made.subplots(down, across, squeeze=False)
    return made, grid if (across, down) == (columns, rows) else grid.T, inches


def _draw_block(made: Figure, block: np.ndarray, name: str, sheet: _Sheet, *, inches: float) -> None:
    """Draw the rows of one scene."""
    scene = sheet.scenes[name]
    for panels, row in zip(block, sheet.rows, strict=True):
        _draw_row(panels, scene, row, sheet)
        if name:
            panels[0].set_ylabel(name, parse_math=False, color=INK, fontweight="bold")
    for axes, part in zip(block[-1], scene.maps, strict=False):
        draw_caption(axes, part.layouts[0].caption, sheet.style, inches=inches)
    if sheet.norm is not None and sheet.rows[-1] == "loss":
        draw_bar(made, block[-1, -1], sheet.norm, sheet.label, sheet.style)


def _draw_row(panels: np.ndarray, scene: Scene, row: Shown, sheet: _Sheet) -> None:
    for axes in panels[len(scene.maps) :]:
        axes.axis("off")
    for axes, part in zip(panels, scene.maps, strict=False):
        draw_frame(axes, part.layouts[0])
        if row == "runs":
            draw_runs(axes, part, sheet.colours, sheet.style, layout=part.layouts[0])
        else:
            assert sheet.norm is not None
            _draw_losses(axes, part, sheet.norm, sheet.style)


def _draw_losses(axes: Axes, part: SceneMap, norm: Normalize, style: Style) -> None:
    metric = loss_of(part)
    if metric is None:
        axes.text(0.5, 0.5, "no loss was recorded", transform=axes.transAxes, ha="center", color=QUIET)
        return
    layout = part.layouts[0]
    x, y = layout.coordinates.T
    known = np.isfinite(metric.values)
    axes.scatter(x[~known], y[~known], s=style.point * 1.3, color="#c4c4c4", linewidths=0, zorder=2)
    # The lowest losses on top: minima are what one looks for.
    order = np.argsort(-metric.values[known], kind="stable")
    values = np.maximum(metric.values[known], -np.inf if norm.vmin is None else norm.vmin)[order]
    axes.scatter(x[known][order], y[known][order], s=style.point * 1.3, c=values, norm=norm, cmap=LOSSES, linewidths=0, zorder=3)
    draw_lines(axes, part, style, layout=layout)
    draw_crosses(axes, part, style, layout=layout)
    draw_star(axes, part, style, layout=layout)


def loss_of(part: SceneMap) -> Metric | None:
    """Return the metric that is a map's height; None where no point has one."""
    found = next((metric for metric in part.metrics if metric.name == part.landscape), None)
    return found if found is not None and np.isfinite(found.values).any() else None


def _scale(parts: Sequence[SceneMap]) -> Normalize | None:
    """Return the scale of the loss that all maps share; None without a loss."""
    metrics = [metric for part in parts if (metric := loss_of(part)) is not None]
    if not metrics:
        return None
    values = np.concatenate([metric.values for metric in metrics])
    is_log = all(metric.scale == "log" for metric in metrics) and bool((values[np.isfinite(values)] > 0).any())
    made = scale_of(values, is_log=is_log)
    assert is_log == isinstance(made, LogNorm)
    return made
