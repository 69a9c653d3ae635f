"""``python -m benchmarks``: print the tables; ``--write`` puts them into the README."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from benchmarks.bounds import bounds_table
from benchmarks.data import walks
from benchmarks.gpu import gpu_table
from benchmarks.machine import described, hold_threads
from benchmarks.pairs import timed_pair
from benchmarks.sizes import QUICK, SIZES, Settings, Size, sizes_table
from benchmarks.tables import README, filled, table
from benchmarks.trees import trees_table
from lossatlas import cosine_distances


def main() -> None:
    """Print what is asked for, by default everything."""
    asked = _asked()
    hold_threads(asked.threads)
    machine = described()
    print(machine)
    written = {"machine": machine}
    for name in asked.only or SECTIONS:
        print(f"\n## {name}\n", flush=True)
        written[name] = SECTIONS[name](asked)
        print(written[name], flush=True)
    if asked.write:
        README.write_text(filled(README.read_text(), written))


def dense_distances(points: np.ndarray) -> np.ndarray:
    """Cosine distances by the textbook: float64 copies of all points, and 1 minus a product."""
    dense = points.astype(np.float64)
    dense /= np.linalg.norm(dense, axis=1, keepdims=True)
    return 1 - dense @ dense.T


def distances_table(*, rounds: int) -> str:
    """Return the table of streamed cosine distances beside dense ones."""
    points = walks(640, 100_000)
    pair = timed_pair(lambda: cosine_distances(points), lambda: dense_distances(points), rounds=rounds)
    row = ["640 × 100,000", f"{pair.ours:.2f}", f"{pair.theirs:.2f}", str(pair)]
    return table(("n × p", "streamed s", "dense s", "times faster (range)"), [row])


SECTIONS: Mapping[str, Callable[[argparse.Namespace], str]] = {
    "sizes": lambda asked: sizes_table(_sizes(asked), Settings(asked.rounds, asked.threads, asked.patience), say=_say),
    "bounds": lambda asked: bounds_table(_sizes(asked), rounds=asked.rounds, say=_say),
    "distances": lambda asked: distances_table(rounds=asked.rounds),
    "trees": lambda asked: trees_table(seeds=2 if asked.quick else asked.seeds, n_branch=3 if asked.quick else 10, say=_say),
    "gpu": lambda asked: gpu_table(_sizes(asked), rounds=asked.rounds),
}


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # how far it is: the tables come when they are whole


def _sizes(asked: argparse.Namespace) -> Sequence[Size]:
    return QUICK if asked.quick else [size for size in SIZES if not asked.n or size.n in asked.n]


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", action="append", choices=list(SECTIONS), help="print this section; may be given again")
    parser.add_argument("--n", action="append", type=int, help="only the size of so many points; may be given again")
    parser.add_argument("--quick", action="store_true", help="tiny sizes: whether it runs, not how fast")
    parser.add_argument("--rounds", type=int, default=2, help="rounds of A B (2)")
    parser.add_argument("--threads", type=int, default=2, help="processors to keep to (2)")
    parser.add_argument("--patience", type=float, default=180.0, help="seconds after which a way is given up (180)")
    parser.add_argument("--seeds", type=int, default=10, help="trees of each kind (10)")
    parser.add_argument("--write", action="store_true", help="put the tables into benchmarks/README.md")
    return parser.parse_args()


if __name__ == "__main__":
    main()
