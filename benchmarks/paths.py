"""Barriers between independently trained networks: on the straight line, after alignment, and along paths of low loss.

Trains the demo's network from two seeds on the same digits, three ways (good, bad, memorised), and connects each pair.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import lossatlas as la
from lossatlas.experiments.figure_two import OPTIMA, Optimum, Settings, task, training_of
from lossatlas.experiments.training import trained
from lossatlas.sample import BendSettings

Made = TypeVar("Made")


def main() -> None:
    """Print a row a pair, and write all numbers as JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("bench/paths"), help="where the trained networks are kept")
    parser.add_argument("--optima", nargs="+", choices=OPTIMA, default=list(OPTIMA))
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    rows = {optimum: connected(optimum, given.folder) for optimum in given.optima}
    if given.json:
        given.json.write_text(json.dumps(rows, indent=1))


def connected(optimum: Optimum, folder: Path) -> dict[str, float]:
    """Train two networks, connect them in every way, and return the barriers."""
    # The same digits and the same labels: `split` stays, the initialisation and the order of the data differ.
    pair = [Settings(seed=seed, split=0) for seed in (0, 1)]
    start, end = trained([training_of(optimum, folder / str(settings.seed), settings) for settings in pair])
    own = task(optimum, pair[0])
    numbers: dict[str, float] = {}
    aligned = timed(numbers, "align", lambda: la.align(own, start, end))
    numbers |= {"distance": aligned.distance[0], "distance_aligned": aligned.distance[1]}
    ways: dict[str, Callable[[], la.LowLossPath]] = {
        "band": lambda: la.nudged_elastic_band(own, start, end),
        "bezier": lambda: la.bezier_path(own, start, end),
        "chain": lambda: la.bezier_path(own, start, end, settings=BendSettings(curve="chain")),
        "band_aligned": lambda: la.nudged_elastic_band(own, start, aligned.tensors),
    }
    line = la.linear_path(own, start, end)
    numbers |= {"line": line.barrier, "line_aligned": la.linear_path(own, start, aligned.tensors).barrier}
    for name, way in ways.items():
        path = timed(numbers, name, way)
        numbers |= {name: path.barrier, f"{name}_length": path.length / path.straight.length}
    print(f"{optimum}: distance {numbers['distance']:.3g}, aligned {numbers['distance_aligned']:.3g}")
    for name in ("line", "line_aligned", *ways):
        print(f"  {name:14} barrier {numbers[name]:.4g}")
    print("  " + ", ".join(f"{name} {numbers[f'{name}_seconds']:.0f} s" for name in ("align", *ways)), flush=True)
    return numbers


def timed(numbers: dict[str, float], name: str, do: Callable[[], Made]) -> Made:
    """Return what is done, and note the seconds that it took."""
    began = time.perf_counter()
    made = do()
    numbers[f"{name}_seconds"] = time.perf_counter() - began
    return made


if __name__ == "__main__":
    main()
