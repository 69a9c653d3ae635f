"""What stands on a map: its frame, its runs, where they landed, ended and diverged, and the optimum."""

import textwrap

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from lossatlas.draw.figures.colours import Colours, is_optimum
from lossatlas.draw.figures.style import FAINT, GOLD, INK, QUIET, Style
from lossatlas.draw.scene import Layout, SceneMap, SceneRun

# Of a letter on average, as a share of its size; letters of names and titles are bold.
_LETTER, _BOLD = 0.54, 0.65


def blank(style: Style, *, width: float, height: float) -> Figure:
    """Return an empty figure with a margin that suits its letters; a style that has a height keeps to it."""
    made = Figure(figsize=(width, style.height or height), layout="constrained")
    engine = made.get_layout_engine()
    assert isinstance(engine, ConstrainedLayoutEngine)
    engine.set(w_pad=style.text / 72 * 0.4, h_pad=style.text / 72 * 0.4)
    return made


def draw_title(made: Figure, title: str, style: Style) -> None:
    """Put a title over a figure, at its left, in as many lines as it needs."""
    if title:
        words = textwrap.fill(title, _letters(made.get_figwidth(), style.title, letter=_BOLD))
        made.suptitle(words, parse_math=False, x=0.01, ha="left", fontsize=style.title, fontweight="bold", color=INK)


def draw_name(axes: Axes, name: str, style: Style, *, inches: float) -> None:
    """Write what a panel, this wide, is called above it, in as many lines as it needs, which are alike in length."""
    words = _balanced(name, _letters(inches, style.text, letter=_BOLD))
    axes.set_title(words, parse_math=False, color=INK, fontweight="bold", pad=style.text * 0.7)


def draw_caption(axes: Axes, words: str, style: Style, *, inches: float) -> None:
    """Say below a panel, this wide, how it was made."""
    if style.has_captions and words:
        label = textwrap.fill(words, _letters(inches, style.small))
        axes.set_xlabel(label, parse_math=False, fontsize=style.small, color=QUIET, loc="left")


def _letters(inches: float, size: float, *, letter: float = _LETTER) -> int:
    return max(12, int(inches * 72 / (size * letter)))


def _balanced(words: str, most: int) -> str:
    """Break words into as few lines as ``most`` letters allow, of which the longest is as short as can be."""
    n = len(textwrap.wrap(words, most))
    longest = min(most, max(map(len, words.split()), default=1))  # no word is broken that need not be
    return next("\n".join(lines) for width in range(longest, most + 1) if len(lines := textwrap.wrap(words, width)) <= n)


def draw_frame(axes: Axes, layout: Layout) -> None:
    """Distances mean something, directions do not: equal scales and no ticks."""
    axes.set_aspect("equal", adjustable="datalim")
    axes.set(xticks=[], yticks=[])
    axes.margins(0.06)
    for spine in axes.spines.values():
        spine.set_color(FAINT)
    x, y = layout.coordinates.T
    axes.scatter(x, y, s=0)  # sets the limits by the points alone


def draw_runs(axes: Axes, part: SceneMap, colours: Colours, style: Style, *, layout: Layout) -> None:
    """Draw each run in its colour: a line where its points have an order, and its points."""
    x, y = layout.coordinates.T
    for run in part.runs:
        rows = slice(run.start, run.stop)
        if run.stop - run.start < 1 or is_optimum(part, run):
            continue
        hue = colours.of_run(run)
        height = 1.5 if run.kind == "path" else 0  # above the points of other runs: it is looked for
        if run.kind == "path":
            axes.plot(x[rows], y[rows], color=hue, linewidth=style.thick, solid_capstyle="round", zorder=1 + height)
        elif run.is_ordered:
            axes.plot(x[rows], y[rows], color=hue, alpha=0.3, linewidth=style.thin, zorder=1)
        marker = colours.marker_of(run)
        axes.scatter(x[rows], y[rows], s=style.point, marker=marker, c=colours.of_points(run), linewidths=0, zorder=2 + height)
        if run.jump is not None:
            draw_diamonds(axes, [(float(x[run.start]), float(y[run.start]))], [colours.of_jump(run.jump)], style)
        elif is_marked_at_its_end(part, run):
            draw_end(axes, run, (float(x[run.stop - 1]), float(y[run.stop - 1])), colours, style)
    draw_crosses(axes, part, style, layout=layout)
    draw_star(axes, part, style, layout=layout)


def draw_lines(axes: Axes, part: SceneMap, style: Style, *, layout: Layout) -> None:
    """Draw the order of the points alone, beneath points whose colours say something else."""
    x, y = layout.coordinates.T
    for run in part.runs:
        rows = slice(run.start, run.stop)
        if run.kind == "path":
            axes.plot(x[rows], y[rows], color="black", alpha=0.6, linewidth=style.thick * 0.9, zorder=2.5)
        elif run.is_ordered:
            axes.plot(x[rows], y[rows], color="black", alpha=0.16, linewidth=style.thin, zorder=1)


def draw_diamonds(axes: Axes, places: list[tuple[float, float]], faces: list[tuple[float, ...]], style: Style) -> None:
    """Mark where jumps landed."""
    x, y = zip(*places, strict=True)
    axes.scatter(x, y, s=style.diamond, marker="D", color=faces, edgecolors=INK, linewidths=style.edge, zorder=4)


def draw_end(axes: Axes, run: SceneRun, end: tuple[float, float], colours: Colours, style: Style) -> None:
    """Mark where a training ended, with its name beside it; a group has its name in the legend, once for all its runs."""
    hue, marker = colours.of_run(run), colours.marker_of(run)
    axes.scatter(*end, s=style.end, marker=marker, color=[hue], edgecolors=INK, linewidths=style.edge, zorder=4)
    if run.group is not None:
        return
    # Towards the middle of the map, where there is room for words.
    is_left = end[0] < sum(axes.get_xlim()) / 2
    offset, side = (style.text * 0.75, "left") if is_left else (-style.text * 0.75, "right")
    axes.annotate(
        run.name,
        end,
        (offset, style.text * 0.5),
        parse_math=False,
        textcoords="offset points",
        ha=side,
        fontsize=style.text,
        color=INK,
        zorder=7,
    )


def is_marked_at_its_end(part: SceneMap, run: SceneRun) -> bool:
    """Whether the end of a run has a mark; around an optimum there is no room for marks and names."""
    return part.optimum is None and run.kind == "training" and run.jump is None


def draw_crosses(axes: Axes, part: SceneMap, style: Style, *, layout: Layout) -> None:
    """Mark where runs diverged: what came after has no place on a map, but is a finding."""
    rows = [run.diverged_after for run in part.runs if run.diverged_after is not None]
    if rows:
        x, y = layout.coordinates.T
        # White beneath, so that it is seen on dark points too.
        for colour, width in (("white", style.edge * 6.4), (INK, style.edge * 2.8)):
            axes.scatter(x[rows], y[rows], s=style.cross, marker="x", color=colour, linewidths=width, zorder=5, capstyle="round")


def draw_star(axes: Axes, part: SceneMap, style: Style, *, layout: Layout) -> None:
    """Mark the optimum."""
    if part.optimum is not None:
        x, y = layout.coordinates[part.optimum]
        axes.scatter(x, y, s=style.star, marker="*", color=GOLD, edgecolors=INK, linewidths=style.edge * 1.6, zorder=6)
