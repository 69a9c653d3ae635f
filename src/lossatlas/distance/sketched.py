r"""Snapshots of any size become ``k`` numbers each, from which distances are known within a stated error.

The flat parameters are cut in blocks of ``k``. Each block has its signs flipped at random, is turned by a random shift, and is
added to the others: a count sketch (Charikar, Chen, Farach-Colton 2002; Weinberger et al. 2009) whose places are drawn a block at
a time. For :math:`x = \theta - \theta_\text{start}` with blocks :math:`x_b`

.. math:: E \lVert Sx \rVert^2 = \lVert x \rVert^2, \qquad
          \operatorname{Var} \lVert Sx \rVert^2 = \frac2k \Bigl(\lVert x \rVert^4 - \sum_b \lVert x_b \rVert^4\Bigr),

since signs that are independent leave only pairs that meet, and two coordinates meet with probability 1/k, or never if they share
a block. A count sketch has coordinates where this has blocks, so this is never worse; a change within one block (a bias, a row)
and a model of at most k parameters lose nothing. Several places a coordinate (Kane and Nelson 2014) leave the variance as it is
and thin its tail: here two lone weights of two blocks meet in one seed of k, and then ‖x‖² is wrong by up to itself. Changes of
many weights, as training makes them, have no such tail. benchmarks/README.md has what each costs.
"""

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from lossatlas._arrays import InputError, Vector
from lossatlas.distance._sketch_kernels import WORD, add_signed, fit_angles
from lossatlas.distance.pairwise import Pairwise, pairwise
from lossatlas.distance.source import PointSource, blocks, point_source, refuse_lost
from lossatlas.store import Run

_ZEROS = 2**16  # the length of the start that stands in for none: the cache holds it


