"""How large everything is that a figure shows: on paper, and on the wall behind a speaker."""

from dataclasses import dataclass
from typing import Any

from lossatlas._arrays import InputError

INK, QUIET, FAINT = "#1a1a1a", "#5f5f5f", "#d0d0d0"
GOLD = "#FFD23F"  # of the optimum


@dataclass(frozen=True, kw_only=True)
class Style:
    """Sizes of a figure: lengths in inches, text and lines in points, marks in square points, as matplotlib takes them."""

    name: str
    column: float  # width of a figure of one panel a row
    page: float  # width of a figure of several
    height: float | None  # of every figure; None is as high as its panels ask for
    dpi: int  # of a picture made of pixels
    text: float
    small: float
    title: float
    frame: float  # line round a map, and of axes
    thin: float  # line through the points of a run
    thick: float  # line of a path, of a curve
    edge: float  # outline of a mark
    point: float
    end: float  # where a training ended
    diamond: float  # where a jump landed
    star: float
    cross: float
    most_diagrams: int  # side by side, unless more are asked for
    has_captions: bool  # how each map was made, in small words below it
    is_legend_below: bool  # a legend stands below the figure, else on its right
    is_side_by_side: bool  # the panels of one map stand side by side, else above each other

    @property
    def rc(self) -> Any:  # noqa: ANN401 - matplotlib's type of it is a list of every setting
        """Settings of matplotlib; the same figure gives the same bytes."""
        return {
            "font.family": "sans-serif",
            "font.size": self.text,
            "axes.titlesize": self.text,
            "axes.labelsize": self.text,
            "xtick.labelsize": self.small,
            "ytick.labelsize": self.small,
            "legend.fontsize": self.small,
            "legend.title_fontsize": self.small,
            "axes.linewidth": self.frame,
            "xtick.major.width": self.frame,
            "ytick.major.width": self.frame,
            "xtick.minor.width": self.frame * 0.7,
            "ytick.minor.width": self.frame * 0.7,
            "hatch.linewidth": self.frame,
            "pdf.fonttype": 42,  # letters stay letters in an editor
            "svg.fonttype": "none",
            "svg.hashsalt": "lossatlas",
        }


# Columns of 3.3 in and pages of 6.9 in are those of most two-column journals, which ask for text of 7 points at least.
PAPER = Style(
    name="paper",
    column=3.3,
    page=6.9,
    height=None,
    dpi=300,
    text=8,
    small=7,
    title=9,
    frame=0.5,
    thin=0.6,
    thick=1.4,
    edge=0.5,
    point=7,
    end=22,
    diamond=26,
    star=110,
    cross=24,
    most_diagrams=3,
    has_captions=True,
    is_legend_below=False,
    is_side_by_side=False,
)

# A slide of 16:9, which comes to 1920 x 1080 pixels. What its captions say in small print, the speaker says.
TALK = Style(
    name="talk",
    column=40 / 3,
    page=40 / 3,
    height=7.5,
    dpi=144,
    text=20,
    small=18,
    title=26,
    frame=1.2,
    thin=1.6,
    thick=4,
    edge=1.2,
    point=46,
    end=130,
    diamond=150,
    star=640,
    cross=150,
    most_diagrams=2,
    has_captions=False,
    is_legend_below=True,
    is_side_by_side=True,
)

STYLES = {style.name: style for style in (PAPER, TALK)}


def named_style(style: str | Style) -> Style:
    """Return a style by its name; one's own, as ``dataclasses.replace(PAPER, column=3.5)``, as it is.

    Raises:
        InputError: there is no such style.
    """
    if isinstance(style, Style):
        return style
    if style not in STYLES:
        raise InputError(f"style must be {' or '.join(map(repr, STYLES))}, but is {style!r}; choose one")
    return STYLES[style]
