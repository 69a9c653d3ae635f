"""Valleys and distances of a scene: the atlas' own, and as many as a page should hold."""

import numpy as np
import pytest
from atlases import walks
from hypothesis import given
from hypothesis import strategies as st

from lossatlas._atlas import Trace
from lossatlas.draw import encoded, scene
from lossatlas.draw.tables import barcode, distance_table, spread


def traces(*lengths):
    stops = np.cumsum(lengths).tolist()
    return tuple(Trace(name="r", kind="training", start=stop - n, stop=stop) for n, stop in zip(lengths, stops, strict=True))


def test_the_barcode_is_the_atlas_valleys():
    made = walks()
    found = barcode(made)
    assert (found.metric, found.highest) == ("loss", made.metrics["loss"].max())
    for name in ("births", "deaths", "dimension", "row", "offsets", "members"):
        np.testing.assert_allclose(getattr(found, name), getattr(made.valleys, name), rtol=1e-6)
    assert found.births.dtype == np.float32
    assert found.members.dtype == np.int32
    assert set(found.dimension) == {0, 1}


@pytest.mark.parametrize(("metric", "label"), [("cosine", "cosine distance"), ("euclidean", "Euclidean distance")])
def test_distances_are_in_the_metrics_own_unit(metric, label):
    made = walks((200, 150), metric=metric, nulls=False)
    found = distance_table(made)
    assert found.label == label
    assert len(found.rows) == 256
    np.testing.assert_allclose(found.values, made.distances[np.ix_(found.rows, found.rows)], rtol=1e-6)
    assert {0, 199, 200, 349} <= set(found.rows.tolist())


@given(st.lists(st.integers(0, 60), min_size=1, max_size=12), st.integers(1, 80))
def test_rows_are_spread_evenly_with_the_ends_of_runs_where_there_is_room(lengths, most):
    n = sum(lengths)
    rows = spread(traces(*lengths), n, most=most)
    assert len(rows) == min(n, most)
    assert (np.diff(rows) > 0).all()
    assert rows.size == 0 or 0 <= rows[0] <= rows[-1] < n
    ends = {row for trace in traces(*lengths) if trace.stop > trace.start for row in (trace.start, trace.stop - 1)}
    if len(ends) <= most:
        assert ends <= set(rows.tolist())
        inner = np.setdiff1d(rows, sorted(ends))
        others = np.setdiff1d(np.arange(n), sorted(ends))
        # Of what is left every so many-th, from the first part to the last.
        places = np.searchsorted(others, inner)
        if len(places):
            apart = len(others) / len(places)
            assert np.abs(np.diff(places) - apart).max(initial=0) < 1
            assert places[0] <= apart
            assert places[-1] >= len(others) - 1 - apart
    else:
        assert set(rows.tolist()) <= ends


def test_a_scene_of_many_points_is_small_and_quickly_made():
    made = walks((400, 350, 350), nulls=False)
    header, data = encoded(scene({"m": made}, title="t"))
    assert len(header) + len(data) < 600_000
    assert len(made.valleys.births) <= 200
