"""Time two functions in turn, and compare them pair by pair."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Pair:
    """Median seconds of two ways, and the median of their ratios, taken round by round."""

    ours: float
    theirs: float
    ratio: float  # theirs / ours, of neighbours in time: a slow minute of the machine hits both
    least: float
    most: float


def timed_pair(ours: Callable[[], object], theirs: Callable[[], object], *, rounds: int = 3) -> Pair:
    """Time both in the order A B A B, after one call of each that is not counted."""
    ours()
    theirs()
    seconds = [(_seconds(ours), _seconds(theirs)) for _ in range(rounds)]
    ratios = sorted(b / a for a, b in seconds)
    return Pair(
        statistics.median(a for a, _ in seconds),
        statistics.median(b for _, b in seconds),
        statistics.median(ratios),
        ratios[0],
        ratios[-1],
    )


def _seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start
