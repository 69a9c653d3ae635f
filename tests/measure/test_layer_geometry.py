"""By layer: each as if the others were not there, together the whole."""

import dataclasses

import numpy as np
import pytest
from layered_runs import SHAPES, SIZES, recorded

from lossatlas.distance import pairwise
from lossatlas.measure import layer_geometry, trajectory_geometry

STILL = "blocks.0.norm.weight"


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """Two runs, the second with its tensors in another order on disk, and their points in the order of the first."""
    folder = tmp_path_factory.mktemp("layers")
    first, points = recorded(folder / "first", 9)
    second, others = recorded(folder / "second", 6, seed=1, order=sorted(SHAPES, reverse=True))
    return [first, second], np.vstack([points, others]).astype(float)


def assert_is(found, expected):
    """Compare all numbers; those from a table of distances have its rounding, angles of 0 and 180 most."""
    for field in dataclasses.fields(found):
        mine, theirs = getattr(found, field.name), getattr(expected, field.name)
        if field.name == "runs":
            assert mine == theirs
        else:
            np.testing.assert_allclose(mine, theirs, rtol=1e-9, atol=1e-4 if "angle" in field.name else 0, err_msg=field.name)


RUNS, STEPS = [(0, 9), (9, 15)], np.concatenate([np.arange(9.0), np.arange(6.0)])


def test_each_tensor_is_measured_as_if_it_were_alone(two):
    runs, points = two
    found = layer_geometry(runs)
    assert list(found.layers) == list(SHAPES)
    assert found.n_parameters == SIZES
    first = 0
    for name, size in SIZES.items():
        part = points[:, first : first + size]
        first += size
        if name != STILL:  # a table of points that all coincide is no table
            assert_is(found.layers[name], trajectory_geometry(pairwise(part), RUNS, steps=STEPS))
    assert_is(found.whole, trajectory_geometry(pairwise(points), RUNS, steps=STEPS))


def test_squared_distances_of_layers_add_up_to_those_of_the_whole(two):
    runs, points = two
    found, between = layer_geometry(runs), pairwise(points)
    whole = trajectory_geometry(between, RUNS)
    for name in ("step_lengths", "distance_from_start", "distance_from_end", "displacement"):
        added = sum(np.nan_to_num(getattr(layer, name)) ** 2 for layer in found.layers.values())
        # Independent of the sum inside: distances of all pairs, about a centroid, good to some eps of the squares.
        np.testing.assert_allclose(added, np.nan_to_num(getattr(whole, name)) ** 2, rtol=1e-12, err_msg=name)
    np.testing.assert_allclose(sum(found.shares.values()), [1, 1], rtol=1e-12)


@pytest.mark.parametrize(
    ("depth", "names"),
    [
        (1, ["embed", "blocks", "head"]),
        (2, ["embed.weight", "blocks.0", "blocks.1", "head"]),
        (9, list(SHAPES)),
    ],
)
def test_layers_are_named_by_the_first_parts_of_their_tensors(two, depth, names):
    runs, _ = two
    found, tensors = layer_geometry(runs, depth=depth), layer_geometry(runs)
    assert list(found.layers) == names
    assert found.depth == depth
    for name, layer in found.layers.items():
        inside = [tensor for tensor in SHAPES if tensor == name or tensor.startswith(name + ".")]
        assert found.n_parameters[name] == sum(SIZES[tensor] for tensor in inside)
        squares = sum(np.square(tensors.layers[tensor].step_lengths) for tensor in inside)
        np.testing.assert_allclose(layer.step_lengths, np.sqrt(squares), rtol=1e-13)


def test_a_layer_that_stands_still_has_no_share_and_no_straightness(two):
    runs, _ = two
    found = layer_geometry(runs)
    np.testing.assert_array_equal(found.shares[STILL], [0, 0])
    still = found.layers[STILL]
    np.testing.assert_array_equal(still.length, [0, 0])
    assert np.isnan(still.straightness).all()
    assert np.isnan(still.turning).all()


def test_in_small_blocks_and_of_some_points_it_is_the_same(two):
    runs, points = two
    assert_is(layer_geometry(runs, megabytes=1e-3).whole, layer_geometry(runs).whole)
    kept = [(0, 2, 3, 8), (1, 2)]
    rows = [0, 2, 3, 8, 10, 11]
    expected = trajectory_geometry(pairwise(points[rows]), [(0, 4), (4, 6)], steps=STEPS[rows])
    assert_is(layer_geometry(runs, kept=kept).whole, expected)


def test_a_straight_line_in_float64_keeps_its_angles_to_the_last_digits(tmp_path):
    """Where a table of all distances leaves 1e-5 degrees: sums of differences do not cancel."""
    from lossatlas.store import RawTensor, RunWriter, TensorEntry, open_run

    rng = np.random.default_rng(0)
    ahead, start = rng.integers(-9, 10, size=400).astype(float), rng.integers(-9, 10, size=400).astype(float)
    with RunWriter(tmp_path / "line", (TensorEntry("w", (400,), "F64", "parameter"),)) as writer:
        for step in range(12):
            writer.append({"w": RawTensor("F64", (400,), (start + step * ahead).tobytes())}, step=step, metrics={})
        writer.end("complete")
    found = layer_geometry(open_run(tmp_path / "line")).whole
    assert np.nanmax(found.turning) < 3e-6  # 4 sqrt(eps) radians


def test_what_has_no_layers_is_refused(two, tmp_path, refuses):
    runs, _ = two
    with refuses(r"depth must be 1 or more parts of a name, but is 0; leave it out"):
        layer_geometry(runs, depth=0)
    run, _ = recorded(tmp_path / "one", 1)
    with refuses(r"at least 2 points, but there is only 1 in 'one'"):
        layer_geometry(run)
    lost, _ = recorded(tmp_path / "lost", 4, lost_at=2)
    with refuses(r"run 'lost', point 2 \(step 2\) has 1 value that is NaN or infinite"):
        layer_geometry(lost)
