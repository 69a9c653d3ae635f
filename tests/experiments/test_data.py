"""Data that come along or are made on the spot: their parts, their scale, their chance, and what no rule can beat."""

import numpy as np
import pytest
import torch
from scipy.special import ndtr
from sklearn.datasets import load_sample_images
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.neighbors import KNeighborsClassifier

from lossatlas.experiments.data import SETS, Samples, n_samples, samples, stand_in, with_random_labels
from lossatlas.experiments.data.clusters import clusters
from lossatlas.experiments.data.digits import digits
from lossatlas.experiments.data.on_disk import KEPT
from lossatlas.experiments.data.photographs import _tiles
from lossatlas.experiments.data.signals import TEMPLATES, _read, signals
from lossatlas.experiments.data.spirals import spirals
from lossatlas.experiments.data.splitting import split_by_class, standardised

OWN = {"modular_sums", "text"}  # tested where they are: pairs and characters are no samples drawn from classes
HERE = sorted(set(SETS) - set(KEPT) - OWN)
SHAPES = {
    "breast_cancer": ((30,), 2),
    "clusters": ((10,), 4),
    "digits": ((1, 8, 8), 10),
    "iris": ((4,), 3),
    "photographs": ((3, 8, 8), 2),
    "signals": ((1, 40), 10),
    "spirals": ((2,), 2),
    "wine": ((13,), 3),
}
STANDARDISED = ("breast_cancer", "iris", "photographs", "signals", "wine")


def parts(found):
    return found.train_x, found.train_y, found.test_x, found.test_y


@pytest.mark.parametrize("name", HERE)
def test_a_set_has_so_many_samples_of_its_shape_and_all_its_classes_in_both_parts(name):
    found = samples(name, n_train=72, split=1)
    assert (found.shape, found.n_classes) == SHAPES[name]
    assert (len(found.train_x), len(found.train_y)) == (72, 72)
    assert len(found.test_x) == len(found.test_y) > 0
    assert n_samples(name, n_train=72) == (72, len(found.test_y))
    assert [part.dtype for part in parts(found)] == [torch.float32, torch.int64] * 2
    assert all(part.isfinite().all() for part in parts(found))
    for y in (found.train_y, found.test_y):
        assert torch.bincount(y, minlength=found.n_classes).min() > 0
    assert all(torch.equal(a, b) for a, b in zip(parts(stand_in(name, n_train=72, split=1)), parts(found), strict=True))


@pytest.mark.parametrize("name", HERE)
def test_the_split_is_all_its_chance_and_the_generators_stay(name):
    # Python's own generator is not looked at: the checks of the annotations draw from it.
    torch_before, numpy_before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    first = samples(name, n_train=72, split=3)
    assert torch.equal(torch_before, torch.get_rng_state())
    np.testing.assert_array_equal(numpy_before, np.random.get_state()[1])  # noqa: NPY002
    torch.rand(1)
    np.random.rand()  # noqa: NPY002
    again, other = samples(name, n_train=72, split=3), samples(name, n_train=72, split=4)
    assert all(torch.equal(a, b) for a, b in zip(parts(first), parts(again), strict=True))
    assert not torch.equal(first.train_x, other.train_x)


def test_a_split_leaves_nothing_out_and_nothing_twice_and_keeps_the_share_of_each_class():
    x, y = torch.arange(200.0)[:, None], np.repeat([0, 1, 2], [120, 60, 20])
    found = split_by_class(x, y, n_train=50, split=0)
    assert torch.bincount(found.train_y).tolist() == [30, 15, 5]
    assert sorted(torch.cat([found.train_x, found.test_x]).ravel().tolist()) == list(range(200))
    for part, labels in ((found.train_x, found.train_y), (found.test_x, found.test_y)):
        np.testing.assert_array_equal(y[part.ravel().int()], labels)
    few = split_by_class(x, y, n_train=50, split=0, most_test=20)
    assert len(few.test_y) == 20
    assert not set(few.train_x.ravel().tolist()) & set(few.test_x.ravel().tolist())
    assert len(split_by_class(x, y, n_train=None, split=0).train_y) == 100


@pytest.mark.parametrize("n_train", [2, 198])
def test_a_part_without_a_class_is_refused(n_train, refuses):
    with refuses(rf"n_train must be from 3 to 197 of 200 samples, but is {n_train}; change it"):
        split_by_class(torch.zeros(200, 1), np.repeat([0, 1, 2], [120, 60, 20]), n_train=n_train, split=0)


def test_the_scale_is_that_of_the_training_part_alone():
    rng = torch.Generator().manual_seed(0)
    train, test = 3 + 2 * torch.randn(40, 2, 5, generator=rng), torch.randn(30, 2, 5, generator=rng)
    y = torch.arange(70) % 2
    found = standardised(Samples(train, y[:40], test, y[40:]))
    mean, deviation = train.mean((0, 2)), train.std((0, 2), correction=0)
    for part, given in ((found.train_x, train), (found.test_x, test)):
        torch.testing.assert_close(part, (given - mean[:, None]) / deviation[:, None])
    np.testing.assert_allclose(found.empty, -mean / deviation, rtol=1e-5)
    far = standardised(Samples(train, y[:40], 1000 * test, y[40:]))
    assert torch.equal(far.train_x, found.train_x)


