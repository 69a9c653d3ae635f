"""The ways of runs without a map: how far and how straight each went, whole and by layer, and how far apart they end."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from lossatlas._arrays import InputError
from lossatlas._atlas.recorded import Diverged, kept_points, recorded_steps, refuse_unknown_diverged, step_label, traces_of
from lossatlas._atlas.result import Trace
from lossatlas._atlas.spreads import spreads
from lossatlas.distance import recorded_pairwise
from lossatlas.measure import EndSpread, LayerGeometry, TrajectoryGeometry, layer_geometry, trajectory_geometry
from lossatlas.store import Run, open_runs

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lossatlas.draw.figures import Style


@dataclass(frozen=True, kw_only=True, eq=False)
class RunGeometry:
    """The geometry of runs, as :func:`geometry` returns it.

    Attributes:
        traces: The runs whose points follow each other, with their rows.
        whole: Of all parameters.
        layers: By layer, where that was asked for.
        spreads: Of the ends of runs that are alike but for their seeds.
        step_label: ``"epoch"`` where every run counts epochs, else ``"step"``.
    """

    traces: tuple[Trace, ...]
    whole: TrajectoryGeometry
    layers: LayerGeometry | None
    spreads: Mapping[str, EndSpread]
    step_label: str

    def summary(self) -> dict[str, Any]:
        """Return the numbers as plain values: of each run, of its layers, and of the spreads."""
        numbers: dict[str, Any] = {"trajectories": {}}
        for place, trace in enumerate(self.traces):
            own: dict[str, Any] = {"kind": trace.kind, "n_points": trace.stop - trace.start, **self.whole.summary(place)}
            if self.layers is not None:
                shares = self.layers.shares
                own["layers"] = {
                    name: {
                        "n_parameters": self.layers.n_parameters[name],
                        "share": float(shares[name][place]) if self.whole.displacement[place] else None,
                        **layer.summary(place),
                    }
                    for name, layer in self.layers.layers.items()
                }
            numbers["trajectories"][trace.name] = own
        if self.spreads:
            numbers["spreads"] = {name: found.summary() for name, found in self.spreads.items()}
        return numbers

    def figure(self, *, run: int = 0, title: str = "", style: "Literal['paper', 'talk'] | Style" = "paper") -> "Figure":
        """Return panels of the runs, or where layers were asked for of those of one run; see ``draw.geometry_figure``.

        Raises:
            InputError: there is no such run or style.
        """
        from lossatlas.draw.figures import geometry_figure

        names = [trace.name for trace in self.traces]
        found = self.whole if self.layers is None else self.layers
        return geometry_figure(found, names=names, run=run, time_label=self.step_label, style=style, title=title)


def geometry(
    runs: str | os.PathLike[str] | Run | Iterable[str | os.PathLike[str] | Run],
    *,
    by_layer: bool = False,
    depth: int | None = None,
    diverged: Diverged = "refuse",
) -> RunGeometry:
    """Measure how far, how straight and how fast runs went, beside random walks with steps of the same lengths.

    No map is made; weights are read once, and of each run the first and last point again. Of runs without weights distances
    are estimated from their sketches.

    Args:
        runs: Run folders, folders of runs, patterns such as ``"runs/*"``, or opened runs; all of one model.
        by_layer: Whether each layer is measured too, which needs weights.
        depth: Parts of a tensor's name that name a layer, 1 for the outermost modules; by default each tensor is its own.
        diverged: Whether points with NaN or infinite weights are refused or skipped.

    Raises:
        InputError: the runs cannot be read or measured together, or none has two points that follow each other.
    """
    refuse_unknown_diverged(diverged)
    if depth is not None and not by_layer:
        raise InputError(f"depth={depth} names layers, but they were not asked for; pass by_layer=True (--by-layer) too")
    opened = open_runs(runs)
    kept = [kept_points(run, diverged) for run in opened]
    rows = traces_of(opened, kept)
    ways = [place for place, trace in enumerate(rows) if trace.is_ordered and trace.stop - trace.start > 1]
    if not ways:
        raise InputError("no run has two points that follow each other, so there is no way to measure; record more")
    chosen, points = [opened[place] for place in ways], [kept[place] for place in ways]
    left_out = [rows[place].n_left_out for place in ways]
    traces = traces_of(chosen, points, n_left_out=left_out)
    if by_layer or all(run.has_weights for run in chosen):
        layers = layer_geometry(chosen, depth=depth if by_layer else 1, kept=points)
        whole = layers.whole
    else:
        between, _ = recorded_pairwise(chosen, kept=points)
        bounds = [(trace.start, trace.stop) for trace in traces]
        whole = trajectory_geometry(between, bounds, steps=recorded_steps(chosen, points))
    return RunGeometry(
        traces=traces,
        whole=whole,
        layers=layers if by_layer else None,
        spreads=_spreads(opened, kept, rows),
        step_label=step_label(chosen),
    )


def _spreads(runs: Sequence[Run], kept: Sequence[Sequence[int]], rows: Sequence[Trace]) -> dict[str, EndSpread]:
    """Return the spreads from the first and the last point of each run alone."""
    places = [place for place, trace in enumerate(rows) if trace.is_ordered and trace.stop > trace.start]
    if len(places) < 2:
        return {}
    chosen = [runs[place] for place in places]
    ends = [tuple(dict.fromkeys((kept[place][0], kept[place][-1]))) for place in places]
    between, _ = recorded_pairwise(chosen, kept=ends)
    return spreads(chosen, traces_of(chosen, ends, n_left_out=[rows[place].n_left_out for place in places]), between)
