"""One network of a comparison: trained, sampled around its end, and brought down to numbers, once."""

import json
import math
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from lossatlas._atlas import Atlas, atlas
from lossatlas.distance import recorded_pairwise
from lossatlas.embed.proximity import DistanceMatrix
from lossatlas.experiments.comparison.recipe import Recipe, task_of
from lossatlas.experiments.comparison.settings import Jump, Settings
from lossatlas.experiments.control import control_of, drift
from lossatlas.experiments.data import Samples
from lossatlas.experiments.training import Training, taken, trained
from lossatlas.measure import trajectory_geometry
from lossatlas.sample import JumpSettings, Task, curvature, jump_and_retrain, sharpness
from lossatlas.store import Run, open_run, write_durably
from lossatlas.store.manifest import read_description

Numbers: TypeAlias = Mapping[str, float | None]

# Of this share of the training samples right, a network is said to fit them.
FITS = 0.99

_LEAST = 4  # places of a map


@dataclass(frozen=True, kw_only=True, eq=False)
class Unit:
    """One network: a variant and a seed, how it is made, and the folder of the comparison."""

    variant: str
    seed: int
    recipe: Recipe
    jump: Jump | None
    with_curvature: bool
    options: Mapping[str, Any]
    key: str
    folder: Path

    @property
    def training(self) -> Path:
        """Folder of the run of its training."""
        return self._place("training")

    @property
    def samples(self) -> Path:
        """Folder of the retrainings."""
        return self._place("jumps")

    @property
    def control(self) -> Path:
        """Folder of the retraining without a jump."""
        return self._place("controls")

    @property
    def path(self) -> Path:
        """File of its numbers."""
        return self._place("numbers").with_suffix(".json")

    @property
    def numbers(self) -> Numbers | None:
        """What is known of it; None before it is done.

        Raises:
            InputError: they are of other settings.
        """
        if not self.path.exists():
            return None
        found = json.loads(self.path.read_text())
        if found["key"] != self.key:
            raise taken(self.folder)
        numbers: Numbers = found["numbers"]
        return numbers

    @property
    def is_stale(self) -> bool:
        """Whether its place is taken by work of other settings."""
        known = [json.loads(self.path.read_text())] if self.path.exists() else []
        of_runs = [read_description(run).settings for run in (self.trunk, self.training) if (run / "run.json").exists()]
        return any(found.get("key") != self.key for found in (*known, *of_runs))

    def forget(self) -> None:
        """Remove all that is in its place; a removal that was stopped leaves what is stale, or nothing."""
        self.path.unlink(missing_ok=True)
        for folder in (self.samples, self.control, self.trunk, self.training):
            aside = folder.with_name(f"{folder.name} forgotten")
            shutil.rmtree(aside, ignore_errors=True)
            if folder.exists():
                folder.rename(aside)  # at once: half of a run is damage, which nothing goes on from
            shutil.rmtree(aside, ignore_errors=True)

    def _place(self, kind: str) -> Path:
        return self.folder / kind / self.variant / f"seed-{self.seed}"

    @property
    def trunk(self) -> Path:
        """Folder of the run of the training that it leaves, where it is a fork."""
        return self._place("trunks")

    def task(self, *, retraining: bool = False, data: Samples | None = None) -> Task:
        """Return what it is trained or retrained on, or is asked about."""
        passes = self.jump.passes if retraining and self.jump is not None else None
        return task_of(self.recipe, self.seed, name=f"{self.key}{' retraining' if retraining else ''}", data=data, passes=passes)

    def sampled(self) -> list[Run]:
        """Return the optimum and its retrainings, which are there once it is done; none where it was not sampled."""
        if self.jump is None or not (self.samples / "optimum").exists():
            return []
        settings = self.jump.settings(self.recipe.learning_rate)
        return jump_and_retrain(self.task(retraining=True), open_run(self.training), self.samples, settings=settings)


def units_of(settings: Settings, folder: Path) -> list[Unit]:
    """Return every network of a comparison, seed by seed, so that all variants have some numbers early."""
    return [
        Unit(
            variant=variant,
            seed=seed,
            recipe=settings.recipe_of(variant),
            jump=settings.jump,
            with_curvature=settings.with_curvature,
            options=settings.options,
            key=settings.key(variant, seed),
            folder=folder,
        )
        for seed in settings.seeds
        for variant in settings.variants
    ]


def measure_network(unit: Unit, also: Callable[[Run], Numbers] | None = None) -> None:
    """Train, sample and measure one network, unless that is done; what was stopped goes on where it was.

    Args:
        unit: The network.
        also: Further numbers of its training. All are kept at once, so that what was stopped is done or not.
    """
    known = unit.numbers
    if known is not None:
        if unit.with_curvature and has_hessian() and not known["diverged"] and "eigenvalue" not in known:
            # It was measured before the package was installed.
            keep(unit, {**known, **of_minimum(unit, open_run(unit.training), unit.task(retraining=True))})
        return
    run = trained_run(unit)
    found = of_training(run) | dict({} if also is None else also(run))
    if is_finite(run):
        own = unit.task(retraining=True)
        found |= of_minimum(unit, run, own) if unit.with_curvature else {}
        if unit.jump is not None:
            found |= of_samples(unit, run, own, unit.jump.settings(unit.recipe.learning_rate))
    keep(unit, found)


