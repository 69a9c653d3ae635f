"""Files that are there whole or not at all, whatever dies."""

import os
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from lossatlas._arrays import InputError
from lossatlas.store.manifest import Mark

_PIECE = 1 << 20  # bytes that are read at once for a checksum


def checksum(file: Path) -> str:
    """Return the checksum of a file, as the manifest writes it."""
    with file.open("rb") as stream:
        counted = Counted(iter(lambda: stream.read(_PIECE), b""))
        for _ in counted:
            pass
    return counted.mark["crc32"]


class Counted:
    """Pieces of a file that are counted and summed on their way."""

    def __init__(self, pieces: Iterable[bytes | memoryview]) -> None:
        self._pieces = pieces
        self._size = self._crc32 = 0

    @property
    def mark(self) -> Mark:
        """What the manifest says of the file that they made."""
        return {"bytes": self._size, "crc32": f"{self._crc32:08x}"}

    def __iter__(self) -> Iterator[bytes | memoryview]:
        for piece in self._pieces:
            self._size += memoryview(piece).nbytes
            self._crc32 = zlib.crc32(piece, self._crc32)
            yield piece


def write_durably(path: Path, data: Iterable[bytes | memoryview]) -> None:
    """Write a file aside, sync it and rename it into place: a reader sees all of it, or the old one."""
    aside = path.with_name(path.name + ".part")
    try:
        with aside.open("wb") as stream:
            stream.writelines(data)
            stream.flush()
            os.fsync(stream.fileno())
        aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    if os.name == "posix":  # the new name must reach the disk too; elsewhere a folder cannot be synced
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def unwritable(path: Path, error: OSError) -> InputError:
    """Return the refusal of a path that the system does not let us write."""
    return InputError(f"cannot write {str(path)!r}: {error.strerror or error}; choose a place that you can write to")
