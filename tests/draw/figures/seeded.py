"""Scenes and diagrams of closed form for figures: no training, the same in every process."""

import numpy as np

from lossatlas.draw import Layout, Metric, Scene, SceneMap, SceneRun
from lossatlas.measure import Diagram, MergeTree

N_STEPS = 6


def part(name: str = "net", *, lift: float = 1.0, epochs: int = N_STEPS, methods: tuple[str, ...] = ("PHATE",)) -> SceneMap:
    """Return a star of an optimum, three directions with two jumps each, and a naive sample; losses are ``lift`` and up."""
    rows, time, runs = [[0.0, 0.0]], [0.0], []
    for seed in range(3):
        for jump in (0.25, 1.0):
            angle = 2 * np.pi * (seed + 0.1 * jump) / 3
            reach = jump * np.linspace(1, 2, epochs)[:, np.newaxis]
            runs.append(
                SceneRun(
                    name=f"s{seed}-{jump}", kind="retraining", start=len(rows), stop=len(rows) + epochs, seed=seed, jump=jump
                )
            )
            rows.extend((reach * [np.cos(angle), np.sin(angle)]).tolist())
            time.extend(range(epochs))
    runs.append(SceneRun(name="naive", kind="sample", start=len(rows), stop=len(rows) + 4))
    rows.extend([[-1.0, -1.0], [-1.2, -1.0], [-1.0, -1.2], [-1.2, -1.2]])
    time.extend([0.0] * 4)
    points = np.array(rows, np.float32)
    layouts = tuple(
        Layout(name=method, caption=f"{method} of {len(rows)} points", coordinates=points * (1 + place))
        for place, method in enumerate(methods)
    )
    loss = lift * (1 + np.linalg.norm(points, axis=1)).astype(np.float32)
    return SceneMap(
        name=name,
        layouts=layouts,
        time=np.array(time, np.float32),
        runs=tuple(runs),
        metrics=(Metric(name="test_loss", label="test loss", values=loss, scale="log"),),
        optimum=0,
        landscape="test_loss",
    )


def scene_of(*parts: SceneMap, title: str = "A title") -> Scene:
    """Return maps side by side."""
    return Scene(title=title, maps=parts)


def diagram(*, low: float = 0.5, high: float = 8.0) -> Diagram:
    """Return a diagram of two valleys that end, one that does not, and two cycles."""
    finite = np.array([[low * 2, low * 3], [low * 2, low * 6]])
    return Diagram(
        finite={0: finite, 1: np.zeros((0, 2))},
        essential={0: np.array([low]), 1: np.array([low * 4, low * 5])},
        values=np.sort(np.r_[low, low * 2, low * 2, low * 4, low * 5, np.linspace(low, high, 15)]),
        n_left_out=0,
        knn=5,
    )


def tree(*, low: float = 0.5, high: float = 8.0) -> MergeTree:
    """Return the merge tree of such a diagram."""
    return MergeTree(
        minima=np.array([3, 1, 7]),
        lows=np.array([low, low * 2, low * 2]),
        saddles=np.array([-1, 4, 9]),
        passes=np.array([np.nan, low * 6, low * 3]),
        parent=np.array([-1, 0, 1]),
        highest=high,
        n_points=20,
        n_left_out=0,
        knn=5,
        pieces="apart",
    )
