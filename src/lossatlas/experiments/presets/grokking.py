"""Addition modulo a number: memorised early, generalised late; and when a map shows it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from lossatlas._arrays import Distances, Vector
from lossatlas._atlas import Atlas
from lossatlas.distance import pairwise
from lossatlas.experiments.comparison import Claim, Findings, Measure, Preset, ranked
from lossatlas.experiments.comparison.maps import ALL
from lossatlas.experiments.comparison.unit import FITS, Unit, measure_network
from lossatlas.store import Run, open_run

_POWER, _GROMOV, _OWN = "Power et al. 2022", "Gromov 2023", "beyond the paper"
_GENERALISES, _CHANCE = 0.95, 0.1
_LATE = 5  # times as long as it took to fit

_FURTHER = (
    Measure(
        name="accuracy_when_it_fits",
        label="test accuracy when it fits",
        meaning="When 99 % of its own are right.",
        written="percent",
    ),
    Measure(
        name="epochs_to_half",
        label="epochs until half generalised",
        meaning="Until half of the test pairs are right.",
        is_wait=True,
    ),
    Measure(
        name="epochs_to_generalise",
        label="epochs until it generalises",
        meaning="Until 95 % of the test pairs are right.",
        is_wait=True,
    ),
    Measure(
        name="halfway_predictions",
        label="half-way, by predictions",
        meaning="First epoch whose predictions are nearer to those of the end than to those of when it fitted.",
    ),
    Measure(
        name="halfway_inpca", label="… on their InPCA map", meaning="The same, of distances on the InPCA map of all trainings."
    ),
    Measure(
        name="halfway_phate", label="… on their PHATE map", meaning="The same, of distances on the PHATE map of all trainings."
    ),
)


def measure(unit: Unit) -> None:
    """Do what is done for every network, and find when it generalised."""
    measure_network(unit, moments)


def moments(run: Run) -> dict[str, float | None]:
    """Return when a network generalised, and how well it did when it fitted."""
    test = run.metrics["test_accuracy"]
    fits = _first(run.metrics["train_accuracy"] >= FITS)
    return {
        "accuracy_when_it_fits": None if fits is None else float(test[fits]),
        "epochs_to_half": _epoch(run, _first(test >= 0.5)),
        "epochs_to_generalise": _epoch(run, _first(test >= _GENERALISES)),
    }


def of_maps(units: Sequence[Unit], atlases: Mapping[str, Atlas]) -> dict[str, dict[str, Vector]]:
    """Return when each network is half-way between the two ends of its generalising, on the map that all share."""
    shared = atlases[ALL]
    assert shared.distances is not None  # an atlas that was made here
    places: dict[str, Distances] = {
        "halfway_predictions": shared.distances,
        "halfway_inpca": pairwise(shared.layouts["inpca"].coordinates).euclidean,
        "halfway_phate": pairwise(shared.embedding.coordinates).euclidean,
    }
    rows = {(trace.group, trace.name.rsplit("/", maxsplit=1)[-1]): slice(trace.start, trace.stop) for trace in shared.traces}
    found: dict[str, dict[str, Vector]] = {}
    for name, distances in places.items():
        for unit in units:
            own = rows.get((unit.variant, unit.training.name))
            moment = np.nan if own is None else _moment(open_run(unit.training), distances[own, own])
            values = found.setdefault(name, {}).get(unit.variant, np.zeros(0))
            found[name][unit.variant] = np.append(values, moment)
    return found


def _moment(run: Run, distances: Distances) -> float:
    """Return the epoch at which a run is half-way from where it fitted to its end; NaN where it never fitted."""
    fits = _first(run.metrics["train_accuracy"] >= FITS)
    if fits is None or fits >= len(distances) - 1:
        return np.nan
    return float(run.steps[halfway(distances, fits)])


def halfway(distances: Distances, first: int) -> int:
    """Return the first point after ``first`` that is nearer to the last point than to that one.

    >>> line = np.array([0.0, 1, 2, 3, 9, 10])
    >>> halfway(np.abs(np.subtract.outer(line, line)), 1)
    4
    """
    own = distances[first + 1 :]
    return first + 1 + int(np.flatnonzero(own[:, first] >= own[:, -1])[0])


def _first(is_so: np.ndarray) -> int | None:
    places = np.flatnonzero(is_so)
    return int(places[0]) if len(places) else None


def _epoch(run: Run, point: int | None) -> float | None:
    return None if point is None else float(run.steps[point])


def claims(found: Findings) -> Sequence[Claim]:
    """Return what is claimed of grokking, and how it fared."""
    return [
        _late(found),
        _without_decay(found),
        _linear(found),
        _phate(found),
    ]


def _linear(found: Findings) -> Claim:
    return _in_order(found, "halfway_inpca", text="A linear map of predictions (InPCA) shows when a network generalises.")


def _phate(found: Findings) -> Claim:
    return _in_order(found, "halfway_phate", text="Their PHATE map shows when a network generalises.")


def _whether(shown: Claim) -> str:
    return "in the order in which they generalise" if shown.verdict == "held" else "not in the order in which they generalise"


def _late(found: Findings) -> Claim:
    """Whether every network with decay fits at chance, and generalises late."""
    text = "With weight decay, a network that fits at once and knows nothing generalises long after."
    fits, late = found.of("epochs_to_fit", "decay"), found.of("epochs_to_generalise", "decay")
    at_fit = found.of("accuracy_when_it_fits", "decay")
    with np.errstate(invalid="ignore"):
        is_late = (late >= _LATE * fits) & (at_fit <= _CHANCE)
    number = (
        f"fits at epoch {found.said('epochs_to_fit', 'decay')} with {found.said('accuracy_when_it_fits', 'decay')} of the test "
        f"pairs right, 95 % at epoch {found.said('epochs_to_generalise', 'decay')}; at least {_LATE} times later in "
        f"{int(is_late.sum())} of {len(is_late)} seeds"
    )
    return Claim(text=text, source=_POWER, verdict="held" if is_late.all() else "not held", number=number)


def _without_decay(found: Findings) -> Claim:
    last = found.of("test_accuracy", "no decay")
    number = f"test accuracy at the end {found.said('test_accuracy', 'no decay')}"
    text = "Without weight decay it does not generalise in the same time."
    return Claim(text=text, source=_GROMOV, verdict="held" if bool((last <= _CHANCE).all()) else "not held", number=number)


def _in_order(found: Findings, measure: str, *, text: str) -> Claim:
    """Whether a moment on a map comes in the order in which networks generalise, over all that do."""
    names = list(found.settings.variants)
    x, y = (np.concatenate([found.of(name, variant) for variant in names]) for name in ("epochs_to_generalise", measure))
    shown = ranked(
        x,
        y,
        of="half-way moment and the epoch of 95 %",
        text=text,
        source=_OWN,
        why="too few networks generalised, or the map has the same moment for all",
        beyond=0.8,
    )
    times = np.median((y / x)[np.isfinite(y / x)]) if shown.verdict != "not testable here" else np.nan
    return shown if np.isnan(times) else replace(shown, number=f"{shown.number}, {times:.2f} times that epoch in the median")


def _when(found: Findings, variant: str) -> str:
    said = found.said("epochs_to_generalise", variant)
    return "in no seed" if said == "–" else f"at epoch {said}"


def conclusions(found: Findings) -> Sequence[str]:
    """Return what can and what cannot be said."""
    linear, phate = _linear(found), _phate(found)
    why = "; PHATE spreads evenly what was recorded evenly, and so says little of how fast it went"
    return [
        f"Networks have their own pairs right at epoch {found.said('epochs_to_fit', 'decay')}; with weight decay 95 % of the "
        f"others follow {_when(found, 'decay')}, with more decay {_when(found, 'more decay')}, with more data "
        f"{_when(found, 'more data')}, and without decay test accuracy ends at "
        f"{found.said('test_accuracy', 'no decay')}.",
        "On the InPCA map of predictions a network is half-way from memorising to its end at epoch "
        f"{found.said('halfway_inpca', 'decay')}, {found.said('halfway_inpca', 'more decay')} and "
        f"{found.said('halfway_inpca', 'more data')}, {_whether(linear)}. On the PHATE map it is at "
        f"{found.said('halfway_phate', 'decay')}, {found.said('halfway_phate', 'more decay')} and "
        f"{found.said('halfway_phate', 'more data')}, {_whether(phate)}{'' if phate.verdict == 'held' else why}.",
        "What cannot be concluded: that a map foresees it. The half-way moment is known when the end is, and the network "
        "without decay has one too; the test accuracy beside it says what the moment was of.",
    ]


PRESET = Preset(
    name="grokking", claims=claims, conclusions=conclusions, measure=measure, further=_FURTHER, of_maps=of_maps, with_pairs=False
)
