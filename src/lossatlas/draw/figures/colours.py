"""Which colour stands for what: runs, jumps, time."""

from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
from matplotlib.colors import to_rgb

from lossatlas.draw.scene import Scene, SceneMap, SceneRun

# Okabe and Ito's colours, told apart with any colour vision; black and yellow left out: text and white paper have them. Then a
# wine of Tol's and a grey.
HUES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#882255", "#7f7f7f")

Rgba = tuple[float, float, float, float]


@dataclass(frozen=True)
class Colours:
    """Colours of directions by their seed, of other runs by their name, and of the sizes of jumps: the same on every map."""

    hues: dict[int | str, str]
    jumps: tuple[float, ...]  # ascending

    def of_run(self, run: SceneRun) -> str:
        """Return the colour of a run."""
        return self.hues[run.name if run.seed is None else run.seed]

    def of_points(self, run: SceneRun) -> np.ndarray:
        """Return the colour of each point of a run, ``(m, 3)``: its run's, paler where it matters less."""
        hue, pale = np.array(to_rgb(self.of_run(run))), _pale(run)[:, np.newaxis]
        return hue * (1 - pale) + pale

    def of_jump(self, jump: float) -> Rgba:
        """Return the colour of a jump's size."""
        place = self.jumps.index(jump) / max(len(self.jumps) - 1, 1)
        return mpl.colormaps["cividis"](1 - place)


def colours_of(scenes: Sequence[Scene]) -> Colours:
    """Return the colours of all that is on some scenes."""
    parts = [part for scene in scenes for part in scene.maps]
    runs = [run for part in parts for run in part.runs]
    seeds = sorted({run.seed for run in runs if run.seed is not None})
    hues: dict[int | str, str] = {seed: HUES[place % len(HUES)] for place, seed in enumerate(seeds)}
    for part in parts:
        own = [run for run in part.runs if run.seed is None and not is_optimum(part, run)]
        taken = len(seeds) if any(run.seed is not None for run in part.runs) else 0
        for place, run in enumerate(own, start=taken):
            hues.setdefault(run.name, HUES[place % len(HUES)])
    return Colours(hues, tuple(sorted({run.jump for run in runs if run.jump is not None})))


def is_optimum(part: SceneMap, run: SceneRun) -> bool:
    """Whether a run is the one point from which others jumped."""
    return part.optimum is not None and run.start == part.optimum and run.stop - run.start == 1


def _pale(run: SceneRun) -> np.ndarray:
    fade = np.linspace(0.0, 0.8, run.stop - run.start)
    if run.kind == "retraining":
        return fade
    # A retraining fades from its jump; a training grows stronger towards its end, which is what came of it.
    return fade[::-1] if run.kind == "training" else np.zeros_like(fade)
