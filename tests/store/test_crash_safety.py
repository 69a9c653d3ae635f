"""What was acknowledged survives the death of its writer at any moment, and a full disk."""

import errno
import os
import resource
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from small_runs import ENTRIES, append_steps, assert_holds_steps, assert_points_are, raw, values_at, write_run

from lossatlas.sketch import sketch
from lossatlas.store import RunWriter, open_run, writer

_TORN = "the last line of its manifest was cut short, so that snapshot is left out; it had not been acknowledged"


@contextmanager
def _started(*arguments: str | Path) -> Iterator[subprocess.Popen]:
    program = [sys.executable, str(Path(__file__).with_name("dying_writer.py")), *map(str, arguments)]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def _torn_lines_allowed() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=f".*{_TORN}")
        yield


def test_what_was_acknowledged_survives_kill_9_at_50_random_moments(tmp_path):
    with _started("killed", tmp_path) as process:
        assert process.wait(timeout=300) == 0
    for k in range(50):
        _assert_all_is_there(tmp_path / str(k), acknowledged=(tmp_path / f"{k}.acknowledged").stat().st_size)


def _assert_all_is_there(path: Path, *, acknowledged: int) -> None:
    with _torn_lines_allowed():
        found = open_run(path).n_points
        assert acknowledged <= found <= acknowledged + 1
        assert_holds_steps(path, range(found))
        # The lock of a dead writer is free, and the run goes on.
        with RunWriter(path, ENTRIES, if_exists="append") as again:
            assert (again.n_points, again.last_step) == (found, found - 1)
            append_steps(again, [found, found + 1])
    assert_holds_steps(path, range(found + 2))


