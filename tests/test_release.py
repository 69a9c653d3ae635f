"""What is published: its numbers agree, and wheel and sdist hold what they should, and run."""

import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from importlib.metadata import requires
from pathlib import Path

import pytest

import lossatlas

ROOT = Path(lossatlas.__file__).parents[2]
PACKAGE = ROOT / "src" / "lossatlas"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_the_changelog_begins_with_what_is_not_published_or_with_this_version():
    first = re.search(r"^## (.*)$", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)
    assert first
    assert re.match(rf"Unreleased|\[?{re.escape(lossatlas.__version__)}\]?\b", first[1]), first[1]


def test_every_extra_that_is_named_anywhere_is_there():
    extras = set(PROJECT["project"]["optional-dependencies"])
    named = set()
    for file in [ROOT / "README.md", *ROOT.glob("docs/*.md"), *PACKAGE.rglob("*.py")]:
        text = file.read_text()
        for group in re.findall(r"lossatlas\[([\w,-]+)\]|extra `\[?(\w+)\]?`", text):
            named |= {name for part in group for name in part.split(",") if name}
    assert {"compare", "notebook"} <= named <= extras, named - extras


def floors(dependencies) -> dict[str, str]:
    return dict(re.fullmatch(r"([\w-]+)>=([\d.]+)", one).groups() for one in dependencies)


def test_the_lowest_versions_that_are_tested_are_those_that_are_declared():
    pinned = dict(re.findall(r"^([\w-]+)==([\w.]+)$", (ROOT / "constraints-lowest.txt").read_text(), flags=re.MULTILINE))
    extras = PROJECT["project"]["optional-dependencies"]
    declared = floors([*PROJECT["project"]["dependencies"], *extras["torch"]])
    del declared["torch"]  # the comment beside its line says why
    for name, floor in declared.items():
        assert name in pinned, f"{name} is not in constraints-lowest.txt"
        assert re.fullmatch(rf"{re.escape(floor)}(\.0)*", pinned[name]), f"{name}: {floor} is declared, {pinned[name]} tested"


def test_what_is_installed_asks_for_what_is_declared():
    asked = {re.split(r"[<>=; \[]", one)[0].lower().replace("_", "-") for one in requires("lossatlas") or ()}
    declared = {re.split(r"[<>=\[]", one)[0].lower() for one in PROJECT["project"]["dependencies"]}
    assert declared <= asked, "pyproject.toml changed: make setup"


def needed(package: str, *, without: set[str]) -> set[str]:
    """All packages that one needs, and what they need, by their normal names; nothing of extras."""
    found, left = set(), [package]
    while left:
        name = left.pop().lower().replace("_", "-")
        if name in found or name in without:
            continue
        found.add(name)
        asked = [one for one in requires(name) or () if "extra ==" not in one]
        left += [re.split(r"[^\w.-]", one)[0] for one in asked if "sys_platform" not in one and "platform_system" not in one]
    return found


def test_make_gallery_installs_all_that_the_hessian_needs():
    pytest.importorskip("curvlinops")
    line = re.search(r"^CURVATURE := (.*)$", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    installed = {name.lower().replace("_", "-") for name in line[1].split()}
    own = PROJECT["project"]["dependencies"] + PROJECT["project"]["optional-dependencies"]["torch"]
    without = {"torchvision"} | set().union(*(needed(re.split(r"[^\w-]", one)[0], without=set()) for one in own))
    assert needed("curvlinops-for-pytorch", without=without) <= installed


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> dict[str, Path]:
    """An sdist, the wheel that is made of it, and the wheel that is made of the tree."""
    pytest.importorskip("hatchling", reason="make setup brings what builds the wheel")
    out, source = tmp_path_factory.mktemp("dist"), tmp_path_factory.mktemp("source")
    build(ROOT, out, "sdist", "wheel")
    sdist, of_tree = next(out.glob("*.tar.gz")), next(out.glob("*.whl"))
    with tarfile.open(sdist) as archive:
        archive.extractall(source, filter="data")
    build(next(source.iterdir()), source / "dist", "wheel")
    return {"sdist": sdist, "tree": of_tree, "wheel": next((source / "dist").glob("*.whl"))}


def build(folder: Path, out: Path, *what: str) -> None:
    code = f"import hatchling.build as b; [getattr(b, 'build_' + one)({str(out)!r}) for one in {what!r}]"
    out.mkdir(exist_ok=True)
    subprocess.run([sys.executable, "-c", code], cwd=folder, check=True, capture_output=True)


def test_the_sdist_makes_the_same_wheel_as_the_tree(built):
    with zipfile.ZipFile(built["wheel"]) as wheel, zipfile.ZipFile(built["tree"]) as tree:
        assert {name: wheel.read(name) for name in wheel.namelist()} == {name: tree.read(name) for name in tree.namelist()}


def test_the_wheel_holds_every_file_of_the_package_and_says_that_it_is_typed(built):
    with zipfile.ZipFile(built["wheel"]) as wheel:
        held = {name for name in wheel.namelist() if name.startswith("lossatlas/")}
        about = wheel.read(f"lossatlas-{lossatlas.__version__}.dist-info/METADATA").decode()
    there = {
        str(file.relative_to(PACKAGE.parent))
        for file in PACKAGE.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts and file.name != ".gitattributes"
    }
    assert held == there
    needed = {"py.typed", "draw/scene.schema.json", "draw/static/viewer.js", "draw/static/viewer.css", "draw/static/widget.js"}
    assert {f"lossatlas/{name}" for name in needed} <= held
    assert any(name.startswith("lossatlas/experiments/") and name.endswith(".toml") for name in held)
    for line in (f"Version: {lossatlas.__version__}", "License-Expression: BSD-3-Clause", "Requires-Python: >=3.11"):
        assert f"\n{line}\n" in about
    extras = set(re.findall(r"^Provides-Extra: (\S+)", about, flags=re.MULTILINE))
    assert extras == set(PROJECT["project"]["optional-dependencies"])


def test_the_sdist_holds_what_it_takes_to_build_test_and_document_it_and_nothing_that_was_installed(built):
    with tarfile.open(built["sdist"]) as archive:
        held = {"/".join(name.split("/")[1:]) for name in archive.getnames()}
    for folder, ending in (
        ("tests", "*.py"),
        ("benchmarks", "*.py"),
        ("docs", "*.md"),
        ("examples", "*.py"),
        ("viewer/src", "*.ts"),
    ):
        missing = {str(file.relative_to(ROOT)) for file in (ROOT / folder).rglob(ending)} - held
        assert not missing
    for file in ("conftest.py", "Makefile", "constraints.txt", "constraints-lowest.txt", "viewer/package-lock.json", "LICENSE"):
        assert file in held
    assert not [name for name in held if {"node_modules", ".venv", "__pycache__", "_build"} & set(name.split("/"))]


def test_the_wheel_alone_draws_a_page_where_there_is_no_torch_node_or_compiler(built, tmp_path):
    with zipfile.ZipFile(built["wheel"]) as wheel:
        wheel.extractall(tmp_path / "site")
    environment = {"PATH": "", "PYTHONPATH": str(tmp_path / "site"), "HOME": str(tmp_path)}
    environment |= {name: os.environ[name] for name in ("OMP_NUM_THREADS", "SYSTEMROOT") if name in os.environ}
    command = [sys.executable, "-W", "error", str(ROOT / "tests" / "installed.py"), "look", str(tmp_path / "out")]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"lossatlas {lossatlas.__version__}: look does what it should" in done.stdout
