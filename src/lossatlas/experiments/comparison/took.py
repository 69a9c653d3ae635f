"""How long work took that may have been stopped and gone on."""

import json
import time
from pathlib import Path

from lossatlas.store import write_durably


class Clock:
    """Adds up the seconds that the work of a key has taken in a folder, over all its runs."""

    def __init__(self, folder: Path, key: str) -> None:
        self._path, self._key = folder / "took.json", key
        self._noted = time.monotonic()

    def note(self) -> float:
        """Write down what was taken since the last note, and return all seconds so far."""
        now = time.monotonic()
        sums = self._sums()
        sums[self._key] = sums.get(self._key, 0.0) + now - self._noted
        self._noted = now
        write_durably(self._path, [json.dumps(sums).encode()])
        return sums[self._key]

    def begin_anew(self) -> None:
        """Forget what the work took that was removed."""
        if self._path.exists():
            write_durably(self._path, [json.dumps({**self._sums(), self._key: 0.0}).encode()])

    def _sums(self) -> dict[str, float]:
        return json.loads(self._path.read_text()) if self._path.exists() else {}
