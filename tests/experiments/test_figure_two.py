"""The demo's experiment, small: what it writes, that its parts are what they are called, and that it goes on where it was."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from small_demo import SMALL

from lossatlas import InputError, JumpSettings, open_run
from lossatlas.experiments import figure_two as experiment
from lossatlas.experiments.data.batches import Batches, shifted
from lossatlas.experiments.data.digits import digits
from lossatlas.experiments.networks.convolutional import convolutional
from lossatlas.experiments.report import write_report
from lossatlas.sample import fixed_randomness

PROGRAM = Path(__file__).with_name("small_demo.py")


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The small demo, done once without interruption in a process of its own."""
    folder = tmp_path_factory.mktemp("whole") / "demo"
    done = subprocess.run([sys.executable, PROGRAM, folder, "--workers", "2"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


def weights(folder):
    return {str(p.parent.relative_to(folder)): open_run(p.parent).weights() for p in sorted(folder.rglob("run.json"))}


def test_it_writes_page_figure_and_numbers(demo):
    folder, words = demo
    assert {path.name for path in folder.iterdir()} == {
        "atlas.html", "atlas.png", "summary.json", "runs", "jumps", "controls"
    }  # fmt: skip
    assert all(name in words for name in ("good", "bad", "memorised", "return ratio", "atlas.html"))
    assert (folder / "atlas.png").read_bytes().startswith(b"\x89PNG")


def test_the_summary_holds_what_it_promises(demo):
    folder, _ = demo
    optima = json.loads((folder / "summary.json").read_text())["optima"]
    assert list(optima) == ["good", "bad", "memorised"]
    for numbers in optima.values():
        assert numbers["n_points"] == 4 * (6 + 1) + 1
        assert {"train_accuracy", "test_accuracy", "t", "stress", "connected_components", "return_ratio"} <= set(numbers)
        parts = numbers["persistence"]
        assert parts["total"] == pytest.approx(parts["finite"] + parts["essential"])
        assert {"loss_range_squared"} <= set(parts)
        assert len(numbers["return_ratio_by_epoch"]) == 7
        assert numbers["return_ratio_by_epoch"][0] == 1
        assert set(numbers["return_ratio_by_jump"]) == {"0.5", "1"}


def test_the_return_ratio_is_that_of_the_weights_on_disk(demo):
    folder, _ = demo
    found = json.loads((folder / "summary.json").read_text())["optima"]["bad"]
    points = weights(folder / "jumps" / "bad")
    optimum = points.pop("optimum")[0]
    ratios = [np.linalg.norm(run[-1] - optimum) / np.linalg.norm(run[0] - optimum) for run in points.values()]
    assert found["return_ratio"] == pytest.approx(np.mean(ratios), rel=1e-9)
    control = weights(folder / "controls" / "bad")["seed-0-step-0.0"]
    jumps = [np.linalg.norm(run[0] - optimum) for run in points.values()]
    assert found["control"]["drift"] == pytest.approx(np.linalg.norm(control[-1] - optimum), rel=1e-9)
    ends = [np.linalg.norm(run[-1] - control[-1]) / jump for run, jump in zip(points.values(), jumps, strict=True)]
    assert found["control"]["return_ratio"] == pytest.approx(np.mean(ends), rel=1e-9)
    assert found["control"]["drift_over_jump"] == pytest.approx(found["control"]["drift"] / np.mean(jumps), rel=1e-9)


def test_the_jumps_start_from_the_end_of_the_training(demo):
    folder, _ = demo
    for optimum in experiment.OPTIMA:
        training, star = open_run(folder / "runs" / optimum), open_run(folder / "jumps" / optimum / "optimum")
        np.testing.assert_array_equal(star.weights()[0], training.weights()[-1])
        for name in training.metrics:
            assert star.metrics[name][0] == pytest.approx(training.metrics[name][-1], rel=1e-5)


def test_the_three_trainings_share_their_start(demo):
    folder, _ = demo
    starts = [open_run(folder / "runs" / optimum).weights()[0] for optimum in experiment.OPTIMA]
    np.testing.assert_array_equal(starts[0], starts[1])
    np.testing.assert_array_equal(starts[0], starts[2])


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT], ids=lambda how: how.name)
def test_stopped_in_the_middle_it_goes_on_where_it_was(demo, tmp_path, how):
    whole, _ = demo
    folder = tmp_path / "demo"
    command = [sys.executable, PROGRAM, folder, "--workers", "2"]
    # What a shell runs in the background begins with Ctrl-C ignored, and so would all that it starts.
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True)
    signal.signal(signal.SIGINT, handler)
    wait_for(lambda: len(complete(folder)) >= 6, process)
    process.send_signal(how)
    errors = process.communicate(timeout=120)[1]
    if how == signal.SIGINT:
        assert process.returncode == 130
        assert errors.splitlines()[-1] == "lossatlas: stopped; the same command goes on where it was"
    # The workers end with their parent, however it ended; only then is the folder at rest.
    wait_for(lambda: not group_is_alive(process.pid), None)
    before = complete(folder)
    assert len(before) < len(complete(whole))
    assert not (folder / "summary.json").exists()
    subprocess.run(command, check=True, capture_output=True)
    after = complete(folder)
    assert {name: after[name] for name in before} == before, "what was finished was done again"
    stopped, uninterrupted = weights(folder), weights(whole)
    assert stopped.keys() == uninterrupted.keys()
    for name, points in uninterrupted.items():
        np.testing.assert_array_equal(stopped[name], points, err_msg=name)


