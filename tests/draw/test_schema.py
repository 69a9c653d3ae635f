"""The schema, the dataclasses and the page name the same fields; what one refuses, the other refuses."""

import ast
import copy
import dataclasses
import io
import json
import re
import tokenize
import types
import typing
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from drawn_scenes import scenes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from lossatlas import InputError
from lossatlas.draw import (
    Barcode,
    DistanceTable,
    Fact,
    Layout,
    Metric,
    Scene,
    SceneMap,
    SceneRun,
    Score,
    Surface,
    SurfacePath,
    decoded,
    encoded,
)
from lossatlas.draw.scene import FORMAT, VERSION, Kind, Scale

PARTS = (SceneMap, Layout, Metric, SceneRun, Fact, Score, Barcode, DistanceTable, Surface, SurfacePath)
SCHEMA = json.loads((resources.files("lossatlas.draw") / "scene.schema.json").read_text(encoding="utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)
PAGE = (Path(__file__).parents[2] / "viewer" / "src" / "scene.ts").read_text()
SOURCE = Path(str(resources.files("lossatlas.draw") / "scene.py")).read_text()


def whole():
    """A scene in which every field holds something."""
    n, m = 3, 2
    line, plane = np.arange(n, dtype=np.float32), np.zeros((n, 2), np.float32)
    metric = Metric(name="loss", label="test loss", values=line, scale="log", unit="nat", meaning="mean")
    offsets = np.array([0, 1, 3], np.int32)
    rows = np.array([0, 2], np.int32)
    pairs = dict.fromkeys(("births", "deaths"), np.zeros(m, np.float32)) | dict.fromkeys(("dimension", "row"), rows)
    along = dict.fromkeys(("steps", "off_plane", "true_loss", "drawn_loss"), line)
    path = SurfacePath(name="sgd", coordinates=plane, **along)
    part = SceneMap(
        name="a map",
        layouts=(Layout(name="PHATE", caption="c", coordinates=plane, coordinates_3d=np.zeros((n, 3)), metrics=(metric,)),),
        time=line,
        runs=(SceneRun(name="r", kind="retraining", start=0, stop=n, seed=1, jump=0.5, group="g", n_diverged=2),),
        metrics=(metric,),
        facts=(Fact(label="l", value="v", meaning="m"),),
        scores=(Score(label="s", meaning="m", better="higher", values=(0.5,), nulls=(("random walk", 0.1),)),),
        optimum=2,
        landscape="loss",
        barcode=Barcode(metric="loss", offsets=offsets, members=np.arange(n, dtype=np.int32), highest=2.0, **pairs),
        distances=DistanceTable(label="cosine distance", rows=rows, values=np.zeros((2, 2), np.float32)),
        provisional=np.zeros(n, np.int32),
    )
    surface = Surface(name="s", caption="c", x=line, y=line[:2], loss=np.zeros((n, 2)), path=path)
    return Scene(title="t", summary="s", maps=(part,), surfaces=(surface,))


def places(value, at=()):
    """Yield the way to every value of a header."""
    if at:
        yield at
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in items:
        yield from places(item, (*at, name))


def inside(value, at):
    for name in at:
        value = value[name]
    return value


def refused(fields, data):
    """Return what `decoded` says of a header: one line, or nothing where it takes it."""
    try:
        decoded(json.dumps(fields), data)
    except InputError as error:
        said = str(error)
    else:
        return None
    assert "\n" not in said
    return said


HEADER, DATA = encoded(whole())
FIELDS = json.loads(HEADER)
PLACES = list(places(FIELDS))


@pytest.mark.usefixtures("as_users_call")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(scenes())
def test_every_scene_fits_the_schema(scene):
    VALIDATOR.validate(json.loads(encoded(scene)[0]))


def test_the_schema_is_one_and_a_whole_scene_fits_it():
    Draft202012Validator.check_schema(SCHEMA)
    VALIDATOR.validate(FIELDS)
    assert refused(FIELDS, DATA) is None
    assert all(item not in ([], None) for item in (inside(FIELDS, at) for at in PLACES))


@pytest.mark.parametrize("at", [at for at in PLACES if isinstance(at[-1], str)], ids=lambda at: ".".join(map(str, at)))
def test_a_field_that_is_missing_or_misspelt_is_refused_by_name(at):
    fields = copy.deepcopy(FIELDS)
    value = inside(fields, at[:-1]).pop(at[-1])
    assert not VALIDATOR.is_valid(fields)
    said = refused(fields, DATA)
    assert at[-1] in said or at == ("format",)
    inside(fields, at[:-1])[at[-1]] = value
    inside(fields, at[:-1])[f"{at[-1]}_"] = value
    assert not VALIDATOR.is_valid(fields)
    assert f"a field '{at[-1]}_', which version 4 does not know" in refused(fields, DATA)


# Of each kind of value one.
VALUES = ["a word", "", "float64", 3, 3.0, 0.5, -8, 4, True, None, [], {}, [None], ["a word", 1], {"dtype": "float32"}]
# What a schema cannot say: that parts of a scene fit each other, and the data.
BETWEEN = r"has shape|spans rows|values for|the optimum is|ends at byte|members are|rows are|must rise"


def agree(fields, said):
    """Whether schema and Python both take a header or both refuse it; what lies between its parts is Python's alone."""
    if VALIDATOR.is_valid(fields):
        return said is None or re.search(BETWEEN, said)
    return said is not None


@pytest.mark.usefixtures("as_users_call")
@pytest.mark.parametrize("value", VALUES, ids=lambda value: repr(value)[:12])
def test_python_refuses_what_the_schema_refuses(value):
    for at in PLACES:
        fields = copy.deepcopy(FIELDS)
        inside(fields, at[:-1])[at[-1]] = value
        said = refused(fields, DATA)
        assert agree(fields, said), (at, value, said)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.usefixtures("as_users_call")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(PLACES), json_values)
def test_whatever_stands_in_a_header_is_a_scene_or_one_line(at, value):
    fields = copy.deepcopy(FIELDS)
    inside(fields, at[:-1])[at[-1]] = value
    said = refused(fields, DATA)
    assert agree(fields, said)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("", r"the header is not JSON: Expecting value: line 1 column 1 \(char 0\); write it with a JSON library"),
        ("[" * 100_000, r"the header is not JSON: "),
        (HEADER.replace("0.5", "NaN"), r"the header is not JSON: NaN is no number there"),
        (HEADER.replace("0.5", "9" * 5000), r"the header is not JSON: "),
        ("[]", r"not a scene of lossatlas"),
        (HEADER.replace('"version": 4', '"version": "3"'), r"this scene has version '3', and this lossatlas reads version 4"),
        (HEADER.replace('"version": 4', '"version": true'), r"this scene has version True"),
        (HEADER.replace("0.5", "1e400"), r"^maps\[0\]\.runs\[0\]\.jump is inf, but must be a number$"),
        (HEADER.replace("0.5", "1" + 400 * "0"), r"^maps\[0\]\.runs\[0\]\.jump is 10+\.\.\.0+, but must be a number$"),
        (HEADER.replace('"retraining"', '"retrained"'), r"^maps\[0\]\.runs\[0\]\.kind is 'retrained', but must be 'training',"),
        (HEADER.replace('"a map"', '"a\\nmap"').replace('"stop": 3', '"stop": 4'), r"run 'r' spans rows 0 to 4"),
    ],
)
def test_a_damaged_header_is_refused_in_one_line(header, message, refuses):
    with refuses(message):
        decoded(header, DATA)


