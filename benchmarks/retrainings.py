"""Retrainings in one process, in two, on Ray, and side by side in a stack; ``python -m benchmarks.retrainings``.

The same 4 x 4 retrainings each time, into a new folder, one way after the other, A B C D A B C D. A pool's seconds begin before
it is there and end when it is gone: its start is part of what it costs. A worker reads this module anew, so what only the program
itself needs is imported where it is called.
"""

import argparse
import functools
import statistics
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import nn

from benchmarks.machine import described
from benchmarks.pairs import paired, timed_in_turn
from benchmarks.tables import table
from lossatlas import JumpSettings, Task, jump_and_retrain
from lossatlas.sample import LocalPool, RayPool, fixed_randomness

BAR = 0.6  # of the time in one process, for two
THREADS = torch.get_num_threads()
ONE = "one process, one thread"


def convolutional() -> Task:
    """The demo's network of 9,978 weights with batch norm, on 200 digits shifted by chance."""
    from lossatlas.experiments.figure_two import Settings, task

    return task("good", Settings(), retraining=True)


def dense() -> Task:
    """A network of 64-32-10 on the same 200 digits."""
    from lossatlas.experiments.data.batches import Batches
    from lossatlas.experiments.data.digits import digits

    data = digits(n_train=200, split=0)
    with fixed_randomness(0):
        model = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    return Task(
        model=model,
        loss=nn.CrossEntropyLoss(),
        train=Batches(data.train_x, data.train_y, size=40, passes=12),
        test=[(data.test_x, data.test_y)],
        optimizer=functools.partial(torch.optim.SGD, lr=0.1, momentum=0.9, weight_decay=2e-3),
        train_eval=[(data.train_x, data.train_y)],
        name="dense",
    )


@dataclass
class Way:
    """A way to do the retrainings, and the points that it gave each time."""

    task: Task
    start: dict[str, torch.Tensor]
    settings: JumpSettings
    pool: Callable[[], AbstractContextManager[Executor | None]] = nullcontext
    threads: int = 1
    stacked: str = "never"
    points: list[np.ndarray] = field(default_factory=list)

    def __call__(self) -> None:
        """Do them all, into a new folder."""
        torch.set_num_threads(self.threads)
        with tempfile.TemporaryDirectory() as folder:
            with self.pool() as executor:
                runs = jump_and_retrain(
                    self.task,
                    self.start,
                    Path(folder) / "jumps",
                    settings=self.settings,
                    executor=executor,
                    stacked=self.stacked,
                )
            self.points.append(np.stack([run.weights() for run in runs[1:]]))


@contextmanager
def two_of_ray() -> Iterator[RayPool]:
    """A cluster of two processors on this machine, begun and ended."""
    import ray

    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        with RayPool() as pool:
            yield pool
    finally:
        ray.shutdown()


def minimum(given: Task, *, epochs: int = 10) -> dict[str, torch.Tensor]:
    """Return weights after some epochs of training by the task's own optimiser."""
    one = JumpSettings(seeds=(0,), steps=(0.0,), epochs=epochs)
    with tempfile.TemporaryDirectory() as folder:
        run = jump_and_retrain(given, given.model.state_dict(), folder, settings=one)[-1]
        return {name: torch.as_tensor(np.array(tensor)) for name, tensor in run.snapshot(-1).items()}


def pools_table(settings: JumpSettings, *, rounds: int) -> str:
    """Return seconds of each way, and whether the points are those of one process with one thread, bit for bit."""
    given = convolutional()
    make = functools.partial(Way, given, minimum(given), settings)
    ways = {ONE: make(), f"one process, {THREADS} threads": make(threads=THREADS), "LocalPool(2)": make(lambda: LocalPool(2))}
    if _has_ray():
        ways["RayPool, two workers"] = make(two_of_ray)
    return _table(ways, rounds=rounds, differ=_bits)


def stacks_table(settings: JumpSettings, *, rounds: int) -> str:
    """Return seconds of the small network one by one and in a stack, and how far the points are apart."""
    given = dense()
    make = functools.partial(Way, given, minimum(given), settings)
    return _table({ONE: make(), 'stacked="auto"': make(stacked="auto")}, rounds=rounds, differ=_bits)


def _table(ways: dict[str, Way], *, rounds: int, differ: Callable[[Sequence[np.ndarray], Sequence[np.ndarray]], str]) -> str:
    seconds = timed_in_turn(ways, rounds=rounds)
    torch.set_num_threads(THREADS)
    rows = []
    for name, way in ways.items():
        pair = paired(seconds[ONE].wall, seconds[name].wall)
        ratio = "1" if name == ONE else f"{pair.ratio:.2f} ({pair.least:.2f} to {pair.most:.2f})"
        rows.append([name, f"{statistics.median(seconds[name].wall):.1f}", ratio, differ(ways[ONE].points, way.points)])
    return table(("way", "s", "of one process's time (range)", "points beside one process's"), rows)


def _bits(points: Sequence[np.ndarray], others: Sequence[np.ndarray]) -> str:
    same = all(np.array_equal(one, other) for one in points for other in others)
    return "the same, bit for bit" if same else _apart(points, others)


def _apart(points: Sequence[np.ndarray], others: Sequence[np.ndarray]) -> str:
    far = [np.linalg.norm(one - other, axis=2) / np.linalg.norm(one, axis=2) for one, other in zip(points, others, strict=True)]
    return f"at most {np.max(far):.0e} of the weights' norm apart"


def _has_ray() -> bool:
    try:
        import ray  # noqa: F401
    except ModuleNotFoundError:
        return False
    return True


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.retrainings", description=__doc__)
    parser.add_argument("--epochs", type=int, default=30, help="of 60 updates each")
    parser.add_argument("--rounds", type=int, default=2)
    asked = parser.parse_args()
    print(described(("numpy", "torch", "ray")))
    print(pools_table(JumpSettings(epochs=asked.epochs, learning_rate=0.005), rounds=asked.rounds))
    print(f"\nThe bar: two processes take at most {BAR} of the time of one.\n")
    print(stacks_table(JumpSettings(epochs=asked.epochs, learning_rate=0.005), rounds=asked.rounds))


if __name__ == "__main__":
    main()
