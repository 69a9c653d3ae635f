"""What is claimed, and whether the numbers bear it out."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.stats import spearmanr

from lossatlas._arrays import Vector
from lossatlas.experiments.comparison.findings import Findings

Verdict = Literal["held", "not held", "not testable here"]


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A claim, by whom, and how it fared.

    Attributes:
        text: What is claimed, as a sentence.
        source: Whose claim it is.
        verdict: How it fared.
        number: By which number.
    """

    text: str
    source: str
    verdict: Verdict
    number: str


def lower(found: Findings, measure: str, low: str, high: str, *, text: str, source: str) -> Claim:
    """Return the claim that a measure is lower for one variant than for another: held if it is so in every seed.

    A seed without one of the numbers speaks against it, unless it waited for what never happened: that is later than any.
    """
    one, other = found.of(measure, low), found.of(measure, high)
    label, own = _label(found, measure), found.measure(measure)
    if own.is_wait:
        one, other = (np.where(np.isnan(values), np.inf, values) for values in (one, other))
    if np.isnan(one + other).all() or np.isinf(np.minimum(one, other)).all():
        return not_testable(text=text, source=source, why=f"there is no {label} of both")
    n_lower, of = int((one < other).sum()), "pairs of seeds" if own.is_of_pairs else "seeds"
    beside = f"{found.said(measure, low)} ({low}) beside {found.said(measure, high)} ({high})"
    number = f"{label}: {beside}; lower in {n_lower} of {len(one)} {of}"
    return Claim(text=text, source=source, verdict="held" if n_lower == len(one) else "not held", number=number)


def told_apart(found: Findings, measure: str, *, text: str, source: str, at_most: float = 0.05) -> Claim:
    """Return the claim that a measure tells the variants apart: held if shuffled ones do so as well in 5 % at the most."""
    label = _label(found, measure)
    if found.measure(measure).is_of_pairs:
        return not_testable(text=text, source=source, why=f"of {label} no variants can be shuffled: pairs share networks")
    apart = found.apart(measure)
    if apart is None:
        return not_testable(text=text, source=source, why=f"the variants have no {label} that differs")
    number = f"{label}: {apart.share:.0%} of the variance of its ranks is between the variants (p = {apart.p:.3f})"
    return Claim(text=text, source=source, verdict="held" if apart.p <= at_most else "not held", number=number)


def ranked(x: Vector, y: Vector, *, of: str, text: str, source: str, why: str, falls: bool = False, beyond: float = 0.0) -> Claim:
    """Return the claim that one number rises with another, or falls: held by the rank correlation over all networks.

    Args:
        x: One number a network; NaN where there is none.
        y: The other.
        of: What the two are.
        text: What is claimed.
        source: Whose claim it is.
        why: What is missing where fewer than three networks have both, or all have the same.
        falls: Whether ``y`` is claimed to fall.
        beyond: The correlation has to be greater than this, and significant at 5 %.
    """
    known = np.isfinite(x) & np.isfinite(y)
    if known.sum() < 3 or min(len(set(x[known])), len(set(y[known]))) == 1:
        return not_testable(text=text, source=source, why=why)
    found = spearmanr(x[known], y[known])
    is_held = (-found.statistic if falls else found.statistic) > beyond and found.pvalue < 0.05
    number = f"{of}: rank correlation {found.statistic:.2f} (p = {found.pvalue:.2g})"
    return Claim(text=text, source=source, verdict="held" if is_held else "not held", number=number)


def not_testable(*, text: str, source: str, why: str) -> Claim:
    """Return a claim that this comparison says nothing of."""
    return Claim(text=text, source=source, verdict="not testable here", number=why)


def _label(found: Findings, measure: str) -> str:
    """Return what a measure is called where it stands alone, not below another in a table."""
    return found.measure(measure).label.removeprefix("… ")
