"""The signs of a figure, explained beside or below it."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.lines import Line2D

from lossatlas.draw.figures.colours import Colours, Rgba, is_optimum
from lossatlas.draw.figures.marks import is_named_at_its_end
from lossatlas.draw.figures.style import GOLD, INK, Style
from lossatlas.draw.scene import Scene, SceneRun

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
    seeds = sorted({run.seed for run in runs if run.seed is not None})
    entries += [sign("o", colours.hues[seed], f"direction {seed}", style, area=style.end) for seed in seeds]
    entries += _named_signs(scenes, colours, style)
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


def _named_signs(scenes: Sequence[Scene], colours: Colours, style: Style) -> list[Line2D]:
    """Return a sign for each run that has neither a direction nor its name on the map."""
    named: dict[str, SceneRun] = {
        run.name: run
        for scene in scenes
        for part in scene.maps
        for run in part.runs
        if run.seed is None and run.stop > run.start and not is_optimum(part, run) and not is_named_at_its_end(part, run)
    }
    # What was drawn on purpose before the many trainings that may be there.
    runs = sorted(named.values(), key=lambda run: run.kind == "training")
    signs = []
    for run in runs[:_MOST_NAMES]:
        name = run.name if len(run.name) <= _LONGEST_NAME else "\N{HORIZONTAL ELLIPSIS}" + run.name[-_LONGEST_NAME:]
        entry = sign("o", colours.hues[run.name], name, style, area=style.end * (0.4 if run.kind == "path" else 1))
        if run.kind == "path":
            entry.set(linestyle="-", linewidth=style.thick)
        signs.append(entry)
    if len(runs) > _MOST_NAMES:
        signs.append(sign("", INK, f"and {len(runs) - _MOST_NAMES} runs more", style, area=0))
    return signs
