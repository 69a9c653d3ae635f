"""How long the walk goes: the knee of its entropy over the logarithm of time."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.optimize import brentq

from lossatlas._arrays import InputError, Vector

# Nats by which the entropy may be off: leaving out 5 % of the points takes 0.05 from ln n, and its shape moves by as much.
_TOLERANCE = 0.1
_N_TIMES = 200
# The curve is shown well past the knee, so that the eye can judge it.
_PAST_THE_KNEE = 10


@dataclass(frozen=True, kw_only=True, eq=False)
class DiffusionTime:
    """Steps of the walk, and how sharply the entropy says so."""

    t: int  # the knee, rounded to whole steps
    knee: float  # at least 1, at most n²
    shortest: float  # the knee if the entropy were 0.1 nats less
    longest: float  # the knee if the entropy were 0.1 nats more
    times: Float[np.ndarray, " t"]  # from 1 to past the knee, in geometric steps
    entropy: Float[np.ndarray, " t"]  # in nats, at `times`


def diffusion_time(eigenvalues: Vector) -> DiffusionTime:
    r"""Time at which the directions that the walk still tells apart are as few as the places that it spreads over.

    .. math:: H(t) = \ln \sqrt t, \qquad H(t) = -\sum_i p_i \ln p_i, \quad p_i = |\lambda_i|^t / \sum_j |\lambda_j|^t

    The entropy only falls and :math:`\ln \sqrt t`, the spread of a random walk, only rises: they meet once, at the point of
    the curve over :math:`\ln \sqrt t` that is nearest to the corner of no steps and no entropy, by the larger coordinate.
    No window is chosen, and an entropy that is off by h moves :math:`\ln t` by 2 h at most.

    The entropy is that of Moon et al. 2019, Methods; their knee of two lines over t = 1 to 100 is where its window puts it,
    because the entropy of a cloud of any dimension d falls as :math:`-\tfrac d2 \ln t`, which has no knee over t.

    Args:
        eigenvalues: Of the diffusion operator, in any order; they count by their size, and by their ratios alone.

    Raises:
        InputError: an eigenvalue is NaN or infinite, or there is none other than 0.

    >>> diffusion_time(np.ones(4)).t  # the entropy is ln 4 for ever
    16
    >>> diffusion_time(np.array([1.0, 0.0, 0.0])).t  # all is forgotten at the first step
    1
    """
    if not np.isfinite(eigenvalues).all():
        raise InputError("eigenvalues must be finite, but some are NaN or infinite; pass those of a diffusion operator")
    sizes = np.abs(eigenvalues)
    if not sizes.any():
        raise InputError("eigenvalues must not all be 0; pass those of a diffusion operator, whose largest is 1")
    # What is 0 after one step is 0 after any.
    logs = np.log(sizes[sizes > 0] / sizes.max())
    knee = _meeting(logs)
    times = np.geomspace(1.0, _PAST_THE_KNEE * knee, _N_TIMES)
    return DiffusionTime(
        t=round(knee),
        knee=knee,
        shortest=_meeting(logs, more=-_TOLERANCE),
        longest=_meeting(logs, more=_TOLERANCE),
        times=times,
        entropy=np.array([_entropy(logs, t) for t in times]),
    )


def _entropy(logs: Vector, t: float) -> float:
    """Entropy of the shares exp(t logs) / Z, as ln Z minus the mean of t logs: no logarithm of a small share."""
    weights = np.exp(t * logs)
    total = weights.sum()
    return float(np.log(total) - t * (weights @ logs) / total)


def _meeting(logs: Vector, *, more: float = 0.0) -> float:
    """Time at which the entropy, and ``more``, is ln √t; 1 if it is less from the start."""

    def above(log_t: float) -> float:
        return _entropy(logs, np.exp(log_t)) + more - log_t / 2

    if above(0.0) <= 0:
        return 1.0
    # No entropy is above ln n. One more, so that rounding cannot lift the end above 0.
    latest = 2 * (np.log(len(logs)) + more) + 1
    return float(np.exp(brentq(above, 0.0, latest, xtol=1e-12)))
