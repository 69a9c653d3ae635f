"""Affinities become a potential: the walk, its spectrum, how far it goes, and what is left of it."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from array_api_compat import array_namespace, is_numpy_namespace
from jaxtyping import Float
from scipy.sparse import csr_array, diags_array, issparse

from lossatlas._arrays import Array, InputError, Vector
from lossatlas._device import Namespace
from lossatlas.embed.decomposition import Decomposition, decomposition

# Added to a probability before its logarithm, so that a place never reached is finite: -ln(1e-7) = 16.1.
_FLOOR = 1e-7
T_MAX = 100
# What an eigenvalue's power may be without being forgotten.
_FORGOTTEN = 1e-17
# Of so few places squares are as quick, and keep the digits of the smallest probability.
_FEW = 256
# A power with more entries than this share of all is faster, and smaller, as a dense matrix.
_DENSE = 0.05


@dataclass(frozen=True, eq=False)
class Walk:
    r"""A reversible random walk :math:`P = D^{-1/2} S D^{1/2}`, kept as the symmetric S, which has the eigenvalues of P."""

    symmetric: csr_array  # (m, m)
    root: Vector  # (m,): square root of each place's degree D


@dataclass(frozen=True, eq=False)
class Lasting:
    """Eigenvalues of a walk that are not forgotten after some steps, and their vectors in columns."""

    values: Float[np.ndarray, " r"]
    vectors: Float[np.ndarray, "m r"]


def random_walk(affinities: csr_array) -> Walk:
    r"""Walk that steps from i to j with probability :math:`P_{ij} = K_{ij} / \sum_k K_{ik}` (Moon et al. 2019, Methods)."""
    root = np.sqrt(affinities.sum(axis=1))
    inverse = diags_array(1 / root)
    return Walk((inverse @ affinities @ inverse).tocsr(), root)


def diffusion_operator(affinities: csr_array) -> Float[np.ndarray, "n n"]:
    r"""Probabilities of one step of the walk, :math:`P_{ij} = K_{ij} / \sum_k K_{ik}` (Moon et al. 2019, Methods)."""
    return (diags_array(1 / affinities.sum(axis=1)) @ affinities).toarray()


def decomposed(walk: Walk) -> Decomposition:
    """Eigenvalues of the walk's operator, which are those of the symmetric S, and what their vectors are made from."""
    return decomposition(walk.symmetric)


def spectrum(walk: Walk, *, of: Literal["eigenvalues", "singular values"] = "eigenvalues") -> Vector:
    r"""Magnitudes of the eigenvalues, or of the singular values, of the walk's operator, in falling order.

    P is similar to the symmetric S, so its eigenvalues are real and cost a fraction of a singular value decomposition. The
    releases of PHATE take singular values, which for a P that is not symmetric differ.
    """
    if of == "singular values":
        return np.linalg.svd(_rescaled(walk.symmetric.toarray(), walk.root), compute_uv=False)
    return np.sort(np.abs(decomposed(walk).values))[::-1]


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


def transitions(
    walk: Walk, *, t: int, left: Lasting | None = None, xp: Namespace = np, device: str = "cpu"
) -> Float[Array, "m m"]:
    r"""Probabilities :math:`P^t` of being at j after ``t`` steps from i.

    By repeated squaring of S, sparse while it is: a square of a symmetric matrix is half the work of a product, and one of the
    lone steps between squares is a product with the sparse S; every probability, however small, keeps its digits. Or, of
    many places after many steps, by the eigenvectors that are left then, which :func:`lasting` has where that is less work:
    :math:`V \Lambda^t V^T` is right to 1e-14, far below the floor of 1e-7 that a potential adds.

    Args:
        walk: The walk.
        t: Steps.
        left: Eigenvalues and vectors that last, if squares are more work.
        xp: Namespace of the arrays: NumPy, or torch through array-api-compat.
        device: Where the product is computed.

    Raises:
        InputError: ``t`` is not a whole number from 1 on.
    """
    if t < 1:
        raise InputError(f"t must be 1 or more, but is {t}; pass t='auto' to choose it")
    here = is_numpy_namespace(xp)
    if here and left is not None:
        return _rescaled(_by_eigenvectors(left, t), walk.root)
    single = walk.symmetric if here else xp.asarray(walk.symmetric.toarray(), device=device)
    power = single
    for bit in f"{t:b}"[1:]:
        power = _square(power)
        if bit == "1":
            power = single @ power
    dense = power.toarray() if issparse(power) else power
    return _rescaled(dense, walk.root if here else xp.asarray(walk.root, device=device))


