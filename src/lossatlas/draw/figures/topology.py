"""A landscape's valleys and cycles as bars, their numbers as the loss rises, and the tree of its minima."""

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from lossatlas.draw.figures.bars import mark_axis
from lossatlas.draw.figures.legend import place_legend, sign
from lossatlas.draw.figures.marks import blank, draw_title
from lossatlas.draw.figures.persistence import CYCLE, VALLEY, WHOLE, open_frame
from lossatlas.draw.figures.style import INK, QUIET, Style, named_style
from lossatlas.measure import Diagram, MergeTree

# More than so many bars, or branches, are a grey field; the shortest are left out and counted.
_MOST = 40


def topology_figure(
    diagram: Diagram, tree: MergeTree, *, loss_label: str = "loss", style: str | Style = "paper", title: str = ""
) -> Figure:
    """Return the barcode over the Betti curves, and beside them the merge tree, whose axis is the loss too.

    A bar is a valley from the loss at its lowest point to that at the pass to a lower one, or a cycle from where it closes to
    where triangles fill it or, as extended persistence has it, to its lowest point. Bars that never end run out of the frame;
    cycles of a plain graph never do, and are in the curve alone. The curves count the classes there are at each loss. In the
    tree each minimum stands under the saddle over which it meets a lower one. The loss is logarithmic unless it comes to 0
    or less, or is on another scale.

    Args:
        diagram: Of the loss.
        tree: Of the same loss.
        loss_label: What the loss is called.
        style: ``"paper"`` or ``"talk"``, or a style of one's own.
        title: Stands above.

    Raises:
        InputError: there is no such style.
    """
    chosen = named_style(style)
    with mpl.rc_context(chosen.rc):
        made = blank(chosen, width=chosen.page, height=3.4 + 0.3 * bool(title))
        grid = made.add_gridspec(2, 2, height_ratios=(1.5, 1), width_ratios=(1, 1))
        bars = made.add_subplot(grid[0, 0])
        curves = made.add_subplot(grid[1, 0], sharex=bars)
        trunk = made.add_subplot(grid[:, 1])
        label = loss_label if diagram.scale == "raw" else f"{loss_label} ({diagram.scale})"
        _set_losses(bars, "x", (diagram.lowest, diagram.highest), is_log=diagram.scale == "raw" and diagram.lowest > 0)
        curves.set_xlabel(label, parse_math=False)
        bars.tick_params(labelbottom=False)
        _draw_bars(bars, diagram, chosen)
        _draw_curves(curves, diagram, chosen)
        _set_losses(trunk, "y", (float(tree.lows[0]), tree.highest), is_log=float(tree.lows[0]) > 0)
        trunk.set_ylabel(loss_label, parse_math=False)
        _draw_tree(trunk, tree, chosen)
        for axes in (bars, curves, trunk):
            open_frame(axes)
        there = {
            "valley, ends": (VALLEY, len(diagram.finite[0])),
            "valley, never ends": (WHOLE, len(diagram.essential[0])),
            "cycle": (CYCLE, len(diagram.barcode(1))),
        }
        entries = []
        for words, (colour, count) in there.items():
            if count:
                entries.append(sign("_", colour, words, chosen, area=chosen.end * 2))
                entries[-1].set(markeredgecolor=colour, markeredgewidth=chosen.thick)
        place_legend(made, trunk, entries)
        draw_title(made, title, chosen)
        return made


def _set_losses(axes: Axes, which: str, values: tuple[float, float], *, is_log: bool) -> None:
    low, high = values
    room = max((high / low) ** 0.06, 1.05) if is_log else max(0.06 * (high - low), 1e-9)
    ends = (low / room, high * room) if is_log else (low - room, high + room)
    axes.set(**{f"{which}scale": "log" if is_log else "linear", f"{which}lim": ends})
    mark_axis(axes.xaxis if which == "x" else axes.yaxis, *ends, is_log=is_log, most=5)


