"""``lossatlas card``."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from lossatlas.cli.output import Device, Json, Seed, TaskName, print_table, progress, short


def card(
    task: TaskName,
    networks: Annotated[list[str], typer.Argument(metavar="RUN[@STEP]...", help="One network or more.", show_default=False)],
    batches: Annotated[int, typer.Option(min=0, help="Random batches to measure on; 0 takes all.")] = 0,
    effort: Annotated[float, typer.Option(min=0.001, help="Times as many steps of each curve's training as by default.")] = 1.0,
    curvature: Annotated[bool, typer.Option(help="Measure the Hessian, by the extra curvature.")] = True,  # noqa: FBT002
    device: Device = "",
    seed: Seed = 0,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Measure networks by their numbers: loss, sharpness, curvature, and of each pair barrier, connectivity and likeness.

    TASK is module:function, a function of yours that returns lossatlas.Task(model, loss, train, test, optimizer).
    """
    from dataclasses import replace

    from lossatlas._arrays import InputError
    from lossatlas.draw import json_text
    from lossatlas.experiments.report_card import CardSettings, report_card
    from lossatlas.sample import BendSettings, named_task, on_device
    from lossatlas.store import named_point

    if len(set(networks)) < len(networks):
        raise InputError(f"networks must differ, but {max(networks, key=networks.count)} came twice; name each once")
    own = on_device(named_task(task), device)
    starts = {name: run.snapshot(point) for name in networks for run, point in [named_point(name)]}
    bends = BendSettings()
    with progress(total=1, quiet=as_json) as report:
        made = report_card(
            own,
            starts,
            settings=CardSettings(
                batches=batches or None,
                bends=replace(bends, steps=max(1, round(effort * bends.steps))),
                with_curvature=curvature,
                seed=seed,
            ),
            progress=lambda done, total, what: report(done, what, total),
        )
    numbers = made.summary()
    if as_json:
        typer.echo(json_text(numbers), nl=False)
        return
    print_table(_columns(numbers["networks"]), title=None)
    if numbers["pairs"]:
        typer.echo()
        print_table(_columns({" and ".join(pair.pop("networks")): pair for pair in numbers["pairs"]}), title=None)


def _columns(cards: Mapping[str, Mapping[str, Any]]) -> list[list[str]]:
    """A column a card, a row a number."""
    names = [name for name, value in next(iter(cards.values())).items() if not isinstance(value, dict)]
    rows = [
        [name.replace("_", " "), *("" if one[name] is None else short(one[name]) for one in cards.values())] for name in names
    ]
    return [["", *cards], *rows]
