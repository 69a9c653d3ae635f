"""One network at learning rates from creeping to too large."""

from collections.abc import Sequence

from lossatlas.experiments.comparison import Claim, Findings, Preset, lower, told_apart


def claims(found: Findings) -> Sequence[Claim]:
    """Return what is claimed of learning rates, and how it fared."""
    return [
        lower(
            found,
            "eigenvalue",
            "0.1",
            "0.003",
            text="Large learning rates end where the Hessian is flatter.",
            source="Cohen et al. 2021",
        ),
        lower(found, "test_loss", "0.1", "0.003", text="Large learning rates generalise better.", source="Li et al. 2019"),
        lower(
            found,
            "straightness",
            "0.3",
            "0.003",
            text="Ways of large learning rates wind more.",
            source="Horoi et al. 2021, abstract",
        ),
        lower(
            found,
            "displacement",
            "0.003",
            "0.3",
            text="Small learning rates stay near their start.",
            source="Chizat et al. 2019",
        ),
        told_apart(found, "return_ratio", text="Jumping and retraining tells learning rates apart.", source="here"),
    ]


def conclusions(found: Findings) -> Sequence[str]:
    """Return what can and what cannot be said."""
    slow, fast, wild = "0.003", "0.3", "3"
    return [
        f"A hundred times larger learning rate carries the weights {found.said('displacement', fast)} from their start in place "
        f"of {found.said('displacement', slow)}, on ways of straightness {found.said('straightness', fast)} in place of "
        f"{found.said('straightness', slow)}. At a rate of {wild} networks end with {found.said('train_accuracy', wild)} of "
        "their own training samples right.",
        f"The Hessian's top eigenvalue is {found.said('eigenvalue', slow)} at {slow} and {found.said('eigenvalue', fast)} at "
        f"{fast}, at train losses of {found.said('train_loss', slow)} and {found.said('train_loss', fast)}; test losses are "
        f"{found.said('test_loss', slow)} and {found.said('test_loss', fast)}.",
        "What cannot be concluded: that flatness is the learning rate's doing. The same number of steps at a lower rate fits "
        "less far, and the curvature of a cross-entropy falls as its loss does.",
    ]


PRESET = Preset(name="learning-rate", claims=claims, conclusions=conclusions)
