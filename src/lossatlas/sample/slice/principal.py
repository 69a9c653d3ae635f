"""The plane that holds most of a trajectory: its principal components, and how far each point lies off it."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float

from lossatlas._arrays import InputError, Vector
from lossatlas.store import Run

# Bytes of a block of parameters in float64: the whole table of points is never in memory.
_BLOCK = 64 << 20


@dataclass(frozen=True, eq=False)
class Projected:
    """A run on the plane of its first two principal components, through its last point.

    Attributes:
        steps: Of the run's points, ``(n,)``.
        coordinates: Of their projections, ``(n, 2)``, in units of distance in weights; the last is the origin.
        off_plane: Distance of each from the plane, ``(n,)``: what the picture cannot show.
        explained: Share of the variance about the mean along each axis, ``(2,)``.
        explained_by_chance: The same for a random walk of as many steps in many dimensions, ``(2,)``: it too is mostly in two
            components (Antognini, Sohl-Dickstein 2018), so a high share is no finding.
        true_loss: Loss at the points themselves, ``(n,)``.
        drawn_loss: Loss at their projections, which the contours show, ``(n,)``.
    """

    steps: np.ndarray
    coordinates: Float[np.ndarray, "n 2"]
    off_plane: Vector
    explained: tuple[float, float]
    explained_by_chance: tuple[float, float]
    true_loss: Vector
    drawn_loss: Vector


@dataclass(frozen=True, eq=False)
class PrincipalPlane:
    """Axes of the plane, as unit directions, and where the run's points project to."""

    axes: tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]
    points: tuple[int, ...]  # of the run, those with finite weights
    coordinates: Float[np.ndarray, "n 2"]
    off_plane: Vector
    explained: tuple[float, float]


def principal_plane(run: Run) -> PrincipalPlane:
    r"""Return the first two principal components of a run's points, read in blocks of parameters.

    With rows :math:`x_k = \theta_k - \theta_n`, the components are eigenvectors of the covariance about the mean (Li et al. 2018,
    Section 7), found from the ``(n, n)`` Gram matrix; each point is drawn at its inner products with them, so that the last is
    the origin.

    Raises:
        InputError: fewer than three points with finite weights, or points on one line, span no plane.
    """
    diverged = set(run.diverged())
    points = [point for point in range(run.n_points) if point not in diverged]
    if len(points) < 3:
        raise InputError(f"run {run.name!r} has {len(points)} points with finite weights; a plane takes at least 3, record more")
    width = max(1, _BLOCK // (8 * len(points)))
    spans = [(start, min(start + width, run.n_parameters)) for start in range(0, run.n_parameters, width)]
    gram = np.zeros((len(points), len(points)))
    for start, stop in spans:
        x = run.block(start, stop, points)
        x -= x[-1].copy()
        gram += x @ x.T
    centre = np.eye(len(points)) - 1 / len(points)
    values, vectors = np.linalg.eigh(centre @ gram @ centre)
    values, vectors = values[::-1], vectors[:, ::-1]
    if values[1] <= 1e-10 * values[0]:
        raise InputError(f"the points of run {run.name!r} lie on one line, which spans no plane; use linear_path")
    # A component is a combination of the centred rows; its sign follows from where the run begins.
    weights = centre @ vectors[:, :2] / np.sqrt(values[:2])
    coordinates = gram @ weights
    signs = np.where(coordinates[0] < 0, -1.0, 1.0)
    weights, coordinates = weights * signs, coordinates * signs
    flat = np.concatenate([_rows(run, start, stop, points).T @ weights for start, stop in spans])
    # The diagonal of the Gram matrix is the squared distance from the last point; rounding may leave a little below 0.
    off_plane = np.sqrt(np.maximum(np.diagonal(gram) - np.square(coordinates).sum(axis=1), 0))
    share = values[:2] / values[values > 0].sum()
    axes = (_as_tensors(run, flat[:, 0]), _as_tensors(run, flat[:, 1]))
    return PrincipalPlane(axes, tuple(points), coordinates, off_plane, (float(share[0]), float(share[1])))


def chance_explained(n: int) -> tuple[float, float]:
    """Return the shares of variance of the first two components of a random walk of ``n`` points in many dimensions.

    In the limit of many dimensions its Gram matrix is that of its steps: entry ``(j, k)`` is ``min(j, k)``.

    >>> [round(share, 2) for share in chance_explained(2000)]
    [0.61, 0.15]
    """
    steps = np.arange(n, dtype=np.float64)
    centre = np.eye(n) - 1 / n
    values = np.linalg.eigvalsh(centre @ np.minimum(steps[:, None], steps) @ centre)[::-1]
    return float(values[0] / values.sum()), float(values[1] / values.sum())


def _rows(run: Run, start: int, stop: int, points: list[int]) -> np.ndarray:
    x = run.block(start, stop, points)
    return x - x[-1].copy()


def _as_tensors(run: Run, flat: np.ndarray) -> dict[str, torch.Tensor]:
    tensors = {}
    first = 0
    for entry in run.parameters:
        tensors[entry.name] = torch.from_numpy(flat[first : first + entry.size].reshape(entry.shape).copy())
        first += entry.size
    return tensors
