"""Style and preset reach an atlas' figures and files, from Python and from the command line."""

import functools
import sys
import warnings

import numpy as np
import pytest
import torch
from matplotlib.animation import FFMpegWriter
from matplotlib.image import imread

import lossatlas as la
from lossatlas import cli
from lossatlas.draw import PAPER, TALK, scene


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two runs that walk, with a loss that falls."""
    folder = tmp_path_factory.mktemp("walks")
    for seed in (0, 1):
        model = torch.nn.Linear(4, 3)
        steps = np.random.default_rng(seed).normal(size=(12, 3, 4)) * 0.3
        with la.Recorder(folder / f"w{seed}", model) as recorder:
            for place, step in enumerate(steps):
                with torch.no_grad():
                    model.weight.add_(torch.as_tensor(step, dtype=torch.float32))
                recorder.step(test_loss=2.0 / (place + 1) + seed)
    return folder


@pytest.fixture(scope="module")
def atlas(runs):
    return la.atlas(runs)


def test_a_figure_has_the_style_and_preset_that_were_asked_for(atlas):
    assert atlas.figure().get_figwidth() == PAPER.column
    assert atlas.figure(style="talk").get_figheight() == TALK.height
    names = [layout.name for layout in scene({"walks": atlas}, title="").maps[0].layouts]
    assert len(names) > 1
    assert [axes.get_title() for axes in atlas.figure(preset="methods").axes] == names
    diagrams = atlas.figure(preset="persistence", title="walks")
    assert diagrams.axes[0].get_title() == "walks"
    assert f"total {atlas.diagram.total():.3g}" in diagrams.axes[0].texts[0].get_text()
    assert diagrams.axes[0].get_xlabel() == "birth (test loss)"
    topology = atlas.figure(preset="topology", title="walks", style="talk")
    assert topology.axes[1].get_xlabel() == topology.axes[2].get_ylabel() == "test loss"
    assert (topology.get_suptitle(), topology.get_figheight()) == ("walks", TALK.height)
    assert f"{len(atlas.merge_tree.minima)} minim" in topology.axes[2].get_title(loc="left")


def test_a_saved_figure_is_the_one_that_is_returned(atlas, tmp_path):
    from lossatlas.draw import write_figure

    atlas.save(tmp_path / "a.svg", title="walks", style="talk", preset="persistence")
    write_figure(atlas.figure(title="walks", style="talk", preset="persistence"), tmp_path / "b.svg", style="talk")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    atlas.save(tmp_path / "a.png", style="talk")
    assert imread(tmp_path / "a.png").shape[:2] == (1080, 1920)


def test_looks_that_a_file_does_not_have_are_refused(atlas, tmp_path, refuses, as_users_call, monkeypatch):
    for asked, words in {
        ("a.html", "talk", "landscape"): "a style is for figures, but 'a.html' is none; end it in .png, .svg, .pdf, .gif or .mp4",
        ("a.json", "paper", "methods"): "'methods' is a figure, but 'a.json' is none; end it in .png, .svg or .pdf",
        ("a.gif", "paper", "persistence"): "'persistence' is a figure, but 'a.gif' is none",
        ("a.png", "poster", "landscape"): "style must be 'paper' or 'talk', but is 'poster'",
        ("a.png", "paper", "sketch"): "preset must be 'landscape', 'methods', 'persistence', 'topology', but is 'sketch'",
    }.items():
        name, style, preset = asked
        with refuses(words):
            atlas.save(tmp_path / name, style=style, preset=preset)
    with refuses("preset must be 'landscape', 'methods', 'persistence', 'topology', but is 'sketch'; choose one"):
        atlas.figure(preset="sketch")
    monkeypatch.setattr(FFMpegWriter, "isAvailable", classmethod(lambda cls: False))
    with refuses("install ffmpeg, or name a .gif"):
        atlas.save(tmp_path / "a.mp4")
    assert list(tmp_path.iterdir()) == []


def test_without_a_loss_there_is_no_diagram(tmp_path, refuses):
    model = torch.nn.Linear(3, 2)
    with la.Recorder(tmp_path / "run", model) as recorder:
        for _ in range(8):
            with torch.no_grad():
                model.weight.add_(torch.rand(2, 3))
            recorder.step()
    with refuses("there is no diagram, for no run has a loss; record one"):
        la.atlas(tmp_path / "run").figure(preset="persistence")
    with refuses("there is no diagram, for no run has a loss; record one"):
        la.atlas(tmp_path / "run").figure(preset="topology")


@pytest.fixture
def here(monkeypatch, capsys, tmp_path):
    """Call the command in this process, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)

    def calling(*arguments):
        monkeypatch.setattr(sys, "argv", ["lossatlas", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        return ended.value.code, said.out, said.err

    return calling


def test_the_command_line_takes_a_style_a_figure_and_a_film(runs, here, tmp_path, monkeypatch):
    module = sys.modules["lossatlas.draw.save"]  # `lossatlas.draw.save` is the function
    monkeypatch.setattr(module, "write_animation", functools.partial(module.write_animation, fps=4, seconds=1))
    assert here("map", runs, "-o", "a.png", "--style", "talk", "--figure", "persistence")[0] == 0
    assert imread(tmp_path / "a.png").shape[:2] == (1080, 1920)
    code, out, _ = here("map", runs, "-o", "a.gif")
    assert code == 0
    assert "wrote a.gif" in out
    assert (tmp_path / "a.gif").read_bytes()[:6] == b"GIF89a"


def test_the_command_line_refuses_a_look_before_any_work(runs, here, tmp_path, monkeypatch):
    import lossatlas._atlas

    monkeypatch.setattr(lossatlas._atlas, "atlas", lambda *_, **__: pytest.fail("it began"))
    code, _, err = here("map", runs, "-o", "a.html", "--style", "talk")
    assert (code, err.count("\n")) == (2, 1)
    assert "a style is for figures" in err
    monkeypatch.setattr(FFMpegWriter, "isAvailable", classmethod(lambda cls: False))
    code, _, err = here("map", runs, "-o", "a.mp4")
    assert (code, err.count("\n")) == (2, 1)
    assert "install ffmpeg, or name a .gif" in err
    assert list(tmp_path.iterdir()) == []
