"""Methods compared: each score is that of its map, chance has a spread, and the command writes what it says."""

import dataclasses
import json
import re
import sys

import numpy as np
import pytest
from atlases import walks
from test_cli import call, walk

import lossatlas as la
from lossatlas.embed import layout, missing_methods
from lossatlas.measure import demap, faithfulness

METHODS = ("phate", "pca", "isomap")


@pytest.fixture(scope="module")
def atlas():
    return walks((30, 30))


@pytest.fixture(scope="module")
def compared(atlas):
    return la.compare(atlas, methods=METHODS, seeds=(0, 1, 2))


def test_the_scores_are_those_of_each_methods_map_on_the_atlas_distances(atlas, compared):
    spans = [(0, 30), (30, 60)]
    assert list(compared.methods) == list(METHODS)
    own = faithfulness(atlas.distances, atlas.embedding, spans)
    for score, value in own.summary().items():
        assert compared.methods["phate"].scores[score] == pytest.approx((value,), abs=1e-9), score
    for name, found in compared.methods.items():
        again = faithfulness(atlas.distances, found.embedding, spans)
        assert found.faithfulness.summary() == pytest.approx(again.summary(), abs=1e-9)
        assert found.mean("stress") == pytest.approx(found.embedding.stress)
        assert found.spread("stress") is None, "none of them uses chance"
        assert found.stability.n_drawn == 3
        assert set(found.walk_scores) >= {"neighbours_kept", "trajectory_continuity", "stress"}
        assert name == found.embedding.method
    assert compared.shuffled.neighbours_kept == pytest.approx(20 / 59, abs=0.06)


def test_a_method_with_chance_has_a_score_a_seed(atlas, monkeypatch):
    def noisy(method, points, *, metric, seed, **_):
        made = layout("pca", points, metric=metric)
        moved = made.coordinates + np.random.default_rng(seed).normal(size=made.coordinates.shape)
        return type(made)(method=method, coordinates=moved, stress=float(seed), settings=made.settings)

    module = sys.modules["lossatlas._atlas.comparing"]
    monkeypatch.setattr(module, "layout", noisy)
    monkeypatch.setattr(module, "WITH_CHANCE", ("tsne",))
    found = la.compare(atlas, methods=("tsne",), seeds=(0, 1, 5), left_out=0, nulls=False).methods["tsne"]
    assert found.scores["stress"] == (0, 1, 5)
    assert (found.mean("stress"), found.spread("stress")) == (2, pytest.approx(np.sqrt(7)))
    assert len(set(found.scores["neighbours_kept"])) == 3
    assert (found.stability, found.walk, found.walk_scores) == (None, None, {})


def test_known_points_add_their_geodesics(atlas):
    points = np.random.default_rng(7).normal(size=(60, 5)).cumsum(axis=0)
    found = la.compare(atlas, methods=("pca",), seeds=(0,), left_out=0, nulls=False, noise_free=points).methods["pca"]
    assert found.scores["demap"] == (demap(points, found.embedding, knn=30).correlation,)


def test_the_table_names_methods_scores_their_nulls_and_chance(compared):
    rows = compared.table()
    assert rows[0] == ["", "PHATE", "PCA", "Isomap", "shuffled"]
    assert {len(row) for row in rows} == {5}
    kept, walks_kept = rows[1], rows[2]
    assert kept[:2] == ["neighbours kept", f"{compared.methods['phate'].mean('neighbours_kept'):.3f}"]
    assert kept[-1] == f"{compared.shuffled.neighbours_kept:.3f}"
    assert walks_kept[:2] == ["  random walks", f"{compared.methods['phate'].walk_scores['neighbours_kept']:.3f}"]
    assert rows[-1][0] == "moved without 10%"
    # Fewer than two units apart by chance: of 60 points a turn can be found for any of them.
    assert rows[-1][-1] == f"{compared.displaced_by_chance:.3f}"
    assert 1.2 < compared.displaced_by_chance < 2**0.5


def test_each_ending_is_written(compared, tmp_path):
    for ending in ("html", "png", "json"):
        compared.save(tmp_path / f"a.{ending}", title="walks")
    numbers = json.loads((tmp_path / "a.json").read_text())
    assert numbers["methods"]["pca"]["stress"]["mean"] == compared.methods["pca"].mean("stress")
    assert numbers["nulls"]["shuffled"]["neighbours_kept"] == compared.shuffled.neighbours_kept
    page = (tmp_path / "a.html").read_text()
    assert "Isomap" in page
    assert "whole steps, over seeds" in page


def test_the_figure_has_a_column_a_method_and_every_number_of_the_table(compared):
    for style in ("paper", "talk"):
        made = compared.figure(title="walks", style=style)
        words = [text.get_text() for text in made.texts]
        assert len([axes for axes in made.axes if axes.collections]) >= 3
        shown = [row for row in compared.table()[1:] if style == "paper" or not row[0].startswith("  ")]
        for row in shown:
            assert all(cell in words for cell in [row[0].strip(), *row[1:]] if cell), row


