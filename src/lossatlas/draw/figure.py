"""A scene as a matplotlib figure, in the manner of Horoi et al. 2022, Fig. 2."""

import io
import textwrap
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize, to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogFormatterSciNotation

from lossatlas._arrays import InputError
from lossatlas.draw.scene import Metric, Scene, SceneMap, SceneRun
from lossatlas.store import unwritable, write_durably

# Okabe and Ito's colours, told apart with any colour vision; black and yellow left out: text and white paper have them. Then a
# wine of Tol's and a grey.
_HUES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#882255", "#7f7f7f")
INK, QUIET = "#1a1a1a", "#6b6b6b"
_INCHES = 3.3  # of one map: two side by side are as wide as a page of text
_MOST_NAMES, _LONGEST_NAME = 10, 22  # what the legend has room for

Hues = dict[int | str, str]

STYLE: Any = {
    "font.family": "sans-serif",
    "font.size": 8,
    "axes.linewidth": 0.5,
    "pdf.fonttype": 42,  # letters stay letters in an editor
    "svg.fonttype": "none",
    "svg.hashsalt": "lossatlas",  # the same scene gives the same bytes
}


def figure(scene: Scene) -> Figure:
    """Return one column a map: above by run, fading with time, below by loss.

    A star is the optimum; a diamond is where a jump landed, coloured by its size; a cross is the last point of a run that
    diverged. Samples and slices are points without a line, for they have no order; a path is a thick line. The loss is on a
    log scale that all maps share. Distances on PHATE's axes mean what the caption says, their directions nothing, so there are
    no ticks.

    Raises:
        InputError: the scene has no map.
    """
    if not scene.maps:
        raise InputError("the scene has no map, so there is nothing to draw; give it one")
    with mpl.rc_context(STYLE):
        columns = len(scene.maps)
        has_loss = any(_loss(part) is not None for part in scene.maps)
        rows = 2 if has_loss else 1
        made = Figure(figsize=(_INCHES * columns + 1.3, (_INCHES + 0.2) * rows + 0.75), layout="constrained")
        grid = made.subplots(rows, columns, squeeze=False)
        hues = _hues(scene)
        jumps = sorted({run.jump for part in scene.maps for run in part.runs if run.jump is not None})
        for axes, part in zip(grid[0], scene.maps, strict=True):
            _frame(axes, part)
            _draw_runs(axes, part, jumps, hues)
            if part.name != scene.title:
                axes.set_title(part.name, parse_math=False, fontsize=9, color=INK, fontweight="bold", pad=6)
        _explain(grid[0, -1], scene, jumps, hues)
        if has_loss:
            _draw_losses(made, grid[1], scene)
        for axes, part in zip(grid[-1], scene.maps, strict=True):
            axes.set_xlabel(textwrap.fill(part.layouts[0].caption, 62), parse_math=False, fontsize=6, color=QUIET, loc="left")
        made.suptitle(scene.title, parse_math=False, x=0.01, ha="left", fontsize=11, fontweight="bold", color=INK)
        return made


def write_figure(made: Figure, path: Path) -> None:
    """Write a figure by the ending of ``path``, whole or not at all; the same figure gives the same bytes."""
    stream = io.BytesIO()
    undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {"Software": None}}[path.suffix[1:]]
    with mpl.rc_context(STYLE):
        made.savefig(stream, format=path.suffix[1:], dpi=200, metadata=undated)
    try:
        write_durably(path, [stream.getvalue()])
    except OSError as error:
        raise unwritable(path, error) from error


def _frame(axes: Axes, part: SceneMap) -> None:
    axes.set_aspect("equal", adjustable="datalim")
    axes.set(xticks=[], yticks=[])
    axes.margins(0.06)
    for spine in axes.spines.values():
        spine.set_color("#d0d0d0")
    x, y = _plane(part)
    axes.scatter(x, y, s=0)  # sets the limits by the points alone


def _draw_runs(axes: Axes, part: SceneMap, jumps: list[float], hues: Hues) -> None:
    x, y = _plane(part)
    for run in part.runs:
        rows = slice(run.start, run.stop)
        if run.stop - run.start < 1 or _is_optimum(part, run):
            continue
        hue = np.array(to_rgb(hues[_key(run)]))
        fade = _fade(run)[:, np.newaxis]
        height = 1.5 if run.kind == "path" else 0  # above the points of other runs: it is looked for
        if run.kind == "path":
            axes.plot(x[rows], y[rows], color=hue, linewidth=1.5, solid_capstyle="round", zorder=1 + height)
        elif run.is_ordered:
            axes.plot(x[rows], y[rows], color=(*hue, 0.25), linewidth=0.6, zorder=1)
        axes.scatter(x[rows], y[rows], s=7, c=hue * (1 - fade) + fade, linewidths=0, zorder=2 + height)
        if run.jump is not None:
            colour = _jump_colour(run.jump, jumps)
            axes.scatter(x[run.start], y[run.start], s=42, marker="D", color=[colour], edgecolors=INK, linewidths=0.5, zorder=4)
        elif _is_named_at_its_end(part, run):
            _draw_end(axes, run, (float(x[run.stop - 1]), float(y[run.stop - 1])), hues[_key(run)])
    _draw_crosses(axes, part)
    _draw_star(axes, part)


