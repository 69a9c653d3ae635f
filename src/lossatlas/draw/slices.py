"""Slices of the loss are written: as figures, pages, arrays and numbers."""

import io
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from lossatlas._arrays import InputError
from lossatlas.draw.figure import write_figure
from lossatlas.draw.figures.slices import slice_figure
from lossatlas.draw.figures.style import Style
from lossatlas.draw.figures.surface import surface_figure
from lossatlas.draw.page import write_page
from lossatlas.draw.save import json_text, refuse_unwritable
from lossatlas.draw.surfaces import plane_scene
from lossatlas.sample.path.result import LowLossPath
from lossatlas.sample.slice.line import LossLine
from lossatlas.sample.slice.picture import Picture
from lossatlas.sample.slice.plane import LossPlane
from lossatlas.store import unwritable, write_durably

_FIGURES = (".png", ".svg", ".pdf")


def save_slice(made: Picture, path: Path, *, title: str, surface: bool = False, style: str | Style = "paper") -> None:
    """Write a slice as a figure, arrays or numbers, and a plane as a page too, whole or not at all.

    Raises:
        InputError: the ending is unknown, or the place cannot be written, or a surface is asked for of what is no plane.
    """
    refuse_unwritable_slice(path, is_plane=isinstance(made, LossPlane))
    if surface:
        refuse_no_surface(path, is_plane=isinstance(made, LossPlane))
        assert isinstance(made, LossPlane)
        write_figure(surface_figure(made, style=style, title=title), path, style=style)
        return
    if isinstance(made, LossPlane) and path.suffix == ".html":
        write_page(plane_scene(made, title=title), path)
        return
    if path.suffix in _FIGURES:
        write_figure(slice_figure(made, title=title), path)
        return
    data = json_text({"title": title, **slice_numbers(made)}).encode() if path.suffix == ".json" else _arrays(made)
    try:
        write_durably(path, [data])
    except OSError as error:
        raise unwritable(path, error) from error


def refuse_unwritable_slice(path: Path, *, is_plane: bool = False) -> None:
    """Refuse a file that :func:`save_slice` could not write, before any work is done.

    Args:
        path: The file.
        is_plane: Whether a plane is to be written, which a page can show.

    Raises:
        InputError: the ending is unknown, or the folder is missing or closed.
    """
    if path.suffix == ".html" and not is_plane:
        raise InputError(f"{path.name!r}: only a plane has a page; end it in .png, .svg, .pdf, .npz or .json")
    if path.suffix in (".gif", ".mp4"):
        raise InputError(f"{path.name!r}: a slice has no film; end it in .png, .svg, .pdf, .npz or .json")
    refuse_unwritable(path)


def refuse_no_surface(path: Path, *, is_plane: bool) -> None:
    """Refuse a surface of what has none, before any work is done.

    Raises:
        InputError: it is not of a plane, or the file is no figure.
    """
    if not is_plane:
        raise InputError(
            "a surface is of a plane, which this slice is not; take a plane or a pca plane, or leave the surface out"
        )
    if path.suffix not in _FIGURES:
        raise InputError(f"a surface is a figure, but {path.name!r} is none; end it in .png, .svg or .pdf")


def slice_numbers(made: Picture) -> dict[str, Any]:
    """Return the numbers of a slice, as plain values."""
    loss = made.losses.loss
    finite = loss[np.isfinite(loss)]
    numbers: dict[str, Any] = {
        "kind": type(made).__name__,
        "n_points": len(loss),
        "n_measured": int(made.losses.done.sum()),
        "n_not_finite": int((made.losses.done & ~np.isfinite(loss)).sum()),
        "least_loss": float(finite.min()) if len(finite) else float("nan"),
        "greatest_loss": float(finite.max()) if len(finite) else float("nan"),
        "greatest_error": float(np.nanmax(made.losses.error)) if made.losses.done.any() else float("nan"),
    }
    if isinstance(made, LossLine):
        numbers |= {"length": made.length}
        if made.is_monotone is not None:
            numbers |= {"barrier": made.barrier, "excess": made.excess, "is_monotone": made.is_monotone}
    if isinstance(made, LowLossPath):
        straight = {name: getattr(made.straight, name) for name in ("barrier", "excess", "length")}
        numbers |= {"barrier": made.barrier, "excess": made.excess, "length": made.length, "straight": straight}
        numbers |= {"found_by": {"settings": asdict(made.settings), **made.diagnostics}}
    if isinstance(made, LossPlane):
        numbers |= {"reach": float(made.x[-1]), "cosine": made.cosine}
        if made.trajectory is not None:
            numbers |= {
                "explained": list(made.trajectory.explained),
                "explained_by_chance": list(made.trajectory.explained_by_chance),
                "greatest_off_plane": float(made.trajectory.off_plane.max()),
            }
    return numbers | {"settings": asdict(made.losses.settings), "diagnostics": made.losses.diagnostics}


def _arrays(made: Picture) -> bytes:
    arrays: dict[str, Any] = {name: value for name, value in vars(made).items() if isinstance(value, np.ndarray)}
    arrays |= {"coefficients": made.losses.coefficients, "error": made.losses.error, "done": made.losses.done}
    if isinstance(made, LowLossPath):
        arrays |= {"straight_positions": made.straight.positions, "straight_loss": made.straight.loss}
    if made.losses.accuracy is not None:
        arrays["accuracy"] = made.losses.accuracy
    if isinstance(made, LossPlane) and made.trajectory is not None:
        arrays |= {f"trajectory_{name}": np.asarray(value) for name, value in vars(made.trajectory).items()}
    held = io.BytesIO()
    np.savez_compressed(held, **arrays)
    return held.getvalue()
