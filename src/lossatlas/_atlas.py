"""The one call: runs become an atlas.

The name has an underscore because ``lossatlas.atlas`` is the function: a module of that name would take its place as soon
as anything imports it.
"""

import functools
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from lossatlas._arrays import Distances, InputError, Vector
from lossatlas.distance import Origin, Pairwise, recorded_pairwise
from lossatlas.embed import Embedding, Method, Own, PhateEmbedding, Preset, phate, refuse_methods
from lossatlas.measure import (
    Comparison,
    Diagram,
    Valleys,
    comparison,
    distances_from,
    persistence,
    return_ratio,
    step_lengths,
    valleys,
)
from lossatlas.store import Run, open_runs

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lossatlas.draw.figures import Style
    from lossatlas.draw.scene import Surface
    from lossatlas.draw.widget import AtlasWidget
    from lossatlas.sample.slice.plane import LossPlane

Diverged = Literal["refuse", "skip"]

# Losses by which the landscape is measured, the first that every run has.
_LOSSES = ("test_loss", "val_loss", "eval_loss", "loss", "train_loss")


@dataclass(frozen=True, kw_only=True)
class Trace:
    """A run's rows in an atlas: ``start`` to ``stop``, in the order in which they were recorded."""

    name: str
    kind: str  # "training", "retraining", "optimum", "sample", "slice", "path", or what the run's settings say
    start: int
    stop: int
    seed: int | None = None  # of a retraining's direction
    jump: float | None = None  # size of a retraining's jump, as a fraction of the weights' norm
    n_left_out: int = 0  # points that had diverged

    @property
    def is_ordered(self) -> bool:
        """Whether its points follow each other."""
        return self.kind not in ("sample", "slice")


