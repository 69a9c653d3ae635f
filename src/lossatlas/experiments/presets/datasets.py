"""One kind of network on other data, and on labels that become random in steps."""

from collections.abc import Sequence

import numpy as np

from lossatlas.experiments.comparison import Claim, Findings, Preset, lower, ranked, told_apart

_SEED, _ZHANG = "Horoi et al. 2021, abstract", "Zhang et al. 2017"


def claims(found: Findings) -> Sequence[Claim]:
    """Return what is claimed of data, and how it fared."""
    return [
        told_apart(found, "straightness", text="Trajectories tell data sets apart.", source=_SEED),
        told_apart(found, "return_ratio", text="Jumping and retraining tells data sets apart.", source=_SEED),
        lower(found, "epochs_to_fit", "true labels", "100 % random", text="Random labels take longer to fit.", source=_ZHANG),
        lower(
            found,
            "displacement",
            "true labels",
            "100 % random",
            text="To memorise, a network goes farther from its start.",
            source="Nagarajan and Kolter 2019",
        ),
        _grows(found, "eigenvalue", text="Minima are sharper the more labels are random."),
    ]


def _grows(found: Findings, measure: str, *, text: str) -> Claim:
    """Whether a measure grows with the share of random labels: by ranks, over all networks on the first set."""
    shares = {name: found.settings.recipe_of(name).random_share for name in found.settings.variants}
    on_first = [name for name in shares if found.settings.recipe_of(name).data == found.settings.recipe.data]
    x = np.concatenate([np.full(len(found.of(measure, name)), shares[name]) for name in on_first])
    y = np.concatenate([found.of(measure, name) for name in on_first])
    return ranked(
        x,
        y,
        of=f"{measure} and share of random labels",
        text=text,
        source="Zhang et al. 2017; Yang et al. 2021",
        why=f"there is no {measure}; it needs the extra curvature",
    )


def conclusions(found: Findings) -> Sequence[str]:
    """Return what can and what cannot be said."""
    true, random = "true labels", "100 % random"
    return [
        f"Of random labels {found.said('train_accuracy', random)} are fitted, in "
        f"{found.said('epochs_to_fit', random)} epochs beside {found.said('epochs_to_fit', true)} of true ones, "
        f"{found.said('displacement', random)} from the start beside {found.said('displacement', true)}.",
        f"With half of the labels random, test accuracy is {found.said('test_accuracy', '50 % random')} in place of "
        f"{found.said('test_accuracy', true)}, and the way {found.said('length', '50 % random')} long in place of "
        f"{found.said('length', true)}; with all of them {found.said('test_accuracy', random)} and "
        f"{found.said('length', random)}.",
        "What cannot be concluded: from the map of one set that of another. Networks on other data have other inputs, so their "
        "weights share no space, and each set has its own map.",
    ]


PRESET = Preset(name="datasets", claims=claims, conclusions=conclusions)
