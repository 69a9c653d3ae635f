"""A plane of the loss as a surface in three dimensions, in the manner of Li et al. 2018."""

import textwrap

import matplotlib as mpl
import numpy as np
from jaxtyping import Float
from matplotlib.colors import LightSource, LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator
from mpl_toolkits.mplot3d import Axes3D
from mpl_toolkits.mplot3d.art3d import Poly3DCollection

from lossatlas.draw.figures.bars import LOSSES, log_ticks, scale_of, tick_words
from lossatlas.draw.figures.marks import draw_title
from lossatlas.draw.figures.style import FAINT, GOLD, INK, QUIET, Style, named_style
from lossatlas.sample.slice.plane import LossPlane

# From above a corner: the far sides stand higher than the near ones in a bowl, and hide nothing of the floor's middle.
_ELEVATION, _AZIMUTH = 32.0, -56.0
_FLOOR = 0.45  # of the height of the surface: how far below it the contours lie
_LEVELS = 14
_RUN = "#D55E00"
# Beyond this a file of vectors is slow to open: the mesh alone becomes pixels.
MOST_FACES = 10_000

Heights = Float[np.ndarray, "a b"]


def surface_figure(made: LossPlane, *, style: str | Style = "paper", title: str = "") -> Figure:
    """Return a plane of the loss as a surface over its contours, with the run that spans it, where one does.

    Height and colour are the logarithm of the loss, unless a loss is 0 or less; a light from the left shades the surface. The
    run lies on it at the loss that the surface shows there (``trajectory.drawn_loss``), not at its own, and again on the
    floor; it is drawn over what lies before it. Where the loss is no number there is a hole, and the words below say so.

    Li, Xu, Taylor, Studer, Goldstein 2018, Fig. 1.

    Args:
        made: The plane.
        style: ``"paper"`` or ``"talk"``, or a style of one's own.
        title: Stands above it.

    Raises:
        InputError: there is no such style.
    """
    chosen = named_style(style)
    loss = np.where(made.losses.done.reshape(made.loss.shape) & np.isfinite(made.loss), made.loss, np.nan)
    known = loss[np.isfinite(loss)]
    norm = scale_of(loss, is_log=bool(len(known)) and bool(known.min() > 0))
    with mpl.rc_context(chosen.rc):
        width = chosen.column if chosen.height is None else chosen.page
        words = textwrap.fill(_words(made), int(width * 72 / (chosen.small * 0.54)))
        below = chosen.small / 72 * 1.4 * (words.count("\n") + 1) if words else 0.0
        above = chosen.title / 72 * 1.6 if title else 0.0
        height = chosen.height or width * 0.88 + below + above
        figure = Figure(figsize=(width, height))
        # On the right a bar, its ticks and its words.
        right = 1 - 5.8 * chosen.text / 72 / width
        box = (0.0, below / height, right - 0.01, 1 - (below + above) / height)
        axes = figure.add_axes(box, projection="3d", computed_zorder=False)
        assert isinstance(axes, Axes3D)
        axes.view_init(elev=_ELEVATION, azim=_AZIMUTH)
        heights = _heights(loss, norm)
        floor = -_FLOOR
        _draw_floor(axes, made, heights, floor, chosen)
        _draw_mesh(axes, made, heights)
        if made.trajectory is not None:
            _draw_run(axes, made, norm, floor, chosen)
        elif np.isfinite(heights).any():
            axes.scatter(
                0, 0, floor, marker="*", s=chosen.star * 0.6, color=GOLD, edgecolors=INK, linewidths=chosen.edge, zorder=6
            )
        _mark_axes(axes, made, floor, chosen)
        _draw_bar(figure, norm, f"{made.losses.settings.data} loss", chosen, left=right)
        figure.text(0.01, 0.01, words, ha="left", va="bottom", fontsize=chosen.small, color=QUIET)
        draw_title(figure, title, chosen)
        return figure


def _heights(loss: Heights, norm: Normalize) -> Heights:
    """Return where in the scale of colours each loss lies, 0 to 1; NaN where it is no number."""
    return np.ma.filled(np.ma.asarray(norm(np.ma.masked_invalid(loss)), dtype=np.float64), np.nan)


def _draw_mesh(axes: Axes3D, made: LossPlane, heights: Heights) -> None:
    x, y = np.meshgrid(made.x, made.y, indexing="ij")
    corners = [np.stack([grid[i : len(grid) - 1 + i, j : grid.shape[1] - 1 + j] for i, j in _AROUND]) for grid in (x, y, heights)]
    faces = np.stack(corners, axis=-1).reshape(4, -1, 3).transpose(1, 0, 2)
    faces = faces[np.isfinite(faces).all(axis=(1, 2))]
    if not len(faces):
        return
    shades = _shaded(faces, (np.ptp(made.x), np.ptp(made.y)))
    # A hair of the same colour closes the seams that renderers leave between neighbours.
    mesh = Poly3DCollection(list(faces), facecolors=shades, edgecolors=shades, linewidths=0.15, zorder=2)
    mesh.set_rasterized(len(faces) > MOST_FACES)
    axes.add_collection3d(mesh)