@dataclass(frozen=True, kw_only=True, eq=False)
class Atlas:
    """Runs on one map: points, the numbers at each of them, and the numbers of the whole.

    Made by :func:`atlas`. It is drawn by :meth:`write_html` and :meth:`figure`, and saved by :meth:`save`.
    """

    traces: tuple[Trace, ...]
    steps: Vector  # (n,): the step or epoch of each point in its own run
    step_label: str  # "epoch" where every run counts epochs, else "step"
    metrics: Mapping[str, Vector]  # (n,) each; NaN where a run has none
    embedding: PhateEmbedding
    optimum: int | None  # row of the one point from which retrainings jumped
    distance_from_optimum: Vector | None  # (n,), Euclidean, in units of the weights
    diagram: Diagram | None  # of the loss named `loss`
    loss: str | None
    distance_error: float = 0.0  # standard error of a distance over itself: 0 where it comes from weights, not from sketches
    distances: Distances | None = None  # (n, n), of the metric, about the origin that was asked for
    step_lengths: Vector | None = None  # (n,), Euclidean, from the snapshot before in its run; NaN where there is none
    valleys: Valleys | None = None  # of the diagram, with the points in each
    comparison: Comparison = field(default_factory=Comparison)  # other maps of the distances, and how faithful each is

    @property
    def n_points(self) -> int:
        """Number of points."""
        return len(self.steps)

    @property
    def layouts(self) -> Mapping[str, Embedding]:
        """The same distances drawn by other methods, by their names, each turned upon the map."""
        return self.comparison.layouts

    @property
    def return_ratios(self) -> dict[str, float]:
        """Distance from the optimum at the end of each retraining over that just after its jump, by the run's name.

        A retraining that diverged has no end, and a control without a jump nothing to return from: neither has a ratio.
        """
        if self.distance_from_optimum is None:
            return {}
        return {
            trace.name: return_ratio(self.distance_from_optimum[trace.start : trace.stop])
            for trace in self.traces
            if trace.kind == "retraining" and trace.jump and not trace.n_left_out
        }

    def summary(self) -> dict[str, Any]:
        """Return the numbers of the whole, as plain values."""
        diagram = self.diagram
        numbers: dict[str, Any] = {
            "n_points": self.n_points,
            "t": self.embedding.t,
            "stress": self.embedding.stress,
            "connected_components": self.embedding.connected_components,
            "n_duplicates": self.embedding.n_duplicates,
            "n_left_out": sum(trace.n_left_out for trace in self.traces),
            "n_diverged_retrainings": sum(trace.kind == "retraining" and trace.n_left_out > 0 for trace in self.traces),
        }
        if diagram is not None:
            numbers["persistence"] = {
                "of": self.loss,
                "total": diagram.total(),
                "finite": diagram.total(part="finite"),
                "essential": diagram.total(part="essential"),
                "loss_range_squared": diagram.loss_range_squared,
            }
        numbers |= self.comparison.summary()
        if self.distance_error:
            numbers["distance_error"] = self.distance_error
        ratios = self.return_ratios
        if ratios:
            numbers["return_ratio"] = float(np.mean(list(ratios.values())))
            numbers["return_ratios"] = ratios
        return numbers

    def write_html(
        self, path: str | os.PathLike[str], *, title: str = "lossatlas", surfaces: Iterable["LossPlane | Surface"] = ()
    ) -> None:
        """Write the interactive page: one file that opens from disk, without network.

        Args:
            path: The file.
            title: Stands above it.
            surfaces: Planes of the loss to be shown beside the map, as :func:`loss_plane` and :func:`trajectory_plane` return
                them, or named by ``lossatlas.draw.surface(plane, name="…")``.
        """
        from lossatlas.draw import Surface, scene, surface, write_page

        named = [
            one if isinstance(one, Surface) else surface(one, name=f"plane {number}")
            for number, one in enumerate(surfaces, start=1)
        ]
        write_page(scene({title: self}, title=title, surfaces=named), Path(path))

    def figure(
        self,
        *,
        title: str = "lossatlas",
        style: "Literal['paper', 'talk'] | Style" = "paper",
        preset: Literal["landscape", "methods", "persistence"] = "landscape",
    ) -> "Figure":
        """Return the map as a matplotlib figure, in the manner of Horoi et al. 2022.

        Args:
            title: Stands above it.
            style: ``"paper"``, as wide as a column or a page of print, or ``"talk"``, a slide; or a style of one's own.
            preset: ``"landscape"`` (Fig. 2): the runs, and their loss; ``"methods"`` (Fig. 1): every layout, coloured by time;
                ``"persistence"`` (Fig. 3 A): the diagram of the loss.

        Raises:
            InputError: there is no such style or preset, or a diagram is asked for where no loss was recorded.
        """
        from lossatlas.draw.figure import atlas_figure

        return atlas_figure(self, title=title, style=style, preset=preset)

    def _repr_html_(self) -> str:
        from lossatlas.draw import notebook_frame, scene

        return notebook_frame(scene({"lossatlas": self}, title="lossatlas"))

    def widget(self, *, title: str = "lossatlas", height: int = 720) -> "AtlasWidget":
        """Return the page as a widget of a notebook, ``height`` pixels high; its ``selection`` goes both ways.

        Raises:
            ImportError: anywidget is missing; it comes with ``pip install 'lossatlas[notebook]'``.
        """
        from lossatlas.draw import scene
        from lossatlas.draw.widget import AtlasWidget

        return AtlasWidget(scene({title: self}, title=title), height=height)

    def save(
        self,
        path: str | os.PathLike[str],
        *,
        title: str = "lossatlas",
        style: "Literal['paper', 'talk'] | Style" = "paper",
        preset: Literal["landscape", "methods", "persistence"] = "landscape",
    ) -> None:
        """Write the atlas by the ending of ``path``.

        .html page, .png .svg .pdf figure, .gif .mp4 film (.mp4 by ffmpeg), .npz arrays, .json numbers. For style and preset of a
        figure see :meth:`figure`; a film has a style too.

        Raises:
            InputError: the ending is none of these or has no style or preset, or the place cannot be written.
        """
        from lossatlas.draw import save

        save(self, Path(path), title=title, style=style, preset=preset)

    def log(self, to: Any, *, name: str = "atlas", step: int | None = None) -> None:  # noqa: ANN401 - of packages that need not be there
        """Log the map to TensorBoard's ``SummaryWriter`` (the figure) or to a run of ``wandb`` (figure and page, as an artefact).

        Raises:
            InputError: ``to`` is neither.
        """
        from lossatlas.draw import log_atlas

        log_atlas(self, to, name=name, step=step)


