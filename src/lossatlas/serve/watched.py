"""Which runs there are, and which of their points are on the map, looked up again and again while they are written."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from lossatlas._arrays import InputError
from lossatlas.distance.source import refuse_other_runs
from lossatlas.store import GrowingRun, Run, run_folders

# Looks after which a run that cannot be read is spoken of. Once may be a writer that takes points out at this moment.
_PATIENCE = 3


class Key(NamedTuple):
    """What a point is known by, whatever becomes of its number."""

    run: str
    file: str
    mark: str  # its checksum: a run that is recorded again has files of the same names


@dataclass(frozen=True, eq=False)
class SeenRun:
    """Points of a run, as a run of their own, and those of them that are on the map."""

    run: Run
    kept: tuple[int, ...]
    keys: tuple[Key, ...]
    n_left_out: int  # points with weights that are not finite


@dataclass(frozen=True, eq=False)
class Seen:
    """What one look has found: all that is on the map, in the order of its rows."""

    runs: tuple[SeenRun, ...] = ()
    notes: tuple[str, ...] = ()  # what is not on the map, and why
    n_recorded: int = 0  # points of the runs, on the map or not

    @property
    def keys(self) -> tuple[Key, ...]:
        """Of each row."""
        return tuple(key for seen in self.runs for key in seen.keys)

    @property
    def says(self) -> tuple[object, ...]:
        """All that can differ from one look to the next."""
        return self.keys, self.notes, self.n_recorded, [seen.n_left_out for seen in self.runs]

    @property
    def opened(self) -> list[Run]:
        """The runs."""
        return [seen.run for seen in self.runs]

    @property
    def kept(self) -> list[tuple[int, ...]]:
        """Points of each run that are on the map."""
        return [seen.kept for seen in self.runs]


@dataclass(eq=False)
class _Known:
    """What is remembered of a folder from one look to the next."""

    growing: GrowingRun
    finite: dict[Key, bool] = field(default_factory=dict)
    n_failed: int = 0
    trouble: str = ""


class Watched:
    """Runs at some paths, those to come included.

    Of a run's manifest what was appended is read. Of more points than ``most`` every second, fourth, … of each run is
    on the map, and the newest, so that memory has a bound whatever the length of a training.
    """

    def __init__(self, paths: Sequence[str], *, most: int) -> None:
        self._paths, self._most = tuple(paths), most
        self._known: dict[Path, _Known] = {}
        self._seen = Seen()

    def look(self) -> Seen:
        """Return what is there now: the same object as before where nothing has changed."""
        folders = [folder.absolute() for folder in run_folders(self._paths)]
        is_same = folders == list(self._known)
        self._known = {folder: self._known.get(folder) or _Known(GrowingRun(folder)) for folder in folders}
        n_changed = sum(_read_on(known) for known in self._known.values())
        if n_changed or not is_same or self._is_unsure:
            seen = self._looked()
            self._seen = self._seen if seen.says == self._seen.says else seen
        return self._seen

    @property
    def _is_unsure(self) -> bool:
        return bool(self._seen.notes) or any(known.n_failed for known in self._known.values())

    def _looked(self) -> Seen:
        notes = [known.trouble for known in self._known.values() if known.n_failed >= _PATIENCE]
        known = self._comparable([known for known in self._known.values() if known.growing.n_points], notes)
        lengths = [one.growing.n_points for one in known]
        chosen = thinned(lengths, most=self._most)
        seen = [_finite(one, points, notes) for one, points in zip(known, chosen, strict=True)]
        return Seen(tuple(run for run in seen if run is not None), tuple(notes), sum(lengths))

    def _comparable(self, known: list[_Known], notes: list[str]) -> list[_Known]:
        kept: list[_Known] = []
        first: list[Run] = []
        for one in known[: self._most // 2]:
            run = one.growing.run([0])
            try:
                refuse_other_runs([*first, run])
            except InputError as error:
                notes.append(str(error))
            else:
                kept.append(one)
                first = first or [run]
        if len(known) > self._most // 2:
            n_more = len(known) - self._most // 2
            notes.append(f"{n_more} of {len(known)} runs are left out; ask for a higher --max-points, or name fewer runs")
        return kept


def _finite(known: _Known, chosen: Sequence[int], notes: list[str]) -> SeenRun | None:
    """Of the points of a run that have a place, those whose weights are finite; the others are forgotten."""
    try:
        run = known.growing.run(chosen)
    except (InputError, OSError) as error:
        notes.append(str(error))
        return None
    known.growing.forget_all_but(chosen)
    points = list(range(run.n_points))
    keys = [_key(run, point) for point in points]
    unknown = [point for point in points if keys[point] not in known.finite]
    lost, unread = _lost(run, unknown, notes)
    points = [point for point in points if point not in unread]
    before = known.finite
    known.finite = {keys[point]: before.get(keys[point], point not in lost) for point in points}
    kept = tuple(point for point in points if known.finite[keys[point]])
    return SeenRun(run, kept, tuple(keys[point] for point in kept), len(points) - len(kept))


def _lost(run: Run, points: Sequence[int], notes: list[str]) -> tuple[set[int], set[int]]:
    """Which points have weights that are not finite, and which cannot be read: a file that went away, or a damaged one."""
    lost: set[int] = set()
    unread: set[int] = set()
    for point in points:
        try:
            lost.update(run.diverged([point]))
        except (InputError, OSError) as error:
            unread.add(point)
            if len(unread) == 1:
                notes.append(str(error))
    return lost, unread


def _read_on(known: _Known) -> bool:
    """Read what has come to a run; return whether anything has, or could not be read."""
    try:
        has_news, known.n_failed = known.growing.look(), 0
    except (InputError, OSError) as error:
        known.n_failed += 1
        known.trouble = str(error)
        return True
    return has_news


def _key(run: Run, point: int) -> Key:
    line = run.lines[point]
    sketch = line.get("sketch") or {}
    return Key(str(run.path), line["file"], f"{line.get('crc32', '')} {sketch.get('crc32', '')} {line['step']}")


def thinned(lengths: Sequence[int], *, most: int) -> list[list[int]]:
    """Return the points of runs of these lengths that are kept, ``most`` at most for ``most / 2`` runs: evenly, and the newest.

    >>> thinned([3, 10], most=12)
    [[0, 2], [0, 2, 4, 6, 8, 9]]
    """
    if sum(lengths) <= most:
        return [list(range(n)) for n in lengths]
    stride = 2
    while stride < max(lengths) and sum(-(-n // stride) + 1 for n in lengths) > most * 3 // 4:
        stride *= 2
    # Of each run the newest are there one by one: they are what is looked at. Always as many, so that none comes back.
    tail = max(1, most // 4 // len(lengths))
    return [[point for point in range(n) if point % stride == 0 or point >= n - tail] for n in lengths]
