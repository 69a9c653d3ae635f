"""The geometry of trajectories layer by layer: which part of a network moves, and how straight."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float

from lossatlas._arrays import InputError
from lossatlas.distance import RunSource, pair_squares, point_source
from lossatlas.measure.geometry.sides import Squares, corners
from lossatlas.measure.geometry.trajectory import TrajectoryGeometry, geometry_of
from lossatlas.store import Run


@dataclass(frozen=True, kw_only=True, eq=False)
class LayerGeometry:
    """The same trajectories as each layer sees them, and as the whole does.

    Attributes:
        layers: By the layer's name, in the order of the model.
        whole: Of all parameters together: squared distances of the layers add up to its own.
        n_parameters: Of each layer.
        depth: Parts of a tensor's name that name its layer; None for all of them.
    """

    layers: Mapping[str, TrajectoryGeometry]
    whole: TrajectoryGeometry
    n_parameters: Mapping[str, int]
    depth: int | None

    @property
    def shares(self) -> dict[str, Float[np.ndarray, " r"]]:
        """Share of each layer in the squared displacement of each trajectory: they sum to 1; NaN where nothing moved."""
        whole = np.square(self.whole.displacement)
        return {
            name: np.divide(np.square(found.displacement), whole, out=np.full(len(whole), np.nan), where=whole > 0)
            for name, found in self.layers.items()
        }


def layer_geometry(
    runs: Run | Sequence[Run],
    *,
    depth: int | None = None,
    kept: Sequence[Sequence[int]] | None = None,
    megabytes: float = 512,
) -> LayerGeometry:
    """Measure the trajectories of runs of one model, whole and by layer, in one pass over the weights.

    Four distances a point are enough, and each is a sum of squared differences: no table of all pairs is made, no block of
    weights is read twice, and angles are right to a ten-thousandth of a degree where weights in float32 hold them.

    Args:
        runs: Of one model, with weights; the points of each follow each other.
        depth: Parts of a tensor's name that name a layer, as 1 for the outermost modules; by default all: each tensor alone.
        kept: The points of each run; by default all.
        megabytes: How much float64 a block of what is read may hold; one is read while another is worked on.

    Raises:
        InputError: the runs hold no weights, other parameters, or fewer than two points; or ``depth`` is below 1.
    """
    if depth is not None and depth < 1:
        raise InputError(f"depth must be 1 or more parts of a name, but is {depth}; leave it out for each tensor alone")
    source = point_source(runs, kept=kept)
    assert isinstance(source, RunSource)
    stops = np.cumsum([0, *(len(points) for points in source.kept)]).tolist()
    bounds = tuple(pairwise(stops))
    rows, n = corners(bounds, source.n_points), source.n_points
    here = np.arange(n)
    tensors = source.runs[0].parameters
    found = pair_squares(
        source,
        np.concatenate([rows.before, rows.before, rows.start, here]),
        np.concatenate([here, rows.after, here, rows.end]),
        cuts=np.cumsum([0, *(tensor.size for tensor in tensors)]).tolist(),
        megabytes=megabytes,
    )
    steps = np.concatenate([run.steps[list(points)] for run, points in zip(source.runs, source.kept, strict=True)])
    members: dict[str, list[int]] = {}
    for number, tensor in enumerate(tensors):
        members.setdefault(".".join(tensor.name.split(".")[:depth]), []).append(number)

    def measured(squares: Float[np.ndarray, "l m"]) -> TrajectoryGeometry:
        return geometry_of(Squares(*squares.sum(axis=0).reshape(4, n)), rows, bounds, steps.astype(np.float64))

    return LayerGeometry(
        layers={name: measured(found[numbers]) for name, numbers in members.items()},
        whole=measured(found),
        n_parameters={name: sum(tensors[number].size for number in numbers) for name, numbers in members.items()},
        depth=depth,
    )
