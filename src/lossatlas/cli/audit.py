"""``lossatlas audit``."""

from dataclasses import asdict
from typing import Annotated

import typer

from lossatlas.cli.output import Json, print_table, progress


def audit(
    snapshots: Annotated[list[str], typer.Argument(help="A run, or checkpoints, their folder, or patterns.", show_default=False)],
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Look whether snapshots are what they claim to be; exit code 1 where something is wrong.

    Finds damaged files, changed shapes, NaN, copies under different steps, snapshots in each other's place, gaps, jumps, and
    tensors that never move.
    """
    from lossatlas import audit as audited
    from lossatlas.draw import json_text

    with progress(total=1, quiet=as_json) as report:
        found = audited(
            snapshots[0] if len(snapshots) == 1 else snapshots, progress=lambda done, total: report(done, "reading", total)
        )
    if as_json:
        numbers = {"n_points": found.n_points, "n_tensors": found.n_tensors, "is_clean": found.is_clean}
        typer.echo(json_text(numbers | {"findings": [asdict(finding) for finding in found.findings]}), nl=False)
    elif found.is_clean:
        typer.echo(f"{found.n_points} snapshots of {found.n_tensors} tensor{'s' * (found.n_tensors != 1)}: nothing is wrong")
    else:
        rows = [[f.kind, " and ".join(_few(f.points)), f.tensor or "", f.what] for f in found.findings]
        print_table([["found", "snapshots", "tensor", "what"], *rows], title=None)
    if not found.is_clean:
        raise typer.Exit(1)


def _few(names: tuple[str, ...]) -> tuple[str, ...]:
    return names if len(names) <= 3 else (names[0], f"{len(names) - 2} more", names[-1])
