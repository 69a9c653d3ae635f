"""Two levels of threads kept apart: blocks run side by side, and the BLAS inside each runs alone."""

import functools
import itertools
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import threadpoolctl

_CHUNKS = 16  # the same on every machine

_lock = threading.Lock()
_within = 0
_setter: tuple[Callable[[], None], threading.Thread] | None = None  # what undoes the limit, and the thread that set it


@functools.cache
def _libraries() -> threadpoolctl.ThreadpoolController:
    return threadpoolctl.ThreadpoolController()  # looks through all loaded libraries, which takes milliseconds


@contextmanager
def workers() -> Iterator[Executor]:
    """Give a pool of one thread a core, whose BLAS calls stay in their thread; the BLAS gets its own threads back after.

    OpenBLAS spreads a product of some hundred rows over threads badly, and blocks side by side keep every core busy.
    """
    with ThreadPoolExecutor(n_cores()) as pool, _alone():
        yield pool


def n_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def _alone() -> Iterator[None]:
    # The limit is one for the whole process: the first caller of several sets it, the last one lifts it.
    global _within, _setter  # noqa: PLW0603 - as is the thing that is counted
    with _lock:
        if _within == 0:
            before = _libraries().info()
            limit = _libraries().limit(limits=1, user_api="blas")
            # Where another thread holds the limits nothing was set, and must not be set back when that one has left.
            _setter = None if _libraries().info() == before else (limit.restore_original_limits, threading.current_thread())
        _within += 1
    try:
        yield
    finally:
        with _lock:
            _within -= 1
            if _within == 0 and _setter:
                _lift(*_setter)


def _lift(undo: Callable[[], None], setter: threading.Thread) -> None:
    # threadpoolctl 3.8 listens to the thread alone that set a limit; older ones to any.
    let_go = getattr(threadpoolctl.OpenBLASController, "clear_controlling_thread", None)
    if let_go and setter is not threading.current_thread():
        let_go(force=True)
    undo()
    if let_go:
        let_go()


def over_rows(pool: Executor, function: Callable[[int, int], Any], n: int, *, triangle: bool = False) -> list[Any]:
    """Call ``function(start, stop)`` on a fixed number of ranges of ``n`` rows; of a triangle's, with as many pairs each."""
    shares = [k / _CHUNKS for k in range(_CHUNKS + 1)]
    if triangle:
        shares = [1 - (1 - share) ** 0.5 for share in shares]
    cuts = [round(n * share) for share in shares]
    jobs = [pool.submit(function, a, b) for a, b in itertools.pairwise(cuts) if a < b]
    return [job.result() for job in jobs]