def _draw_bars(axes: Axes, diagram: Diagram, style: Style) -> None:
    valleys = diagram.barcode()
    cycles = diagram.finite[1] if diagram.ends is None else np.concatenate([diagram.finite[1], diagram.closed(1)])
    cycles = np.sort(cycles, axis=1)  # one that is closed by the loss as it falls ends below where it began
    cycles = cycles[np.argsort(cycles[:, 0] - cycles[:, 1], kind="stable")]
    n_cycles = min(len(cycles), max(_MOST // 4, _MOST - len(valleys)))
    shown = [(bar, VALLEY if np.isfinite(bar[1]) else WHOLE) for bar in valleys[: _MOST - n_cycles]]
    shown += [(bar, CYCLE) for bar in cycles[:n_cycles]]
    end = axes.get_xlim()[1]
    for row, ((birth, death), colour) in enumerate(shown):
        axes.plot(
            [birth, min(death, end)], [row, row], color=colour, linewidth=_thickness(len(shown), style), solid_capstyle="butt"
        )
    axes.set_ylim(len(shown) - 0.25, -0.75)
    axes.set_yticks([])
    count = len(valleys) + len(cycles)
    axes.set_ylabel("classes" if count == len(shown) else f"longest {len(shown)} of {count:,}")
    sums = [diagram.total(part="finite"), diagram.total(part="essential"), diagram.baseline()]
    words = "valleys, finite {:.3g}, essential {:.3g}\n(loss range² {:.3g})".format(*sums)
    axes.set_title(words, loc="left", fontsize=style.small, color=INK)


def _thickness(count: int, style: Style) -> float:
    return style.thick * float(np.clip(14 / max(count, 1), 0.5, 1.6))


def _draw_curves(axes: Axes, diagram: Diagram, style: Style) -> None:
    """Draw how many valleys and cycles there are at each loss: a staircase with its steps where classes begin and end."""
    low, high = axes.get_xlim()
    most = 1
    for dimension, colour in ((1, CYCLE), (0, VALLEY)):
        steps = diagram.breakpoints(dimension)
        counts = diagram.betti(steps, dimension)
        most = max(most, int(counts.max(initial=0)))
        levels, counts = np.concatenate([[low], steps, [high]]), np.concatenate([[0], counts, counts[-1:]])
        if len(steps):
            axes.step(levels, np.where(counts > 0, counts, np.nan), where="post", color=colour, linewidth=style.thick * 0.8)
    axes.set(yscale="log" if most > 20 else "linear", ylim=(0.8 if most > 20 else 0, most * (1.6 if most > 20 else 1.1)))
    mark_axis(axes.yaxis, *axes.get_ylim(), is_log=most > 20, most=4)
    if most <= 20:
        axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.set_ylabel("how many")


def _draw_tree(axes: Axes, tree: MergeTree, style: Style) -> None:
    """Draw each branch over its minimum up to its pass, and there across to the branch that it meets."""
    heights = np.where(np.isnan(tree.passes), np.inf, tree.passes) - tree.lows
    kept = np.sort(np.argsort(-heights, kind="stable")[:_MOST])
    place = places(tree.parent[kept], tree.passes[kept], kept)
    top = axes.get_ylim()[1]
    width = _thickness(len(kept), style)
    for branch in kept.tolist():
        x, low, height, parent = place[branch], tree.lows[branch], tree.passes[branch], int(tree.parent[branch])
        colour = WHOLE if parent < 0 else VALLEY
        axes.plot([x, x], [low, top if parent < 0 else height], color=colour, linewidth=width, solid_capstyle="butt", zorder=2)
        if parent >= 0:
            axes.plot([x, place[parent]], [height, height], color=QUIET, linewidth=style.thin, zorder=1)
        axes.scatter(x, low, s=style.end * 0.8, color=colour, edgecolors=INK, linewidths=style.edge, zorder=3)
    axes.set(xticks=[], xlim=(-0.8, len(kept) - 0.2))
    axes.spines["bottom"].set_visible(False)
    axes.set_title(_of_smad(tree, len(kept)), loc="left", fontsize=style.small, color=INK)


def _of_smad(tree: MergeTree, shown: int) -> str:
    count, left = len(tree.minima), len(tree.minima) - shown
    words = f"{count:,} {'minimum' if count == 1 else 'minima'}" + (f", {left:,} not drawn" if left else "")
    if np.isnan(tree.smad):
        return f"{words}\nno saddle"
    return f"{words}\nSMAD {tree.smad:.3g} ({tree.smad_over_range:.1%} of the range)"


def places(parents: Sequence[int] | np.ndarray, passes: Float[np.ndarray, " k"], names: np.ndarray) -> dict[int, int]:
    """Where branches stand side by side so that no line crosses another: what has met stands together.

    >>> places([-1, 0, 0], np.array([np.nan, 5.0, 3.0]), np.array([0, 1, 2]))
    {2: 0, 0: 1, 1: 2}
    """
    together = {int(name): [int(name)] for name in names}
    for one in np.argsort(passes, kind="stable"):  # NaN comes last: what meets nothing
        if int(parents[one]) < 0:
            break
        name, parent = int(names[one]), int(parents[one])
        there = together[parent]
        # On the side to which its line across is the shorter.
        is_left = 2 * there.index(parent) < len(there)
        together[parent] = [*together.pop(name), *there] if is_left else [*there, *together.pop(name)]
    order = [branch for piece in together.values() for branch in piece]
    return {branch: x for x, branch in enumerate(order)}
