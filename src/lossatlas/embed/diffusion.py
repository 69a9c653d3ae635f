"""Affinities become a potential: the walk, how long it goes, and what is left of it."""

from typing import Literal

import numpy as np
from jaxtyping import Float

from lossatlas._arrays import Affinities, InputError, Vector

# Added to a probability before its logarithm, so that a place never reached is finite: -ln(1e-7) = 16.1.
_FLOOR = 1e-7
T_MAX = 100


def diffusion_operator(affinities: Affinities) -> Float[np.ndarray, "n n"]:
    r"""Probabilities of one step of a random walk, :math:`P_{ij} = K_{ij} / \sum_k K_{ik}` (Moon et al. 2019, Methods)."""
    return affinities / affinities.sum(axis=1, keepdims=True)


def spectrum(affinities: Affinities, *, of: Literal["eigenvalues", "singular values"] = "eigenvalues") -> Vector:
    r"""Magnitudes of the eigenvalues, or of the singular values, of the diffusion operator, in falling order.

    P is similar to the symmetric :math:`D^{-1/2} K D^{-1/2}`, so its eigenvalues are real and cost a fraction of a
    singular value decomposition. The releases of PHATE take singular values, which for a P that is not symmetric differ.
    """
    if of == "singular values":
        return np.linalg.svd(diffusion_operator(affinities), compute_uv=False)
    root = np.sqrt(affinities.sum(axis=1))
    return np.sort(np.abs(np.linalg.eigvalsh(affinities / np.multiply.outer(root, root))))[::-1]


def spectral_entropy(spectrum: Vector, *, t_max: int = T_MAX) -> Float[np.ndarray, " t"]:
    r"""Entropy in nats of the spectrum raised to the powers 1 to ``t_max``: how many directions the walk still tells apart.

    .. math:: H(t) = -\sum_i p_i \ln p_i, \qquad p_i = |\lambda_i|^t / \sum_j |\lambda_j|^t

    The von Neumann entropy of Moon et al. 2019, Methods.

    >>> round(float(spectral_entropy(np.array([1.0, 1.0, 0.0]), t_max=1)[0]), 6)
    0.693147
    """
    powers = np.power.outer(spectrum, np.arange(1, t_max + 1))
    p = powers / powers.sum(axis=0) + np.finfo(float).eps
    return -(p * np.log(p)).sum(axis=0)


def knee(curve: Vector, *, lead: int = 0) -> int:
    r"""Position of the knee of a falling curve: where two straight lines, one on each side, fit it best.

    Each candidate belongs to both lines, which are fitted by least squares; the sum of absolute residuals is least at the
    knee. A curve of fewer than three values has its knee at 0.

    Args:
        curve: Values at equal distances.
        lead: Values before the candidate that the second line is fitted to as well, though not judged by. PHATE's releases
            take 1.

    >>> knee(np.array([4.0, 2.0, 0.0, -0.1, -0.2, -0.3]))
    2
    """
    n = len(curve)
    if n < 3:
        return 0
    places = np.arange(n, dtype=float)
    residuals = []
    for k in range(1, n - 1):
        first = max(k - lead, 0)
        left = _line_residuals(places[: k + 1], curve[: k + 1])
        right = _line_residuals(places[first:], curve[first:])[k - first :]
        residuals.append(left.sum() + right.sum())
    return 1 + int(np.argmin(residuals))


def _line_residuals(x: Vector, y: Vector) -> Vector:
    x, y = x - x.mean(), y - y.mean()
    return np.abs(y - x * (x @ y) / (x @ x))


def potential(operator: Float[np.ndarray, "n n"], *, t: int, gamma: float = 1.0) -> Float[np.ndarray, "n n"]:
    r"""Potential of the walk after ``t`` steps; distances between its rows are what the map shows.

    .. math:: U = -\ln(P^t + 10^{-7}) \text{ for } \gamma = 1, \qquad U = \frac{(P^t)^c}{c},\ c = \frac{1 - \gamma}{2}

    with :math:`U = P^t` at gamma = -1 (Moon et al. 2019, Methods). Powers are by repeated squaring, which keeps
    probabilities from falling below 0 as sums over eigenvectors may.

    Raises:
        InputError: ``t`` is not a whole number from 1 on, or ``gamma`` not from -1 to 1.
    """
    if not -1 <= gamma <= 1:
        raise InputError(f"gamma must be from -1 to 1, but is {gamma}; 1 takes the logarithm, 0 the square root")
    if t < 1:
        raise InputError(f"t must be 1 or more, but is {t}; pass t='auto' to choose it")
    power = np.linalg.matrix_power(operator, t)
    if gamma == 1:
        return -np.log(power + _FLOOR)
    c = (1 - min(gamma, 0.99)) / 2  # nearer to 1 the formula overflows; PHATE stops at 0.99 too
    return power**c / c
