"""The same points by what their networks predict: further layouts of a map of weights, or the map itself."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from lossatlas._arrays import Coordinates, InputError
from lossatlas.distance import Pairwise, prediction_pairwise
from lossatlas.embed import Embedding, PhateEmbedding, inpca
from lossatlas.measure import Comparison, faithfulness
from lossatlas.store import Run

Predictions = Sequence[Float[np.ndarray, "_ m c"]]

_KNN = 20  # neighbours in the scores, those of the other layouts


def predicted_pairwise(runs: Sequence[Run], kept: Sequence[Sequence[int]], predictions: Predictions) -> Pairwise:
    """Lengths between the points of runs by their predictions, of which there are those of each point of each run.

    Raises:
        InputError: there are those of other runs or points, or they cannot be compared.
    """
    if len(predictions) != len(runs):
        raise InputError(f"there are {len(runs)} runs, but predictions of {len(predictions)}; pass those of each, in their order")
    for run, of_run in zip(runs, predictions, strict=True):
        if len(of_run) != run.n_points:
            raise InputError(
                f"run {run.name!r} has {run.n_points} points, but its predictions {len(of_run)}; "
                "pass lossatlas.predictions(task, run)"
            )
    return prediction_pairwise([of_run[list(points)] for of_run, points in zip(predictions, kept, strict=True)])


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
    flat = inpca(between.squared, n_components=min(2, len(plane)))
    made: dict[str, Embedding] = {} if embedded is None else {"predictions": embedded(between).align_to(plane)}
    made["inpca"] = flat.align_to(plane)
    scored = {}
    knn = min(_KNN, (len(plane) - 1) // 2)
    if knn:
        scored = {name: faithfulness(between.euclidean, one.coordinates[:, :2], runs, knn=knn) for name, one in made.items()}
    space = {"inpca": spatial.align_to(made["inpca"]).coordinates} if len(plane) >= 3 else {}
    return replace(
        compared,
        layouts={**compared.layouts, **made},
        coordinates_3d={**compared.coordinates_3d, **space},
        faithfulness={**compared.faithfulness, **scored},
    )
