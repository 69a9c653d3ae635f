"""``python -m benchmarks.steps``: how steps of the walk hold under rounding and missing points, and what maps they give."""

import contextlib
import io
import warnings
from collections.abc import Callable, Iterator

import numpy as np
from scipy.sparse import csgraph, csr_array
from scipy.stats import spearmanr
from threadpoolctl import threadpool_limits

from benchmarks.problems import Problem, problems
from lossatlas import phate
from lossatlas.distance import pairwise
from lossatlas.embed import alpha_decay_affinities, bridged
from lossatlas.embed.diffusion import diffusion_operator, random_walk, spectrum
from lossatlas.embed.steps import diffusion_time

N_RANDOM, N_BLOCKS = 20, 6
SCAN = (25, 50, 100, 200, 400, 800)


def symmetric(distances: np.ndarray) -> np.ndarray:
    """Return them in float64 without what rounding left on the diagonal, below it or below 0."""
    D = distances.astype(np.float64)
    D = np.maximum((D + D.T) / 2, 0.0)
    np.fill_diagonal(D, 0.0)
    return D


def textbook(problem: Problem) -> np.ndarray:
    """Return distances computed in float32 throughout: 1 minus a product, or the root of sums minus a product."""
    x = problem.points.astype(np.float32)
    if problem.metric == "cosine":
        x /= np.linalg.norm(x, axis=1, keepdims=True)
        return symmetric(1 - x @ x.T)
    own = (x * x).sum(axis=1)
    return symmetric(np.sqrt(np.maximum(np.add.outer(own, own) - 2 * x @ x.T, 0)))


def affinities(distances: np.ndarray) -> np.ndarray:
    """Return the joined kernel of the distinct points, as :func:`lossatlas.phate` makes it."""
    _, groups = csgraph.connected_components(csr_array(distances == 0), directed=False)
    keep = np.unique(groups, return_index=True)[1]
    reduced = distances[np.ix_(keep, keep)]
    return bridged(alpha_decay_affinities(reduced), reduced)


def knee(distances: np.ndarray) -> float:
    """Return the knee before it is rounded."""
    return diffusion_time(spectrum(random_walk(affinities(distances)))).knee


def their_t(distances: np.ndarray) -> float:
    """Return the phate package's own choice; it talks."""
    import phate as package

    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        made = package.PHATE(knn_dist="precomputed_distance", mds="classic", verbose=0, random_state=0)
        made.fit_transform(distances)
    return float(made.optimal_t)


def left(n: int, *, seed: int = 0) -> Iterator[np.ndarray]:
    """Yield what is left without a random 5 % of n points, without a block of 5 %, and without each 20th."""
    rng = np.random.default_rng(seed)
    m = round(0.05 * n)
    gone = [rng.permutation(n)[:m] for _ in range(N_RANDOM)]
    gone += [np.arange(s, s + m) for s in np.linspace(0, n - m, N_BLOCKS).astype(int)]
    for out in [*gone, np.arange(0, n, 20)]:
        yield np.setdiff1d(np.arange(n), out)


def capped(kernel: csr_array, t: int) -> float:
    """Share of pairs of points whose probability is below the potential's floor of 1e-7."""
    power = np.linalg.matrix_power(diffusion_operator(kernel), t)
    return float((power[~np.eye(len(power), dtype=bool)] < 1e-7).mean())


def changes(choose: Callable[[np.ndarray], float], D: np.ndarray, in_float32: list[np.ndarray]) -> list[float]:
    """Return t and, in percent, its largest change by float32, its largest and median one without 5 %, and that of whole t."""
    t = choose(D)
    by_float32 = [abs(choose(other) / t - 1) for other in in_float32]
    without = np.array([choose(D[np.ix_(kept, kept)]) for kept in left(len(D))])
    change, whole = np.abs(without / t - 1), np.abs(without.round() / round(t) - 1)
    return [t, *(100 * float(c) for c in (max(by_float32), change.max(), np.median(change), whole.max()))]


def demap(clean: np.ndarray, coordinates: np.ndarray, *, knn: int = 10) -> float:
    """Rank correlation of geodesics among the points without noise and distances on the map (Moon et al. 2019)."""
    D = pairwise(clean).euclidean
    near = np.argsort(D, axis=1)[:, 1 : knn + 1]
    rows = np.repeat(np.arange(len(D)), knn)
    graph = csr_array((D[rows, near.ravel()], (rows, near.ravel())), shape=D.shape)
    geodesic = csgraph.shortest_path(graph, directed=False)
    pairs = np.triu(np.isfinite(geodesic), k=1)
    return float(spearmanr(geodesic[pairs], pairwise(coordinates).euclidean[pairs]).statistic)


def stability() -> dict[str, tuple[int, int]]:
    """Print the table of changes; return both choices of t."""
    columns = "float32 % | worst 5 % out | median | worst of whole t | capped %"
    print(f"| problem | n | t | {columns} | phate's t | {columns} |")
    print("| --- " * 14 + "|")
    chosen = {}
    for name, problem in problems().items():
        between = pairwise(problem.points)
        D = between.cosine if problem.metric == "cosine" else between.euclidean
        in_float32 = [textbook(problem), symmetric(D.astype(np.float32))]
        ours, theirs = changes(knee, D, in_float32), changes(their_t, D, in_float32)
        kernel = affinities(D)
        chosen[name] = (round(ours[0]), int(theirs[0]))
        cells = [
            " | ".join([f"{t:.2f}", *(f"{c:.0f}" for c in c), f"{100 * capped(kernel, round(t)):.0f}"])
            for t, *c in (ours, theirs)
        ]
        print(f"| {name} | {len(D)} | {cells[0]} | {cells[1]} |", flush=True)
    return chosen


def quality(chosen: dict[str, tuple[int, int]]) -> None:
    """Print the table of DEMaP and stress where the points without noise are known."""
    print("\n| problem | DEMaP at t | stress | at phate's t | stress | best of t = " + ", ".join(map(str, SCAN)) + " |")
    print("| --- " * 6 + "|")
    for name, problem in problems().items():
        if problem.clean is None:
            continue
        maps = [phate(problem.points, metric="euclidean", t=t) for t in (*chosen[name], *SCAN)]
        scores = [demap(problem.clean, found.coordinates) for found in maps]
        best = int(np.argmax(scores[2:]))
        cells = " | ".join(f"{score:.2f} | {found.stress:.2f}" for score, found in zip(scores[:2], maps[:2], strict=True))
        print(f"| {name} | {cells} | {scores[2 + best]:.2f} (t={SCAN[best]}) |", flush=True)


def main() -> None:
    """Print both tables: changes of t, then what the maps are worth."""
    with threadpool_limits(1):  # many small eigenvalue problems: threads that wait for each other cost a factor of ten
        quality(stability())


if __name__ == "__main__":
    main()
