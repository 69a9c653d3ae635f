"""A good optimum, a bad one and a memorised one: Horoi et al. 2022, Figures 2 and 3, over seeds and with controls."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lossatlas.experiments.comparison import Claim, Findings, Preset, lower, ranked

_FIGURE_2, _FIGURE_3 = "Horoi et al. 2022, Fig. 2", "Horoi et al. 2022, Fig. 3"


def claims(found: Findings) -> Sequence[Claim]:
    """Return what the paper says of the three, and how it fared."""
    return [
        lower(
            found,
            "return_ratio",
            "good",
            "bad",
            text="Retrainings come back further to a good optimum than to a bad one.",
            source=_FIGURE_2,
        ),
        lower(
            found,
            "return_ratio",
            "good",
            "memorised",
            text="Retrainings come back further to a good optimum than to a memorised one.",
            source=_FIGURE_2,
        ),
        lower(
            found,
            "control_return_ratio",
            "good",
            "bad",
            text="So they do to where each optimum drifts by itself, when it is retrained without a jump.",
            source="control, beyond the paper",
        ),
        lower(
            found,
            "persistence",
            "good",
            "bad",
            text="Total persistence of the test loss is lower around a good optimum than around a bad one.",
            source=_FIGURE_3,
        ),
        lower(
            found,
            "persistence_rank",
            "good",
            "bad",
            text="It is lower by ranks of the loss too, where the range of the loss plays no part.",
            source="control, beyond the paper",
        ),
        _follows_the_loss(found),
    ]


def _follows_the_loss(found: Findings) -> Claim:
    """Total persistence beside the test loss of its optimum, over all networks; the loss range squared as its baseline."""
    flat = {
        name: np.concatenate([found.of(name, variant) for variant in found.settings.variants])
        for name in ("persistence", "loss_range_squared", "test_loss")
    }
    own, baseline = (
        ranked(
            flat[measure],
            flat["test_loss"],
            of=f"{of} and test loss",
            text="Total persistence grows with the test loss of the optimum.",
            source=_FIGURE_3,
            why="too few networks have both numbers, or all are equal",
        )
        for measure, of in (("persistence", "persistence"), ("loss_range_squared", "the squared range of the loss alone"))
    )
    return own if own.verdict == "not testable here" else replace(own, number=f"{own.number}; {baseline.number}")


def conclusions(found: Findings) -> Sequence[str]:
    """Return what can and what cannot be said."""
    persistence, squared_range = (found.said(name, "bad") for name in ("persistence", "loss_range_squared"))
    return [
        f"Retrainings end at {found.said('return_ratio', 'good')} of their jump from the good optimum, at "
        f"{found.said('return_ratio', 'bad')} from the bad one and {found.said('return_ratio', 'memorised')} from the memorised "
        f"one. But weight decay alone moves the good network by {found.said('control_drift_over_jump', 'good')} of a jump: to "
        f"where it drifts by itself, its retrainings end at {found.said('control_return_ratio', 'good')}.",
        f"Total persistence of the test loss around the bad optimum is {persistence}, the squared range of the loss alone "
        f"{squared_range}: where the two agree, it says no more than how high the loss is just after a jump.",
        "What cannot be concluded: that a return is caused by a good optimum. Only the good network has weight decay, and the "
        "three networks differ in more than how well they generalise.",
    ]


PRESET = Preset(name="good-bad-memorised", claims=claims, conclusions=conclusions)
