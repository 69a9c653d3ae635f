"""Maps of where neural networks go when they train.

The public names are loaded when they are first used, so that neither torch nor matplotlib is imported before it is needed.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lossatlas._arrays import InputError
    from lossatlas._atlas import Atlas, MethodComparison, atlas, compare, geometry
    from lossatlas.distance import cosine_distances, prediction_distances
    from lossatlas.embed import PHATE, Embedding, inpca, isomap, pca, phate, tsne, umap
    from lossatlas.measure import audit, faithfulness, persistence
    from lossatlas.record import Recorder, import_checkpoints
    from lossatlas.sample import (
        BandSettings,
        BendSettings,
        JumpSettings,
        LowLossPath,
        SliceSettings,
        Task,
        align,
        barycentric,
        bezier_path,
        bilinear,
        curvature,
        grid_sample,
        jump_and_retrain,
        linear_path,
        loss_line,
        loss_plane,
        naive_sample,
        nudged_elastic_band,
        predictions,
        sharpness,
        trajectory_plane,
    )
    from lossatlas.store import Run, open_run, open_runs

__version__ = "0.1.0"

_HOMES = {
    "Atlas": "_atlas",
    "BandSettings": "sample",
    "BendSettings": "sample",
    "Embedding": "embed",
    "InputError": "_arrays",
    "JumpSettings": "sample",
    "LowLossPath": "sample",
    "MethodComparison": "_atlas",
    "PHATE": "embed",
    "Recorder": "record",
    "Run": "store",
    "SliceSettings": "sample",
    "Task": "sample",
    "align": "sample",
    "atlas": "_atlas",
    "audit": "measure",
    "barycentric": "sample",
    "bezier_path": "sample",
    "bilinear": "sample",
    "compare": "_atlas",
    "cosine_distances": "distance",
    "curvature": "sample",
    "faithfulness": "measure",
    "geometry": "_atlas",
    "grid_sample": "sample",
    "import_checkpoints": "record",
    "inpca": "embed",
    "isomap": "embed",
    "jump_and_retrain": "sample",
    "linear_path": "sample",
    "loss_line": "sample",
    "loss_plane": "sample",
    "naive_sample": "sample",
    "nudged_elastic_band": "sample",
    "open_run": "store",
    "open_runs": "store",
    "pca": "embed",
    "persistence": "measure",
    "phate": "embed",
    "prediction_distances": "distance",
    "predictions": "sample",
    "sharpness": "sample",
    "trajectory_plane": "sample",
    "tsne": "embed",
    "umap": "embed",
}

__all__ = [
    "PHATE",
    "Atlas",
    "BandSettings",
    "BendSettings",
    "Embedding",
    "InputError",
    "JumpSettings",
    "LowLossPath",
    "MethodComparison",
    "Recorder",
    "Run",
    "SliceSettings",
    "Task",
    "align",
    "atlas",
    "audit",
    "barycentric",
    "bezier_path",
    "bilinear",
    "compare",
    "cosine_distances",
    "curvature",
    "faithfulness",
    "geometry",
    "grid_sample",
    "import_checkpoints",
    "inpca",
    "isomap",
    "jump_and_retrain",
    "linear_path",
    "loss_line",
    "loss_plane",
    "naive_sample",
    "nudged_elastic_band",
    "open_run",
    "open_runs",
    "pca",
    "persistence",
    "phate",
    "prediction_distances",
    "predictions",
    "sharpness",
    "trajectory_plane",
    "tsne",
    "umap",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'lossatlas' has no attribute {name!r}")
    try:
        value = getattr(import_module(f"lossatlas.{_HOMES[name]}"), name)
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise ImportError(f"lossatlas.{name} works on PyTorch models and needs PyTorch: pip install torch") from error
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
