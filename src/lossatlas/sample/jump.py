"""Jump and retrain: leave a minimum by random steps, train on, and see where the weights go."""

import copy
import hashlib
import json
import math
import os
import pickle  # noqa: TID251 - to try whether a task can be sent to a process, never to disk
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch
from torch import nn

from lossatlas._arrays import InputError
from lossatlas.record import Recorder, load_tensors
from lossatlas.sample.directions import DirectionNorm, random_direction
from lossatlas.sample.evaluate import BatchNorm, evaluation, recompute_batchnorm, refuse_unrepeatable
from lossatlas.sample.pool import LocalPool
from lossatlas.sample.randomness import fixed_randomness
from lossatlas.sample.start import Start, start_tensors
from lossatlas.sample.task import Task, batch_on_device, checked_optimizer, refuse_unfit, train_mode
from lossatlas.store import Run, open_run, unwritable


@dataclass(frozen=True, kw_only=True)
class JumpSettings:
    """How to jump and retrain; the defaults are those of Horoi et al. 2022, Section 3.1, unless said otherwise.

    Raises:
        InputError: a value is out of its range.
    """

    seeds: tuple[int, ...] = (0, 1, 2, 3)  # one direction and one order of the data each, the same for all its steps
    steps: tuple[float, ...] = (0.25, 0.5, 0.75, 1.0)  # sizes of the jumps, as fractions of the weights' norm; 0 is a control
    epochs: int = 40  # passes over task.train
    norm: DirectionNorm = "filter"
    batchnorm: BatchNorm = "recompute"  # of the jumped weights. The authors' code keeps the optimum's: "stale"
    learning_rate: float | None = None  # constant; None keeps the task's own. The authors' runs: a hundredth of the original

    def __post_init__(self) -> None:
        # Plain numbers: they are stored with the runs, and 1 is the same step as 1.0.
        object.__setattr__(self, "seeds", tuple(np.atleast_1d(np.asarray(self.seeds)).tolist()))
        object.__setattr__(self, "steps", tuple(float(step) for step in np.atleast_1d(np.asarray(self.steps))))
        expectations = {
            "seeds": (
                self.seeds
                and len(set(self.seeds)) == len(self.seeds)
                and all(isinstance(seed, int) and seed >= 0 for seed in self.seeds),
                "different whole numbers from 0 on",
            ),
            "steps": (
                self.steps and len(set(self.steps)) == len(self.steps) and all(0 <= step < math.inf for step in self.steps),
                "different numbers from 0 on",
            ),
            "epochs": (isinstance(self.epochs, int) and self.epochs >= 1, "a whole number from 1 on"),
            "norm": (self.norm in get_args(DirectionNorm), f"one of {', '.join(get_args(DirectionNorm))}"),
            "batchnorm": (self.batchnorm in get_args(BatchNorm), f"one of {', '.join(get_args(BatchNorm))}"),
            "learning_rate": (self.learning_rate is None or self.learning_rate > 0, "above 0, or None for the task's own"),
        }
        for name, (is_met, expected) in expectations.items():
            if not is_met:
                raise InputError(f"JumpSettings: {name} must be {expected}, but is {getattr(self, name)!r}; change it")


@dataclass(frozen=True)
class _Retraining:
    """One piece of work: all that a process needs to do it, and a key by which it is known to be done."""

    task: Task
    start: Mapping[str, torch.Tensor]
    seed: int
    step: float
    settings: JumpSettings
    path: Path
    key: str


def jump_and_retrain(
    task: Task,
    start: Start,
    path: str | os.PathLike[str],
    *,
    settings: JumpSettings | None = None,
    executor: Executor | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Run]:
    r"""Jump from a minimum in random directions, retrain from each place, and record where the weights go.

    For each seed ``s`` and step ``a`` training starts at :math:`\theta_o + a\, v_s`, with :math:`v_s` from
    :func:`random_direction`, with a fresh optimiser and with the order of data that belongs to the seed (Horoi et al. 2022,
    Section 3.1). Each epoch, the jump itself included, is a point with train and test loss and accuracy.

    Calling again with the same arguments goes on where it was stopped: finished retrainings are kept.

    Args:
        task: Model, data, loss and optimiser; the model stays as it is.
        start: The minimum: a run (its last point is taken), a ``run.snapshot(point)``, or a state dict.
        path: Folder for the runs.
        settings: Seeds, steps, epochs and so on; by default ``JumpSettings()``.
        executor: Where retrainings run: any ``concurrent.futures.Executor`` of processes, such as
            :class:`lossatlas.sample.LocalPool` (the task must then be picklable). By default one after the other in this
            process.
        progress: Called with the numbers of retrainings done and in all.

    Returns:
        The optimum as a run of one point, then a run for each seed and step. Retrainings of other seeds and steps that the
        folder holds from before stay there, and are not among them.

    Raises:
        InputError: the task or the start does not fit, or ``path`` holds something else.
    """
    settings = settings or JumpSettings()
    refuse_unfit(task)
    tensors = start_tensors(start)
    model = copy.deepcopy(task.model)
    load_tensors(model, tensors)
    folder = Path(path).absolute()
    _refuse_unfit_executor(executor, task)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(folder, error) from error
    visible = _visible(task)
    optimum = _recorded_optimum(task, model, folder / "optimum", key=_digest(visible, tensors))
    pairs = [(seed, step) for seed in settings.seeds for step in settings.steps]
    work = [
        # The name is for people; what a folder holds is in its key.
        _Retraining(
            task, tensors, seed, step, settings, folder / f"seed-{seed}-step-{step}", _key(visible, tensors, seed, step, settings)
        )
        for seed, step in pairs
    ]
    open_work = [item for item in work if not _is_done(item.path, item.key)]
    _do(open_work, executor, lambda done: progress(len(work) - len(open_work) + done, len(work)) if progress else None)
    return [optimum, *(open_run(item.path) for item in work)]


