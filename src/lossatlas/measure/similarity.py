"""How alike two networks' layers are, whatever their width, order of units and scale."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from lossatlas._arrays import Distances, InputError


def cka(x: Float[np.ndarray, "m d"], y: Float[np.ndarray, "m e"]) -> float:
    r"""Linear centred kernel alignment of two layers' features of the same samples, from 0 to 1.

    .. math:: \frac{\lVert Y^T X \rVert_F^2}{\lVert X^T X \rVert_F\, \lVert Y^T Y \rVert_F}

    with both centred over the samples (Kornblith et al. 2019, ICML, Section 3). Rotations, permutations and one scale of the
    features leave it; with fewer samples than features it is near 1 for any two layers, noise too.

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
    """:func:`cka` of all pairs of layers, ``(n, n)``: as many samples squared in memory a layer, whatever its width.

    Raises:
        InputError: as :func:`cka`.
    """
    kernels = [_centred_kernel(np.asarray(layer, dtype=np.float64), number) for number, layer in enumerate(layers)]
    if any(len(kernel) != len(kernels[0]) for kernel in kernels):
        counts = ", ".join(dict.fromkeys(str(len(kernel)) for kernel in kernels))
        raise InputError(f"layers must be asked about the same samples, but there are {counts}; pass as many rows")
    flat = np.stack([kernel.ravel() / np.linalg.norm(kernel) for kernel in kernels])
    return np.clip(flat @ flat.T, 0.0, 1.0)


def _centred_kernel(features: np.ndarray, number: int) -> np.ndarray:
    if features.ndim != 2 or len(features) < 2:
        raise InputError(f"layer {number} must be features (m, d) of 2 samples or more, but its shape is {features.shape}")
    if not np.isfinite(features).all():
        raise InputError(f"layer {number} has features that are NaN or infinite; leave that network out")
    centred = features - features.mean(axis=0)
    kernel = centred @ centred.T
    if not np.linalg.norm(centred) > 1e-12 * np.linalg.norm(features):
        raise InputError(f"layer {number} gives all samples the same, so nothing can be aligned with it; name another layer")
    return kernel
