"""Optimisers from the same starts."""

from collections.abc import Sequence

from lossatlas.experiments.comparison import Claim, Findings, Preset
from lossatlas.experiments.comparison.claims import told_apart


def _claims(found: Findings) -> Sequence[Claim]:
    return [told_apart(found, "length", text="Maps tell optimisers apart by their ways.", source="Horoi et al. 2021, abstract")]


def _conclusions(found: Findings) -> Sequence[str]:
    return ["…"]


PRESET = Preset(name="optimizers", claims=_claims, conclusions=_conclusions)
