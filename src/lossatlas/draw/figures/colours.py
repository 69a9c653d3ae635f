"""Which colour stands for what: runs, jumps, time."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Literal

import matplotlib as mpl
import numpy as np
from matplotlib.colors import to_rgb

from lossatlas.draw.scene import Scene, SceneMap, SceneRun

# Okabe and Ito's colours, told apart with any colour vision; black and yellow left out: text and white paper have them. Then a
# wine and a grey. The light blue comes late: what fades of the blue is as light. The page has the same.
HUES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#993366", "#7f7f7f")

# More than there are hues share them, and are told apart by the shape of their points.
MARKERS = ("o", "^", "s", "v")

# What has a hue of its own: the retrainings of a direction, by their seed, a group of other runs, or a run, by their names.
Key = tuple[Literal["seed", "group", "run"], int | str]

Rgba = tuple[float, float, float, float]


@dataclass(frozen=True)
class Colours:
    """Colours of directions, of groups and of other runs, and of the sizes of jumps: the same on every map."""

    places: dict[Key, int]  # in the order of hues
    jumps: tuple[float, ...]  # ascending

    def of_run(self, run: SceneRun) -> str:
        """Return the colour of a run."""
        return HUES[self.places[key_of(run)] % len(HUES)]

    def marker_of(self, run: SceneRun) -> str:
        """Return the shape of a run's points."""
        return MARKERS[self.places[key_of(run)] // len(HUES) % len(MARKERS)]

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
    keys = [_keys(part) for part in parts]
    seeds = sorted({key for found in keys for key in found if key[0] == "seed"})
    groups = dict.fromkeys(key for found in keys for key in found if key[0] == "group")
    places: dict[Key, int] = {key: place for place, key in enumerate((*seeds, *groups))}
    for found in keys:
        # Directions and groups keep their hues to themselves where there are any; runs of one map have no hue twice.
        kinds = {kind for kind, _ in found} - {"run"}
        taken = {place for key, place in places.items() if key in found or key[0] in kinds}
        free = (place for place in count() if place not in taken)
        for key in found:
            if key not in places:
                places[key] = next(free)
    return Colours(places, tuple(sorted({run.jump for run in runs if run.jump is not None})))


def key_of(run: SceneRun) -> Key:
    """Return what a run shares its hue with."""
    if run.seed is not None:
        return "seed", run.seed
    return ("run", run.name) if run.group is None else ("group", run.group)


def _keys(part: SceneMap) -> list[Key]:
    """Return what has a hue on a map, in the order of its runs."""
    return list(dict.fromkeys(key_of(run) for run in part.runs if not is_optimum(part, run)))


def is_optimum(part: SceneMap, run: SceneRun) -> bool:
    """Whether a run is the one point from which others jumped."""
    return part.optimum is not None and run.start == part.optimum and run.stop - run.start == 1


def _pale(run: SceneRun) -> np.ndarray:
    fade = np.linspace(0.0, 0.8, run.stop - run.start)
    if run.kind == "retraining":
        return fade
    # A retraining fades from its jump; a training grows stronger towards its end, which is what came of it.
    return fade[::-1] if run.kind == "training" else np.zeros_like(fade)