def lasting(known: Decomposition, *, t: int) -> Lasting | None:
    """What is left of a walk after ``t`` steps, as eigenvalues and vectors; None where squares are less work."""
    m = len(known.values)
    kept = np.flatnonzero(np.abs(known.values) ** t > _FORGOTTEN)
    # Multiplications: 4 m² for each vector, to make it and to use it; m³ for each square but the first, which are sparse.
    if m < _FEW or 4 * len(kept) > m * max(t.bit_length() - 3, 0):
        return None
    # Of the negative eigenvalues, which stand first, some may last as well.
    runs = np.split(kept, np.flatnonzero(np.diff(kept) > 1) + 1)
    return Lasting(known.values[kept], np.hstack([known.vectors(int(run[0]), int(run[-1])) for run in runs]))


def _by_eigenvectors(left: Lasting, t: int) -> Float[np.ndarray, "m m"]:
    m = len(left.vectors)
    power = np.empty((m, m))  # first: it fits where the decomposition was, before a smaller array takes part of that
    np.matmul(left.vectors * left.values**t, left.vectors.T, out=power)
    return np.maximum(power, 0.0, out=power)


def _square(power: Array) -> Array:
    if not issparse(power):
        return power @ power.T  # symmetric, and so written the product is the symmetric routine's
    if power.nnz > _DENSE * power.shape[0] ** 2:
        return _square(power.toarray())
    return (power @ power).tocsr()


def _rescaled(dense: Array, root: Array) -> Array:
    dense *= root
    dense /= root[:, None]
    return dense


def potential(
    transitions: Float[Array, "m m"], *, gamma: float = 1.0, out: Float[Array, "m m"] | None = None
) -> Float[Array, "m m"]:
    r"""Potential of a walk; distances between its rows are what the map shows.

    .. math:: U = -\ln(P^t + 10^{-7}) \text{ for } \gamma = 1, \qquad U = \frac{(P^t)^c}{c},\ c = \frac{1 - \gamma}{2}

    with :math:`U = P^t` at gamma = -1 (Moon et al. 2019, Methods). ``out`` may be ``transitions`` itself, where memory counts.

    Raises:
        InputError: ``gamma`` is not from -1 to 1.
    """
    refuse_gamma(gamma)
    xp = array_namespace(transitions)
    if out is None:
        out = xp.empty_like(transitions)
    if gamma == 1:
        xp.add(transitions, _FLOOR, out=out)
        xp.log(out, out=out)
        return xp.negative(out, out=out)
    c = _exponent(gamma)
    xp.pow(transitions, c, out=out)
    return xp.divide(out, c, out=out)


def reached(potential: Float[np.ndarray, "m m"], *, gamma: float) -> Float[np.ndarray, "m m"]:
    """Probabilities of which ``potential`` was made: its inverse, so that another gamma starts from there."""
    if gamma == 1:
        return np.maximum(np.exp(-potential) - _FLOOR, 0.0)
    c = _exponent(gamma)
    return (c * potential) ** (1 / c)


def refuse_gamma(gamma: float) -> None:
    """Refuse a gamma for which there is no potential."""
    if not -1 <= gamma <= 1:
        raise InputError(f"gamma must be from -1 to 1, but is {gamma}; 1 takes the logarithm, 0 the square root")


def _exponent(gamma: float) -> float:
    return (1 - min(gamma, 0.99)) / 2  # nearer to 1 the formula overflows; PHATE stops at 0.99 too
