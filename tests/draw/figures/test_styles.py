"""Two styles: widths of print, letters of a slide; and the same bytes for the same scene, in every process."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread
from matplotlib.text import Text
from seeded import diagram, part, scene_of, tree

from lossatlas.draw import (
    PAPER,
    TALK,
    figure,
    landscape_figure,
    methods_figure,
    named_style,
    persistence_figure,
    topology_figure,
    write_figure,
)

_METHODS = ("PHATE", "PCA", "t-SNE")
_FIGURES = {
    "landscape": lambda style: landscape_figure(scene_of(part("one"), part("two", lift=3)), style=style),
    "long names": lambda style: landscape_figure(
        scene_of(*(part(f"Around sharpness-aware {name}") for name in ("minimisation", "ones", "twos", "threes"))), style=style
    ),
    "one map": lambda style: landscape_figure(scene_of(part()), style=style),
    "methods": lambda style: methods_figure(scene_of(part(methods=_METHODS)), style=style),
    "one diagram": lambda style: persistence_figure({"a": diagram()}, style=style),
    "persistence": lambda style: persistence_figure(
        {"a": diagram(), "b": diagram(high=20.0), "c": diagram(low=0.1)}, losses={"a": 1.0, "b": 2.0, "c": 0.5}, style=style
    ),
    "topology": lambda style: topology_figure(diagram(), tree(), style=style, title="A title"),
}


@pytest.mark.parametrize("name", _FIGURES)
def test_a_paper_figure_is_as_wide_as_a_column_or_a_page_and_its_letters_are_not_small(name):
    made = _FIGURES[name]("paper")
    assert made.get_figwidth() == (PAPER.column if name.startswith("one") else PAPER.page)
    assert {text.get_fontsize() for text in words_of(made)} <= {PAPER.small, PAPER.text, PAPER.title}
    assert (PAPER.column, PAPER.page) == (3.3, 6.9)


@pytest.mark.parametrize("name", _FIGURES)
def test_a_talk_is_one_slide_of_large_letters(name):
    made = _FIGURES[name]("talk")
    assert made.get_figwidth() / made.get_figheight() == pytest.approx(16 / 9)
    assert min(text.get_fontsize() for text in words_of(made)) >= 18


@pytest.mark.parametrize("style", ["paper", "talk"])
@pytest.mark.parametrize("name", _FIGURES)
def test_nothing_is_cut_off_and_no_words_lie_on_others(name, style):
    made = _FIGURES[name](style)
    made.draw_without_rendering()
    edge = made.bbox
    boxes = [(text.get_text(), text.get_window_extent()) for text in words_of(made)]
    for words, box in boxes:
        assert edge.x0 - 1 <= box.x0 <= box.x1 <= edge.x1 + 1, words
        assert edge.y0 - 1 <= box.y0 <= box.y1 <= edge.y1 + 1, words
    for place, (words, box) in enumerate(boxes):
        for others, other in boxes[place + 1 :]:
            across = min(box.x1, other.x1) - max(box.x0, other.x0)
            down = min(box.y1, other.y1) - max(box.y0, other.y0)
            assert across < 2 or down < 2, f"{words!r} lies on {others!r}"


def words_of(made: Figure) -> list[Text]:
    """Every text that is seen: ticks outside of their axis are not."""
    made.draw_without_rendering()
    hidden = set()
    for axes in [axes for panel in made.axes for axes in (panel, *panel.child_axes)]:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
                if not low * (1 - 1e-9) <= tick.get_loc() <= high * (1 + 1e-9):
                    hidden |= {tick.label1, tick.label2}
    return [text for text in made.findobj(Text) if text.get_visible() and text.get_text().strip() and text not in hidden]


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
@pytest.mark.parametrize(
    ("name", "style"), [("landscape", "talk"), ("methods", "paper"), ("persistence", "paper"), ("topology", "paper")]
)
def test_the_same_figure_twice_is_the_same_bytes(name, style, ending, tmp_path):
    written = []
    for which in "ab":
        write_figure(_FIGURES[name](style), tmp_path / f"{which}.{ending}", style=style)
        written.append((tmp_path / f"{which}.{ending}").read_bytes())
    assert written[0] == written[1]


def test_two_processes_with_different_hashes_write_the_same_bytes(tmp_path):
    code = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from pathlib import Path\n"
        "from seeded import part, scene_of, diagram\n"
        "from lossatlas.draw import landscape_figure, persistence_figure, write_figure\n"
        "out = Path(sys.argv[1]); out.mkdir()\n"
        "for end in ('svg', 'pdf', 'png'):\n"
        "    write_figure(landscape_figure(scene_of(part('one'), part('two'))), out / f'l.{end}')\n"
        "write_figure(persistence_figure({'a': diagram()}, losses={'a': 1.0}, by={'a': 'none'}), out / 'p.svg')\n"
    )
    running = []
    for seed in ("1", "2"):
        env = {"PYTHONHASHSEED": seed, "PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(filter(None, sys.path))}
        running.append(subprocess.Popen([sys.executable, "-c", code, str(tmp_path / seed)], env=env))
    assert [one.wait() for one in running] == [0, 0]
    for name in ("l.svg", "l.pdf", "l.png", "p.svg"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes(), name


def test_a_slide_has_the_pixels_of_a_screen(tmp_path):
    write_figure(_FIGURES["one map"]("talk"), tmp_path / "a.png", style="talk")
    assert imread(tmp_path / "a.png").shape[:2] == (1080, 1920)


def test_a_style_is_named_or_ones_own_and_frozen(refuses, as_users_call):
    assert named_style("talk") is TALK
    own = dataclasses.replace(PAPER, column=3.5)
    assert landscape_figure(scene_of(part()), style=own).get_figwidth() == 3.5
    with pytest.raises(dataclasses.FrozenInstanceError):
        PAPER.text = 9
    with refuses("style must be 'paper' or 'talk', but is 'poster'; choose one"):
        figure(scene_of(part()), style="poster")


def test_an_unknown_preset_is_refused(refuses):
    with refuses("preset must be 'landscape' or 'methods', but is 'persistence'; choose one"):
        figure(scene_of(part()), preset="persistence")
