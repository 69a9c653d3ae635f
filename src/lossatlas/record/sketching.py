"""The sketch of each point about the weights that the run began with."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from lossatlas._arrays import InputError
from lossatlas.record.sharding import Processes, Stretch, as_row
from lossatlas.record.taking import Taken
from lossatlas.sketch import Sketch, Sketcher
from lossatlas.store import Run, TensorEntry, as_numbers


class Sketching:
    """Sketch points, each process its part of them; a copy of the start stays in memory, for exact displacements.

    Args:
        entries: The tensors of the run, in their order.
        first: What was taken of the start, all of it.
        processes: Those that train the model together, where it is spread over them.
    """

    def __init__(self, entries: Sequence[TensorEntry], first: Taken, processes: Processes | None) -> None:
        self._processes = processes
        self._offsets: dict[str, int] = {}
        offset = 0
        for entry in entries:
            if entry.kind == "parameter" and entry.size:  # an empty one would share its place with the next
                self._offsets[entry.name] = offset
                offset += entry.size
        self._n_parameters = offset
        self._start = {stretch.offset: stretch.values for stretch in self._stretches(first)}

    def begin_with(self, run: Run) -> None:
        """Count displacements from the first point of a run that is gone on with."""
        for offset, values in self._start.items():
            stored: np.ndarray = np.empty((1, len(values)), run.precision)
            run.read(offset, offset + len(values), [0], stored)
            self._start[offset] = stored[0]

    def start(self) -> Sketch:
        """Return the sketch of the start, about zero; all processes must ask at the same time."""
        sketcher = Sketcher()
        for offset, values in self._start.items():
            sketcher.add(values, offset=offset)
        return self._total(sketcher.sketch())

    def sketch(self, taken: Taken) -> Sketch:
        """Return the sketch of a point; all processes must ask in the same order.

        Raises:
            InputError: a tensor is another than at the start.
        """
        sketcher = Sketcher()
        for stretch in self._stretches(taken):
            start = self._start.get(stretch.offset)
            if start is None or start.shape != stretch.values.shape:
                raise InputError("the model's parameters are not where they were at the start; record it as a run of its own")
            values, start = _alike(stretch.values, start)
            sketcher.add(values, start, offset=stretch.offset)
        # What is left out is where it was: it adds to the norm alone. Of a spread model each process has taken all that it has.
        for name in taken.left_out & self._offsets.keys() if self._processes is None else ():
            values = self._start[self._offsets[name]]
            sketcher.add(values, values, offset=self._offsets[name])
        return self._total(sketcher.sketch())

    def _stretches(self, taken: Taken) -> Iterator[Stretch]:
        if self._processes is not None:
            yield from taken.stretches
            return
        for name, offset in self._offsets.items():
            if name not in taken.left_out:
                tensor = taken.tensors[name]
                yield Stretch(offset, as_row(as_numbers(tensor.data, tensor.dtype)))

    def _total(self, part: Sketch) -> Sketch:
        if self._processes is not None:
            return self._processes.total(part, self._n_parameters)
        return replace(part, n_parameters=self._n_parameters)


def _alike(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    dtype = np.result_type(a, b)
    return a.astype(dtype, copy=False), b.astype(dtype, copy=False)
