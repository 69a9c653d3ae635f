"""Distances between all points from one pass over the parameters: never n x p in memory."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from types import ModuleType
from typing import Literal, TypeAlias

import numpy as np

from lossatlas._arrays import Distances, InputError, Vector
from lossatlas._device import namespace
from lossatlas.distance.close import CANCELLED, lost_pairs, measure_lost
from lossatlas.distance.gram import NONE, Gram, NotFiniteError, Part, add_parts, block_width
from lossatlas.distance.kernels import cosine_rows, mirror, square_distances
from lossatlas.distance.on_device import add_part
from lossatlas.distance.source import PointSource, columns_in, point_source, precision, refuse_lost, slabs
from lossatlas.distance.threads import over_rows, workers
from lossatlas.store import Run

Origin: TypeAlias = Literal["zero", "centroid", "start"] | np.ndarray

# Below this float64 is cheap, and the rounding of float32 products has little to average over.
_LEAST_PARAMETERS = 2**14
# Float32 products: how much larger than on the diagonal the error of a product is taken to be, and its least share.
_SAFETY = 3.0
_LEAST_ERROR = 1e-9
_USELESS = 1e-4
_MOST = 0.7  # share of points in one cluster from which their products are taken about the mean of all: memory is n² once
# Largest share of error in what a cosine keeps of a squared distance, and in the squared distance of points in a line.
_TOLERANCES = np.array([2e-5, 1e-8])
_DEVICE_MEGABYTES = 128.0  # of float64 on a device, where three such blocks are at once


@dataclass(frozen=True, eq=False)
class Pairwise:
    """Squared Euclidean distances of all pairs of points, and each point's distance from the origin of the cosine."""

    squared: Distances
    norms: Vector
    origin: str
    n_parameters: int

    @cached_property
    def euclidean(self) -> Distances:
        """Euclidean distances, in units of the weights."""
        return np.sqrt(self.squared)

    @cached_property
    def cosine(self) -> Distances:
        r"""Cosine distances about the origin, from 0 to 2.

        .. math:: 1 - \cos(a, b) = \frac{\lVert a-b \rVert^2 - (\lVert a \rVert - \lVert b \rVert)^2}
                                        {2\, \lVert a \rVert\, \lVert b \rVert}

        A point at the origin itself has no direction: its distance is 1 to every other place, as if at a right angle, and 0
        to its own copies, as of the start that several runs share.

        Raises:
            InputError: the origin is zero or the centroid, and a point lies there.
        """
        return _cosine(self, np.empty_like(self.squared))


def spent(between: Pairwise, metric: Literal["cosine", "euclidean"]) -> Distances:
    """Distances written over the squared ones, which are lost: n² numbers less for whoever needs no other."""
    return _cosine(between, between.squared) if metric == "cosine" else np.sqrt(between.squared, out=between.squared)


def _cosine(between: Pairwise, distances: Distances) -> Distances:
    lost = np.flatnonzero(between.norms == 0)
    if len(lost) and between.origin in {"zero", "centroid"}:
        raise InputError(
            f"point {lost[0]} lies at the origin ({between.origin}), where a cosine has no meaning; "
            "leave it out, or pass another origin"
        )
    with workers() as pool:
        over_rows(pool, lambda a, b: cosine_rows(between.squared, between.norms, distances, a, b), len(between.norms))
    return distances


def cosine_distances(runs_or_array: np.ndarray | Run | Sequence[Run], *, origin: Origin = "zero") -> Distances:
    """Cosine distance ``(n, n)`` of all pairs of points, streamed over the parameters.

    Memory is some blocks of parameters and n² numbers, whatever the number of parameters. Snapshots that nearly coincide keep
    their digits: 1 - cos is not formed by a subtraction from 1, and close pairs are measured apart; see :func:`pairwise`.

    Args:
        runs_or_array: Points ``(n, p)``, a run, or runs of one model.
        origin: Where the angle is measured: ``"zero"``; ``"centroid"`` of the points (what the code of Horoi et al. 2022
            computed through PHATE's centred PCA); ``"start"``, the first point; or a point ``(p,)``.

    Raises:
        InputError: fewer than two points, values that are not finite, other parameters in one run, or a point at the origin.

    >>> cosine_distances(np.array([[1.0, 0.0], [0.0, 2.0], [-3.0, 0.0]]))
    array([[0., 1., 2.],
           [1., 0., 1.],
           [2., 1., 0.]])
    """
    return pairwise(runs_or_array, origin=origin).cosine


