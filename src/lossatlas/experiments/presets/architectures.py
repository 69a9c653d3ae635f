"""Networks of several kinds on the same digits, on one map of what they predict."""

from collections.abc import Sequence

from lossatlas.experiments.comparison import Claim, Findings, Preset, lower, told_apart

_SEED = "Horoi et al. 2021, abstract"


def claims(found: Findings) -> Sequence[Claim]:
    """Return what is claimed of architectures, and how it fared."""
    return [
        told_apart(found, "straightness", text="Trajectories tell architectures apart.", source=_SEED),
        told_apart(found, "return_ratio", text="Jumping and retraining tells architectures apart.", source=_SEED),
        lower(
            found,
            "sharpness",
            "residual",
            "no skips",
            text="Skips make minima flatter.",
            source="Li et al. 2018, Fig. 1",
        ),
        lower(
            found,
            "barrier_between_seeds",
            "MLP, wide",
            "MLP",
            text="Barriers between two seeds fall with width.",
            source="Entezari et al. 2022",
        ),
        lower(
            found,
            "barrier_between_seeds",
            "MLP",
            "MLP, deep",
            text="Barriers between two seeds grow with depth.",
            source="Entezari et al. 2022",
        ),
    ]


def conclusions(found: Findings) -> Sequence[str]:
    """Return what can and what cannot be said."""
    best = max(found.settings.variants, key=lambda variant: found.mean("test_accuracy", variant))
    return [
        f"All kinds share one map of what they predict, which no map of weights could hold; {best} generalises best, to "
        f"{found.said('test_accuracy', best)}, beside {found.said('test_accuracy', 'MLP')} of the smallest network.",
        f"With skips, Keskar's sharpness is {found.said('sharpness', 'residual')}; without, from the same start, "
        f"{found.said('sharpness', 'no skips')}. Barriers between seeds are {found.said('barrier_between_seeds', 'MLP')} at "
        f"width 32 and {found.said('barrier_between_seeds', 'MLP, wide')} at width 128.",
        "What cannot be concluded: that numbers of weights compare across kinds. Lengths, norms, sharpness and curvature "
        "depend on the number and the scale of the weights; only accuracies, straightness and ratios do not.",
    ]


PRESET = Preset(name="architectures", claims=claims, conclusions=conclusions)