def atlas(
    runs: str | os.PathLike[str] | Run | Iterable[str | os.PathLike[str] | Run],
    *,
    metric: Literal["cosine", "euclidean"] = "cosine",
    origin: Origin = "zero",
    knn: int = 5,
    decay: float | None = 40.0,
    t: int | Literal["auto"] = "auto",
    gamma: float = 1.0,
    n_components: int = 2,
    preset: Preset = "sound",
    loss: str | None = None,
    diverged: Diverged = "refuse",
    methods: Sequence[Method] = ("pca",),
    nulls: bool = True,
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> Atlas:
    """Map runs: distances between all their points, the PHATE embedding of them, and what can be measured on it.

    Args:
        runs: Run folders, folders of runs, patterns such as ``"runs/*"``, or opened runs; all of one model. Of runs without
            weights the distances are estimated from their sketches.
        metric: Distance between points.
        origin: Where the cosine is measured; see :func:`cosine_distances`.
        knn: Neighbours that set the kernel's width; see :func:`phate`, also for the next four.
        decay: How sharply the kernel falls.
        t: Steps of the walk.
        gamma: Kind of potential.
        n_components: Axes of the map.
        preset: ``"sound"``, or ``"paper"``.
        loss: Metric whose landscape is measured; by default test_loss, val_loss, eval_loss, loss or train_loss, whichever
            comes first.
        diverged: Whether points with NaN or infinite weights are refused or skipped and counted.
        methods: What else draws the same distances, to be compared: ``"pca"``, ``"tsne"``, ``"umap"``, ``"isomap"``.
        nulls: Whether maps of nothing are drawn, to be scored beside: it takes about as long as the embedding again.
        seed: Seed of what chance there is.
        progress: Called with the name of each stage as it begins.

    Raises:
        InputError: the runs cannot be read or mapped together; the message says why.
    """
    if diverged not in get_args(Diverged):
        raise InputError(f"diverged must be 'refuse' or 'skip', but is {diverged!r}; choose one")
    refuse_methods(methods)
    report = progress or (lambda _: None)
    report("reading")
    opened = open_runs(runs)
    kept = [_kept(run, diverged) for run in opened]
    report("distances")
    between, distance_error = recorded_pairwise(opened, kept=kept, origin=origin)
    report("embedding")
    embedded = functools.partial(
        phate,
        metric=metric,
        origin=origin,
        knn=knn,
        decay=decay,
        t=t,
        gamma=gamma,
        n_components=n_components,
        n_landmark=None,
        preset=preset,
        seed=seed,
    )
    embedding = embedded(between)
    report("measures")
    return charted(
        opened,
        kept,
        between,
        embedding,
        loss=loss,
        methods=methods,
        redrawn=embedded if nulls else None,
        distance_error=distance_error,
        report=report,
    )


def charted(
    runs: list[Run],
    kept: Sequence[Sequence[int]],
    between: Pairwise,
    embedding: PhateEmbedding,
    *,
    loss: str | None = None,
    methods: Sequence[Method] = (),
    redrawn: Callable[[Pairwise], PhateEmbedding] | None = None,
    distance_error: float = 0.0,
    n_left_out: Sequence[int] | None = None,
    report: Callable[[str], None] = lambda _: None,
) -> Atlas:
    """Measure what a finished embedding shows.

    Args:
        runs: Of one model.
        kept: The points of each run that are rows of the embedding.
        between: Distances between them.
        embedding: Of these distances.
        loss: See :func:`atlas`, also for the next.
        methods: What else draws them.
        redrawn: Embeds other distances by the map's settings, for the nulls; None leaves these out.
        distance_error: Of a distance over itself, where they were estimated.
        n_left_out: How many points of each run had diverged; by default all that are not kept.
        report: Called with the name of each further stage.

    Raises:
        InputError: no run has the metric ``loss``, or a method cannot map so few points.
    """
    metric: Own = "cosine" if embedding.settings.metric == "cosine" else "euclidean"
    traces = traces_of(runs, kept, n_left_out=n_left_out)
    metrics = recorded_metrics(runs, kept)
    optima = [trace.start for trace in traces if trace.kind == "optimum" and trace.stop > trace.start]
    optimum = optima[0] if len(optima) == 1 else None
    measured = _loss(metrics, loss)
    steps = [(trace.start, trace.stop) for trace in traces if trace.is_ordered]
    diagram, found = (None, None) if measured is None else _landscape(embedding, metrics[measured])
    report("comparison")
    compared = comparison(embedding, between, metric=metric, runs=steps, methods=methods, redrawn=redrawn)
    return Atlas(
        traces=traces,
        steps=recorded_steps(runs, kept),
        step_label="epoch" if all(run.settings.get("every") == "epoch" for run in runs) else "step",
        metrics=metrics,
        embedding=embedding,
        optimum=optimum,
        distance_from_optimum=None if optimum is None else distances_from(optimum, between),
        diagram=diagram,
        loss=measured,
        distance_error=distance_error,
        distances=between.cosine if metric == "cosine" else between.euclidean,
        step_lengths=step_lengths(between, steps),
        valleys=found,
        comparison=compared,
    )


def _kept(run: Run, diverged: Diverged) -> tuple[int, ...]:
    left_out = set(run.diverged()) if diverged == "skip" else set()
    return tuple(point for point in range(run.n_points) if point not in left_out)


def traces_of(runs: list[Run], kept: Sequence[Sequence[int]], *, n_left_out: Sequence[int] | None = None) -> tuple[Trace, ...]:
    """Return the rows of each run, and what made it."""
    left_out = n_left_out or [run.n_points - len(points) for run, points in zip(runs, kept, strict=True)]
    traces = []
    start = 0
    for run, points, name, n_missing in zip(runs, kept, _unique_names(runs), left_out, strict=True):
        made_by = run.settings
        traces.append(
            Trace(
                name=name,
                kind=str(made_by.get("kind", "training")),
                start=start,
                stop=start + len(points),
                seed=made_by.get("seed") if made_by.get("kind") == "retraining" else None,
                jump=made_by.get("step") if made_by.get("kind") == "retraining" else None,
                n_left_out=n_missing,
            )
        )
        start += len(points)
    return tuple(traces)


def _unique_names(runs: list[Run]) -> list[str]:
    """Names of the runs' folders, with as many parents as it takes to tell them apart."""
    paths = [run.path.resolve().parts for run in runs]
    depth = 1
    while len({path[-depth:] for path in paths}) < len(set(paths)):
        depth += 1
    return ["/".join(path[-depth:]) for path in paths]


def recorded_steps(runs: Sequence[Run], kept: Sequence[Sequence[int]]) -> Vector:
    """Return the step of each kept point, one run after the other."""
    return np.concatenate([run.steps[list(points)] for run, points in zip(runs, kept, strict=True)]).astype(np.float64)


def recorded_metrics(runs: Sequence[Run], kept: Sequence[Sequence[int]]) -> dict[str, Vector]:
    """Return each metric of the kept points, one run after the other; NaN where a run has none."""
    recorded = [run.metrics for run in runs]
    names = dict.fromkeys(name for metrics in recorded for name in metrics)
    return {
        name: np.concatenate(
            [
                metrics.get(name, np.full(run.n_points, np.nan))[list(points)]
                for run, metrics, points in zip(runs, recorded, kept, strict=True)
            ]
        )
        for name in names
    }


def _loss(metrics: Mapping[str, Vector], asked: str | None) -> str | None:
    if asked is not None and asked not in metrics:
        raise InputError(f"no run has the metric {asked!r}; recorded are {', '.join(metrics) or 'none'}")
    usable = [name for name in ([asked] if asked else _LOSSES) if name in metrics]
    # A filtration needs two finite values; runs without a loss are mapped all the same.
    return next((name for name in usable if np.isfinite(metrics[name]).sum() >= 2), None)


def _landscape(embedding: PhateEmbedding, loss: Vector) -> tuple[Diagram, Valleys]:
    # 20 neighbours as in Horoi et al. 2022, or all of them where there are fewer.
    knn = min(20, int(np.isfinite(loss).sum()) - 1)
    return persistence(embedding, loss, knn=knn), valleys(embedding, loss, knn=knn)
