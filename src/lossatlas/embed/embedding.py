"""What every way of embedding returns: coordinates, how well they fit, and the choices that made them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias, TypeVar

import numpy as np
from jaxtyping import Float, Int

from lossatlas._arrays import Coordinates, InputError

Same = TypeVar("Same", bound="Embedding")

Other: TypeAlias = Float[np.ndarray, "m e"]
Pairs: TypeAlias = tuple[Int[np.ndarray, " k"], Int[np.ndarray, " k"]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Embedding:
    """A map of ``n`` points, how well it fits what it was made of, and every choice that made it."""

    method: str  # "phate", "pca", …
    coordinates: Coordinates
    stress: float  # Kruskal's stress-1 against the distances that the method draws
    settings: Any  # a frozen dataclass of the method's choices
    diagnostics: Mapping[str, float] = field(default_factory=dict)  # the method's own numbers, as explained variance

    @property
    def n_points(self) -> int:
        """Number of points."""
        return len(self.coordinates)

    def align_to(self: Same, other: "Embedding | Other", *, rows: Pairs | None = None) -> Same:
        r"""Return this map turned, mirrored if need be, and shifted onto another; lengths stay as they are.

        .. math:: \min_{Q^T Q = I,\ s} \sum_i \lVert Q x_i + s - y_i \rVert^2

        The orthogonal Procrustes problem (Schönemann 1966). Where the other has fewer axes, the rest of its axes count 0.

        Args:
            other: The map to lie upon.
            rows: Points of this map and the points of the other that they are; by default the first with the first, and so on,
                as many as both have.

        Raises:
            InputError: the other has more axes, or the rows do not fit.
        """
        there = other.coordinates if isinstance(other, Embedding) else np.asarray(other, dtype=np.float64)
        return replace(self, coordinates=aligned(self.coordinates, there, rows=rows))


def aligned(coordinates: Coordinates, other: Other, *, rows: Pairs | None = None) -> Coordinates:
    """Coordinates turned and shifted onto others; see :meth:`Embedding.align_to`."""
    x, y = paired(coordinates, other, rows=rows)
    U, _, Vt = np.linalg.svd((x - x.mean(axis=0)).T @ (y - y.mean(axis=0)))
    return (coordinates - x.mean(axis=0)) @ (U @ Vt) + y.mean(axis=0)


def paired(coordinates: Coordinates, other: Other, *, rows: Pairs | None) -> tuple[np.ndarray, np.ndarray]:
    """Places of the points that two maps have in common, with as many axes: those that the other has not count 0."""
    d = coordinates.shape[1]
    if other.ndim != 2 or other.shape[1] > d:
        raise InputError(f"a map of {d} axes cannot lie upon coordinates of shape {other.shape}; pass (n, d) of at most {d} axes")
    both = min(len(coordinates), len(other))
    mine, theirs = (np.arange(both), np.arange(both)) if rows is None else rows
    if len(mine) != len(theirs) or not len(mine):
        raise InputError(f"rows must pair points of both maps, but there are {len(mine)} and {len(theirs)}; pass one for each")
    x, y = coordinates[mine], np.pad(other[theirs], ((0, 0), (0, d - other.shape[1])))
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise InputError("a map cannot lie upon coordinates that are NaN or infinite; name the points that are known in rows")
    return x, y
