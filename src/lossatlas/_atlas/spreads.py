"""Which runs are alike but for their seeds, and how far apart these end."""

import json
from collections.abc import Sequence

from lossatlas._atlas.result import Trace
from lossatlas.distance import Pairwise
from lossatlas.measure import EndSpread, end_spread
from lossatlas.store import Run

# What is a training's own, though its settings are another's too.
_OWN = {"seed", "key", "name", "imported"}


def optimum_of(traces: Sequence[Trace]) -> int | None:
    """Return the row of the one point from which retrainings jumped."""
    optima = [trace.start for trace in traces if trace.kind == "optimum" and trace.stop > trace.start]
    return optima[0] if len(optima) == 1 else None


def spreads(runs: Sequence[Run], traces: Sequence[Trace], between: Pairwise) -> dict[str, EndSpread]:
    """Return the spread of the ends of retrainings that jumped equally far, and of trainings of the same settings.

    A run that diverged has no end, and a retraining without a jump, or with one that changed nothing, nowhere to return from:
    neither is counted.
    """
    optimum = optimum_of(traces)
    groups: dict[str, list[Trace]] = {}
    for run, trace in zip(runs, traces, strict=True):
        if trace.stop == trace.start or trace.n_left_out:
            continue
        is_return = (
            optimum is not None and trace.kind == "retraining" and trace.jump and between.squared[optimum, trace.start] > 0
        )
        if is_return or trace.kind == "training":
            groups.setdefault(_alike(run), []).append(trace)
    alike = sorted((group for group in groups.values() if len(group) > 1), key=lambda group: group[0].jump or 0.0)
    named: dict[str, list[Trace]] = {}
    for group in alike:
        # Jumps by their size where that tells them apart; the rest by the first of them.
        jump = f"jump of {group[0].jump:g}" if group[0].kind == "retraining" else ""
        named[jump if jump and jump not in named else f"{jump or 'trainings'} as {group[0].name}"] = group
    return {
        name: end_spread(
            between,
            [(trace.start, trace.stop) for trace in group],
            optimum=optimum if group[0].kind == "retraining" else None,
        )
        for name, group in named.items()
    }


def _alike(run: Run) -> str:
    """What runs have in common that are alike but for their seeds: their settings, and their model."""
    settings = {name: value for name, value in run.settings.items() if name not in _OWN}
    return json.dumps([settings, [(tensor.name, tensor.shape) for tensor in run.parameters]], sort_keys=True)
