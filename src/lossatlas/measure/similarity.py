"""How alike two networks' layers are, whatever their width, order of units and scale."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from jaxtyping import Float

from lossatlas._arrays import Distances, InputError


def cka(x: Float[np.ndarray, "m d"], y: Float[np.ndarray, "m e"]) -> float:
    r"""Linear centred kernel alignment of two layers' features of the same samples, from 0 to 1.

    .. math:: \frac{\lVert Y^T X \rVert_F^2}{\lVert X^T X \rVert_F\, \lVert Y^T Y \rVert_F}

    with both centred over the samples (Kornblith et al. 2019, ICML, Section 3). Rotations, permutations and one scale of the
    features leave it. Of noise it is some d / (d + m), near 1 where features outnumber samples: take many more samples.

    Args:
        x: Features ``(m, d)`` of m samples.
        y: Features ``(m, e)`` of the same samples.

    Raises:
        InputError: the samples differ in number, values are not finite, or a layer gives all samples the same.

    >>> x = np.random.default_rng(0).normal(size=(50, 4))
    >>> round(cka(x, 3 * x[:, ::-1] + 1), 12)
    1.0
    """
    return float(ckas([x, y])[0, 1])


def ckas(layers: Sequence[Float[np.ndarray, "m _"]]) -> Distances:
    """:func:`cka` of all pairs of layers, ``(n, n)``.

    Raises:
        InputError: there is no layer, or as :func:`cka`.
    """
    if not layers:
        raise InputError("there is no layer to compare; pass features (m, d) of at least one")
    centred = [_centred(np.asarray(layer, dtype=np.float64), number) for number, layer in enumerate(layers)]
    if any(len(one) != len(centred[0]) for one in centred):
        counts = ", ".join(dict.fromkeys(str(len(one)) for one in centred))
        raise InputError(f"layers must be asked about the same samples, but there are {counts}; pass as many rows")
    norms = [np.sqrt(_alignment(one, one)) for one in centred]
    table = np.eye(len(centred))
    for i, j in combinations(range(len(centred)), 2):
        table[i, j] = table[j, i] = min(_alignment(centred[i], centred[j]) / (norms[i] * norms[j]), 1.0)
    return table


def _alignment(x: np.ndarray, y: np.ndarray) -> float:
    """Squared size of YᵀX, by the smaller tables: of features, or of samples where those are fewer."""
    if min(x.shape[1], y.shape[1]) <= len(x):
        return float(np.square(y.T @ x).sum())
    return float(np.sum((x @ x.T) * (y @ y.T)))


def _centred(features: np.ndarray, number: int) -> np.ndarray:
    if features.ndim != 2 or len(features) < 2:
        raise InputError(f"layer {number} must be features (m, d) of 2 samples or more, but its shape is {features.shape}")
    if not np.isfinite(features).all():
        raise InputError(f"layer {number} has features that are NaN or infinite; leave that network out")
    centred = features - features.mean(axis=0)
    if is_constant(features):
        raise InputError(f"layer {number} gives all samples the same, so nothing can be aligned with it; name another layer")
    return centred


def is_constant(features: Float[np.ndarray, "m d"]) -> bool:
    """Whether a layer gives all samples the same, as a dead one does."""
    centred = features - features.mean(axis=0, dtype=np.float64)
    return not np.linalg.norm(centred) > 1e-6 * np.linalg.norm(features)