def training_of(unit: Unit) -> Training:
    """Return the training of a unit."""
    return Training(
        task=unit.task(),
        path=unit.training,
        epochs=unit.recipe.epochs,
        milestones=unit.recipe.drop_after(),
        seed=unit.seed,
        key=unit.key,
        group=unit.variant,
    )


def trained_run(unit: Unit) -> Run:
    """Train the network of a unit, unless that is done."""
    return trained([training_of(unit)])[0]


def keep(unit: Unit, found: Mapping[str, float | None]) -> None:
    """Write the numbers of a unit, by which it is done; what is not finite is null."""
    known = {name: value if value is not None and math.isfinite(value) else None for name, value in found.items()}
    unit.path.parent.mkdir(parents=True, exist_ok=True)
    write_durably(unit.path, [json.dumps({"key": unit.key, "numbers": known}, indent=1).encode()])


def is_finite(run: Run) -> bool:
    """Whether a training ended somewhere."""
    return bool(np.isfinite(run.block(0, run.n_parameters, [run.n_points - 1])).all()) and all(
        math.isfinite(values[-1]) for name, values in run.metrics.items() if name.endswith("loss")
    )


def map_of(runs: Sequence[Run]) -> Atlas | None:
    """Return the map of some runs, of which some may have diverged; None where they have too few places for one.

    There may be fewer than a kernel is wide: a run is short, or stands still once it has fitted.
    """
    kept = [sorted(set(range(run.n_points)) - set(run.diverged())) for run in runs]
    if sum(map(len, kept)) < _LEAST:
        return None
    between, _ = recorded_pairwise(runs, kept=kept)
    n = len(np.unique(DistanceMatrix(between.cosine).groups()))  # as a map counts them
    return atlas(runs, diverged="skip", knn=min(5, n - 1)) if n >= _LEAST else None


def of_training(run: Run) -> dict[str, float | None]:
    """Return what a training says: where it ended, how soon it fitted, and on what way."""
    numbers: dict[str, float | None] = {name: float(values[-1]) for name, values in run.metrics.items()}
    numbers["diverged"] = float(not is_finite(run))
    if "train_accuracy" in run.metrics:
        fits = np.flatnonzero(run.metrics["train_accuracy"] >= FITS)
        numbers["epochs_to_fit"] = float(run.steps[fits[0]]) if len(fits) else None
    if numbers["diverged"]:
        return numbers
    numbers["norm"] = float(np.linalg.norm(run.block(0, run.n_parameters, [run.n_points - 1])))
    numbers |= _way(run)
    made = map_of([run])
    return numbers if made is None else numbers | _faithful(made, "training")


def has_hessian() -> bool:
    """Whether the package is installed by which the Hessian is measured."""
    return find_spec("curvlinops") is not None


def of_minimum(unit: Unit, run: Run, task: Task) -> dict[str, float | None]:
    """Return how sharp a minimum is; the Hessian is left out where its package is not installed."""
    found: dict[str, float | None] = {"sharpness": sharpness(task, run, seed=unit.seed).sharpness}
    if has_hessian():
        # Seeds differ by far more than a hundredth.
        curved = curvature(task, run, n_eigenvalues=1, tolerance=0.01, seed=unit.seed)
        found |= {"eigenvalue": float(curved.eigenvalues[0]), "trace": curved.trace}
    return found


def of_samples(unit: Unit, run: Run, task: Task, settings: JumpSettings) -> dict[str, float | None]:
    """Return what jumping and retraining says of a minimum."""
    runs = jump_and_retrain(task, run, unit.samples, settings=settings)
    control = jump_and_retrain(task, run, unit.control, settings=control_of(settings))[-1]
    has_diverged = [bool(retraining.diverged()) for retraining in runs]
    numbers: dict[str, float | None] = {"diverged_retrainings": float(sum(has_diverged))}
    if not any(has_diverged):
        numbers |= {f"control_{name}": value for name, value in drift(runs, control).items()}
    ends = [run.metrics["test_accuracy"][-1] for run in runs[1:] if "test_accuracy" in run.metrics]
    if ends:
        numbers["retrained_test_accuracy"] = float(np.mean(ends))
    made = map_of(runs)
    if made is None:
        return numbers
    whole = made.summary()
    numbers["return_ratio"] = whole.get("return_ratio")
    if "persistence" in whole:
        found = whole["persistence"]
        numbers |= {
            "persistence": found["total"],
            "persistence_finite": found["finite"],
            "loss_range_squared": found["loss_range_squared"],
            "persistence_rank": found["rank"]["p1"]["finite"],
        }
    return numbers | _faithful(made, "jumps")


def _way(run: Run) -> dict[str, float | None]:
    """Return how far it went, and how straight."""
    of = trajectory_geometry(recorded_pairwise([run])[0], [(0, run.n_points)]).summary(0)
    return {name: of.get(name) for name in ("length", "displacement", "straightness", "null_straightness")}


def _faithful(made: Atlas, of: str) -> dict[str, float | None]:
    """Return how far a map can be trusted, and how far one of a random walk can."""
    whole = made.summary()
    names = ("trustworthiness", "neighbours_kept", "rank_correlation", "trajectory_continuity")
    own = whole.get("faithfulness", {}).get("phate", {})
    null = whole.get("nulls", {}).get("random walk", {})
    return {f"{of}_{name}": own.get(name) for name in names} | {f"{of}_{name}_of_a_walk": null.get(name) for name in names}
