"""Which sketch, its cost, and what is lost: ``python -m benchmarks.sketch [--maps] [DEMO]``."""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from scipy.spatial import procrustes

from benchmarks.constructions import CONSTRUCTIONS, dense
from lossatlas import open_runs, phate
from lossatlas.distance import Pairwise, pairwise
from lossatlas.distance.sketched import Sketches, sketched_pairwise, sketches
from lossatlas.embed import Embedding, metric_scaling
from lossatlas.sketch import sketch

K = 4096
P = 2**18  # 256 rows of 1,024: what the shapes below are cut from
SEEDS = 300
WALK = (640, 100_000)


def shapes() -> dict[str, np.ndarray]:
    """Return differences of snapshots, from spread to concentrated."""
    rng = np.random.default_rng(0)
    matrix = np.zeros((9, 256, 1024))
    even, lognormal, low_rank, row, rows, column, bias, two, single = matrix
    even[:] = rng.standard_normal(even.shape)
    lognormal[:] = even * np.exp(rng.standard_normal((256, 1)) * 1.5)  # rows of other scales, as layers are
    low_rank[:] = rng.standard_normal((256, 2)) @ rng.standard_normal((2, 1024))
    row[77] = rng.standard_normal(1024)
    rows[rng.choice(256, 5, replace=False)] = rng.standard_normal((5, 1024))  # tokens of an embedding
    column[:, 99] = rng.standard_normal(256)
    bias[200, 10:20] = rng.standard_normal(10)
    two[3, 5] = two[250, 800] = 1.0
    single[9, 9] = 1.0
    names = [
        "spread",
        "layer scales",
        "rank 2",
        "one row",
        "five rows",
        "one column",
        "a bias of 10",
        "two weights",
        "one weight",
    ]
    return {name: x.ravel() for name, x in zip(names, matrix, strict=True)}


def print_errors() -> None:
    """Print the relative error of ‖x‖² over seeds, in percent: standard deviation, and the worst seed."""
    vectors = shapes()
    print(f"\nRelative error of ‖x‖² in %, standard deviation (worst of {SEEDS} seeds); p = {P:,}, k = {K:,}\n")
    print("| construction | " + " | ".join(vectors) + " |\n|" + " --- |" * (len(vectors) + 1))
    for name, construction in CONSTRUCTIONS.items():
        cells, z = [], 0.0
        for x in vectors.values():
            errors = np.array([np.sum(construction(x, K, seed) ** 2) for seed in range(SEEDS)]) / (x @ x) - 1
            cells.append(f"{100 * errors.std():.2f} ({100 * np.abs(errors).max():.1f})")
            z = max(z, abs(errors.mean()) / max(errors.std() / SEEDS**0.5, 1e-12))
        print(f"| {name} | " + " | ".join(cells) + f" | <!-- largest bias: {z:.1f} of its standard errors -->", flush=True)


def print_costs(p: int = 16_000_000) -> None:
    """Print nanoseconds a weight, in turn, with the median of ratios to the chosen one; and threads on halves."""
    rng = np.random.default_rng(0)
    start = rng.standard_normal(p, dtype=np.float32)
    weights = start + np.float32(0.01) * rng.standard_normal(p, dtype=np.float32)
    half = p // 2
    pool = ThreadPoolExecutor(2)

    def halves() -> list[object]:
        parts = [(weights[:half], start[:half], 0), (weights[half:], start[half:], half)]
        return list(pool.map(lambda part: sketch(part[0], start=part[1], offset=part[2]), parts))

    calls: dict[str, Callable[[], object]] = {
        name: (lambda construction=construction: construction(weights, K, 0)) for name, construction in CONSTRUCTIONS.items()
    }
    calls["`sketch`: difference and exact norms too"] = lambda: sketch(weights, start=start)
    calls["`sketch`, two threads on halves"] = halves
    calls["NumPy: norms and product alone, three passes"] = lambda: (weights @ weights, start @ start, weights @ start)
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for repetition in range(6):
        for name, call in calls.items():
            begin = time.perf_counter()
            call()
            if repetition:
                seconds[name].append(time.perf_counter() - begin)
    chosen = np.array(seconds[next(iter(CONSTRUCTIONS))])
    print(f"\nCost, p = {p:,} float32: least of 5, and the median ratio to the first\n")
    print("| construction | ns a weight | ratio | bytes read a weight | GB/s |\n| --- | --- | --- | --- | --- |")
    for name, times in seconds.items():
        least, ratio = min(times), np.median(np.array(times) / chosen)
        size = 8 if "`" in name else 16 if "NumPy" in name else 4
        print(f"| {name} | {1e9 * least / p:.2f} | {ratio:.1f} | {size} | {size * p / least / 1e9:.1f} |")
    few = weights[:4_000].astype(np.float64)
    dense(few[:10], K, 0)
    begin = time.perf_counter()
    dense(few, K, 0)
    print(f"| rows of signs, dense | {1e9 * (time.perf_counter() - begin) / len(few):.0f} | | 4 | |", flush=True)


def smoothed_steps(n: int, p: int, rng: np.random.Generator, *, width: int = 20) -> np.ndarray:
    """Return a walk whose steps are means of ``width`` Gaussian ones, ``(n, p)`` float32."""
    sums = rng.standard_normal((n + width, p), dtype=np.float32).cumsum(axis=0)
    return ((sums[width:] - sums[:-width]) / width).cumsum(axis=0)


