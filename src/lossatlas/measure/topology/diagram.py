"""What is born and dies as the loss rises, and what can be counted of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

import numpy as np
from jaxtyping import Float, Int, Real

from lossatlas._arrays import InputError
from lossatlas.measure.topology.filtration import Pieces
from lossatlas.measure.topology.scales import Scale, scaled

Part: TypeAlias = Literal["all", "finite", "essential", "relative"]
Complex: TypeAlias = Literal["graph", "clique"]
Pairs: TypeAlias = Float[np.ndarray, "_ 2"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Diagram:
    """Births and deaths of components (dimension 0) and cycles (dimension 1) as the loss rises, on the scale it was read on."""

    finite: Mapping[int, Pairs]  # classes that end: birth and death
    essential: Mapping[int, Float[np.ndarray, " _"]]  # births of classes that never end
    values: Float[np.ndarray, " c"]  # of the points that count, which are those with a finite value, ascending
    n_left_out: int  # points whose value is NaN or infinite
    knn: int
    scale: Scale = "raw"
    pieces: Pieces = "apart"
    complex: Complex = "graph"
    preset: Literal["sound", "paper"] = "sound"
    # Where the way back down ends each essential class, and the classes that are seen on this way alone; of extended persistence.
    ends: Mapping[int, Float[np.ndarray, " _"]] | None = None
    relative: Mapping[int, Pairs] = field(default_factory=dict)

    @property
    def n_points(self) -> int:
        """Number of points that count."""
        return len(self.values)

    @property
    def lowest(self) -> float:
        """Lowest value."""
        return float(self.values[0])

    @property
    def highest(self) -> float:
        """Highest value."""
        return float(self.values[-1])

    def total(self, p: float = 2, part: Part = "all", dimension: int = 0) -> float:
        r"""Total persistence :math:`\sum |d - b|^p`, where a class that never ends is closed; see :meth:`closed`.

        The essential part in dimension 0 is the height from the lowest value of each component of the graph up to the highest of
        all, to the power p: of one component the range of the loss, whatever lies between. Look at the finite part for structure
        (Horoi et al. 2022, Section 3.3, add up both). All is both of them; the relative part, which extended persistence alone
        has, is in neither.

        Raises:
            InputError: no such part, or no such dimension.
        """
        if part not in {"all", "finite", "essential", "relative"}:
            raise InputError(f"part must be 'all', 'finite', 'essential' or 'relative', but is {part!r}; choose one of these")
        self._refuse_dimension(dimension)
        if part == "relative":
            if self.ends is None:
                raise InputError("relative classes are of extended persistence; call persistence(..., extended=True)")
            return _power_sum(self.relative[dimension], p)
        finite, essential = _power_sum(self.finite[dimension], p), _power_sum(self.closed(dimension), p)
        return {"all": finite + essential, "finite": finite, "essential": essential}[part]

    def baseline(self, p: float = 2) -> float:
        """Highest minus lowest value to the power p: what a total persistence has to be compared with."""
        return _power_sum(self.values[np.newaxis, [0, -1]], p)

    @property
    def loss_range_squared(self) -> float:
        """The baseline of the total for p = 2."""
        return self.baseline(2)

    def closed(self, dimension: int = 0) -> Pairs:
        """Classes that never end: their births, and where extended persistence ends them, or else the highest value."""
        self._refuse_dimension(dimension)
        births = self.essential[dimension]
        return np.stack([births, np.full(len(births), self.highest) if self.ends is None else self.ends[dimension]], axis=1)

    def barcode(self, dimension: int = 0) -> Float[np.ndarray, "b 2"]:
        """Birth and death of every class of the rising loss, the longest first; death is infinite where it never comes.

        >>> from lossatlas import persistence
        >>> path = np.abs(np.subtract.outer(np.arange(3.0), np.arange(3.0)))
        >>> persistence(path, np.array([0.0, 5.0, 1.0]), knn=1).barcode()
        array([[ 0., inf],
               [ 1.,  5.]])
        """
        self._refuse_dimension(dimension)
        births = self.essential[dimension]
        bars = np.concatenate([np.stack([births, np.full(len(births), np.inf)], axis=1), self.finite[dimension]])
        return bars[np.lexsort((bars[:, 0], bars[:, 0] / 2 - bars[:, 1] / 2))]

    def betti(self, levels: Real[np.ndarray, " l"], dimension: int = 0) -> Int[np.ndarray, " l"]:
        """Betti curve: how many classes there are where the loss is at most each of the levels.

        It changes at :meth:`breakpoints` alone, and ends at the number of classes that never end.

        >>> from lossatlas import persistence
        >>> path = np.abs(np.subtract.outer(np.arange(3.0), np.arange(3.0)))
        >>> persistence(path, np.array([0.0, 5.0, 1.0]), knn=1).betti(np.array([-1.0, 0.0, 1.0, 5.0]))
        array([0, 1, 2, 1])
        """
        bars = self.barcode(dimension)
        begun, ended = (np.searchsorted(np.sort(side), levels, side="right") for side in bars.T)
        return begun - ended

    def breakpoints(self, dimension: int = 0) -> Float[np.ndarray, " b"]:
        """Levels at which a class is born or dies, ascending."""
        ends = np.unique(self.barcode(dimension))
        return ends[np.isfinite(ends)]

    def rescaled(self, scale: Scale) -> "Diagram":
        """Return the diagram on another scale; every scale keeps the order of the values, and so which class ends which.

        Raises:
            InputError: the diagram is on another scale than raw, or the values have no place on this one.
        """
        if scale == self.scale:
            return self
        if self.scale != "raw":
            raise InputError(f"the diagram is on the scale {self.scale!r}, which holds no losses; rescale that of scale='raw'")
        there = scaled(self.values, scale)

        def moved(found: Mapping[int, np.ndarray]) -> dict[int, np.ndarray]:
            return {dimension: there[np.searchsorted(self.values, numbers)] for dimension, numbers in found.items()}

        return replace(
            self,
            finite=moved(self.finite),
            essential=moved(self.essential),
            values=there,
            scale=scale,
            ends=None if self.ends is None else moved(self.ends),
            relative=moved(self.relative),
        )

    def _refuse_dimension(self, dimension: int) -> None:
        if dimension not in self.finite:
            raise InputError(f"dimension must be 0 or 1, but is {dimension}; a graph has no other")


def _power_sum(pairs: Pairs, p: float) -> float:
    with np.errstate(over="ignore"):  # a loss of 1e300 has an infinite square
        return float((np.abs(pairs[:, 1] - pairs[:, 0]) ** p).sum())
