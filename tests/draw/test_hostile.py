"""Names that a formula, a page or a terminal could take for something else are drawn as they are."""

import numpy as np
import pytest

import lossatlas as la
from lossatlas.draw import Layout, Metric, Scene, SceneMap, SceneRun, figure, write_figure

NAMES = [r"$\bad$", "<script>alert(1)</script>", "50 % of {x}", "a\nb", "ünïcode"]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_text_in_the_figure(name, tmp_path):
    metric = Metric(name="loss", label=name, values=np.array([1, 2, 3], np.float32), scale="log")
    made = SceneMap(
        name=name,
        layouts=(Layout(name=name, caption=name, coordinates=np.array([[0, 0], [1, 0], [1, 1]], np.float32)),),
        time=np.arange(3, dtype=np.float32),
        runs=(SceneRun(name=name, kind="training", start=0, stop=3),),
        metrics=(metric,),
        landscape="loss",
    )
    write_figure(figure(Scene(title=name + "!", maps=(made,))), tmp_path / "a.svg")
    drawn = (tmp_path / "a.svg").read_text()
    assert "<script" not in drawn
    if name.startswith("$"):
        assert r"$\bad$" in drawn


def test_a_loss_without_a_finite_square_is_drawn_and_written_as_a_word(tmp_path):
    import json

    import torch

    model = torch.nn.Linear(3, 2)
    with la.Recorder(tmp_path / "run", model) as recorder:
        for step in range(12):
            with torch.no_grad():
                model.weight.add_(torch.rand(2, 3))
            recorder.step(loss=1e300 if step == 3 else 1 / (step + 1))
    atlas = la.atlas(tmp_path / "run")
    for ending in ("html", "png", "json"):
        atlas.save(tmp_path / f"a.{ending}")
    numbers = json.loads((tmp_path / "a.json").read_text(), parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    assert numbers["persistence"]["loss_range_squared"] == "inf"
