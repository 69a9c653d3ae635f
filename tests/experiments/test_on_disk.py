"""Sets of images that torchvision reads: tiny ones in their real formats, and what is said where something is missing."""

import sys

import numpy as np
import pytest
import torch
from image_files import let_read, write_images

from lossatlas.experiments.data import n_samples, samples, stand_in
from lossatlas.experiments.data.on_disk import BLACK, DEVIATION, KEPT, MEAN, cifar10


def drawn(name, n, *, seed):
    """Images of noise, a class after another."""
    channels, *sides = KEPT[name].shape
    shape = (n, *sides, channels) if channels > 1 else (n, *sides)
    x = np.random.default_rng(seed).integers(0, 200, size=shape, dtype=np.uint8)
    return x, np.arange(n) % KEPT[name].n_classes


@pytest.mark.parametrize("name", KEPT)
def test_each_set_is_read_from_its_own_format(name, tmp_path, monkeypatch):
    let_read(monkeypatch)
    train, test = drawn(name, 300, seed=0), drawn(name, 100, seed=1)
    write_images(name, tmp_path, train, test)
    found = samples(name, folder=str(tmp_path))
    assert (found.shape, found.n_classes) == (KEPT[name].shape, KEPT[name].n_classes)
    assert (found.train_y.tolist(), found.test_y.tolist()) == (train[1].tolist(), test[1].tolist())
    for part, (pixels, _) in ((found.train_x, train), (found.test_x, test)):
        for channel in range(found.shape[0]):
            own, all_training = (x[..., channel] if x.ndim == 4 else x for x in (pixels, train[0]))
            mean, deviation = (
                (MEAN[channel], DEVIATION[channel]) if name == "cifar10" else (all_training.mean(), all_training.std())
            )
            np.testing.assert_allclose(part[:, channel], (own - mean) / deviation, rtol=1e-4, atol=1e-5)
            assert found.empty[channel] == pytest.approx(-mean / deviation, rel=1e-6)


def test_a_part_has_as_many_of_each_class_and_is_scaled_as_the_whole(tmp_path, monkeypatch):
    let_read(monkeypatch)
    write_images("mnist", tmp_path, drawn("mnist", 300, seed=0), drawn("mnist", 20, seed=1))
    whole, part, other = (
        samples("mnist", folder=str(tmp_path), **own) for own in ({}, {"n_train": 50}, {"n_train": 50, "split": 1})
    )
    assert torch.bincount(part.train_y).tolist() == [5] * 10
    assert torch.equal(part.test_x, whole.test_x)
    rows = {tuple(row) for row in whole.train_x.flatten(1).tolist()}
    assert all(tuple(row) in rows for row in part.train_x.flatten(1).tolist())
    assert not torch.equal(part.train_x, other.train_x)


def test_black_is_where_it_was():
    np.testing.assert_allclose(BLACK, (-125.3 / 63, -123 / 62.1, -113.9 / 66.7))


def test_without_torchvision_it_says_what_to_install(monkeypatch, refuses):
    monkeypatch.setitem(sys.modules, "torchvision", None)
    with refuses(
        r"CIFAR-10 is read by torchvision, which cannot be imported \(.*\); install the one.*pip install torchvision.*digits"
    ):
        cifar10("data")


@pytest.mark.parametrize("name", KEPT)
def test_without_the_images_it_says_how_to_fetch_them(name, tmp_path, monkeypatch, refuses):
    let_read(monkeypatch)
    own = KEPT[name]
    with refuses(
        rf"{own.title} is not in '.*' \(Dataset not found.*\); fetch it once: python -c .*{own.reader}\('.*', download=True\)"
    ):
        samples(name, folder=str(tmp_path / "here"))


@pytest.mark.parametrize("name", KEPT)
def test_what_is_not_there_can_be_counted_and_stood_in_for(name):
    own = KEPT[name]
    assert n_samples(name, folder="nowhere") == (own.n_train, own.n_test)
    assert n_samples(name, n_train=70, folder="nowhere") == (70, own.n_test)
    instead = stand_in(name, folder="nowhere")
    assert (instead.shape, instead.n_classes, len(instead.empty)) == (own.shape, own.n_classes, own.shape[0])
