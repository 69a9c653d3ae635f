"""A comparison from nothing to its report: networks in any order, each once, then pairs, maps and what follows from them."""

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from lossatlas import __version__
from lossatlas._arrays import Vector
from lossatlas._atlas import Atlas
from lossatlas.experiments.comparison.claims import Claim
from lossatlas.experiments.comparison.cost import Cost, cost
from lossatlas.experiments.comparison.findings import Findings
from lossatlas.experiments.comparison.maps import ALL, around, of_trainings
from lossatlas.experiments.comparison.measures import Measure
from lossatlas.experiments.comparison.pairs import measure_pair, pairs_of, values_of_pairs
from lossatlas.experiments.comparison.report import ComparisonReport
from lossatlas.experiments.comparison.settings import Scale, Settings, has_full_size, settings_of
from lossatlas.experiments.comparison.table import meanings, plain, table
from lossatlas.experiments.comparison.took import Clock
from lossatlas.experiments.comparison.unit import Unit, has_hessian, measure_network, units_of
from lossatlas.experiments.pool import results
from lossatlas.experiments.report import refuse_unwritable_folder
from lossatlas.experiments.training import digest, taken


@dataclass(frozen=True, kw_only=True)
class Preset:
    """A comparison by its name.

    Attributes:
        name: Of its TOML file and on the command line.
        claims: What is claimed of it, and how that fared.
        conclusions: Two or three sentences of what can and what cannot be concluded.
        measure: What is done for each network.
        further: Numbers that only it has.
        of_maps: Numbers that are read off the maps, by measure and variant, where it has any.
        with_pairs: Whether lines between networks are measured.
    """

    name: str
    claims: Callable[[Findings], Sequence[Claim]]
    conclusions: Callable[[Findings], Sequence[str]]
    measure: Callable[[Unit], None] = measure_network
    further: tuple[Measure, ...] = ()
    of_maps: Callable[[Sequence[Unit], Mapping[str, Atlas]], Mapping[str, Mapping[str, Vector]]] | None = None
    with_pairs: bool = True

    def default_settings(self, *, scale: Scale = "small", epochs: int | None = None, seed: int = 0) -> Settings:
        """Return the settings of its file, with another length of the retrainings or other seeds."""
        settings = settings_of(self.name, scale=scale)
        n = len(settings.seeds)
        jump = settings.jump if epochs is None or settings.jump is None else replace(settings.jump, epochs=epochs)
        return replace(settings, seeds=tuple(one + n * seed for one in settings.seeds), jump=jump)

    @property
    def has_full_size(self) -> bool:
        """Whether its file has a full size."""
        return has_full_size(self.name)

    def cost(self, settings: Settings, *, workers: int = 1) -> Cost:
        """Return what it will take."""
        return cost(settings, workers=workers)

    def n_units(self, settings: Settings) -> int:
        """Return in how many pieces of work progress is reported: networks, pairs and maps."""
        n, m = len(settings.variants), len(settings.seeds)
        n_pairs = n * m * (m - 1) // 2 + ((n - 1) * m if settings.shared == "weights" else 0)
        return n * m + (n_pairs if self.with_pairs else 0) + 1 + (n if settings.jump is not None else 0)

    def run(
        self,
        folder: Path,
        settings: Settings,
        *,
        executor: Executor | None = None,
        progress: Callable[[int, str], None] | None = None,
        stale: Literal["refuse", "replace"] = "refuse",
    ) -> ComparisonReport:
        """Train, sample, measure and map; what ``folder`` holds already of the same settings is not done again.

        Args:
            folder: For runs and numbers.
            settings: All choices.
            executor: Processes, such as :class:`lossatlas.sample.LocalPool`; by default all is done in this one.
            progress: Called with the pieces of work done, and of what.
            stale: What becomes of networks of other settings that ``folder`` holds.

        Raises:
            InputError: ``folder`` holds networks of other settings, cannot be written, or the data are not there.
        """
        refuse_unwritable_folder(folder)
        clock = Clock(folder, self.key(settings))
        told = progress or (lambda _done, _what: None)

        def report(done: int, what: str) -> None:
            clock.note()  # at each piece: who stops it here has taken that long
            told(done, what)

        for variant in settings.variants:
            settings.recipe_of(variant).samples()  # refused before any work
        units = units_of(settings, folder)
        if _refuse_or_forget(units, stale):
            clock.begin_anew()
        count = _told(results(self.measure, units, executor), report, 0, "training and sampling")
        pairs = pairs_of(settings, units, folder) if self.with_pairs else {}
        each = [pair for by_variant in pairs.values() for some in by_variant.values() for pair in some]
        count = _told(results(measure_pair, each, executor), report, count, "lines between ends")
        begin = _Counted(report, count)
        begin("trainings")
        trainings = of_trainings(settings, units, executor=executor)
        sampled = around(settings, units, begin=begin)
        values = _values(settings, units) | values_of_pairs(pairs)
        if self.of_maps is not None:
            values |= self.of_maps(units, trainings)
        found = Findings(settings=settings, values=values, further=self.further)
        report(self.n_units(settings), "done")
        return self._reported(found, trainings, sampled, clock.note())

    def key(self, settings: Settings) -> str:
        """Return what names a whole comparison: all that decides what it finds."""
        with_hessian = settings.with_curvature and has_hessian()
        return digest({"version": __version__, "name": self.name, "settings": asdict(settings), "with_hessian": with_hessian})

    def command(self, settings: Settings) -> str:
        """Return what makes it again: a command where one has these settings, or the call."""
        named = settings.jump.epochs if settings.jump is not None else None
        for scale, epochs, seed in itertools.product(
            get_args(Scale) if self.has_full_size else ("small",), (None, named), (0, settings.seeds[0] // len(settings.seeds))
        ):
            if self.default_settings(scale=scale, epochs=epochs, seed=seed) == settings:
                options = {"scale": scale if scale == "paper" else None, "epochs": epochs, "seed": seed or None}
                said = (f" --{name} {value}" for name, value in options.items() if value is not None)
                return f"lossatlas demo {self.name}{''.join(said)}"
        return f'experiment("{self.name}").run(folder, settings)'

    def _reported(
        self, found: Findings, trainings: dict[str, Atlas], sampled: dict[str, Atlas], seconds: float
    ) -> ComparisonReport:
        claims, conclusions = self.claims(found), self.conclusions(found)
        settings, atlases = found.settings, trainings | sampled
        summary: dict[str, Any] = {
            "experiment": self.name,
            "key": self.key(settings),
            "seconds": seconds,
            "measures": plain(found),
            "table": table(found),
            "claims": [asdict(claim) for claim in claims],
            "conclusions": list(conclusions),
            "maps": {name: made.summary() for name, made in atlases.items()},
            "settings": asdict(settings),
        }
        return ComparisonReport(
            title=settings.title,
            sentence=settings.question,
            atlases=atlases,
            n_trainings=len(trainings),
            methods=ALL if settings.shared == "predictions" and ALL in trainings else "",
            summary=summary,
            facts={},
            table=table(found),
            meanings=meanings(found),
            claims=tuple(claims),
            conclusions=tuple(conclusions),
            seconds=seconds,
            command=self.command(settings),
        )


def _refuse_or_forget(units: Sequence[Unit], stale: str) -> bool:
    """Refuse or remove work of other settings, and return whether there was any."""
    others = [unit for unit in units if unit.is_stale]
    for unit in others:
        if stale == "replace":
            unit.forget()
        else:
            raise taken(unit.folder)
    return bool(others)


class _Counted:
    """Counts pieces of work as they begin."""

    def __init__(self, report: Callable[[int, str], None], count: int) -> None:
        self._report, self._count = report, count

    def __call__(self, what: str) -> None:
        self._report(self._count, f"mapping {what}")
        self._count += 1


def _told(work: Iterable[object], report: Callable[[int, str], None], count: int, what: str) -> int:
    report(count, what)
    for _ in work:
        count += 1
        report(count, what)
    return count


def _values(settings: Settings, units: Sequence[Unit]) -> dict[str, Mapping[str, Vector]]:
    """Return the numbers of the networks by measure and variant; NaN where there is none."""
    of = {(unit.variant, unit.seed): unit.numbers or {} for unit in units}
    names = {name: None for numbers in of.values() for name in numbers}
    return {
        name: {
            variant: np.array([_number(of[variant, seed].get(name)) for seed in settings.seeds]) for variant in settings.variants
        }
        for name in names
    }


def _number(value: float | None) -> float:
    return np.nan if value is None else value
