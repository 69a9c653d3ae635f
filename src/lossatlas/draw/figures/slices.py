"""Lines, planes, triangles and paths of the loss as matplotlib figures."""

import textwrap
from collections.abc import Callable
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lossatlas._arrays import Mask, Vector
from lossatlas.draw.figures.contours import draw_contours
from lossatlas.draw.figures.style import INK, PAPER, QUIET
from lossatlas.draw.surfaces import DECADES, how_measured
from lossatlas.sample.path.result import LowLossPath
from lossatlas.sample.slice.corners import LossSquare, LossTriangle
from lossatlas.sample.slice.line import LossLine
from lossatlas.sample.slice.picture import Picture
from lossatlas.sample.slice.plane import LossPlane
from lossatlas.sample.slice.principal import Projected

_BLUE, _ORANGE = "#0072B2", "#D55E00"


def slice_figure(made: Picture, *, title: str = "") -> Figure:
    """Return a slice as a figure: loss over a line, or contours; what is not a number is hatched, never filled in.

    Args:
        made: The slice.
        title: Stands above it.
    """
    with mpl.rc_context(PAPER.rc):
        has_run = isinstance(made, LossPlane) and made.trajectory is not None
        drawn = Figure(figsize=(7.2, 3.7) if has_run else (4.4, 3.7), layout="constrained")
        if isinstance(made, LossPlane) and made.trajectory is not None:
            left, right = drawn.subplots(1, 2, width_ratios=(1.5, 1))
            _draw_plane(drawn, left, made)
            _draw_off_plane(right, made.trajectory, made.losses.settings.data)
        else:
            _DRAWERS[type(made)](drawn, drawn.subplots(), made)
        if title:
            drawn.suptitle(title, parse_math=False, x=0.01, ha="left", fontsize=11, fontweight="bold", color=INK)
        return drawn


def _draw_line(drawn: Figure, axes: Axes, made: LossLine) -> None:  # noqa: ARG001 - as the others
    a, loss, error = made.positions, made.loss, made.losses.error
    shown = np.isfinite(loss)
    axes.plot(a[shown], loss[shown], color=_BLUE, linewidth=1.2, marker="o", markersize=2.2)
    if (error[shown] > 0).any():
        axes.fill_between(a[shown], (loss - error)[shown], (loss + error)[shown], color=_BLUE, alpha=0.2, linewidth=0)
    _log_if_wide(axes, loss[shown])
    _hatch_gaps(axes, a, made.losses.done & ~shown)
    axes.set(ylabel=f"{made.losses.settings.data} loss")
    _quiet_spines(axes)
    if made.is_monotone is None:
        axes.axvline(0, color=QUIET, linewidth=0.5)
        axes.set(xlabel="step along the direction (1 is 100 % of the weights)")
        _caption(axes, made, "")
        return
    inside = (a >= 0) & (a <= 1) & shown
    if inside.any():
        ends = np.interp([0, 1], a[inside], loss[inside])
        t = np.linspace(0, 1, 50)
        axes.plot(t, (1 - t) * ends[0] + t * ends[1], color=QUIET, linewidth=0.8, linestyle="--")
        axes.scatter([0, 1], ends, marker="*", s=60, color=_ORANGE, edgecolors=INK, linewidths=0.5, zorder=4)
    axes.set(xlabel="from start (0) to end (1)")
    fall = "the loss only falls on the way" if made.is_monotone else f"barrier {made.barrier:.3g}, excess {made.excess:.3g}"
    _caption(axes, made, f"{fall}; distance {made.length:.3g}")


def _hatch_gaps(axes: Axes, positions: Vector, is_gap: Mask) -> None:
    """Hatch the places whose loss is no number, half way to their neighbours."""
    halves = (positions[1:] + positions[:-1]) / 2
    edges = np.concatenate([positions[:1], halves, positions[-1:]])
    for low, high in zip(edges[:-1][is_gap], edges[1:][is_gap], strict=True):
        axes.axvspan(low, high, facecolor="none", edgecolor=QUIET, hatch="////")


