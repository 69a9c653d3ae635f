"""Which runs are alike but for their seeds, and how far apart these end."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

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

    A run that diverged has no end, and a retraining without a jump nowhere to return from: neither is counted.
    """
    optimum = optimum_of(traces)
    groups: dict[str, list[Trace]] = {}
    for run, trace in zip(runs, traces, strict=True):
        if trace.stop == trace.start or trace.n_left_out:
            continue
        if trace.kind == "retraining" and trace.jump and optimum is not None:
            groups.setdefault(f"jump of {trace.jump:g}", []).append(trace)
        elif trace.kind == "training":
            groups.setdefault(_settings(run.settings), []).append(trace)
    # Jumps by their size; trainings are named by the first of them.
    alike = sorted((group for group in groups.values() if len(group) > 1), key=lambda group: group[0].jump or 0.0)
    return {
        f"jump of {group[0].jump:g}" if group[0].kind == "retraining" else f"trainings as {group[0].name}": end_spread(
            between,
            [(trace.start, trace.stop) for trace in group],
            optimum=optimum if group[0].kind == "retraining" else None,
        )
        for group in alike
    }


def _settings(settings: Mapping[str, Any]) -> str:
    return json.dumps({name: value for name, value in settings.items() if name not in _OWN}, sort_keys=True)