def test_data_that_are_cut_short_or_pointed_past_are_refused():
    last = max(item["offset"] for item in (inside(FIELDS, at) for at in PLACES) if isinstance(item, dict) and "offset" in item)
    assert re.search(r"ends at byte \d+ of the data, but there are \d+; pass all", refused(FIELDS, DATA[:-8]))
    for offset, message in (
        (last + 8, "ends at byte"),
        (10**30, "ends at byte"),
        (4, "must be a multiple of 8"),
        (-8, "from 0 on"),
    ):
        fields = copy.deepcopy(FIELDS)
        fields["surfaces"][0]["loss"]["offset"] = offset
        assert message in refused(fields, DATA)


def enums(kind):
    return list(typing.get_args(kind))


def test_schema_and_dataclasses_have_the_same_fields_words_and_gaps():
    """Each field is in both, may be null in both, and is described by the comment that stands beside it."""
    assert list(SCHEMA["properties"]) == ["format", "version", *(field.name for field in dataclasses.fields(Scene))]
    assert (SCHEMA["properties"]["format"]["const"], SCHEMA["properties"]["version"]["const"]) == (FORMAT, VERSION)
    said = comments()
    for part in (Scene, *PARTS):
        there = SCHEMA if part is Scene else SCHEMA["$defs"][part.__name__]
        names = [field.name for field in dataclasses.fields(part)]
        assert [name for name in there["properties"] if name not in ("format", "version")] == names
        assert set(there["required"]) == set(there["properties"])
        assert there["additionalProperties"] is False
        assert there["description"].startswith(part.__doc__)
        kinds = typing.get_type_hints(part)
        for name in names:
            field = there["properties"][name]
            assert field.get("description") == said.get((part.__name__, name)), (part, name)
            assert ("null" in field.get("type", []) or {"type": "null"} in field.get("anyOf", [])) == isinstance(
                kinds[name], types.UnionType
            )
    assert SCHEMA["$defs"]["Kind"]["enum"] == enums(Kind)
    assert SCHEMA["$defs"]["Scale"]["enum"] == enums(Scale)
    assert SCHEMA["$defs"]["Score"]["properties"]["better"]["enum"] == enums(typing.get_type_hints(Score)["better"])


