"""The widget as Python sees it: what may be selected, what a page may send, who is told."""

import json

import numpy as np
import pytest

pytest.importorskip("anywidget")

from hypothesis import given
from hypothesis import strategies as st

from lossatlas import InputError
from lossatlas.draw import Layout, Scene, SceneMap, decoded, encoded
from lossatlas.draw.widget import AtlasWidget, checked_rows

N = 21


def scene(n_maps=1):
    layout = Layout(name="PHATE", caption="", coordinates=np.random.default_rng(0).normal(size=(N, 2)))
    return Scene(title="t", maps=n_maps * (SceneMap(name="m", layouts=(layout,), time=np.arange(N, dtype=np.float32)),))


@pytest.fixture
def widget():
    return AtlasWidget(scene())


def test_the_page_gets_the_scene_and_nothing_is_selected(widget):
    state = widget.get_state()
    assert encoded(decoded(state["_header"], bytes(state["_data"]))) == encoded(scene())
    assert (state["selection"], state["_height"], widget.n_points) == ((), 720, N)
    assert state["_esm"].startswith("/* lossatlas viewer, sources sha256:")


@pytest.mark.parametrize(
    "rows",
    [[3, 1, 3], (1, 3), range(1, 4, 2), np.array([3, 1], np.uint8), np.isin(np.arange(N), [1, 3])],
    ids=["list", "tuple", "range", "array", "mask"],
)
def test_rows_are_selected_in_any_form(widget, rows):
    seen = []
    widget.observe(lambda change: seen.append((change.old, change.new)), "selection")
    widget.selection = rows
    widget.selection = [3, 1]  # is so already
    assert (widget.selection, seen) == ((1, 3), [((), (1, 3))])
    assert all(type(row) is int for row in widget.selection)
    json.dumps(widget.get_state("selection"))
    widget.selection = []
    assert widget.selection == ()


@pytest.mark.usefixtures("as_users_call")
@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([0, N], rf"the selection holds row {N}, but the map has rows 0 to {N - 1}; leave it out"),
        ([-1, 2], r"the selection holds row -1, but the map has rows 0"),
        ([0.5], r"a selection is a list of whole numbers, .* but is of type float64 and shape \(1,\)"),
        (["a"], r"but is of type <U1"),
        (3, r"but is of type int\d+ and shape \(\); pass \[\] for none"),
        (None, r"but is of type object"),
        ([True, False], r"but is of type bool and shape \(2,\)"),
        ([[1, 2]], r"shape \(1, 2\)"),
        ([[1], [1, 2]], r"nested unevenly"),
        ([10**30], r"but is of type object"),
        ([[]], r"shape \(1, 0\)"),
    ],
    ids=str,
)
def test_what_is_no_row_is_refused_and_the_selection_stays(widget, refuses, rows, message):
    widget.selection = [2]
    with refuses(message):
        widget.selection = rows
    assert widget.selection == (2,)
    with refuses(message):
        AtlasWidget(scene(), selection=rows)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ([4, 2], (2, 4)),
        ([2, N, -1, 10**30], (2,)),
        ([True, 1.0, "1", None, [1], {}, 5], (5,)),
        (None, ()),
        ("123", ()),
        (7, ()),
        ({"rows": [1]}, ()),
    ],
    ids=str,
)
def test_of_what_a_page_sends_the_rows_of_this_map_are_kept(widget, sent, kept):
    widget.selection = [0]
    seen = []
    widget.observe(lambda change: seen.append(change.new), "selection")
    widget.set_state({"selection": sent})
    assert (widget.selection, seen) == (kept, [kept])


@given(st.integers(1, 30).flatmap(lambda n: st.tuples(st.just(n), st.lists(st.booleans(), min_size=n, max_size=n))))
def test_a_mask_and_its_rows_are_the_same_selection(drawn):
    n, mask = drawn
    rows = [row for row in range(n) if mask[row]]
    assert checked_rows(np.array(mask), n) == checked_rows(rows[::-1] + rows, n) == tuple(rows)


def test_a_widget_is_of_one_map_and_has_a_height():
    with pytest.raises(InputError, match=r"a widget shows one map, but the scene has 2; make a widget of each"):
        AtlasWidget(scene(n_maps=2))
    with pytest.raises(InputError, match=r"height must be 200 pixels or more, but is 10"):
        AtlasWidget(scene(), height=10)
