"""The signs of a figure, explained beside or below it."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.lines import Line2D

from lossatlas.draw.figures.colours import Colours, Key, Rgba, is_optimum, key_of
from lossatlas.draw.figures.marks import is_marked_at_its_end
from lossatlas.draw.figures.style import GOLD, INK, Style
from lossatlas.draw.scene import Scene, SceneMap, SceneRun

_MOST_NAMES, _LONGEST_NAME = 10, 22  # what the legend has room for


def draw_legend(
    made: Figure,
    beside: Axes,
    scenes: Sequence[Scene],
    colours: Colours,
    style: Style,
    *,
    fading: str = "colour fades\nafter a jump",
) -> None:
    """Explain the signs of maps that show runs: beside a panel, or below the figure."""
    parts = [part for scene in scenes for part in scene.maps]
    runs = [run for part in parts for run in part.runs]
    entries: list[Line2D] = []
    if any(part.optimum is not None for part in parts):
        entries.append(sign("*", GOLD, "optimum", style, area=style.star * 0.7))
    entries += [sign("D", colours.of_jump(jump), f"jump of {jump:g}", style, area=style.diamond) for jump in colours.jumps]
    if any(run.diverged_after is not None for run in runs):
        entries.append(sign("x", INK, "diverged after here", style, area=style.cross))
    directions = {run.seed: run for run in runs if run.seed is not None}
    entries += [_run_sign(directions[seed], f"direction {seed}", colours, style) for seed in sorted(directions)]
    entries += _named_signs(parts, colours, style)
    if entries:
        place_legend(
            made if style.is_legend_below else None,
            beside,
            entries,
            title=fading if colours.jumps else "",
        )


def place_legend(below: Figure | None, beside: Axes, entries: Sequence[Line2D], *, title: str = "", columns: int = 5) -> Legend:
    """Put a legend below a figure, or beside a panel; names are texts, also where they begin with _ or hold a formula's $."""
    legend = (beside if below is None else below).legend(
        handles=list(entries),
        labels=["" for _ in entries],
        loc="upper left" if below is None else "outside lower left",
        bbox_to_anchor=(1.02, 1.0) if below is None else None,
        frameon=False,
        handletextpad=0.4,
        columnspacing=1.2,
        labelcolor=INK,
        ncols=1 if below is None else min(len(entries), columns),
        title=(title if below is None else title.replace("\n", " ")) or None,
        alignment="left",
    )
    legend.get_title().set_color(INK)
    for text, entry in zip(legend.get_texts(), entries, strict=True):
        text.set_parse_math(False)
        text.set_text(str(entry.get_label()))
    return legend


def sign(marker: str, colour: str | Rgba, label: str, style: Style, *, area: float) -> Line2D:
    """Return an entry of a legend: a mark and its words."""
    return Line2D(
        [],
        [],
        linestyle="none",
        marker=marker,
        color=colour,
        markeredgecolor="none" if marker == "o" else INK,
        markeredgewidth=style.edge * (2.8 if marker == "x" else 1),
        markersize=area**0.5,
        label=label,
    )


def _run_sign(run: SceneRun, label: str, colours: Colours, style: Style) -> Line2D:
    """Return an entry that looks as a run does on the map."""
    area = style.end * (0.4 if run.kind == "path" else 1)
    entry = sign(colours.marker_of(run), colours.of_run(run), label, style, area=area)
    entry.set_markeredgecolor("none")
    if run.kind == "path":
        entry.set(linestyle="-", linewidth=style.thick)
    return entry


def _named_signs(parts: Sequence[SceneMap], colours: Colours, style: Style) -> list[Line2D]:
    """Return a sign for each group, and for each run that has neither a direction nor its name on the map."""
    named: dict[Key, SceneRun] = {}
    for part in parts:
        for run in part.runs:
            has_name = run.seed is not None or (run.group is None and is_marked_at_its_end(part, run))
            if run.stop > run.start and not has_name and not is_optimum(part, run):
                named.setdefault(key_of(run), run)
    # Groups are what is compared; then what was drawn on purpose, before the many trainings that may be there.
    found = sorted(named.values(), key=lambda run: (run.group is None, run.group is None and run.kind == "training"))
    signs = [_run_sign(run, _short(run), colours, style) for run in found[:_MOST_NAMES]]
    if rest := found[_MOST_NAMES:]:
        what = "groups" if all(run.group for run in rest) else "runs"
        signs.append(sign("", INK, f"and {len(rest)} {what} more", style, area=0))
    return signs


def _short(run: SceneRun) -> str:
    """The name of a run's group, or the end of its own, where it differs from its neighbours'."""
    name = run.group or run.name
    if len(name) <= _LONGEST_NAME:
        return name
    return f"{name[:_LONGEST_NAME]}\N{HORIZONTAL ELLIPSIS}" if run.group else f"\N{HORIZONTAL ELLIPSIS}{name[-_LONGEST_NAME:]}"
