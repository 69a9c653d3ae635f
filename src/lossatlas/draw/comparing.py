"""A comparison of methods in words and as files."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lossatlas._arrays import InputError
from lossatlas._atlas import MethodComparison
from lossatlas.draw.compose import scene
from lossatlas.draw.figure import write_figure
from lossatlas.draw.figures.style import Style, named_style
from lossatlas.draw.layouts import LABELS, NAMES
from lossatlas.draw.page import write_page
from lossatlas.draw.save import json_text, refuse_unwritable
from lossatlas.draw.scene import Fact, Scene
from lossatlas.store import unwritable, write_durably

NOTHING = "\N{EN DASH}"


def comparison_table(found: MethodComparison) -> list[list[str]]:
    """Return the scores as rows of words, below each those of random walks; the first row names the methods."""
    rows = [["", *(NAMES[name] for name in found.methods), "shuffled"]]
    chance = found.shuffled.summary()
    for score in scores_of(found):
        rows.append([LABELS[score], *(_value(found, name, score) for name in found.methods), _plain(chance.get(score))])
        walks = [one.walk_scores.get(score) for one in found.methods.values()]
        if any(value is not None for value in walks):
            rows.append(["  random walks", *(_plain(value) for value in walks), ""])
    moved = [one.stability for one in found.methods.values()]
    if any(one is not None for one in moved):
        rows.append(
            [
                moved_label(found),
                *(_plain(None if one is None else one.share) for one in moved),
                _plain(found.displaced_by_chance),
            ]
        )
    return rows


def scores_of(found: MethodComparison) -> list[str]:
    """Return the names of the scores that any method has, in the order in which they are shown."""
    return [name for name in LABELS if any(name in one.scores for one in found.methods.values())]


def moved_label(found: MethodComparison) -> str:
    """Return the words for how far points move."""
    return f"moved without {found.left_out:.0%}"


def comparison_scene(found: MethodComparison, *, title: str) -> Scene:
    """Return the page's scene: the maps of the first seed with their scores, and facts that name the spread."""
    facts = [
        Fact(
            label=f"{LABELS[score]}, over seeds",
            value=", ".join(f"{NAMES[name]} {_value(found, name, score)}" for name in found.methods),
            meaning="Mean and standard deviation over the seeds of methods with chance; the others always draw the same map.",
        )
        for score in ("kept_within_runs", "kept_between_runs", "trajectory_continuity", "rank_correlation", "demap")
        if score in scores_of(found)
    ]
    if any(one.stability for one in found.methods.values()):
        facts.append(
            Fact(
                label=moved_label(found),
                value=", ".join(
                    f"{NAMES[name]} {one.stability.share:.2f}" for name, one in found.methods.items() if one.stability is not None
                ),
                meaning="How far points move when so many others are left out, in parts of the map's spread: 0 is the same map, "
                f"{found.displaced_by_chance:.2f} one that has nothing to do with it.",
            )
        )
    return scene({title: found.atlas}, title=title, summary="\n".join(found.skipped.values()), facts={title: facts})


def metric_words(found: MethodComparison) -> str:
    """Return what is compared, in words."""
    is_predicted = found.atlas.space == "predictions"
    return "distance of predictions" if is_predicted else f"{found.atlas.embedding.settings.metric} distance"


def save_comparison(found: MethodComparison, path: Path, *, title: str, style: str | Style = "paper") -> None:
    """Write a comparison; see :meth:`MethodComparison.save`."""
    refuse_unwritable_comparison(path)
    try:
        _WRITERS[path.suffix](found, path, title, style)
    except OSError as error:
        raise unwritable(path, error) from error


def refuse_unwritable_comparison(path: Path) -> None:
    """Refuse a file that :func:`save_comparison` could not write, before any work is done.

    Raises:
        InputError: the ending is unknown, or the folder is missing or closed.
    """
    if path.suffix not in _WRITERS:
        raise InputError(f"{path.name!r} must end in {', '.join(list(_WRITERS)[:-1])} or {list(_WRITERS)[-1]}; rename it")
    refuse_unwritable(path)


def _value(found: MethodComparison, name: str, score: str) -> str:
    one = found.methods[name]
    if score not in one.scores:
        return NOTHING
    spread = one.spread(score)
    return _plain(one.mean(score)) + ("" if spread is None else f" \N{PLUS-MINUS SIGN} {spread:.3f}")


def _plain(value: float | None) -> str:
    return NOTHING if value is None or math.isnan(value) else f"{value:.3f}".replace("-", "\N{MINUS SIGN}")


def _write_page(found: MethodComparison, path: Path, title: str, _: str | Style) -> None:
    write_page(comparison_scene(found, title=title), path)


def _write_figure(found: MethodComparison, path: Path, title: str, style: str | Style) -> None:
    write_figure(found.figure(title=title, style=named_style(style)), path, style=style)


def _write_numbers(found: MethodComparison, path: Path, title: str, _: str | Style) -> None:
    write_durably(path, [json_text({"title": title, **found.summary()}).encode()])


_WRITERS: dict[str, Callable[[MethodComparison, Path, str, Any], None]] = {
    ".html": _write_page,
    ".png": _write_figure,
    ".svg": _write_figure,
    ".pdf": _write_figure,
    ".json": _write_numbers,
}