def _draw_path(drawn: Figure, axes: Axes, made: LowLossPath) -> None:  # noqa: ARG001 - as the others
    lines: dict[str, tuple[LossLine | LowLossPath, str, str]] = {
        "straight line": (made.straight, QUIET, "--"),
        "path": (made, _BLUE, "-"),
    }
    for name, (line, colour, style) in lines.items():
        known = np.isfinite(line.loss)
        axes.plot(line.positions[known], line.loss[known], color=colour, linestyle=style, linewidth=1.2, label=name)
    _hatch_gaps(axes, made.positions, ~np.isfinite(made.loss))
    pivots = made.losses.coefficients.max(axis=1) == 1  # on a curve only its ends are
    inner = pivots & (made.positions > 0) & (made.positions < 1) & np.isfinite(made.loss)
    axes.scatter(made.positions[inner], made.loss[inner], s=10, color=_BLUE, zorder=4)
    axes.scatter([0, 1], made.loss[[0, -1]], marker="*", s=60, color=_ORANGE, edgecolors=INK, linewidths=0.5, zorder=5)
    both = np.concatenate([made.loss, made.straight.loss])
    _log_if_wide(axes, both[np.isfinite(both)])
    axes.set(xlabel="share of the length, from start to end", ylabel=f"{made.losses.settings.data} loss")
    axes.legend(frameon=False, fontsize=7, loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2, borderaxespad=0.2)
    _quiet_spines(axes)
    longer = made.length / made.straight.length if made.straight.length else float("nan")
    _caption(
        axes, made, f"barrier {made.barrier:.3g}, of the straight line {made.straight.barrier:.3g}; {longer:.2f} times its length"
    )


def _draw_plane(drawn: Figure, axes: Axes, made: LossPlane) -> None:
    x, y = (grid.ravel() for grid in np.meshgrid(made.x, made.y, indexing="ij"))
    draw_contours(drawn, axes, np.stack([x, y]), made.losses.loss, made.losses.done, label=f"{made.losses.settings.data} loss")
    axes.set_aspect("equal")
    run = made.trajectory
    if run is None:
        _draw_star(axes, (0, 0))
        axes.set(xlabel="first direction (1 is 100 % of the weights)", ylabel="second direction")
        _caption(axes, made, f"cosine of the directions {made.cosine:.2g}")
        return
    path_x, path_y = run.coordinates.T
    axes.plot(path_x, path_y, color="white", linewidth=2.2, zorder=3)
    axes.plot(path_x, path_y, color=_ORANGE, linewidth=1.0, marker="o", markersize=2.4, zorder=4)
    _draw_star(axes, (float(path_x[-1]), float(path_y[-1])))
    shares = [
        f"{which} component: {share:.0%} of the variance\n(a random walk: {chance:.0%})"
        for which, share, chance in zip(("first", "second"), run.explained, run.explained_by_chance, strict=True)
    ]
    axes.set(xlabel=shares[0], ylabel=shares[1])
    _caption(axes, made, "axes in units of distance in weights")


def _draw_off_plane(axes: Axes, run: Projected, data: str) -> None:
    """Beside the contours: the loss that they show at each point of the run, the loss there is, and the distance between."""
    axes.plot(run.steps, run.true_loss, color=_ORANGE, linewidth=1.2, label=f"{data} loss of the run")
    axes.plot(run.steps, run.drawn_loss, color=_BLUE, linewidth=1.0, linestyle="--", label="loss that the contours show")
    both = np.concatenate([run.true_loss, run.drawn_loss])
    _log_if_wide(axes, both[np.isfinite(both)])
    axes.set(xlabel="step", ylabel=f"{data} loss")
    other = axes.twinx()
    other.plot(run.steps, run.off_plane, color=QUIET, linewidth=0.8, label="distance from the plane")
    other.set_ylim(bottom=0)
    other.set_ylabel("distance from the plane", color=QUIET)
    other.tick_params(colors=QUIET)
    other.spines["top"].set_visible(False)
    axes.spines["top"].set_visible(False)
    lines = [*axes.get_lines(), *other.get_lines()]
    axes.legend(
        lines, [str(line.get_label()) for line in lines], fontsize=6, frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0)
    )