@dataclass(frozen=True, eq=False, kw_only=True)
class Sketch:
    """One point, or a shard of one; shards of the same point add up to it."""

    values: Float[np.ndarray, " k"]  # S(θ - θ_start)
    squared_norm: float  # ‖θ‖²; squares, because these add up
    squared_displacement: float  # ‖θ - θ_start‖²
    dot: float  # ⟨θ - θ_start, θ_start⟩
    n_parameters: int
    seed: int

    def __add__(self, other: "Sketch") -> "Sketch":
        """Return the sketch of both shards.

        Raises:
            InputError: they were made with another ``k`` or seed.
        """
        _refuse_others((len(self.values), self.seed), (len(other.values), other.seed))
        return Sketch(
            values=self.values + other.values,
            squared_norm=self.squared_norm + other.squared_norm,
            squared_displacement=self.squared_displacement + other.squared_displacement,
            dot=self.dot + other.dot,
            n_parameters=self.n_parameters + other.n_parameters,
            seed=self.seed,
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class Sketches:
    """Sketches of ``n`` points about one start, or of the same shard of all of them."""

    start: Sketch  # of θ_start itself, about zero
    values: Float[np.ndarray, "n k"]
    squared_norms: Vector
    squared_displacements: Vector
    dots: Vector

    @classmethod
    def of(cls, points: Sequence[Sketch], *, start: Sketch) -> "Sketches":
        """Return the sketches of ``points`` as one object.

        Raises:
            InputError: there are fewer than two, or ``k``, seeds or numbers of parameters differ.
        """
        if len(points) < 2:
            raise InputError(f"a map needs at least 2 points, but there is {len(points)}; record or sample more")
        for point in points:
            _refuse_others((len(start.values), start.seed), (len(point.values), point.seed))
            if point.n_parameters != start.n_parameters:
                raise InputError(
                    f"points must have the start's {start.n_parameters} parameters, but one has {point.n_parameters}; "
                    "add all shards of each"
                )
        return cls(
            start=start,
            values=np.array([point.values for point in points]),
            squared_norms=np.array([point.squared_norm for point in points]),
            squared_displacements=np.array([point.squared_displacement for point in points]),
            dots=np.array([point.dot for point in points]),
        )

    @property
    def norms(self) -> Vector:
        """Exact norms of the points."""
        return np.sqrt(self.squared_norms)

    @property
    def displacements(self) -> Vector:
        """Exact distances from the start."""
        return np.sqrt(self.squared_displacements)

    @property
    def relative_error(self) -> float:
        r"""Standard error of a distance over itself, at most :math:`1 / \sqrt{2k}`: half that of its square."""
        return 1 / math.sqrt(2 * self.values.shape[1])

    def __add__(self, other: "Sketches") -> "Sketches":
        """Return the sketches of both shards, point by point.

        Raises:
            InputError: they hold another number of points, or were made with another ``k`` or seed.
        """
        if len(self.values) != len(other.values):
            raise InputError(
                f"shards must hold the same points, but one has {len(self.values)} and one {len(other.values)}; sketch the same"
            )
        return Sketches(
            start=self.start + other.start,
            values=self.values + other.values,
            squared_norms=self.squared_norms + other.squared_norms,
            squared_displacements=self.squared_displacements + other.squared_displacements,
            dots=self.dots + other.dots,
        )


def sketch(
    weights: Float[np.ndarray, " p"],
    *,
    start: Float[np.ndarray, " p"] | None = None,
    offset: int = 0,
    k: int = 4096,
    seed: int = 0,
) -> Sketch:
    """Sketch of ``weights - start``, of all parameters or of the stretch of them that begins at ``offset``.

    What happens to a coordinate depends on the seed and its place in the flat order alone, so stretches add up however they
    were cut. One pass without copies over contiguous float32 or float64; float16 is widened first. It holds no lock while it
    works: threads may sketch stretches at once.

    Args:
        weights: Weights in the flat order of the parameters.
        start: Where the run began; None for zero, as for the sketch of the start itself.
        offset: Number of parameters before these.
        k: Numbers kept, a multiple of 64. The relative error of a distance is at most 1/√(2k): 1.1 % at 4,096.
        seed: Of signs and shifts; only sketches of one seed can be compared.

    Raises:
        InputError: the arrays are not rows of finite floats of one length, or a number is out of its range.

    >>> weights = np.arange(10.0)
    >>> whole, parts = sketch(weights, k=64), sketch(weights[:7], k=64) + sketch(weights[7:], offset=7, k=64)
    >>> bool((whole.values == parts.values).all()), parts.squared_norm
    (True, 285.0)
    """
    _refuse_numbers(k=k, seed=seed, offset=offset)
    weights = _row("weights", weights)
    begin = np.zeros(min(len(weights), _ZEROS), weights.dtype) if start is None else _row("start", start)
    if start is not None and begin.shape != weights.shape:
        raise InputError(f"start must have the {len(weights)} values of weights, but has {len(begin)}; cut both alike")
    sums, moments = np.zeros(2 * k), np.zeros(3)
    for first in range(0, len(weights), max(len(begin), 1)):
        part = weights[first : first + len(begin)]
        add_signed(part, begin[: len(part)], offset + first, np.uint64(seed), sums, moments)
    if not np.isfinite(moments).all():
        raise InputError("weights and start must be finite, but some are NaN or infinite; leave that point out")
    return _folded(sums, moments, len(weights), seed)


def sketches(
    points: np.ndarray | Run | Sequence[Run] | PointSource,
    *,
    k: int = 4096,
    seed: int = 0,
    offset: int = 0,
    megabytes: float = 128,
) -> Sketches:
    """Sketches of all points about the first of them, streamed over blocks of parameters; see :func:`sketch`.

    >>> walk = np.random.default_rng(0).normal(size=(5, 1000)).cumsum(axis=0)
    >>> made = sketches(walk[:, :400]) + sketches(walk[:, 400:], offset=400)
    >>> made.values.shape, made.start.n_parameters
    ((5, 4096), 1000)
    """
    _refuse_numbers(k=k, seed=seed, offset=offset)
    source = point_source(points) if isinstance(points, (np.ndarray, Run, Sequence)) else points
    n = source.n_points
    sums, moments = np.zeros((n + 1, 2 * k)), np.zeros((n + 1, 3))
    with ThreadPoolExecutor() as threads:
        for columns, block in blocks(source, megabytes=megabytes):
            # The last row is the start about zero. A row is one task, so that sums do not depend on the number of threads.
            rows = [*((row, block[0]) for row in block), (block[0], np.zeros_like(block[0]))]

            def add(row: int, rows: list[tuple[np.ndarray, np.ndarray]] = rows, first: int = offset + columns.start) -> None:
                add_signed(*rows[row], first, np.uint64(seed), sums[row], moments[row])

            list(threads.map(add, range(n + 1)))
    lost = np.flatnonzero(~np.isfinite(moments).all(axis=1))
    if len(lost):
        refuse_lost(source, int(lost[0]), slice(0, source.n_parameters))
    made = [_folded(total, moment, source.n_parameters, seed) for total, moment in zip(sums, moments, strict=True)]
    return Sketches.of(made[:-1], start=made[-1])


def sketched_pairwise(sketches: Sketches, *, origin: Literal["zero", "start"] = "zero") -> Pairwise:
    r"""Squared distances of all pairs from their sketches, and exact norms about ``origin``.

    With :math:`\theta = (1 + c)\,\theta_\text{start} + y` and y at a right angle to the start, c and ‖y‖ are exact, and only
    the angle between two y is estimated:

    .. math:: d^2 = (c_a - c_b)^2 \lVert \theta_\text{start} \rVert^2 + (\lVert y_a \rVert - \lVert y_b \rVert)^2
                    + 2 \lVert y_a \rVert \lVert y_b \rVert\, \delta, \qquad
              \delta^3 - (3 - w)\,\delta^2 + (2 + D)\,\delta - D = 0,

    :math:`w = \langle u, v \rangle`, :math:`D = \lVert u - v \rVert^2`, u and v the sketches of y over their exact norms. δ is
    1 - cos at the greatest likelihood given those norms (Li, Hastie, Church 2006), written so that near points keep their
    digits: as good as ‖S(a-b)‖² for near pairs, with half its variance at a right angle. No δ lies outside 0 to 2, so that
    d is never below the difference of norms about either origin, and no cosine has to be clipped.

    Raises:
        InputError: ``origin`` is another.

    >>> walk = np.random.default_rng(0).normal(size=(5, 20_000)).cumsum(axis=0)
    >>> estimated = sketched_pairwise(sketches(walk)).euclidean
    >>> bool(np.abs(estimated[0, 1:] / pairwise(walk).euclidean[0, 1:] - 1).max() < 1e-9)  # from the start: exact
    True
    """
    if origin not in {"zero", "start"}:
        raise InputError(f"origin must be 'zero' or 'start', but is {origin!r}; other origins need the weights: use pairwise")
    squared_start = sketches.start.squared_norm
    c = sketches.dots / squared_start if squared_start else np.zeros_like(sketches.dots)
    # Never negative but by rounding, when a point moved along its start alone.
    y = np.sqrt(np.maximum(sketches.squared_displacements - c**2 * squared_start, 0.0))
    unit = (sketches.values - np.multiply.outer(c, sketches.start.values)) / np.where(y == 0, 1.0, y)[:, None]
    squared = pairwise(unit).squared
    fit_angles(unit @ unit.T, squared)
    squared *= 2 * np.multiply.outer(y, y)
    squared += np.subtract.outer(y, y) ** 2 + squared_start * np.subtract.outer(c, c) ** 2
    norms = sketches.norms if origin == "zero" else sketches.displacements
    return Pairwise(squared, norms, origin, sketches.start.n_parameters)


def _folded(sums: Float[np.ndarray, " m"], moments: Float[np.ndarray, "3"], n_parameters: int, seed: int) -> Sketch:
    k = len(sums) // 2
    norm, displacement, dot = moments.tolist()
    return Sketch(
        values=sums[:k] + sums[k:],
        squared_norm=norm,
        squared_displacement=displacement,
        dot=dot,
        n_parameters=n_parameters,
        seed=seed,
    )


def _row(name: str, array: np.ndarray) -> Float[np.ndarray, " p"]:
    row = np.asarray(array)
    if row.ndim != 1:
        raise InputError(f"{name} must be one row of values, but the array has {row.ndim} axes; flatten it")
    if row.dtype not in (np.float16, np.float32, np.float64):
        raise InputError(f"{name} must be float16, float32 or float64, but is {row.dtype}; convert it first")
    return np.ascontiguousarray(row, dtype=np.float32 if row.dtype == np.float16 else None)


def _refuse_numbers(*, k: int, seed: int, offset: int) -> None:
    if not _is_whole(k) or not 0 < k < 2**31 or k % WORD:
        raise InputError(f"k must be a multiple of {WORD} from {WORD} on, but is {k!r}; 4096 gives distances within 1.1 %")
    for name, value, most in (("seed", seed, 2**64), ("offset", offset, 2**62)):
        if not _is_whole(value) or not 0 <= value < most:
            raise InputError(f"{name} must be a whole number from 0 on, but is {value!r}; pass one")


def _is_whole(number: object) -> bool:
    return isinstance(number, (int, np.integer)) and not isinstance(number, bool)


def _refuse_others(mine: tuple[int, int], theirs: tuple[int, int]) -> None:
    if mine != theirs:
        raise InputError(
            f"sketches must share k and seed, but one has k={mine[0]}, seed={mine[1]} and one k={theirs[0]}, seed={theirs[1]}; "
            "sketch them alike"
        )
