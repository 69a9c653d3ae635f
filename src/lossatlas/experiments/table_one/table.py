"""What was found as a table beside the paper's, and as plain values."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from types import MappingProxyType
from typing import Any

from lossatlas.experiments.table_one.classification import Accuracy
from lossatlas.experiments.table_one.features import MEANINGS, PERMUTED, TARGETS
from lossatlas.experiments.table_one.sampling import Sampled
from lossatlas.experiments.table_one.settings import Settings

Accuracies = Mapping[str, Mapping[str, Accuracy]]  # by row and target

# Horoi et al. 2022, Table 1: mean and standard error over eleven classifiers, in percent, in the order of the targets.
PAPER: Mapping[str, Mapping[str, tuple[float, float]]] = MappingProxyType(
    {
        row: dict(zip(TARGETS, numbers, strict=True))
        for row, numbers in {
            "chance": ((20.0, 0.0), (33.3, 0.0), (50.0, 0.0)),
            "J&R, scrambled": ((20.7, 1.1), (38.9, 1.5), (52.7, 1.9)),
            "grid": ((30.1, 2.7), (51.1, 2.9), (62.3, 5.1)),
            "naive": ((31.8, 4.0), (55.7, 3.9), (67.6, 5.2)),
            "J&R": ((39.2, 4.3), (58.2, 3.6), (72.1, 5.4)),
        }.items()
    }
)


def n_classes(settings: Settings) -> dict[str, int]:
    """Return how many classes each target has; chance is one in so many."""
    numbers = (settings.classification.n_classes, len(settings.weight_decays), len(settings.augmentations))
    return dict(zip(TARGETS, numbers, strict=True))


def table(accuracies: Accuracies, settings: Settings) -> list[list[str]]:
    """Return the rows of the table: accuracies in percent beside the paper's, then by how much J&R is ahead of each row."""
    counts = n_classes(settings)
    head = ["accuracy, %"]
    for target in TARGETS:
        head += [f"{target} ({counts[target]})", "paper"]
    chance = ["chance"]
    for target in TARGETS:
        chance += [f"{100 / counts[target]:.1f}", f"{PAPER['chance'][target][0]:.1f}"]
    rows = [head, chance]
    for row, by_target in accuracies.items():
        line = [row]
        for target, found in by_target.items():
            line += [_spoken(100 * found.mean, 100 * found.error_of_classifiers), _of_paper(row, target)]
        rows.append(line)
    for row in accuracies:
        if row not in {"J&R", PERMUTED}:
            line = [f"J&R ahead of {row}"]
            for target in TARGETS:
                ahead, error = accuracies["J&R"][target].lead(accuracies[row][target])
                line += [_spoken(100 * ahead, 100 * error, sign="+"), _lead_of_paper(row, target)]
            rows.append(line)
    return rows


def _spoken(value: float, error: float, *, sign: str = "") -> str:
    known = "" if math.isnan(error) else f" ± {error:.1f}"  # of one classifier there is no spread
    return f"{value:{sign}.1f}{known}".replace("-", "\N{MINUS SIGN}")


def _of_paper(row: str, target: str) -> str:
    return _spoken(*PAPER[row][target]) if row in PAPER else ""


def _lead_of_paper(row: str, target: str) -> str:
    # Its errors are over classifiers, which all saw the same networks: no error of a difference can be had from them.
    return f"{PAPER['J&R'][target][0] - PAPER[row][target][0]:+.1f}" if row in PAPER else ""


def summary(known: Sequence[Sampled], left_out: Sequence[Sampled], accuracies: Accuracies, settings: Settings) -> dict[str, Any]:
    """Return all that was found as plain values."""
    return {
        "experiment": "table-1",
        "n_networks": len(known),
        "left_out": [one.network.name for one in left_out],  # a training or a retraining diverged
        "n_points": settings.n_points,
        "chance": {target: 1 / count for target, count in n_classes(settings).items()},
        "accuracies": {
            row: {target: _plain(found) for target, found in by_target.items()} for row, by_target in accuracies.items()
        },
        "lead_of_jump_and_retrain": {
            row: {
                target: dict(zip(("mean", "error_of_networks"), accuracies["J&R"][target].lead(found), strict=True))
                for target, found in by_target.items()
            }
            for row, by_target in accuracies.items()
            if row not in {"J&R", PERMUTED}
        },
        "meanings": dict(MEANINGS),
        "paper_percent": {row: {target: list(numbers) for target, numbers in found.items()} for row, found in PAPER.items()},
        "networks": [asdict(one.network) | dict(one.optimum) for one in known],
        "settings": asdict(settings),
    }


def _plain(found: Accuracy) -> dict[str, Any]:
    return {
        "mean": found.mean,
        "error_of_classifiers": found.error_of_classifiers,
        "error_of_networks": found.error_of_networks,
        "spread_of_rounds": found.spread_of_rounds,
        "by_classifier": found.by_classifier,
    }