def test_a_run_is_read_while_it_is_written(tmp_path):
    with _started("loop", tmp_path / "run") as process:
        assert process.stdout.readline() == "0\n"
        seen = []
        end = time.monotonic() + 3
        while time.monotonic() < end:
            with _torn_lines_allowed():  # a line of which part is on disk is not there yet
                run = open_run(tmp_path / "run")
                seen.append(run.n_points)
                assert run.steps.tolist() == list(range(run.n_points))
                assert_points_are(run, [0, run.n_points - 1])
    assert seen == sorted(seen)
    assert seen[-1] > seen[0] + 5


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Runs whose writers died at every moment, by what they were doing."""
    folders = {}
    for what in ("begin", "append", "replace", "both"):
        folders[what] = tmp_path_factory.mktemp(what)
        with _started("moments", folders[what], what) as process:
            assert process.wait(timeout=300) == 0  # a disk that others use may be slow to sync
    return folders


def _deaths(folder: Path) -> list[tuple[Path, list[int]]]:
    files = sorted(folder.glob("*.acknowledged"), key=lambda file: int(file.stem))
    # Two snapshots, each of 4 moments for its file and 2 for its line, 2 for the last line, and the opening before them.
    assert len(files) > 14
    assert files[-1].read_text().split() == ["2", "3"]
    return [(folder / file.stem, [int(step) for step in file.read_text().split()]) for file in files]


@pytest.mark.parametrize("what", ["begin", "append", "replace", "both"])
def test_what_was_acknowledged_survives_kill_9_before_every_change_of_the_disk(killed, what):
    n_torn = n_unacknowledged = 0
    for path, acknowledged in _deaths(killed[what]):
        if not (path / "run.json").exists():
            assert what != "append"
            assert not acknowledged
            continue
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            steps = open_run(path).steps.tolist()
            before = [0, 1] if what == "append" or steps[:1] == [0] else []
            # At most the one snapshot in work is there unacknowledged.
            assert steps in (before + acknowledged, before + [2, 3][: len(acknowledged) + 1])
            assert_holds_steps(path, steps)
        n_unacknowledged += len(steps) > len(before + acknowledged)
        n_torn += bool(caught)
        assert all(f"run {path.name!r}: {_TORN}" in str(warning.message) for warning in caught)
    # The moments that matter were among them: the middle of a line, and a line that was whole but not yet acknowledged.
    assert n_torn >= 2
    assert n_unacknowledged == 2


@pytest.mark.parametrize("what", ["begin", "append", "replace", "both"])
def test_a_run_goes_on_after_kill_9_at_any_moment(killed, what, tmp_path):
    for path, _ in _deaths(killed[what]):
        with _torn_lines_allowed():
            there = (path / "run.json").exists()
            found = open_run(path).steps.tolist() if there else []
            sketches = {"keep": "both", "start": sketch(np.zeros(10), k=64)} if what == "both" else {}
            with RunWriter(path, ENTRIES, if_exists="append", **sketches) as again:
                append_steps(again, [7, 8], sketched=what == "both")
                again.end("complete")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert_holds_steps(path, [*found, 7, 8])
        assert not list(path.rglob("*.part"))


def test_a_last_line_cut_anywhere_is_left_out_with_a_warning(tmp_path):
    path = write_run(tmp_path / "run", [0])
    manifest = path / "snapshots.jsonl"
    with RunWriter(path, ENTRIES, if_exists="append") as appending:
        manifest.write_bytes(manifest.read_bytes().splitlines(keepends=True)[0])
        append_steps(appending, [1])
    whole = manifest.read_bytes()
    first = whole.index(b"\n") + 1
    for cut in range(first + 1, len(whole)):
        manifest.write_bytes(whole[:cut])
        with pytest.warns(UserWarning, match=f"run 'run': {_TORN}"):
            assert_holds_steps(path, [0])
    with (
        pytest.warns(UserWarning, match="cut short"),
        RunWriter(path, ENTRIES, if_exists="append") as again,
    ):
        append_steps(again, [1])
    assert manifest.read_bytes() == whole
    assert_holds_steps(path, [0, 1])


def test_zeros_at_the_end_of_the_manifest_are_a_torn_line(tmp_path):
    path = write_run(tmp_path / "run", [0, 1])
    with (path / "snapshots.jsonl").open("ab") as stream:
        stream.write(b"\0" * 80)
    with pytest.warns(UserWarning, match=_TORN):
        assert_holds_steps(path, [0, 1])


def test_the_second_of_two_writers_is_refused(tmp_path, refuses):
    busy = "another writer holds the run '.*run'; choose another path, or wait until it has ended"
    with RunWriter(tmp_path / "run", ENTRIES) as first:
        for if_exists in ("append", "replace"):
            with refuses(busy):
                RunWriter(tmp_path / "run", ENTRIES, if_exists=if_exists)
        append_steps(first, [0])
    with RunWriter(tmp_path / "run", ENTRIES, if_exists="append") as second:
        append_steps(second, [1])
    assert_holds_steps(tmp_path / "run", [0, 1])


def test_a_writer_in_another_process_holds_the_run_until_it_is_killed(tmp_path, refuses):
    write_run(tmp_path / "run", [0])
    with _started("hold", tmp_path / "run") as process:
        assert process.stdout.readline() == "open\n"
        with refuses("another writer holds the run"):
            RunWriter(tmp_path / "run", ENTRIES, if_exists="append")
        assert_holds_steps(tmp_path / "run", [0])
        process.send_signal(signal.SIGKILL)
        process.wait()
    with RunWriter(tmp_path / "run", ENTRIES, if_exists="append") as again:
        append_steps(again, [1])
    assert_holds_steps(tmp_path / "run", [0, 1])


def test_a_run_that_appears_while_another_writer_opens_is_not_overwritten(tmp_path, monkeypatch, refuses):
    acquire = writer.filelock.FileLock.acquire

    def slow(lock, **kwargs):
        # Another writer comes and goes between the look at the folder and the lock.
        monkeypatch.setattr(writer.filelock.FileLock, "acquire", acquire)
        write_run(tmp_path / "run", [0])
        return acquire(lock, **kwargs)

    monkeypatch.setattr(writer.filelock.FileLock, "acquire", slow)
    with refuses("holds a run already"):
        RunWriter(tmp_path / "run", ENTRIES)
    assert_holds_steps(tmp_path / "run", [0])


def _full(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _assert_full_disk_is_survived(path: Path, opened: RunWriter, refuses, monkeypatch) -> None:
    for _ in range(2):
        with refuses("cannot write '.*run': No space left on device; choose a place that you can write to"):
            append_steps(opened, [2])
        assert opened.n_points == 2
        assert_holds_steps(path, [0, 1])
        assert not list(path.rglob("*.part"))
    monkeypatch.undo()
    append_steps(opened, [3])
    assert_holds_steps(path, [0, 1, 3])


@pytest.mark.parametrize("which", ["of the file", "of the folder", "of the line"])
def test_a_sync_that_finds_the_disk_full_loses_nothing_that_was_acknowledged(tmp_path, monkeypatch, refuses, which):
    with RunWriter(tmp_path / "run", ENTRIES) as opened:
        append_steps(opened, [0, 1])
        calls = []

        def fsync(descriptor: int) -> None:
            calls.append(descriptor)
            if len(calls) % 3 == {"of the file": 1, "of the folder": 2, "of the line": 0}[which] or len(calls) > 3:
                _full()

        monkeypatch.setattr(writer.os, "fsync", fsync)
        _assert_full_disk_is_survived(tmp_path / "run", opened, refuses, monkeypatch)


def test_a_disk_that_is_full_in_the_middle_of_a_snapshot_loses_nothing(tmp_path, monkeypatch, refuses):
    def half(tensors):
        yield b"\0" * 100
        _full()

    with RunWriter(tmp_path / "run", ENTRIES) as opened:
        append_steps(opened, [0, 1])
        monkeypatch.setattr(writer, "chunks", half)
        _assert_full_disk_is_survived(tmp_path / "run", opened, refuses, monkeypatch)


@contextmanager
def _room_for(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_manifest_that_the_system_cuts_short_keeps_its_whole_lines(tmp_path, refuses):
    path, manifest = tmp_path / "run", tmp_path / "run" / "snapshots.jsonl"
    with RunWriter(path, ENTRIES) as opened:
        append_steps(opened, range(10))
        # The system itself takes 40 bytes of the line and refuses the rest; snapshots are smaller and fit.
        with _room_for(manifest.stat().st_size + 40):
            for _ in range(3):
                with refuses("cannot write '.*run': .*; choose a place"):
                    append_steps(opened, [10])
                assert_holds_steps(path, range(10))
            with refuses("cannot write"):
                opened.end("complete is a long word here, and longer than what fits")
        append_steps(opened, [10, 11])
    assert_holds_steps(path, range(12))


def test_a_full_disk_at_the_start_leaves_a_folder_that_can_be_used(tmp_path, monkeypatch, refuses):
    monkeypatch.setattr(writer.os, "fsync", _full)
    with refuses("cannot write '.*run': No space left"):
        RunWriter(tmp_path / "run", ENTRIES)
    assert not list(tmp_path.rglob("*.part"))
    monkeypatch.undo()
    with RunWriter(tmp_path / "run", ENTRIES) as opened:
        opened.append(raw(values_at(0)), step=0, metrics={"loss": 1.0})
    assert_holds_steps(tmp_path / "run", [0])
