"""A real local Ray of two workers: the same points bit for bit, and nothing lost with a killed worker."""

import os
import signal
import threading
import time
from concurrent.futures import wait
from pathlib import Path

import numpy as np
import pytest
import tasks_for_workers
from tasks_for_workers import die_always, die_once, fail, shuffled_task, small_net, square, threads, touch_and_sleep

from lossatlas import JumpSettings, jump_and_retrain
from lossatlas.sample import RayPool

ray = pytest.importorskip("ray")
pytestmark = pytest.mark.filterwarnings("ignore")  # Ray's own

_SETTINGS = JumpSettings(seeds=(0, 1), steps=(0.5, 1.0), epochs=2)


@pytest.fixture(scope="module", autouse=True)
def cluster():
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    paths = os.pathsep.join([str(Path(tasks_for_workers.__file__).parent), os.environ.get("PYTHONPATH", "")])
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, runtime_env={"env_vars": {"PYTHONPATH": paths}})
    yield
    ray.shutdown()


def test_the_same_points_come_out_bit_for_bit(tmp_path):
    start = small_net(5).state_dict()
    with RayPool() as pool:
        on_ray = jump_and_retrain(shuffled_task(), start, tmp_path / "ray", settings=_SETTINGS, executor=pool)
    here = jump_and_retrain(shuffled_task(), start, tmp_path / "here", settings=_SETTINGS)
    for a, b in zip(on_ray, here, strict=True):
        assert a.name == b.name
        for point in range(b.n_points):
            for name, value in b.snapshot(point).items():
                np.testing.assert_array_equal(a.snapshot(point)[name], value)
        assert a.metrics.keys() == b.metrics.keys()
        for name, values in b.metrics.items():
            np.testing.assert_array_equal(a.metrics[name], values)
    assert ray.is_initialized()  # the cluster was there before


def test_work_is_done_again_when_its_worker_kills_itself(tmp_path):
    with RayPool() as pool:
        futures = [pool.submit(die_once, tmp_path / "flag", 3), *(pool.submit(square, i) for i in range(6))]
        assert [future.result(timeout=120) for future in futures] == [9, 0, 1, 4, 9, 16, 25]


def test_a_worker_that_is_killed_in_the_middle_loses_nothing(tmp_path):
    with RayPool() as pool:
        futures = [pool.submit(touch_and_sleep, tmp_path, 1.0) for _ in range(4)]
        while not list(tmp_path.iterdir()):
            time.sleep(0.02)
        os.kill(int(next(tmp_path.iterdir()).name), signal.SIGKILL)
        assert not wait(futures, timeout=120).not_done
        assert len([future.result() for future in futures]) == 4


def test_what_dies_each_time_fails_in_the_end_and_the_rest_is_done(tmp_path):
    with RayPool(retries=1) as pool:
        bad, good = pool.submit(die_always, tmp_path / "log"), pool.submit(square, 4)
        assert isinstance(bad.exception(timeout=120), ray.exceptions.RayError)
        assert good.result(timeout=120) == 16
    assert (tmp_path / "log").read_text().count("died") == 2


def test_an_error_of_the_work_comes_out_as_itself_and_is_not_tried_again():
    with RayPool() as pool, pytest.raises(LookupError, match="the user's own"):
        pool.submit(fail, "the user's own").result(timeout=60)


def test_torch_has_as_many_threads_as_processors_were_set_aside():
    with RayPool() as one, RayPool(num_cpus=2) as two:
        assert one.submit(threads).result(timeout=60) == 1
        assert two.submit(threads).result(timeout=60) == 2


def test_what_is_cancelled_is_not_begun(tmp_path):
    pool = RayPool()
    futures = [pool.submit(touch_and_sleep, tmp_path, 0.5) for _ in range(8)]
    pool.shutdown(cancel_futures=True)
    assert sum(future.cancelled() for future in futures) >= 6
    with pytest.raises(RuntimeError, match="after shutdown"):
        pool.submit(square, 2)
    time.sleep(1.0)
    assert len(list(tmp_path.iterdir())) <= 2
    assert threading.active_count() < 50
