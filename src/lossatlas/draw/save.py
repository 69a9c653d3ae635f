"""An atlas as a file, by its ending."""

import io
import json
import math
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from lossatlas._arrays import InputError
from lossatlas._atlas import Atlas
from lossatlas.draw.compose import scene
from lossatlas.draw.figure import figure, write_figure
from lossatlas.draw.page import write_page
from lossatlas.store import unwritable, write_durably


def save(atlas: Atlas, path: Path, *, title: str) -> None:
    """Write an atlas as a page, a figure, arrays or numbers, whole or not at all; see :meth:`Atlas.save`.

    Raises:
        InputError: the ending is unknown, or the place cannot be written.
    """
    refuse_unwritable(path)
    try:
        _WRITERS[path.suffix](atlas, path, title)
    except OSError as error:
        raise unwritable(path, error) from error


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
    if path.is_dir():
        raise InputError(f"{str(path)!r} is a folder; name a file in it")
    if not path.parent.is_dir():
        raise InputError(f"there is no folder {str(path.parent)!r} to write {path.name} into; make it first, or name another")
    if not os.access(path.parent, os.W_OK):
        raise InputError(f"cannot write into {str(path.parent)!r}: permission denied; choose a place that you can write to")


def _write_page(atlas: Atlas, path: Path, title: str) -> None:
    write_page(scene({title: atlas}, title=title), path)


def _write_figure(atlas: Atlas, path: Path, title: str) -> None:
    write_figure(figure(scene({title: atlas}, title=title)), path)


def _write_numbers(atlas: Atlas, path: Path, title: str) -> None:
    numbers = {"title": title, **atlas.summary(), "settings": asdict(atlas.embedding.settings)}
    write_durably(path, [json_text(numbers).encode()])


def _write_arrays(atlas: Atlas, path: Path, title: str) -> None:
    arrays: dict[str, Any] = {
        "title": np.array(title),
        "coordinates": atlas.embedding.coordinates,
        "potential_distances": atlas.embedding.potential_distances,
        "entropy": atlas.embedding.entropy,
        "entropy_times": atlas.embedding.diffusion_time.times,
        "steps": atlas.steps,
        "run": np.concatenate([np.full(trace.stop - trace.start, i) for i, trace in enumerate(atlas.traces)]),
        "run_names": np.array([trace.name for trace in atlas.traces]),
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


_WRITERS: dict[str, Callable[[Atlas, Path, str], None]] = {
    ".html": _write_page,
    ".png": _write_figure,
    ".svg": _write_figure,
    ".pdf": _write_figure,
    ".npz": _write_arrays,
    ".json": _write_numbers,
}
