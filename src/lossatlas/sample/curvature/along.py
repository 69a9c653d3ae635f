"""One measure at many points of a trajectory."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from lossatlas._arrays import InputError, Vector
from lossatlas.sample.start import Start
from lossatlas.sample.task import Task
from lossatlas.store import Run

Measured = TypeVar("Measured")


@dataclass(frozen=True, eq=False)
class Along(Generic[Measured]):
    """What was measured along a run.

    Attributes:
        points: Of the run, ``(n,)``.
        steps: Their steps or epochs, ``(n,)``.
        results: What was measured at each.
    """

    points: Vector
    steps: Vector
    results: tuple[Measured, ...]

    def values(self, name: str) -> np.ndarray:
        """Return one attribute of every result, ``(n,)``, or ``(n, k)`` where it is a vector.

        Raises:
            InputError: the results have no such attribute.
        """
        if not all(hasattr(result, name) for result in self.results):
            known = [field for field in vars(self.results[0]) if not field.startswith("_")] if self.results else []
            raise InputError(f"{name!r} was not measured; there are {', '.join(known)}")
        return np.array([getattr(result, name) for result in self.results])


def along(
    measure: Callable[[Task, Start], Measured],
    task: Task,
    run: Run,
    *,
    points: Sequence[int] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Along[Measured]:
    """Measure a task at points of a run, such as its sharpness or curvature as it trains.

    Args:
        measure: ``curvature``, ``sharpness``, or one of them with settings by ``functools.partial``.
        task: Model, data and loss.
        run: The trajectory.
        points: Which of its points; None takes all. Negative ones count from the end.
        progress: Called with the numbers of points done and in all.

    Raises:
        InputError: the run has no such point, or ``measure`` refuses one.
    """
    chosen = list(range(run.n_points)) if points is None else list(points)
    wrong = [point for point in chosen if not -run.n_points <= point < run.n_points]
    if wrong:
        raise InputError(f"points must be among the run's {run.n_points}, but {wrong[0]} came; leave it out")
    chosen = [point % run.n_points for point in chosen]
    results = []
    for done, point in enumerate(chosen):
        if progress:
            progress(done, len(chosen))
        results.append(measure(task, run.snapshot(point)))
    if progress:
        progress(len(chosen), len(chosen))
    return Along(np.array(chosen, dtype=np.float64), np.asarray(run.steps, dtype=np.float64)[chosen], tuple(results))
