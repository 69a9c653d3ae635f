"""``lossatlas gallery``."""

from pathlib import Path
from typing import Annotated

import typer

from lossatlas.cli.output import progress


def gallery(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAMES]...", help="Which comparisons; by default all.")] = None,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder of the site.")] = Path("gallery"),
    workers: Annotated[int, typer.Option(min=0, help="Processes; 0 takes one a processor.")] = 0,
) -> None:
    """Run all small comparisons and write them as a site: each with its maps, what differs, and what follows.

    What is up to date by its settings is not made again; stopped at any time, the same command goes on where it was.
    """
    import joblib

    from lossatlas.experiments.gallery import make_gallery
    from lossatlas.sample import LocalPool

    with progress(total=None, quiet=False) as report, LocalPool(workers or joblib.cpu_count()) as pool:
        front = make_gallery(
            output,
            names or (),
            executor=pool,
            progress=lambda name, done, of, what: report(done, f"{name}: {what}", of),
        )
    typer.echo(f"wrote {front}")
