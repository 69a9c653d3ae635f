"""``python -m benchmarks``: print the table."""

import contextlib
import io
import warnings

import numpy as np

from benchmarks.pairs import Pair, timed_pair
from lossatlas import cosine_distances, phate

# n points of p weights. Walks: consecutive points are near, as snapshots are.
SIZES = ((304, 100_000), (640, 100_000), (1_000, 20_000))


def walks(n: int, p: int, *, seed: int = 0) -> np.ndarray:
    """Return random walks of four runs, ``(n, p)`` float32."""
    rng = np.random.default_rng(seed)
    steps = rng.standard_normal((4, n // 4, p), dtype=np.float32)
    return steps.cumsum(axis=1).reshape(-1, p)


def their_phate(points: np.ndarray) -> None:
    """Embed with the phate package, which talks."""
    import phate as package  # noqa: PLC0415 - it takes seconds, which are not what is timed

    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        package.PHATE(knn_dist="cosine", n_jobs=-1, verbose=0, random_state=0).fit_transform(points)


def dense_distances(points: np.ndarray) -> np.ndarray:
    """Cosine distances by the textbook: float64 copies of all points, and 1 minus a product."""
    dense = points.astype(np.float64)
    dense /= np.linalg.norm(dense, axis=1, keepdims=True)
    return 1 - dense @ dense.T


def line(what: str, pair: Pair) -> str:
    """Return a row of the table."""
    return f"| {what} | {pair.ours:.2f} | {pair.theirs:.2f} | {pair.ratio:.1f} ({pair.least:.1f} to {pair.most:.1f}) |"


def main() -> None:
    """Print speed beside the phate package, and beside dense distances in memory."""
    print("| n, p | lossatlas s | other s | times faster (range) |\n| --- | --- | --- | --- |")
    for n, p in SIZES:
        points = walks(n, p)
        pair = timed_pair(lambda points=points: phate(points), lambda points=points: their_phate(points))
        print(line(f"PHATE beside phate 2.0.0: {n:,}, {p:,}", pair), flush=True)
    points = walks(640, 100_000)
    pair = timed_pair(lambda: cosine_distances(points), lambda: dense_distances(points))
    print(line("cosine distances beside dense ones: 640, 100,000", pair))


if __name__ == "__main__":
    main()
