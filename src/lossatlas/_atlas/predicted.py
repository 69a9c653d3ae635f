"""The same points by what their networks predict: further layouts of a map of weights, or the map itself."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from lossatlas._arrays import Coordinates, InputError
from lossatlas.distance import Pairwise
from lossatlas.embed import Embedding, PhateEmbedding, inpca
from lossatlas.measure import Comparison, truth
from lossatlas.store import Run

Predictions = Sequence[Float[np.ndarray, "_ m c"]]

_SCORED = 3  # points of a map that has scores


def rows_of(predictions: Predictions, runs: Sequence[Run], kept: Sequence[Sequence[int]]) -> Predictions:
    """Return the predictions of the points that are kept, of those of each point of each run.

    Raises:
        InputError: there are those of other runs or points, or one is NaN.
    """
    if isinstance(predictions, np.ndarray):
        raise InputError("predictions must be a list with one array for each run, but one array came; put it into a list")
    if len(predictions) != len(runs):
        raise InputError(f"there are {len(runs)} runs, but predictions of {len(predictions)}; pass those of each, in their order")
    for run, of_run in zip(runs, predictions, strict=True):
        if len(of_run) != run.n_points:
            raise InputError(
                f"run {run.name!r} has {run.n_points} points, but its predictions {len(of_run)}; "
                "pass lossatlas.predictions(task, run)"
            )
    rows = [of_run[list(points)] for of_run, points in zip(predictions, kept, strict=True)]
    for run, points, of_run in zip(runs, kept, rows, strict=True):
        lost = np.flatnonzero(np.isnan(of_run).any(axis=(1, 2)))
        if len(lost):
            raise InputError(
                f"{run.describe(points[lost[0]])} has predictions that are NaN; leave it out, as atlas does with "
                "diverged='skip' (--diverged skip)"
            )
    return rows


def with_predictions(
    compared: Comparison,
    between: Pairwise,
    plane: Coordinates,
    *,
    runs: Sequence[tuple[int, int]],
    embedded: Callable[[Pairwise], PhateEmbedding] | None,
) -> Comparison:
    """Add drawings of the predictions to what stands beside a map, scored against the lengths that they draw.

    Args:
        compared: What is there.
        between: Lengths between the predictions.
        plane: The map, upon which they are turned.
        runs: First row, and row after the last, of each trajectory.
        embedded: Draws lengths by the map's settings; None leaves PHATE out, which is the map then, and InPCA alone is added.
    """
    spatial = inpca(between.squared, n_components=min(3, len(plane)))
    # The caption speaks of the third axis too.
    flat = replace(inpca(between.squared, n_components=min(2, len(plane))), diagnostics=spatial.diagnostics)
    made: dict[str, Embedding] = {} if embedded is None else {"predictions": embedded(between).align_to(plane)}
    made["inpca"] = flat.align_to(plane)
    scored = {}
    if len(plane) >= _SCORED:
        true = truth(between.euclidean, runs)
        scored = {name: true.of(one.coordinates[:, :2]) for name, one in made.items()}
    space = {"inpca": spatial.align_to(made["inpca"]).coordinates} if len(plane) >= 3 else {}
    return replace(
        compared,
        layouts={**compared.layouts, **made},
        coordinates_3d={**compared.coordinates_3d, **space},
        faithfulness={**compared.faithfulness, **scored},
    )
