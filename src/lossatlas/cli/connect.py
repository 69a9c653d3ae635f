"""``lossatlas connect``."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lossatlas.cli.output import Device, Json, Seed, TaskName, print_table, progress, short
from lossatlas.cli.slice import Data

if TYPE_CHECKING:
    from lossatlas.sample import LowLossPath, Task


class Way(StrEnum):
    """The ways to find a path."""

    BAND = "band"
    BEZIER = "bezier"
    CHAIN = "chain"


class Statistics(StrEnum):
    """What becomes of the statistics of batch norm along a path."""

    RECOMPUTE = "recompute"
    STALE = "stale"


def connect(
    task: TaskName,
    start: Annotated[str, typer.Argument(metavar="RUN[@STEP]", help="Where the path begins.", show_default=False)],
    end: Annotated[str, typer.Argument(metavar="RUN[@STEP]", help="Where it ends.", show_default=False)],
    way: Annotated[
        Way,
        typer.Option(
            "--method", help="band: AutoNEB; bezier: a curve with one trained bend; chain: two straight pieces and their bend."
        ),
    ] = Way.BAND,
    output: Annotated[Path, typer.Option("-o", "--output", help="Ends in .png, .svg, .pdf, .npz or .json.")] = Path("path.png"),
    align: Annotated[bool, typer.Option(help="Permute the end's hidden units to lie near the start's first.")] = False,  # noqa: FBT002
    effort: Annotated[float, typer.Option(min=0.001, help="Times as many steps as by default; 10 is the papers' own.")] = 1.0,
    data: Annotated[Data, typer.Option(help="Where the loss is measured.")] = Data.TRAIN,
    batchnorm: Annotated[Statistics, typer.Option(help="Statistics at each point.")] = Statistics.RECOMPUTE,
    batches: Annotated[int, typer.Option(min=0, help="Random batches to measure on; 0 takes all.")] = 0,
    record: Annotated[
        Path | None, typer.Option(help="Write path and straight line as two runs in this folder, to be put on a map.")
    ] = None,
    device: Device = "",
    seed: Seed = 0,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Find a path of low loss between points of recorded runs, and draw it beside the straight line.

    TASK is module:function, a function of yours that returns lossatlas.Task(model, loss, train, test, optimizer). Stopped at
    any time, the same command goes on where it was.
    """
    from lossatlas.draw import json_text
    from lossatlas.draw.slices import refuse_unwritable_slice, slice_numbers
    from lossatlas.sample import SliceSettings, named_task, on_device
    from lossatlas.sample import align as aligned
    from lossatlas.sample.start import start_tensors
    from lossatlas.store import named_point, refuse_taken

    refuse_unwritable_slice(output)
    folders = [] if record is None else [record / "path", record / "line"]
    for folder in folders:
        refuse_taken(folder)
    own = on_device(named_task(task), device)
    first, last = (start_tensors(run.snapshot(point)) for run, point in map(named_point, (start, end)))
    notes: dict[str, Any] = {}
    if align:
        nearer = aligned(own, first, last, seed=seed)
        last = nearer.tensors
        notes = {"distance": nearer.distance[0], "distance_aligned": nearer.distance[1]}
    measure = SliceSettings(data=data.value, batchnorm=batchnorm.value, batches=batches or None, seed=seed)
    kept = output.with_name(f"{output.name}.found.npz")
    with progress(total=1, quiet=as_json) as report:
        common = {"measure": measure, "seed": seed, "path": kept, "progress": lambda done, total: report(done, way.value, total)}
        made = _path(own, way, effort, first, last, common)
    made.save(output, title=f"{way.value} from {start} to {end}")
    if record is not None:
        made.record(record, own)
    # It goes only now: whatever failed above, the path that was found is not lost.
    kept.unlink(missing_ok=True)
    numbers = slice_numbers(made) | notes
    if as_json:
        typer.echo(json_text(numbers), nl=False)
        return
    shown = {name: value for name, value in numbers.items() if not isinstance(value, dict)}
    shown["barrier of the straight line"] = made.straight.barrier
    print_table([[name.replace("_", " "), short(value)] for name, value in shown.items()], title=None)
    typer.echo("\n".join(f"wrote {path}" for path in (output, *folders)))


def _path(task: "Task", way: Way, effort: float, start: Any, end: Any, common: dict[str, Any]) -> "LowLossPath":  # noqa: ANN401
    from dataclasses import replace

    from lossatlas.sample import BandSettings, BendSettings, bezier_path, nudged_elastic_band

    if way is Way.BAND:
        band = BandSettings()
        cycles = tuple(replace(cycle, steps=max(1, round(effort * cycle.steps))) for cycle in band.cycles)
        return nudged_elastic_band(task, start, end, settings=replace(band, cycles=cycles), **common)
    bends = BendSettings(curve="bezier" if way is Way.BEZIER else "chain")
    return bezier_path(task, start, end, settings=replace(bends, steps=max(1, round(effort * bends.steps))), **common)
