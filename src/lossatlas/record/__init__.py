"""A training loop becomes runs."""

from lossatlas.record.checkpoints import import_checkpoints
from lossatlas.record.recorder import Every, Recorder
from lossatlas.record.weights import load_tensors, raw_tensors, tensor_entries

__all__ = ["Every", "Recorder", "import_checkpoints", "load_tensors", "raw_tensors", "tensor_entries"]
