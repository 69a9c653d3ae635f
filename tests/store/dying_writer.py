"""A writer that dies: started as a program by the crash tests.

``dying_writer.py loop RUN``: append points for ever, and print the step of each when its append has returned.

``dying_writer.py killed FOLDER``: for k = 0 to 49, do that in a process of its own, in ``FOLDER/k``, and kill it after a while.
``FOLDER/k.acknowledged`` has a byte for each step that was acknowledged.

``dying_writer.py hold RUN``: open the run, say so, and hold it for ever.

``dying_writer.py moments FOLDER begin|append|replace|both``: for k = 1, 2, …, write ``FOLDER/k`` in a process of its own that
kills itself just before the k-th thing it does to the disk, until one lives to the end. The steps that were acknowledged are in
``FOLDER/k.acknowledged``.
"""

import itertools
import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path

import numpy as np
from small_runs import ENTRIES, append_steps, write_run

from lossatlas.sketch import sketch
from lossatlas.store import RunWriter, writer


def loop(run: str) -> None:
    with RunWriter(run, ENTRIES) as opened:
        for step in itertools.count():
            append_steps(opened, [step])
            print(step, flush=True)  # noqa: T201


def killed(folder: str) -> None:
    for k in range(50):
        child = os.fork()
        if child == 0:
            acknowledged = os.open(Path(folder, f"{k}.acknowledged"), os.O_CREAT | os.O_WRONLY)
            with RunWriter(Path(folder, str(k)), ENTRIES) as opened:
                for step in itertools.count():
                    append_steps(opened, [step])
                    os.write(acknowledged, b".")
        while not Path(folder, f"{k}.acknowledged").exists() or not Path(folder, f"{k}.acknowledged").stat().st_size:
            time.sleep(0.001)
        time.sleep(random.Random(k).uniform(0, 0.02))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def hold(run: str) -> None:
    with RunWriter(run, ENTRIES, if_exists="append"):
        print("open", flush=True)  # noqa: T201
        time.sleep(600)


def moments(folder: str, what: str) -> None:
    for k in itertools.count(1):
        if what in {"append", "replace"}:
            write_run(Path(folder, str(k)), [0, 1])
        child = os.fork()
        if child == 0:
            _write_until(k, Path(folder), what)
            os._exit(0)
        if os.waitpid(child, 0)[1] == 0:
            return


def _write_until(k: int, folder: Path, what: str) -> None:
    moment = itertools.count(1)

    def dying(function):
        def before(*args, **kwargs):
            if next(moment) == k:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*args, **kwargs)

        return before

    # Dies before each sync, rename, removal and folder, and between the halves of a snapshot and of a line.
    os.fsync, shutil.rmtree = dying(os.fsync), dying(shutil.rmtree)
    for name in ("replace", "unlink", "mkdir"):
        setattr(Path, name, dying(getattr(Path, name)))
    middle = dying(lambda: None)
    whole = writer.chunks

    def halves(tensors):
        first, *rest = whole(tensors)
        yield first
        middle()
        yield from rest

    writer.chunks = halves
    acknowledged = os.open(folder / f"{k}.acknowledged", os.O_CREAT | os.O_WRONLY)
    if_exists = what if what in {"append", "replace"} else "refuse"
    sketches = {"keep": "both", "start": sketch(np.zeros(10), k=64)} if what == "both" else {}
    with RunWriter(folder / str(k), ENTRIES, if_exists=if_exists, **sketches) as opened:
        stream = opened._lines
        opened._lines = _Torn(stream, middle)
        for step in (2, 3):
            append_steps(opened, [step], sketched=what == "both")
            os.write(acknowledged, b"%d\n" % step)
        opened.end("complete")


class _Torn:
    """A stream whose lines come in two halves."""

    def __init__(self, stream, middle) -> None:
        self._stream = stream
        self._middle = middle

    def __getattr__(self, name):
        return getattr(self._stream, name)

    def write(self, line: bytes) -> int:
        half = len(line) // 2
        count = self._stream.write(line[:half])
        self._middle()
        return count + self._stream.write(line[half:])


if __name__ == "__main__":
    {"loop": loop, "killed": killed, "hold": hold, "moments": moments}[sys.argv[1]](*sys.argv[2:])
