"""The numbers of a comparison, and how well each tells its variants apart."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int
from scipy.stats import rankdata

from lossatlas._arrays import Vector
from lossatlas.experiments.comparison.measures import MEASURES, Measure
from lossatlas.experiments.comparison.settings import Settings

_SHUFFLES = 999


@dataclass(frozen=True)
class Apart:
    """How well a number tells variants apart.

    Attributes:
        share: Of the variance of its ranks, how much is between the variants and not between the seeds of one: 0 to 1.
        p: How often shuffled variants are told apart as well; NaN of pairs, which share networks and cannot be shuffled.
    """

    share: float
    p: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Findings:
    """The numbers of a comparison.

    Attributes:
        settings: All choices.
        values: By measure and variant, one number a seed or a pair of seeds, in their order; NaN where there is none.
        further: Measures that only this comparison has.
    """

    settings: Settings
    values: Mapping[str, Mapping[str, Vector]]
    further: tuple[Measure, ...] = ()

    @cached_property
    def measures(self) -> tuple[Measure, ...]:
        """The measures of which some variant has a number, in the order of the table."""
        return tuple(
            measure
            for measure in (*self.further, *MEASURES)
            if any(np.isfinite(values).any() for values in self.values.get(measure.name, {}).values())
        )

    def of(self, measure: str, variant: str) -> Vector:
        """Return what is known of a variant, a number a seed; NaN where there is none."""
        missing = np.full(len(self.settings.seeds), np.nan)
        return self.values.get(measure, {}).get(variant, missing)

    def mean(self, measure: str, variant: str) -> float:
        """Return the mean over the seeds that have a number; NaN where none has."""
        known = self._known(measure, variant)
        return float(known.mean()) if len(known) else np.nan

    def spread(self, measure: str, variant: str) -> float:
        """Return the standard deviation over seeds; NaN of fewer than two."""
        known = self._known(measure, variant)
        if len(known) < 2:
            return np.nan
        # Equal numbers differ from their mean by its rounding.
        return 0.0 if known.min() == known.max() else float(known.std(ddof=1))

    def said(self, measure: str, variant: str) -> str:
        """Return mean and spread as text, and of how many where some have no number.

        >>> import numpy as np
        >>> from lossatlas.experiments.comparison import Recipe, Settings
        >>> values = {"norm": {"a": np.array([1.0, 2.0, 3.0]), "b": np.array([4.0, np.nan, np.nan])}}
        >>> settings = Settings(title="", question="", recipe=Recipe(), variants={"a": {}, "b": {}})
        >>> found = Findings(settings=settings, values=values)
        >>> found.said("norm", "a"), found.said("norm", "b"), found.said("norm", "c")
        ('2 ± 1', '4 (1 of 3)', '–')
        """
        known = self._known(measure, variant)
        if not len(known):
            return "–"
        own, n = self.measure(measure), len(self.of(measure, variant))
        mean, spread = own.text(float(known.mean())), self.spread(measure, variant)
        about = "" if np.isnan(spread) else f" ± {100 * spread:.1f}" if own.written == "percent" else f" ± {spread:.2g}"
        return f"{mean}{about}" + (f" ({len(known)} of {n})" if len(known) < n else "")

    def measure(self, name: str) -> Measure:
        """Return what is known of a measure."""
        return next((one for one in (*self.further, *MEASURES) if one.name == name), Measure(name=name, label=name, meaning=""))

    def apart(self, measure: str) -> Apart | None:
        """Return how well a measure tells the variants apart, by their ranks; None where one has no number or all are equal.

        The share is the ratio of sums of squares of the ranks, p that of Kruskal and Wallis by shuffling.
        """
        groups = [self._known(measure, variant) for variant in self.settings.variants]
        groups = [group for group in groups if len(group)]
        flat = np.concatenate(groups) if groups else np.zeros(0)
        if len(groups) < 2 or len(flat) == len(groups) or flat.min() == flat.max():
            return None
        ranks = rankdata(flat)
        starts = np.cumsum([0, *(len(group) for group in groups)])[:-1]
        share = _share(ranks, starts)
        if self.measure(measure).is_of_pairs:
            return Apart(share=float(share), p=np.nan)
        rng = np.random.default_rng(0)
        shuffled = _share(rng.permuted(np.tile(ranks, (_SHUFFLES, 1)), axis=1), starts)
        # What is there is one of the ways to deal: p is never 0. Equal shares may differ in their last bits.
        n_reached = int((shuffled >= share * (1 - 1e-9)).sum())
        return Apart(share=float(share), p=(1 + n_reached) / (1 + _SHUFFLES))

    def _known(self, measure: str, variant: str) -> Vector:
        values = self.of(measure, variant)
        return values[np.isfinite(values)]


def _share(ranks: Float[np.ndarray, "*k n"], starts: Int[np.ndarray, " g"]) -> Float[np.ndarray, "*k"] | np.floating:
    """Share of the sum of squares that is between groups, which begin at ``starts``."""
    about = ranks - ranks.mean(axis=-1, keepdims=True)
    sizes = np.diff([*starts, ranks.shape[-1]])
    between = (np.add.reduceat(about, starts, axis=-1) ** 2 / sizes).sum(axis=-1)
    return between / (about**2).sum(axis=-1)
