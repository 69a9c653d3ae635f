"""The documentation as a whole: every page can be reached, every public name is in the reference."""

import importlib
import inspect
import re
from pathlib import Path

import pytest

import lossatlas

DOCS = Path(lossatlas.__file__).parents[2] / "docs"

# What stages hand to each other, and no user meets: parts of the machinery, and words that annotations are made of.
_BETWEEN_STAGES = {
    "record": {"Every", "load_tensors", "raw_tensors", "tensor_entries"},
    "sketch": {"refuse_numbers", "refuse_others"},
    "sample": {"evaluation", "fixed_randomness", "named_task", "on_device", "recompute_batchnorm"},
    "distance": {
        "Origin", "PointSource", "PredictionKind", "RunSource", "extended", "picked", "point_source", "seen_from", "spent",
    },
    "embed": {"AnyMethod", "Method", "Own", "Preset", "as_embedded", "layout", "missing_methods", "pcas", "refuse_methods"},
    "measure": {"Draws", "displaced_by_chance", "is_constant", "part_of", "plane_stress"},
    "draw": {
        "checked_look", "figure", "json_text", "live_page", "log_atlas", "named_style", "notebook_frame", "page",
        "refuse_no_figure", "refuse_unwritable", "save", "scene_run",
    },
}  # fmt: skip


def pages() -> set[str]:
    return {str(path.relative_to(DOCS).with_suffix("")) for path in DOCS.rglob("*.md") if "_build" not in path.parts}


def listed(page: Path) -> list[str]:
    """Return what the tables of contents of a page list, seen from docs/."""
    trees = re.findall(r"^```\{toctree\}\n(.*?)^```", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    lines = [line.strip() for tree in trees for line in tree.splitlines() if line.strip() and not line.startswith(":")]
    return [re.sub(r".*<(.*)>", r"\1", line) for line in lines]


def test_every_page_stands_in_one_table_of_contents():
    found = [name for page in DOCS.rglob("*.md") for name in listed(page)]
    assert sorted(found) == sorted(pages() - {"index"})


def test_every_idea_has_its_formulas_and_says_how_it_fails():
    tree = next(tree for tree in re.split(r"```\{toctree\}", (DOCS / "index.md").read_text()) if ":caption: Ideas" in tree)
    ideas = re.findall(r"<(\w+)>$", tree, flags=re.MULTILINE)
    assert "phate" in ideas
    for idea in ideas:
        page = (DOCS / f"{idea}.md").read_text()
        assert page.count("\n$$\n") >= 2, idea
        assert "\n## What goes wrong\n" in page, idea


def described() -> set[object]:
    """Return what the reference has an entry for."""
    text = "".join(path.read_text() for path in (DOCS / "reference").glob("*.md"))
    found = set()
    for path in re.findall(r"^\.\. auto\w+:: (\S+)$", text, flags=re.MULTILINE):
        module, _, name = path.rpartition(".")
        found.add(id(getattr(importlib.import_module(module), name)))
    return found


def test_every_public_name_is_in_the_reference():
    there = described()
    assert {name for name in lossatlas.__all__ if id(getattr(lossatlas, name)) not in there} == set()


@pytest.mark.parametrize("stage", _BETWEEN_STAGES)
def test_every_name_of_a_stage_that_users_meet_is_in_the_reference(stage):
    there, module = described(), importlib.import_module(f"lossatlas.{stage}")
    values = {name: getattr(module, name) for name in module.__all__}
    missing = {name for name, value in values.items() if (callable(value) or inspect.isclass(value)) and id(value) not in there}
    assert missing == _BETWEEN_STAGES[stage]


def test_nothing_on_the_site_comes_from_elsewhere():
    """Formulas are MathML, and neither the settings nor the style sheet name another host."""
    for path in [DOCS / "conf.py", *(DOCS / "_static").iterdir()]:
        assert "://" not in path.read_text(), path.name
    assert 'html_math_renderer = "mathml"' in (DOCS / "conf.py").read_text()
