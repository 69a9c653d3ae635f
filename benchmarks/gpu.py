"""``python -m benchmarks.gpu``: the same maps on the GPU and beside it, where there is one."""

from collections.abc import Sequence

import numpy as np
from scipy.linalg import orthogonal_procrustes

from benchmarks.data import walks
from benchmarks.pairs import timed_pair
from benchmarks.sizes import SIZES, Size
from benchmarks.tables import table
from lossatlas import phate

HEAD = ("n × p", "GPU s", "CPU s", "times faster (range)", "largest difference of coordinates")


def gpu_table(sizes: Sequence[Size] = SIZES, *, rounds: int = 3) -> str:
    """Return the table, or one line if there is no GPU."""
    try:
        import torch
    except ModuleNotFoundError:
        return "no GPU here: torch is absent"
    if not torch.cuda.is_available():
        return "no GPU here"
    rows = [_row(size, rounds) for size in sizes]
    return f"{torch.cuda.get_device_name()}\n\n{table(HEAD, rows)}"


def aligned_difference(one: np.ndarray, other: np.ndarray) -> float:
    """Largest difference of coordinates after the best turn, in parts of the map's own size: axes may be mirrored."""
    one, other = one - one.mean(axis=0), other - other.mean(axis=0)
    turn, _ = orthogonal_procrustes(one, other)
    return float(np.abs(one @ turn - other).max() / np.abs(other).max())


def _row(size: Size, rounds: int) -> list[str]:
    points, drawn = walks(size.n, size.p), {}

    def call(device: str) -> None:
        drawn[device] = phate(points, n_landmark=size.n_landmark, device=device).coordinates

    try:
        pair = timed_pair(lambda: call("cuda"), lambda: call("cpu"), rounds=rounds)
    except Exception as error:  # noqa: BLE001 - a size that fails must not take the others' rows with it
        return [str(size), str(error).splitlines()[0], "–", "–", "–"]
    return [
        str(size),
        f"{pair.ours:.2f}",
        f"{pair.theirs:.2f}",
        str(pair),
        f"{aligned_difference(drawn['cuda'], drawn['cpu']):.1e}",
    ]


if __name__ == "__main__":
    print(gpu_table())
