"""Optimisers from the same starts."""

from collections.abc import Sequence

import numpy as np

from lossatlas.experiments.comparison import Claim, Findings, Preset, not_testable, told_apart
from lossatlas.experiments.comparison.unit import FITS

_SEED = "Horoi et al. 2021, abstract"


def claims(found: Findings) -> Sequence[Claim]:
    """Return what is claimed of optimisers, and how it fared."""
    return [
        told_apart(found, "straightness", text="Trajectories tell optimisers apart.", source=_SEED),
        told_apart(found, "return_ratio", text="Jumping and retraining tells optimisers apart.", source=_SEED),
        told_apart(found, "sharpness", text="Optimisers end in minima that are not equally sharp.", source="Keskar et al. 2017"),
        _unequal(found),
    ]


def _unequal(found: Findings) -> Claim:
    text, source = "Optimisers that all fit do not generalise equally.", "Wilson et al. 2017"
    for variant in found.settings.variants:
        if not (found.of("train_accuracy", variant) >= FITS).all():
            return not_testable(text=text, source=source, why=f"{variant} does not fit its training samples in every seed")
    return told_apart(found, "test_accuracy", text=text, source=source)


def conclusions(found: Findings) -> Sequence[str]:
    """Return what can and what cannot be said."""
    first, *others = found.settings.variants
    barrier = max(float(np.nanmax(found.of("barrier_to_first", other))) for other in others)
    seeds = min(float(np.nanmin(found.of("barrier_between_seeds", variant))) for variant in found.settings.variants)
    decides = "The start decides more of where a network ends than the optimiser does." if barrier < seeds else ""
    length = {variant: found.mean("length", variant) for variant in found.settings.variants}
    shortest, longest = min(length, key=length.__getitem__), max(length, key=length.__getitem__)
    return [
        f"From the same start, the highest barrier between {first} and another optimiser is {barrier:.2g}; between two "
        f"seeds of one optimiser the lowest is {seeds:.2g}. {decides}".strip(),
        f"Ways differ: {longest} goes {length[longest] / length[shortest]:.1f} times as far as {shortest}, at straightness "
        f"{found.said('straightness', longest)} and {found.said('straightness', shortest)}.",
        "What cannot be concluded: that one optimiser is better. Learning rates were chosen so that each fits in time; another "
        "rate moves every number of its row.",
    ]


PRESET = Preset(name="optimizers", claims=claims, conclusions=conclusions)