def comments():
    """The comment beside each field of the dataclasses."""
    lines = {
        token.start[0]: token.string
        for token in tokenize.generate_tokens(io.StringIO(SOURCE).readline)
        if token.type == tokenize.COMMENT
    }
    return {
        (part.name, item.target.id): lines[item.lineno].removeprefix("# ")
        for part in ast.parse(SOURCE).body
        if isinstance(part, ast.ClassDef)
        for item in part.body
        if isinstance(item, ast.AnnAssign) and item.lineno in lines
    }


def test_the_page_names_the_same_fields():
    """Names, what may be null, and the words that are allowed, as `viewer/src/scene.ts` declares them."""
    interfaces = {
        name: dict(re.findall(r"readonly (\w+): ([^;]+);", body))
        for name, body in re.findall(r"interface (\w+) \{(.*?)\n\}", PAGE, flags=re.DOTALL)
    }
    assert f"VERSION = {VERSION};" in PAGE
    assert f'FORMAT = "{FORMAT}"' in PAGE
    for part in (Scene, *PARTS):
        kinds = typing.get_type_hints(part)
        there = interfaces[part.__name__]
        assert set(there) == set(kinds)
        assert {name for name, kind in there.items() if kind.endswith("| null")} == {
            name for name, kind in kinds.items() if isinstance(kind, types.UnionType)
        }
    assert list(interfaces["Reference"]) == SCHEMA["$defs"]["numbers"]["required"]
    words = {name: re.findall(r'"(\w+)"', line) for name, line in re.findall(r"type (\w+) = (.*);", PAGE)}
    assert (words["Kind"], words["Scale"]) == (enums(Kind), enums(Scale))
    assert re.findall(r'"(\w+)"', interfaces["Score"]["better"]) == ["higher", "lower"]
    assert (
        re.findall(r"(\w+): \w+Array", re.search(r"KINDS = (.*);", PAGE)[1])
        == SCHEMA["$defs"]["numbers"]["properties"]["dtype"]["enum"]
    )
