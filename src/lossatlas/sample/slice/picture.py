"""What every slice can do: draw and save itself."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from lossatlas.sample.slice.losses import Losses

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Picture:
    """A slice of the loss that can be looked at."""

    losses: Losses

    def figure(self, *, title: str = "") -> "Figure":
        """Return the slice as a matplotlib figure."""
        from lossatlas.draw.slices import slice_figure

        return slice_figure(self, title=title)

    def save(self, path: str | os.PathLike[str], *, title: str = "") -> None:
        """Write by the ending of ``path``: .png .svg .pdf figure, .npz arrays, .json numbers; a plane also .html page.

        Raises:
            InputError: the ending is none of these, or the place cannot be written.
        """
        from lossatlas.draw.slices import save_slice

        save_slice(self, Path(path), title=title)
