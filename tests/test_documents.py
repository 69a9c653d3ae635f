"""What is written down, runs."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import lossatlas

ROOT = Path(lossatlas.__file__).parents[2]


def blocks(document: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", (ROOT / document).read_text(), flags=re.MULTILINE | re.DOTALL)


_OWN = (
    "start", "format", "phate", "topology", "trust", "slices", "figures", "paths", "predictions", "curvature", "geometry",
    "table_one", "checkpoints", "recording", "live", "notebook", "scale",
)  # fmt: skip


@pytest.mark.parametrize("page", _OWN)
def test_the_snippets_of_a_page_run_in_their_order(page, tmp_path):
    code = "\n".join(blocks(f"docs/{page}.md"))
    assert code
    subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=tmp_path, check=True)
    if page == "start":
        assert {"atlas.html", "atlas.pdf", "around.html"} <= {path.name for path in tmp_path.iterdir()}


# Other packages warn of this and that, and the last page is for several processes.
@pytest.mark.parametrize(
    ("page", "run"),
    [
        ("lightning", ()),
        ("trainer", ()),
        ("keras", ()),
        ("distributed", ("-m", "torch.distributed.run", "--nproc-per-node", "2")),
    ],
)
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
    for document in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]:
        for target in re.findall(r"\]\(([^)#]+)\)", document.read_text()):
            if "://" not in target:
                assert (document.parent / target).exists(), f"{document.name} points to {target}"


def test_the_commands_that_documents_name_are_targets_of_the_makefile():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    for document in ("README.md", "CONTRIBUTING.md", "AGENTS.md"):
        named = set(re.findall(r"(?:`|^)make ([a-z-]+)", (ROOT / document).read_text(), flags=re.MULTILINE))
        assert named <= targets, f"{document} names {named - targets}"


def test_contributing_fits_forty_lines():
    assert len((ROOT / "CONTRIBUTING.md").read_text().splitlines()) <= 40
