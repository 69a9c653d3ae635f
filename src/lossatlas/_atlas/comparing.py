"""Methods beside each other on an atlas' distances: each drawn by several seeds, each scored alike."""

import functools
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from lossatlas._arrays import InputError, Points
from lossatlas._atlas.making import atlas
from lossatlas._atlas.recorded import Diverged
from lossatlas._atlas.reporting import metric_of, points_of
from lossatlas._atlas.result import Atlas
from lossatlas.distance import Origin, Pairwise
from lossatlas.embed import WITH_CHANCE, AnyMethod, Embedding, Own, layout, missing_methods, phate, refuse_methods, stress
from lossatlas.measure import (
    Comparison,
    Draws,
    Faithfulness,
    MethodScores,
    Null,
    Truth,
    displaced_by_chance,
    methods_scored,
    random_walks,
    shuffled,
    truth,
)
from lossatlas.store import Run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lossatlas.draw.figures import Style

_LEAST = 6  # points: those that five neighbours need


@dataclass(frozen=True, kw_only=True, eq=False)
class MethodComparison:
    """The same distances drawn by several methods, over seeds, with the scores of each map and of maps of nothing.

    Made by :func:`compare`. It is drawn by :meth:`figure` and written by :meth:`save`.

    Attributes:
        atlas: Whose distances they are; its layouts are the maps of the first seed.
        methods: The methods, by their names.
        shuffled: What the places of the first map score when they are dealt out at random.
        seeds: By which methods with chance were drawn, and points left out.
        left_out: Share of the points that were left out.
        skipped: Methods that were left out, and the line that says why.
    """

    atlas: Atlas
    methods: Mapping[str, MethodScores]
    shuffled: Faithfulness
    seeds: tuple[int, ...]
    left_out: float
    skipped: Mapping[str, str]

    @cached_property
    def displaced_by_chance(self) -> float:
        """How far the points of a map move to one that has nothing to do with it."""
        return displaced_by_chance(next(iter(self.methods.values())).embedding.coordinates, seed=self.seeds[0])

    def summary(self) -> dict[str, Any]:
        """Return all scores as plain values: of each method its mean, spread and value a seed, and what random walks score."""
        return {
            "n_points": self.atlas.n_points,
            "metric": "predictions" if self.atlas.space == "predictions" else self.atlas.embedding.settings.metric,
            "seeds": list(self.seeds),
            "nulls": {
                "shuffled": self.shuffled.summary(),
                "random_walk": {name: found.walk_scores for name, found in self.methods.items()},
            },
            "methods": {
                name: {
                    score: {"mean": found.mean(score), "sd": found.spread(score), "values": list(found.scores[score])}
                    for score in found.scores
                }
                | ({} if found.stability is None else {"moved": found.stability.share})
                for name, found in self.methods.items()
            },
            "left_out": self.left_out,
            "moved_by_chance": self.displaced_by_chance if self.left_out else None,
            "skipped": dict(self.skipped),
        }

    def table(self) -> list[list[str]]:
        """Return the scores in words: a row a score, below it that of random walks; a column a method, the last chance."""
        from lossatlas.draw.comparing import comparison_table

        return comparison_table(self)

    def figure(self, *, title: str = "lossatlas", style: "Literal['paper', 'talk'] | Style" = "paper") -> "Figure":
        """Return the maps side by side, and below each its scores.

        Raises:
            InputError: there is no such style.
        """
        from lossatlas.draw.figures.comparison import comparison_figure

        return comparison_figure(self, title=title, style=style)

    def save(
        self, path: str | os.PathLike[str], *, title: str = "lossatlas", style: "Literal['paper', 'talk'] | Style" = "paper"
    ) -> None:
        """Write the comparison by the ending of ``path``: .html page, .png .svg .pdf figure, .json numbers.

        Raises:
            InputError: the ending is none of these, or the place cannot be written.
        """
        from lossatlas.draw.comparing import save_comparison

        save_comparison(self, Path(path), title=title, style=style)


