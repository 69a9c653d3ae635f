"""All retrainings from one minimum, each done once."""

import copy
import os
import pickle  # noqa: TID251 - to try whether a task can be sent to a process, never to disk
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from dataclasses import asdict
from typing import Any, Literal, get_args

import torch

from lossatlas._arrays import InputError
from lossatlas.sample.jump.done import is_done, made_folder, recorded_optimum
from lossatlas.sample.jump.retraining import Retraining, retrain
from lossatlas.sample.jump.settings import JumpSettings
from lossatlas.sample.jump.stacked import retrain_stacked
from lossatlas.sample.key import digest, visible
from lossatlas.sample.pool import LocalPool
from lossatlas.sample.probe import probed
from lossatlas.sample.start import Start, start_tensors
from lossatlas.sample.task import Task, checked_optimizer
from lossatlas.store import Run, open_run

Stacked = Literal["never", "auto"]


def jump_and_retrain(
    task: Task,
    start: Start,
    path: str | os.PathLike[str],
    *,
    settings: JumpSettings | None = None,
    optimizer_state: Mapping[str, Any] | None = None,
    executor: Executor | None = None,
    progress: Callable[[int, int], None] | None = None,
    stacked: Stacked = "never",
) -> list[Run]:
    r"""Jump from a minimum in random directions, retrain from each place, and record where the weights go.

    For each seed ``s`` and step ``a`` training starts at :math:`\theta_o + a\, v_s`, with :math:`v_s` from
    :func:`random_direction`, with a fresh or a restored optimiser and with the order of data that
    belongs to the seed (Horoi et al. 2022, Section 3.1). Each epoch, the jump itself included, is a point with train and test
    loss and accuracy. A retraining whose weights become NaN or infinite has diverged: that point is its last.

    Calling again with the same arguments goes on where it was stopped: finished retrainings are kept.

    Args:
        task: Model, data, loss and optimiser; the model stays as it is.
        start: The minimum: a run (its last point is taken), a ``run.snapshot(point)``, or a state dict.
        path: Folder for the runs.
        settings: Seeds, steps, epochs and so on; by default ``JumpSettings()``.
        optimizer_state: ``optimizer.state_dict()`` as it was at the start, for ``JumpSettings(optimizer="restored")``.
        executor: Where retrainings run: any ``concurrent.futures.Executor`` of processes, such as
            :class:`lossatlas.sample.LocalPool` (the task must then be picklable). By default one after the other in this
            process.
        progress: Called with the numbers of retrainings done and in all.
        stacked: ``"auto"`` trains those that are open side by side in this process, as parameters of shape ``(k, ...)``, where a
            trial of some updates finds that they move alike (to 1e-4 of an update) and sooner: networks of some thousand
            parameters without dropout and without batch norm that trains, and optimisers of torch.optim that treat each number
            by itself. By default ``"never"``: one after the other they repeat bit for bit, side by side only to rounding, which
            long trainings enlarge. Being stopped loses the whole stack, and an executor gets each alone.

    Returns:
        The optimum as a run of one point, then a run for each seed and step. Retrainings of other seeds and steps that the
        folder holds from before stay there, and are not among them.

    Raises:
        InputError: the task or the start does not fit, or ``path`` holds something else.
    """
    if stacked not in get_args(Stacked):
        raise InputError(f"stacked must be one of {', '.join(get_args(Stacked))}, but is {stacked!r}; choose one")
    settings = settings or JumpSettings()
    tensors = start_tensors(start)
    model = probed(task, tensors)
    _refuse_unfit_optimizer_state(task, optimizer_state, settings)
    _refuse_unfit_executor(executor, task)
    folder = made_folder(path)
    seen = visible(task)
    optimum = recorded_optimum(task, model, folder / "optimum", key=digest(seen, tensors))
    state = {} if optimizer_state is None else {"optimizer_state": _state_digest(optimizer_state)}
    pairs = [(seed, step) for seed in settings.seeds for step in settings.steps]
    work = [
        # The name is for people; what a folder holds is in its key.
        Retraining(
            task,
            tensors,
            seed,
            step,
            settings,
            folder / f"seed-{seed}-step-{step}",
            _key(seen | state, tensors, seed, step, settings),
            optimizer_state,
        )
        for seed, step in pairs
    ]
    open_work = [item for item in work if not is_done(item.path, item.key)]

    def report(done: int) -> None:
        if progress:
            progress(len(work) - len(open_work) + done, len(work))

    report(0)
    if executor is not None:
        _submit(open_work, executor, report)
    elif stacked == "auto" and open_work:
        retrain_stacked(open_work, report)
    else:
        for done, item in enumerate(open_work, start=1):
            retrain(item)
            report(done)
    return [optimum, *(open_run(item.path) for item in work)]


def _refuse_unfit_optimizer_state(task: Task, state: Mapping[str, Any] | None, settings: JumpSettings) -> None:
    if (state is None) != (settings.optimizer == "fresh"):
        raise InputError(
            "JumpSettings(optimizer='restored') and optimizer_state=optimizer.state_dict() belong together, but one came alone; "
            "pass both or neither"
        )
    if state is None:
        return
    model = copy.deepcopy(task.model)
    try:
        checked_optimizer(task, model).load_state_dict(copy.deepcopy(dict(state)))
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            f"optimizer_state does not fit the task's optimiser ({said}); pass that optimiser's state_dict()"
        ) from None


def _state_digest(state: Mapping[str, Any]) -> str:
    """Return a name of an optimiser's state: its numbers, and its tensors to the last bit."""

    def plain(value: Any) -> Any:  # noqa: ANN401 - nested as optimisers like it
        if isinstance(value, torch.Tensor):
            return digest(None, {"": value.cpu()})
        if isinstance(value, Mapping):
            return {str(name): plain(item) for name, item in value.items()}
        return [plain(item) for item in value] if isinstance(value, (list, tuple)) else repr(value)

    return digest(plain(state))


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


def _submit(work: list[Retraining], executor: Executor, report: Callable[[int], None]) -> None:
    futures = [executor.submit(retrain, item) for item in work]
    try:
        for done, future in enumerate(as_completed(futures), start=1):
            future.result()
            report(done)
    except BaseException:
        for future in futures:
            future.cancel()
        raise


def _key(seen: Mapping[str, str], start: Mapping[str, torch.Tensor], seed: int, step: float, settings: JumpSettings) -> str:
    own = {name: value for name, value in asdict(settings).items() if name not in {"seeds", "steps"}}
    return digest({**seen, "seed": seed, "step": step, **own}, start)
