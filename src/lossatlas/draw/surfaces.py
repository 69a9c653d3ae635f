"""A plane of the loss becomes a surface of a scene, with the run that spans it."""

from typing import TYPE_CHECKING

import numpy as np

from lossatlas.draw.scene import Scale, Scene, Surface, SurfacePath

if TYPE_CHECKING:
    from lossatlas.sample.slice.losses import Losses
    from lossatlas.sample.slice.plane import LossPlane

# Losses that differ by more than this factor are drawn on a log scale.
DECADES = 20


def surface(made: "LossPlane", *, name: str) -> Surface:
    """Return what :func:`loss_plane` or :func:`trajectory_plane` measured as a surface of a scene.

    Args:
        made: The plane.
        name: What stands above it.
    """
    run = made.trajectory
    if run is None:
        labels = ["first direction (1 is 100 % of the weights)", "second direction (1 is 100 % of the weights)"]
        words = [f"cosine of the directions {made.cosine:.2g}"]
    else:
        labels = [
            f"{which} component: {share:.0%} of the variance (a random walk: {chance:.0%})"
            for which, share, chance in zip(("first", "second"), run.explained, run.explained_by_chance, strict=True)
        ]
        words = ["axes in units of distance in weights"]
    return Surface(
        name=name,
        caption="; ".join([*words, *how_measured(made.losses)]),
        x=_single(made.x),
        y=_single(made.y),
        loss=_single(made.loss),
        label=f"{made.losses.settings.data} loss",
        x_label=labels[0],
        y_label=labels[1],
        scale=_scale(made.loss),
        path=None
        if run is None
        else SurfacePath(
            name="trajectory",
            steps=_single(run.steps),
            coordinates=_single(run.coordinates),
            off_plane=_single(run.off_plane),
            true_loss=_single(run.true_loss),
            drawn_loss=_single(run.drawn_loss),
        ),
    )


def plane_scene(made: "LossPlane", *, title: str) -> Scene:
    """Return a scene of one plane and no map."""
    return Scene(title=title, maps=(), surfaces=(surface(made, name=title),))


def how_measured(losses: "Losses") -> list[str]:
    """Say how the losses of a slice were measured, as far as it is not as always."""
    parts = []
    if losses.diagnostics["has_batchnorm"]:
        how = {"recompute": "recomputed at each point", "interpolate": "interpolated", "stale": "the first point's"}
        parts.append(f"batch norm {how[losses.settings.batchnorm]}")
    if losses.settings.batches is not None and (losses.error > 0).any():
        greatest = float(np.nanmax(losses.error))
        parts.append(
            f"{losses.diagnostics['n_batches']} of {losses.diagnostics['n_all_batches']} batches, error up to {greatest:.2g}"
        )
    if not losses.done.all():
        parts.append(f"{int(losses.done.sum())} of {len(losses.done)} points measured so far")
    return parts


def _scale(loss: np.ndarray) -> Scale:
    finite = loss[np.isfinite(loss)]
    return "log" if finite.size and finite.min() > 0 and finite.max() > DECADES * finite.min() else "linear"


def _single(values: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):  # beyond 3e38 a viewer shows infinity
        return np.asarray(values).astype(np.float32)
