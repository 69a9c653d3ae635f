"""Scenes that hypothesis draws: every field, empty arrays, NaN, names of any signs."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from lossatlas.draw import Barcode, DistanceTable, Fact, Layout, Metric, Scene, SceneMap, SceneRun, Score, Surface, SurfacePath

numbers = st.floats(width=32)
words = st.text(max_size=12)


def of_shape(*shape):
    return arrays.arrays(np.float32, shape, elements=numbers)


def rows(*shape, n=10):
    """Rows of a map of n points; none where it has none."""
    return arrays.arrays(np.int32, shape if n else (0,), elements=st.integers(0, max(n - 1, 0)))


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
    n = draw(st.integers(0, 6))
    m, k = (draw(st.integers(0, most)) if n else 0 for most in (3, 2))
    inner = sorted(draw(st.lists(st.integers(0, k), min_size=m - 1, max_size=m - 1))) if m else []
    run = st.builds(
        SceneRun,
        name=words,
        kind=st.sampled_from(["training", "retraining", "sample", "slice", "path"]),
        start=st.just(0),
        stop=st.integers(0, n),
        seed=st.none() | st.integers(0, 9),
        jump=st.none() | st.floats(0, 2),
        group=st.none() | st.text(min_size=1, max_size=12),
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
        row=rows(m, n=n),
        offsets=st.just(np.array([0, *inner, *([k] if m else [])], np.int32)),
        members=rows(k if m else 0, n=n),
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
        distances=draw(st.none() | st.builds(DistanceTable, label=words, rows=rows(k, n=n), values=of_shape(k, k))),
        provisional=draw(st.none() | rows(n)),
    )


def scenes():
    return st.builds(
        Scene,
        title=words,
        summary=words,
        maps=st.lists(scene_maps(), max_size=3).map(tuple),
        surfaces=st.lists(surfaces(), max_size=2).map(tuple),
    )
