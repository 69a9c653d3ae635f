"""A comparison at a size that tests can wait for."""

from collections.abc import Sequence

from lossatlas.experiments.comparison import Claim, Findings, Jump, Preset, Recipe, Settings, lower

SMALL = Settings(
    title="Slow & fast",
    question="Does a tenth of the learning rate go a shorter way?",
    recipe=Recipe(
        data_options={"n_train": 40},
        network="mlp",
        network_options={"width": 8},
        epochs=6,
        passes=1,
        batch=20,
        learning_rate=0.05,
    ),
    variants={"fast": {}, "slow": {"learning_rate": 0.005}},
    seeds=(0, 1),
    jump=Jump(seeds=(0,), steps=(0.5, 1.0), epochs=3, passes=1),
    with_curvature=False,
)


def claims(found: Findings) -> Sequence[Claim]:
    return [lower(found, "length", "slow", "fast", text="Slow goes a shorter way.", source="here")]


def conclusions(found: Findings) -> Sequence[str]:
    return [f"Slow went {found.said('length', 'slow')}, fast {found.said('length', 'fast')}."]


class Small(Preset):
    """With settings of its own in place of a file's."""

    settings = SMALL
    has_full_size = False

    def default_settings(self, **_):
        return self.settings


PRESET = Small(name="small", claims=claims, conclusions=conclusions)