def _fade(run: SceneRun) -> np.ndarray:
    """Return how pale each point is, from 0 to 1."""
    fade = np.linspace(0.0, 0.8, run.stop - run.start)
    if run.kind == "retraining":
        return fade
    # A retraining fades from its jump; a training grows stronger towards its end, which is what came of it.
    return fade[::-1] if run.kind == "training" else np.zeros_like(fade)


def _draw_end(axes: Axes, run: SceneRun, end: tuple[float, float], hue: str) -> None:
    """Mark where a training ended, with its name beside it."""
    axes.scatter(*end, s=26, marker="o", color=[hue], edgecolors=INK, linewidths=0.5, zorder=4)
    # Towards the middle of the map, where there is room for words.
    is_left = end[0] < sum(axes.get_xlim()) / 2
    offset, side = (6, "left") if is_left else (-6, "right")
    axes.annotate(
        run.name, end, (offset, 4), parse_math=False, textcoords="offset points", ha=side, fontsize=8, color=INK, zorder=7
    )


def _draw_crosses(axes: Axes, part: SceneMap) -> None:
    """Mark where runs diverged: what came after has no place on a map, but is a finding."""
    rows = [run.diverged_after for run in part.runs if run.diverged_after is not None]
    if rows:
        x, y = _plane(part)
        # White beneath, so that it is seen on dark points too.
        for colour, width in (("white", 3.2), (INK, 1.4)):
            axes.scatter(x[rows], y[rows], s=30, marker="x", color=colour, linewidths=width, zorder=5, capstyle="round")


def _draw_star(axes: Axes, part: SceneMap) -> None:
    if part.optimum is not None:
        x, y = _plane(part)
        axes.scatter(
            x[part.optimum], y[part.optimum], s=170, marker="*", color="#FFD23F", edgecolors=INK, linewidths=0.8, zorder=6
        )


def _draw_losses(made: Figure, row: np.ndarray, scene: Scene) -> None:
    metrics = [_loss(part) for part in scene.maps]
    shown = np.concatenate([metric.values for metric in metrics if metric is not None])
    positive = shown[np.isfinite(shown) & (shown > 0)]
    is_log = len(positive) > 0 and all(metric.scale == "log" for metric in metrics if metric is not None)
    norm: Normalize = LogNorm(positive.min(), positive.max()) if is_log else Normalize(np.nanmin(shown), np.nanmax(shown))
    label = next(metric.label for metric in metrics if metric is not None)
    for axes, part, metric in zip(row, scene.maps, metrics, strict=True):
        _frame(axes, part)
        x, y = _plane(part)
        if metric is None:
            axes.text(0.5, 0.5, "no loss was recorded", transform=axes.transAxes, ha="center", color=QUIET)
            continue
        known = np.isfinite(metric.values)
        axes.scatter(x[~known], y[~known], s=9, color="#c4c4c4", linewidths=0, zorder=2)
        # The lowest losses on top: minima are what one looks for.
        order = np.argsort(-metric.values[known], kind="stable")
        values = np.maximum(metric.values[known], norm.vmin or -np.inf)[order]
        axes.scatter(x[known][order], y[known][order], s=9, c=values, norm=norm, cmap="viridis", linewidths=0, zorder=3)
        for run in part.runs:
            rows = slice(run.start, run.stop)
            if run.kind == "path":
                axes.plot(x[rows], y[rows], color="#00000099", linewidth=1.0, zorder=2.5)
            elif run.is_ordered:
                axes.plot(x[rows], y[rows], color="#00000022", linewidth=0.5, zorder=1)
        _draw_crosses(axes, part)
        _draw_star(axes, part)
    bar = made.colorbar(mpl.cm.ScalarMappable(norm, "viridis"), cax=row[-1].inset_axes((1.04, 0.0, 0.04, 1.0)))
    bar.set_label(label + (" (log scale)" if is_log else ""), color=INK, parse_math=False)
    bar.outline.set_visible(False)
    if is_log:
        bar.ax.yaxis.set_major_formatter(LogFormatterSciNotation())


