"""A small character transformer on English text that comes with Python."""

from collections.abc import Sequence

from lossatlas.experiments.comparison import Claim, Findings, Preset, lower, told_apart
from lossatlas.experiments.data.text import counted


def claims(found: Findings) -> Sequence[Claim]:
    """Return what is claimed of models of language, and how it fared."""
    return [
        lower(
            found,
            "test_loss",
            "AdamW",
            "SGD",
            text="Transformers learn faster with Adam than with SGD.",
            source="Zhang et al. 2020",
        ),
        lower(found, "test_loss", "wider", "AdamW", text="A wider model has a lower test loss.", source="Kaplan et al. 2020"),
        lower(
            found,
            "test_loss",
            "AdamW",
            "no places",
            text="A causal model is better off with a vector for each place.",
            source="Haviv et al. 2022, who find that it need not be",
        ),
        told_apart(found, "straightness", text="Trajectories tell the variants apart.", source="Horoi et al. 2021, abstract"),
    ]


def conclusions(found: Findings) -> Sequence[str]:
    """Return what can and what cannot be said."""
    recipe = found.settings.recipe
    tables, n_pieces = counted(recipe.samples()), recipe.n_samples()[0]
    return [
        f"The model ends at a test loss of {found.said('test_loss', 'AdamW')} nats a character, where counting single "
        f"characters gives {tables.alone:.2f}, pairs {tables.after_one:.2f} and triples {tables.after_two:.2f}; SGD ends at "
        f"{found.said('test_loss', 'SGD')}.",
        f"AdamW goes {found.said('length', 'AdamW')} on a way of straightness {found.said('straightness', 'AdamW')}, SGD "
        f"{found.said('length', 'SGD')} at {found.said('straightness', 'SGD')}; two seeds end at a cosine distance of "
        f"{found.said('distance_between_seeds', 'AdamW')}.",
        f"What cannot be concluded: anything of large models. {n_pieces} pieces of text are read {recipe.epochs * recipe.passes} "
        "times, by a network that is some million times smaller than those that are in use.",
    ]


PRESET = Preset(name="language-model", claims=claims, conclusions=conclusions)