_AROUND = ((0, 0), (1, 0), (1, 1), (0, 1))


def _shaded(faces: Float[np.ndarray, "m 4 3"], spans: tuple[float, float]) -> Float[np.ndarray, "m 4"]:
    """Return the colour of each face by its mean height, darker the more it turns from the light."""
    colours = mpl.colormaps[LOSSES](faces[:, :, 2].mean(axis=1))
    scaled = faces / np.array([max(spans[0], 1e-300), max(spans[1], 1e-300), 2.0])
    normals = np.cross(scaled[:, 2] - scaled[:, 0], scaled[:, 3] - scaled[:, 1])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-300)
    light = LightSource(azdeg=225, altdeg=50).direction
    strength = 0.72 + 0.28 * np.clip(normals @ light, 0, 1) / max(float(np.clip(normals @ light, 0, 1).max()), 1e-300)
    colours[:, :3] *= strength[:, np.newaxis]
    return colours


def _draw_floor(axes: Axes3D, made: LossPlane, heights: Heights, floor: float, style: Style) -> None:
    if np.isfinite(heights).sum() < 4 or np.nanmin(heights) == np.nanmax(heights):
        return
    x, y = np.meshgrid(made.x, made.y, indexing="ij")
    levels = np.linspace(0, 1, _LEVELS + 1)[1:-1]
    values = np.ma.masked_invalid(heights)
    axes.contour(x, y, values, levels=levels, cmap=LOSSES, vmin=0, vmax=1, offset=floor, linewidths=style.thick * 0.6, zorder=1)


def _draw_run(axes: Axes3D, made: LossPlane, norm: Normalize, floor: float, style: Style) -> None:
    run = made.trajectory
    assert run is not None
    x, y = run.coordinates.T
    drawn = np.ma.filled(np.ma.asarray(norm(np.ma.masked_invalid(run.drawn_loss)), dtype=np.float64), np.nan)
    axes.plot(x, y, np.full(len(x), floor), color=_RUN, alpha=0.55, linewidth=style.thick * 0.7, zorder=1.5)
    axes.plot(x, y, drawn, color="white", linewidth=style.thick * 1.9, zorder=3)
    size = style.point**0.5 * 0.9
    axes.plot(x, y, drawn, color=_RUN, linewidth=style.thick, marker="o", markersize=size, zorder=4)
    axes.scatter(
        x[-1], y[-1], drawn[-1], marker="*", s=style.star * 0.6, color=GOLD, edgecolors=INK, linewidths=style.edge, zorder=6
    )


def _mark_axes(axes: Axes3D, made: LossPlane, floor: float, style: Style) -> None:
    axes.set_box_aspect((1, 1, 0.78), zoom=0.92 if style.height is None else 0.96)
    axes.set(xlim=(made.x[0], made.x[-1]), ylim=(made.y[0], made.y[-1]), zlim=(floor, 1))
    names = ("first direction", "second direction") if made.trajectory is None else ("first component", "second component")
    pad = style.text * 0.4 - 3
    axes.set_xlabel(names[0], labelpad=pad)
    axes.set_ylabel(names[1], labelpad=pad)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(4, prune="both"))
        axis.set_major_formatter(FuncFormatter(tick_words))
    # The loss is read from the bar of colours, which is upright.
    axes.zaxis.set_major_locator(FixedLocator([]))
    for axis in (axes.xaxis, axes.yaxis, axes.zaxis):
        axis.pane.set(facecolor="white", edgecolor=FAINT, alpha=1.0, linewidth=style.frame)
        axis.line.set(color="#b0b0b0", linewidth=style.frame)
        axis.set_tick_params(pad=style.text * 0.2 - 4, labelsize=style.small)
    axes.grid(visible=False)


def _draw_bar(figure: Figure, norm: Normalize, label: str, style: Style, *, left: float) -> None:
    is_log = isinstance(norm, LogNorm)
    bar = figure.colorbar(mpl.cm.ScalarMappable(norm, LOSSES), cax=figure.add_axes((left, 0.37, 0.025, 0.42)))
    bar.set_label(label + (" (log scale)" if is_log else ""), color=INK)
    bar.outline.set_visible(False)
    if is_log:
        bar.ax.yaxis.set_major_locator(FixedLocator(log_ticks(float(norm.vmin or 0), float(norm.vmax or 0), most=5)))
        bar.ax.yaxis.set_minor_formatter(FuncFormatter(lambda *_: ""))
    bar.ax.yaxis.set_major_formatter(FuncFormatter(tick_words))
    bar.ax.tick_params(labelsize=style.small)


def _words(made: LossPlane) -> str:
    losses = made.losses
    parts = []
    if made.trajectory is not None:
        first, second = made.trajectory.explained
        parts.append(f"the components hold {first:.0%} and {second:.0%} of the variance; the run at the loss of the surface")
    if not losses.done.all():
        parts.append(f"{int(losses.done.sum())} of {len(losses.done)} points measured so far")
    holes = int((losses.done & ~np.isfinite(losses.loss)).sum())
    if holes:
        parts.append(f"holes: the loss is no number at {holes} of {len(losses.done)} points")
    return "; ".join(parts)
