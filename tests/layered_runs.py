"""A small run of layers in files, and what is in it."""

import numpy as np

from lossatlas.store import RawTensor, RunWriter, TensorEntry, open_run

# In an order of its own, as the modules of a model have it.
SHAPES = {
    "embed.weight": (5, 8),
    "blocks.0.attn.weight": (6, 6),
    "blocks.0.attn.bias": (6,),
    "blocks.0.norm.weight": (6,),
    "blocks.1.attn.weight": (6, 6),
    "blocks.1.attn.bias": (6,),
    "head": (3,),
}
SIZES = {name: int(np.prod(shape)) for name, shape in SHAPES.items()}


def recorded(path, n=9, *, seed=0, lost_at=None, order=None, still="blocks.0.norm.weight"):
    """Return a run of a random walk in which one tensor stands still, and its points ``(n, p)`` in the order of ``SHAPES``."""
    points = np.random.default_rng(seed).normal(size=(n, sum(SIZES.values()))).cumsum(axis=0).astype(np.float32)
    stops = np.cumsum(list(SIZES.values()))
    columns = {name: slice(int(stop) - size, int(stop)) for (name, size), stop in zip(SIZES.items(), stops, strict=True)}
    points[:, columns[still]] = points[0, columns[still]]
    if lost_at is not None:
        points[lost_at, 17] = np.nan
    names = list(SHAPES) if order is None else order
    entries = tuple(TensorEntry(name, SHAPES[name], "F32", "parameter") for name in names)
    with RunWriter(path, entries) as writer:
        for step, point in enumerate(points):
            raw = {name: RawTensor("F32", SHAPES[name], point[columns[name]].tobytes()) for name in names}
            writer.append(raw, step=step, metrics={})
        writer.end("complete")
    return open_run(path), points
