"""A run is read on from where the last look ended, and is the run that is on the disk."""

import os
import re

import numpy as np
import pytest

from lossatlas.store import GrowingRun, RawTensor, RunWriter, TensorEntry, open_run


class _Writing:
    def __init__(self, path, **settings):
        self.writer = RunWriter(path, [TensorEntry("w", (3,), "F32", "parameter")], settings=settings, if_exists="replace")
        self.step = 0

    def go(self, n=1):
        for _ in range(n):
            data = np.full(3, self.step, dtype="<f4").tobytes()
            self.writer.append({"w": RawTensor("F32", (3,), data)}, step=self.step, metrics={"loss": float(self.step)})
            self.step += 1


@pytest.fixture
def writing(tmp_path):
    """Yield what begins a run, in the place of the one before."""
    begun = []

    def begin(**settings):
        for before in begun:
            before.writer.close()
        begun.append(_Writing(tmp_path / "run", **settings))
        return begun[-1]

    yield begin
    begun[-1].writer.close()


def _assert_same(growing, points=None):
    there = open_run(growing.folder, is_growing=True)
    assert growing.n_points == there.n_points
    points = range(there.n_points) if points is None else points
    seen = growing.run(points)
    assert [dict(line) for line in seen.lines] == [dict(there.lines[point]) for point in points]
    assert seen.is_complete == there.is_complete
    for row, point in enumerate(points):
        np.testing.assert_array_equal(seen.block(0, 3, [row]), there.block(0, 3, [point]))


@pytest.mark.parametrize("seed", range(5))
def test_it_is_the_run_on_the_disk_whatever_its_writer_does(writing, tmp_path, seed):
    rng = np.random.default_rng(seed)
    run = writing()
    run.go(2)
    growing = GrowingRun(tmp_path / "run")
    for _ in range(40):
        match rng.integers(6):
            case 0 | 1 | 2:
                run.go(int(rng.integers(1, 5)))
            case 3 if growing.n_points > 4:
                run.writer.drop(sorted({1, int(rng.integers(2, growing.n_points - 1))}))
            case 4:
                run.writer.end("complete")
            case 5 if rng.random() < 0.3:
                run = writing(attempt=int(rng.integers(1000)))
                run.go(int(rng.integers(1, 12)))
        growing.look()
        n = growing.n_points
        growing.forget_all_but(range(0, n, 2))
        _assert_same(growing, range(0, n, 2))
        if rng.random() < 0.2:
            _assert_same(growing)  # those that were forgotten too


def test_what_was_read_is_not_read_again(writing, tmp_path):
    run = writing()
    run.go(3)
    growing = GrowingRun(tmp_path / "run")
    assert growing.look()
    assert not growing.look()
    manifest = tmp_path / "run" / "snapshots.jsonl"
    with manifest.open("r+b") as stream:  # what stands before is not looked at
        stream.write(b"#")
    (tmp_path / "run" / "snapshots" / "000001.safetensors").unlink()
    run.go()
    assert growing.look()
    assert (growing.n_points, growing.run([3]).steps.tolist()) == (4, [3])


def test_of_the_folder_only_what_is_new_is_looked_at(writing, tmp_path, monkeypatch):
    run = writing()
    run.go(3)
    growing = GrowingRun(tmp_path / "run")
    growing.look()
    run.go()
    monkeypatch.setattr(os, "scandir", None)
    assert growing.look()


def test_a_run_that_ended_has_ended_until_there_is_more_of_it(writing, tmp_path):
    run = writing()
    run.go(3)
    run.writer.end("complete")
    growing = GrowingRun(tmp_path / "run")
    growing.look()
    with (tmp_path / "run" / "snapshots.jsonl").open("a") as manifest:
        manifest.write('{"step": 3, "fi')
    assert growing.look()
    assert growing.run([0]).is_complete


def test_a_run_that_cannot_be_read_stays_as_it_was_known(writing, tmp_path, refuses):
    run = writing()
    run.go(3)
    growing = GrowingRun(tmp_path / "run")
    growing.look()
    run.go()
    file = tmp_path / "run" / "snapshots" / "000003.safetensors"
    held = file.read_bytes()
    file.write_bytes(held[:-1])
    for _ in range(2):
        with refuses(r"run 'run', point 3 \(step 3\): its file is cut short; restore it or remove its line"):
            growing.look()
        assert growing.n_points == 3
    file.write_bytes(held)
    assert growing.look()
    _assert_same(growing)


def test_a_damaged_line_is_named_by_its_number_in_the_file(writing, tmp_path, refuses):
    run = writing()
    run.go(3)
    growing = GrowingRun(tmp_path / "run")
    growing.look()
    manifest = tmp_path / "run" / "snapshots.jsonl"
    with manifest.open("ab") as stream:
        stream.write(b'{"step": "x"}\n')
    message = re.escape(f"line 4 of {str(manifest)!r} is damaged; restore it, or cut the file before that line")
    with refuses(message):
        growing.look()
    with refuses(message):
        open_run(tmp_path / "run")


def test_points_that_went_while_they_were_read_are_said(writing, tmp_path, refuses):
    run = writing()
    run.go(6)
    growing = GrowingRun(tmp_path / "run")
    growing.look()
    growing.forget_all_but([0])
    run.writer.drop([1, 2])
    with refuses("run 'run': points were taken out while it was read; look again"):
        growing.run([0, 5])