def branching_walk(seed: int, *, n_branches: int = 5) -> np.ndarray:
    """Return a tree of smooth walks: branches of unequal length that leave any earlier point, ``(640, 100,000)`` float32."""
    rng = np.random.default_rng(seed)
    n, p = WALK
    shares = rng.uniform(0.5, 1.5, n_branches)
    lengths = np.round(n * shares / shares.sum()).astype(int)
    lengths[0] += n - lengths.sum()
    start = 5 * rng.standard_normal((1, p), dtype=np.float32)
    points = np.concatenate([start, start + smoothed_steps(lengths[0] - 1, p, rng)])
    for length in lengths[1:]:
        points = np.concatenate([points, points[rng.integers(len(points))] + smoothed_steps(length, p, rng)])
    return points


def star(seed: int, *, n_branches: int = 4) -> np.ndarray:
    """Return equal branches from one start: no two of them differ but by chance, so that the plane has no best view of them."""
    rng = np.random.default_rng(seed)
    n, p = WALK
    start = 5 * rng.standard_normal((1, p), dtype=np.float32)
    return np.concatenate([start + smoothed_steps(n // n_branches, p, rng) for _ in range(n_branches)])


def direct(made: Sketches) -> np.ndarray:
    """Return squared distances as the plain ‖Sa - Sb‖²."""
    return pairwise(made.values).squared


def errors(squared: np.ndarray, exact: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return relative errors of distances, in percent: of all pairs, and of consecutive points."""
    with np.errstate(invalid="ignore", divide="ignore"):
        relative = 100 * (np.sqrt(squared / exact) - 1)
    every, consecutive = relative[np.triu_indices(len(exact), k=1)], np.diagonal(relative, offset=1)
    return every[np.isfinite(every)], consecutive[np.isfinite(consecutive)]


def disparity(a: Embedding, b: Embedding) -> float:
    """Return what is left of one map after the best turn and scale onto the other: 0 the same, 1 nothing in common."""
    return float(procrustes(a.coordinates, b.coordinates)[2])


def from_the_exact_map(exact: Embedding, sketched: Embedding) -> float:
    """Return the disparity if the scaling of the sketched potential starts from the exact map, not from its own axes."""
    coordinates, _ = metric_scaling(sketched.potential_distances, exact.coordinates)
    return float(procrustes(exact.coordinates, coordinates)[2])


def print_map(name: str, points: np.ndarray, *, seeds: range) -> None:
    """Print errors of distances and disparities of maps, a row a seed of the sketch."""
    exact = pairwise(points)
    drawn = phate(exact)
    plain_all, plain_next, all_pairs, next_pairs = [], [], [], []
    for seed in seeds:
        made = sketches(points, k=K, seed=seed)
        estimated = sketched_pairwise(made)
        for kept, values in zip((plain_all, plain_next), errors(direct(made), exact.squared), strict=True):
            kept.append(values)
        for kept, values in zip((all_pairs, next_pairs), errors(estimated.squared, exact.squared), strict=True):
            kept.append(values)
        below = int((direct(made) < np.subtract.outer(made.displacements, made.displacements) ** 2 * (1 - 1e-9)).sum()) // 2
        print(row(f"{name}, sketch {seed}", drawn, estimated) + f" {below} |", flush=True)
    print(
        f"<!-- {name}: standard deviation (worst) of distances in %, all pairs {spread(all_pairs)}, consecutive "
        f"{spread(next_pairs)}; by ‖Sa - Sb‖ alone {spread(plain_all)}, {spread(plain_next)} -->",
        flush=True,
    )


def spread(values: list[np.ndarray]) -> str:
    """Return root mean square and the worst of all seeds."""
    together = np.concatenate(values)
    return f"{np.sqrt((together**2).mean()):.2f} ({np.abs(together).max():.2f}), mean {together.mean():+.3f}"


def row(name: str, drawn: Embedding, estimated: Pairwise) -> str:
    """Return disparities with t chosen anew, with the exact map's t, and from the exact map's coordinates."""
    anew = phate(estimated)
    same = anew if anew.t == drawn.t else phate(estimated, t=drawn.t)
    gap = np.linalg.norm(same.potential_distances - drawn.potential_distances) / np.linalg.norm(drawn.potential_distances)
    return (
        f"| {name} | {drawn.t}, {anew.t} | {disparity(drawn, anew):.5f} | {disparity(drawn, same):.5f} | "
        f"{from_the_exact_map(drawn, same):.5f} | {100 * gap:.2f} | {drawn.stress:.4f}, {same.stress:.4f} |"
    )


def demo_points(folder: Path) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the jumps of each optimum as the demo maps them, the optimum first."""
    for optimum in ("good", "bad", "memorised"):
        runs = open_runs(folder / "jumps" / optimum)
        runs.sort(key=lambda run: run.name != "optimum")
        yield optimum, np.concatenate([run.weights(dtype="float64") for run in runs])


def print_maps(demo: Path) -> None:
    """Print what becomes of maps: of walks, and of the demo's data where they are."""
    print(f"\nMaps from sketches of k = {K:,} beside exact ones\n")
    print("| data | t exact, sketched | disparity, t anew | same t | from the exact map | potential off, % | stress | clipped |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for seed in range(4):
        print_map(f"branching walk {seed}", branching_walk(seed), seeds=range(2))
    print_map("star of 4", star(0), seeds=range(2))
    if not (demo / "jumps").exists():
        print(f"\nThere is no {demo}/jumps: `make demo` first, for the maps of its data", file=sys.stderr)
        return
    for optimum, points in demo_points(demo):
        print_map(f"demo, {optimum}", points, seeds=range(10))


def main() -> None:
    """Print costs, errors by shape, and what becomes of maps."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sketch", description=__doc__)
    parser.add_argument("demo", nargs="?", type=Path, default=Path("demo"), help="the folder that `make demo` wrote")
    parser.add_argument("--maps", action="store_true", help="maps alone")
    asked = parser.parse_args()
    if not asked.maps:
        print_costs()
        print_errors()
    print_maps(asked.demo)


if __name__ == "__main__":
    main()
