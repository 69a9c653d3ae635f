"""The contract between Python and what draws: it travels without loss, and refuses what does not fit."""

import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from lossatlas import InputError
from lossatlas.draw import Fact, Metric, Scene, SceneMap, SceneRun, decoded, encoded

numbers = st.floats(width=32)
words = st.text(max_size=12)


@st.composite
def scene_maps(draw):
    n = draw(st.integers(0, 6))
    run = st.builds(
        SceneRun,
        name=words,
        kind=st.sampled_from(["training", "retraining", "sample", "slice", "path"]),
        start=st.just(0),
        stop=st.integers(0, n),
        seed=st.none() | st.integers(0, 9),
        jump=st.none() | st.floats(0, 2),
        n_diverged=st.integers(0, 9),
    )
    metric = st.builds(
        Metric,
        name=words,
        label=words,
        values=arrays.arrays(np.float32, n, elements=numbers),
        scale=st.sampled_from(["linear", "log"]),
    )
    return SceneMap(
        name=draw(words),
        caption=draw(words),
        coordinates=draw(arrays.arrays(np.float32, (n, draw(st.integers(2, 3))), elements=numbers)),
        time=draw(arrays.arrays(np.float32, n, elements=numbers)),
        runs=tuple(draw(st.lists(run, max_size=3))),
        metrics=tuple(draw(st.lists(metric, max_size=3))),
        facts=tuple(draw(st.lists(st.builds(Fact, label=words, value=words, meaning=words), max_size=2))),
        optimum=draw(st.none() | st.integers(0, n - 1)) if n else None,
        landscape=draw(st.none() | words),
    )


# The checks of annotations draw from Python's generator, which strategies must not.
@pytest.mark.usefixtures("as_users_call")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.builds(Scene, title=words, summary=words, maps=st.lists(scene_maps(), max_size=3).map(tuple)))
def test_a_scene_comes_back_as_it_was_sent(scene):
    back = decoded(*encoded(scene))
    assert (back.title, back.summary, len(back.maps)) == (scene.title, scene.summary, len(scene.maps))
    for here, there in zip(scene.maps, back.maps, strict=True):
        np.testing.assert_array_equal(here.coordinates, there.coordinates)
        np.testing.assert_array_equal(here.time, there.time)
        for mine, theirs in zip(here.metrics, there.metrics, strict=True):
            np.testing.assert_array_equal(mine.values, theirs.values)
            assert (mine.name, mine.label, mine.scale) == (theirs.name, theirs.label, theirs.scale)
        for field in ("name", "caption", "runs", "facts", "optimum", "time_label", "landscape"):
            assert getattr(here, field) == getattr(there, field)


def plain(**changes):
    fields = {"name": "m", "caption": "c", "coordinates": np.zeros((2, 2), np.float32), "time": np.arange(2, dtype=np.float32)}
    return SceneMap(**fields | changes)


def test_the_bytes_are_what_the_contract_says():
    metric = Metric(name="loss", label="loss", values=np.array([0.5, np.nan], np.float32))
    header, data = encoded(Scene(title="t", maps=(plain(metrics=(metric,)),)))
    fields = json.loads(header)
    assert (fields["format"], fields["version"]) == ("lossatlas-scene", 2)
    first = fields["maps"][0]
    assert first["coordinates"] == {"dtype": "float32", "shape": [2, 2], "offset": 0}
    assert first["time"] == {"dtype": "float32", "shape": [2], "offset": 16}
    assert first["metrics"][0]["values"] == {"dtype": "float32", "shape": [2], "offset": 24}
    assert data == bytes(16) + np.array([0, 1, 0.5, np.nan], "<f4").tobytes()


def test_each_array_starts_at_a_multiple_of_eight_bytes():
    odd = plain(coordinates=np.zeros((3, 3), np.float32), time=np.zeros(3, np.float32))
    fields = json.loads(encoded(Scene(title="t", maps=(odd, odd)))[0])
    offsets = [part[name]["offset"] for part in fields["maps"] for name in ("coordinates", "time")]
    assert offsets == [0, 40, 56, 96]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"time": np.zeros(3, np.float32)}, r"map 'm' has 2 points but time has shape \(3,\)"),
        (
            {"metrics": (Metric(name="loss", label="l", values=np.zeros(1, np.float32)),)},
            r"map 'm' has 2 points but loss has shape \(1,\)",
        ),
        (
            {"runs": (SceneRun(name="r", kind="training", start=0, stop=3),)},
            r"run 'r' spans rows 0 to 3, but the map has 2 points",
        ),
        ({"optimum": 2}, r"the optimum is row 2, but the map has 2 points"),
    ],
)
def test_what_does_not_belong_to_the_points_is_refused(changes, message):
    with pytest.raises(InputError, match=message):
        plain(**changes)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ('{"format": "something"}', r"not a scene of lossatlas; make one with"),
        ('{"format": "lossatlas-scene", "version": 3}', r"version 3, and this lossatlas reads version 2; update lossatlas"),
        ('{"format": "lossatlas-scene", "version": 1}', r"version 1, and this lossatlas reads version 2; write the page again"),
    ],
)
def test_another_format_or_version_is_refused(header, message):
    with pytest.raises(InputError, match=message):
        decoded(header, b"")
