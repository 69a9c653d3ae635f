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
        lower(found, "train_loss", "orthogonal", "Xavier", text="Orthogonal starts learn faster.", source="Saxe et al. 2014"),
    ]


def conclusions(found: Findings) -> Sequence[str]:
    """Return what can and what cannot be said."""
    return [
        f"Large starts all but stay where they are: two seeds end at a cosine distance of "
        f"{found.said('distance_between_seeds', 'large')}, near right angles, and generalise to "
        f"{found.said('test_accuracy', 'large')}, beside {found.said('test_accuracy', 'He')} from He's.",
        f"Barriers between two seeds are {found.said('barrier_between_seeds', 'He')} from He's starts and "
        f"{found.said('barrier_between_seeds', 'large')} from large ones: on a map of weights, seeds are islands.",
        "What cannot be concluded: that seeds learn other functions. Hidden units can be exchanged without a change of the "
        "outputs, and "
        "distances of weights count that as a difference; align networks first, or map what they predict.",
    ]


PRESET = Preset(name="initializations", claims=claims, conclusions=conclusions)
