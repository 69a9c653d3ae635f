"""The same passes over the data in smaller and larger batches."""

from collections.abc import Sequence

from lossatlas.experiments.comparison import Claim, Findings, Preset, lower, told_apart

_KESKAR = "Keskar et al. 2017"


def claims(found: Findings) -> Sequence[Claim]:
    """Return what is claimed of batches, and how it fared."""
    return [
        lower(found, "sharpness", "8", "128", text="Small batches end in flatter minima than large ones.", source=_KESKAR),
        lower(found, "test_loss", "8", "128", text="Small batches generalise better than large ones.", source=_KESKAR),
        lower(
            found,
            "displacement",
            "128",
            "8",
            text="Large batches end nearer to their start.",
            source="Hoffer et al. 2017",
        ),
        lower(
            found,
            "distance_to_first",
            "128, scaled",
            "128",
            text="A learning rate that grows with the batch brings batches of 128 nearer to where those of 32 end.",
            source="Goyal et al. 2017",
        ),
        told_apart(found, "straightness", text="Trajectories tell batch sizes apart.", source="Horoi et al. 2021, abstract"),
    ]


def conclusions(found: Findings) -> Sequence[str]:
    """Return what can and what cannot be said."""
    return [
        f"Batches of 8 move the weights by {found.said('displacement', '8')} from the start, batches of 128 by "
        f"{found.said('displacement', '128')}, and by {found.said('displacement', '128, scaled')} with the learning rate "
        "scaled: how far a network goes follows the number and the size of its steps.",
        f"Keskar's sharpness is {found.said('sharpness', '8')} beside {found.said('sharpness', '128')}, at train losses of "
        f"{found.said('train_loss', '8')} and {found.said('train_loss', '128')}: a minimum that was reached less far is not the "
        "same as a sharp one.",
        "What cannot be concluded: that the batch itself flattens a minimum. With equal passes, small batches also take more "
        "steps, and sharpness depends on the scale of the weights.",
    ]


PRESET = Preset(name="batch-size", claims=claims, conclusions=conclusions)