def compare(
    runs_or_atlas: str | os.PathLike[str] | Run | Atlas | Iterable[str | os.PathLike[str] | Run],
    *,
    methods: Sequence[AnyMethod] | None = None,
    seeds: Sequence[int] = (0, 1, 2, 3, 4),
    left_out: float = 0.1,
    nulls: bool = True,
    noise_free: Points | None = None,
    metric: Own = "cosine",
    origin: Origin = "zero",
    diverged: Diverged = "refuse",
    progress: Callable[[str], None] | None = None,
) -> MethodComparison:
    """Draw the same distances by PHATE, PCA, t-SNE, UMAP, Isomap and InPCA, over seeds, and score each map on these distances.

    Methods whose maps hang on a seed are drawn by each, and their scores have a spread. Each is drawn as often again without
    some of the points, which says how far the others move. Random walks with steps as long are drawn by each method too.

    Args:
        runs_or_atlas: Runs as :func:`atlas` takes them, or an atlas of all dimensions (``preset="sound"``), whose PHATE is
            then drawn by its own settings.
        methods: Names of methods; by default all whose packages are installed, InPCA only where the atlas is of predictions:
            lengths of weights are those of points in a space, where InPCA is PCA.
        seeds: Of what chance there is, and of the points that are left out.
        left_out: Share of the points that are left out; 0 leaves none out, which saves most of the time.
        nulls: Whether random walks are drawn by each method too.
        noise_free: The points without noise ``(n, p)``, where the runs are made of them with noise; adds their DEMaP.
        metric: Distance between points, where runs are given, also for the next two; see :func:`atlas`.
        origin: Where the cosine is measured.
        diverged: Whether points with NaN or infinite weights are refused or skipped.
        progress: Called with the name of each stage as it begins.

    Raises:
        InputError: the runs cannot be mapped together or are too few, or a method is unknown or not installed.
    """
    report = progress or (lambda _: None)
    is_of_predictions = isinstance(runs_or_atlas, Atlas) and runs_or_atlas.space == "predictions"
    numbers = _seeds(seeds)
    names, skipped = _chosen(methods, without=() if is_of_predictions else ("inpca",))
    if not 0 <= left_out < 1:
        raise InputError(f"left_out must be from 0 to below 1, but is {left_out}; pass as 0.1")
    given = runs_or_atlas if isinstance(runs_or_atlas, Atlas) else atlas(
        runs_or_atlas, metric=metric, origin=origin, methods=(), nulls=False, diverged=diverged, progress=progress
    )  # fmt: skip
    if given.distances is None:
        raise InputError("the atlas has no distances, by which maps are scored; make it by lossatlas.atlas")
    _refuse_few(given.n_points, left_out, noise_free)
    if given.embedding.settings.n_pca is not None:
        raise InputError(
            f"the atlas draws distances of {given.embedding.settings.n_pca} principal components, in which it is not compared; "
            "pass the runs, or an atlas with preset='sound'"
        )
    own = metric_of(given)
    between, spans = points_of(given.distances, own), [(trace.start, trace.stop) for trace in given.traces if trace.is_ordered]
    true = truth(given.distances, spans)
    walks = None
    if nulls and len(true.steps):
        walked = random_walks(between, spans)
        walks = (walked, truth(walked.cosine if own == "cosine" else walked.euclidean, spans))
    found = methods_scored(
        {name: _draws(name, given, own, report) for name in names},
        between,
        true,
        seeds=numbers,
        with_chance={*WITH_CHANCE} | ({"phate"} if given.embedding.settings.preset == "paper" else set()),
        walks=walks,
        left_out=left_out,
        noise_free=noise_free,
    )
    first = next(iter(found.values()))
    by_chance = true.of(shuffled(first.embedding.coordinates, seed=numbers[0]))
    return MethodComparison(
        atlas=replace(given, comparison=_beside(given, found, true, numbers[0])),
        methods=found,
        shuffled=by_chance,
        seeds=numbers,
        left_out=left_out,
        skipped=skipped,
    )


def _chosen(methods: Sequence[AnyMethod] | None, *, without: Sequence[str]) -> tuple[tuple[AnyMethod, ...], dict[str, str]]:
    known: tuple[AnyMethod, ...] = get_args(AnyMethod)
    if isinstance(methods, str):
        raise InputError(f"methods must be a list of names, but is {methods!r}; pass ({methods!r},)")
    if methods is not None:
        refuse_methods(methods, known=known)
        if not methods:
            raise InputError(f"there is no method to compare; name some of {', '.join(known)}")
        return tuple(dict.fromkeys(methods)), {}
    missing = missing_methods()
    return tuple(name for name in known if name not in missing and name not in without), missing


def _seeds(seeds: Sequence[int]) -> tuple[int, ...]:
    try:
        numbers = tuple(int(seed) for seed in seeds)
    except TypeError:
        raise InputError(f"seeds must be several numbers, but is {seeds!r}; pass range({seeds}) or a list") from None
    if not numbers or len(set(numbers)) < len(numbers) or min(numbers) < 0:
        raise InputError(f"seeds must be different numbers from 0 on, but are {list(numbers)}; change them")
    return numbers


def _refuse_few(n: int, left_out: float, noise_free: Points | None) -> None:
    left = n - max(round(left_out * n), 1 if left_out else 0)
    if min(n, left) < _LEAST:
        raise InputError(f"a comparison needs {_LEAST} points, but {n} are there and {left} when some are left out; record more")
    if noise_free is not None and len(noise_free) != n:
        raise InputError(f"there are {n} points, but {len(noise_free)} without noise; pass the same ones")


def _draws(name: AnyMethod, given: Atlas, metric: Own, report: Callable[[str], None]) -> Draws:
    @functools.cache
    def begin() -> None:
        report(name)

    settings = given.embedding.settings

    def draw(between: Pairwise, seed: int) -> Embedding:
        begin()
        if name != "phate":
            return layout(name, between, metric=metric, seed=seed)
        return phate(
            between,
            metric=metric,
            knn=min(settings.knn, len(between.squared) - 1),
            decay=settings.decay,
            t=settings.t,
            gamma=settings.gamma,
            preset=settings.preset,
            n_pca=None,
            n_landmark=None,
            seed=seed,
        )

    return draw


def _beside(given: Atlas, found: Mapping[str, MethodScores], true: Truth, seed: int) -> Comparison:
    """What the page of the atlas shows: its own map, the others, and the nulls of the first."""
    plane = given.embedding.coordinates[:, :2]
    places = shuffled(plane, seed=seed)
    nulls = {"shuffled": Null(stress=stress(given.embedding.potential_distances, places), faithfulness=true.of(places))}
    if "phate" in found and found["phate"].walk is not None:
        nulls = {"random walk": found["phate"].walk, **nulls}
    others = {name: one for name, one in found.items() if name != "phate"}
    return Comparison(
        layouts={name: one.embedding.align_to(plane) for name, one in others.items()},
        coordinates_3d=given.comparison.coordinates_3d,
        faithfulness={"phate": true.of(plane), **{name: one.faithfulness for name, one in others.items()}},
        nulls=nulls,
    )
