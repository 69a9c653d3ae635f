"""``lossatlas slice``."""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lossatlas.cli.output import Device, Json, Seed, Style, TaskName, print_table, progress, short

if TYPE_CHECKING:
    from lossatlas.sample import Task
    from lossatlas.sample.slice.picture import Picture


class Kind(StrEnum):
    """The slices."""

    LINE = "line"
    PLANE = "plane"
    PCA = "pca"
    BARYCENTRIC = "barycentric"
    BILINEAR = "bilinear"


class Data(StrEnum):
    """Which data the loss is measured on."""

    TRAIN = "train"
    TEST = "test"


class BatchNorm(StrEnum):
    """What becomes of the statistics of batch norm."""

    RECOMPUTE = "recompute"
    INTERPOLATE = "interpolate"
    STALE = "stale"


def slice_(
    task: TaskName,
    points: Annotated[
        list[str],
        typer.Argument(metavar="RUN[@STEP]...", help="Points: a run's last, or the one at a step.", show_default=False),
    ],
    kind: Annotated[
        Kind,
        typer.Option(
            help="line: 1 point and a random direction, or 2 points; plane: 1 point; pca: 1 run; barycentric: 3 points; "
            "bilinear: 4."
        ),
    ] = Kind.LINE,
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Ends in .png, .svg, .pdf, .npz or .json; a plane also in .html.")
    ] = Path("slice.png"),
    n: Annotated[int, typer.Option("-n", min=0, help="Points along each axis; 0 takes the kind's own number.")] = 0,
    reach: Annotated[float, typer.Option(min=0, help="Half the width; 1 is 100 % of the weights, 0 finds it.")] = 0.0,
    orthogonal: Annotated[bool, typer.Option(help="Turn the second direction of a plane to a right angle.")] = False,  # noqa: FBT002
    data: Annotated[Data, typer.Option(help="Where the loss is measured.")] = Data.TRAIN,
    batchnorm: Annotated[BatchNorm, typer.Option(help="Statistics at each point.")] = BatchNorm.RECOMPUTE,
    batches: Annotated[int, typer.Option(min=0, help="Random batches to look at; 0 takes all.")] = 0,
    seconds: Annotated[float, typer.Option(min=0, help="Stop after so long, with a coarse picture; 0 goes to the end.")] = 0.0,
    record: Annotated[Path | None, typer.Option(help="Write the points as a run, to be put on a map.")] = None,
    surface: Annotated[bool, typer.Option("--surface", help="Draw a plane in three dimensions.")] = False,  # noqa: FBT002
    style: Annotated[Style, typer.Option(help="Sizes of a surface: of print, or of a slide.")] = Style.PAPER,
    device: Device = "",
    seed: Seed = 0,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Measure the loss on a line, a plane or a triangle through points of recorded runs, and draw it.

    TASK is module:function, a function of yours that returns lossatlas.Task(model, loss, train, test, optimizer). Stopped at
    any time, the same command goes on where it was.
    """
    from lossatlas._arrays import InputError
    from lossatlas.draw import json_text
    from lossatlas.draw.slices import refuse_no_surface, refuse_unwritable_slice, slice_numbers
    from lossatlas.sample import SliceSettings, named_task, on_device
    from lossatlas.store import refuse_taken

    refuse_unwritable_slice(output, is_plane=kind in (Kind.PLANE, Kind.PCA))
    if surface:
        refuse_no_surface(output, is_plane=kind in (Kind.PLANE, Kind.PCA))
    elif style is not Style.PAPER:
        raise InputError("--style is for --surface; name both, or neither")
    if record is not None:
        refuse_taken(record)
    settings = SliceSettings(
        data=data.value, batchnorm=batchnorm.value, batches=batches or None, seed=seed, seconds=seconds or None
    )
    own = on_device(named_task(task), device)
    # What was measured so far; it goes when the picture is there.
    kept = output.with_name(f"{output.name}.measured.npz")
    asked = {"n": n or None, "reach": reach or None, "orthogonal": orthogonal or None, "seed": seed}
    with progress(total=1, quiet=as_json) as report:
        common = {
            "settings": settings,
            "path": kept,
            "progress": lambda done, total: report(done, kind.value, total),
        }
        made = _made(own, kind, points, asked, common)
    made.save(output, title=f"{kind.value} through {', '.join(points)}", surface=surface, style=style.value)
    if made.losses.done.all():
        kept.unlink(missing_ok=True)
    written = [output]
    if record is not None:
        made.losses.record(record, own)
        written.append(record)
    numbers = slice_numbers(made)
    if as_json:
        typer.echo(json_text(numbers), nl=False)
    else:
        shown = {name: value for name, value in numbers.items() if not isinstance(value, dict)}
        print_table([[name.replace("_", " "), short(value)] for name, value in shown.items()], title=None)
        typer.echo("\n".join(f"wrote {path}" for path in written))


def _made(task: "Task", kind: Kind, points: list[str], asked: dict[str, Any], common: dict[str, Any]) -> "Picture":
    from lossatlas import _arrays
    from lossatlas.sample import barycentric, bilinear, linear_path, loss_line, loss_plane, trajectory_plane
    from lossatlas.store import named_point, open_run

    makers: dict[tuple[Kind, int], tuple[Callable[..., Picture], set[str]]] = {
        (Kind.LINE, 1): (loss_line, {"n", "reach", "seed"}),
        (Kind.LINE, 2): (linear_path, {"n"}),
        (Kind.PLANE, 1): (loss_plane, {"n", "reach", "orthogonal", "seed"}),
        (Kind.PCA, 1): (trajectory_plane, {"n"}),
        (Kind.BARYCENTRIC, 3): (barycentric, {"n"}),
        (Kind.BILINEAR, 4): (bilinear, {"n"}),
    }
    if (kind, len(points)) not in makers:
        takes = " or ".join(str(count) for of, count in makers if of is kind)
        raise _arrays.InputError(f"--kind {kind.value} takes {takes} of RUN[@STEP], but {len(points)} came; name as many")
    make, options = makers[kind, len(points)]
    idle = [name for name, value in asked.items() if value is not None and name not in {*options, "seed"}]
    if idle:
        raise _arrays.InputError(f"--{idle[0]} has no meaning for --kind {kind.value} of {len(points)} points; leave it out")
    chosen = {name: value for name, value in asked.items() if value is not None and name in options}
    starts = [open_run(points[0])] if kind is Kind.PCA else [run.snapshot(point) for run, point in map(named_point, points)]
    return make(task, *starts, **chosen, **common)
