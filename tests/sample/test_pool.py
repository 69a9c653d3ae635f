"""A pool whose work outlives its workers, and whose workers do not outlive it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import numpy as np
import pytest
import tasks_for_workers as work

from lossatlas import JumpSettings, jump_and_retrain
from lossatlas.sample import LocalPool


@pytest.fixture(scope="module")
def pool() -> Iterator[LocalPool]:
    # Workers inherit both: neither a machine of one core nor a shell that ignores Ctrl-C may hide what the pool does.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with pytest.MonkeyPatch.context() as environment, LocalPool(2) as pool:
        environment.setenv("OMP_NUM_THREADS", "3")
        environment.setenv("MKL_NUM_THREADS", "3")
        yield pool
    signal.signal(signal.SIGINT, before)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    # One that has ended and that nobody has asked about yet is dead, too.
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"


def _wait_until(condition, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def _pids(folder: Path) -> list[int]:
    return [int(file.name) for file in folder.iterdir()]


def test_the_points_are_the_same_bit_for_bit_as_one_after_the_other(pool, tmp_path, monkeypatch):
    # A path belongs to the folder in which it is named; the worker that is there already lives in another.
    assert pool.submit(work.square, 2).result() == 4
    monkeypatch.chdir(tmp_path)
    settings = JumpSettings(seeds=(0, 3), steps=(0.5, 1.0), epochs=2)
    start = work.small_net(5).state_dict()
    alone = jump_and_retrain(work.shuffled_task(), start, tmp_path / "alone", settings=settings)
    reports: list[tuple[int, int]] = []
    shared = jump_and_retrain(
        work.shuffled_task(),
        start,
        "shared",
        settings=settings,
        executor=pool,
        progress=lambda *done: reports.append(done),
    )
    for one, other in zip(alone, shared, strict=True):
        assert one.settings == other.settings
        assert one.weights().tobytes() == other.weights().tobytes()
        for name, values in one.metrics.items():
            np.testing.assert_array_equal(values, other.metrics[name])
    assert reports == [(done, 4) for done in range(5)]


def test_results_and_errors_of_the_work_come_out(pool):
    assert list(pool.map(work.square, range(5))) == [0, 1, 4, 9, 16]
    with pytest.raises(LookupError, match="the work's own"):
        pool.submit(work.fail, "the work's own").result()
    assert pool.submit(work.square, x=3).result() == 9


def test_each_worker_uses_one_thread(pool):
    assert set(pool.map(work.threads, range(4))) == {1}


def test_ctrl_c_in_a_worker_is_left_to_the_pool(pool, tmp_path):
    future = pool.submit(work.touch_and_sleep, tmp_path, 0.3)
    _wait_until(lambda: _pids(tmp_path))
    os.kill(_pids(tmp_path)[0], signal.SIGINT)
    assert future.exception() is None
    assert future.result() == _pids(tmp_path)[0]


def test_cancelled_work_is_never_begun(tmp_path):
    with LocalPool(1) as pool:
        running = pool.submit(work.touch_and_sleep, tmp_path, 0.3)
        waiting = [pool.submit(work.touch, tmp_path / f"begun{i}") for i in range(5)]
        _wait_until(lambda: _pids(tmp_path))
        # The pool itself holds one piece more than it has workers ready to go.
        assert all(future.cancel() for future in waiting)
        running.result()
        assert pool.submit(work.square, 2).result() == 4
    assert all(future.cancelled() for future in waiting)
    assert set(as_completed([running, *waiting], timeout=5)) == {running, *waiting}
    assert len(list(tmp_path.glob("begun*"))) <= 1


def test_work_that_a_killed_worker_lost_is_done_again(tmp_path):
    # The block ends while the work is being lost: it waits for the second attempt, too.
    with LocalPool(2) as pool:
        futures = [pool.submit(work.die_once, tmp_path / "flag", 3), *(pool.submit(work.square, x) for x in range(6))]
    assert all(future.done() for future in futures)
    assert [future.result() for future in futures] == [9, 0, 1, 4, 9, 16, 25]
    assert (tmp_path / "flag").exists()
    with pytest.raises(RuntimeError, match="after shutdown"):
        pool.submit(work.square, 1)


def test_work_that_kills_every_worker_fails_after_its_retries_and_the_pool_goes_on(tmp_path):
    with LocalPool(1, retries=1) as pool:
        future = pool.submit(work.die_always, tmp_path / "log")
        with pytest.raises(BrokenProcessPool):
            future.result(timeout=60)
        assert (tmp_path / "log").read_text() == "died\n" * 2
        assert pool.submit(work.square, 7).result(timeout=60) == 49


def test_an_error_in_the_block_stops_the_workers_at_once(tmp_path):
    def block() -> None:
        with LocalPool(2) as pool:
            pools.append(pool)
            futures.extend(pool.submit(work.touch_and_sleep, tmp_path, 60) for _ in range(4))
            _wait_until(lambda: len(_pids(tmp_path)) == 2)
            raise LookupError

    futures: list = []
    pools: list[LocalPool] = []
    begun = time.monotonic()
    with pytest.raises(LookupError):
        block()
    assert time.monotonic() - begun < 30
    _wait_until(lambda: not any(map(_is_alive, _pids(tmp_path))), 5)
    assert all(future.done() for future in futures)
    assert len(_pids(tmp_path)) == 2
    with pytest.raises(RuntimeError, match="after shutdown"):
        pools[0].submit(work.square, 1)


def test_workers_end_when_the_process_that_owns_them_is_killed(tmp_path):
    program = [sys.executable, str(Path(__file__).with_name("pool_owner.py")), str(tmp_path)]
    with subprocess.Popen(program) as owner:
        try:
            _wait_until(lambda: len(_pids(tmp_path)) == 2)
            assert all(map(_is_alive, _pids(tmp_path)))
        finally:
            owner.send_signal(signal.SIGKILL)
    _wait_until(lambda: not any(map(_is_alive, _pids(tmp_path))), 5)


def test_a_script_without_a_main_guard_is_told_so_instead_of_starting_itself_for_ever(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("from lossatlas.sample import LocalPool\nLocalPool(1).submit(abs, -1).result()\n")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode != 0
    assert (
        "InputError: make a LocalPool under `if __name__ == '__main__':`, or every worker would start the script" in done.stderr
    )


@pytest.mark.parametrize("workers", [0, -1])
def test_a_pool_without_workers_is_refused(workers, refuses):
    with refuses(f"workers must be at least 1, but is {workers}"):
        LocalPool(workers)