def _draw_triangle(drawn: Figure, axes: Axes, made: LossTriangle) -> None:
    draw_contours(drawn, axes, made.positions.T, made.loss, made.losses.done, label=f"{made.losses.settings.data} loss")
    axes.set_aspect("equal")
    axes.axis("off")
    outline = made.corners[[0, 1, 2, 0]]
    axes.plot(*outline.T, color=INK, linewidth=0.6)
    middle = made.corners.mean(axis=0)
    for name, corner in zip("ABC", made.corners, strict=True):
        axes.scatter(
            corner[0], corner[1], marker="*", s=70, color="white", edgecolors=INK, linewidths=0.6, zorder=5, clip_on=False
        )
        away = 10 * (corner - middle) / max(float(np.linalg.norm(corner - middle)), 1e-12)
        axes.annotate(
            name,
            corner,
            xytext=10 * away / max(float(np.linalg.norm(away)), 1e-12),
            textcoords="offset points",
            ha="center",
            va="center",
        )
    ab, ac, bc = (float(np.linalg.norm(made.corners[i] - made.corners[j])) for i, j in ((0, 1), (0, 2), (1, 2)))
    _caption(axes, made, f"true distances: AB {ab:.3g}, AC {ac:.3g}, BC {bc:.3g}")


def _draw_square(drawn: Figure, axes: Axes, made: LossSquare) -> None:
    x, y = (grid.ravel() for grid in np.meshgrid(made.positions, made.positions, indexing="ij"))
    draw_contours(drawn, axes, np.stack([x, y]), made.losses.loss, made.losses.done, label=f"{made.losses.settings.data} loss")
    axes.set_aspect("equal")
    for name, (a, b) in {"A": (1, 1), "B": (0, 1), "C": (1, 0), "D": (0, 0)}.items():
        _draw_star(axes, (a, b))
        axes.annotate(
            name, (a, b), xytext=(8 * (2 * a - 1), 8 * (2 * b - 1)), textcoords="offset points", ha="center", va="center"
        )
    axes.set(xlabel="α", ylabel="β")
    _caption(axes, made, "four points lie in no plane: the square has no true distances")


def _draw_star(axes: Axes, place: tuple[float, float]) -> None:
    axes.scatter(*place, marker="*", s=70, color="white", edgecolors=INK, linewidths=0.6, zorder=5, clip_on=False)


_DRAWERS: dict[type, Callable[[Figure, Axes, Any], None]] = {
    LossLine: _draw_line,
    LowLossPath: _draw_path,
    LossPlane: _draw_plane,
    LossTriangle: _draw_triangle,
    LossSquare: _draw_square,
}


def _caption(axes: Axes, made: Picture, words: str) -> None:
    """Say below the picture how it was measured."""
    losses = made.losses
    parts = [*([words] if words else []), *how_measured(losses)]
    if (losses.done & ~np.isfinite(losses.loss)).any():
        parts.append("hatched: the loss is no number")
    drawn = axes.get_figure(root=True)
    assert drawn is not None
    drawn.supxlabel(textwrap.fill("; ".join(parts), 95), parse_math=False, x=0.01, ha="left", fontsize=6, color=QUIET)


def _log_if_wide(axes: Axes, values: np.ndarray) -> None:
    if len(values) and values.min() > 0 and values.max() > DECADES * values.min():
        axes.set_yscale("log")


def _quiet_spines(axes: Axes) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
