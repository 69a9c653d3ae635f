"""A good optimum, a bad one and a memorised one, from the same start: Horoi et al. 2022, Fig. 2, on handwritten digits.

Good has augmentation and weight decay, bad has neither, memorised has neither and random labels. All fit their training data.
Each optimum has a control, a retraining without a jump: weight decay moves a network that nothing pushed, and a distance that
shrinks by decay alone is no return.
"""

import functools
import math
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import nn

from lossatlas import __version__
from lossatlas._arrays import InputError
from lossatlas._atlas import Atlas, atlas
from lossatlas.draw import Fact
from lossatlas.experiments.control import control_of, drift
from lossatlas.experiments.data.batches import Batches
from lossatlas.experiments.data.digits import digits
from lossatlas.experiments.networks.convolutional import convolutional
from lossatlas.experiments.report import Report, refuse_unwritable_folder
from lossatlas.experiments.training import Training, digest, trained
from lossatlas.sample import JumpCost, JumpSettings, Task, jump_and_retrain, jump_cost
from lossatlas.store import Run

Optimum = Literal["good", "bad", "memorised"]
OPTIMA: tuple[Optimum, ...] = ("good", "bad", "memorised")
TITLE = "Good, bad and memorised optima"
SENTENCE = (
    "One convolutional network on 200 handwritten digits, trained three ways from the same start: with shifts and weight decay "
    "(good), without (bad), on random labels (memorised). From each optimum sixteen jumps were retrained."
)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All choices of the experiment. An epoch is ``passes`` passes over the training digits."""

    n_train: int = 200
    split: int = 0  # which digits are trained on, and the random labels
    seed: int = 0  # of the shared initialisation and the order of data
    batch: int = 40
    passes: int = 12  # 60 optimiser steps an epoch
    epochs: int = 125  # of the training: 7,500 steps
    learning_rate: float = 0.1  # divided by 10 after 20 % and 80 % of the epochs
    weight_decay: float = 2e-3  # of the good optimum
    shift: int = 1  # pixels; augmentation of the good optimum
    jump: JumpSettings = field(default_factory=lambda: JumpSettings(learning_rate=0.005))  # 2,400 steps each

    def __post_init__(self) -> None:
        for name, least in {"n_train": 20, "batch": 1, "epochs": 1, "passes": 1, "seed": 0, "split": 0, "shift": 0}.items():
            if getattr(self, name) < least:
                raise InputError(f"{name} must be {least} or more, but is {getattr(self, name)}; change it")


def default_settings(*, scale: Literal["small", "paper"] = "small", epochs: int | None = None, seed: int = 0) -> Settings:
    """Return the settings of the demo with another length of the retrainings or another seed."""
    if scale != "small":
        raise InputError("figure-2 has no full size; take good-bad-memorised, or leave out --scale paper")
    defaults = Settings()
    jump = defaults.jump if epochs is None else replace(defaults.jump, epochs=epochs)
    return replace(defaults, seed=seed, split=seed, jump=jump)


def cost(settings: Settings, *, workers: int = 1) -> JumpCost:
    """Return what all three optima will take: trainings, retrainings and controls; maps come to some seconds."""
    own = task("good", settings, retraining=True)
    start = own.model.state_dict()
    jumps = jump_cost(own, start, settings=settings.jump, workers=workers)
    alone = control_of(settings.jump)
    control = jump_cost(own, start, settings=alone, workers=workers)
    training = jump_cost(own, start, settings=replace(alone, epochs=settings.epochs), workers=workers)
    n = len(OPTIMA)
    return JumpCost(
        n_retrainings=n * (jumps.n_retrainings + control.n_retrainings),
        n_points=n * (jumps.n_points + control.n_points + training.n_points),
        # The three trainings share the processes, a control is alone.
        seconds=n * (jumps.seconds + control.seconds) + math.ceil(n / workers) * training.seconds,
        n_bytes=n * (jumps.n_bytes + control.n_bytes + training.n_bytes),
        workers=workers,
    )


def n_units(settings: Settings) -> int:
    """Return in how many pieces of work progress is reported: trainings, retrainings, controls and maps."""
    return len(OPTIMA) * (1 + len(settings.jump.seeds) * len(settings.jump.steps) + 1 + 1) + 1


def run(
    folder: Path,
    settings: Settings,
    *,
    executor: Executor | None = None,
    progress: Callable[[int, str], None] | None = None,
) -> Report:
    """Train, jump and retrain, and map; what ``folder`` holds already of the same settings is not done again.

    Raises:
        InputError: ``folder`` holds the experiment with other settings, or cannot be written.
    """
    refuse_unwritable_folder(folder)
    steps = _Steps(progress)
    steps.begin("training")
    trainings = trained([training_of(optimum, folder, settings) for optimum in OPTIMA], executor=executor)
    steps.end("training", len(OPTIMA))
    sampled: dict[Optimum, list[Run]] = {}
    controls: dict[Optimum, Run] = {}
    for optimum, training in zip(OPTIMA, trainings, strict=True):
        what = f"retraining from {optimum}"
        sample = functools.partial(jump_and_retrain, task(optimum, settings, retraining=True), training, executor=executor)
        sampled[optimum] = sample(folder / "jumps" / optimum, settings=settings.jump, progress=steps.within(what))
        controls[optimum] = sample(
            folder / "controls" / optimum,
            settings=control_of(settings.jump),
            progress=steps.within(what),
        )[-1]
    atlases: dict[str, Atlas] = {}
    for optimum, runs in sampled.items():
        steps.begin(f"mapping {optimum}")
        atlases[optimum] = atlas(runs, seed=settings.seed)
        steps.end(f"mapping {optimum}", 1)
    atlases["training"] = atlas(trainings, seed=settings.seed)
    steps.end("done", 1)
    optima = {
        optimum: _numbers(training, atlases[optimum], sampled[optimum], controls[optimum])
        for optimum, training in zip(OPTIMA, trainings, strict=True)
    }
    summary = {
        "experiment": "figure-2",
        "optima": optima,
        "training": atlases["training"].summary(),
        "settings": asdict(settings),
    }
    return Report(title=TITLE, sentence=SENTENCE, atlases=atlases, summary=summary, facts=_facts(optima), table=_table(optima))


def task(optimum: Optimum, settings: Settings, *, retraining: bool = False) -> Task:
    """Return network, data and optimiser of one of the three optima; the same for training and retraining."""
    data = digits(n_train=settings.n_train, split=settings.split, random_labels=optimum == "memorised")
    is_good = optimum == "good"
    decay = settings.weight_decay if is_good else 0.0
    return Task(
        model=convolutional(seed=settings.seed),
        loss=nn.CrossEntropyLoss(),
        train=Batches(data.train_x, data.train_y, settings.batch, settings.passes, settings.shift if is_good else 0),
        test=[(data.test_x, data.test_y)],
        optimizer=functools.partial(torch.optim.SGD, lr=settings.learning_rate, momentum=0.9, weight_decay=decay),
        train_eval=[(data.train_x, data.train_y)],
        name=f"{optimum} {_key(settings)}{' retraining' if retraining else ''}",
    )


def training_of(optimum: Optimum, folder: Path, settings: Settings) -> Training:
    """Return the training of one of the three optima, to be done in ``folder``."""
    return Training(
        task=task(optimum, settings),
        path=folder / "runs" / optimum,
        epochs=settings.epochs,
        milestones=[round(settings.epochs * share) for share in (0.2, 0.8)],
        seed=settings.seed,
        key=_key(settings),
    )


def _key(settings: Settings) -> str:
    # The version stands for the network and the code, which no setting names.
    return digest({"version": __version__, **asdict(settings)})


class _Steps:
    """Adds up pieces of work for one progress bar."""

    def __init__(self, progress: Callable[[int, str], None] | None) -> None:
        self._progress = progress or (lambda _done, _what: None)
        self._done = 0

    def begin(self, what: str) -> None:
        self._progress(self._done, what)

    def end(self, what: str, pieces: int) -> None:
        self._done += pieces
        self._progress(self._done, what)

    def within(self, what: str) -> Callable[[int, int], None]:
        before = self._done

        def report(done: int, _of: int) -> None:
            self._done = before + done
            self._progress(self._done, what)

        return report


def _numbers(training: Run, made: Atlas, runs: list[Run], control: Run) -> dict[str, Any]:
    """Return all that is known of one optimum, as plain values."""
    at_end = {name: float(values[-1]) for name, values in training.metrics.items()}
    ratios = made.return_ratios
    by_jump: dict[str, list[float]] = {}
    for trace in made.traces:
        if trace.name in ratios:
            by_jump.setdefault(f"{trace.jump:g}", []).append(ratios[trace.name])
    return (
        at_end
        | made.summary()
        | {"return_ratio_by_jump": {jump: float(np.mean(values)) for jump, values in by_jump.items()}}
        | {"return_ratio_by_epoch": _by_epoch(made)}
        | {"control": drift(runs, control)}
    )


def _by_epoch(made: Atlas) -> list[float]:
    """Return the mean over retrainings of the distance from the optimum over that at the jump, epoch by epoch."""
    distances = made.distance_from_optimum
    assert distances is not None  # jump_and_retrain always gives the optimum
    jumped = [distances[trace.start : trace.stop] for trace in made.traces if trace.name in made.return_ratios]
    return [float(ratio) for ratio in np.mean([values / values[0] for values in jumped], axis=0)]


def _facts(optima: Mapping[Optimum, Mapping[str, Any]]) -> dict[str, list[Fact]]:
    return {
        optimum: [
            Fact(
                label="accuracy, train and test",
                value=f"{numbers['train_accuracy']:.1%}, {numbers['test_accuracy']:.1%}",
                meaning="At the optimum, on the digits it was trained on and on all others.",
            ),
            Fact(
                label="drift without a jump",
                value=f"{numbers['control']['drift_over_jump']:.2f} of a jump",
                meaning="How far a control moves that is retrained from the optimum itself. Weight decay does this alone, "
                "so a return ratio below 1 is a return only as far as the control stays where it was.",
            ),
        ]
        for optimum, numbers in optima.items()
    }


def _table(optima: Mapping[Optimum, Mapping[str, Any]]) -> list[list[str]]:
    rows: dict[str, Callable[[Mapping[str, Any]], str]] = {
        "train accuracy": lambda o: f"{o['train_accuracy']:.1%}",
        "test accuracy": lambda o: f"{o['test_accuracy']:.1%}",
        "points": lambda o: str(o["n_points"]),
        "t": lambda o: str(o["t"]),
        "stress": lambda o: f"{o['stress']:.3f}",
        "pieces of the graph": lambda o: str(o["connected_components"]),
        "return ratio": lambda o: f"{o['return_ratio']:.2f}",
        "… to the control's end": lambda o: f"{o['control']['return_ratio']:.2f}",
        "drift without a jump": lambda o: f"{o['control']['drift_over_jump']:.2f} of a jump",
        "persistence, finite": lambda o: f"{o['persistence']['finite']:.3g}",
        "persistence, essential": lambda o: f"{o['persistence']['essential']:.3g}",
        "loss range squared": lambda o: f"{o['persistence']['loss_range_squared']:.3g}",
    }
    return [["", *optima], *([label, *(of(optima[name]) for name in optima)] for label, of in rows.items())]
