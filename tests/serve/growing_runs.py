"""Runs that grow by as many points as a test likes, without torch."""

from pathlib import Path

import numpy as np

from lossatlas.store import RawTensor, RunWriter, TensorEntry


class Growing:
    """A random walk that is being recorded at ``path``."""

    def __init__(self, path: Path, *, p: int = 12, seed: int = 0, if_exists="refuse", **settings) -> None:
        self._rng = np.random.default_rng(seed)
        self.weights = self._rng.normal(size=p) + 4
        self.writer = RunWriter(
            path, [TensorEntry("w", (p,), "F32", "parameter")], settings={"kind": "training", **settings}, if_exists=if_exists
        )
        self.step = 0

    def go(self, n: int = 1, *, is_lost: bool = False) -> None:
        """Record so many further points, with weights that are NaN or not."""
        for _ in range(n):
            self.weights = self.weights + 0.3 * self._rng.normal(size=len(self.weights))
            here = np.full_like(self.weights, np.nan) if is_lost else self.weights
            data = here.astype("<f4").tobytes()
            self.writer.append({"w": RawTensor("F32", here.shape, data)}, step=self.step, metrics={"loss": 1 / (self.step + 1)})
            self.step += 1