def _explain(axes: Axes, scene: Scene, jumps: list[float], hues: Hues) -> None:
    """Put the legend of the upper row beside it."""
    entries: list[Line2D] = []
    if any(part.optimum is not None for part in scene.maps):
        entries.append(_sign("*", "#FFD23F", "optimum", size=11))
    entries += [_sign("D", _jump_colour(jump, jumps), f"jump of {jump:g}", size=5.5) for jump in jumps]
    if any(run.diverged_after is not None for part in scene.maps for run in part.runs):
        entries.append(_sign("x", INK, "diverged after here", size=5))
    seeds = sorted({run.seed for part in scene.maps for run in part.runs if run.seed is not None})
    entries += [_sign("o", hues[seed], f"direction {seed}", size=5) for seed in seeds]
    entries += _named_signs(scene, hues)
    if entries:
        legend = axes.legend(
            handles=entries,
            labels=["" for _ in entries],
            loc="upper left",
            bbox_to_anchor=(1.02, 1.0),
            frameon=False,
            handletextpad=0.4,
            labelcolor=INK,
            title="colour fades\nafter a jump" if jumps else None,
            title_fontsize=7.5,
            alignment="left",
        )
        # Only now: a name is a text, also where it begins with _ or holds a formula's $.
        for text, entry in zip(legend.get_texts(), entries, strict=True):
            text.set_parse_math(False)
            text.set_text(str(entry.get_label()))


def _named_signs(scene: Scene, hues: Hues) -> list[Line2D]:
    """Return a sign for each run that has neither a direction nor its name on the map."""
    named = {
        run.name: run
        for part in scene.maps
        for run in part.runs
        if run.seed is None and run.stop > run.start and not _is_optimum(part, run) and not _is_named_at_its_end(part, run)
    }
    # What was drawn on purpose before the many trainings that may be there.
    runs = sorted(named.values(), key=lambda run: run.kind == "training")
    signs = []
    for run in runs[:_MOST_NAMES]:
        name = run.name if len(run.name) <= _LONGEST_NAME else "\N{HORIZONTAL ELLIPSIS}" + run.name[-_LONGEST_NAME:]
        sign = _sign("o", hues[run.name], name, size=3.2 if run.kind == "path" else 5)
        if run.kind == "path":
            sign.set(linestyle="-", linewidth=1.5)
        signs.append(sign)
    if len(runs) > _MOST_NAMES:
        signs.append(_sign("", INK, f"and {len(runs) - _MOST_NAMES} runs more", size=0))
    return signs


def _sign(marker: str, colour: str | tuple[float, float, float, float], label: str, *, size: float) -> Line2D:
    edge = INK if marker != "o" else "none"
    return Line2D(
        [],
        [],
        linestyle="none",
        marker=marker,
        color=colour,
        markeredgecolor=edge,
        markeredgewidth=1.4 if marker == "x" else 0.5,
        markersize=size,
        label=label,
    )


def _plane(part: SceneMap) -> tuple[np.ndarray, np.ndarray]:
    x, y = part.layouts[0].coordinates.T
    return x, y


def _loss(part: SceneMap) -> Metric | None:
    return next((metric for metric in part.metrics if metric.name == part.landscape), None)


def _is_optimum(part: SceneMap, run: SceneRun) -> bool:
    return part.optimum is not None and run.start == part.optimum and run.stop - run.start == 1


def _is_named_at_its_end(part: SceneMap, run: SceneRun) -> bool:
    return part.optimum is None and run.kind == "training" and run.jump is None


def _key(run: SceneRun) -> int | str:
    return run.name if run.seed is None else run.seed


def _hues(scene: Scene) -> Hues:
    """Return the colour of each direction by its seed, and of each other run by its name: the same on every map."""
    seeds = sorted({run.seed for part in scene.maps for run in part.runs if run.seed is not None})
    hues: Hues = {seed: _HUES[place % len(_HUES)] for place, seed in enumerate(seeds)}
    for part in scene.maps:
        own = [run for run in part.runs if run.seed is None and not _is_optimum(part, run)]
        taken = len(seeds) if any(run.seed is not None for run in part.runs) else 0
        for place, run in enumerate(own, start=taken):
            hues.setdefault(run.name, _HUES[place % len(_HUES)])
    return hues


def _jump_colour(jump: float, jumps: list[float]) -> tuple[float, float, float, float]:
    place = jumps.index(jump) / max(len(jumps) - 1, 1)
    return mpl.colormaps["cividis"](1 - place)
