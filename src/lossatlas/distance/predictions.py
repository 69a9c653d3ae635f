"""Distances between what networks predict: of any architecture, width, scale and order of units."""

from collections.abc import Sequence
from typing import Literal, TypeAlias, get_args

import numpy as np
from jaxtyping import Float
from scipy.special import logsumexp

from lossatlas._arrays import Distances, InputError, not_finite
from lossatlas.distance.pairwise import Pairwise, pairwise
from lossatlas.distance.threads import over_rows, workers

PredictionKind: TypeAlias = Literal["bhattacharyya", "hellinger", "jeffreys", "disagreement"]
LogProbabilities: TypeAlias = Float[np.ndarray, "n m c"]
Parts: TypeAlias = Sequence[Float[np.ndarray, "_ m c"]]

# Of so many samples coefficients are multiplied before a logarithm is taken.
_TOGETHER = 4
# Rows of a block: its products with all others, of some samples at once, stay in the cache.
_ROWS = 32
# What logarithms may miss of a sum of 1, after float32.
_ROUNDING = 1e-3


def prediction_distances(predictions: LogProbabilities | Parts, *, kind: PredictionKind = "bhattacharyya") -> Distances:
    r"""Distance ``(n, n)`` of all pairs of networks by what they predict on the same m samples.

    With :math:`p_k(c)` the probabilities that a network gives the classes of sample k,

    .. math::

        \text{bhattacharyya} &= -\tfrac1m \sum_k \ln \sum_c \sqrt{p_k(c)\, q_k(c)} \\
        \text{hellinger}     &= \Bigl(\tfrac1{2m} \sum_k \sum_c \bigl(\sqrt{p_k(c)} - \sqrt{q_k(c)}\bigr)^2\Bigr)^{1/2} \\
        \text{jeffreys}      &= \tfrac1{2m} \sum_k \sum_c (p_k(c) - q_k(c)) (\ln p_k(c) - \ln q_k(c)) \\
        \text{disagreement}  &= \text{share of samples whose likeliest class is another}

    The first, of Mao et al. (2024, PNAS 121, "The training process of many deep networks explores the same low-dimensional
    manifold"), and the third are squares of a length where networks are near: of both :math:`ds^2 / 8` and :math:`ds^2 / 2`
    in the Fisher-Rao metric. Hellinger's is a metric, at most 1. The first has no bound, and is infinite where two networks
    share no class.

    Args:
        predictions: Log-probabilities ``(n, m, c)``, as :func:`lossatlas.predictions` returns them; or several such, of other
            runs or other models, which are put one after the other.
        kind: Which distance.

    Raises:
        InputError: the parts are of other samples or classes, hold NaN, or are no log-probabilities.

    >>> sure, unsure = np.log([[[0.9, 0.1]]]), np.log([[[0.5, 0.5]]])
    >>> prediction_distances([sure, unsure]).round(4)
    array([[0.    , 0.1116],
           [0.1116, 0.    ]])
    """
    if kind not in get_args(PredictionKind):
        raise InputError(f"kind must be one of {', '.join(get_args(PredictionKind))}, but is {kind!r}; choose one of these")
    lp = _checked(predictions)
    match kind:
        case "bhattacharyya":
            return _bhattacharyya(lp)
        case "hellinger":
            return _of_roots(lp).euclidean
        case "jeffreys":
            return _jeffreys(lp)
        case "disagreement":
            return _disagreement(lp)


def prediction_pairwise(predictions: LogProbabilities | Parts) -> Pairwise:
    """Bhattacharyya distances as squares of lengths, for maps of predictions.

    They are squares of lengths where networks are near. Farther off their roots break the triangle inequality: for ways and
    angles see :func:`hellinger_pairwise`.

    Raises:
        InputError: as :func:`prediction_distances`; or two networks share no class, and are infinitely far.
    """
    D = prediction_distances(predictions)
    lost = np.argwhere(~np.isfinite(D))
    if len(lost):
        raise InputError(
            f"points {lost[0][0]} and {lost[0][1]} give no class in common any probability, so they are infinitely far; "
            "leave one out, or pass logarithms that are not -inf"
        )
    return Pairwise(D, np.zeros(len(D)), "none", 0)


