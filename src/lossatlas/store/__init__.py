"""A run on disk: the only folder that knows the format.

A run is a folder::

    run.json                      format, version, names, shapes and dtypes of the tensors, settings, what made it
    snapshots/000000.safetensors  parameters and buffers under their own names, one file a snapshot
    sketches/000000.safetensors   a sketch of the parameters, where it was asked for, beside the snapshot or in its place
    snapshots.jsonl               the manifest: one line a snapshot with its step and metrics, written last

A snapshot exists once its line does: the file is written aside, synced and renamed before the line is appended and synced.
So what was acknowledged survives the death of the process; a torn last line is dropped with a warning. One writer at a time.
A snapshot leaves out the tensors that are the first one's to the last bit and never train; its line then names the first's file.
No module here needs torch: maps are made of runs on machines without it.
"""

from lossatlas.store.durable import unwritable, write_durably
from lossatlas.store.find import named_point, natural, open_runs, run_folders
from lossatlas.store.growing import GrowingRun
from lossatlas.store.manifest import Keep
from lossatlas.store.run import Run, open_run, refuse_not_finite
from lossatlas.store.snapshot import NUMPY_TYPES, LazyTensor, RawTensor, Snapshot, TensorEntry, Tensors, as_numbers
from lossatlas.store.writer import IfExists, RunWriter, refuse_taken

__all__ = [
    "NUMPY_TYPES",
    "GrowingRun",
    "IfExists",
    "Keep",
    "LazyTensor",
    "RawTensor",
    "Run",
    "RunWriter",
    "Snapshot",
    "TensorEntry",
    "Tensors",
    "as_numbers",
    "named_point",
    "natural",
    "open_run",
    "open_runs",
    "refuse_not_finite",
    "refuse_taken",
    "run_folders",
    "unwritable",
    "write_durably",
]
