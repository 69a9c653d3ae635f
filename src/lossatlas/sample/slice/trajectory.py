"""A trajectory drawn on the loss that surrounds it."""

import os

import numpy as np

from lossatlas._arrays import InputError, Vector
from lossatlas.sample.slice.frame import Frame
from lossatlas.sample.slice.grid import checked_count, coarse_to_fine
from lossatlas.sample.slice.losses import Progress, losses
from lossatlas.sample.slice.middle import middle
from lossatlas.sample.slice.plane import LossPlane, plane_coefficients
from lossatlas.sample.slice.principal import PrincipalPlane, Projected, chance_explained, principal_plane
from lossatlas.sample.slice.settings import SliceSettings
from lossatlas.sample.start import start_tensors
from lossatlas.sample.task import Task
from lossatlas.store import Run


def trajectory_plane(
    task: Task,
    run: Run,
    *,
    n: int = 31,
    margin: float = 0.2,
    settings: SliceSettings | None = None,
    path: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> LossPlane:
    r"""Measure the loss on the plane of a run's first two principal components, through its last point.

    As Li et al. 2018, Section 7. The contours belong to the plane, the run does not lie in it: ``trajectory.off_plane`` says how
    far each point is from it, and ``trajectory.true_loss`` beside ``trajectory.drawn_loss`` what that does to the picture.

    Args:
        task: Model, data and loss; the model stays as it is.
        run: The trajectory; points with NaN or infinite weights are left out.
        n: Points along each axis.
        margin: Room around the trajectory, as a share of its extent.
        settings: Data, batch norm and engine; by default ``SliceSettings()``.
        path: A file that keeps what was measured of the plane, so that the same call goes on where it was stopped.
        progress: Called with the numbers of points of the plane done and in all.

    Raises:
        InputError: the run is not of this model, or spans no plane.
    """
    checked_count(n)
    if not isinstance(run, Run):
        raise InputError(f"run must be a recorded run, but is a {type(run).__name__}; pass open_run(path)")
    if not 0 <= margin < np.inf:
        raise InputError(f"margin must be a share from 0 on, but is {margin!r}; change it")
    settings = settings or SliceSettings()
    plane = principal_plane(run)
    held = middle(task, run.snapshot(plane.points[-1]), settings)
    frame = held.along({"first component": plane.axes[0], "second component": plane.axes[1]})
    x, y = (_axis(plane.coordinates[:, axis], n, margin) for axis in range(2))
    measured = losses(
        task, frame, plane_coefficients(x, y), settings=settings, order=coarse_to_fine(n, n), path=path, progress=progress
    )
    projected = Projected(
        steps=run.steps[list(plane.points)],
        coordinates=plane.coordinates,
        off_plane=plane.off_plane,
        explained=plane.explained,
        explained_by_chance=chance_explained(len(plane.points)),
        true_loss=_true_losses(task, run, plane, settings),
        drawn_loss=losses(
            task,
            frame,
            np.concatenate([np.ones((len(plane.points), 1)), plane.coordinates], axis=1),
            settings=settings,
        ).loss,
    )
    return LossPlane(x, y, measured.loss.reshape(n, n), measured, 0.0, (1.0, 1.0), projected)


def _axis(coordinates: np.ndarray, n: int, margin: float) -> Vector:
    low, high = float(coordinates.min()), float(coordinates.max())
    room = margin * (high - low)
    return np.linspace(low - room, high + room, n)


def _true_losses(task: Task, run: Run, plane: PrincipalPlane, settings: SliceSettings) -> Vector:
    # Each by itself: together, the frame would hold every point of the run in memory.
    return np.concatenate(
        [
            losses(task, Frame((start_tensors(run.snapshot(point)),), frozenset()), np.ones((1, 1)), settings=settings).loss
            for point in plane.points
        ]
    )
