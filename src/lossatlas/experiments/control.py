"""Retrainings without a jump: what weight decay and the noise of the steps move by themselves."""

from collections.abc import Sequence
from dataclasses import replace

from lossatlas.distance import RunSource, pairwise
from lossatlas.sample import JumpSettings
from lossatlas.store import Run


def control_of(settings: JumpSettings) -> JumpSettings:
    """Return how a control is retrained: as all others are, from the optimum itself."""
    return replace(settings, seeds=settings.seeds[:1], steps=(0.0,))


def drift(runs: Sequence[Run], control: Run) -> dict[str, float]:
    """Return how far the optimum drifts without a jump, and how far retrainings end from where it drifts to.

    ``drift`` is the distance of the control's end from the optimum, ``drift_over_jump`` that over the mean size of a jump,
    and ``return_ratio`` the distance of each retraining's end from the control's end over its jump, on average.

    Args:
        runs: The optimum, then its retrainings.
        control: The retraining without a jump.
    """
    optimum, *retrainings = runs
    source = RunSource(
        (optimum, control, *retrainings), ((0,), (control.n_points - 1,), *((0, run.n_points - 1) for run in retrainings))
    )
    distances = pairwise(source).euclidean
    jumps, ends = distances[0, 2::2], distances[1, 3::2]
    return {
        "drift": float(distances[0, 1]),
        "drift_over_jump": float(distances[0, 1] / jumps.mean()),
        "return_ratio": float((ends / jumps).mean()),
    }
