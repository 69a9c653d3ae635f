"""Other methods by their names: their own defaults, and fewer neighbours where there are few points."""

import sys

import numpy as np
import pytest

from lossatlas.distance import pairwise
from lossatlas.embed import WITH_CHANCE, layout, refuse_methods


def points(n):
    return pairwise(np.random.default_rng(0).normal(size=(n, 20)).cumsum(axis=0) + 3)


def test_many_points_have_each_methods_own_defaults():
    settings = {name: layout(name, points(100), metric="cosine", seed=4).settings for name in ("tsne", "isomap")}
    assert (settings["tsne"].perplexity, settings["tsne"].seed) == (30, 4)
    assert settings["isomap"].n_neighbors == 5


def test_few_points_have_as_many_neighbours_as_there_are():
    assert layout("tsne", points(4), metric="cosine").settings.perplexity == 1
    assert layout("isomap", points(4), metric="cosine").settings.n_neighbors == 3


@pytest.mark.usefixtures("as_users_call")
def test_umap_is_called_with_as_many_neighbours_as_there_are(monkeypatch):
    module = sys.modules["lossatlas.embed.layouts"]
    monkeypatch.setattr(module, "umap", lambda points, **chosen: chosen)
    drawn = module.layout.__wrapped__ if hasattr(module.layout, "__wrapped__") else module.layout
    assert drawn("umap", points(9), metric="cosine", seed=3) == {
        "metric": "cosine", "n_components": 2, "n_neighbors": 8, "seed": 3
    }  # fmt: skip
    assert drawn("umap", points(30), metric="cosine")["n_neighbors"] == 15


def test_metric_and_axes_are_passed_on():
    made = layout("pca", points(9), metric="euclidean", n_components=3)
    assert (made.method, made.settings.metric, made.coordinates.shape) == ("pca", "euclidean", (9, 3))
    assert layout("isomap", points(9), metric="cosine").settings.metric == "cosine"


@pytest.mark.usefixtures("as_users_call")
def test_what_cannot_be_drawn_is_refused_before_any_work(refuses, monkeypatch):
    refuse_methods(("pca", "tsne", "isomap"))
    with refuses(r"methods must be of pca, tsne, umap, isomap, but 'lle' came; choose of these"):
        refuse_methods(("pca", "lle"))
    monkeypatch.setitem(sys.modules, "umap", None)
    refuse_methods(("pca",))
    with refuses(r"umap needs umap-learn, which is not installed; run: pip install 'lossatlas\[compare\]'"):
        refuse_methods(("umap",))


@pytest.mark.parametrize("n_components", [2, 3])
def test_umap_draws_three_points_and_refuses_two(refuses, n_components):
    assert layout("umap", points(3), metric="cosine", n_components=n_components).coordinates.shape == (3, n_components)
    with refuses("umap needs at least 3 points, but there are 2; leave it out"):
        layout("umap", points(2), metric="cosine")


@pytest.mark.parametrize("method", ["phate", "pca", "tsne", "isomap"])
def test_what_is_without_chance_draws_one_map_by_every_seed(method):
    assert method not in WITH_CHANCE
    first, other = (layout(method, points(60), metric="cosine", seed=seed).coordinates for seed in (0, 1))
    np.testing.assert_array_equal(first, other)