def _refuse_unfit_executor(executor: Executor | None, task: Task) -> None:
    if isinstance(executor, ThreadPoolExecutor):
        raise InputError("executor must run processes, since threads share their random generators; pass a sample.LocalPool()")
    if isinstance(executor, (LocalPool, ProcessPoolExecutor)):
        try:
            pickle.dumps(task)
        except Exception as error:  # noqa: BLE001 - whatever a user's class raises when it is sent
            raise InputError(
                f"the task cannot be sent to other processes ({error}); define its functions and classes at the top of a module "
                "and use functools.partial for their settings"
            ) from None


def _do(work: list[_Retraining], executor: Executor | None, report: Callable[[int], None]) -> None:
    report(0)
    if executor is None:
        for done, item in enumerate(work, start=1):
            _retrain(item)
            report(done)
        return
    futures = [executor.submit(_retrain, item) for item in work]
    try:
        for done, future in enumerate(as_completed(futures), start=1):
            future.result()
            report(done)
    except BaseException:
        for future in futures:
            future.cancel()
        raise


def _retrain(item: _Retraining) -> None:
    model = copy.deepcopy(item.task.model)
    load_tensors(model, item.start)
    direction = random_direction(model.named_parameters(), seed=item.seed, norm=item.settings.norm)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.add_(direction[name], alpha=item.step)
    if item.settings.batchnorm == "recompute":
        recompute_batchnorm(model, item.task.evaluated)
    described = {
        "kind": "retraining",
        "task": item.task.name,
        "seed": item.seed,
        "step": item.step,
        **{name: value for name, value in asdict(item.settings).items() if name not in {"seeds", "steps"}},
        "key": item.key,
    }
    with Recorder(item.path, model, if_exists="replace", initial=evaluation(item.task, model), settings=described) as recorder:
        _train(item, model, recorder)


def _train(item: _Retraining, model: nn.Module, recorder: Recorder) -> None:
    optimizer = checked_optimizer(item.task, model)
    if item.settings.learning_rate is not None:
        for group in optimizer.param_groups:
            group["lr"] = item.settings.learning_rate
    train_mode(model)
    # The order of data must not follow from the numbers that drew the direction, yet be the same for every step of a seed.
    data_seed = int(np.random.SeedSequence((item.seed, 1)).generate_state(1)[0])
    with fixed_randomness(data_seed, item.task.train):
        for _ in range(item.settings.epochs):
            for batch in item.task.train:
                x, y = batch_on_device(batch, model)
                optimizer.zero_grad(set_to_none=True)
                item.task.loss(model(x), y).backward()
                optimizer.step()
            recorder.step(**evaluation(item.task, model))


def _recorded_optimum(task: Task, model: nn.Module, path: Path, *, key: str) -> Run:
    if _is_done(path, key):
        _refuse_other_data(task, model, open_run(path))
    else:
        metrics = refuse_unrepeatable(task, model)
        settings = {"kind": "optimum", "task": task.name, "key": key}
        with Recorder(path, model, if_exists="replace", initial=metrics, settings=settings):
            pass
    return open_run(path)


def _key(visible: Mapping[str, str], start: Mapping[str, torch.Tensor], seed: int, step: float, settings: JumpSettings) -> str:
    own = {name: value for name, value in asdict(settings).items() if name not in {"seeds", "steps"}}
    return _digest({**visible, "seed": seed, "step": step, **own}, start)


def _visible(task: Task) -> dict[str, str]:
    """Return what can be seen of a task from outside: another of these is other work."""
    optimizer = task.optimizer(copy.deepcopy(task.model).parameters())
    groups = [{name: value for name, value in group.items() if name != "params"} for group in optimizer.param_groups]
    is_module = isinstance(task.loss, nn.Module)
    loss = repr(task.loss) if is_module else getattr(task.loss, "__qualname__", type(task.loss).__name__)
    return {"task": task.name, "optimizer": type(optimizer).__qualname__, "groups": repr(groups), "loss": loss}


def _refuse_other_data(task: Task, model: nn.Module, optimum: Run) -> None:
    """Refuse to go on where data or loss give the optimum other numbers than those on disk."""
    for name, value in evaluation(task, model).items():
        stored = float(optimum.metrics.get(name, np.full(1, np.nan))[0])
        # Another number of threads adds up in another order.
        if not math.isclose(value, stored, rel_tol=1e-4, abs_tol=1e-7):
            raise InputError(
                f"{str(optimum.path.parent)!r} was made with other data or another loss (the optimum's {name.replace('_', ' ')} "
                f"is {stored:.6g} there and {value:.6g} now); choose another folder, or remove that one first"
            )


def _digest(settings: Mapping[str, Any], tensors: Mapping[str, torch.Tensor]) -> str:
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(name.encode())
        digest.update(tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _is_done(path: Path, key: str) -> bool:
    """Whether this very piece of work is finished in its folder; other work there is refused, never overwritten."""
    if not (path / "run.json").exists():
        return False
    run = open_run(path)
    if run.settings.get("key") != key:
        raise InputError(
            f"{str(path)!r} was made from another start, task or settings; choose another folder, or remove that one first"
        )
    return run.is_complete
