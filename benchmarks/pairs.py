"""Time ways in turn, and compare them round by round."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Pair:
    """Median seconds of two ways, and the median of their ratios, taken round by round."""

    ours: float
    theirs: float
    ratio: float  # theirs / ours, of neighbours in time: a slow minute of the machine hits both
    least: float
    most: float

    def __str__(self) -> str:
        return f"{self.ratio:.1f} ({self.least:.1f} to {self.most:.1f})"


def timed_pair(ours: Callable[[], object], theirs: Callable[[], object], *, rounds: int = 3) -> Pair:
    """Time both in the order A B A B, after one call of each that is not counted."""
    ours()
    theirs()
    seconds = timed_in_turn({"ours": ours, "theirs": theirs}, rounds=rounds)
    return paired(seconds["ours"].wall, seconds["theirs"].wall)


@dataclass(frozen=True)
class Seconds:
    """Seconds of one way in each round: by the clock, and of all processors for this process."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)  # what others do on the machine moves these far less


def timed_in_turn(ways: Mapping[str, Callable[[], object]], *, rounds: int) -> dict[str, Seconds]:
    """Seconds of each way in each round, in the order A B C A B C."""
    seconds = {name: Seconds() for name in ways}
    for _ in range(rounds):
        for name, call in ways.items():
            wall, cpu = time.perf_counter(), time.process_time()
            call()
            seconds[name].wall.append(time.perf_counter() - wall)
            seconds[name].cpu.append(time.process_time() - cpu)
    return seconds


def paired(ours: Sequence[float], theirs: Sequence[float]) -> Pair:
    """Compare the seconds of two ways round by round."""
    ratios = sorted(b / a for a, b in zip(ours, theirs, strict=True))
    return Pair(statistics.median(ours), statistics.median(theirs), statistics.median(ratios), ratios[0], ratios[-1])
