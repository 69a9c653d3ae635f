"""The newest scene, and those who wait for the next."""

import secrets
import threading
from dataclasses import dataclass

from lossatlas.draw import Scene, encoded


@dataclass(frozen=True)
class Framed:
    """A scene as it travels, and its version, which is no other server's: a page knows after a restart that all is new."""

    version: str
    content: bytes


class Feed:
    """The scene that was published last. A page that is slow misses scenes, and never the last one."""

    def __init__(self, first: Scene) -> None:
        self._condition = threading.Condition()
        self._server, self._number = secrets.token_hex(4), 0
        self._is_closed = False
        self._newest = Framed(self._version(), framed(first))

    def _version(self) -> str:
        return f"{self._server}-{self._number}"

    @property
    def newest(self) -> Framed:
        """The scene that was published last."""
        with self._condition:
            return self._newest

    def publish(self, scene: Scene) -> None:
        """Put a scene in the place of the last one; nobody hears of it where it is the same to the byte."""
        content = framed(scene)
        with self._condition:
            if content != self._newest.content:
                self._number += 1
                self._newest = Framed(self._version(), content)
                self._condition.notify_all()

    def close(self) -> None:
        """Let go of all who wait."""
        with self._condition:
            self._is_closed = True
            self._condition.notify_all()

    @property
    def is_closed(self) -> bool:
        """Whether no more will come."""
        return self._is_closed

    def wait(self, version: str, *, seconds: float) -> str:
        """Return the newest version once it is another than ``version``, or has not been for so long."""
        with self._condition:
            self._condition.wait_for(lambda: self._is_closed or self._newest.version != version, timeout=seconds)
            return self._newest.version


def framed(scene: Scene) -> bytes:
    """Return a scene as one block: eight bytes of length, little-endian, the JSON header, spaces up to a multiple of 8, the data.

    The length is that of the header with its spaces.
    """
    header, data = encoded(scene)
    # A lone surrogate (a run named after a file whose name is not UTF-8) has no bytes of its own; its escape does.
    words = header.encode("utf-8", "backslashreplace")
    words += b" " * (-len(words) % 8)
    return len(words).to_bytes(8, "little") + words + data
