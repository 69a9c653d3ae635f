"""A map with rows that came and rows that went."""

import numpy as np

from lossatlas.draw import Barcode, DistanceTable, Layout, Metric, SceneMap, SceneRun
from lossatlas.serve.growing import Rows, grown


def values(n):
    return np.arange(n, dtype=np.float32)


def five(**fields):
    """A map of five points in two runs."""
    plane = np.stack([values(5), 10 + values(5)], axis=1)
    derived = Metric(name="distance_from_optimum", label="d", values=values(5))
    return SceneMap(
        name="m",
        layouts=(
            Layout(name="PHATE", caption="", coordinates=plane, coordinates_3d=np.ones((5, 3), np.float32), metrics=(derived,)),
            Layout(name="PCA", caption="", coordinates=-plane),
        ),
        time=values(5),
        runs=(SceneRun(name="a", kind="training", start=0, stop=3), SceneRun(name="b", kind="training", start=3, stop=5)),
        metrics=(Metric(name="loss", label="loss", values=values(5)), derived),
        **fields,
    )


def rows(old):
    n = len(old)
    return Rows(
        old=np.array(old),
        places=np.where(np.array(old)[:, None] < 0, [[7.0, 8.0]], np.nan),
        time=100.0 + np.arange(n),
        runs=(SceneRun(name="a", kind="training", start=0, stop=n),),
        recorded={"loss": 200.0 + np.arange(n)},
    )


def test_new_points_have_a_place_and_a_mark_and_others_stay():
    made = grown(five(optimum=3), rows([0, 1, 2, -1, 3, 4, -1]))
    assert made.layouts[0].coordinates.tolist() == [[0, 10], [1, 11], [2, 12], [7, 8], [3, 13], [4, 14], [7, 8]]
    assert made.provisional.tolist() == [0, 0, 0, 1, 0, 0, 1]
    assert made.optimum == 4
    assert made.time.tolist() == [100, 101, 102, 103, 104, 105, 106]
    assert made.metrics[0].values.tolist() == [200, 201, 202, 203, 204, 205, 206]
    first, second = made.layouts
    for array in (second.coordinates, first.coordinates_3d, made.metrics[1].values, first.metrics[0].values):
        assert np.isnan(array[[3, 6]]).all()
        assert np.isfinite(array[[0, 1, 2, 4, 5]]).all()
    assert made.metrics[1].values[4:6].tolist() == [3, 4]


def test_points_that_are_gone_take_what_rests_on_them_along():
    barcode = Barcode(
        metric="loss",
        births=values(1),
        deaths=values(1),
        dimension=np.zeros(1, np.int32),
        row=np.array([2], np.int32),
        offsets=np.array([0, 2], np.int32),
        members=np.array([2, 4], np.int32),
        highest=1.0,
    )
    table = DistanceTable(label="d", rows=np.array([0, 2, 4], np.int32), values=np.arange(9, dtype=np.float32).reshape(3, 3))
    map_ = five(optimum=1, barcode=barcode, distances=table)
    more = grown(map_, rows([0, 1, -1, 2, 3, 4]))
    assert (more.barcode.row.tolist(), more.barcode.members.tolist()) == ([3], [3, 5])
    assert (more.distances.rows.tolist(), more.distances.values.shape) == ([0, 3, 5], (3, 3))
    fewer = grown(map_, rows([0, 2, 3]))
    assert fewer.optimum is None
    assert fewer.barcode is None  # a member is gone
    assert fewer.distances.rows.tolist() == [0, 1]
    assert fewer.distances.values.tolist() == [[0, 1], [3, 4]]
    assert fewer.layouts[0].coordinates.tolist() == [[0, 10], [2, 12], [3, 13]]
