"""What is written to a run is what is read from it, and format version 1 stays as it is."""

import json
import math
import re
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as stn
from small_runs import ENTRIES, append_steps, assert_holds_steps, raw, values_at, write_run

from lossatlas.store import RawTensor, RunWriter, TensorEntry, open_run
from lossatlas.store.snapshot import NUMPY_TYPES, Snapshot

_TYPES = sorted(set(NUMPY_TYPES) - {"BF16"})


@st.composite
def _runs(draw: st.DrawFn) -> tuple[list[TensorEntry], list[dict[str, np.ndarray]], list[dict[str, float]]]:
    names = draw(st.lists(st.text('ab./é "<\n😀\\', min_size=1, max_size=4), min_size=1, max_size=4, unique=True))
    entries = [
        TensorEntry(
            name,
            draw(stn.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)),
            draw(st.sampled_from(_TYPES)),
            draw(st.sampled_from(["parameter", "buffer"])),
        )
        for name in names
    ]
    n = draw(st.integers(0, 3))
    points = [{e.name: draw(stn.arrays(np.dtype(NUMPY_TYPES[e.dtype]), e.shape)) for e in entries} for _ in range(n)]
    metrics = [draw(st.dictionaries(st.sampled_from(["loss", "accuracy", "Ärger"]), st.floats())) for _ in range(n)]
    return entries, points, metrics


@given(_runs(), st.data())
def test_what_is_written_is_read_back_bit_for_bit(written, data):
    entries, points, metrics = written
    with tempfile.TemporaryDirectory() as folder:
        with RunWriter(folder, entries) as writer:
            for i, point in enumerate(points):
                tensors = {e.name: RawTensor(e.dtype, e.shape, point[e.name].tobytes()) for e in entries}
                writer.append(tensors, step=3 * i, metrics=metrics[i])
        run = open_run(folder)
        assert run.tensors == tuple(entries)
        assert run.steps.tolist() == [3 * i for i in range(len(points))]
        for i, point in enumerate(points):
            found = run.snapshot(i)
            assert list(found) == [e.name for e in entries]
            for name, value in point.items():
                assert found[name].dtype == value.dtype
                assert found[name].shape == value.shape
                assert found[name].tobytes() == value.tobytes()
        for name, read in run.metrics.items():
            np.testing.assert_array_equal(read, [m.get(name, math.nan) for m in metrics])
        assert set(run.metrics) == {name for m in metrics for name in m}
        _check_blocks(run, entries, points, data)


def _check_blocks(run, entries, points, data):
    parameters = [e for e in entries if e.kind == "parameter"]
    assert run.names == tuple(e.name for e in parameters)
    assert run.n_parameters == sum(e.size for e in parameters)
    with np.errstate(invalid="ignore"):
        flat = [np.concatenate([np.zeros(0), *(p[e.name].astype(float).ravel() for e in parameters)]) for p in points]
        expected = np.array(flat).reshape(len(points), run.n_parameters)
        np.testing.assert_array_equal(run.weights(), expected)
        start = data.draw(st.integers(0, run.n_parameters))
        stop = data.draw(st.integers(start, run.n_parameters))
        np.testing.assert_array_equal(run.block(start, stop), expected[:, start:stop])
        chosen = data.draw(st.lists(st.sampled_from(range(len(points))), max_size=4)) if points else []
        np.testing.assert_array_equal(run.block(start, stop, chosen), expected[chosen, start:stop])


def test_bfloat16_comes_back_as_float32_of_the_same_value(tmp_path):
    entry = TensorEntry("w", (4,), "BF16", "parameter")
    bits = np.array([0x3F80, 0xBF00, 0x7F80, 0x0001], "<u2")
    with RunWriter(tmp_path / "run", [entry]) as writer:
        writer.append({"w": RawTensor("BF16", (4,), bits.tobytes())}, step=0, metrics={})
    np.testing.assert_array_equal(open_run(tmp_path / "run").snapshot()["w"], np.float32([1.0, -0.5, np.inf, 2.0**-133]))


