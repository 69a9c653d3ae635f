"""The paper's Table 1, small: what is sampled of each network, what is made of it, and that nothing is done twice."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from small_table import SMALL

from lossatlas import InputError, JumpSettings
from lossatlas.experiments import table_one
from lossatlas.experiments.data.batches import Samples
from lossatlas.experiments.data.digits import digits
from lossatlas.experiments.report import write_report
from lossatlas.experiments.table_one import ClassificationSettings, Network, Settings, cost, n_units, paper_settings, run
from lossatlas.experiments.table_one.features import MEANINGS, TARGETS, classes, features, quantile_classes
from lossatlas.experiments.table_one.sampling import METHODS, Sampled, sampled
from lossatlas.experiments.table_one.table import PAPER
from lossatlas.experiments.table_one.task import small_network, task
from lossatlas.experiments.training import Training, trained
from lossatlas.sample import evaluation, jump_and_retrain

PROGRAM = Path(__file__).with_name("small_table.py")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The small table, made once in a process of its own with two workers."""
    folder = tmp_path_factory.mktemp("table") / "out"
    done = subprocess.run([sys.executable, PROGRAM, folder, "--workers", "2"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder, done


def numbers_of(folder):
    return {path.parent.name: json.loads(path.read_text()) for path in sorted(folder.glob("networks/*/sampled.json"))}


def test_it_writes_page_figure_and_numbers_and_keeps_no_weights(whole):
    folder, done = whole
    assert {path.name for path in folder.iterdir()} == {"table.html", "table.png", "summary.json", "networks"}
    assert {path.name for path in folder.glob("networks/*/*")} == {"sampled.json"}
    assert (folder / "table.png").read_bytes().startswith(b"\x89PNG")
    assert "8 networks, 3 x 8 points each: about" in done.stderr  # before it begins
    page = (folder / "table.html").read_text()
    for row in MEANINGS:
        assert row.split(",")[0] in done.stdout
        assert f'<th scope="row">{row.replace("&", "&amp;")}</th>' in page
    assert "39.2 ± 4.3" in page
    assert "://" not in page  # nothing is fetched


def test_the_summary_holds_what_the_table_shows(whole):
    found = json.loads((whole[0] / "summary.json").read_text())
    assert list(found["accuracies"]) == list(MEANINGS)
    assert (found["n_networks"], found["left_out"], found["n_points"]) == (8, [], 8)
    assert found["chance"] == {"generalisation": 0.5, "weight decay": 0.5, "augmentation": 0.5}
    for by_target in found["accuracies"].values():
        assert list(by_target) == list(TARGETS)
        for one in by_target.values():
            assert one["mean"] == pytest.approx(np.mean(list(one["by_classifier"].values())))
            assert list(one["by_classifier"]) == list(SMALL.classification.classifiers)
    lead = found["lead_of_jump_and_retrain"]["loss range"]["weight decay"]["mean"]
    both = [found["accuracies"][row]["weight decay"]["mean"] for row in ("J&R", "loss range")]
    assert lead == pytest.approx(both[0] - both[1])


def test_the_points_are_those_that_the_samplers_record(whole, tmp_path):
    network = SMALL.networks[1]
    data = digits(n_train=SMALL.n_train, split=SMALL.split)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        milestones = [1, 2, 2]  # 50 %, 75 %, 92.5 % of two epochs
        own = task(network, SMALL, data)
        training = Training(task=own, path=tmp_path / "training", epochs=2, milestones=milestones, seed=0, key="")
        (minimum,) = trained([training])
        runs = jump_and_retrain(task(network, SMALL, data, is_sampling=True), minimum, tmp_path / "jumps", settings=SMALL.jump)
    finally:
        torch.set_num_threads(threads)
    found = numbers_of(whole[0])[network.name]
    expected = [(run.metrics["train_loss"][i], run.metrics["train_accuracy"][i]) for run in runs[1:] for i in range(2)]
    np.testing.assert_allclose(found["points"]["jump"], expected, rtol=1e-6)
    # The task's own model was trained in place.
    assert found["optimum"]["test_loss"] == pytest.approx(evaluation(own, own.model)["test_loss"], rel=1e-6)
    flat = torch.cat([parameter.detach().double().flatten() for parameter in own.model.parameters()])
    assert found["optimum"]["weight_norm"] == pytest.approx(float(flat.norm()), rel=1e-6)


def test_each_method_has_as_many_points_and_the_corners_of_the_grid_are_its_farthest(whole):
    for found in numbers_of(whole[0]).values():
        assert {method: np.shape(points) for method, points in found["points"].items()} == dict.fromkeys(METHODS, (8, 2))
        assert np.isfinite(list(found["points"].values())).all()


def test_what_is_done_is_not_done_again_and_what_is_missing_is_the_same(whole, tmp_path):
    folder, _ = whole
    lost, *kept = sorted(folder.glob("networks/*/sampled.json"))
    before, times = lost.read_bytes(), [path.stat().st_mtime_ns for path in kept]
    table_before = (folder / "summary.json").read_text()
    lost.unlink()
    steps = []
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as in the workers
    try:
        report = run(folder, SMALL, progress=lambda done, what: steps.append((done, what)))
    finally:
        torch.set_num_threads(threads)
    assert [path.stat().st_mtime_ns for path in kept] == times
    assert lost.read_bytes() == before
    write_report(report, tmp_path)
    assert (tmp_path / "summary.json").read_text() == table_before
    assert [done for done, _ in steps] == sorted(done for done, _ in steps)
    assert steps[-1] == (n_units(SMALL), "done")


def test_a_larger_grid_and_other_classifiers_use_what_is_there(whole):
    folder, _ = whole
    times = {path: path.stat().st_mtime_ns for path in folder.glob("networks/*/sampled.json")}
    own = replace(SMALL.classification, classifiers=("ridge",), losses="log")
    report = run(folder, replace(SMALL, widths=(3, 2), classification=own))
    assert {path: path.stat().st_mtime_ns for path in times} == times
    assert list(report.summary["accuracies"]["J&R"]["augmentation"]["by_classifier"]) == ["ridge"]


def test_other_settings_in_the_same_folder_are_refused_before_any_work(whole, refuses):
    with refuses(r"was made with other settings; choose another folder or remove that one"):
        run(whole[0], replace(SMALL, learning_rate=0.2))
    with refuses(r"was made with other settings"):
        run(whole[0], SMALL, data=digits(n_train=40, split=0))


def test_a_network_that_diverges_is_left_out_and_named(tmp_path):
    folder = tmp_path / "out"
    settings = replace(SMALL, learning_rate=1e30, widths=(2,), classification=replace(SMALL.classification, folds=2))
    with pytest.raises(InputError, match=r"no network came out finite.*take a lower learning_rate"):
        run(folder, settings)
    assert all(np.isnan(found["points"]["jump"]).all() for found in numbers_of(folder).values())


def test_a_retraining_that_ends_early_has_nan_from_there_on_and_is_no_finite_network():
    network = SMALL.networks[0]
    points = {method: np.ones((8, 2)) for method in METHODS}
    optimum = {"train_loss": 0.1, "test_loss": 0.2}
    assert Sampled(network=network, optimum=optimum, points=points).is_finite
    broken = points | {"jump": np.vstack([np.ones((7, 2)), [[np.nan, np.nan]]])}
    assert not Sampled(network=network, optimum=optimum, points=broken).is_finite
    assert not Sampled(network=network, optimum=optimum | {"test_loss": np.inf}, points=points).is_finite


def test_wide_resnets_on_images_like_cifar_go_the_whole_way(tmp_path):
    rng = torch.Generator().manual_seed(0)
    x, y = torch.rand(24, 3, 8, 8, generator=rng), torch.arange(24) % 10
    settings = replace(
        paper_settings(),
        device="",
        depths=(10,),
        widths=(1,),
        batches=(8, 12),
        weight_decays=(0.0, 1e-3),
        epochs=1,
        jump=JumpSettings(seeds=(0,), steps=(0.5, 1.0), epochs=1, learning_rate=0.001, batchnorm="stale"),
        classification=SMALL.classification,
    )
    report = run(tmp_path, settings, data=Samples(x, y, x[:10], y[:10]))
    assert report.summary["n_networks"] == 8
    assert all(len(found["points"]["grid"]) == 4 for found in numbers_of(tmp_path).values())


def known(settings, n_points, *, test_losses):
    """Networks with points that tell nothing, and the given test losses."""
    rng = np.random.default_rng(0)
    return [
        Sampled(
            network=network,
            optimum={"train_loss": 0.1, "train_accuracy": 1.0, "test_loss": test_loss, "weight_norm": 2.0},
            points={method: rng.lognormal(size=(n_points, 2)) for method in METHODS},
        )
        for network, test_loss in zip(settings.networks, test_losses, strict=True)
    ]


def test_features_are_what_they_are_called():
    networks = known(SMALL, 8, test_losses=np.arange(8.0))
    made = features(networks, SMALL)
    assert list(made) == list(MEANINGS)
    for row, network in enumerate(networks):
        points = network.points["jump"]
        np.testing.assert_array_equal(made["J&R"][row], points.ravel())
        np.testing.assert_array_equal(made["naive"][row], network.points["naive"].ravel())
        np.testing.assert_array_equal(made["grid"][row], network.points["grid"].ravel())
        np.testing.assert_array_equal(made["J&R, jumps alone"][row], points[[0, 2, 4, 6]].ravel())
        assert made["loss range"][row] == pytest.approx(points[:, 0].max() - points[:, 0].min())
        np.testing.assert_array_equal(made["optimum"][row], [0.1, 1.0])
        # The same points, loss and accuracy still together, in an order of its own.
        scrambled = made["J&R, scrambled"][row].reshape(8, 2)
        assert sorted(map(tuple, scrambled)) == sorted(map(tuple, points))
    orders = {
        tuple(np.argsort(np.argsort(scrambled[::2])[np.argsort(np.argsort(network.points["jump"][:, 0]))]).tolist())
        for scrambled, network in zip(made["J&R, scrambled"], networks, strict=True)
    }
    assert len(orders) > 1
    logarithms = features(networks, replace(SMALL, classification=replace(SMALL.classification, losses="log")))
    np.testing.assert_allclose(logarithms["J&R"][:, ::2], np.log(made["J&R"][:, ::2] + 1e-7))
    np.testing.assert_array_equal(logarithms["J&R"][:, 1::2], made["J&R"][:, 1::2])


def test_classes_are_as_the_grid_has_them():
    losses = np.array([3.0, 1.0, 2.0, 8.0, 5.0, 4.0, 7.0, 6.0])
    networks = known(SMALL, 8, test_losses=losses)
    found = classes(networks, SMALL)
    assert found["generalisation"].tolist() == (losses > 4).astype(int).tolist()
    assert found["weight decay"].tolist() == [int(network.weight_decay > 0) for network in SMALL.networks]
    assert found["augmentation"].tolist() == [int(network.is_augmented) for network in SMALL.networks]
    assert np.bincount(quantile_classes(np.random.default_rng(0).random(72), 5)).tolist() == [15, 14, 15, 14, 14]


def test_every_method_has_the_same_number_of_points_and_the_papers_is_640():
    paper = paper_settings()
    assert (paper.n_points, paper.naive, paper.grid, len(paper.networks)) == (640, (64, 10), (8, 8, 10), 108)
    assert paper.milestones == [100, 150, 185]
    assert (paper.jump.seeds, paper.jump.steps, paper.jump.learning_rate) == ((0, 1, 2, 3), (0.25, 0.5, 0.75, 1.0), 0.001)
    for epochs in range(1, 45):
        settings = table_one.default_settings(epochs=epochs)
        assert np.prod(settings.naive) == np.prod(settings.grid) == settings.n_points == 16 * (epochs + 1)
    names = [network.name for network in paper.networks]
    assert len(set(names)) == 108


def test_networks_differ_in_what_they_are_named_for_and_start_alike():
    data = digits(n_train=40, split=0)
    plain, changed = (
        Network(depth=2, width=3, batch=batch, weight_decay=decay, is_augmented=is_augmented)
        for batch, decay, is_augmented in ((20, 0.0, False), (10, 0.01, True))
    )
    one, other = (task(network, SMALL, data) for network in (plain, changed))
    assert (one.train.size, one.train.shift, one.train.passes) == (20, 0, 1)
    assert (other.train.size, other.train.shift) == (10, 1)
    assert task(changed, replace(SMALL, passes=3), data, is_sampling=True).train.passes == 3
    assert [own.optimizer(own.model.parameters()).param_groups[0]["weight_decay"] for own in (one, other)] == [0.0, 0.01]
    assert all(torch.equal(a, b) for a, b in zip(one.model.parameters(), other.model.parameters(), strict=True))
    # 3 x 3 filters, 1 -> 3 and 3 -> 3 channels, two numbers a channel of batch norm, and 10 x (16 x 3) + 10.
    assert sum(parameter.numel() for parameter in one.model.parameters()) == 27 + 81 + 12 + 490
    assert small_network(1, 3, seed=0)(data.test_x[:2]).shape == (2, 10)


def test_the_table_stands_beside_the_papers(whole):
    lines = whole[1].stdout
    assert all(
        f"{mean} ± {error}" in lines for row, by_target in PAPER.items() if row != "chance" for mean, error in by_target.values()
    )
    report = run(whole[0], SMALL)
    assert report.table[0] == [
        "accuracy, %",
        "generalisation (2)",
        "paper",
        "weight decay (2)",
        "paper",
        "augmentation (2)",
        "paper",
    ]
    assert report.table[1] == ["chance", "50.0", "20.0", "50.0", "33.3", "50.0", "50.0"]
    assert len({len(row) for row in report.table}) == 1


def test_the_cost_grows_with_the_grid_and_counts_the_disk():
    one = cost(SMALL, workers=1)
    assert (one.n_networks, one.n_points) == (8, 8)
    assert one.seconds > 0
    # Of the larger network: 27 + 6 + 490 parameters, running mean and variance of 3 channels, and a counter.
    assert one.n_bytes == (4 * (27 + 6 + 490 + 6) + 8) * (2 + 1 + 3 * 8)
    assert cost(SMALL, workers=2).workers == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_train": 5}, r"n_train must be 20 or more, but is 5; change it"),
        ({"epochs": 0}, r"epochs must be 1 or more, but is 0"),
        ({"passes": 0}, r"passes must be 1 or more"),
        ({"widths": ()}, r"widths must be different values from 1 on, but is \(\)"),
        ({"batches": (10, 10)}, r"batches must be different values from 1 on"),
        ({"weight_decays": (-1.0,)}, r"weight_decays must be different values from 0 on"),
        ({"reach": 0.0}, r"reach must be above 0, but is 0"),
    ],
)
def test_settings_out_of_range_are_refused(change, message, refuses):
    with refuses(message):
        Settings(**change)


def test_unknown_data_and_classifiers_are_refused(refuses, as_users_call):
    with refuses(r"data must be one of digits, cifar10, but is 'mnist'"):
        Settings(data="mnist")
    with refuses(r"classifiers must be among logistic regression, .*, but 'oracle' came"):
        ClassificationSettings(classifiers=("oracle",))
    with refuses(r"classifiers must be among .*, but none came"):
        ClassificationSettings(classifiers=())
    with refuses(r"losses must be one of raw, log, but is 'square'"):
        ClassificationSettings(losses="square")
    with refuses(r"folds must be 2 or more, but is 1"):
        ClassificationSettings(folds=1)


def test_a_network_not_done_is_none(tmp_path):
    assert sampled(SMALL.networks[0], tmp_path, "key") is None
