"""Sketches as files of a run: one a point, the size of none depends on the model's."""

from collections.abc import Mapping
from io import FileIO
from pathlib import Path
from typing import Literal

import numpy as np

from lossatlas.sketch import Sketch
from lossatlas.store.snapshot import NUMPY_TYPES, RawTensor, Snapshot, Tensors, as_numbers

START = "start.safetensors"  # of the weights that all displacements are counted from, about zero


def sketch_tensors(sketch: Sketch, *, dtype: Literal["F32", "F64"] = "F32") -> Tensors:
    """Return a sketch as the tensors of a file: its values at the digits that weights have, its moments in full."""
    moments = sketch.moments.astype("<f8")
    values = sketch.values.astype(NUMPY_TYPES[dtype])
    return {
        "moments": RawTensor("F64", moments.shape, moments.tobytes()),
        "values": RawTensor(dtype, values.shape, values.tobytes()),
    }


def read_sketch(file: Path, settings: Mapping[str, int], *, n_parameters: int) -> Sketch:
    """Return the sketch in a file.

    Raises:
        InputError: the file is damaged.
        FileNotFoundError: it is not there.
    """
    with FileIO(file) as stream:
        snapshot = Snapshot(file, stream)
        values, moments = (as_numbers(snapshot.raw(name), snapshot.layout[name][0]) for name in ("values", "moments"))
    return Sketch.of(values.astype(np.float64), moments, n_parameters=n_parameters, seed=settings["seed"])