def complete(folder):
    """Modification times of the descriptions of complete runs."""
    found = {}
    for description in sorted(folder.rglob("run.json")):
        lines = description.with_name("snapshots.jsonl")
        if lines.exists() and lines.read_bytes().endswith(b'{"end": "complete"}\n'):
            found[str(description.relative_to(folder))] = description.stat().st_mtime_ns
    return found


def wait_for(condition, process, seconds=240):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it took too long"
        assert process is None or process.poll() is None, process.stderr.read()
        time.sleep(0.02)


def group_is_alive(group):
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_other_settings_in_the_same_folder_are_refused(demo):
    folder, _ = demo
    before = weights(folder)
    with pytest.raises(InputError, match=r"was made with other settings; choose another folder or remove that one"):
        experiment.run(folder, replace(SMALL, weight_decay=0.1))
    after = weights(folder)
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_without_a_pool_the_same_points_come_out(demo, tmp_path):
    folder, _ = demo
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as in the workers: sums over threads round otherwise
    steps = []
    try:
        report = experiment.run(tmp_path, SMALL, progress=lambda done, what: steps.append((done, what)))
    finally:
        torch.set_num_threads(threads)
    write_report(report, tmp_path)
    here, there = weights(tmp_path), weights(folder)
    for name, points in there.items():
        np.testing.assert_array_equal(here[name], points, err_msg=name)
    assert json.loads((tmp_path / "summary.json").read_text()) == json.loads((folder / "summary.json").read_text())
    assert [done for done, _ in steps] == sorted(done for done, _ in steps)
    assert steps[-1] == (experiment.n_units(SMALL), "done")


def test_memorised_labels_are_random_and_test_labels_are_true():
    true, random = digits(n_train=200, split=3), digits(n_train=200, split=3, random_labels=True)
    assert torch.equal(true.train_x, random.train_x)
    assert torch.equal(true.test_y, random.test_y)
    agreement = (true.train_y == random.train_y).float().mean()
    # One in ten by chance; 4 standard errors of a share of 0.1 among 200.
    assert abs(agreement - 0.1) < 4 * np.sqrt(0.1 * 0.9 / 200)


def test_the_three_tasks_differ_in_what_they_are_named_for():
    good, bad, memorised = (experiment.task(optimum, SMALL) for optimum in experiment.OPTIMA)
    true = digits(n_train=SMALL.n_train, split=SMALL.split)
    random = digits(n_train=SMALL.n_train, split=SMALL.split, random_labels=True)
    assert [task.train.shift for task in (good, bad, memorised)] == [1, 0, 0]
    assert torch.equal(good.train.y, true.train_y)
    assert torch.equal(bad.train.y, true.train_y)
    assert torch.equal(memorised.train.y, random.train_y)
    for task in (good, bad, memorised):
        assert torch.equal(task.test[0][1], true.test_y)
        assert torch.equal(task.train_eval[0][1], task.train.y)
    decays = [task.optimizer(task.model.parameters()).param_groups[0]["weight_decay"] for task in (good, bad, memorised)]
    assert decays == [SMALL.weight_decay, 0, 0]


def test_digits_are_split_without_overlap_and_by_class():
    data = digits(n_train=200, split=0)
    assert len(data.train_y) == 200
    assert len(data.train_y) + len(data.test_y) == 1797
    assert torch.bincount(data.train_y).min() >= 19
    assert (data.train_x.min(), data.train_x.max()) == (0, 1)


def test_a_shift_moves_whole_images_by_at_most_so_much_and_loses_what_leaves():
    image = torch.zeros(1, 1, 8, 8)
    image[0, 0, 4, 4] = 1
    with fixed_randomness(0):
        moved = torch.cat([shifted(image, 1) for _ in range(200)])
    places = {tuple(place.tolist()) for place in moved.nonzero()[:, 2:]}
    assert places == {(row, column) for row in (3, 4, 5) for column in (3, 4, 5)}
    assert moved.sum() == 200
    corner = torch.zeros(1, 1, 8, 8)
    corner[0, 0, 0, 7] = 1
    with fixed_randomness(0):
        moved = torch.cat([shifted(corner, 1) for _ in range(200)])
    places = {tuple(place.tolist()) for place in moved.nonzero()[:, 2:]}
    assert places == {(0, 7), (0, 6), (1, 7), (1, 6)}


def test_batches_hold_each_sample_once_a_pass():
    data = torch.arange(10.0).reshape(10, 1)
    with fixed_randomness(0):
        batches = list(Batches(data, torch.arange(10), size=4, passes=3))
    assert [len(y) for _, y in batches] == [4, 4, 2] * 3
    for start in (0, 3, 6):
        assert sorted(torch.cat([y for _, y in batches[start : start + 3]]).tolist()) == list(range(10))


def test_the_network_is_the_same_for_the_same_seed_and_leaves_the_generator_alone():
    before = torch.get_rng_state()
    first, second, other = convolutional(seed=0), convolutional(seed=0), convolutional(seed=1)
    assert torch.equal(torch.get_rng_state(), before)
    assert sum(parameter.numel() for parameter in first.parameters()) == 9978
    assert torch.equal(first[0].weight, second[0].weight)
    assert not torch.equal(first[0].weight, other[0].weight)


@pytest.mark.parametrize(("field", "value"), [("n_train", 5), ("batch", 0), ("epochs", 0), ("passes", 0), ("shift", -1)])
def test_settings_out_of_range_are_refused(field, value):
    with pytest.raises(InputError, match=rf"{field} must be \d+ or more, but is {value}; change it"):
        experiment.Settings(**{field: value})


def test_the_defaults_are_the_papers_sixteen_retrainings():
    jump = experiment.default_settings().jump
    assert jump == replace(JumpSettings(), learning_rate=jump.learning_rate)
    assert len(jump.seeds) * len(jump.steps) == 16
