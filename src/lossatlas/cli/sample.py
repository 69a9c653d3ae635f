"""``lossatlas sample``."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lossatlas.cli.output import BatchNormStatistics, Device, Json, Seed, TaskName, print_table, progress

if TYPE_CHECKING:
    import numpy as np

    from lossatlas.sample import Task
    from lossatlas.store import Run


class Method(StrEnum):
    """The samplers of Horoi et al. 2022, Table 1."""

    JUMP = "jump"
    NAIVE = "naive"
    GRID = "grid"


class Norm(StrEnum):
    """What of a direction is brought to the weights' length."""

    FILTER = "filter"
    LAYER = "layer"
    GLOBAL = "global"


def sample(
    task: TaskName,
    start: Annotated[str, typer.Option("--from", metavar="RUN[@STEP]", help="The minimum.", show_default=False)],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the runs.", show_default=False)],
    method: Annotated[Method, typer.Option(help="Jump and retrain, or the paper's rivals without retraining.")] = Method.JUMP,
    seeds: Annotated[int, typer.Option(min=1, help="Directions to jump in.")] = 4,
    steps: Annotated[str, typer.Option(help="Sizes of the jumps, as fractions of the weights.")] = "0.25,0.5,0.75,1",
    epochs: Annotated[int, typer.Option(min=1, help="Epochs of each retraining.")] = 40,
    updates: Annotated[int, typer.Option(min=0, help="Optimiser steps that make an epoch; 0 is a pass over the data.")] = 0,
    learning_rate: Annotated[float, typer.Option(min=0, help="Constant; 0 keeps the task's own.")] = 0.0,
    norm: Annotated[Norm, typer.Option(help="What of a direction is as long as the weights.")] = Norm.FILTER,
    batchnorm: Annotated[BatchNormStatistics, typer.Option(help="Statistics after a jump.")] = BatchNormStatistics.RECOMPUTE,
    workers: Annotated[int, typer.Option(min=0, help="Processes; 0 takes one a processor.")] = 0,
    ray: Annotated[bool, typer.Option("--ray", help="Use the Ray cluster instead.")] = False,  # noqa: FBT002
    gpus: Annotated[float, typer.Option(min=0, help="GPUs of one retraining on Ray; 0.25 lets four share one.")] = 0.0,
    device: Device = "",
    seed: Seed = 0,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Sample around a minimum by jumping and retraining (or --method naive, grid), and record the points as runs.

    TASK is module:function, a function of yours that returns lossatlas.Task(model, loss, train, test, optimizer). Stopped at
    any time, the same command goes on where it was.
    """
    from lossatlas.draw import json_text
    from lossatlas.sample import named_task, on_device
    from lossatlas.store import named_point

    own = on_device(named_task(task), device)
    run, point = named_point(start)
    tensors = run.snapshot(point)
    if method is Method.JUMP:
        runs = _jumps(
            own,
            tensors,
            output,
            asked={
                "seeds": tuple(range(seed, seed + seeds)),
                "steps": _numbers(steps),
                "epochs": epochs,
                "updates": updates or None,
                "learning_rate": learning_rate or None,
                "norm": norm.value,
                "batchnorm": batchnorm.value,
            },
            workers=workers,
            gpus=gpus if ray else None,
            quiet=as_json,
        )
    else:
        from lossatlas.sample import grid_sample, naive_sample

        look = naive_sample if method is Method.NAIVE else grid_sample
        with progress(total=1, quiet=as_json) as report:
            runs = look(
                own,
                tensors,
                output,
                norm=norm.value,
                batchnorm=batchnorm.value,
                seed=seed,
                progress=lambda done, total: report(done, method.value, total),
            )
    numbers = {"runs": len(runs), "points": sum(run.n_points for run in runs), "folder": str(output)}
    numbers["diverged"] = sum(bool(run.diverged()) for run in runs)
    if as_json:
        typer.echo(json_text(numbers), nl=False)
    else:
        print_table([[name, str(value)] for name, value in numbers.items()], title=None)
        typer.echo(f"wrote {output}; draw it with lossatlas map {output}")


def _jumps(
    task: "Task",
    start: "dict[str, np.ndarray]",
    output: Path,
    *,
    asked: dict[str, Any],
    workers: int,
    gpus: float | None,
    quiet: bool,
) -> "list[Run]":
    import joblib

    from lossatlas.sample import JumpSettings, LocalPool, RayPool, jump_and_retrain, jump_cost

    settings = JumpSettings(**asked)
    processes = workers or joblib.cpu_count()
    if not quiet:
        typer.echo(str(jump_cost(task, start, settings=settings, workers=processes)), err=True)
    with (
        progress(total=len(settings.seeds) * len(settings.steps), quiet=quiet) as report,
        LocalPool(processes) if gpus is None else RayPool(num_gpus=gpus) as pool,
    ):
        return jump_and_retrain(
            task, start, output, settings=settings, executor=pool, progress=lambda done, _: report(done, "retraining")
        )


def _numbers(text: str) -> tuple[float, ...]:
    from lossatlas import _arrays

    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise _arrays.InputError(f"--steps must be numbers with commas between, as 0.25,0.5, but is {text!r}; mend it") from None
