"""Reading past the system's cache gives the same bytes, and is given up where it cannot be."""

import os

import numpy as np
import pytest
from small_runs import write_run

from lossatlas.distance import pairwise, source
from lossatlas.store import direct, files, open_run
from lossatlas.store.direct import DirectFile

SIZE = 3 * 2**20 + 12_345


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(np.random.default_rng(0).bytes(SIZE))
    try:
        with DirectFile(path):
            pass
    except OSError:
        pytest.skip("no reading past the cache here")
    return path


@pytest.mark.parametrize(
    ("start", "size"),
    [
        (0, 8),
        (0, SIZE),
        (5, 4096),
        (4095, 2),
        (4096, 4096),
        (2**20 - 3, 2**20 + 9),
        (SIZE - 7, 7),
        (SIZE - 5000, 9000),
        (SIZE, 4),
    ],
)
def test_any_range_of_bytes_is_that_of_the_file(file, start, size):
    expected = file.read_bytes()[start : start + size]
    with DirectFile(file) as stream:
        stream.seek(start)
        assert stream.read(size) == expected


def test_no_more_is_read_at_once_than_there_is_room(file):
    out = bytearray(SIZE)
    with DirectFile(file) as stream:
        stream.seek(1)
        assert stream.readinto(memoryview(out)) == direct._ROOM - 1


def test_points_are_the_same_past_the_cache(tmp_path, monkeypatch):
    opened = open_run(write_run(tmp_path / "run"))
    expected = pairwise(opened).squared
    used = []
    monkeypatch.setattr(files, "DirectFile", lambda path: used.append(path) or DirectFile(path))
    np.testing.assert_array_equal(pairwise(opened).squared, expected)
    assert not used  # so small a run stays in the cache
    monkeypatch.setattr(source, "_CACHED", 0.0)
    np.testing.assert_array_equal(pairwise(opened).squared, expected)
    assert used


@pytest.mark.parametrize("reason", ["system", "disk"])
def test_where_it_cannot_be_done_the_cache_is_used(tmp_path, monkeypatch, reason):
    opened = open_run(write_run(tmp_path / "run"))
    expected = pairwise(opened).squared
    monkeypatch.setattr(source, "_CACHED", 0.0)
    if reason == "system":
        monkeypatch.delattr(os, "O_DIRECT", raising=False)
    else:

        def refused(path):
            raise OSError(22, "Invalid argument")

        monkeypatch.setattr(files, "DirectFile", refused)
    np.testing.assert_array_equal(pairwise(opened).squared, expected)
