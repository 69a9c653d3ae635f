"""What is written down, runs."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import lossatlas
from docs.followed import follow

ROOT = Path(lossatlas.__file__).parents[2]


def blocks(document: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", (ROOT / document).read_text(), flags=re.MULTILINE | re.DOTALL)


_OWN = (
    "format", "phate", "distances", "topology", "trust", "slices", "figures", "paths", "predictions", "curvature", "geometry",
    "table_one", "checkpoints", "recording", "live", "notebook", "scale",
)  # fmt: skip

# Other packages warn of this and that, and the last page is for several processes.
_OTHERS = {
    "lightning": (),
    "trainer": (),
    "keras": (),
    "distributed": ("-m", "torch.distributed.run", "--nproc-per-node", "2"),
}


@pytest.mark.parametrize("page", sorted(path.name for path in (ROOT / "docs").glob("*.md")))
def test_no_prose_between_two_dollars_is_taken_for_a_formula(page):
    prose = re.sub(r"^```.*?^```|`[^`\n]*`", "", (ROOT / "docs" / page).read_text(), flags=re.MULTILINE | re.DOTALL)
    for formula in re.findall(r"\$([^$\n]+)\$", prose):
        assert not re.search(r"[a-z]{3,} [a-z]{2,}", re.sub(r"\\(text|mathrm)\{[^}]*\}", "", formula)), formula


@pytest.mark.parametrize("page", _OWN)
def test_the_snippets_of_a_page_run_in_their_order(page, tmp_path):
    code = "\n".join(blocks(f"docs/{page}.md"))
    assert code
    subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=tmp_path, check=True)


@pytest.mark.parametrize(
    ("page", "n_commands", "made"),
    [("tutorial", 6, {"runs.html", "around.html", "compare.png"}), ("own_task", 5, {"early", "around", "around.html"})],
)
def test_a_page_can_be_followed_from_an_empty_folder(page, n_commands, made, tmp_path):
    done = follow((ROOT / "docs" / f"{page}.md").read_text(), tmp_path)
    assert len(done) == n_commands
    assert made <= {path.name for path in tmp_path.iterdir()}


def test_every_page_with_lines_of_python_is_run():
    run = {*_OWN, *_OTHERS, "tutorial", "own_task", "scene"}  # the last by the tests of the page, which looks at what it wrote
    assert {path.stem for path in (ROOT / "docs").glob("*.md") if blocks(f"docs/{path.name}")} == run


@pytest.mark.parametrize(("page", "run"), _OTHERS.items())
def test_the_snippets_of_other_packages_pages_run(page, run, tmp_path):
    (tmp_path / "train.py").write_text("\n".join(blocks(f"docs/{page}.md")))
    subprocess.run([sys.executable, *run, "train.py"], cwd=tmp_path, check=True)
    assert len(list(tmp_path.glob("*.html"))) == 1


def test_the_readmes_lines_run_in_a_loop_of_ones_own(tmp_path):
    loop = (
        "import torch\nmodel = torch.nn.Linear(4, 1)\nepochs = 12\n"
        "def train_one_epoch(model):\n"
        "    with torch.no_grad():\n        model.weight.add_(torch.rand(1, 4))\n"
        "    return float(model.weight.detach().sum())\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", loop + "\n".join(blocks("README.md"))], cwd=tmp_path, check=True)
    assert (tmp_path / "atlas.html").exists()
    assert (tmp_path / "atlas.pdf").exists()


def test_the_example_runs(tmp_path):
    subprocess.run([sys.executable, ROOT / "examples" / "record_and_map.py", tmp_path / "out"], check=True)
    assert (tmp_path / "out" / "atlas.png").exists()
    assert (tmp_path / "out" / "atlas.html").exists()


def test_links_between_documents_lead_somewhere():
    for document in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("docs/reference/*.md")]:
        for target, anchor in re.findall(r"\]\(([^)#]*)(#[^)]+)?\)", document.read_text()):
            if "://" not in target:
                there = document.parent / target if target else document
                assert there.exists(), f"{document.name} points to {target}"
                assert not anchor or anchor[1:] in anchors(there), f"{document.name} points to {target}{anchor}"


def anchors(document: Path) -> set[str]:
    """Return the names by which headings can be linked to, as GitHub and MyST make them."""
    headings = re.findall(r"^#+ (.*)$", document.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_commands_that_documents_name_are_targets_of_the_makefile():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    for document in ("README.md", "CONTRIBUTING.md", "AGENTS.md"):
        named = set(re.findall(r"(?:`|^)make ([a-z-]+)", (ROOT / document).read_text(), flags=re.MULTILINE))
        assert named <= targets, f"{document} names {named - targets}"


def test_contributing_fits_forty_lines():
    assert len((ROOT / "CONTRIBUTING.md").read_text().splitlines()) <= 40
