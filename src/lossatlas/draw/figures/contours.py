"""Contours of a loss over points of a plane, on a log scale where it spans decades."""

import matplotlib as mpl
import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.tri import LinearTriInterpolator, Triangulation

from lossatlas._arrays import Mask, Vector
from lossatlas.draw.figures.bars import mark_axis
from lossatlas.draw.figures.style import QUIET

_LEVELS = 24
_LINES = 10
# Losses that differ by more than this factor are drawn on a log scale.
_DECADES = 20


def draw_contours(drawn: Figure, axes: Axes, points: Float[np.ndarray, "2 n"], loss: Vector, done: Mask, *, label: str) -> None:
    """Fill between contours, draw some of them as lines, and hatch where the loss is no number.

    Points that were not measured yet are left out, and the contours pass over them.
    """
    x, y = points
    shown = done & np.isfinite(loss)
    axes.set(xlim=(x.min(), x.max()), ylim=(y.min(), y.max()))
    if (done & ~shown).any():
        axes.patch.set(facecolor="none", edgecolor=QUIET, hatch="////", linewidth=0)
    if shown.sum() < 3:
        return
    mesh = Triangulation(x[shown], y[shown])
    if (done & ~shown).any():
        # Triangles that bridge points without a number show none.
        bad = Triangulation(x[done], y[done])
        values = np.where(np.isfinite(loss[done]), 0.0, 1.0)
        centres = np.stack([mesh.x[mesh.triangles].mean(axis=1), mesh.y[mesh.triangles].mean(axis=1)])
        mesh.set_mask(np.ma.filled(LinearTriInterpolator(bad, values)(*centres), 1.0) > 0.3)
    low, high = float(loss[shown].min()), float(loss[shown].max())
    norm: Normalize
    if low > 0 and high > _DECADES * low:
        norm, levels = LogNorm(low, high), np.geomspace(low, high, _LEVELS + 1)
    else:
        high = high if high > low else low + max(abs(low), 1.0) * 1e-6
        norm, levels = Normalize(low, high), np.linspace(low, high, _LEVELS + 1)
    levels[0], levels[-1] = low, high
    axes.tricontourf(mesh, loss[shown], levels=levels, norm=norm, cmap="viridis")
    axes.tricontour(mesh, loss[shown], levels=levels[:: _LEVELS // _LINES], norm=norm, colors="white", linewidths=0.35, alpha=0.7)
    bar = drawn.colorbar(mpl.cm.ScalarMappable(norm, "viridis"), ax=axes, shrink=0.85, pad=0.02)
    bar.set_label(label + (" (log scale)" if isinstance(norm, LogNorm) else ""))
    bar.outline.set_visible(False)
    mark_axis(bar.ax.yaxis, low, high, is_log=isinstance(norm, LogNorm))
