r"""One point, or a shard of one.

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

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from lossatlas._arrays import InputError

WORD = 64  # signs that one number of the generator gives
K = 4096  # numbers kept where nothing else is asked for: distances to 1.1 %

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
        refuse_others((len(self.values), self.seed), (len(other.values), other.seed))
        return Sketch(
            values=self.values + other.values,
            squared_norm=self.squared_norm + other.squared_norm,
            squared_displacement=self.squared_displacement + other.squared_displacement,
            dot=self.dot + other.dot,
            n_parameters=self.n_parameters + other.n_parameters,
            seed=self.seed,
        )

    @classmethod
    def of(cls, values: Float[np.ndarray, " k"], moments: Float[np.ndarray, "3"], *, n_parameters: int, seed: int) -> "Sketch":
        """Return the sketch with these values and :attr:`moments`."""
        norm, displacement, dot = moments.tolist()
        return cls(
            values=values, squared_norm=norm, squared_displacement=displacement, dot=dot, n_parameters=n_parameters, seed=seed
        )

    @property
    def moments(self) -> Float[np.ndarray, "3"]:
        """Squared norm, squared displacement, and product of displacement and start."""
        return np.array([self.squared_norm, self.squared_displacement, self.dot])

    @property
    def is_finite(self) -> bool:
        """Whether all weights were; one that was not leaves no moment a number."""
        return bool(np.isfinite(self.moments).all())


class Sketcher:
    """Sums of one point, to which its parameters are added a stretch at a time, in any order.

    Args:
        k: Numbers kept, a multiple of 64.
        seed: Of signs and shifts.

    Raises:
        InputError: a number is out of its range.
    """

    def __init__(self, *, k: int = K, seed: int = 0) -> None:
        refuse_numbers(k=k, seed=seed)
        # Twice as many places, so that a turned block lies in one piece.
        self._sums, self._moments, self._seed = np.zeros(2 * k), np.zeros(3), seed
        self._n_parameters = 0

    def add(self, weights: Float[np.ndarray, " p"], start: Float[np.ndarray, " p"] | None = None, *, offset: int) -> None:
        """Add the parameters that begin at ``offset`` in the flat order; what is not finite makes the sketch so."""
        from lossatlas.sketch.kernels import add_signed

        begin = np.zeros(min(len(weights), _ZEROS), weights.dtype) if start is None else start
        for first in range(0, len(weights), max(len(begin), 1)):
            part = weights[first : first + len(begin)]
            add_signed(part, begin[: len(part)], offset + first, np.uint64(self._seed), self._sums, self._moments)
        self._n_parameters += len(weights)

    def sketch(self) -> Sketch:
        """Return the sketch of what was added."""
        k = len(self._sums) // 2
        values = self._sums[:k] + self._sums[k:]
        return Sketch.of(values, self._moments, n_parameters=self._n_parameters, seed=self._seed)


def sketch(
    weights: Float[np.ndarray, " p"],
    *,
    start: Float[np.ndarray, " p"] | None = None,
    offset: int = 0,
    k: int = K,
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
    refuse_numbers(k=k, seed=seed, offset=offset)
    weights = _row("weights", weights)
    if start is not None:
        start = _row("start", start)
        if start.shape != weights.shape:
            raise InputError(f"start must have the {len(weights)} values of weights, but has {len(start)}; cut both alike")
    sketcher = Sketcher(k=k, seed=seed)
    sketcher.add(weights, start, offset=offset)
    made = sketcher.sketch()
    if not made.is_finite:
        raise InputError("weights and start must be finite, but some are NaN or infinite; leave that point out")
    return made


def _row(name: str, array: np.ndarray) -> Float[np.ndarray, " p"]:
    row = np.asarray(array)
    if row.ndim != 1:
        raise InputError(f"{name} must be one row of values, but the array has {row.ndim} axes; flatten it")
    if row.dtype not in (np.float16, np.float32, np.float64):
        raise InputError(f"{name} must be float16, float32 or float64, but is {row.dtype}; convert it first")
    return np.ascontiguousarray(row, dtype=np.float32 if row.dtype == np.float16 else None)


def refuse_numbers(*, k: int, seed: int, offset: int = 0) -> None:
    """Refuse a number of a sketch that is out of its range."""
    if not _is_whole(k) or not 0 < k < 2**31 or k % WORD:
        raise InputError(f"k must be a multiple of {WORD} from {WORD} on, but is {k!r}; 4096 gives distances within 1.1 %")
    for name, value, most in (("seed", seed, 2**64), ("offset", offset, 2**62)):
        if not _is_whole(value) or not 0 <= value < most:
            raise InputError(f"{name} must be a whole number from 0 on, but is {value!r}; pass one")


def _is_whole(number: object) -> bool:
    return isinstance(number, (int, np.integer)) and not isinstance(number, bool)


def refuse_others(mine: tuple[int, int], theirs: tuple[int, int]) -> None:
    """Refuse sketches, by ``k`` and seed, that cannot be compared."""
    if mine != theirs:
        raise InputError(
            f"sketches must share k and seed, but one has k={mine[0]}, seed={mine[1]} and one k={theirs[0]}, seed={theirs[1]}; "
            "sketch them alike"
        )
