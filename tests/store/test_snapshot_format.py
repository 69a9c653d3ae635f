"""A snapshot is a safetensors file, byte for byte."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from lossatlas._arrays import InputError
from lossatlas.record import raw_tensors
from lossatlas.store import RawTensor, TensorEntry
from lossatlas.store.snapshot import NUMPY_TYPES, Snapshot, chunks


def test_the_bytes_of_a_snapshot_are_frozen():
    tensors = {
        "flag": RawTensor("BOOL", (3,), bytes([1, 0, 1])),
        "weight": RawTensor("F32", (1, 2), np.array([[1.0, -2.0]], "<f4").tobytes()),
        "brain": RawTensor("BF16", (1,), bytes([0x80, 0x3F])),
        "count": RawTensor("I64", (), (258).to_bytes(8, "little")),
    }
    header = (
        b'{"__metadata__":{"format":"pt"},'
        b'"count":{"dtype":"I64","shape":[],"data_offsets":[0,8]},'
        b'"weight":{"dtype":"F32","shape":[1,2],"data_offsets":[8,16]},'
        b'"brain":{"dtype":"BF16","shape":[1],"data_offsets":[16,18]},'
        b'"flag":{"dtype":"BOOL","shape":[3],"data_offsets":[18,21]}}'
    )
    assert len(header) == 268
    frozen = b"\x10\x01\0\0\0\0\0\0" + header + b" " * 4 + bytes.fromhex("0201000000000000 0000803f000000c0 803f 010001")
    assert b"".join(chunks(tensors)) == frozen


class _EveryType(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(1)
        for i, dtype in enumerate((torch.float64, torch.float32, torch.float16, torch.bfloat16)):
            values = torch.randn(3, 5, generator=generator).to(dtype)
            self.register_parameter(f"weight{i}", torch.nn.Parameter(values))
        for i, dtype in enumerate((torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8)):
            self.register_buffer(f"count{i}", torch.randint(0, 100, (4,), generator=generator).to(dtype))
        self.register_buffer("flags", torch.tensor([True, False, True]))
        self.register_buffer("scalar", torch.tensor(2**40 + 1))
        self.register_buffer("empty", torch.zeros(0, 7))
        conv = torch.nn.Conv2d(3, 4, 2)
        self.conv = conv.to(memory_format=torch.channels_last)
        assert not self.conv.weight.is_contiguous()


def test_any_safetensors_reader_loads_the_same_tensors_of_every_type(tmp_path):
    model = _EveryType()
    file = tmp_path / "snapshot.safetensors"
    file.write_bytes(b"".join(chunks(raw_tensors(model))))
    loaded = load_file(file)
    assert loaded.keys() == model.state_dict().keys()
    for name, tensor in model.state_dict().items():
        assert loaded[name].dtype == tensor.dtype, name
        assert torch.equal(loaded[name], tensor), name
    model.load_state_dict(loaded)


def test_files_of_the_library_are_read_with_bfloat16_as_float32(tmp_path):
    tensors = {"w": torch.randn(4, 3), "b": torch.randn(5).to(torch.bfloat16), "n": torch.tensor(7)}
    file = tmp_path / "library.safetensors"
    save_file(tensors, file)
    with file.open("rb") as stream:
        snapshot = Snapshot(file, stream)
        assert snapshot.is_whole
        assert snapshot.layout == {"w": ("F32", (4, 3)), "b": ("BF16", (5,)), "n": ("I64", ())}
        w = snapshot.values(TensorEntry("w", (4, 3), "F32", "parameter"), 2, 7)
        b = snapshot.values(TensorEntry("b", (5,), "BF16", "parameter"), 1, 3)
    np.testing.assert_array_equal(w, tensors["w"].flatten()[2:9].numpy())
    np.testing.assert_array_equal(b, tensors["b"].float()[1:4].numpy())
    assert b.dtype == np.float32


_TENSORS = st.dictionaries(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=5),
    st.tuples(st.sampled_from(sorted(NUMPY_TYPES)), st.lists(st.integers(0, 4), max_size=3)),
    max_size=5,
)


@given(_TENSORS)
def test_every_tensor_starts_at_a_multiple_of_its_width_and_none_overlap(spec: Mapping[str, tuple[str, list[int]]]):
    tensors = {}
    for name, (dtype, shape) in spec.items():
        data = bytes(int(np.prod(shape, dtype=int)) * np.dtype(NUMPY_TYPES[dtype]).itemsize)
        tensors[name] = RawTensor(dtype, tuple(shape), data)
    written = b"".join(chunks(tensors))
    length = int.from_bytes(written[:8], "little")
    header = json.loads(written[8 : 8 + length])
    assert header.pop("__metadata__") == {"format": "pt"}
    assert header.keys() == tensors.keys()
    place = 0
    for name, entry in header.items():
        assert entry["data_offsets"] == [place, place + len(tensors[name].data)]
        assert (8 + length + place) % np.dtype(NUMPY_TYPES[entry["dtype"]]).itemsize == 0
        place = entry["data_offsets"][1]
    assert len(written) == 8 + length + place


@pytest.mark.parametrize(
    "damaged",
    [b"", b"\x08", b"\xff" * 16, b"\x02\0\0\0\0\0\0\0[]", b'\x08\0\0\0\0\0\0\0{"a": 1}', b"\x02\0\0\0\0\0\0\0\xff\xfe"],
    ids=["empty", "short", "a length beyond the file", "a list", "no entries", "no text"],
)
def test_a_damaged_header_is_refused_by_name(tmp_path: Path, damaged: bytes):
    file = tmp_path / "000000.safetensors"
    file.write_bytes(damaged)
    with file.open("rb") as stream, pytest.raises(InputError, match=r"000000\.safetensors' is damaged; restore it or remove"):
        Snapshot(file, stream)
