"""``lossatlas import``."""

from pathlib import Path
from typing import Annotated

import typer

from lossatlas.cli.output import Json, progress


def import_(
    checkpoints: Annotated[list[str], typer.Argument(help="Checkpoints, their folder, or patterns.", show_default=False)],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder of the run.", show_default=False)],
    link: Annotated[bool, typer.Option("--link", help="Leave safetensors files where they are, and point to them.")] = False,  # noqa: FBT002
    ema: Annotated[bool, typer.Option("--ema", help="Take the averaged weights beside the trained ones.")] = False,  # noqa: FBT002
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Make a run of checkpoints that a training left behind.

    They may be .pt, .pth, .bin, .ckpt or .safetensors files, sharded ones, checkpoint-N folders of the Hugging Face Trainer, or
    folders of torch.distributed.checkpoint.
    """
    from lossatlas.draw import json_text
    from lossatlas.record import import_checkpoints

    with progress(total=1, quiet=as_json) as report:
        run = import_checkpoints(
            checkpoints, output, link=link, ema=ema, progress=lambda done, total: report(done, "reading checkpoints", total)
        )
    numbers = {
        "n_points": run.n_points,
        "n_parameters": run.n_parameters,
        "steps": run.steps.tolist(),
        "metrics": list(run.metrics),
    }
    if as_json:
        typer.echo(json_text(numbers), nl=False)
        return
    first, last = int(run.steps[0]), int(run.steps[-1])
    typer.echo(f"wrote {output}: {run.n_points} points of {run.n_parameters:,} parameters, steps {first} to {last}")
    if run.metrics:
        typer.echo(f"with {', '.join(run.metrics)}")
