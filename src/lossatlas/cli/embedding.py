"""What the commands that draw a map have in common: how it is made."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class PresetName(StrEnum):
    """The presets of PHATE."""

    SOUND = "sound"
    PAPER = "paper"


class OriginName(StrEnum):
    """Where a cosine is measured."""

    ZERO = "zero"
    CENTROID = "centroid"
    START = "start"


Knn = Annotated[int, typer.Option(min=1, help="Neighbours that set the kernel's width.")]
Decay = Annotated[float, typer.Option(help="How sharply the kernel falls.")]
Steps = Annotated[int, typer.Option("-t", min=0, help="Steps of the walk; 0 chooses them by the knee of the entropy.")]
Gamma = Annotated[float, typer.Option(help="1: log potential, 0: square root, -1: none.")]
Preset = Annotated[PresetName, typer.Option(help="'paper' repeats PHATE 1.0.6 with its defaults.")]
Origin = Annotated[OriginName, typer.Option(help="Where the cosine is measured.")]
Loss = Annotated[str | None, typer.Option(help="Metric whose landscape is measured.", show_default="the first loss")]


def title_of(runs: Sequence[str]) -> str:
    """Return the title of the map of runs that are named one by one, or of a pattern."""
    names = [Path(run).resolve().name for run in runs if not set("*?[") & set(run)]
    return ", ".join(dict.fromkeys(names)) if 0 < len(names) <= 3 else "lossatlas"
