"""Snapshots are written in a thread of their own: in their order, a few waiting at most, and errors come back to the loop."""

import subprocess
import sys
import threading

import numpy as np
import pytest
import torch
from torch import nn

from lossatlas import InputError, Recorder, open_run
from lossatlas.record.background import BackgroundWriter


def _set(model: nn.Module, value: float) -> None:
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(value)


class _Slow:
    """A disk that waits until it may go on."""

    def __init__(self) -> None:
        self.may_go, self.is_writing = threading.Event(), threading.Event()
        self.steps: list[int] = []

    def append(self, tensors, *, step, metrics) -> None:
        self.is_writing.set()
        assert self.may_go.wait(20)
        self.steps.append(step)


def test_training_goes_on_while_the_disk_is_slow_and_waits_when_it_is_too_far_ahead():
    disk = _Slow()
    background = BackgroundWriter(disk.append)
    background.append({}, step=0, metrics={})
    assert disk.is_writing.wait(20)
    for step in (1, 2):  # one is being written, two wait
        background.append({}, step=step, metrics={})
    fourth = threading.Thread(target=lambda: background.append({}, step=3, metrics={}), daemon=True)
    fourth.start()
    fourth.join(0.2)
    assert fourth.is_alive()
    assert disk.steps == []
    disk.may_go.set()
    fourth.join(20)
    background.close()
    assert disk.steps == [0, 1, 2, 3]


def test_a_snapshot_is_of_the_moment_of_its_step_however_late_it_is_written(tmp_path, monkeypatch):
    may_go = threading.Event()
    model = nn.Linear(3, 2)
    _set(model, 0)
    with Recorder(tmp_path / "run", model) as recorder:
        append = recorder._background._shared.append

        def late(*given, **named):
            assert may_go.wait(20)
            append(*given, **named)

        monkeypatch.setattr(recorder._background._shared, "append", late)
        for value in (1, 2, 3):
            _set(model, value)
            recorder.step()
        _set(model, 9)
        may_go.set()
    np.testing.assert_array_equal(open_run(tmp_path / "run").weights()[:, 0], [0, 1, 2, 3])


def test_flush_waits_until_all_is_on_disk(tmp_path):
    with Recorder(tmp_path / "run", nn.Linear(2, 1)) as recorder:
        for _ in range(5):
            recorder.step()
        recorder.flush()
        assert open_run(tmp_path / "run").n_points == recorder.n_points == 6


def test_an_error_of_the_disk_reaches_the_next_step_and_nothing_is_written_after_it(tmp_path):
    def refuse(tensors, *, step, metrics):
        written.append(step)
        if step == 2:
            assert may_fail.wait(20)
            raise InputError("the disk is full; make room")

    written: list[int] = []
    may_fail = threading.Event()
    background = BackgroundWriter(refuse)
    for step in (1, 2, 3, 4):  # the last two wait while the second fails
        background.append({}, step=step, metrics={})
    may_fail.set()
    with pytest.raises(InputError, match="the disk is full"):
        background.flush()
    for call in (lambda: background.append({}, step=5, metrics={}), background.refuse_failed, background.close):
        with pytest.raises(InputError, match="the disk is full"):
            call()
    assert written == [1, 2]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # of the file that nobody closed
def test_no_thread_is_left_behind(tmp_path):
    before = threading.active_count()
    with Recorder(tmp_path / "run", nn.Linear(2, 1)) as recorder:
        recorder.step()
        assert threading.active_count() == before + 1
    assert threading.active_count() == before
    recorder = Recorder(tmp_path / "other", nn.Linear(2, 1))
    recorder.step()
    del recorder  # nobody closed it
    assert threading.active_count() == before
    assert open_run(tmp_path / "other").n_points == 2


def test_what_waits_when_the_program_ends_is_written(tmp_path):
    code = (
        "import torch, lossatlas as la\n"
        "model = torch.nn.Linear(200, 200)\n"
        "recorder = la.Recorder('run', model)\n"
        "for _ in range(30):\n    recorder.step()\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=tmp_path, check=True)
    run = open_run(tmp_path / "run")
    assert run.n_points == 31
    assert not run.is_complete
