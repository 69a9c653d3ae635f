"""Files read past the system's cache, which a run larger than memory would fill with what is read once."""

import mmap
import os
import threading
from pathlib import Path

import numpy as np

_PAGE = 4096  # what offsets and lengths have to be a multiple of, on every disk in use
_ROOM = 2**20  # bytes that are read at once

_own = threading.local()


class DirectFile:
    """A file open for reading by pages into memory of its own, from which the bytes that are wanted are copied.

    Raises:
        OSError: the system or the file's disk has no such way to read.
    """

    def __init__(self, path: Path) -> None:
        flag = getattr(os, "O_DIRECT", 0)
        if not flag:
            raise OSError("this system reads no file past its cache")
        self._file = os.open(path, os.O_RDONLY | flag)
        self._at = 0

    def __enter__(self) -> "DirectFile":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)

    def seek(self, place: int) -> None:
        """Go to a byte."""
        self._at = place

    def readinto(self, out: memoryview) -> int:
        """Fill ``out`` from there on as far as one reading goes; return how many bytes, 0 at the end of the file."""
        before = self._at % _PAGE
        length = min(_ROOM, -(-(before + len(out)) // _PAGE) * _PAGE)
        room = _room()
        got = os.preadv(self._file, [room[:length]], self._at - before)
        count = max(0, min(len(out), got - before))
        # By NumPy, which lets other threads run.
        np.frombuffer(out, np.uint8)[:count] = np.frombuffer(room, np.uint8)[before : before + count]
        self._at += count
        return count

    def read(self, size: int) -> bytes:
        """Return ``size`` bytes from there on, fewer at the end of the file."""
        found = bytearray(size)
        filled = 0
        while filled < size and (count := self.readinto(memoryview(found)[filled:])):
            filled += count
        return bytes(found[:filled])


def _room() -> memoryview:
    # Of pages, as it has to be; one a thread.
    if not hasattr(_own, "room"):
        _own.room = memoryview(mmap.mmap(-1, _ROOM))
    return _own.room
