"""Leading eigenvectors of a symmetric matrix that is known by its products alone."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from jaxtyping import Float

Vectors: TypeAlias = Float[np.ndarray, "k n"]  # rows
Product: TypeAlias = Callable[[Vectors], Vectors]

# A residual of this part of the largest eigenvalue: an eigenvector is right to it over the relative gap to the next.
_RESIDUAL = 1e-12
# Products before giving up; potential distances of 2,000 points take 5 to 20.
_LIMIT = 40
# Vectors beyond those asked for cost little beside reading the matrix, and save reading it again.
_SPARE = 2


def leading_eigenpairs(product: Product, n: int, *, count: int) -> tuple[Float[np.ndarray, " k"], Vectors] | None:
    """Largest eigenvalues, falling, with their eigenvectors as rows; None where they do not show in 40 products.

    Block Lanczos with every vector kept and orthogonal to all (Golub & Van Loan, Matrix Computations, 10.3.6), from a fixed
    start. Blocks find equal eigenvalues together. Largest, not largest in size: there may be some far below 0.
    """
    # A fixed start without a random state; no structure of data is orthogonal to it.
    block = np.random.default_rng(0).standard_normal((count + _SPARE, n))
    basis, images = np.empty((0, n)), np.empty((0, n))
    for _ in range(_LIMIT):
        block = _orthonormal(block, basis)
        basis, images = np.vstack([basis, block]), np.vstack([images, product(block)])
        small = basis @ images.T
        values, mixes = np.linalg.eigh((small + small.T) / 2)
        values, mixes = values[: -count - 1 : -1], mixes[:, : -count - 1 : -1].T
        vectors = mixes @ basis
        residual = np.linalg.norm(mixes @ images - values[:, np.newaxis] * vectors, axis=1)
        if len(values) == count and residual.max() <= _RESIDUAL * np.abs(values).max():
            return values, vectors
        block = images[-len(block) :]
        if len(basis) + len(block) > n // 2:
            return None
    return None


def _orthonormal(block: Vectors, basis: Float[np.ndarray, "m n"]) -> Vectors:
    # Twice is enough (Kahan, Parlett): what rounding leaves along the basis after one round is gone after the next.
    for _ in range(2):
        block = block - (block @ basis.T) @ basis
        # Vectors that the basis holds already come out as noise, which the next round makes orthogonal to it again.
        block = np.linalg.qr(block.T)[0].T
    return block
