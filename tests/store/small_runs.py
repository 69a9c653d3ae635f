"""Small runs whose every value follows from their step."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from lossatlas.sketch import Sketch, sketch
from lossatlas.store import RawTensor, Run, RunWriter, TensorEntry

ENTRIES = (
    TensorEntry("conv.weight", (3, 2), "F32", "parameter"),
    TensorEntry("norm.count", (), "I64", "buffer"),
    TensorEntry("out.bias", (4,), "F64", "parameter"),
)


def values_at(step: int) -> dict[str, np.ndarray]:
    """Return the tensors of a step."""
    rng = np.random.default_rng(step)
    return {
        "conv.weight": rng.normal(size=(3, 2)).astype(np.float32),
        "norm.count": np.array(step),
        "out.bias": rng.normal(size=4),
    }


def raw(values: Mapping[str, np.ndarray]) -> dict[str, RawTensor]:
    """Return float32, float64 and int64 arrays as the store takes them."""
    names = {"float32": "F32", "float64": "F64", "int64": "I64"}
    return {name: RawTensor(names[array.dtype.name], array.shape, array.tobytes()) for name, array in values.items()}


def sketch_at(step: int) -> Sketch:
    """Return the sketch of a step about zero."""
    values = values_at(step)
    return sketch(np.concatenate([values[e.name].ravel().astype(float) for e in ENTRIES if e.kind == "parameter"]), k=64)


def append_steps(writer: RunWriter, steps: Iterable[int], *, sketched: bool = False) -> None:
    """Append the points of these steps."""
    for step in steps:
        made = sketch_at(step) if sketched else None
        writer.append(raw(values_at(step)), step=step, metrics={"loss": 1.0 / (step + 1)}, sketch=made)


def write_run(path: Path, steps: Iterable[int] = range(3)) -> Path:
    """Write a whole run, and return its folder."""
    with RunWriter(path, ENTRIES) as writer:
        append_steps(writer, steps)
        writer.end("complete")
    return path


def assert_holds_steps(path: Path, steps: Iterable[int]) -> None:
    """Read the run back and compare every bit."""
    from lossatlas.store import open_run

    run = open_run(path)
    expected = list(steps)
    assert run.steps.tolist() == expected
    assert_points_are(run, range(len(expected)))
    np.testing.assert_array_equal(run.metrics["loss"] if expected else [], [1.0 / (step + 1) for step in expected])


def assert_points_are(run: Run, points: Iterable[int]) -> None:
    """Compare every bit of some points with what their steps had."""
    for point in points:
        found = run.snapshot(point)
        for name, value in values_at(int(run.steps[point])).items():
            assert found[name].dtype == value.dtype
            assert found[name].shape == value.shape
            assert found[name].tobytes() == value.tobytes()
        if run.has_sketches:
            made, expected = run.sketch(point), sketch_at(int(run.steps[point]))
            np.testing.assert_array_equal(made.values, expected.values.astype(np.float32))
            assert made.squared_norm == expected.squared_norm
