"""Runs that grow become scenes: new points at once on the standing map, a fit of all behind it."""

import queue
import threading
import time
import warnings
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from lossatlas._arrays import InputError
from lossatlas._atlas import recorded_metrics, recorded_steps, traces_of
from lossatlas.draw import Layout, Scene, SceneMap, scene_run
from lossatlas.embed import MapWarning
from lossatlas.serve.feed import Feed
from lossatlas.serve.growing import Rows, grown
from lossatlas.serve.standing import LEAST, MapSettings, Standing, fitted, places
from lossatlas.serve.watched import Key, Seen, Watched


@dataclass(eq=False)
class _Fit:
    """A fit in the background, and what came of it."""

    seen: Seen
    is_done: bool = False
    standing: Standing | None = None
    trouble: str = ""


@dataclass(frozen=True, kw_only=True)
class When:
    """When the map is fitted anew: once so many are new, or when nothing has come for a while."""

    share: float = 0.1  # of the points that it was fitted to
    idle: float = 3.0  # seconds
    clock: Callable[[], float] = field(default=time.monotonic, repr=False)


class LiveAtlas:
    """The map of runs that are being written.

    Call :meth:`poll` again and again, from one thread. It reads what has come, and never waits for a fit.

    Args:
        runs: Run folders, folders of runs, or patterns; what they lead to may come later.
        settings: How the map is made.
        title: Of the scene.
        most: Points on the map; of more, evenly spaced ones and the newest.
        when: The map is fitted anew.
        wake: Called from another thread when a fit is done.
    """

    def __init__(
        self,
        runs: Sequence[str],
        *,
        settings: MapSettings | None = None,
        title: str = "lossatlas",
        most: int = 2000,
        when: When | None = None,
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        if most < 8:
            raise InputError(f"a map needs 8 points or more, but at most {most} are asked for; pass a higher number")
        self.title, self.settings = title, settings or MapSettings()
        self._named = ", ".join(map(repr, map(str, runs)))
        self._watched = Watched(runs, most=most)
        self._when, self._wake = when or When(), wake
        self._seen: Seen | None = None
        self._standing: Standing | None = None
        self._fit: _Fit | None = None
        self._trouble = ""
        self._tried: Seen | None = None  # what the last fit was of, whether it could be made or not
        self._places: dict[Key, np.ndarray] = {}  # of points that the standing map was not fitted to
        self._last = self._when.clock()
        # One thread for all fits: each new one would get memory of its own from the system, which is not given back.
        self._fitting: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        threading.Thread(target=_work, args=(self._fitting,), name="lossatlas-fit", daemon=True).start()
        weakref.finalize(self, self._fitting.put, None)

    @property
    def standing(self) -> Standing | None:
        """The map that was fitted last."""
        return self._standing

    @property
    def is_fitting(self) -> bool:
        """Whether a fit goes on in the background."""
        return self._fit is not None

    def poll(self) -> Scene | None:
        """Look what has come; return the scene if it is another than before."""
        seen = self._look()
        has_news = seen is not self._seen
        if has_news:
            self._seen, self._last = seen, self._when.clock()
        has_fit = self._take_fit()
        made = self._scene(seen) if has_news or has_fit else None
        if self._is_due(seen):
            self._begin_fit(seen)
        return made

    def _look(self) -> Seen:
        try:
            return self._watched.look()
        except OSError as error:  # a disk that is away for a while, as one of the network
            trouble = f"the runs cannot be read just now ({error.strerror or error}); what is shown is older"
            before = self._seen or Seen()
            return before if before.notes == (trouble,) else replace(before, notes=(trouble,))

    def _take_fit(self) -> bool:
        fit = self._fit
        if fit is None or not fit.is_done:
            return False
        self._fit, self._trouble = None, fit.trouble
        if fit.standing is not None:
            self._standing, self._places = fit.standing, {}
        return True

    def _is_due(self, seen: Seen) -> bool:
        n = len(seen.keys)
        if self._fit is not None or n < LEAST or seen is self._tried:
            return False
        if self._standing is None:
            return True
        known = set(self._standing.keys)
        n_other = len(known.symmetric_difference(seen.keys))
        is_idle = self._when.clock() - self._last >= self._when.idle
        return n_other >= max(1.0, self._when.share * len(known)) or (n_other > 0 and is_idle)

    def _begin_fit(self, seen: Seen) -> None:
        fit = self._fit = _Fit(seen)
        self._tried = seen
        before = self._standing

        def work() -> None:
            try:
                with warnings.catch_warnings():
                    # What a map's reader has to know stands beside the map; on a terminal it would come with every fit.
                    warnings.simplefilter("ignore", MapWarning)
                    fit.standing = fitted(self.title, seen, self.settings, before)
            except InputError as error:
                fit.trouble = str(error)
            except Exception as error:  # noqa: BLE001 - a training's view goes on without its newest fit
                fit.trouble = f"the map could not be fitted ({type(error).__name__}: {error})"
            fit.is_done = True
            self._wake()

        self._fitting.put(work)

    def _scene(self, seen: Seen) -> Scene:
        map_, trouble = self._map(seen)
        notes = [*seen.notes, *filter(None, dict.fromkeys([self._trouble, trouble]))]
        return Scene(
            title=self.title, summary=" ".join(f"{note.rstrip('.')}." for note in [self._state(seen), *notes]), maps=(map_,)
        )

    def _map(self, seen: Seen) -> tuple[SceneMap, str]:
        standing = self._standing
        if standing is None or not seen.runs:
            nowhere = Layout(name="PHATE", caption="", coordinates=np.zeros((0, 2), np.float32))
            return SceneMap(name=self.title, layouts=(nowhere,), time=np.zeros(0, np.float32)), ""
        trouble = ""
        try:
            self._place(standing, seen)
        except (InputError, OSError) as error:  # a file that its writer took out since; the next look knows
            trouble = str(error)
        rows, keys = standing.rows, seen.keys
        old = np.array([rows.get(key, -1) for key in keys], dtype=np.int64)
        nowhere_yet = np.full(standing.embedding.coordinates.shape[1], np.nan)
        traces = traces_of(seen.opened, seen.kept, n_left_out=[run.n_left_out for run in seen.runs])
        there = Rows(
            old=old,
            places=np.array([self._places.get(key, nowhere_yet) for key in keys]).reshape(len(keys), len(nowhere_yet)),
            time=recorded_steps(seen.opened, seen.kept),
            runs=tuple(map(scene_run, traces)),
            recorded=recorded_metrics(seen.opened, seen.kept),
        )
        return grown(standing.map, there), trouble

    def _place(self, standing: Standing, seen: Seen) -> None:
        rows = standing.rows
        here = {key: self._places[key] for key in seen.keys if key in self._places}
        new = [row for row, key in enumerate(seen.keys) if key not in rows and key not in here]
        self._places = here
        if new:
            keys = seen.keys
            found = places(standing, seen, new)
            self._places |= {keys[row]: place for row, place in zip(new, found, strict=True)}

    def _state(self, seen: Seen) -> str:
        n = len(seen.keys)
        if not seen.n_recorded:
            return f"No point is recorded yet at {self._named}"
        if n < LEAST:
            return f"{n} point{'s' * (n != 1)} so far: a map needs {LEAST}"
        if self._standing is None and not self._trouble:
            return f"{n:,} points: the first map is being made"
        left_out = seen.n_recorded - n - sum(run.n_left_out for run in seen.runs)
        return f"{n:,} of {seen.n_recorded:,} points, evenly spaced along each run" if left_out else f"{n:,} points"


def _work(jobs: "queue.SimpleQueue[Callable[[], None] | None]") -> None:
    while (job := jobs.get()) is not None:
        job()
        del job  # what it holds, before the next is waited for


def follow(live: LiveAtlas, feed: Feed, *, interval: float, stop: threading.Event, wake: threading.Event) -> None:
    """Poll until ``stop`` is set, and publish what is new.

    Between two looks it waits ``interval`` seconds, and three times what the last one took: looking never has a core to itself.
    """
    while not stop.is_set():
        began = time.monotonic()
        made = live.poll()
        if made is not None:
            feed.publish(made)
        wake.wait(max(interval, 3 * (time.monotonic() - began)))
        wake.clear()
