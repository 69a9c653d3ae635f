"""The alpha-decay kernel and its options."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_phate import euclidean_naive, kernel_naive, kernel_with_options_naive, operator_naive

from lossatlas import InputError, phate
from lossatlas.distance import pairwise
from lossatlas.embed.kernel import alpha_decay_affinities as sparse_affinities
from lossatlas.embed.kernel import neighbourhood, reach


def distances(n, *, seed=0, axes=3):
    return euclidean_naive(np.random.default_rng(seed).normal(size=(n, axes)))


def alpha_decay_affinities(given_distances, **choices):
    return sparse_affinities(given_distances, **choices).toarray()


def line(*places):
    return np.abs(np.subtract.outer(np.array(places, dtype=float), np.array(places, dtype=float)))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), knn=st.integers(1, 11), decay=st.sampled_from([None, 1.0, 2.0, 10.0, 40.0]))
def test_affinities_equal_the_formula_written_in_loops(seed, knn, decay):
    given_distances = distances(12, seed=seed)
    found = alpha_decay_affinities(given_distances, knn=knn, decay=decay)
    # (d / eps)^40 multiplies a rounding of the ratio by 40, and exp(-x) by x, which is below ln 1e4 = 9.
    np.testing.assert_allclose(found, kernel_naive(given_distances, knn, decay), rtol=1e-12, atol=0)


def test_affinities_by_hand():
    # Bandwidths with knn 2 are 2, 1, 2, 7; with decay 2 the affinity over a distance d from a point is exp(-(d / eps)²).
    places = line(0, 1, 2, 8)
    found = alpha_decay_affinities(places, knn=2, decay=2.0)
    a, b, c, d = 2, 1, 2, 7
    by_hand = [
        [
            1,
            (math.exp(-((1 / a) ** 2)) + math.exp(-((1 / b) ** 2))) / 2,
            (math.exp(-((2 / a) ** 2)) + math.exp(-((2 / c) ** 2))) / 2,
        ],
        [0, 1, (math.exp(-((1 / b) ** 2)) + math.exp(-((1 / c) ** 2))) / 2],
    ]
    np.testing.assert_allclose(found[0, :3], by_hand[0], rtol=1e-14)  # one rounding of exp
    np.testing.assert_allclose(found[1, 2], by_hand[1][2], rtol=1e-14)
    # From 0 to 8 is four bandwidths of the first, exp(-16) = 1.1e-7: cut. From the far end it is 8/7: kept, and halved.
    np.testing.assert_allclose(found[0, 3], math.exp(-((8 / d) ** 2)) / 2, rtol=1e-14)


def test_small_affinities_are_cut_before_the_matrix_is_made_symmetric():
    # One side 1.5e-4 is kept though its half is below the threshold; one side 0.9e-4 is cut though both would add up.
    bandwidth = 1.0
    kept, cut = (-math.log(value) for value in (1.5e-4, 0.9e-4))  # with decay 1 the distance is -ln of the affinity
    for far, expected in ((kept, 1.5e-4 / 2 + math.exp(-1) / 2), (cut, math.exp(-1) / 2)):
        # Points 0, 1 are a bandwidth apart; 2 has 0 for its nearest, at `far`.
        places = np.array([[0, bandwidth, far], [bandwidth, 0, far + 0.5], [far, far + 0.5, 0]])
        found = alpha_decay_affinities(places, knn=1, decay=1.0)
        np.testing.assert_allclose(found[0, 2], expected, rtol=1e-12)


def test_the_bandwidth_does_not_count_the_point_itself():
    # The one neighbour of the first point is at its bandwidth: exp(-1) by the definition of the bandwidth.
    found = alpha_decay_affinities(line(0, 1, 3), knn=1, decay=40.0)
    np.testing.assert_allclose(found[0, 1], math.exp(-1), rtol=1e-14)


def test_every_point_is_its_own_neighbour_by_one():
    np.testing.assert_array_equal(np.diagonal(alpha_decay_affinities(distances(9), knn=3)), 1)


def test_affinities_are_symmetric_and_from_zero_to_one():
    found = alpha_decay_affinities(distances(40), knn=5)
    np.testing.assert_array_equal(found, found.T)
    assert found.min() >= 0
    assert found.max() <= 1
    assert found[found > 0].min() >= 1e-4 / 2  # one side at the threshold, the other cut


def test_without_decay_the_neighbours_count_alike():
    # Nearest of 0 and 1 are each other, of 3 is 1, of 9 is 3: an edge seen from one side counts a half.
    found = alpha_decay_affinities(line(0, 1, 3, 9), knn=1, decay=None)
    np.testing.assert_array_equal(found, [[1, 1, 0, 0], [1, 1, 0.5, 0], [0, 0.5, 1, 0.5], [0, 0, 0.5, 1]])


@pytest.mark.parametrize("decay", [None, 40.0])
def test_copies_of_a_point_are_as_near_as_can_be(decay):
    # Three copies at 0 with knn 2 have a bandwidth of 0: near to each other, and to nothing else from their side.
    found = alpha_decay_affinities(line(0, 0, 0, 1, 2), knn=2, decay=decay)
    assert np.isfinite(found).all()
    np.testing.assert_array_equal(found[:3, :3], 1)
    # From the other side: 1 has the bandwidth 1, 2 the bandwidth 2.
    edge = 1.0 if decay is None else math.exp(-1)
    np.testing.assert_allclose(found[0, 3], edge / 2, rtol=1e-14)
    np.testing.assert_allclose(found, kernel_naive(line(0, 0, 0, 1, 2), 2, decay), rtol=1e-12)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), factor=st.floats(1e-100, 1e100))
def test_the_unit_of_distances_does_not_matter(seed, factor):
    given_distances = distances(15, seed=seed)
    found = alpha_decay_affinities(given_distances * factor, knn=4)
    # A rounding of each distance, times 40 from the exponent and times 9 from exp.
    np.testing.assert_allclose(found, alpha_decay_affinities(given_distances, knn=4), rtol=1e-12)


@pytest.mark.parametrize(("knn", "needed"), [(4, 5), (5, 6), (0, 2), (-1, 2)])
def test_more_neighbours_than_points_are_refused(knn, needed):
    with pytest.raises(
        InputError, match=rf"knn={knn} needs at least {needed} points, but there are 4; record more or pass another"
    ):
        alpha_decay_affinities(distances(4), knn=knn)


def test_all_others_can_be_neighbours():
    assert (alpha_decay_affinities(distances(4), knn=3) > 0).all()


@pytest.mark.parametrize("decay", [0.0, -1.0, float("nan")])
def test_a_decay_that_does_not_fall_is_refused(decay):
    with pytest.raises(InputError, match=rf"decay must be above 0, but is {decay}; 40 is the usual value"):
        alpha_decay_affinities(distances(4), knn=1, decay=decay)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    decay=st.sampled_from([None, 1.0, 10.0, 40.0]),
    knn_max=st.sampled_from([None, 3, 4, 11]),
    bandwidth=st.sampled_from([None, 1.5, np.linspace(0.5, 3.0, 12)]),
    scale=st.sampled_from([0.5, 1.0, 2.0]),
    how=st.sampled_from(["+", "*", "mnn"]),
    theta=st.sampled_from([0.0, 0.3, 1.0]),
    anisotropy=st.sampled_from([0.0, 0.5, 1.0]),
)
def test_options_equal_the_formulas_written_in_loops(  # noqa: PLR0917 - the kernel's own choices
    seed, decay, knn_max, bandwidth, scale, how, theta, anisotropy
):
    places = distances(12, seed=seed)
    found = alpha_decay_affinities(
        places,
        knn=3,
        decay=decay,
        knn_max=knn_max,
        bandwidth=bandwidth,
        bandwidth_scale=scale,
        symmetrization=how,
        theta=theta,
        anisotropy=anisotropy,
    )
    expected = kernel_with_options_naive(
        places, 3, decay, knn_max=knn_max, bandwidth=bandwidth, scale=scale, how=how, theta=theta, anisotropy=anisotropy
    )
    # As above; the product of two views has the roundings of both, and sums of 12 terms are another.
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=0)


def test_a_point_keeps_its_nearest_neighbours_alone():
    # Nine bandwidths reach all five points. Two are kept: of 0 these are 1 and 2, of 3 (0, 1, 2, 3, 7) 2 and 1.
    found = alpha_decay_affinities(line(0, 1, 2, 3, 7), knn=2, knn_max=2, decay=None, bandwidth=9.0)
    assert (found[0] > 0).tolist() == [True, True, True, False, False]
    assert found[3, 1] == found[3, 4] == 0.5  # 1 is one of 3's two, and 3 one of 7's; not the other way round
    assert found[4, 1] == 0


def test_of_equally_near_neighbours_the_lower_is_kept():
    found = alpha_decay_affinities(line(0, 1, -1), knn=1, knn_max=1, decay=None)
    # 0 has two neighbours at distance 1, and each of those has 0.
    np.testing.assert_array_equal(found, [[1, 1, 0.5], [1, 1, 0], [0.5, 0, 1]])


def test_a_fixed_bandwidth_is_the_kernels_unit():
    found = alpha_decay_affinities(line(0, 1, 3), knn=1, decay=2.0, bandwidth=2.0)
    by_hand = [math.exp(-((d / 2) ** 2)) for d in (1, 3, 2)]
    np.testing.assert_allclose(found[[0, 0, 1], [1, 2, 2]], by_hand, rtol=1e-14)


def test_each_point_can_have_a_bandwidth_of_its_own():
    found = alpha_decay_affinities(line(0, 1, 5), knn=1, decay=1.0, bandwidth=np.array([1.0, 2.0, 4.0]))
    np.testing.assert_allclose(found[0, 1], (math.exp(-1) + math.exp(-1 / 2)) / 2, rtol=1e-14)
    np.testing.assert_allclose(found[0, 2], (math.exp(-5) + math.exp(-5 / 4)) / 2, rtol=1e-14)


def test_a_factor_on_the_bandwidths_is_the_same_as_on_given_ones():
    places = distances(30)
    own = np.sort(places, axis=1)[:, 5]
    scaled, fixed = (
        alpha_decay_affinities(places, bandwidth_scale=1.7),
        alpha_decay_affinities(places, bandwidth=own, bandwidth_scale=1.7),
    )
    np.testing.assert_array_equal(scaled, fixed)
    np.testing.assert_allclose(scaled, alpha_decay_affinities(places, bandwidth=own * 1.7), rtol=1e-12)


def test_views_of_a_pair_are_joined_by_hand():
    # With decay 1 and bandwidths 1, 1 and 2, the first sees the third by exp(-3), which sees it by exp(-3/2).
    places = line(0, 1, 3)
    one, other = math.exp(-3), math.exp(-3 / 2)
    for choices, expected in (
        ({"symmetrization": "+"}, (one + other) / 2),
        ({"symmetrization": "*"}, one * other),
        ({"symmetrization": "mnn", "theta": 1.0}, one),
        ({"symmetrization": "mnn", "theta": 0.0}, other),
        ({"symmetrization": "mnn", "theta": 0.25}, 0.25 * one + 0.75 * other),
    ):
        found = alpha_decay_affinities(places, knn=1, decay=1.0, **choices)
        np.testing.assert_allclose(found[0, 2], expected, rtol=1e-14)
        np.testing.assert_array_equal(found, found.T)


@pytest.mark.parametrize("how", ["*", "mnn"])
def test_pairs_that_one_point_alone_sees_are_no_entries(how):
    found = sparse_affinities(line(0, 1, 3, 9), knn=1, symmetrization=how)
    assert (found.toarray() > 0).sum() == found.nnz == 6  # the diagonal, and the mutual pair


def test_anisotropy_takes_the_density_out():
    # On a ring every point has as many neighbours: nothing to take out but the common factor q^2.
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    ring = euclidean_naive(np.stack([np.cos(angle), np.sin(angle)], axis=1))
    plain = alpha_decay_affinities(ring, knn=4, decay=2.0)
    q = plain[0].sum()
    np.testing.assert_allclose(alpha_decay_affinities(ring, knn=4, decay=2.0, anisotropy=1.0), plain / q**2, rtol=1e-12)
    np.testing.assert_allclose(alpha_decay_affinities(ring, knn=4, decay=2.0, anisotropy=0.5), plain / q, rtol=1e-12)


def test_the_reach_is_where_the_kernel_falls_to_its_threshold():
    for decay in (0.5, 1.0, 2.0, 40.0):
        np.testing.assert_allclose(math.exp(-(reach(decay) ** decay)), 1e-4, rtol=1e-12)
    assert reach(None) == 1.0
    np.testing.assert_allclose(reach(40.0), 1.057, atol=5e-4)  # METHOD 3.1
    assert reach(1e-3) == np.inf  # the kernel falls so slowly that all is within its reach: 9.2^1000 overflows


def test_a_neighbourhood_holds_the_distances_within_reach_and_copies_as_stored_zeros():
    found = neighbourhood(line(0, 0, 1, 5), knn=2, decay=2.0)
    np.testing.assert_array_equal(found.bandwidths, [1, 1, 1, 5])
    held = {(i, j): d for i, j, d in zip(*found.distances.tocoo().coords, found.distances.tocoo().data, strict=True)}
    assert held[0, 1] == held[1, 0] == 0
    assert (0, 0) not in held
    assert (0, 3) not in held  # 5 bandwidths: beyond 3.03
    assert held[3, 0] == 5


def test_rows_are_looked_through_in_blocks_without_a_seam():
    places = pairwise(np.random.default_rng(0).normal(size=(600, 2))).euclidean  # two blocks and a part of one
    expected = np.sort(places, axis=1)[:, 3]
    found = neighbourhood(places, knn=3)
    np.testing.assert_array_equal(found.bandwidths, expected)
    near = (places <= expected[:, np.newaxis] * reach(40.0)) & ~np.eye(600, dtype=bool)
    np.testing.assert_array_equal(found.distances.toarray(), np.where(near, places, 0))


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"knn_max": 2}, r"knn_max must be at least knn=3, but is 2; pass None to keep all that the kernel reaches"),
        ({"bandwidth_scale": 0.0}, r"bandwidth_scale must be above 0, but is 0\.0; 1 leaves the bandwidths as they are"),
        ({"bandwidth_scale": float("nan")}, r"bandwidth_scale must be above 0, but is nan"),
        ({"bandwidth": np.ones(3)}, r"bandwidth must be a number or one for each of the 9 points, but its shape is \(3,\)"),
        ({"bandwidth": 0.0}, r"bandwidth must be above 0 and finite, but some are not; pass None to take the knn-th neighbour's"),
        ({"bandwidth": np.full(9, np.inf)}, r"bandwidth must be above 0 and finite"),
        ({"symmetrization": "mnn", "theta": 1.5}, r"theta must be from 0 to 1, but is 1\.5; 1 keeps what both points see"),
        ({"symmetrization": "mnn", "theta": -0.1}, r"theta must be from 0 to 1, but is -0\.1"),
        ({"anisotropy": 1.1}, r"anisotropy must be from 0 to 1, but is 1\.1; 0 keeps the density of points, 1 removes it"),
        ({"symmetrization": "mean"}, r"symmetrization must be one of \+, \*, mnn, but is 'mean'; choose one of these"),
    ],
)
@pytest.mark.usefixtures("as_users_call")
def test_options_out_of_range_are_refused(refuses, choices, message):
    places = distances(9)
    with refuses(message):
        alpha_decay_affinities(places, knn=3, **choices)
    with refuses(message):
        phate(places, metric="precomputed", knn=3, **choices)


OPTIONS = [
    {"knn_max": 6},
    {"bandwidth": 20.0},
    {"bandwidth_scale": 1.4},
    {"symmetrization": "*"},
    {"symmetrization": "mnn", "theta": 0.7},
    {"anisotropy": 0.6},
    {"decay": None},
]


def wandering(n=40, p=30, *, seed=0):
    return np.random.default_rng(seed).normal(size=(n, p)).cumsum(axis=0) + 3


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_phate_hands_options_to_the_kernel_and_keeps_them(options):
    places = pairwise(wandering()).euclidean
    found = phate(places, metric="precomputed", connect=None, scaling="classical", t=4, **options)
    np.testing.assert_array_equal(found.affinities.toarray(), alpha_decay_affinities(places, **options))
    assert np.abs(found.affinities.toarray() - alpha_decay_affinities(places)).max() > 1e-3
    assert {name: getattr(found.settings, name) for name in options} == options


def test_points_and_copies_of_them_take_the_bandwidths_given_to_them():
    points = wandering()
    widths = np.linspace(15, 25, 42)
    found = phate(np.concatenate([points, points[:2]]), metric="euclidean", bandwidth=widths, scaling="classical", t=4)
    assert (found.n_duplicates, found.settings.bandwidth) == (2, "given")
    expected = alpha_decay_affinities(pairwise(points).euclidean, bandwidth=widths[:40])
    np.testing.assert_allclose(found.affinities.toarray(), expected, rtol=1e-10, atol=1e-14)  # centred 2 points further on


def reference_operator(points, *, metric, **choices):
    """One step of the walk of PHATE itself, its warnings apart."""
    import warnings

    package = pytest.importorskip("phate")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = package.PHATE(knn_dist=metric, n_pca=None, t=1, mds="classic", verbose=0, random_state=0, **choices)
        made.fit_transform(points)
    operator = made.diff_op
    return np.asarray(operator.todense() if hasattr(operator, "todense") else operator)


IN_THEIR_WORDS = {"symmetrization": "kernel_symm"}


@pytest.mark.reference
@pytest.mark.parametrize(
    "options",
    [
        {"bandwidth": 0.01},
        {"bandwidth": np.linspace(0.005, 0.02, 60)},
        {"bandwidth_scale": 1.7},
        {"symmetrization": "mnn", "theta": 0.9},
        {"symmetrization": "mnn", "theta": 0.3},
        {"symmetrization": "mnn", "theta": 1.0},
        {"anisotropy": 0.5},
        {"anisotropy": 1.0, "bandwidth_scale": 1.3},
    ],
    ids=str,
)
@pytest.mark.parametrize("decay", [10.0, 40.0])
def test_options_agree_with_phate_on_precomputed_distances(options, decay):
    places = pairwise(wandering(60)).cosine
    theirs = reference_operator(
        places,
        metric="precomputed_distance",
        knn=5,
        decay=decay,
        **{IN_THEIR_WORDS.get(name, name): value for name, value in options.items()},
    )
    found = operator_naive(alpha_decay_affinities(places, knn=5, decay=decay, **options))
    np.testing.assert_allclose(found, theirs, rtol=1e-9, atol=1e-12)


@pytest.mark.reference
@pytest.mark.parametrize(
    "options",
    [
        {"knn_max": 7},
        {"symmetrization": "*"},
        {"symmetrization": "*", "anisotropy": 0.7},
        {"symmetrization": "mnn", "theta": 0.9},
        {"decay": None},
    ],
    ids=str,
)
def test_options_agree_with_phate_on_points(options):
    # "*", knn_max and no decay work there on points alone: of a matrix of distances "*" is an AttributeError and no decay a
    # ValueError, and knn_max changes nothing (next test).
    points = wandering(60)
    choices = {"decay": 10.0, **options}
    theirs = reference_operator(
        points, metric="euclidean", knn=5, **{IN_THEIR_WORDS.get(name, name): value for name, value in choices.items()}
    )
    found = operator_naive(alpha_decay_affinities(pairwise(points).euclidean, knn=5, **choices))
    np.testing.assert_allclose(found, theirs, rtol=1e-6, atol=1e-6)  # their distances differ from ours by 1e-8


@pytest.mark.reference
def test_phate_passes_over_knn_max_on_precomputed_distances_and_we_do_not():
    places = pairwise(wandering(60)).cosine
    theirs = reference_operator(places, metric="precomputed_distance", knn=5, decay=10.0, knn_max=6)
    all_kept, six = (operator_naive(alpha_decay_affinities(places, knn=5, decay=10.0, knn_max=most)) for most in (None, 6))
    np.testing.assert_allclose(all_kept, theirs, rtol=1e-9, atol=1e-12)
    assert np.abs(six - theirs).max() > 1e-3
