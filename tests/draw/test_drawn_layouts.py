"""Layouts and scores of a scene: each number is the atlas', each caption says how it was made."""

import dataclasses

import numpy as np
import pytest
from atlases import walks

from lossatlas.draw import scene
from lossatlas.draw.layouts import layouts, scores
from lossatlas.embed import stress
from lossatlas.measure import shuffled


@pytest.fixture(scope="module")
def compared():
    return walks(methods=("pca", "tsne", "isomap"))


def test_layouts_are_the_map_and_then_the_others(compared):
    found = layouts(compared)
    assert [layout.name for layout in found] == ["PHATE", "PCA", "t-SNE", "Isomap"]
    drawn = [compared.embedding, *compared.layouts.values()]
    for layout, made, name in zip(found, drawn, ["phate", "pca", "tsne", "isomap"], strict=True):
        np.testing.assert_allclose(layout.coordinates, made.coordinates, rtol=1e-6)
        space = compared.comparison.coordinates_3d.get(name)
        assert (layout.coordinates_3d is None) == (space is None) == (name in {"tsne", "isomap"})
        if space is not None:
            np.testing.assert_allclose(layout.coordinates_3d, space, rtol=1e-6)
        (kept,) = layout.metrics
        assert (kept.name, kept.label) == ("faithfulness", "neighbours kept")
        np.testing.assert_allclose(kept.values, compared.comparison.faithfulness[name].point_neighbours_kept, rtol=1e-6)
        assert "20 nearest" in kept.meaning


def test_captions_say_the_settings_and_the_stress(compared):
    captions = {layout.name: layout.caption for layout in layouts(compared)}
    shares = [compared.layouts["pca"].diagnostics[f"{of}_{i}"] for of in ("explained_variance", "random_walk") for i in (1, 2)]
    assert "{:.0%} + {:.0%} of the variance (of a random walk {:.0%} + {:.0%})".format(*shares) in captions["PCA"]
    assert "perplexity 19.6667, seed 0" in captions["t-SNE"]
    assert "5 neighbours" in captions["Isomap"]
    for made, name in zip(compared.layouts.values(), ("PCA", "t-SNE", "Isomap"), strict=True):
        assert captions[name].endswith(f"stress {made.stress:.3f}")
        assert captions[name].startswith(f"{name} of the same distances; ")


def test_umaps_caption(compared):
    pytest.importorskip("umap")
    settings = dataclasses.replace(compared.layouts["isomap"].settings, n_neighbors=7, min_dist=0.1, seed=2)
    drawn = dataclasses.replace(compared.layouts["isomap"], settings=settings)
    made = dataclasses.replace(compared, comparison=dataclasses.replace(compared.comparison, layouts={"umap": drawn}))
    assert layouts(made)[1].caption.startswith("UMAP of the same distances; 7 neighbours, min_dist 0.1, seed 2; stress")
    assert layouts(made)[1].metrics == ()  # not scored


def test_scores_are_those_of_the_layouts_and_of_the_nulls(compared):
    found = {score.label: score for score in scores(compared)}
    names = ("phate", "pca", "tsne", "isomap")
    for label, of in {
        "neighbours kept": "neighbours_kept",
        "trustworthiness": "trustworthiness",
        "continuity": "continuity",
        "whole steps": "trajectory_continuity",
        "order of distances": "rank_correlation",
    }.items():
        assert found[label].values == tuple(getattr(compared.comparison.faithfulness[name], of) for name in names)
        assert found[label].nulls == tuple(
            (name, getattr(null.faithfulness, of)) for name, null in compared.comparison.nulls.items()
        )
        assert found[label].better == "higher"
        assert "{" not in found[label].meaning
    assert [name for name, _ in found["stress"].nulls] == ["random walk", "shuffled"]
    assert found["stress"].values[:2] == (compared.embedding.stress, compared.layouts["pca"].stress)
    assert found["stress"].nulls[0] == ("random walk", compared.comparison.nulls["random walk"].stress)
    assert found["stress"].better == "lower"


def test_what_no_layout_has_is_no_score():
    found = {score.label: score for score in scores(walks((12,), kinds=["sample"], nulls=False, methods=()))}
    assert "whole steps" not in found
    assert found["stress"].nulls == ()
    assert found["neighbours kept"].values[0] <= 1


def test_a_number_that_is_none_is_not_shown_as_one(compared):
    lost = dataclasses.replace(compared.comparison.faithfulness["pca"], rank_correlation=float("nan"))
    several = {**compared.comparison.faithfulness, "pca": lost}
    made = dataclasses.replace(compared, comparison=dataclasses.replace(compared.comparison, faithfulness=several))
    (order,) = [score for score in scene({"m": made}, title="t").maps[0].scores if score.label == "order of distances"]
    assert order.values[1] is None
    assert order.values[0] is not None


def test_a_map_of_one_axis_is_drawn_on_a_line():
    made = walks((12,), n_components=1, nulls=False)
    np.testing.assert_array_equal(layouts(made)[0].coordinates[:, 1], 0)
    assert layouts(made)[1].coordinates.shape == (12, 2)


def test_the_stress_beside_a_plane_is_that_of_the_plane():
    made = walks((30, 30), n_components=3)
    drawn = made.embedding.coordinates[:, :2]
    (fit,) = [score for score in scores(made) if score.label == "stress"]
    assert fit.values[0] == stress(made.embedding.potential_distances, drawn) > 1.1 * made.embedding.stress
    assert f"stress {fit.values[0]:.3f}" in layouts(made)[0].caption
    found = dict(fit.nulls)
    floor = shuffled(drawn, seed=made.embedding.settings.seed)
    assert found["shuffled"] == stress(made.embedding.potential_distances, floor)