def test_metrics_that_are_no_numbers_survive_and_missing_ones_are_nan(tmp_path):
    with RunWriter(tmp_path / "run", ENTRIES) as writer:
        for step, metrics in enumerate([{}, {"loss": math.inf}, {"loss": -math.inf, "acc": math.nan}, {"acc": 0.1 + 0.2}]):
            writer.append(raw(values_at(step)), step=step, metrics=metrics)
    run = open_run(tmp_path / "run")
    np.testing.assert_array_equal(run.metrics["loss"], [math.nan, math.inf, -math.inf, math.nan])
    np.testing.assert_array_equal(run.metrics["acc"], [math.nan, math.nan, math.nan, 0.1 + 0.2])


# Format version 1, as it must stay readable; change nothing here, add version 2 beside it.
_RUN_JSON = """{
 "format": "lossatlas-run",
 "version": 2,
 "keep": "weights",
 "settings": {
  "kind": "training",
  "rates": [
   0.1,
   null
  ]
 },
 "tensors": [
  {
   "name": "weight",
   "shape": [
    2
   ],
   "dtype": "F32",
   "kind": "parameter"
  },
  {
   "name": "count",
   "shape": [],
   "dtype": "I64",
   "kind": "buffer"
  }
 ]
}"""
_LINES = (
    '{"point": 0, "step": 0, "file": "000000.safetensors", "bytes": 176, "crc32": "7d020b32", "metrics": {"loss": "nan"}}\n'
    '{"point": 1, "step": 7, "file": "000001.safetensors", "bytes": 176, "crc32": "abbbbf0e", '
    '"metrics": {"loss": 0.25, "gap": "-inf"}}\n'
    '{"end": "complete"}\n'
)
# As written before files had sizes and checksums in their lines.
_OLD_LINES = re.sub(r'"bytes": \d+, "crc32": "\w+", ', "", _LINES)
_HEADER = (
    '{"__metadata__":{"format":"pt"},"count":{"dtype":"I64","shape":[],"data_offsets":[0,8]},'
    '"weight":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}     '
)
_SNAPSHOTS = {
    "000000.safetensors": "0000000000000000 0000803f 00000040",
    "000001.safetensors": "0700000000000000 00000000 000080bf",
}


def _golden_files() -> dict[str, bytes]:
    start = len(_HEADER).to_bytes(8, "little") + _HEADER.encode()
    files = {f"snapshots/{name}": start + bytes.fromhex(values) for name, values in _SNAPSHOTS.items()}
    return {"run.json": _RUN_JSON.encode(), "snapshots.jsonl": _LINES.encode(), **files}


def test_the_files_of_a_run_are_frozen(tmp_path):
    entries = [TensorEntry("weight", (2,), "F32", "parameter"), TensorEntry("count", (), "I64", "buffer")]
    with RunWriter(tmp_path / "run", entries, settings={"kind": "training", "rates": [0.1, None]}) as writer:
        for step, weight, metrics in ((0, [1, 2], {"loss": math.nan}), (7, [0, -1], {"loss": 0.25, "gap": -math.inf})):
            writer.append(raw({"weight": np.array(weight, "<f4"), "count": np.array(step)}), step=step, metrics=metrics)
        writer.end("complete")
    files = {f.relative_to(tmp_path / "run").as_posix(): f.read_bytes() for f in (tmp_path / "run").rglob("*") if f.is_file()}
    files.pop(".lock", None)
    assert files == _golden_files()


@pytest.mark.parametrize("lines", [_OLD_LINES, _LINES], ids=["without checksums", "with"])
def test_a_run_of_format_1_is_read(tmp_path, lines):
    (tmp_path / "old" / "snapshots").mkdir(parents=True)
    old = _RUN_JSON.replace('"version": 2,\n "keep": "weights"', '"version": 1')
    for name, content in (_golden_files() | {"run.json": old.encode(), "snapshots.jsonl": lines.encode()}).items():
        (tmp_path / "old" / name).write_bytes(content)
    run = open_run(tmp_path / "old")
    assert run.name == "old"
    assert run.is_complete
    assert run.settings == {"kind": "training", "rates": [0.1, None]}
    assert run.n_points == 2
    assert run.names == ("weight",)
    assert run.steps.tolist() == [0, 7]
    np.testing.assert_array_equal(run.weights(), [[1, 2], [0, -1]])
    np.testing.assert_array_equal(run.metrics["loss"], [math.nan, 0.25])
    np.testing.assert_array_equal(run.metrics["gap"], [math.nan, -math.inf])
    assert run.snapshot(1)["count"] == 7
    assert run.describe(1) == "run 'old', point 1 (step 7)"
    with RunWriter(tmp_path / "old", run.tensors, if_exists="append"):
        pass
    # Gone on with it is of this version: its lines may say what an older one does not read.
    assert json.loads((tmp_path / "old" / "run.json").read_text())["version"] == 2
    assert open_run(tmp_path / "old").settings == run.settings


