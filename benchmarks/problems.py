"""Points to choose the steps of a walk on: runs, trees, tables, shapes and clusters, each from its own seed."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from sklearn import datasets


@dataclass(frozen=True)
class Problem:
    """Points, and where noise was added the points without it."""

    points: np.ndarray
    metric: Literal["euclidean", "cosine"] = "euclidean"
    clean: np.ndarray | None = None


def branches(n_branch: int, length: int, *, seed: int, noise: float, bend: float | None = None, dim: int = 100) -> Problem:
    """Branches that start anywhere on earlier ones: random walks, or curves whose direction turns by ``bend`` a step."""
    rng = np.random.default_rng(seed)
    clean = np.zeros((1, dim))
    for _ in range(n_branch):
        start = clean[rng.integers(len(clean))]
        if bend is None:
            steps = rng.uniform(-2, 2, size=(length, dim))
        else:
            turns = rng.normal(size=(length, dim)) / np.sqrt(dim) * np.r_[1.0, np.full(length - 1, bend)][:, np.newaxis]
            steps = turns.cumsum(axis=0)
            steps /= np.linalg.norm(steps, axis=1, keepdims=True)
        clean = np.concatenate([clean, start + steps.cumsum(axis=0)])
    return Problem(clean + rng.normal(0, noise, clean.shape), clean=clean)


def walks(runs: int, n: int, p: int, *, seed: int, scales: tuple[float, ...] | None = None) -> np.ndarray:
    """Return random walks from the origin."""
    rng = np.random.default_rng(seed)
    return np.concatenate([s * rng.normal(size=(n, p)).cumsum(axis=0) for s in scales or (1.0,) * runs])


def star(*, seed: int) -> np.ndarray:
    """Return 16 retrainings after jumps of four sizes in four directions, that come back near the optimum."""
    rng = np.random.default_rng(seed)
    optimum = rng.normal(size=5_000)
    paths = []
    for _ in range(4):
        direction = rng.normal(size=5_000)
        for size in (0.25, 0.5, 0.75, 1.0):
            end = optimum + 0.1 * size * rng.normal(size=5_000)
            left = np.exp(-0.12 * np.arange(25))[:, np.newaxis]
            paths.append(end + left * (optimum + size * direction - end) + 0.01 * rng.normal(size=(25, 5_000)))
    return np.concatenate(paths)


def converging(rate: float, *, seed: int) -> np.ndarray:
    """Return five runs whose steps shrink by ``rate`` each."""
    rng = np.random.default_rng(seed)
    shrink = rate ** np.arange(80)[:, np.newaxis] / np.sqrt(10)
    return np.concatenate([rng.normal(size=1_000) + (shrink * rng.normal(size=(80, 1_000))).cumsum(axis=0) for _ in range(5)])


def descent(*, seed: int) -> np.ndarray:
    """Return noisy gradient descent on a quadratic with curvatures from 1 to 1e-3."""
    rng = np.random.default_rng(seed)
    curvature = np.geomspace(1, 1e-3, 500)
    states = rng.normal(size=(4, 500))
    snapshots = []
    for _ in range(100):
        snapshots.append(states)
        for _ in range(3):
            states = states - 0.3 * (curvature * states + 0.2 * np.sqrt(curvature) * rng.normal(size=states.shape))
    return np.stack(snapshots, axis=1).reshape(-1, 500) + 1.0


def trained(*, seed: int) -> np.ndarray:
    """Return the weights of six networks of one hidden layer as they learn the digits."""
    images, labels = datasets.load_digits(return_X_y=True)
    rng = np.random.default_rng(seed)
    snapshots = []
    for _ in range(6):
        first, second = 0.2 * rng.normal(size=(64, 32)), 0.2 * rng.normal(size=(32, 10))
        for _ in range(60):
            snapshots.append(np.concatenate([first.ravel(), second.ravel()]))
            for _ in range(8):
                batch = rng.integers(len(images), size=64)
                x = images[batch] / 16
                hidden = np.maximum(x @ first, 0)
                scores = np.exp(hidden @ second)
                error = (scores / scores.sum(axis=1, keepdims=True) - np.eye(10)[labels[batch]]) / 64
                back = (error @ second.T) * (hidden > 0)
                first, second = first - 0.3 * x.T @ back, second - 0.3 * hidden.T @ error
    return np.array(snapshots)


def blobs(count: int, size: int, *, seed: int) -> np.ndarray:
    """Return round clusters that the neighbour graph leaves apart."""
    rng = np.random.default_rng(seed)
    return np.repeat(30 * rng.normal(size=(count, 10)), size, axis=0) + rng.normal(size=(count * size, 10))


def curves(*, seed: int) -> dict[str, Problem]:
    """Return shapes of one and two dimensions."""
    rng = np.random.default_rng(seed)
    angle = np.sort(rng.uniform(0, 2 * np.pi, 300))
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    arm = np.linspace(0.5, 3 * np.pi, 200)
    spiral = np.stack([arm * np.cos(arm), arm * np.sin(arm)], axis=1)
    return {
        "circle": Problem(circle + 0.02 * rng.normal(size=circle.shape), clean=circle),
        "swiss roll": Problem(datasets.make_swiss_roll(500, noise=0.2, random_state=seed)[0]),
        "line": Problem(np.linspace(0, 1, 300)[:, np.newaxis] * np.ones(3)),
        "grid": Problem(np.stack(np.meshgrid(np.arange(20.0), np.arange(20.0)), axis=-1).reshape(-1, 2)),
        "spirals": Problem(np.concatenate([spiral, -spiral]) + 0.05 * rng.normal(size=(400, 2))),
    }


def tables() -> dict[str, Problem]:
    """Return scikit-learn's tables, in units of each column's spread where their units differ."""
    wine, cancer = (t / t.std(axis=0) for t in (datasets.load_wine().data, datasets.load_breast_cancer().data))
    found = {"digits": datasets.load_digits().data[:500], "iris": datasets.load_iris().data, "wine": wine, "cancer": cancer}
    return {name: Problem(table) for name, table in found.items()}


def problems() -> dict[str, Problem]:
    """Return the 20 problems, 150 to 570 points each, and one whose points float32 cannot tell apart."""
    return {
        "walks of 4 runs": Problem(walks(4, 100, 20_000, seed=0), "cosine"),
        "walks of two scales": Problem(walks(2, 150, 500, seed=2, scales=(1.0, 1_000.0))),
        "tree of walks": branches(10, 50, seed=3, noise=4.0),
        "smooth tree": branches(12, 40, seed=5, noise=0.3, bend=0.15),
        "star of retrainings": Problem(star(seed=0), "cosine"),
        "descent, quadratic": Problem(descent(seed=0), "cosine"),
        "training of networks": Problem(trained(seed=0), "cosine"),
        "converging runs": Problem(converging(0.93, seed=0), "cosine"),
        **tables(),
        **curves(seed=9),
        "5 clusters apart": Problem(blobs(5, 70, seed=12)),
        "20 clusters apart": Problem(blobs(20, 20, seed=13)),
        "noise in 20,000-D": Problem(np.random.default_rng(14).normal(size=(300, 20_000)), "cosine"),
        "(past float32)": Problem(converging(0.85, seed=0), "cosine"),
    }