def test_a_feature_that_never_changes_becomes_zero():
    x = torch.tensor([[5.0, 1.0], [5.0, 3.0]])
    y = torch.arange(2)
    assert standardised(Samples(x, y, x, y)).train_x.tolist() == [[0, -1], [0, 1]]


@pytest.mark.parametrize("name", STANDARDISED)
def test_the_training_part_is_standardised_where_it_is_said(name):
    found = samples(name, n_train=100)
    axes = [0, *range(2, found.train_x.dim())]
    assert found.train_x.mean(axes).abs().max() < 1e-5
    assert (found.train_x.std(axes, correction=0) - 1).abs().max() < 1e-5
    assert found.test_x.mean(axes).abs().max() > 1e-3, "the test part has another mean"


def test_tiles_of_photographs_are_pieces_of_them():
    image = np.arange(17 * 25 * 3).reshape(17, 25, 3)
    tiles = _tiles(image)
    assert tiles.shape == (6, 3, 8, 8)
    np.testing.assert_array_equal(tiles[4], image[8:16, 8:16].transpose(2, 0, 1))
    n_tiles = sum(len(_tiles(photograph)) for photograph in load_sample_images().images)
    assert n_tiles == 2 * 53 * 80


def unlike(n=400, n_classes=10**9):
    """Labels of which a drawn one is practically never the true one."""
    y = torch.zeros(n, dtype=torch.long)
    return Samples(torch.zeros(n, 1), y, torch.zeros(1, 1), torch.tensor([n_classes - 1]))


def test_exactly_a_share_of_the_labels_is_random_and_shares_contain_each_other():
    before = None
    for share in (0.0, 0.1, 0.25, 0.5, 0.777, 1.0):
        found = with_random_labels(unlike(), share, seed=5)
        is_random = found.train_y != 0
        assert is_random.sum() == round(400 * share)
        assert torch.equal(found.test_y, unlike().test_y)
        if before is not None:
            was_random = before != 0
            assert torch.equal(found.train_y[was_random], before[was_random])
        before = found.train_y


def test_random_labels_are_even_over_the_classes_and_follow_their_seed():
    y = torch.zeros(10_000, dtype=torch.long)
    given = Samples(torch.zeros(10_000, 1), y, torch.zeros(1, 1), torch.tensor([4]))
    found, again, other = (with_random_labels(given, seed=seed) for seed in (0, 0, 1))
    counts = torch.bincount(found.train_y)
    assert len(counts) == 5
    # Four standard errors of a share of a fifth among 10,000.
    assert (counts / 10_000 - 0.2).abs().max() < 4 * np.sqrt(0.2 * 0.8 / 10_000)
    assert torch.equal(found.train_y, again.train_y)
    assert (found.train_y != other.train_y).float().mean() > 0.7


def test_the_random_digits_are_those_of_earlier_versions():
    found = digits(n_train=200, split=3, random_labels=True)
    old = torch.randint(10, (200,), generator=torch.Generator().manual_seed(3))
    assert torch.equal(found.train_y, old)
    assert torch.equal(samples("digits", n_train=200, split=3, random_share=1.0).train_y, old)


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_there_are_no_other_shares(share, refuses):
    with refuses(r"the share of random labels must be from 0 to 1, but is .*; change it"):
        samples("iris", random_share=share)


def test_a_signal_holds_the_curve_of_its_class_where_it_is_put():
    y = np.arange(10)
    np.testing.assert_allclose(_read(y, np.tile(np.arange(12.0), (10, 1))), TEMPLATES, atol=1e-12)
    halfway = _read(y, np.tile(np.arange(11) + 0.5, (10, 1)))
    np.testing.assert_allclose(halfway, (TEMPLATES[:, 1:] + TEMPLATES[:, :-1]) / 2, atol=1e-12)
    assert not _read(y, np.tile([-30.0, -1.0, 12.0, 60.0], (10, 1))).any()


def test_curves_are_no_multiples_of_each_other():
    alike = np.corrcoef(TEMPLATES) - np.eye(10)
    assert alike.max() < 0.9


def test_signals_can_be_told_by_who_looks_for_their_curves():
    found = signals(n_train=400)
    x = found.train_x[:, 0].numpy()
    lines = np.column_stack([np.ones(40), np.linspace(-1, 1, 40)])
    best = np.full((len(x), 10), np.inf)
    for length in np.linspace(48, 72, 7):
        for start in np.linspace(0, length - 12, 30):
            curves = _read(np.arange(10), np.tile(np.linspace(0, length - 1, 40) - start, (10, 1)))
            for number, curve in enumerate(curves):
                basis, _ = np.linalg.qr(np.column_stack([lines, curve]))
                size = (x - x @ basis[:, :2] @ basis[:, :2].T) @ (curve - basis[:, :2] @ (basis[:, :2].T @ curve))
                rest = (x**2).sum(1) - ((x @ basis) ** 2).sum(1)
                best[:, number] = np.minimum(best[:, number], np.where(size > 0, rest, np.inf))
    # Chance is 0.1; whoever does not look for a curve where it lies is near it.
    assert (best.argmin(1) == found.train_y.numpy()).mean() > 0.5
    linear = LinearDiscriminantAnalysis().fit(x, found.train_y.numpy()).score(found.test_x[:, 0].numpy(), found.test_y.numpy())
    assert linear < 0.3


