"""The paper's comparisons, each a preset."""

from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, Protocol, runtime_checkable

# Name on the command line -> module, loaded when it is run.
EXPERIMENTS: Mapping[str, str] = MappingProxyType(
    {
        "figure-2": "lossatlas.experiments.figure_two",
        "table-1": "lossatlas.experiments.table_one",
        "good-bad-memorised": "lossatlas.experiments.presets.good_bad_memorised",
        "optimizers": "lossatlas.experiments.presets.optimizers",
        "initializations": "lossatlas.experiments.presets.initializations",
        "architectures": "lossatlas.experiments.presets.architectures",
        "datasets": "lossatlas.experiments.presets.datasets",
        "batch-size": "lossatlas.experiments.presets.batch_size",
        "learning-rate": "lossatlas.experiments.presets.learning_rate",
        "forks": "lossatlas.experiments.presets.forks",
        "grokking": "lossatlas.experiments.presets.grokking",
        "language-model": "lossatlas.experiments.presets.language_model",
    }
)


@runtime_checkable
class Experiment(Protocol):
    """What every experiment can do: a module, or a :class:`~lossatlas.experiments.comparison.Preset`."""

    def default_settings(self, *, scale: Literal["small", "paper"] = ..., epochs: int | None = ..., seed: int = ...) -> Any:  # noqa: ANN401
        """Return its settings at a size, with another length of the retrainings or another seed."""

    def n_units(self, settings: Any) -> int:  # noqa: ANN401
        """Return in how many pieces of work progress is reported."""

    def cost(self, settings: Any, *, workers: int = ...) -> Any:  # noqa: ANN401
        """Return how long it will take and how much disk: a frozen dataclass that says so as text."""

    def run(
        self,
        folder: Path,
        settings: Any,  # noqa: ANN401
        *,
        executor: Executor | None = ...,
        progress: Callable[[int, str], None] | None = ...,
    ) -> Any:  # noqa: ANN401
        """Do it, and return its report; what ``folder`` holds already of the same settings is not done again."""


def experiment(name: str) -> Experiment:
    """Return the experiment of a name."""
    module = import_module(EXPERIMENTS[name])
    found: Experiment = getattr(module, "PRESET", module)
    return found
