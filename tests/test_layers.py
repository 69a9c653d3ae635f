"""The folder is the pipeline: imports point left."""

import ast
from pathlib import Path

import pytest

import lossatlas

ROOT = Path(lossatlas.__file__).parent
ORDER = [
    "_arrays", "_compiled", "_device", "sketch", "store", "record", "sample", "distance", "embed", "measure", "_atlas", "draw",
    "serve", "experiments", "cli", "__main__",
]  # fmt: skip
# An Atlas offers to draw itself (`atlas.write_html`), a slice too, so their methods, and nothing at import, reach to the right.
EXCEPTIONS = {("_atlas", "draw"), ("sample", "draw")}
# From here on no stage needs torch: maps are made on machines without it.
WITHOUT_TORCH = set(ORDER) - {"record", "sample", "experiments", "__main__"}


def stage(path: Path) -> str:
    first = path.relative_to(ROOT).parts[0]
    return first.removesuffix(".py")


def imports(path: Path):
    """Every imported module of a file with the depth of its statement: 0 is at import."""
    tree = ast.parse(path.read_text())
    top = set(map(id, ast.walk(ast.Module(body=[n for n in tree.body if not is_for_types(n)], type_ignores=[]))))
    inside = {id(n) for f in ast.walk(tree) if isinstance(f, ast.FunctionDef | ast.AsyncFunctionDef) for n in ast.walk(f)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        else:
            continue
        for name in names:
            yield name, id(node) in top and id(node) not in inside


def is_for_types(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


FILES = sorted(path for path in ROOT.rglob("*.py") if path.relative_to(ROOT).parts[0] != "__init__.py")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_left(path):
    assert stage(path) in ORDER, f"{stage(path)} has no place in the order of the stages"
    for name, is_at_import in imports(path):
        parts = name.split(".")
        if parts[0] != "lossatlas" or len(parts) < 2:
            continue
        here, there = stage(path), parts[1]
        if (here, there) in EXCEPTIONS and not is_at_import:
            continue
        assert ORDER.index(there) <= ORDER.index(here), f"{here} imports {there}, which stands to its right"


@pytest.mark.parametrize("path", [p for p in FILES if stage(p) in WITHOUT_TORCH], ids=lambda path: str(path.relative_to(ROOT)))
def test_no_stage_after_the_store_imports_torch(path):
    assert not [name for name, _ in imports(path) if name.split(".")[0] == "torch"]


def test_nothing_is_imported_from_a_package_that_is_not_permissive():
    everything = {name.split(".")[0] for path in ROOT.rglob("*.py") for name, _ in imports(path)}
    assert not everything & {"phate", "graphtools", "tasklogger", "m_phate", "tphate"}


def test_each_stage_of_the_order_is_there():
    assert {stage(path) for path in FILES} == set(ORDER)