def pairwise(
    points: np.ndarray | Run | Sequence[Run] | PointSource,
    *,
    origin: Origin = "zero",
    megabytes: float = 512,
    device: str = "cpu",
) -> Pairwise:
    r"""Squared distances of all pairs of points, and norms about ``origin``; see :func:`cosine_distances`.

    .. math:: \lVert a-b \rVert^2 = \lVert a-c \rVert^2 + \lVert b-c \rVert^2 - 2\, (a-c) \cdot (b-c)

    with the centroid :math:`c`, so that its error is a share :math:`\kappa` of the first two terms. Points of float64, and
    any of fewer than 16,384 parameters, are multiplied in float64, which leaves a relative error below 1e-8. Those of float32
    are multiplied in blocks of float32 that are added up in float64, and :math:`\kappa` is measured on the way, as three
    times the largest relative error of a squared norm, which is known in float64 too. Pairs for which it exceeds 2e-5 of
    what their squared distance or their cosine keeps are measured again in float64, about the mean of their cluster or from
    their differences: distances of float32 points so keep a relative error of 1e-5.

    Args:
        points: Points ``(n, p)``, a run, or runs of one model.
        origin: As for :func:`cosine_distances`.
        megabytes: How much float64 a block of what is read may hold; one is read while another is worked on. Float32 takes half.
        device: Where products are taken: ``"cpu"``, or a device of PyTorch such as ``"cuda"``, all in float64 there.

    >>> pairwise(np.array([[0.0, 3.0], [4.0, 0.0]])).euclidean
    array([[0., 5.],
           [5., 0.]])
    """
    source = point_source(points) if isinstance(points, (np.ndarray, Run, Sequence)) else points
    refuse_unknown_origin(origin, source.n_parameters)
    xp, device = namespace(device)
    with workers() as pool:
        if device != "cpu":
            return _measured_on(source, origin, xp, device, pool=pool, megabytes=megabytes)
        return _measured(source, origin, pool, megabytes)


def _measured(source: PointSource, origin: Origin, pool: Executor, megabytes: float) -> Pairwise:
    p = source.n_parameters
    known = None
    if precision(source) == np.float32 and p >= _LEAST_PARAMETERS:
        known = _narrow(_gram(source, origin, pool, megabytes, np.float32), pool)
    if known is None:
        known = _squares(_gram(source, origin, pool, megabytes, np.float64), pool, CANCELLED, np.ones(2))
    return _finished(known, source, origin, pool, megabytes)


def _measured_on(
    source: PointSource, origin: Origin, xp: ModuleType, device: str, *, pool: Executor, megabytes: float
) -> Pairwise:
    n = source.n_points
    gram = Gram(np.zeros((n, n)), np.float64)
    width = columns_in(min(megabytes, _DEVICE_MEGABYTES), n)
    with _named(source):
        for part in _parts(source, origin, megabytes, width):
            add_part(gram, part, xp, device, width=width, origin=_kind(origin))
    return _finished(_squares(gram, pool, CANCELLED, np.ones(2)), source, origin, pool, megabytes)


def _finished(
    known: tuple[np.ndarray, np.ndarray], source: PointSource, origin: Origin, pool: Executor, megabytes: float
) -> Pairwise:
    squared, norms = known
    measure_lost(squared, norms, source, pool, megabytes=megabytes)
    over_rows(pool, lambda a, b: mirror(squared, a, b), len(norms), triangle=True)
    return Pairwise(squared, norms, origin if isinstance(origin, str) else "point", source.n_parameters)


def _narrow(gram: Gram, pool: Executor) -> tuple[np.ndarray, np.ndarray] | None:
    """Return squared distances from float32 products; None where products in float64 are needed for most points."""
    error = _SAFETY * gram.relative_error()
    if not error < _USELESS:  # NaN among it, from squares that left the range of float32
        return None
    squared, norms = _squares(gram, pool, max(error, _LEAST_ERROR), _TOLERANCES)
    most = max((len(group.rows) for group in lost_pairs(squared, pool).groups if group.is_dense), default=0)
    return None if most > _MOST * len(norms) else (squared, norms)


def _squares(gram: Gram, pool: Executor, error: float, tolerances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    norms, squared = np.sqrt(gram.norms), gram.products
    n = len(norms)
    over_rows(pool, lambda a, b: square_distances(squared, gram.own, norms, error, tolerances, a, b), n, triangle=True)
    return squared, norms


def _gram(source: PointSource, origin: Origin, pool: Executor, megabytes: float, dtype: type) -> Gram:
    n, p = source.n_points, source.n_parameters
    gram = Gram(np.zeros((n, n)), dtype)
    width = block_width(n, p, dtype, most=columns_in(megabytes, n))
    with _named(source):
        add_parts(gram, _parts(source, origin, megabytes, width), pool, width=min(width, p), origin=_kind(origin))
    return gram


def _parts(source: PointSource, origin: Origin, megabytes: float, width: int) -> Iterator[Part]:
    place = NONE if isinstance(origin, str) else np.asarray(origin, np.float64)
    for slab in slabs(source, np.arange(source.n_points), megabytes=megabytes, multiple=width):
        yield Part(slab, place[slab.first : slab.first + slab.stop - slab.start])


def _kind(origin: Origin) -> str:
    return origin if isinstance(origin, str) else "point"


@contextmanager
def _named(source: PointSource) -> Iterator[None]:
    try:
        yield
    except NotFiniteError as error:
        refuse_lost(source, error.row, slice(error.start, error.stop))


def refuse_unknown_origin(origin: Origin, n_parameters: int) -> None:
    """Refuse an origin that is neither a word for one nor a point."""
    if isinstance(origin, np.ndarray):
        if origin.shape != (n_parameters,):
            raise InputError(f"origin must be a point of {n_parameters} values, but its shape is {origin.shape}; flatten it")
    elif origin not in {"zero", "centroid", "start"}:
        raise InputError(f"origin must be 'zero', 'centroid', 'start' or a point, but is {origin!r}; choose one of these")
