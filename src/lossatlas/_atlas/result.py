"""What the one call returns: runs on one map, and the ways to look at it."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from lossatlas._arrays import Distances, Vector
from lossatlas.embed import Embedding, PhateEmbedding
from lossatlas.measure import Comparison, Diagram, EndSpread, MergeTree, TrajectoryGeometry, Valleys, return_ratio

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lossatlas.draw.figures import Style
    from lossatlas.draw.scene import Surface
    from lossatlas.draw.widget import AtlasWidget
    from lossatlas.sample.slice.plane import LossPlane


@dataclass(frozen=True, kw_only=True)
class Trace:
    """A run's rows in an atlas: ``start`` to ``stop``, in the order in which they were recorded."""

    name: str
    kind: str  # "training", "retraining", "optimum", "sample", "slice", "path", or what the run's settings say
    start: int
    stop: int
    seed: int | None = None  # of a retraining's direction
    jump: float | None = None  # size of a retraining's jump, as a fraction of the weights' norm
    group: str | None = None  # of runs that are one thing, as the seeds of one optimiser; retrainings have their seed instead
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
    geometry: TrajectoryGeometry | None = None  # of the runs whose points follow each other, Euclidean, in units of the weights
    spreads: Mapping[str, EndSpread] = field(default_factory=dict)  # of the ends of runs that are alike but for their seeds
    valleys: Valleys | None = None  # of the diagram, with the points in each
    merge_tree: MergeTree | None = None  # of the same loss
    space: Literal["weights", "predictions"] = "weights"  # what distances are between, those from the optimum and of steps too
    comparison: Comparison = field(default_factory=Comparison)  # other maps of the distances, and how faithful each is
    n_mapped: int | None = None  # points that shaped the map: more than are here where only some of them are shown

    @property
    def n_points(self) -> int:
        """Number of points."""
        return len(self.steps)

    @property
    def is_thinned(self) -> bool:
        """Whether more points shaped the map than are shown and measured."""
        return self.n_mapped is not None and self.n_mapped > self.n_points

    @property
    def step_lengths(self) -> Vector | None:
        """Euclidean distance of each point from the one before in its run, ``(n,)``; NaN where there is none."""
        return None if self.geometry is None else self.geometry.step_lengths

    @property
    def layouts(self) -> Mapping[str, Embedding]:
        """The same distances drawn by other methods, by their names, each turned upon the map."""
        return self.comparison.layouts

    @property
    def return_ratios(self) -> dict[str, float]:
        """Distance from the optimum at the end of each retraining over that just after its jump, by the run's name.

        A retraining that diverged has no end, and a control without a jump, or one that changed nothing, nowhere to return from:
        neither has a ratio.
        """
        if self.distance_from_optimum is None:
            return {}
        return {
            trace.name: return_ratio(self.distance_from_optimum[trace.start : trace.stop])
            for trace in self.traces
            if trace.kind == "retraining"
            and trace.jump
            and not trace.n_left_out
            and trace.stop > trace.start
            and self.distance_from_optimum[trace.start] > 0
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
        if self.is_thinned:
            numbers["n_mapped"] = self.n_mapped
        if diagram is not None:
            numbers["persistence"] = {
                "of": self.loss,
                "total": diagram.total(),
                "finite": diagram.total(part="finite"),
                "essential": diagram.total(part="essential"),
                "loss_range_squared": diagram.loss_range_squared,
                **_totals(diagram),
                "rank": _totals(diagram.rescaled("rank")),
            }
            if self.merge_tree is not None:
                tree = self.merge_tree
                numbers["persistence"] |= {name: _known(getattr(tree, name)) for name in ("smad", "smad_over_range")}
        numbers |= self.comparison.summary()
        if trajectories := self._trajectories():
            numbers["trajectories"] = trajectories
        if self.spreads:
            numbers["spreads"] = {name: found.summary() for name, found in self.spreads.items()}
        if self.distance_error:
            numbers["distance_error"] = self.distance_error
        ratios = self.return_ratios
        if ratios:
            numbers["return_ratio"] = float(np.mean(list(ratios.values())))
            numbers["return_ratios"] = ratios
        return numbers

    def _trajectories(self) -> dict[str, dict[str, Any]]:
        """Numbers of each run that goes from one point to another."""
        if self.geometry is None:
            return {}
        number = {first: place for place, (first, stop) in enumerate(self.geometry.runs) if stop - first > 1}
        return {
            trace.name: {"kind": trace.kind, **self.geometry.summary(number[trace.start])}
            for trace in self.traces
            if trace.is_ordered and trace.stop - trace.start > 1
        }

    def report(self) -> str:
        """Return what the map shows in words, a finding a line: of each number first what it is where there is nothing to see.

        The null maps are those that :func:`atlas` drew. Time is shuffled within runs and the loss dealt to other points 199 times
        each, which takes a second or two for 2,000 points.
        """
        from lossatlas._atlas.reporting import report

        return report(self)

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
        preset: Literal["landscape", "methods", "persistence", "topology"] = "landscape",
    ) -> "Figure":
        """Return the map as a matplotlib figure, in the manner of Horoi et al. 2022.

        Args:
            title: Stands above it.
            style: ``"paper"``, as wide as a column or a page of print, or ``"talk"``, a slide; or a style of one's own.
            preset: ``"landscape"`` (Fig. 2): the runs, and their loss; ``"methods"`` (Fig. 1): every layout, coloured by time;
                ``"persistence"`` (Fig. 3 A): the diagram of the loss; ``"topology"``: its barcode, Betti curves and merge tree.

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
        preset: Literal["landscape", "methods", "persistence", "topology"] = "landscape",
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


def _known(value: float) -> float | None:
    """A number that is not defined is none, which JSON has."""
    return None if np.isnan(value) else value


def _totals(diagram: Diagram) -> dict[str, dict[str, float]]:
    """Total persistence of valleys for p = 1 and 2, in parts, and the range to the same power beside."""
    return {
        f"p{p}": {
            "finite": diagram.total(p, "finite"),
            "essential": diagram.total(p, "essential"),
            "baseline": diagram.baseline(p),
        }
        for p in (1, 2)
    }