def hellinger_pairwise(predictions: LogProbabilities | Parts) -> Pairwise:
    """Hellinger distances, which are Euclidean ones: what trajectories of predictions are measured by.

    Raises:
        InputError: as :func:`prediction_distances`.
    """
    return _of_roots(_checked(predictions))


def _checked(predictions: LogProbabilities | Parts) -> LogProbabilities:
    parts = [predictions] if isinstance(predictions, np.ndarray) else list(predictions)
    shapes = [np.shape(part) for part in parts]
    if not parts or any(len(shape) != 3 or shape[1:] != shapes[0][1:] or shape[2] < 2 for shape in shapes):
        came = ", ".join(map(str, shapes)) or "none"
        raise InputError(
            f"predictions must be log-probabilities (n, m, c) of the same m samples and 2 or more classes, but came as {came}; "
            "ask all networks about the same samples"
        )
    lp = np.concatenate(parts).astype(np.float64)
    bad = np.isnan(lp) | np.isposinf(lp)
    if bad.any():
        point = int(np.flatnonzero(bad.any(axis=(1, 2)))[0])
        raise InputError(not_finite(f"point {point}", int(bad[point].sum())))
    total = logsumexp(lp, axis=2, keepdims=True)
    if np.abs(total).max() > _ROUNDING:
        raise InputError("predictions must be logarithms of probabilities that add up to 1; pass the log_softmax of scores")
    return lp - total  # what float32 rounded away is no distance


def _of_roots(lp: LogProbabilities) -> Pairwise:
    """Hellinger distances are Euclidean ones of the roots of probabilities."""
    return pairwise(np.exp(lp / 2).reshape(len(lp), -1) / np.sqrt(2 * lp.shape[1]))


def _bhattacharyya(lp: LogProbabilities) -> Distances:
    n, m, _ = lp.shape
    roots = np.ascontiguousarray(np.exp(lp / 2).transpose(1, 0, 2))  # (m, n, c)
    D = np.empty((n, n))

    def rows(start: int, stop: int) -> None:
        for a in range(start, stop, _ROWS):
            b = min(a + _ROWS, stop)
            D[a:b, a:] = -_log_coefficients(roots, a, b) / m

    with workers() as pool:
        over_rows(pool, rows, n, triangle=True)
    upper = np.triu_indices(n, 1)
    values = D[upper]
    # What rounding leaves of a sum of 1: equal predictions are at distance 0.
    values[values < 4 * np.finfo(float).eps * np.sqrt(lp.shape[2])] = 0.0
    lost = np.flatnonzero(np.isinf(values))
    for pair in lost:  # beyond the range of float64, where logarithms are not
        i, j = upper[0][pair], upper[1][pair]
        values[pair] = -logsumexp((lp[i] + lp[j]) / 2, axis=1).mean()
    D = np.zeros((n, n))
    D[upper] = values
    return D + D.T


def _log_coefficients(roots: np.ndarray, a: int, b: int) -> np.ndarray:
    """Sum over samples of the logarithms of Bhattacharyya coefficients of rows ``a`` to ``b`` with all from ``a`` on."""
    m = len(roots)
    total = np.zeros((b - a, roots.shape[1] - a))
    with np.errstate(divide="ignore"):
        for k in range(0, m, _TOGETHER):
            some = roots[k : k + _TOGETHER]
            product = np.matmul(some[:, a:b], some[:, a:].transpose(0, 2, 1))
            total += np.log(product.prod(axis=0))
    return total


def _jeffreys(lp: LogProbabilities) -> Distances:
    if np.isneginf(lp).any():
        raise InputError("Jeffreys' divergence needs probabilities above 0; choose another kind, as 'hellinger'")
    n, m, _ = lp.shape
    p, flat = np.exp(lp).reshape(n, -1), lp.reshape(n, -1)
    cross = p @ flat.T
    own = np.diag(cross)
    D = (own + own[:, np.newaxis] - cross - cross.T) / (2 * m)
    np.fill_diagonal(D, 0.0)
    return np.maximum((D + D.T) / 2, 0.0)


def _disagreement(lp: LogProbabilities) -> Distances:
    n, m, c = lp.shape
    likeliest = (lp.argmax(axis=2)[..., np.newaxis] == np.arange(c)).reshape(n, -1).astype(np.float64)
    return 1 - likeliest @ likeliest.T / m
