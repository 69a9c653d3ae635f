"""``python -m benchmarks.scaling``: scaling beside plain majorisation and scikit-learn's, and its passes beside a bound."""

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np

from benchmarks.data import artificial_tree, walks
from benchmarks.machine import described, hold_threads
from benchmarks.pairs import Seconds, paired, timed_in_turn
from benchmarks.tables import table
from lossatlas import phate
from lossatlas._compiled import compiled
from lossatlas.embed import classical_scaling, metric_scaling, stress
from lossatlas.embed.passes import HostPasses

SIZES = (304, 640, 2000)
HEAD = ("data, n, d", "way", "s", "CPU s", "times ours (CPU)", "passes", "stress-1")
# scikit-learn makes n x n arrays each pass: beyond this it takes minutes.
_PATIENCE = 1_000


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling", description=__doc__)
    parser.add_argument("--n", action="append", type=int, help=f"points; may be given again ({SIZES})")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of A B (3)")
    parser.add_argument("--threads", type=int, default=2, help="processors to keep to (2)")
    asked = parser.parse_args()
    hold_threads(asked.threads)
    print(described(("numpy", "scipy", "numba", "scikit-learn")))
    sizes = asked.n or SIZES
    print(
        "\n" + table(("n, d", "ns a pair", "bound ns a pair", "share of the bound"), [_pass(n, d) for n in sizes for d in (2, 5)])
    )
    rows = []
    for n in sizes:
        for name, make in DATA.items():
            rows += _compared(f"{name}, {n:,}, 2", potentials(make(n)), rounds=asked.rounds)
    print("\n" + table(HEAD, rows))
    print("\n" + table(("n", "s", "dense s", "times faster (CPU)"), [_classical(n, rounds=asked.rounds) for n in sizes]))


def potentials(points: np.ndarray) -> np.ndarray:
    """Distances between diffusion potentials, which is what a map draws."""
    return phate(points, n_landmark=None, n_components=1, scaling="classical").potential_distances


DATA: dict[str, Callable[[int], np.ndarray]] = {
    "walks": lambda n: walks(n, 500).astype(np.float64),
    "tree": lambda n: artificial_tree(0, branch_length=-(-n // 10)).noisy[:n],
    "clusters": lambda n: np.random.default_rng(0).normal(size=(n, 50)) + np.eye(8, 50)[np.arange(n) % 8] * 8,
}


def _compared(name: str, distances: np.ndarray, *, rounds: int) -> list[list[str]]:
    from sklearn.manifold import smacof

    start = classical_scaling(distances)
    ways: dict[str, Callable[[], tuple[np.ndarray, int]]] = {
        "lossatlas": lambda: metric_scaling(distances, start),
        "plain majorisation, to 1e-6": lambda: majorised(distances, start),
    }
    if len(distances) <= _PATIENCE:

        def theirs() -> tuple[np.ndarray, int]:
            places, _, count = smacof(
                distances, init=start, n_init=1, max_iter=3000, eps=1e-6, normalized_stress=False, return_n_iter=True
            )
            return places, count

        ways["scikit-learn, to 1e-6"] = theirs
    found = {way: call() for way, call in ways.items()}
    seconds = timed_in_turn(ways, rounds=rounds)
    ours = seconds["lossatlas"]
    return [
        [name, way, *_times(seconds[way], ours), str(count), f"{stress(distances, places):.8f}"]
        for way, (places, count) in found.items()
    ]


def _times(seconds: Seconds, ours: Seconds) -> tuple[str, str, str]:
    return f"{min(seconds.wall):.3f}", f"{min(seconds.cpu):.3f}", str(paired(ours.cpu, seconds.cpu))


def majorised(distances: np.ndarray, start: np.ndarray, *, tolerance: float = 1e-6) -> tuple[np.ndarray, int]:
    """Plain SMACOF on one thread, until a step gains less than ``tolerance`` of the stress: the twin without any of it."""
    places, moved, last = start - start.mean(axis=0), np.empty_like(start), np.inf
    passes = 0
    while passes < 3000:
        passes += 1
        raw = _majorise(distances, places, moved)
        if last - raw <= tolerance * raw:
            break
        places, moved, last = moved, places, raw
    return places, passes


@compiled
def _majorise(distances: np.ndarray, points: np.ndarray, moved: np.ndarray) -> float:
    n, d = points.shape
    moved[:] = 0.0
    raw = 0.0
    for i in range(n):
        for j in range(i + 1, n):
            squared = 0.0
            for k in range(d):
                squared += (points[i, k] - points[j, k]) ** 2
            length = np.sqrt(squared)
            raw += (length - distances[i, j]) ** 2
            if length > 0.0:
                pull = distances[i, j] / (length * n)
                for k in range(d):
                    step = pull * (points[i, k] - points[j, k])
                    moved[i, k] += step
                    moved[j, k] -= step
    return raw


def _pass(n: int, d: int) -> list[str]:
    # The bound: a root and a division each pair, of numbers that lie in the first cache; one thread.
    rng = np.random.default_rng(0)
    distances, points = rng.uniform(1, 2, size=(n, n)), rng.normal(size=(d, n))
    passes = HostPasses(distances, lambda work: work(0, 1))
    numbers, out = rng.uniform(1, 2, size=1_000), np.empty(1_000)
    ours = _least(lambda: passes.raw_stress_and_pulls(points)) / (n * (n - 1) / 2)
    bound = _least(lambda: _roots(numbers, out, 1_000)) / 1e6
    return [f"{n:,}, {d}", f"{ours * 1e9:.2f}", f"{bound * 1e9:.2f}", f"{bound / ours:.2f}"]


@compiled
def _roots(numbers: np.ndarray, out: np.ndarray, times: int) -> None:
    for _ in range(times):
        for j in range(len(numbers)):
            out[j] = 1.0 / np.sqrt(numbers[j])
        numbers[0] += 1e-9  # else once is enough


def _least(call: Callable[[], object], *, times: int = 20) -> float:
    call()
    seconds = []
    for _ in range(times):
        begin = time.thread_time()
        call()
        seconds.append(time.thread_time() - begin)
    return min(seconds)


def _classical(n: int, *, rounds: int) -> list[str]:
    distances = potentials(walks(n, 500).astype(np.float64))

    def dense() -> np.ndarray:
        squared = distances**2
        centred = squared - squared.mean(axis=0) - squared.mean(axis=1, keepdims=True) + squared.mean()
        return np.linalg.eigh(-centred / 2)[1]

    ways = {"ours": lambda: classical_scaling(distances), "dense": dense}
    for call in ways.values():
        call()
    seconds = timed_in_turn(ways, rounds=rounds)
    walls = [f"{statistics.median(seconds[way].wall):.3f}" for way in ways]
    return [f"{n:,}", *walls, str(paired(seconds["ours"].cpu, seconds["dense"].cpu))]


if __name__ == "__main__":
    main()
