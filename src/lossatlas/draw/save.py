"""An atlas as a file, by its ending."""

import io
import json
import math
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast, get_args

import numpy as np

from lossatlas._arrays import InputError
from lossatlas._atlas import Atlas
from lossatlas.draw.animation import refuse_without_ffmpeg, write_animation
from lossatlas.draw.compose import scene
from lossatlas.draw.figure import Preset, atlas_figure, write_figure
from lossatlas.draw.figures.style import PAPER, Style, named_style
from lossatlas.draw.page import write_page
from lossatlas.store import unwritable, write_durably


@dataclass(frozen=True)
class Look:
    """How an atlas is drawn where it becomes a figure or a film."""

    title: str
    style: Style
    preset: Preset


def save(atlas: Atlas, path: Path, *, title: str, style: str | Style = "paper", preset: str = "landscape") -> None:
    """Write an atlas as a page, a figure, a film, arrays or numbers, whole or not at all; see :meth:`Atlas.save`.

    Raises:
        InputError: the ending is unknown, or has no such look, or the place cannot be written.
    """
    refuse_unwritable(path)
    look = checked_look(path, title=title, style=style, preset=preset)
    try:
        _WRITERS[path.suffix](atlas, path, look)
    except OSError as error:
        raise unwritable(path, error) from error


def checked_look(path: Path, *, title: str, style: str | Style = "paper", preset: str = "landscape") -> Look:
    """Return how a file is to look.

    Raises:
        InputError: there is no such style or preset, or a file of this ending has none.
    """
    chosen = named_style(style)
    if preset not in get_args(Preset):
        raise InputError(f"preset must be {', '.join(map(repr, get_args(Preset)))}, but is {preset!r}; choose one")
    if chosen is not PAPER and path.suffix not in (*_FIGURES, *_FILMS):
        raise InputError(f"a style is for figures, but {path.name!r} is none; end it in .png, .svg, .pdf, .gif or .mp4")
    if preset != "landscape" and path.suffix not in _FIGURES:
        raise InputError(f"{preset!r} is a figure, but {path.name!r} is none; end it in .png, .svg or .pdf")
    return Look(title, chosen, cast("Preset", preset))


def json_text(numbers: Any) -> str:  # noqa: ANN401 - plain values, nested
    """Return plain values as JSON, which has no NaN and no infinity: they are written as words."""

    def plain(value: Any) -> Any:  # noqa: ANN401
        if isinstance(value, dict):
            return {name: plain(item) for name, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [plain(item) for item in value]
        return str(value) if isinstance(value, float) and not math.isfinite(value) else value

    return json.dumps(plain(numbers), indent=1, allow_nan=False) + "\n"


def refuse_unwritable(path: Path) -> None:
    """Refuse a file that :func:`save` could not write, before any work is done.

    Raises:
        InputError: the ending is unknown, or the folder is missing or closed.
    """
    if path.suffix not in _WRITERS:
        raise InputError(f"{path.name!r} must end in {', '.join(list(_WRITERS)[:-1])} or {list(_WRITERS)[-1]}; rename it")
    refuse_without_ffmpeg(path)
    if path.is_dir():
        raise InputError(f"{str(path)!r} is a folder; name a file in it")
    if not path.parent.is_dir():
        raise InputError(f"there is no folder {str(path.parent)!r} to write {path.name} into; make it first, or name another")
    if not os.access(path.parent, os.W_OK):
        raise InputError(f"cannot write into {str(path.parent)!r}: permission denied; choose a place that you can write to")


def _write_page(atlas: Atlas, path: Path, look: Look) -> None:
    write_page(scene({look.title: atlas}, title=look.title), path)


def _write_figure(atlas: Atlas, path: Path, look: Look) -> None:
    write_figure(atlas_figure(atlas, title=look.title, style=look.style, preset=look.preset), path, style=look.style)


def _write_film(atlas: Atlas, path: Path, look: Look) -> None:
    write_animation(scene({look.title: atlas}, title=look.title), path, style=look.style)


def _write_numbers(atlas: Atlas, path: Path, look: Look) -> None:
    numbers = {"title": look.title, **atlas.summary(), "settings": asdict(atlas.embedding.settings)}
    write_durably(path, [json_text(numbers).encode()])


def _write_arrays(atlas: Atlas, path: Path, look: Look) -> None:
    arrays: dict[str, Any] = {
        "title": np.array(look.title),
        "coordinates": atlas.embedding.coordinates,
        "potential_distances": atlas.embedding.potential_distances,
        "entropy": atlas.embedding.entropy,
        "entropy_times": atlas.embedding.diffusion_time.times,
        "steps": atlas.steps,
        "run": np.concatenate([np.full(trace.stop - trace.start, i) for i, trace in enumerate(atlas.traces)]),
        "run_names": np.array([trace.name for trace in atlas.traces]),
        "run_groups": np.array([trace.group or "" for trace in atlas.traces]),
        **{f"metric_{name}": values for name, values in atlas.metrics.items()},
        **{f"coordinates_{name}": made.coordinates for name, made in atlas.layouts.items()},
        **{f"coordinates_{name}_3d": values for name, values in atlas.comparison.coordinates_3d.items()},
        **{f"neighbours_kept_{name}": found.point_neighbours_kept for name, found in atlas.comparison.faithfulness.items()},
    }
    if atlas.distance_from_optimum is not None:
        arrays["distance_from_optimum"] = atlas.distance_from_optimum
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    write_durably(path, [stream.getvalue()])


_FIGURES, _FILMS = (".png", ".svg", ".pdf"), (".gif", ".mp4")
_WRITERS: dict[str, Callable[[Atlas, Path, Look], None]] = {
    ".html": _write_page,
    ".png": _write_figure,
    ".svg": _write_figure,
    ".pdf": _write_figure,
    ".gif": _write_film,
    ".mp4": _write_film,
    ".npz": _write_arrays,
    ".json": _write_numbers,
}
