"""The maps of a comparison: all trainings together, and what was sampled around one end of each variant."""

from collections.abc import Callable, Sequence

from lossatlas._atlas import Atlas, atlas
from lossatlas.experiments.comparison.settings import Settings
from lossatlas.experiments.comparison.unit import Unit, is_finite
from lossatlas.sample import predictions
from lossatlas.store import open_run

ALL = "All trainings"


def maps(settings: Settings, units: Sequence[Unit], *, begin: Callable[[str], None] = lambda _: None) -> dict[str, Atlas]:
    """Return the map of all trainings that went somewhere, then one a variant, of its first seed's retrainings."""
    made: dict[str, Atlas] = {}
    runs = {unit: open_run(unit.training) for unit in units}
    ended = [unit for unit in units if is_finite(runs[unit])]
    ended.sort(key=lambda unit: list(settings.variants).index(unit.variant))
    begin("mapping all trainings")
    if settings.shared == "predictions":
        said = [predictions(unit.task(), runs[unit]) for unit in ended]
        made[ALL] = atlas([runs[unit] for unit in ended], metric="predictions", predictions=said)
    else:
        made[ALL] = atlas([runs[unit] for unit in ended])
    for unit in ended:
        if unit.seed == settings.seeds[0] and (sampled := unit.sampled()):
            begin(f"mapping {unit.variant}")
            made[unit.variant] = atlas(sampled, diverged="skip")
    return made
