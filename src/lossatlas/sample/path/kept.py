"""What a path has come to so far, in a file, so that the same call goes on from there."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lossatlas._arrays import InputError
from lossatlas.store import unwritable, write_durably


@dataclass(frozen=True)
class Kept:
    """A file with the arrays of the last round that was finished; without a path nothing is kept."""

    path: Path | None
    key: str

    def read(self) -> dict[str, np.ndarray] | None:
        """Return the arrays, or None where there are none yet.

        Raises:
            InputError: the file holds another path, or something else.
        """
        if self.path is None:
            return None
        if not self.path.exists():
            self.write({})  # now, so that a place that cannot be written is known before hours of work
            return None
        try:
            with np.load(self.path, allow_pickle=False) as held:
                stored = {name: held[name] for name in held.files}
            key = str(stored.pop("key"))
        except (OSError, ValueError, KeyError):
            raise InputError(f"{str(self.path)!r} is no file of a path; choose another, or remove it") from None
        if key != self.key:
            raise InputError(
                f"{str(self.path)!r} holds a path between other points or with other settings; choose another, or remove it first"
            )
        return stored or None

    def write(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Write the arrays, whole or not at all."""
        if self.path is None:
            return
        held = io.BytesIO()
        np.savez(held, allow_pickle=False, key=np.array(self.key), **arrays)
        try:
            write_durably(self.path, [held.getvalue()])
        except OSError as error:
            raise unwritable(self.path, error) from error
