"""The contract between Python and what draws: it travels without loss, and refuses what does not fit."""

import dataclasses
import json

import numpy as np
import pytest
from drawn_scenes import scenes
from hypothesis import HealthCheck, given, settings

from lossatlas import InputError
from lossatlas.draw import (
    Barcode,
    DistanceTable,
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


def same(here, there):
    """Compare what a scene holds, arrays by their numbers."""
    if isinstance(here, np.ndarray):
        np.testing.assert_array_equal(here, there)
        assert here.dtype == there.dtype
    elif dataclasses.is_dataclass(here):
        assert type(here) is type(there)
        for field in dataclasses.fields(here):
            same(getattr(here, field.name), getattr(there, field.name))
    elif isinstance(here, tuple):
        assert len(here) == len(there)
        for mine, theirs in zip(here, there, strict=True):
            same(mine, theirs)
    else:
        assert here == there


# The checks of annotations draw from Python's generator, which strategies must not.
@pytest.mark.usefixtures("as_users_call")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(scenes())
def test_a_scene_comes_back_as_it_was_sent(scene):
    same(scene, decoded(*encoded(scene)))


def plain(**changes):
    coordinates = changes.pop("coordinates", np.zeros((2, 2), np.float32))
    fields = {
        "name": "m",
        "layouts": (Layout(name="l", caption="c", coordinates=coordinates),),
        "time": np.arange(2, dtype=np.float32),
    }
    return SceneMap(**fields | changes)


def barcode(*, births=(0,), row=(0,), offsets=(0, 2), members=(0, 1), deaths=None):
    arrays = {"births": births, "deaths": births if deaths is None else deaths, "dimension": np.zeros_like(births)}
    whole = {"row": row, "offsets": offsets, "members": members}
    made = {name: np.array(values, np.int32) for name, values in (arrays | whole).items()}
    return Barcode(metric="loss", highest=1.0, **made)


def table(rows, *, k=None):
    k = len(rows) if k is None else k
    return DistanceTable(label="d", rows=np.array(rows, np.int32), values=np.zeros((k, k), np.float32))


def test_the_bytes_are_what_the_contract_says():
    metric = Metric(name="loss", label="loss", values=np.array([0.5, np.nan], np.float32))
    header, data = encoded(Scene(title="t", maps=(plain(metrics=(metric,)),)))
    fields = json.loads(header)
    assert (fields["format"], fields["version"]) == ("lossatlas-scene", 4)
    first = fields["maps"][0]
    assert first["layouts"][0]["coordinates"] == {"dtype": "float32", "shape": [2, 2], "offset": 0}
    assert first["time"] == {"dtype": "float32", "shape": [2], "offset": 16}
    assert first["metrics"][0]["values"] == {"dtype": "float32", "shape": [2], "offset": 24}
    assert data == bytes(16) + np.array([0, 1, 0.5, np.nan], "<f4").tobytes()


def test_each_array_starts_at_a_multiple_of_eight_bytes():
    odd = plain(coordinates=np.zeros((3, 2), np.float32), time=np.zeros(3, np.float32))
    fields = json.loads(encoded(Scene(title="t", maps=(odd, odd)))[0])
    offsets = [found["offset"] for part in fields["maps"] for found in (part["layouts"][0]["coordinates"], part["time"])]
    assert offsets == [0, 24, 40, 64]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"time": np.zeros(3, np.float32)}, r"map 'm': layout 'l' has shape \(2, 2\), and its points ask for \(3, 2\)"),
        (
            {"metrics": (Metric(name="loss", label="l", values=np.zeros(1, np.float32)),)},
            r"map 'm': metric 'loss' has shape \(1,\), and its points ask for \(2,\)",
        ),
        (
            {"runs": (SceneRun(name="r", kind="training", start=0, stop=3),)},
            r"run 'r' spans rows 0 to 3, but the map has 2 points",
        ),
        ({"layouts": ()}, r"map 'm' has no layout; give it one way at least"),
        ({"provisional": np.zeros(1, np.int32)}, r"map 'm': provisional has shape \(1,\), and its points ask for \(2,\)"),
        (
            {"coordinates": np.zeros((2, 3), np.float32)},
            r"map 'm': layout 'l' has shape \(2, 3\), and its points ask for \(2, 2\)",
        ),
        (
            {"scores": (Score(label="s", meaning="", better="higher", values=()),)},
            r"score 's' has 0 values for 1 layouts",
        ),
        ({"optimum": 2}, r"the optimum is row 2, but the map has 2 points"),
        ({"time": np.zeros((2, 2), np.float32)}, r"map 'm': time has shape \(2, 2\), and its points ask for \(4,\)"),
        ({"provisional": np.zeros(2, np.float32)}, r"map 'm': provisional must be whole numbers, but its type is float32"),
        ({"barcode": lambda: barcode(row=[2])}, r"map 'm': the barcode's row are 2 to 2, but the map has 2 points"),
        ({"barcode": lambda: barcode(members=[0, -1])}, r"map 'm': the barcode's members are -1 to 0, but the map has 2 points"),
        ({"barcode": lambda: barcode(offsets=[0, 1])}, r"barcode of 'loss': offsets must rise from 0 to 2"),
        ({"barcode": lambda: barcode(offsets=[0, 3, 2], births=[0, 0], row=[0, 0])}, r"barcode of 'loss': offsets must rise"),
        (
            {"barcode": lambda: barcode(offsets=[0])},
            r"barcode of 'loss': offsets has shape \(1,\), and its points ask for \(2,\)",
        ),
        ({"barcode": lambda: barcode(deaths=[0, 0])}, r"barcode of 'loss': deaths has shape \(2,\)"),
        ({"distances": lambda: table([0, 2])}, r"map 'm': the distances' rows are 0 to 2, but the map has 2 points"),
        ({"distances": lambda: table([0], k=2)}, r"distances 'd': values has shape \(2, 2\), and its points ask for \(1, 1\)"),
    ],
)
def test_what_does_not_belong_to_the_points_is_refused(changes, message):
    with pytest.raises(InputError, match=message):
        plain(**{name: change() if callable(change) else change for name, change in changes.items()})


def test_a_run_on_a_surface_and_the_surface_hold_together():
    five = dict.fromkeys(("steps", "off_plane", "true_loss", "drawn_loss"), np.zeros(5, np.float32))
    with pytest.raises(
        InputError, match=r"run 'r' on a surface: coordinates has shape \(4, 2\), and its points ask for \(5, 2\)"
    ):
        SurfacePath(name="r", coordinates=np.zeros((4, 2), np.float32), **five)
    with pytest.raises(InputError, match=r"surface 's': loss has shape \(2, 3\), and its points ask for \(3, 2\)"):
        Surface(name="s", caption="", x=np.zeros(3), y=np.zeros(2), loss=np.zeros((2, 3)))


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ('{"format": "something"}', r"not a scene of lossatlas; make one with"),
        ('{"format": "lossatlas-scene", "version": 5}', r"version 5, and this lossatlas reads version 4; update lossatlas"),
        ('{"format": "lossatlas-scene", "version": 1}', r"version 1, and this lossatlas reads version 4; write the page again"),
    ],
)
def test_another_format_or_version_is_refused(header, message):
    with pytest.raises(InputError, match=message):
        decoded(header, b"")
