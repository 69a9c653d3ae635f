"""A comparison at a size that tests can wait for."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from lossatlas.experiments.comparison import Claim, Findings, Jump, Preset, Recipe, Settings, lower
from lossatlas.experiments.comparison.unit import Unit, units_of

SMALL = Settings(
    title="Slow & fast",
    question="Does a tenth of the learning rate go a shorter way?",
    recipe=Recipe(
        data_options={"n_train": 40},
        network="mlp",
        network_options={"width": 8},
        epochs=6,
        passes=1,
        batch=20,
        learning_rate=0.05,
    ),
    variants={"fast": {}, "slow": {"learning_rate": 0.005}},
    seeds=(0, 1),
    jump=Jump(seeds=(0,), steps=(0.5, 1.0), epochs=3, passes=1),
    with_curvature=False,
)


def claims(found: Findings) -> Sequence[Claim]:
    return [lower(found, "length", "slow", "fast", text="Slow goes a shorter way.", source="here")]


def conclusions(found: Findings) -> Sequence[str]:
    return [f"Slow went {found.said('length', 'slow')}, fast {found.said('length', 'fast')}."]


class Small(Preset):
    """With settings of its own in place of a file's."""

    settings = SMALL
    has_full_size = False

    def default_settings(self, **_):
        return self.settings


PRESET = Small(name="small", claims=claims, conclusions=conclusions)

# Without samples and in a moment.
TINY = replace(
    SMALL,
    recipe=replace(SMALL.recipe, network="mlp", network_options={"width": 4}, epochs=5),
    seeds=(0, 1, 2),
    jump=None,
)


def of(settings: Settings, folder: Path, variant: str, seed: int) -> Unit:
    """Return one network of a comparison."""
    return next(unit for unit in units_of(settings, folder) if (unit.variant, unit.seed) == (variant, seed))


class Reversed(ThreadPoolExecutor):
    """One thread, which begins when all work is there and ends with what came first."""

    def __init__(self, n):
        super().__init__(1)
        self.n, self.waiting = n, []

    def submit(self, function, /, *args):
        future = Future()
        self.waiting.append((future, function, args))
        if len(self.waiting) == self.n:
            super().submit(self._all)
        return future

    def _all(self):
        for future, function, args in reversed(self.waiting):
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(function(*args))
                except Exception as error:  # noqa: BLE001 - whoever asks for the result meets it
                    future.set_exception(error)
