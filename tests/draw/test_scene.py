"""The contract between Python and what draws: it travels without loss, and refuses what does not fit."""

import dataclasses
import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

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

numbers = st.floats(width=32)
words = st.text(max_size=12)


def of_shape(*shape):
    return arrays.arrays(np.float32, shape, elements=numbers)


def rows(*shape):
    return arrays.arrays(np.int32, shape, elements=st.integers(0, 9))


def scores(n):
    share = st.none() | st.floats(0, 1)
    return st.builds(
        Score,
        label=words,
        meaning=words,
        better=st.sampled_from(["higher", "lower"]),
        values=st.tuples(*[share] * n),
        nulls=st.lists(st.tuples(words, share), max_size=2).map(tuple),
    )


@st.composite
def surfaces(draw):
    a, b, m = (draw(st.integers(0, 3)) for _ in range(3))
    path = st.builds(
        SurfacePath,
        name=words,
        steps=of_shape(m),
        coordinates=of_shape(m, 2),
        off_plane=of_shape(m),
        true_loss=of_shape(m),
        drawn_loss=of_shape(m),
    )
    return Surface(
        name=draw(words),
        caption=draw(words),
        x=draw(of_shape(a)),
        y=draw(of_shape(b)),
        loss=draw(of_shape(a, b)),
        path=draw(st.none() | path),
    )


@st.composite
def scene_maps(draw):
    n, m, k = draw(st.integers(0, 6)), draw(st.integers(0, 3)), draw(st.integers(0, 2))
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
    metric = st.builds(Metric, name=words, label=words, values=of_shape(n), scale=st.sampled_from(["linear", "log"]))
    metrics = st.lists(metric, max_size=3).map(tuple)
    layout = st.builds(
        Layout, name=words, caption=words, coordinates=of_shape(n, 2), coordinates_3d=st.none() | of_shape(n, 3), metrics=metrics
    )
    barcode = st.builds(
        Barcode,
        metric=words,
        births=of_shape(m),
        deaths=of_shape(m),
        dimension=rows(m),
        row=rows(m),
        offsets=rows(m + 1),
        members=rows(k),
        highest=numbers.filter(np.isfinite),
    )
    layouts = tuple(draw(st.lists(layout, min_size=1, max_size=2)))
    return SceneMap(
        name=draw(words),
        layouts=layouts,
        time=draw(of_shape(n)),
        runs=tuple(draw(st.lists(run, max_size=3))),
        metrics=draw(metrics),
        facts=tuple(draw(st.lists(st.builds(Fact, label=words, value=words, meaning=words), max_size=2))),
        scores=tuple(draw(st.lists(scores(len(layouts)), max_size=2))),
        optimum=draw(st.none() | st.integers(0, n - 1)) if n else None,
        landscape=draw(st.none() | words),
        barcode=draw(st.none() | barcode),
        distances=draw(st.none() | st.builds(DistanceTable, label=words, rows=rows(k), values=of_shape(k, k))),
        provisional=draw(st.none() | rows(n)),
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
@given(
    st.builds(
        Scene,
        title=words,
        summary=words,
        maps=st.lists(scene_maps(), max_size=3).map(tuple),
        surfaces=st.lists(surfaces(), max_size=2).map(tuple),
    )
)
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


def test_the_bytes_are_what_the_contract_says():
    metric = Metric(name="loss", label="loss", values=np.array([0.5, np.nan], np.float32))
    header, data = encoded(Scene(title="t", maps=(plain(metrics=(metric,)),)))
    fields = json.loads(header)
    assert (fields["format"], fields["version"]) == ("lossatlas-scene", 3)
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
            r"map 'm': loss has shape \(1,\), and its points ask for \(2,\)",
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
    ],
)
def test_what_does_not_belong_to_the_points_is_refused(changes, message):
    with pytest.raises(InputError, match=message):
        plain(**changes)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ('{"format": "something"}', r"not a scene of lossatlas; make one with"),
        ('{"format": "lossatlas-scene", "version": 4}', r"version 4, and this lossatlas reads version 3; update lossatlas"),
        ('{"format": "lossatlas-scene", "version": 1}', r"version 1, and this lossatlas reads version 3; write the page again"),
    ],
)
def test_another_format_or_version_is_refused(header, message):
    with pytest.raises(InputError, match=message):
        decoded(header, b"")