def test_points_of_spirals_lie_on_their_arms():
    found = spirals(n_train=500, turns=1.5, noise=0.0)
    radius = found.train_x.norm(dim=1).double()
    angle = 2 * np.pi * 1.5 * radius + np.pi * found.train_y
    torch.testing.assert_close(found.train_x, (radius * torch.stack([angle.cos(), angle.sin()])).T.float(), atol=1e-5, rtol=0)
    assert (radius.min() > 0.149, radius.max() <= 1 + 1e-6, torch.bincount(found.train_y).tolist()) == (True, True, [250, 250])
    noisy = spirals(n_train=20_000, noise=0.1).train_x - spirals(n_train=20_000, noise=0.0).train_x
    assert noisy.std() == pytest.approx(0.1, rel=4 / np.sqrt(2 * 40_000))


def test_neighbours_tell_spirals_apart_and_no_line_does():
    found = spirals(n_train=400)
    x, y, x_test, y_test = (one.numpy() for one in (found.train_x, found.train_y, found.test_x, found.test_y))
    assert KNeighborsClassifier(1).fit(x, y).score(x_test, y_test) == 1
    assert LinearDiscriminantAnalysis().fit(x, y).score(x_test, y_test) < 0.8


@pytest.mark.parametrize(("n_classes", "error"), [(2, 0.1), (4, 0.1), (4, 0.3), (8, 0.02)])
def test_the_best_rule_errs_as_often_as_it_was_asked_and_none_less(n_classes, error):
    n = 100_000
    found = clusters(n_train=n, error=error, n_classes=n_classes, n_features=5)
    n_axes = n_classes.bit_length() - 1
    centres = torch.stack([found.train_x[found.train_y == own].mean(0) for own in range(n_classes)])
    # The formula, from the centres that are there: their standard error is 0.009 at the most.
    half_side = centres[:, :n_axes].abs().mean()
    assert 1 - ndtr(float(half_side)) ** n_axes == pytest.approx(error, rel=0.05)
    assert centres[:, n_axes:].abs().max() < 5 * np.sqrt(n_classes / n)
    bits = (found.train_x[:, :n_axes] > 0).long()
    measured = ((bits * 2 ** torch.arange(n_axes)).sum(1) != found.train_y).float().mean()
    spread = np.sqrt(error * (1 - error) / n)
    assert abs(measured - error) < 4 * spread
    x, y = found.train_x.numpy(), found.train_y.numpy()
    assert 1 - LinearDiscriminantAnalysis().fit(x, y).score(x, y) > error - 4 * spread


@pytest.mark.parametrize("name", ["clusters", "signals", "spirals"])
def test_what_is_made_is_tested_on_the_same_for_each_number_of_training_samples(name):
    few, many = samples(name, n_train=20), samples(name, n_train=1000)  # as many as there are to test on
    assert torch.equal(few.test_y, many.test_y)
    if name != "signals":  # its scale is of the training part
        assert torch.equal(few.test_x, many.test_x)
    rows = [{tuple(row) for row in part.flatten(1).tolist()} for part in (many.train_x, many.test_x)]
    assert not rows[0] & rows[1], "a sample is in both parts"


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("nothing", {}, r"data must be one of digits, iris, .*cifar10.*, but is 'nothing'; choose one"),
        ("wine", {"error": 0.1}, r"wine has no option 'error'; its options are n_train"),
        ("digits", {"random_labels": True}, r"digits has no option 'random_labels'; its options are n_train"),
        ("iris", {"n_train": "all"}, r"n_train of iris must be of type int, but is 'all'; change it"),
        ("iris", {"n_train": 149}, r"n_train must be from 3 to 147 of 150 samples, but is 149"),
        ("signals", {"n_train": 9}, r"n_train must be 10 or more, but is 9"),
        ("spirals", {"noise": -0.1}, r"turns must be above 0 and noise 0 or more, but they are 1\.0 and -0\.1"),
        ("clusters", {"n_classes": 3}, r"n_classes must be a power of two, but is 3"),
        ("clusters", {"n_classes": 1}, r"n_classes must be a power of two, but is 1"),
        ("clusters", {"error": 0.75}, r"error must be above 0 and below 0\.75, which is chance, but is 0\.75"),
        ("clusters", {"n_features": 1}, r"n_features must be 2 or more, but is 1"),
    ],
)
def test_what_there_is_not_is_refused(name, options, message, refuses):
    with refuses(message):
        samples(name, **options)
