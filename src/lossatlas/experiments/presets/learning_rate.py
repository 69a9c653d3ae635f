"""One network at learning rates from creeping to diverging."""

from collections.abc import Sequence

from lossatlas.experiments.comparison import Claim, Findings, Preset, lower, told_apart

_EDGE = "Cohen et al. 2021"


def claims(found: Findings) -> Sequence[Claim]:
    """Return what is claimed of learning rates, and how it fared."""
    return [
        lower(found, "eigenvalue", "0.3", "0.03", text="Large learning rates end where the Hessian is flatter.", source=_EDGE),
        lower(found, "test_loss", "0.3", "0.03", text="Large learning rates generalise better.", source="Li et al. 2019"),
        lower(
            found,
            "straightness",
            "0.3",
            "0.01",
            text="Ways of large learning rates wind more.",
            source="Horoi et al. 2021, abstract",
        ),
        told_apart(
            found,
            "displacement",
            text="How far a network goes tells learning rates apart.",
            source="lazy training: Chizat et al. 2019",
        ),
    ]


def conclusions(found: Findings) -> Sequence[str]:
    """Return what can and what cannot be said."""
    return [
        f"A thirty times larger learning rate carries the weights from {found.said('displacement', '0.01')} to "
        f"{found.said('displacement', '0.3')} from their start, on ways of straightness {found.said('straightness', '0.01')} and "
        f"{found.said('straightness', '0.3')}. At 10, {found.said('diverged', '10')} of the trainings diverge: they are "
        f"counted, not "
        "drawn.",
        f"The Hessian's top eigenvalue is {found.said('eigenvalue', '0.01')} at 0.01 and {found.said('eigenvalue', '0.3')} at "
        f"0.3, "
        f"where the train loss is {found.said('train_loss', '0.01')} and {found.said('train_loss', '0.3')}.",
        "What cannot be concluded: that flatness is the learning rate's doing. The same number of steps at a lower rate fits "
        "less far, "
        "and curvature falls as the loss does.",
    ]


PRESET = Preset(name="learning-rate", claims=claims, conclusions=conclusions)
