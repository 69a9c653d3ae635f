"""What a sampling will cost is said before it begins, and is about what it then costs."""

import time

import pytest
from tasks_for_workers import small_net, small_task

from lossatlas import JumpSettings, jump_and_retrain
from lossatlas.sample import JumpCost, jump_cost

_START = small_net(5).state_dict()


def test_points_and_bytes_are_those_that_come(tmp_path):
    settings = JumpSettings(seeds=(0, 1), steps=(0.5, 1.0), epochs=3)
    cost = jump_cost(small_task(), _START, settings=settings)
    runs = jump_and_retrain(small_task(), _START, tmp_path, settings=settings)
    assert cost.n_points == sum(run.n_points for run in runs)
    assert cost.n_retrainings == 4
    assert cost.n_bytes == cost.n_points * sum(tensor.nbytes for tensor in _START.values())


def test_time_grows_with_the_updates_and_is_shared_by_the_workers(monkeypatch):
    clock = iter(range(10**9))
    monkeypatch.setattr(time, "perf_counter", lambda: float(next(clock)))
    # A second an evaluation, and a tenth of a second an update: the clock goes on by one at each look.
    settings = JumpSettings(seeds=(0, 1), steps=(0.5, 1.0), epochs=10)
    one = jump_cost(small_task(), _START, settings=settings)
    assert one.seconds == pytest.approx(4 * (10 * (3 * 0.1 + 1) + 1))
    assert jump_cost(small_task(), _START, settings=settings, workers=3).seconds == pytest.approx(2 * one.seconds / 4)
    longer = JumpSettings(seeds=(0, 1), steps=(0.5, 1.0), epochs=10, updates=30)
    assert jump_cost(small_task(), _START, settings=longer).seconds == pytest.approx(4 * (10 * (30 * 0.1 + 1) + 1))


def test_it_is_said_in_words():
    said = [str(JumpCost(16, 656, seconds, 26_000_000, 1)) for seconds in (5.04, 200.0, 7300.0, 400_000.0)]
    assert [words.split("about ")[1].split(" on")[0] for words in said] == ["5 s", "3.3 min", "2 h", "4.6 days"]


def test_no_worker_is_refused(refuses):
    with refuses("workers must be 1 or more, but is 0; change it"):
        jump_cost(small_task(), _START, workers=0)
