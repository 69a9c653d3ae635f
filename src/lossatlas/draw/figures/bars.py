"""Scales of colour, and the bars that explain them."""

import math
from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colorbar import Colorbar
from matplotlib.colors import BoundaryNorm, Colormap, ListedColormap, LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullFormatter, NullLocator

from lossatlas.draw.figures.style import INK, Style

LOSSES = "viridis"
# Up to so many values each has a field of its own in a bar; more run into each other.
_MOST_FIELDS = 12


def scale_of(values: np.ndarray, *, is_log: bool) -> Normalize:
    """Return the scale from the least to the greatest finite value; on a log scale from the least above 0."""
    counted = values[np.isfinite(values) & ((values > 0) | (not is_log))]
    if not len(counted):
        return Normalize(0, 1)
    low, high = float(counted.min()), float(counted.max())
    if is_log:
        return LogNorm(low, high) if low < high else LogNorm(low / 1.1, high * 1.1)
    return Normalize(low, high) if low < high else Normalize(low - 0.5, high + 0.5)


def log_ticks(low: float, high: float, *, most: int = 6) -> list[float]:
    """Return where a log axis is labelled: at powers of ten, where these are few at 2 and 5 too.

    >>> log_ticks(0.01, 20.0)
    [0.01, 0.1, 1.0, 10.0]
    >>> log_ticks(0.3, 4.0)
    [0.5, 1.0, 2.0]
    >>> log_ticks(1.1, 1.4)
    [1.1, 1.2, 1.3, 1.4]
    """
    inside = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    room = 1 + 1e-9
    decades = [10.0**k for k in inside if low / room <= 10.0**k <= high * room]
    if len(decades) > 2:
        return decades[:: math.ceil(len(decades) / most)]
    for digits in ((1, 2, 5), (1, 1.5, 2, 3, 5, 7)):
        between = [float(f"{digit}e{k}") for k in inside for digit in digits]
        between = [value for value in between if low / room <= value <= high * room]
        if len(between) > 2:
            return between
    even = MaxNLocator(most - 1, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    return [float(f"{value:.6g}") for value in even if value > 0 and low / room <= value <= high * room]


def tick_words(value: float, _: object = None) -> str:
    r"""Return a number as an axis shows it: in digits where these are few, else as a power of ten.

    >>> tick_words(0.05), tick_words(200.0), tick_words(2e6)
    ('0.05', '200', '$2\\times10^{6}$')
    """
    if value == 0 or 1e-3 <= abs(value) < 1e4:
        return f"{value:g}".replace("-", "\N{MINUS SIGN}")
    power = math.floor(math.log10(abs(value)) + 1e-9)
    digits = f"{value / 10.0**power:.6g}"
    return f"$10^{{{power}}}$" if digits == "1" else rf"${digits}\times10^{{{power}}}$"


def mark_axis(axis: Axis, low: float, high: float, *, is_log: bool, most: int = 6) -> None:
    """Put ticks and their words on an axis."""
    if is_log:
        axis.set_major_locator(FixedLocator(log_ticks(low, high, most=most)))
        axis.set_minor_formatter(NullFormatter())
    else:
        axis.set_major_locator(MaxNLocator(most - 1))
    axis.set_major_formatter(FuncFormatter(tick_words))


def draw_bar(
    made: Figure, beside: Axes, norm: Normalize, label: str, style: Style, *, colours: str | Colormap = LOSSES
) -> Colorbar:
    """Put a bar on the right of a panel, as high as it, with ticks and the words for what it shows."""
    is_log = isinstance(norm, LogNorm)
    wide = style.text / 72 * 0.8
    place = beside.inset_axes((1.04, 0.0, wide / max(_inches(beside), 1.0), 1.0))
    bar = made.colorbar(mpl.cm.ScalarMappable(norm, colours), cax=place)
    bar.set_label(label + (" (log scale)" if is_log else ""), color=INK, parse_math=False)
    bar.outline.set_visible(False)
    if isinstance(norm, BoundaryNorm):
        return bar
    mark_axis(bar.ax.yaxis, float(norm.vmin or 0), float(norm.vmax or 0), is_log=is_log)
    return bar


def draw_fields(made: Figure, beside: Axes, values: Sequence[float], label: str, style: Style) -> None:
    """Put a bar with a field for each of a few values beside a panel."""
    norm, colours = fields_of(values)
    bar = draw_bar(made, beside, norm, label, style, colours=colours)
    bar.ax.yaxis.set_major_locator(FixedLocator([*range(len(values))]))
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda place, _: f"{values[round(place)]:g}"))
    bar.ax.yaxis.set_minor_locator(NullLocator())


def fields_of(values: Sequence[float]) -> tuple[BoundaryNorm, ListedColormap]:
    """Return the scale of the places of a few values in their order, and the colour of each."""
    drawn = mpl.colormaps[LOSSES](np.linspace(0, 1, len(values)))
    return BoundaryNorm(np.arange(len(values) + 1) - 0.5, len(values)), ListedColormap(drawn)


def are_few(values: np.ndarray) -> bool:
    """Whether each value can have a colour of its own."""
    return len(np.unique(values[np.isfinite(values)])) <= _MOST_FIELDS


def _inches(axes: Axes) -> float:
    figure = axes.get_figure(root=True)
    assert figure is not None
    return float(axes.get_position().width * figure.get_figwidth())
