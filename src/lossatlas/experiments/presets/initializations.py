"""One network from starts that were drawn in several ways."""

from collections.abc import Sequence

from lossatlas.experiments.comparison import Claim, Findings, Preset, lower, told_apart

_LAZY = "Chizat et al. 2019"


def claims(found: Findings) -> Sequence[Claim]:
    """Return what is claimed of starts, and how it fared."""
    return [
        told_apart(found, "straightness", text="Trajectories tell initialisations apart.", source="Horoi et al. 2021, abstract"),
        lower(
            found,
            "distance_between_seeds",
            "small",
            "He",
            text="From small starts, networks of two seeds end in directions that are nearer to each other.",
            source="condensation: Luo et al. 2021",
        ),
        lower(
            found,
            "test_accuracy",
            "large",
            "He",
            text="Large starts fit without learning features, and generalise less.",
            source=_LAZY,
        ),
        lower(
            found,
            "epochs_to_fit",
            "orthogonal",
            "He",
            text="Orthogonal starts learn faster than Gaussian ones of the same scale.",
            source="Saxe et al. 2014",
        ),
    ]


def conclusions(found: Findings) -> Sequence[str]:
    """Return what can and what cannot be said."""
    return [
        f"From starts three times as large as He's, networks generalise to {found.said('test_accuracy', 'large')}, beside "
        f"{found.said('test_accuracy', 'He')}; from starts a tenth as large to {found.said('test_accuracy', 'small')}, after "
        f"{found.said('epochs_to_fit', 'small')} epochs in place of {found.said('epochs_to_fit', 'He')}.",
        f"Two seeds end at a cosine distance of {found.said('distance_between_seeds', 'He')} from He's starts, "
        f"{found.said('distance_between_seeds', 'small')} from small ones and {found.said('distance_between_seeds', 'large')} "
        f"from large ones, where 1 is at right angles, with barriers of {found.said('barrier_between_seeds', 'He')}, "
        f"{found.said('barrier_between_seeds', 'small')} and {found.said('barrier_between_seeds', 'large')} between them.",
        "What cannot be concluded: that seeds learn other functions. Hidden units can be exchanged without a change of the "
        "outputs, and distances of weights count that as a difference; align networks first, or map what they predict.",
    ]


PRESET = Preset(name="initializations", claims=claims, conclusions=conclusions)
