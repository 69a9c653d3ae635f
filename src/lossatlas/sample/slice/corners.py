"""The loss between three points, on their triangle, and between four, on a bilinear square."""

import os
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from lossatlas._arrays import Vector
from lossatlas.sample.slice.grid import checked_count, coarse_to_fine
from lossatlas.sample.slice.losses import Losses, Progress, losses
from lossatlas.sample.slice.middle import middle
from lossatlas.sample.slice.picture import Picture
from lossatlas.sample.slice.settings import SliceSettings
from lossatlas.sample.start import Start, start_tensors
from lossatlas.sample.task import Task


@dataclass(frozen=True, eq=False)
class LossTriangle(Picture):
    """The loss at the points of a lattice over a triangle of three weight vectors.

    Attributes:
        weights: Barycentric coordinates of the ``n`` points, ``(n, 3)``; the rows sum to 1.
        positions: Where they lie, ``(n, 2)``: in the plane of the triangle, in units of distance in weights, so that its sides
            are as long as the distances between its corners.
        corners: Positions of the corners, ``(3, 2)``: the first at the origin, the second on the first axis.
        loss: At the points, ``(n,)``.
        losses: What was measured, and the points themselves.
    """

    weights: Float[np.ndarray, "n 3"]
    positions: Float[np.ndarray, "n 2"]
    corners: Float[np.ndarray, "3 2"]
    loss: Vector
    losses: Losses


@dataclass(frozen=True, eq=False)
class LossSquare(Picture):
    """The loss on the bilinear surface that four weight vectors span.

    Attributes:
        positions: ``a`` and ``b`` alike, ``(n,)`` from 0 to 1.
        loss: At ``a = positions[i]``, ``b = positions[j]``: ``(n, n)``. The first
            point is at (1, 1), the second at (0, 1), the third at (1, 0), the fourth at (0, 0).
        losses: What was measured, and the points themselves, row by row.
    """

    positions: Vector
    loss: Float[np.ndarray, "n n"]
    losses: Losses


def barycentric(
    task: Task,
    a: Start,
    b: Start,
    c: Start,
    *,
    n: int = 25,
    settings: SliceSettings | None = None,
    path: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> LossTriangle:
    r"""Measure the loss on the triangle between three points (Im, Tao, Branson 2016).

    .. math:: L(\lambda_a \theta_a + \lambda_b \theta_b + \lambda_c \theta_c), \qquad \lambda \ge 0,\ \sum_i \lambda_i = 1

    at an even lattice of :math:`\lambda`, the corners included, where the loss is exactly the ends'.

    Args:
        task: Model, data and loss; the model stays as it is.
        a: A run (its last point), a ``run.snapshot(point)``, or a state dict.
        b: Likewise.
        c: Likewise.
        n: Points along each side; there are ``n (n + 1) / 2`` in all.
        settings: Data, batch norm and engine; by default ``SliceSettings()``.
        path: A file that keeps what was measured, so that the same call goes on where it was stopped.
        progress: Called with the numbers of points done and in all.

    Raises:
        InputError: a point is not of this model.
    """
    checked_count(n)
    settings = settings or SliceSettings()
    held = middle(task, a, settings)
    second, third = start_tensors(b, what="second point"), start_tensors(c, what="third point")
    frame = held.through({"second point": second, "third point": third})
    lattice = np.array([(n - 1 - i - j, i, j) for i in range(n) for j in range(n - i)], dtype=np.float64)
    weights = lattice / (n - 1)
    ranks = np.argsort(coarse_to_fine(n, n), kind="stable").reshape(n, n)
    order = np.argsort([ranks[int(i), int(j)] for _, i, j in lattice], kind="stable")
    measured = losses(task, frame, weights, settings=settings, order=order, path=path, progress=progress)
    sides = held.distance(second), held.distance(third), held.distance(second, third)
    corners = triangle(*sides)
    return LossTriangle(weights, weights @ corners, corners, measured.loss, measured)


def bilinear(
    task: Task,
    a: Start,
    b: Start,
    c: Start,
    d: Start,
    *,
    n: int = 25,
    settings: SliceSettings | None = None,
    path: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> LossSquare:
    r"""Measure the loss on the surface between four points (Im, Tao, Branson 2016).

    .. math:: L\bigl(\beta(\alpha\,\theta_a + (1-\alpha)\,\theta_b) + (1-\beta)(\alpha\,\theta_c + (1-\alpha)\,\theta_d)\bigr)

    Four points lie in no plane, so the square has no true distances: :math:`\alpha` and :math:`\beta` run from 0 to 1.

    Args:
        task: Model, data and loss; the model stays as it is.
        a: A run (its last point), a ``run.snapshot(point)``, or a state dict.
        b: Likewise.
        c: Likewise.
        d: Likewise.
        n: Points along each side.
        settings: Data, batch norm and engine; by default ``SliceSettings()``.
        path: A file that keeps what was measured, so that the same call goes on where it was stopped.
        progress: Called with the numbers of points done and in all.

    Raises:
        InputError: a point is not of this model.
    """
    checked_count(n)
    settings = settings or SliceSettings()
    held = middle(task, a, settings)
    others = {
        f"{which} point": start_tensors(of, what=f"{which} point") for which, of in (("second", b), ("third", c), ("fourth", d))
    }
    steps = np.linspace(0, 1, n)
    alpha, beta = (grid.ravel() for grid in np.meshgrid(steps, steps, indexing="ij"))
    coefficients = np.stack([beta * alpha, beta * (1 - alpha), (1 - beta) * alpha, (1 - beta) * (1 - alpha)], axis=1)
    measured = losses(
        task, held.through(others), coefficients, settings=settings, order=coarse_to_fine(n, n), path=path, progress=progress
    )
    return LossSquare(steps, measured.loss.reshape(n, n), measured)


def triangle(ab: float, ac: float, bc: float) -> Float[np.ndarray, "3 2"]:
    """Return corners with given distances: the first at the origin, the second on the first axis, the third above it.

    >>> triangle(3.0, 4.0, 5.0).round(12).tolist()
    [[0.0, 0.0], [3.0, 0.0], [0.0, 4.0]]
    """
    if ab == 0:
        return np.array([[0.0, 0.0], [0.0, 0.0], [0.0, ac]])
    x = (ab**2 + ac**2 - bc**2) / (2 * ab)
    return np.array([[0.0, 0.0], [ab, 0.0], [x, np.sqrt(max(ac**2 - x**2, 0.0))]])
