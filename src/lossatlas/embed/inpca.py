"""InPCA: principal coordinates of a divergence, with the axes along which it is imaginary."""

from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Bool, Float
from scipy.sparse.linalg import eigsh

from lossatlas._arrays import Distances, InputError, checked_distances
from lossatlas.embed.baselines import BaselineSettings
from lossatlas.embed.embedding import Embedding, Other, Pairs, paired
from lossatlas.embed.scaling import stress, upright

# Up to so many points all eigenvalues are as cheap as some.
_DENSE = 1000


@dataclass(frozen=True, kw_only=True, eq=False)
class InPCAEmbedding(Embedding):
    """A map whose axes are real or imaginary.

    Attributes:
        eigenvalues: Of each axis, the largest in size first, ``(d,)``; below 0 it is imaginary.
        explained: How much of the divergence the first axes hold, ``(d,)``: 1 is all; see :func:`inpca`.
    """

    eigenvalues: Float[np.ndarray, " d"]
    explained: Float[np.ndarray, " d"] = field(repr=False)

    @property
    def is_imaginary(self) -> Bool[np.ndarray, " d"]:
        """Along which axes being apart makes points nearer, ``(d,)``."""
        return self.eigenvalues < 0

    def align_to(self, other: "Embedding | Other", *, rows: Pairs | None = None) -> "InPCAEmbedding":
        """Return this map mirrored along its axes, and shifted, onto another; it is not turned.

        A rotation would mix real axes with imaginary ones.

        Args:
            other: The map to lie upon.
            rows: As for :meth:`Embedding.align_to`.
        """
        there = other.coordinates if isinstance(other, Embedding) else np.asarray(other, dtype=np.float64)
        x, y = paired(self.coordinates, there, rows=rows)
        products = ((x - x.mean(axis=0)) * (y - y.mean(axis=0))).sum(axis=0)
        signs = np.where(products < 0, -1.0, 1.0)
        return replace(self, coordinates=(self.coordinates - x.mean(axis=0)) * signs + y.mean(axis=0))

    def squared_distances(self) -> Distances:
        r"""What the axes say of the divergence: :math:`\sum_a \operatorname{sign}(\lambda_a) (x_{ia} - x_{ja})^2`."""
        x = self.coordinates
        signs = np.where(self.is_imaginary, -1.0, 1.0)
        own = (x * x) @ signs
        return own + own[:, np.newaxis] - 2 * (x * signs) @ x.T


def inpca(distances: Distances, *, n_components: int = 2) -> InPCAEmbedding:
    r"""Draw a divergence by the axes that hold most of it, be they real or imaginary.

    .. math:: W = -\tfrac12 J D J = V \Lambda V^T, \qquad x_a = v_a \sqrt{|\lambda_a|}

    with D as it is, which stands for squared lengths, and axes in the order of :math:`|\lambda|`. The first k hold

    .. math:: 1 - \Bigl(1 - \sum_{a \le k} \lambda_a^2 / \lVert W \rVert_F^2\Bigr)^{1/2}

    of it (Quinn et al. 2019, PNAS 116, "Visualizing probabilistic models with intensive principal component analysis"; Mao et
    al. 2024). Where the lengths :math:`\sqrt D` are those of no points in a space, some axes are imaginary; a map that hides
    these draws points apart that are near. The stress is of the picture, which draws all axes alike, against :math:`\sqrt D`.

    Args:
        distances: The divergence, ``(n, n)``, as :func:`prediction_distances` returns it.
        n_components: Number of axes.

    Raises:
        InputError: the distances are no symmetric matrix of finite numbers, or there are fewer points than axes.

    >>> D = np.array([[0.0, 1.0, 1.0], [1.0, 0.0, 9.0], [1.0, 9.0, 0.0]])  # √9 from 1 to 2, and 1 + 1 by way of 0
    >>> drawn = inpca(D)
    >>> drawn.is_imaginary, drawn.explained.round(3)
    (array([False,  True]), array([0.818, 1.   ]))
    """
    D = checked_distances(distances)
    n = len(D)
    if not 1 <= n_components <= n:
        raise InputError(f"n_components must be from 1 to the {n} points, but is {n_components}; a map has 2")
    means = D.mean(axis=0)
    W = (means + means[:, np.newaxis] - D - means.mean()) / 2
    values, vectors = _largest(W, n_components)
    coordinates = upright(vectors * np.sqrt(np.abs(values)))
    whole = float(np.square(W).sum())
    left = 1 - np.cumsum(values**2) / whole if whole else np.zeros(n_components)
    explained = 1 - np.sqrt(np.maximum(left, 0.0))
    diagnostics = {f"eigenvalue_{k + 1}": float(value) for k, value in enumerate(values)}
    diagnostics |= {f"explained_{k + 1}": float(share) for k, share in enumerate(explained)}
    return InPCAEmbedding(
        method="inpca",
        coordinates=coordinates,
        stress=stress(np.sqrt(D), coordinates),
        settings=BaselineSettings(metric="precomputed", origin="none", n_components=n_components),
        diagnostics=diagnostics,
        eigenvalues=values,
        explained=explained,
    )


def _largest(W: Distances, count: int) -> tuple[Float[np.ndarray, " d"], Float[np.ndarray, "n d"]]:
    """Eigenvalues of a symmetric matrix that are largest in size, with their vectors."""
    n = len(W)
    if not W.any():  # all points are one: there is no largest axis, nor a first vector for an iteration
        return np.zeros(count), np.zeros((n, count))
    if n <= _DENSE or count > n // 10:
        values, vectors = np.linalg.eigh(W)
    else:
        values, vectors = eigsh(W, k=count, which="LM", v0=np.random.default_rng(0).standard_normal(n), tol=1e-12)
    order = np.argsort(-np.abs(values), kind="stable")[:count]
    return values[order], vectors[:, order]
