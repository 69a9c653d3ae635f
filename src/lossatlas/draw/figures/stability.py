"""A map with an ellipse at each point: how far it moves when the map is drawn again."""

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import EllipseCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from lossatlas._arrays import InputError
from lossatlas._atlas import Atlas
from lossatlas.draw.compose import scene
from lossatlas.draw.figures.colours import Colours, colours_of, is_optimum
from lossatlas.draw.figures.legend import draw_legend
from lossatlas.draw.figures.marks import blank, draw_caption, draw_frame, draw_runs, draw_title
from lossatlas.draw.figures.style import Style, named_style
from lossatlas.draw.scene import SceneMap
from lossatlas.measure import Stability

_MOST = 100  # points whose ellipses are all drawn; of more, three of each run


def stability_figure(atlas: Atlas, found: Stability, *, title: str = "lossatlas", style: str | Style = "paper") -> Figure:
    """Return the map with an ellipse a point, whose half axes are the root mean square displacements along them.

    Of more than 100 points the first, the middle and the last of each run have theirs.

    Args:
        atlas: The map.
        found: How far its points move, by :func:`lossatlas.measure.stability`.
        title: Stands above it.
        style: ``"paper"`` or ``"talk"``, or a style of one's own.

    Raises:
        InputError: the points are others or have other axes, or there is no such style.
    """
    if found.spread.shape != (atlas.n_points, 2, 2):
        raise InputError(
            f"the map has {atlas.n_points} points on 2 axes, but the spread's shape is {found.spread.shape}; "
            "measure it on the plane"
        )
    chosen = named_style(style)
    with mpl.rc_context(chosen.rc):
        made = blank(chosen, width=chosen.column, height=0.72 * chosen.column + 0.5)
        axes = made.subplots()
        drawn = scene({title: atlas}, title=title)
        (part,) = drawn.maps
        layout, colours = part.layouts[0], colours_of([drawn])
        draw_frame(axes, layout)
        known = np.flatnonzero(np.isfinite(found.spread).all(axis=(1, 2)))
        reach = np.sqrt(np.diagonal(found.spread[known], axis1=1, axis2=2))
        for side in (-reach, reach):
            x, y = (layout.coordinates[known] + side).T
            axes.scatter(x, y, s=0)  # sets the limits
        rows = known if len(known) <= _MOST else np.intersect1d(known, _some(part))
        hues = _hues(part, colours)[rows]
        faces, edges = (np.column_stack([hues, np.full(len(rows), alpha)]) for alpha in (0.07, 0.9))
        ellipses = _ellipses(found.spread[rows], layout.coordinates[rows], axes)
        ellipses.set(facecolors=faces, edgecolors=edges, linewidths=chosen.thin, zorder=0.5)
        axes.add_collection(ellipses)
        draw_runs(axes, part, colours, chosen, layout=layout)
        words = (
            f"Drawn again {found.n_drawn} times; points move by {found.share:.0%} of the map's spread, each as its ellipse shows"
        )
        draw_caption(axes, words, chosen, inches=chosen.column)
        draw_legend(made, axes, [drawn], colours, chosen)
        draw_title(made, title, chosen)
        return made


def _ellipses(spread: np.ndarray, places: np.ndarray, axes: Axes) -> EllipseCollection:
    lengths, turns = np.linalg.eigh(spread)
    widths = 2 * np.sqrt(np.maximum(lengths, 0))
    turned = np.degrees(np.arctan2(turns[:, 1, 1], turns[:, 0, 1]))
    return EllipseCollection(widths[:, 1], widths[:, 0], turned, units="xy", offsets=places, offset_transform=axes.transData)


def _hues(part: SceneMap, colours: Colours) -> np.ndarray:
    hues = np.full((part.n_points, 3), 0.5)
    for run in part.runs:
        if not is_optimum(part, run):
            hues[run.start : run.stop] = to_rgb(colours.of_run(run))
    return hues


def _some(part: SceneMap) -> list[int]:
    """The first, the middle and the last point of each run."""
    spans = [(run.start, run.stop - 1) for run in part.runs if run.stop > run.start]
    return sorted({row for first, last in spans for row in (first, (first + last) // 2, last)})