@pytest.mark.usefixtures("as_users_call")
def test_what_cannot_be_compared_is_refused(atlas, refuses):
    for arguments, message in [
        ({"methods": ("lle",)}, r"methods must be of phate, pca, tsne, umap, isomap, inpca, but 'lle' came"),
        ({"methods": ()}, r"there is no method to compare; name some of phate"),
        ({"methods": "pca"}, r"methods must be a list of names, but is 'pca'; pass \('pca',\)"),
        ({"seeds": ()}, r"seeds must be different numbers from 0 on, but are \[\]; change them"),
        ({"seeds": (0, 0)}, r"seeds must be different numbers from 0 on, but are \[0, 0\]; change them"),
        ({"seeds": (-1,)}, r"seeds must be different numbers from 0 on, but are \[-1\]; change them"),
        ({"seeds": 3}, r"seeds must be several numbers, but is 3; pass range\(3\) or a list"),
        ({"left_out": 1.0}, r"left_out must be from 0 to below 1, but is 1\.0; pass as 0\.1"),
        ({"left_out": 0.95}, r"a comparison needs 6 points, but 60 are there and 3 when some are left out; record more"),
        ({"noise_free": np.zeros((3, 2))}, r"there are 60 points, but 3 without noise; pass the same ones"),
    ]:
        with refuses(message):
            la.compare(atlas, **{"methods": ("pca",), **arguments})
    with refuses(r"the atlas has no distances, by which maps are scored; make it by lossatlas\.atlas"):
        la.compare(dataclasses.replace(atlas, distances=None), methods=("pca",))
    settings = dataclasses.replace(atlas.embedding.settings, n_pca=20)
    with refuses(
        r"the atlas draws distances of 20 principal components, in which it is not compared; pass the runs, or an atlas"
    ):
        la.compare(
            dataclasses.replace(atlas, embedding=dataclasses.replace(atlas.embedding, settings=settings)), methods=("pca",)
        )


def test_without_umap_the_rest_is_compared_and_a_line_says_so(atlas, monkeypatch):
    monkeypatch.setitem(sys.modules, "umap", None)
    assert list(missing_methods()) == ["umap"]
    monkeypatch.setattr(
        sys.modules["lossatlas._atlas.comparing"], "layout", lambda method, points, **_: layout("pca", points, metric="cosine")
    )
    found = la.compare(atlas, seeds=(0,), left_out=0, nulls=False)
    assert list(found.methods) == ["phate", "pca", "tsne", "isomap"]
    assert "pip install 'lossatlas[compare]'" in found.skipped["umap"]


def test_the_report_says_the_null_before_the_data(atlas):
    lines = atlas.report().splitlines()
    assert lines[0].startswith("A random walk with the same steps: neighbours kept ")
    assert lines[1].startswith("Places dealt out at random: ")
    assert lines[2].startswith("This map: ")
    walked = atlas.comparison.nulls["random walk"].faithfulness
    assert f"neighbours kept {walked.neighbours_kept:.2f}, whole steps {walked.trajectory_continuity:.2f}" in lines[0]
    # These runs are random walks, and the report says so.
    assert re.search(r"draw Lissajous figures .* of 2 runs 2 have such shares: run 0, run 1\.", atlas.report())
    assert "With the loss dealt to other points finite persistence would be " in atlas.report()


def test_a_report_of_what_has_no_steps_and_no_loss_is_of_the_map_alone():
    made = dataclasses.replace(walks((12,), kinds=["sample"], nulls=False, methods=()), loss=None, diagram=None)
    (line,) = made.report().splitlines()
    assert line.startswith("This map: neighbours kept ")


def test_the_command_compares_runs(tmp_path):
    for number in range(2):
        walk(tmp_path / "runs" / f"r{number}", n=12, seed=number)
    done = call("compare", "runs", "-o", "a.json", "--method", "pca", "--method", "isomap", "--seeds", "2", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "wrote a.json"
    assert re.search(r"whole steps +[\d.]+ +[\d.]+", done.stdout)
    printed = call("compare", "runs", "-o", "b.png", "--method", "pca", "--seeds", "1", "--json", "--no-nulls", cwd=tmp_path)
    assert json.loads(printed.stdout)["nulls"]["random_walk"] == {"pca": {}}
    assert (tmp_path / "b.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), r"compare needs runs, or --tree in their place; name one or the other"),
        (("runs", "--tree"), r"compare needs runs, or --tree in their place"),
        (("runs", "-o", "a.gif"), r"'a\.gif' must end in \.html, \.png, \.svg, \.pdf or \.json; rename it"),
    ],
)
def test_the_command_refuses_in_a_line(arguments, message, tmp_path):
    done = call("compare", *arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert re.search(message, done.stderr), done.stderr
