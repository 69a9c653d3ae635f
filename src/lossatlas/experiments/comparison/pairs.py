"""Networks in pairs: what lies between their ends."""

import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lossatlas._arrays import Vector
from lossatlas.distance import RunSource, pairwise
from lossatlas.experiments.comparison.maps import shapes
from lossatlas.experiments.comparison.settings import Settings
from lossatlas.experiments.comparison.unit import Unit
from lossatlas.experiments.training import digest
from lossatlas.sample import linear_path
from lossatlas.store import open_run, write_durably

_POINTS = 11  # on the line between two ends
_ASKED = ("data", "data_options", "random_share", "loss")  # of a recipe: what a training loss is of


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two networks whose weights are alike in shape."""

    a: Unit
    b: Unit
    folder: Path

    @property
    def path(self) -> Path:
        """File of their numbers."""
        return self.folder / "pairs" / f"{digest({'a': self.a.key, 'b': self.b.key, 'points': _POINTS})}.json"

    @property
    def is_of_one_loss(self) -> bool:
        """Whether both were trained on the same samples and labels; on others, one end is no minimum of the other's loss."""
        return all(getattr(self.a.recipe, name) == getattr(self.b.recipe, name) for name in _ASKED)


def pairs_of(settings: Settings, units: Sequence[Unit], folder: Path) -> dict[str, dict[str, list[Pair]]]:
    """Return pairs by what they say: seeds of one variant, and each variant beside the first, from the same start."""
    of = {(unit.variant, unit.seed): unit for unit in units}
    first = next(iter(settings.variants))
    between_seeds = {
        variant: [
            Pair(a=of[variant, one], b=of[variant, other], folder=folder)
            for one, other in itertools.combinations(settings.seeds, 2)
        ]
        for variant in settings.variants
    }
    if settings.shared != "weights":
        return {"between_seeds": between_seeds}
    to_first = {
        variant: [Pair(a=of[first, seed], b=of[variant, seed], folder=folder) for seed in settings.seeds]
        for variant in settings.variants
        if variant != first
    }
    return {"between_seeds": between_seeds, "to_first": to_first}


def measure_pair(pair: Pair) -> None:
    """Measure the line between two ends, unless that is done.

    Networks of two kinds, or one that diverged, have none; between such that were trained on other samples or labels there is a
    distance and no barrier.
    """
    if pair.path.exists():
        return
    found: dict[str, float] = {}
    numbers = pair.a.numbers, pair.b.numbers
    one, other = open_run(pair.a.training), open_run(pair.b.training)
    if shapes(one) == shapes(other) and not any(of is None or of["diverged"] for of in numbers):
        between = pairwise(RunSource((one, other), ((one.n_points - 1,), (other.n_points - 1,))))
        found = {"distance": float(between.cosine[0, 1])}
        if pair.is_of_one_loss:
            found["barrier"] = linear_path(pair.a.task(), one, other, n=_POINTS).barrier
    pair.path.parent.mkdir(parents=True, exist_ok=True)
    write_durably(pair.path, [json.dumps(found).encode()])


def values_of_pairs(pairs: dict[str, dict[str, list[Pair]]]) -> dict[str, dict[str, Vector]]:
    """Return barrier and distance by measure and variant; NaN where there is none."""
    values: dict[str, dict[str, Vector]] = {}
    for of, by_variant in pairs.items():
        for variant, some in by_variant.items():
            found = [json.loads(pair.path.read_text()) for pair in some]
            for name in ("barrier", "distance"):
                values.setdefault(f"{name}_{of}", {})[variant] = np.array([one.get(name, np.nan) for one in found], dtype=float)
    return values
