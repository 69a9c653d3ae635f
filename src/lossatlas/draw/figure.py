"""A scene or an atlas as a figure by the name of its preset, and a figure as a file."""

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Literal, get_args

import matplotlib as mpl
from matplotlib.figure import Figure

from lossatlas._arrays import InputError
from lossatlas._atlas import Atlas
from lossatlas.draw.compose import scene as scene_of
from lossatlas.draw.figures.landscape import landscape_figure
from lossatlas.draw.figures.methods import methods_figure
from lossatlas.draw.figures.persistence import persistence_figure
from lossatlas.draw.figures.style import Style, named_style
from lossatlas.draw.figures.topology import topology_figure
from lossatlas.draw.scene import Scene
from lossatlas.store import unwritable, write_durably

Preset = Literal["landscape", "methods", "persistence", "topology"]

# What a file would say of its moment or its maker, which is no part of the figure.
_UNDATED: dict[str, dict[str, None]] = {".png": {"Software": None}, ".svg": {"Date": None}, ".pdf": {"CreationDate": None}}

_OF_SCENES: dict[str, Callable[..., Figure]] = {"landscape": landscape_figure, "methods": methods_figure}


def figure(scene: Scene, *, style: str | Style = "paper", preset: str = "landscape") -> Figure:
    """Return a scene as one of the figures of Horoi et al. 2022: :func:`landscape_figure` (Fig. 2) or :func:`methods_figure` (1).

    Raises:
        InputError: the scene has no map, or there is no such preset or style. Diagrams (Fig. 3) are no scene: they are drawn by
            :func:`persistence_figure` and :func:`topology_figure`.
    """
    if preset not in _OF_SCENES:
        raise InputError(f"preset must be 'landscape' or 'methods', but is {preset!r}; choose one")
    return _OF_SCENES[preset](scene, style=style)


def atlas_figure(atlas: Atlas, *, title: str, style: str | Style = "paper", preset: str = "landscape") -> Figure:
    """Return an atlas as one of the paper's figures; see :meth:`Atlas.figure`.

    Raises:
        InputError: there is no such preset or style, or a diagram is asked for where no loss was recorded.
    """
    if preset in {"persistence", "topology"}:
        if atlas.diagram is None or atlas.merge_tree is None:
            raise InputError("there is no diagram, for no run has a loss; record one, such as recorder.step(test_loss=...)")
        label = (atlas.loss or "loss").replace("_", " ")
        if preset == "topology":
            return topology_figure(atlas.diagram, atlas.merge_tree, loss_label=label, style=style, title=title)
        return persistence_figure({title: atlas.diagram}, loss_label=label, style=style)
    if preset not in _OF_SCENES:
        raise InputError(f"preset must be {', '.join(map(repr, get_args(Preset)))}, but is {preset!r}; choose one")
    return figure(scene_of({title: atlas}, title=title), style=style, preset=preset)


def write_figure(made: Figure, path: str | os.PathLike[str], *, style: str | Style = "paper") -> None:
    """Write a figure by the ending of ``path``, whole or not at all; the same figure gives the same bytes.

    Raises:
        InputError: the ending is not that of a figure, or the place cannot be written.
    """
    chosen, path = named_style(style), Path(path)
    refuse_no_figure(path)
    stream = io.BytesIO()
    with mpl.rc_context(chosen.rc):
        made.savefig(stream, format=path.suffix[1:], dpi=chosen.dpi, metadata=_UNDATED[path.suffix])
    try:
        write_durably(path, [stream.getvalue()])
    except OSError as error:
        raise unwritable(path, error) from error


def refuse_no_figure(path: Path) -> None:
    """Refuse a file that is no figure by its ending, or could not be written, before any work is done.

    Raises:
        InputError: the ending is another, or the folder is missing.
    """
    if path.suffix not in _UNDATED:
        raise InputError(f"{path.name!r} must end in .png, .svg or .pdf; rename it")
    if not path.parent.is_dir():
        raise InputError(f"there is no folder {str(path.parent)!r} to write {path.name} into; make it first, or name another")
