"""Findings as rows of text and as plain values."""

import math
from typing import Any

import numpy as np

from lossatlas.experiments.comparison.findings import Findings


def table(found: Findings) -> list[list[str]]:
    """Return a head row, then a row a measure: its label, mean ± spread of each variant, and how well it tells them apart."""
    variants = list(found.settings.variants)
    return [
        ["", *variants, "told apart"],
        *(
            [measure.label, *(found.said(measure.name, variant) for variant in variants), _apart(found, measure.name)]
            for measure in found.measures
        ),
    ]


def meanings(found: Findings) -> dict[str, str]:
    """Return what the rows and the last column of the table say, by their labels."""
    n = len(found.settings.seeds)
    return {
        "±": f"standard deviation over {n} seeds, or over the pairs of them",
        "told apart": "share of the variance of the ranks that is between variants; p: how often shuffled ones reach it, where "
        "numbers are independent",
    } | {measure.label: measure.meaning for measure in found.measures}


def plain(found: Findings) -> dict[str, Any]:
    """Return all numbers as plain values, for a file."""
    return {
        measure.name: {
            "variants": {
                variant: {
                    "mean": _known(found.mean(measure.name, variant)),
                    "spread": _known(found.spread(measure.name, variant)),
                    "values": [_known(value) for value in found.of(measure.name, variant)],
                }
                for variant in found.settings.variants
            },
            "apart": None if (apart := found.apart(measure.name)) is None else {"share": apart.share, "p": _known(apart.p)},
        }
        for measure in found.measures
    }


def _apart(found: Findings, measure: str) -> str:
    apart = found.apart(measure)
    return "–" if apart is None else f"{apart.share:.2f}" + ("" if math.isnan(apart.p) else f" (p {apart.p:.3f})")


def _known(value: float | np.floating) -> float | None:
    return float(value) if math.isfinite(value) else None
