"""Snapshots are written off the training thread, a few of them waiting at most."""

import queue
import threading
import weakref
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

# Snapshots that wait while one is written: what training may be ahead of the disk.
_WAITING = 2


class _Snapshot(NamedTuple):
    taken: Any  # of the model: what `append` takes
    about: dict[str, Any]


@dataclass
class _Shared:
    """What the two threads share: the work that waits, and the error that ended it."""

    append: Callable[..., None]
    skip: Callable[[Any], object] | None  # what is still done with a snapshot after an error
    waiting: "queue.Queue[_Snapshot | None]" = field(default_factory=lambda: queue.Queue(_WAITING))
    error: BaseException | None = None


class BackgroundWriter:
    """Append snapshots in their order in a thread of its own.

    ``append`` returns once the snapshot waits; it waits itself while others do, so that memory stays bounded. An error of the
    disk reaches whoever calls next, once for each call, and nothing is written after it. What waits when the program ends is
    written first; what waits when it is killed is lost.

    Args:
        append: Writes one snapshot, durably.
        skip: Called with each snapshot after an error, where others wait for this process's part in it.
    """

    def __init__(self, append: Callable[..., None], *, skip: Callable[[Any], object] | None = None) -> None:
        self._shared = _Shared(append, skip)
        self._thread = threading.Thread(target=_write, args=(self._shared,), name="lossatlas writer", daemon=True)
        self._thread.start()
        # Also where nobody closes the recorder, and at the end of the program.
        self._end = weakref.finalize(self, _finish, self._shared, self._thread)

    def append(self, taken: object, **about: object) -> None:
        """Let a snapshot wait to be written, with what ``append`` is told of it.

        Raises:
            InputError: the disk refused an earlier one.
        """
        self._shared.waiting.put(_Snapshot(taken, about))
        self.refuse_failed()

    def refuse_failed(self) -> None:
        """Raise the error of the writing thread, if there is one."""
        if self._shared.error is not None:
            raise self._shared.error

    def flush(self) -> None:
        """Wait until all is written.

        Raises:
            InputError: the disk refused.
        """
        self._shared.waiting.join()
        self.refuse_failed()

    def close(self) -> None:
        """Wait until all is written, and end the thread.

        Raises:
            InputError: the disk refused.
        """
        self._end()
        self.refuse_failed()


def _write(shared: _Shared) -> None:
    while (snapshot := shared.waiting.get()) is not None:
        if shared.error is None:
            try:
                shared.append(snapshot.taken, **snapshot.about)
            except BaseException as error:  # noqa: BLE001 - whatever it is, it belongs to the training loop
                shared.error = error
        elif shared.skip:
            with suppress(Exception):
                shared.skip(snapshot.taken)
        del snapshot  # its memory, before the next is waited for
        shared.waiting.task_done()


def _finish(shared: _Shared, thread: threading.Thread) -> None:
    shared.waiting.put(None)
    thread.join()
