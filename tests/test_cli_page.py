"""A scene that another program wrote becomes a page: the example of docs/scene.md, and what is refused."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest
from jsonschema import Draft202012Validator
from test_cli import call
from test_documents import ROOT, blocks

from lossatlas.draw import decoded, page


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The header and the data that the example writes, in an interpreter that finds no package."""
    folder = tmp_path_factory.mktemp("scene")
    code = "\n".join(blocks("docs/scene.md"))
    subprocess.run([sys.executable, "-I", "-S", "-W", "error", "-c", code], cwd=folder, check=True)
    return folder


def test_the_example_of_the_document_becomes_a_page(written):
    header, data = (written / "header.json").read_text(), (written / "data.bin").read_bytes()
    Draft202012Validator(json.loads((ROOT / "src/lossatlas/draw/scene.schema.json").read_text())).validate(json.loads(header))
    scene = decoded(header, data)
    np.testing.assert_allclose(scene.maps[0].metrics[0].values, 4.0 ** (-np.arange(10) / 3), rtol=1e-6)
    done = call("page", "header.json", "data.bin", "-o", "a.html", cwd=written)
    assert (done.returncode, done.stdout, done.stderr) == (0, "wrote a.html\n", "")
    assert (written / "a.html").read_text(encoding="utf-8") == page(scene)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda header, data: (b"{", data), r"the header is not JSON"),
        (lambda header, data: (b"\xff\xfe", data), r"header\.json is not UTF-8 text \(invalid start byte at byte 0\)"),
        (lambda header, data: (header.replace(b'"version": 4', b'"version": 2'), data), r"has version 2, .* reads version 4"),
        (
            lambda header, data: (header.replace(b'"kind": "training", ', b""), data),
            r"maps\[0\]\.runs\[0\] lacks the field 'kind'",
        ),
        (lambda header, data: (header, data[:-8]), r"distances\.values ends at byte \d+ of the data, but there are \d+"),
        (lambda header, data: (header.replace(b"[10, 2]", b"[5, 2]"), data), r"layout 'as it is' has shape \(5, 2\)"),
        (lambda header, data: (header, None), r"cannot read data\.bin: No such file or directory"),
    ],
)
def test_what_is_no_scene_is_refused_in_one_line_and_nothing_is_written(written, tmp_path, spoil, message):
    header, data = spoil((written / "header.json").read_bytes(), (written / "data.bin").read_bytes())
    (tmp_path / "header.json").write_bytes(header)
    if data is not None:
        (tmp_path / "data.bin").write_bytes(data)
    before = sorted(tmp_path.iterdir())
    done = call("page", "header.json", "data.bin", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(rf"lossatlas: .*{message}.*\n", done.stderr), done.stderr
    assert sorted(tmp_path.iterdir()) == before


def test_a_page_is_not_written_over_the_header(written):
    done = call("page", "header.json", "data.bin", "-o", "header.json", cwd=written)
    assert (done.returncode, done.stderr) == (2, "lossatlas: 'header.json' must end in .html; rename it\n")


def test_the_document_names_every_field():
    schema = json.loads((ROOT / "src/lossatlas/draw/scene.schema.json").read_text())
    words = set(re.findall(r"`(\w+)`", (ROOT / "docs/scene.md").read_text()))
    parts = [schema, *(part for part in schema["$defs"].values() if part.get("type") == "object")]
    assert {name for part in parts for name in part["properties"]} - words <= {"format", "version", "dtype", "shape"}
