"""Two copies of one network that part at an epoch: linear mode connectivity, after Frankle et al. 2020."""

from collections.abc import Sequence
from dataclasses import asdict, replace

import numpy as np

from lossatlas.experiments.comparison import Claim, Findings, Measure, Preset, lower, ranked
from lossatlas.experiments.comparison.unit import Numbers, Unit, is_finite, keep, of_training, trained_run, training_of
from lossatlas.experiments.forks import fork, instability
from lossatlas.experiments.training import trained

_FRANKLE = "Frankle et al. 2020"
_STABLE = 0.02  # of the error: below it they call two trainings linearly connected
_WAY = ("length", "displacement", "straightness", "null_straightness")  # of a fork, only of what it went since it parted

_FURTHER = (
    Measure(
        name="train_loss_above",
        label="barrier to its twin",
        meaning="How far the training loss on the straight line to the twin's end rises above the mean of both ends.",
    ),
    Measure(
        name="train_error_above",
        label="… in training error",
        meaning="The same of the share of training samples that are wrong: below 2 % the two are called linearly connected.",
        written="percent",
    ),
    Measure(
        name="test_error_above",
        label="… in test error",
        meaning="The same of the share of test samples that are wrong.",
        written="percent",
    ),
    Measure(name="length_to_twin", label="distance to its twin", meaning="Of the two ends, in units of the weights."),
)


def measure(unit: Unit) -> None:
    """Train the trunk and the fork of a unit, and measure the line between their ends, unless that is done."""
    if unit.numbers is not None:
        return
    if unit.recipe.fork is None:
        keep(unit, of_training(trained_run(unit)))
        return
    trunk = replace(training_of(unit), path=unit.trunk, group="trunk")
    (twin,) = trained([trunk])
    own = training_of(unit)
    parted = fork(trunk, twin, at=unit.recipe.fork, order=1, path=unit.training)
    (run,) = trained([replace(parted, group=own.group, key=own.key)])
    found = since_the_start(of_training(run), unit.recipe.fork)
    if is_finite(run) and is_finite(twin):
        between = asdict(instability(unit.task(), twin, run))
        found |= {f"{name}_above": between[name] for name in ("train_loss", "train_error", "test_error")}
        found["length_to_twin"] = between["length"]
    keep(unit, found)


def since_the_start(numbers: Numbers, fork: int) -> dict[str, float | None]:
    """Return the numbers of a fork's own part as those of its whole training: epochs count from the start, its way does not."""
    fits = numbers.get("epochs_to_fit")
    own = {name: value for name, value in numbers.items() if name not in _WAY}
    return own | ({} if fits is None else {"epochs_to_fit": fits + fork})


def forks_of(found: Findings) -> dict[str, int]:
    """Return the epochs at which variants part, by their names."""
    recipes = {name: found.settings.recipe_of(name) for name in found.settings.variants}
    return {name: recipe.fork for name, recipe in recipes.items() if recipe.fork is not None}


def claims(found: Findings) -> Sequence[Claim]:
    """Return what is claimed of forks, and how it fared."""
    epochs = forks_of(found)
    first, last = min(epochs, key=epochs.__getitem__), max(epochs, key=epochs.__getitem__)
    return [
        _falls(found),
        lower(
            found,
            "train_loss_above",
            last,
            first,
            text="Between copies that part late the barrier is lower than between copies that part at the start.",
            source=_FRANKLE,
        ),
        lower(
            found,
            "length_to_twin",
            last,
            first,
            text="The later they part, the nearer they end.",
            source=_FRANKLE,
        ),
    ]


def _falls(found: Findings) -> Claim:
    """Whether the barrier falls with the epoch of the fork, by ranks over all pairs."""
    text = "The barrier falls the later the copies part."
    epochs = forks_of(found)
    x = np.concatenate([np.full(len(found.settings.seeds), float(epoch)) for epoch in epochs.values()])
    y = np.concatenate([found.of("train_loss_above", name) for name in epochs])
    return ranked(x, y, of="barrier and epoch", text=text, source=_FRANKLE, why="too few pairs ended", falls=True)


def conclusions(found: Findings) -> Sequence[str]:
    """Return what can and what cannot be said."""
    epochs = forks_of(found)
    names = sorted(epochs, key=epochs.__getitem__)
    is_stable = [found.mean("train_error_above", name) < _STABLE for name in names]
    first = next((place for place in range(len(names)) if all(is_stable[place:])), None)
    since = "from none of these epochs on" if first is None else f"from epoch {names[first]} on"
    return [
        f"Between copies that part at epoch {names[0]} the training loss on the straight line rises by "
        f"{found.said('train_loss_above', names[0])}, between those that part at epoch {names[-1]} by "
        f"{found.said('train_loss_above', names[-1])}. The line's training error is within {_STABLE:.0%} of its ends {since}.",
        f"Their ends are {found.said('length_to_twin', names[0])} and {found.said('length_to_twin', names[-1])} apart. On the "
        "map the forks leave the trunk where they part.",
        "What cannot be concluded: that a basin is decided at one moment. Copies that part late have less time to go apart, and "
        "a straight line is the strictest of ways.",
    ]


PRESET = Preset(name="forks", claims=claims, conclusions=conclusions, measure=measure, further=_FURTHER, with_pairs=False)
