"""What was measured of a slice so far, in memory and, if asked for, in a file."""

import io
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from lossatlas._arrays import Indices, InputError, Mask, Vector
from lossatlas.sample.key import digest
from lossatlas.sample.slice.frame import Coefficients, Frame
from lossatlas.sample.slice.settings import SliceSettings
from lossatlas.store import unwritable, write_durably


@dataclass
class Ledger:
    """Values of the points that are done; the others are NaN and not marked."""

    path: Path | None
    key: str
    done: Mask
    loss: Vector
    error: Vector
    accuracy: Vector

    @classmethod
    def opened(cls, path: Path | None, frame: Frame, coefficients: Coefficients, settings: SliceSettings, name: str) -> "Ledger":
        """Return the ledger of this very slice: what its file holds, or an empty one.

        Raises:
            InputError: the file holds another slice, or something else.
        """
        n = len(coefficients)
        empty = cls(path, "", np.zeros(n, dtype=bool), np.full(n, np.nan), np.full(n, np.nan), np.full(n, np.nan))
        if path is None:
            return empty
        empty.key = _key(frame, coefficients, settings, name)
        if not path.exists():
            empty._write()  # now, so that a place that cannot be written is known before hours of work
            return empty
        try:
            with np.load(path, allow_pickle=False) as held:
                stored = {what: held[what] for what in ("key", "done", "loss", "error", "accuracy")}
        except (OSError, ValueError, KeyError):
            raise InputError(f"{str(path)!r} is no file of measured losses; choose another path, or remove it") from None
        if str(stored.pop("key")) != empty.key:
            raise InputError(
                f"{str(path)!r} holds losses of other points, data or settings; choose another path, or remove that file first"
            )
        return cls(path, empty.key, **stored)

    @property
    def left(self) -> Indices:
        """Points that are yet to be measured."""
        return np.flatnonzero(~self.done)

    def enter(self, points: Indices, loss: Vector, error: Vector, accuracy: Vector) -> None:
        """Enter what was measured at some points; it is on disk when this returns."""
        self.loss[points], self.error[points], self.accuracy[points] = loss, error, accuracy
        self.done[points] = True
        if self.path is not None:
            self._write()

    def _write(self) -> None:
        assert self.path is not None
        held = io.BytesIO()
        np.savez(held, key=self.key, done=self.done, loss=self.loss, error=self.error, accuracy=self.accuracy)
        try:
            write_durably(self.path, [held.getvalue()])
        except OSError as error:
            raise unwritable(self.path, error) from error


def _key(frame: Frame, coefficients: Coefficients, settings: SliceSettings, name: str) -> str:
    own = asdict(settings)
    del own["engine"], own["seconds"]  # how, not what
    return digest([name, own], {"coefficients": torch.from_numpy(np.ascontiguousarray(coefficients))}, *frame.vectors)