def test_a_run_is_complete_only_while_its_last_line_says_so(tmp_path):
    with RunWriter(tmp_path / "run", ENTRIES) as writer:
        append_steps(writer, [0])
    assert not open_run(tmp_path / "run").is_complete
    with RunWriter(tmp_path / "run", ENTRIES, if_exists="append") as writer:
        writer.end("KeyboardInterrupt")
    assert not open_run(tmp_path / "run").is_complete
    with RunWriter(tmp_path / "run", ENTRIES, if_exists="append") as writer:
        writer.end("complete")
    assert open_run(tmp_path / "run").is_complete
    with RunWriter(tmp_path / "run", ENTRIES, if_exists="append") as writer:
        append_steps(writer, [1])
    assert not open_run(tmp_path / "run").is_complete
    assert_holds_steps(tmp_path / "run", [0, 1])


def test_appending_goes_on_and_replacing_begins_anew(tmp_path):
    path = write_run(tmp_path / "run", [0, 1, 2])
    with RunWriter(path, ENTRIES, if_exists="append") as writer:
        assert (writer.n_points, writer.last_step) == (3, 2)
        append_steps(writer, [5])
    assert_holds_steps(path, [0, 1, 2, 5])
    with RunWriter(path, ENTRIES, settings={"new": True}, if_exists="replace") as writer:
        assert (writer.n_points, writer.last_step) == (0, 0)
        append_steps(writer, [9])
    assert_holds_steps(path, [9])
    assert open_run(path).settings == {"new": True}
    assert [f.name for f in (path / "snapshots").iterdir()] == ["000000.safetensors"]


def test_points_that_diverged_are_found(tmp_path):
    entry = TensorEntry("w", (3,), "F32", "parameter")
    rows = np.array([[1, 2, 3], [1, np.nan, 3], [1, 2, 3], [np.inf, 0, 0]], np.float32)
    with RunWriter(tmp_path / "run", [entry]) as writer:
        for step, row in enumerate(rows):
            writer.append(raw({"w": row}), step=step, metrics={})
    assert open_run(tmp_path / "run").diverged() == [1, 3]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_weights_come_in_the_type_that_was_asked_for(tmp_path: Path, dtype: str):
    run = open_run(write_run(tmp_path / "run"))
    assert run.weights(dtype=dtype).dtype == dtype
    assert run.weights(dtype=dtype).shape == (3, 10)


def test_every_block_is_those_columns_of_the_weights(tmp_path):
    run = open_run(write_run(tmp_path / "run"))
    expected = np.array([[*values_at(i)["conv.weight"].ravel(), *values_at(i)["out.bias"]] for i in range(3)])
    for start in range(11):
        for stop in range(start, 11):
            np.testing.assert_array_equal(run.block(start, stop), expected[:, start:stop])
    np.testing.assert_array_equal(run.block(4, 9, [2, 0]), expected[[2, 0], 4:9])


def test_only_the_columns_asked_for_are_read(tmp_path):
    path = write_run(tmp_path / "run", [4])
    run = open_run(path)
    expected = run.block(6, 10)
    file = path / "snapshots" / "000000.safetensors"
    written = bytearray(file.read_bytes())
    place = written.index(values_at(4)["conv.weight"].tobytes())
    written[place : place + 24] = b"\xff" * 24
    file.write_bytes(written)
    np.testing.assert_array_equal(run.block(6, 10), expected)
    assert np.isnan(run.block(0, 6)).all()


def test_a_header_is_read_once_however_often_its_file_is_opened(tmp_path, monkeypatch):
    run = open_run(write_run(tmp_path / "run"))
    run.weights()
    monkeypatch.setattr(Snapshot, "_read_places", lambda self: pytest.fail("the header was read again"))
    np.testing.assert_array_equal(run.block(0, 2), run.weights()[:, :2])
