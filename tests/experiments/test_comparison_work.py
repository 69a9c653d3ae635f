"""How the work of a comparison is shared out, how long it took, and what it will cost."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import torch
from small_comparison import TINY, Reversed

from lossatlas.experiments.comparison import Jump
from lossatlas.experiments.comparison.cost import cost
from lossatlas.experiments.comparison.took import Clock
from lossatlas.experiments.pool import results


def test_results_come_with_their_numbers_and_a_failure_ends_the_rest():
    done = []

    def work(item):
        if item == "bad":
            raise ValueError(item)
        done.append(item)
        return item.upper()

    assert list(results(work, ["a", "b"], None)) == [(0, "A"), (1, "B")]
    with Reversed(3) as executor:
        assert sorted(results(work, ["a", "b", "c"], executor)) == [(0, "A"), (1, "B"), (2, "C")]
    done.clear()
    with ThreadPoolExecutor(1) as executor, pytest.raises(ValueError, match="bad"):
        list(results(work, ["bad", *"a" * 200], executor))
    assert len(done) < 200


def test_time_of_all_runs_of_one_key_is_added_up(tmp_path, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(f"{Clock.__module__}.time.monotonic", lambda: now[0])
    one, other = Clock(tmp_path, "one"), Clock(tmp_path, "other")
    now[0] = 102.0
    assert one.note() == 2
    now[0] = 103.0
    assert (one.note(), other.note()) == (3, 3)  # stopped here
    now[0] = 200.0
    again = Clock(tmp_path, "one")
    now[0] = 204.0
    assert again.note() == 3 + 4
    again.begin_anew()
    now[0] = 205.0
    assert again.note() == 1
    assert other.note() == 105


def test_a_second_process_halves_the_time_and_retrainings_count(monkeypatch):
    module = cost.__module__
    for name, seconds in (("seconds_of_update", 2.0), ("seconds_of_recording", 0.25)):
        monkeypatch.setattr(f"{module}.{name}", lambda _task, seconds=seconds: seconds)
    monkeypatch.setattr(f"{module}.seconds_of_evaluation", lambda _task, *, n_samples: n_samples / 1000)
    monkeypatch.setattr(f"{module}.n_bytes", lambda _task: 100)
    n_test = TINY.recipe.n_samples()[1]
    of_point = 0.25 + (40 + n_test) / 1000
    plain = cost(TINY)
    assert plain.n_points == 6 * 6
    assert plain.seconds == pytest.approx(6 * (5 * 2 * 2.0 + 6 * of_point))
    assert plain.n_bytes == 36 * 100
    assert str(plain).endswith("on disk")
    assert str(cost(replace(TINY, with_curvature=True))).endswith("on disk, not counting sharpness and curvature")
    twice = cost(replace(TINY, recipe=replace(TINY.recipe, passes=2)))
    assert twice.seconds == pytest.approx(6 * (5 * 2 * 2 * 2.0 + 6 * of_point))
    parted = cost(replace(TINY, variants={"trunk": {}, "3": {"fork": 3}}))
    assert parted.n_points == 3 * 6 + 3 * (6 + 3)
    assert parted.seconds == pytest.approx(3 * (5 + 5 + 2) * 2 * 2.0 + parted.n_points * of_point)
    whole = replace(TINY.recipe, data="cifar10", data_options={"folder": "nowhere"}, network_options={"width": 2}, batch=0)
    full = cost(replace(TINY, recipe=whole))
    assert full.seconds == pytest.approx(6 * (5 * 2.0 * 50_000 / 256 + 6 * (0.25 + 60)))
    assert cost(TINY, workers=2).seconds == pytest.approx(plain.seconds / 2)
    jumping = replace(TINY, jump=Jump(seeds=(0, 1), steps=(0.5, 1.0), epochs=3, passes=2))
    more = cost(jumping)
    points = 6 + (2 * 2 + 1) * 4 + 1
    assert more.n_retrainings == 6 * 5
    assert more.n_points == 6 * points
    assert more.seconds == pytest.approx(6 * ((5 * 2 + 5 * 3 * 2 * 2) * 2.0 + points * of_point))


def test_time_is_taken_with_as_many_threads_as_a_process_will_have(monkeypatch):
    seen = []
    monkeypatch.setattr(f"{cost.__module__}.seconds_of_update", lambda _task: seen.append(torch.get_num_threads()) or 1.0)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        cost(TINY)
        cost(TINY, workers=2)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert seen == [2, 2, 1, 1]
