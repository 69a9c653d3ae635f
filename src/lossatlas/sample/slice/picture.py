"""What every slice can do: draw and save itself."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from lossatlas.sample.slice.losses import Losses

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Picture:
    """A slice of the loss that can be looked at."""

    losses: Losses

    def figure(self, *, title: str = "") -> "Figure":
        """Return the slice as a matplotlib figure."""
        from lossatlas.draw.figures.slices import slice_figure

        return slice_figure(self, title=title)

    def save(
        self,
        path: str | os.PathLike[str],
        *,
        title: str = "",
        surface: bool = False,
        style: Literal["paper", "talk"] = "paper",
    ) -> None:
        """Write by the ending of ``path``: .png .svg .pdf figure, .npz arrays, .json numbers; a plane also .html page.

        Args:
            path: The file.
            title: Stands above a figure.
            surface: Whether a plane is drawn in three dimensions.
            style: Of a surface.

        Raises:
            InputError: the ending is none of these, the place cannot be written, or a surface is asked for of what is no plane.
        """
        from lossatlas.draw.slices import save_slice

        save_slice(self, Path(path), title=title, surface=surface, style=style)
