"""The page as a widget of a notebook: what is selected on the map is selected in Python, and the other way."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lossatlas._arrays import InputError
from lossatlas.draw.encoding import encoded
from lossatlas.draw.page import built
from lossatlas.draw.scene import Scene

try:
    import anywidget
    import traitlets
except ModuleNotFoundError:
    raise ImportError("the widget needs anywidget; install it with: pip install 'lossatlas[notebook]'") from None

_LEAST_HEIGHT = 200

Rows = Sequence[int] | np.ndarray


def checked_rows(rows: Rows, n_points: int) -> tuple[int, ...]:
    """Return rows of a map of ``n_points`` points, or a mask over them, ascending and each once.

    >>> checked_rows([3, 1, 3], 5)
    (1, 3)
    >>> checked_rows(np.array([True, False, True]), 3)
    (0, 2)
    >>> checked_rows([5], 5)
    Traceback (most recent call last):
    ...
    lossatlas._arrays.InputError: the selection holds row 5, but the map has rows 0 to 4; leave it out
    """
    try:
        array = np.asarray(rows)
    except ValueError as error:
        raise InputError(f"a selection is a list of rows, but is nested unevenly ({error}); pass one list") from error
    if array.dtype == bool and array.shape == (n_points,):
        array = np.flatnonzero(array)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        wanted = f"a list of whole numbers, or a mask of {n_points}"
        raise InputError(f"a selection is {wanted}, but is of type {array.dtype} and shape {array.shape}; pass [] for none")
    chosen = tuple(map(int, np.unique(array)))
    for row in chosen[:1] + chosen[-1:]:
        if not 0 <= row < n_points:
            raise InputError(f"the selection holds row {row}, but the map has rows 0 to {n_points - 1}; leave it out")
    return chosen


class _Rows(traitlets.TraitType):
    """Rows of the widget's map: what Python assigns is checked."""

    default_value = ()
    info_text = "rows of the map"

    def validate(self, widget: Any, rows: Any) -> tuple[int, ...]:  # noqa: ANN401 - as traitlets calls it
        return checked_rows(rows, widget.n_points)


def _own(rows: Any, widget: "AtlasWidget") -> list[int]:  # noqa: ANN401
    """Return what is a row of the map among what a page sent: it may be an older page of the same notebook."""
    return [row for row in rows if type(row) is int and 0 <= row < widget.n_points] if isinstance(rows, list) else []


class AtlasWidget(anywidget.AnyWidget):
    """The interactive map in a notebook's cell, of a scene with one map.

    ``selection`` holds the selected rows of the map, ascending, as a tuple: assign rows, or a mask over the points, to select
    them on the map; read it after a lasso; follow it with ``widget.observe(function, "selection")``. Of ``n_points`` rows.

    Raises:
        InputError: the scene has not one map, the height is too small, or a selection holds what is no row.
    """

    _esm = built("widget.js")
    _header = traitlets.Unicode().tag(sync=True)
    _data = traitlets.Bytes().tag(sync=True)
    _height = traitlets.Int().tag(sync=True)
    selection = _Rows().tag(sync=True, from_json=_own)

    def __init__(self, scene: Scene, *, height: int = 720, selection: Rows = ()) -> None:
        if len(scene.maps) != 1:
            raise InputError(f"a widget shows one map, but the scene has {len(scene.maps)}; make a widget of each")
        if height < _LEAST_HEIGHT:
            raise InputError(f"height must be {_LEAST_HEIGHT} pixels or more, but is {height}")
        self.n_points = scene.maps[0].n_points
        header, data = encoded(scene)
        super().__init__(_header=header, _data=data, _height=height, selection=selection)
