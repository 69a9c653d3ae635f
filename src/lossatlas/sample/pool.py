"""A local pool of processes that outlives its workers, and whose workers do not outlive it."""

import multiprocessing
import multiprocessing.util
import os
import pickle  # noqa: TID251 - between processes of one program, never on disk
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any

import joblib

from lossatlas._arrays import InputError


class LocalPool(Executor):
    """Processes on this machine, one torch thread each; work lost with a killed worker is done again.

    The standard pool fails every unfinished task when one worker dies. Here the pool is started anew and unfinished work is
    submitted again, at most ``retries`` times, so work must be repeatable. Workers end when this process does, however it ends.

    As with any pool of processes, a script that makes one does so under ``if __name__ == "__main__":``, or each worker would
    run the script again.

    Args:
        workers: Number of processes; by default one a processor.
        retries: How often one piece of work may be lost to a dying pool before its future fails.

    Raises:
        InputError: it would have no worker, or is made in a worker that runs the user's script.
    """

    def __init__(self, workers: int | None = None, *, retries: int = 2) -> None:
        if workers is not None and workers < 1:
            raise InputError(f"workers must be at least 1, but is {workers}; leave it out for one a processor")
        self._workers = workers or joblib.cpu_count()  # honours the limits of containers and of affinity
        self._retries = retries
        if getattr(multiprocessing.current_process(), "_inheriting", False):  # a worker is running the user's script
            raise InputError("make a LocalPool under `if __name__ == '__main__':`, or every worker would start the script anew")
        self._lock = threading.Lock()
        self._is_shut = False  # takes no new work
        self._is_closing = False  # loses the work that it has
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")  # a forked copy of a process with torch's threads may hang
        ends, self._lifeline = context.Pipe(duplex=False)
        self._pool = ProcessPoolExecutor(self._workers, context, _begin_worker, (ends,))

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:  # noqa: ANN401 - as in Executor
        """Return the future of ``fn(*args, **kwargs)`` in a worker."""
        if self._is_shut:
            raise RuntimeError("cannot schedule new futures after shutdown")
        outer: Future[Any] = Future()
        # By value: torch would hand tensors over as open files through a socket, which breaks, aloud, when a worker is ended.
        work = pickle.dumps((fn, args, kwargs))
        self._submit(outer, 0, lambda pool: pool.submit(_do, work))
        return outer

    def _submit(self, outer: Future[Any], losses: int, send: Callable[[ProcessPoolExecutor], Future[Any]]) -> None:
        with self._lock:
            pool = self._pool
            try:
                inner = send(pool)
            except BrokenProcessPool:
                self._start()
                pool = self._pool
                inner = send(pool)

        def settle(inner: Future[Any]) -> None:
            if inner.cancelled() or outer.cancelled():
                outer.cancel()
                outer.set_running_or_notify_cancel()  # else as_completed would wait for it
                return
            error = inner.exception()
            if isinstance(error, BrokenProcessPool) and losses < self._retries and not self._is_closing:
                with self._lock:
                    if self._pool is pool:
                        self._start()
                self._submit(outer, losses + 1, send)
            elif not outer.set_running_or_notify_cancel():
                return
            elif error is not None:
                outer.set_exception(error)
            else:
                outer.set_result(inner.result())

        inner.add_done_callback(settle)
        outer.add_done_callback(lambda outer: inner.cancel() if outer.cancelled() else None)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 - as in Executor
        """End the pool; with ``cancel_futures`` the workers stop at once, in the middle of their work."""
        self._is_shut = True
        self._is_closing = self._is_closing or cancel_futures
        pool = None
        while pool is not self._pool:  # work that was lost meanwhile goes on in a new pool
            with self._lock:
                pool = self._pool
                if cancel_futures:
                    self._lifeline.close()
            pool.shutdown(wait=wait, cancel_futures=cancel_futures)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        # After an error or Ctrl-C nobody waits for the rest.
        self.shutdown(wait=True, cancel_futures=kind is not None)


def _do(work: bytes) -> Any:  # noqa: ANN401 - whatever the work returns
    fn, args, kwargs = pickle.loads(work)  # noqa: S301 - from the pool's own process
    return fn(*args, **kwargs)


def _begin_worker(lifeline: Connection) -> None:
    threading.Thread(target=_end_with, args=(lifeline,), daemon=True).start()
    # Ctrl-C reaches the whole group; the pool decides when its workers end.
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    import torch  # here, so that the pool itself needs none

    torch.set_num_threads(1)
    # Last of all that a process does when it is told to end: what it worked for has been sent.
    multiprocessing.util.Finalize(None, _leave, exitpriority=-100)


def _leave() -> None:
    """End at once: taking torch down piece by piece costs some half a second a worker."""
    if sys.exc_info()[0] is None:  # else it dies of an error, which is still to be printed
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def _end_with(lifeline: Connection) -> None:
    # Nothing is ever sent: reading returns only when the other end is closed, by the pool or by the death of its process.
    try:
        lifeline.recv()
    except (EOFError, OSError):
        os._exit(1)
