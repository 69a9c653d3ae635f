"""What the Trainer of Hugging Face wrote beside a checkpoint."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from lossatlas._arrays import InputError


def trainer_state(checkpoint: Path) -> tuple[int | None, dict[str, float]]:
    """Return step and metrics of a ``checkpoint-N`` folder from its ``trainer_state.json``, or nothing where there is none.

    Each metric is the last one that was logged up to the checkpoint: ``loss`` is the train loss, ``eval_loss`` the test loss.

    Raises:
        InputError: the file is damaged.
    """
    file = checkpoint / "trainer_state.json"
    if not file.exists():
        return None, {}
    try:
        state = json.loads(file.read_text())
        step = int(state["global_step"])
        metrics = metrics_of([entry for entry in state["log_history"] if entry.get("step", math.inf) <= step])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{str(file)!r} is damaged ({type(error).__name__}: {error}); restore it, or remove it") from None
    return step, metrics


def metrics_of(log: Sequence[Mapping[str, object]]) -> dict[str, float]:
    """Return the last value of each metric in a log of the Trainer, under this package's names.

    >>> metrics_of([{"step": 1, "loss": 2.0}, {"step": 2, "loss": 1.0}, {"step": 2, "eval_loss": 3.0, "eval_runtime": 9.0}])
    {'train_loss': 1.0, 'test_loss': 3.0}
    """
    return {_named(name): float(value) for entry in log for name, value in entry.items() if _is_metric(name, value)}  # type: ignore[arg-type]


def _is_metric(name: str, value: object) -> bool:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_number and name != "step" and not name.endswith(("_runtime", "_per_second", "total_flos"))


def _named(name: str) -> str:
    if name == "loss":
        return "train_loss"
    return f"test_{name.removeprefix('eval_')}" if name.startswith("eval_") else name
