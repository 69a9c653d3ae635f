"""One network: trained, sampled in three ways, and what is kept of it."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from lossatlas.experiments.data.batches import Samples
from lossatlas.experiments.table_one.settings import Network, Settings
from lossatlas.experiments.table_one.task import images, task
from lossatlas.experiments.training import Training, taken, trained
from lossatlas.sample import Task, grid_sample, jump_and_retrain, naive_sample
from lossatlas.sample.key import digest
from lossatlas.sample.start import Start
from lossatlas.store import Run, write_durably

METHODS = ("jump", "naive", "grid")

Points = Float[np.ndarray, "p 2"]  # train loss and train accuracy of sampled points


@dataclass(frozen=True, kw_only=True, eq=False)
class Sampled:
    """A network, its minimum and the points around it; a retraining that diverged has NaN from there on."""

    network: Network
    optimum: Mapping[str, float]  # loss and accuracy, train and test, and the norm of all weights
    points: Mapping[str, Points]  # by method; of "jump" in the order of seed, step, epoch

    @property
    def is_finite(self) -> bool:
        """Whether every number is one."""
        return all(bool(np.isfinite(points).all()) for points in self.points.values()) and all(
            bool(np.isfinite(value)) for value in self.optimum.values()
        )


def sample(network: Network, folder: Path, settings: Settings, data: Samples | None = None) -> None:
    """Train a network and sample around its minimum, unless that is done; what stays in ``folder`` is the numbers.

    What was stopped goes on where it was: a training and every retraining is done once. A training that diverged has no minimum
    to sample around, and NaN for every point.

    Raises:
        InputError: the folder holds a network of other settings.
    """
    loaded = images(settings) if data is None else data
    key = work_key(network, settings, data)
    runs = folder / "runs"
    if sampled(network, folder, key) is not None:
        shutil.rmtree(runs, ignore_errors=True)  # it was stopped after its numbers were there
        return
    training = Training(
        task=task(network, settings, loaded),
        path=runs / "training",
        epochs=settings.epochs,
        milestones=settings.milestones,
        seed=settings.seed,
        key=key,
    )
    (trained_run,) = trained([training])
    at_end = {name: float(values[-1]) for name, values in trained_run.metrics.items()} | {"weight_norm": _norm(trained_run)}
    minimum = trained_run.snapshot(-1)
    if not all(bool(np.isfinite(values).all()) for values in [*minimum.values(), np.array(list(at_end.values()))]):
        points = dict.fromkeys(METHODS, np.full((settings.n_points, 2), np.nan))
    else:
        points = _around(task(network, settings, loaded, is_sampling=True), minimum, runs / "samples", settings)
    found = {
        "key": key,
        "network": asdict(network),
        "optimum": at_end,
        "points": {method: values.tolist() for method, values in points.items()},
    }
    write_durably(folder / "sampled.json", [json.dumps(found).encode()])
    # Thousands of points a network, of which nothing but the numbers is asked: all of them would be gigabytes.
    shutil.rmtree(runs)


def _around(task: Task, optimum: Start, folder: Path, settings: Settings) -> dict[str, Points]:
    """Return what each method sees around a minimum."""
    _, *retrainings = jump_and_retrain(task, optimum, folder, settings=settings.jump)
    asked: dict[str, Any] = {"norm": settings.jump.norm, "batchnorm": settings.jump.batchnorm, "seed": settings.seed}
    n_directions, n_steps = settings.naive
    steps = np.linspace(0, settings.reach, n_steps + 1)[1:].tolist()
    naive = naive_sample(task, optimum, folder, n_directions=n_directions, steps=steps, **asked)[-1]
    grid = grid_sample(task, optimum, folder, shape=settings.grid, reach=settings.reach, **asked)[-1]
    return {
        "jump": np.concatenate([_points(run, settings.jump.epochs + 1) for run in retrainings]),
        "naive": _points(naive, settings.n_points),
        "grid": _points(grid, settings.n_points),
    }


def work_key(network: Network, settings: Settings, data: Samples | None) -> str:
    """Return what names the work on a network; data of one's own are part of it."""
    own = settings.key(network)
    return own if data is None else digest(own, data.tensors)


def sampled(network: Network, folder: Path, key: str) -> Sampled | None:
    """Return what is known of a network, or None where its work is not done.

    Raises:
        InputError: it was done with other settings.
    """
    path = folder / "sampled.json"
    if not path.exists():
        return None
    found = json.loads(path.read_text())
    if found["key"] != key:
        raise taken(folder)
    points = {name: np.array(values, dtype=np.float64) for name, values in found["points"].items()}
    return Sampled(network=network, optimum=found["optimum"], points=points)


def _points(run: Run, n: int) -> Points:
    """Return train loss and accuracy of all points, with NaN after the end of a run that diverged."""
    points = np.full((n, 2), np.nan)
    points[: run.n_points] = np.stack([run.metrics["train_loss"], run.metrics["train_accuracy"]], axis=1)
    return points


def _norm(run: Run) -> float:
    """Return the length of the trained parameters where a run ends."""
    return float(np.linalg.norm(run.block(0, run.n_parameters, [run.n_points - 1])))
