"""The maps of a comparison: its trainings together, and what was sampled around one end of each variant."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from functools import partial

import numpy as np
from jaxtyping import Float

from lossatlas._atlas import Atlas, atlas
from lossatlas.experiments.comparison.recipe import Recipe
from lossatlas.experiments.comparison.settings import Settings
from lossatlas.experiments.comparison.unit import Unit, is_finite, map_of
from lossatlas.experiments.pool import results
from lossatlas.sample import predictions
from lossatlas.store import Run, open_run

ALL = "All trainings"


def of_trainings(settings: Settings, units: Sequence[Unit], *, executor: Executor | None = None) -> dict[str, Atlas]:
    """Return the maps of the trainings that went somewhere.

    Trainings of one kind of network share a map of weights; where there are several kinds, each has its own, or all share one
    of what they predict. To ask every point of every training takes long: ``executor`` shares it out.
    """
    runs = {unit: open_run(unit.training) for unit in units}
    ended = [unit for unit in units if is_finite(runs[unit])]
    ended.sort(key=lambda unit: list(settings.variants).index(unit.variant))
    return _of_predictions(ended, runs, executor) if settings.shared == "predictions" else _of_weights(ended, runs)


def around(settings: Settings, units: Sequence[Unit], *, begin: Callable[[str], None]) -> dict[str, Atlas]:
    """Return a map a variant, of its first seed's retrainings; ``begin`` is called with each name before it is made."""
    made: dict[str, Atlas] = {}
    for unit in units:
        if unit.seed == settings.seeds[0] and (sampled := unit.sampled()):
            begin(unit.variant)
            around_it = map_of(sampled)
            made |= {} if around_it is None else {f"Around {unit.variant}": around_it}
    return made


def _of_predictions(units: Sequence[Unit], runs: Mapping[Unit, Run], executor: Executor | None) -> dict[str, Atlas]:
    if not units:
        return {}
    asked = units[0].recipe  # its samples are put to all, though one may have been trained on some of them
    said = dict(results(partial(_predicted, asked), units, executor))
    each = [said[number] for number in range(len(units))]
    return {ALL: atlas([runs[unit] for unit in units], metric="predictions", predictions=each)}


def _predicted(asked: Recipe, unit: Unit) -> Float[np.ndarray, "n m c"]:
    return predictions(unit.task(data=asked.samples()), open_run(unit.training))


def _of_weights(units: Sequence[Unit], runs: Mapping[Unit, Run]) -> dict[str, Atlas]:
    alike: dict[tuple[object, ...], list[Unit]] = {}
    for unit in units:
        alike.setdefault(shapes(runs[unit]), []).append(unit)
    maps = {_name(group, n_kinds=len(alike)): map_of([runs[unit] for unit in group]) for group in alike.values()}
    return {name: made for name, made in maps.items() if made is not None}


def _name(group: Sequence[Unit], *, n_kinds: int) -> str:
    if n_kinds == 1:
        return ALL
    first, *others = dict.fromkeys(unit.variant for unit in group)
    return " and ".join([first, *(others if len(others) < 2 else [f"{len(others)} more"])])


def shapes(run: Run) -> tuple[object, ...]:
    """Return what two runs have in common that share a map of weights."""
    return tuple((tensor.name, tuple(tensor.shape)) for tensor in run.parameters)
