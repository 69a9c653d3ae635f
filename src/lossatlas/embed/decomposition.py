"""All eigenvalues of a symmetric matrix at once, and eigenvectors as few as are wanted."""

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int
from scipy.linalg import eigh_tridiagonal, eigvals_banded, lapack
from scipy.sparse import csc_array, csgraph, csr_array, eye_array
from scipy.sparse.linalg import ArpackError, LinearOperator, eigsh, splu

from lossatlas.distance.threads import workers

# Below so many rows the dense way takes no time.
_MANY = 500
# A band of less than this part of the rows is brought to three diagonals in less time than a full matrix.
_THIN = 1 / 20
# Up to this part of all, leading vectors take Lanczos' method less time than the reduction of the full matrix.
_LEADING = 1 / 12
_AGREEMENT = 1e-10  # of Lanczos' eigenvalues with those of the band


@runtime_checkable
class Decomposition(Protocol):
    """Eigenvalues, rising, and vectors of them on demand."""

    @property
    def values(self) -> Float[np.ndarray, " m"]:
        """All eigenvalues, rising."""
        ...

    def vectors(self, first: int, last: int) -> Float[np.ndarray, "m r"]:
        """Eigenvectors, in columns, of the eigenvalues ``first`` to ``last``, that one included."""
        ...


def decomposition(matrix: csr_array) -> Decomposition:
    """Decomposition of a symmetric matrix: as a band where its rows can be brought to one, as of points in trajectories."""
    m = matrix.shape[0]
    if m >= _MANY:
        order = csgraph.reverse_cuthill_mckee(matrix, symmetric_mode=True)
        band = _lower_band(matrix, order, most=int(_THIN * m))
        if band is not None:
            with workers():
                return Band(eigvals_banded(band, lower=True, overwrite_a_band=True, check_finite=False), matrix)
    return reduced(matrix.toarray())


def _lower_band(matrix: csr_array, order: Int[np.ndarray, " m"], *, most: int) -> Float[np.ndarray, "b m"] | None:
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    entries = matrix.tocoo()
    row, column = rank[entries.row], rank[entries.col]
    below = row >= column
    offset = row[below] - column[below]
    width = int(offset.max(initial=0))
    if width > most:
        return None
    # Columns a multiple of 16 numbers apart would meet in the same places of the cache, and take twice as long.
    band = np.zeros((width + 1 + (width % 16 == 15), len(order)))
    band[offset, column[below]] = entries.data[below]
    return band


@dataclass(frozen=True, eq=False)
class Band:
    """A sparse matrix whose eigenvalues are known from its band."""

    values: Float[np.ndarray, " m"]
    matrix: csr_array

    def vectors(self, first: int, last: int) -> Float[np.ndarray, "m r"]:
        """Eigenvectors, in columns, of the eigenvalues ``first`` to ``last``, that one included.

        The largest few by Lanczos' method on the inverse (Lehoucq, Sorensen & Yang 1998), which has to find the eigenvalues
        that are known; all others from the full matrix.
        """
        m = len(self.values)
        if last == m - 1 and last - first < _LEADING * m:
            found = self._leading(m - first)
            if found is not None:
                return found
        return self._full.vectors(first, last)

    @cached_property
    def _full(self) -> "Tridiagonal":
        return reduced(self.matrix.toarray())

    def _leading(self, count: int) -> Float[np.ndarray, "m r"] | None:
        m, size = len(self.values), np.abs(self.values).max()
        beyond = self.values[-1] + 0.01 * size
        with workers():
            factors = splu(
                csc_array(beyond * eye_array(m) - self.matrix), permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True}
            )
            inverse = LinearOperator((m, m), matvec=lambda vector: -factors.solve(vector), dtype=np.float64)
            start = np.random.default_rng(0).standard_normal(m)  # fixed, without a random state
            try:
                values, vectors = eigsh(self.matrix, k=count, sigma=beyond, OPinv=inverse, v0=start, ncv=min(m, 2 * count + 20))
            except ArpackError:
                return None
        order = np.argsort(values)
        # A vector alone finds equal eigenvalues by rounding, if at all.
        if np.abs(values[order] - self.values[-count:]).max() > _AGREEMENT * size:
            return None
        return vectors[:, order]


@dataclass(frozen=True, eq=False)
class Tridiagonal:
    """A full matrix brought to three diagonals."""

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


def reduced(matrix: Float[np.ndarray, "m m"]) -> Tridiagonal:
    """Decomposition of a full symmetric matrix, which is written over.

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
    return Tridiagonal(values, diagonal, beside, reflectors, factors)
