"""How the loss rises and falls over the map's neighbour graph: valleys, the passes between them, and loops."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import gudhi
import numpy as np
from jaxtyping import Float

from lossatlas._arrays import Distances, InputError, Vector
from lossatlas.embed import PhateEmbedding
from lossatlas.measure.filtration import filtration

Part = Literal["all", "finite", "essential"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Diagram:
    """Births and deaths, in units of the loss, of components (dimension 0) and cycles (dimension 1) as the loss rises."""

    finite: Mapping[int, Float[np.ndarray, "m 2"]]  # classes that end: birth and death
    essential: Mapping[int, Float[np.ndarray, " e"]]  # births of classes that never end
    lowest: float
    highest: float
    n_points: int  # points with a finite value, which are those that count
    n_left_out: int  # points whose value is NaN or infinite
    knn: int

    def total(self, p: float = 2, part: Part = "all", dimension: int = 0) -> float:
        r"""Total persistence :math:`\sum |d - b|^p`, where a class that never ends is closed at the highest value.

        The essential part in dimension 0 is the range of the loss to the power p for each component of the graph, whatever
        lies between: look at the finite part for structure (Horoi et al. 2022, Section 3.3, add up both).

        Raises:
            InputError: no such part, or no such dimension.
        """
        if part not in {"all", "finite", "essential"}:
            raise InputError(f"part must be 'all', 'finite' or 'essential', but is {part!r}; choose one of these")
        if dimension not in self.finite:
            raise InputError(f"dimension must be 0 or 1, but is {dimension}; a graph has no other")
        with np.errstate(over="ignore"):  # a loss of 1e300 has an infinite square
            finite = float((np.abs(np.diff(self.finite[dimension], axis=1)) ** p).sum())
            essential = float(((self.highest - self.essential[dimension]) ** p).sum())
        return {"all": finite + essential, "finite": finite, "essential": essential}[part]

    @property
    def loss_range_squared(self) -> float:
        """Square of highest minus lowest value: the baseline that a total persistence has to be compared with."""
        with np.errstate(over="ignore"):
            return float(np.square(self.highest - self.lowest))


def persistence(distances_or_embedding: Distances | PhateEmbedding, values: Vector, *, knn: int = 20) -> Diagram:
    """Persistence diagram of the sublevel filtration of ``values`` over the neighbour graph.

    A point enters at its value, an edge at the higher value of its ends. A component dies when it meets an older one (the
    elder rule); cycles of a graph never die. Points with a value that is not finite are left out and counted.

    Horoi et al. 2022, Sections 2.2 and 3.3, on the true nearest neighbours by potential distance; their released code
    takes the farthest, and gives each point its predecessor's loss.

    Args:
        distances_or_embedding: Distances ``(n, n)``, or an embedding whose potential distances are taken.
        values: The loss at each point, ``(n,)``.
        knn: Neighbours of each point. Default of Horoi et al. 2022, Section 3.3.

    Raises:
        InputError: the numbers of points differ, fewer than two values are finite, or ``knn`` does not fit.

    >>> path = np.abs(np.subtract.outer(np.arange(3.0), np.arange(3.0)))
    >>> diagram = persistence(path, np.array([0.0, 5.0, 1.0]), knn=1)
    >>> diagram.finite[0], diagram.total(part="finite"), diagram.total(part="essential")
    (array([[1., 5.]]), 16.0, 25.0)
    """
    on = filtration(distances_or_embedding, values, knn=knn)
    values, edges = on.values, on.edges
    tree = gudhi.SimplexTree()
    tree.insert_batch(np.arange(len(values))[np.newaxis], values)
    tree.insert_batch(edges.T, values[edges].max(axis=1))
    tree.compute_persistence(homology_coeff_field=2, persistence_dim_max=True)
    intervals = {dimension: tree.persistence_intervals_in_dimension(dimension).reshape(-1, 2) for dimension in (0, 1)}
    ends = {dimension: np.isfinite(found[:, 1]) for dimension, found in intervals.items()}
    return Diagram(
        finite={dimension: found[ends[dimension]] for dimension, found in intervals.items()},
        essential={dimension: found[~ends[dimension], 0] for dimension, found in intervals.items()},
        lowest=float(values.min()),
        highest=float(values.max()),
        n_points=len(values),
        n_left_out=on.n_left_out,
        knn=knn,
    )
