"""Checkpoints that others wrote become runs.

``found`` lists the checkpoints of a folder in the order of their steps, ``formats`` opens each so that one tensor is in memory at
a time, ``naming`` says which names belong to a model, and ``importing`` writes the run.
"""

from lossatlas.record.checkpoints.found import checkpoint_paths
from lossatlas.record.checkpoints.importing import checkpoint_tensors, import_checkpoints, ordered_checkpoints

__all__ = ["checkpoint_paths", "checkpoint_tensors", "import_checkpoints", "ordered_checkpoints"]
