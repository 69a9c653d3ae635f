"""Runs of one model whose files have their tensors in other orders are of one model."""

import numpy as np

from lossatlas import cosine_distances, open_run
from lossatlas.distance import pairwise
from lossatlas.store import RawTensor, RunWriter, TensorEntry

_SHAPES = {"w": (3, 4), "b": (5,), "v": (2, 2)}


def _run(path, names, values):
    entries = [TensorEntry(name, _SHAPES[name], "F64", "parameter") for name in names]
    with RunWriter(path, entries) as writer:
        for step, point in enumerate(values):
            tensors = {name: RawTensor("F64", _SHAPES[name], point[name].tobytes()) for name in names}
            writer.append(tensors, step=step, metrics={})
        writer.end("complete")
    return open_run(path)


def test_columns_are_matched_by_name(tmp_path):
    rng = np.random.default_rng(0)
    points = [{name: rng.normal(size=shape) for name, shape in _SHAPES.items()} for _ in range(4)]
    one, other = _run(tmp_path / "one", "wbv", points[:2]), _run(tmp_path / "other", "vwb", points[2:])
    flat = np.array([np.concatenate([point[name].ravel() for name in "wbv"]) for point in points])
    np.testing.assert_allclose(cosine_distances([one, other]), cosine_distances(flat), atol=1e-12)
    np.testing.assert_allclose(pairwise([one, other]).euclidean, pairwise(flat).euclidean, atol=1e-12)
    assert other.ordered_as(one.names).names == ("w", "b", "v")
    assert one.ordered_as(one.names) is one
