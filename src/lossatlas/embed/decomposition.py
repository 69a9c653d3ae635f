"""A symmetric matrix brought to three diagonals once: all eigenvalues at once, eigenvectors as few as are wanted."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.linalg import eigh_tridiagonal, lapack

from lossatlas.distance.threads import workers


@dataclass(frozen=True, eq=False)
class Decomposition:
    """Eigenvalues, rising, and what their vectors are made from."""

    values: Float[np.ndarray, " m"]
    diagonal: Float[np.ndarray, " m"]
    beside: Float[np.ndarray, " m-1"]
    reflectors: Float[np.ndarray, "m m"]  # below the second diagonal
    factors: Float[np.ndarray, " m-1"]

    def vectors(self, first: int, last: int) -> Float[np.ndarray, "m r"]:
        """Eigenvectors, in columns, of the eigenvalues ``first`` to ``last``, that one included."""
        with workers():
            found = self._tridiagonal_vectors(first, last)
            m, below = len(found), np.asfortranarray(found[1:])
            # Rows 1 on, as one stretch of memory that begins one number later: no copy. The last row is not looked at.
            reflectors = self.reflectors.ravel(order="K")[1 : 1 + m * (m - 1)].reshape((m, m - 1), order="F")
            _, work, _ = lapack.dormqr("L", "N", reflectors, self.factors, below, -1)
            found[1:], _, info = lapack.dormqr("L", "N", reflectors, self.factors, below, int(work[0]), overwrite_c=1)
        if info:
            raise np.linalg.LinAlgError(f"dormqr ended with {info}")
        return found

    def _tridiagonal_vectors(self, first: int, last: int) -> Float[np.ndarray, "m r"]:
        # By inverse iteration, which makes room for no vectors but those asked for.
        m, size = len(self.diagonal), np.abs(self.diagonal)
        if not (np.abs(self.beside) <= np.finfo(float).eps * np.sqrt(size[1:] * size[:-1])).any():
            one_block, its_end = np.ones(m, dtype=np.int32), np.full(m, m, dtype=np.int32)
            found, info = lapack.dstein(self.diagonal, self.beside, self.values[first : last + 1], one_block, its_end)
            if info == 0:
                return found
        # A matrix that falls apart: bisection tells the eigenvalues of its parts from each other, and costs as much again.
        return eigh_tridiagonal(
            self.diagonal, self.beside, select="i", select_range=(first, last), lapack_driver="stebz", check_finite=False
        )[1]


def decomposition(matrix: Float[np.ndarray, "m m"]) -> Decomposition:
    """Decomposition of a symmetric matrix, which is written over.

    The reduction to three diagonals is bound by memory, and its many short steps wait for each other's threads for long
    where the machine has other work: the BLAS works in one thread.
    """
    m = len(matrix)
    work, _ = lapack.dsytrd_lwork(m, lower=1)
    with workers():
        reflectors, diagonal, beside, factors, info = lapack.dsytrd(matrix.T, lower=1, lwork=int(work), overwrite_a=1)
    if info:
        raise np.linalg.LinAlgError(f"dsytrd ended with {info}")
    values = eigh_tridiagonal(diagonal, beside, eigvals_only=True, lapack_driver="sterf", check_finite=False)
    return Decomposition(values, diagonal, beside, reflectors, factors)
