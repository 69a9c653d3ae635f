"""The whole of PHATE: presets, duplicates, bridges, symmetries and refusals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_phate import (
    aligned,
    cosine_naive,
    euclidean_naive,
    kernel_naive,
    knee_naive,
    majorised_naive,
    operator_naive,
    potential_naive,
    stress_naive,
)
from scipy.sparse import csgraph
from sklearn.decomposition import PCA
from threadpoolctl import threadpool_limits

import lossatlas as la
from lossatlas import InputError, phate
from lossatlas.distance import pairwise
from lossatlas.embed import MapWarning, components, diffusion_time
from lossatlas.embed.paper import squared_classical_scaling

SEEDS = st.integers(0, 2**32 - 1)
CAP = -np.log(1e-7)  # potential of a place that is never reached


def walk(n=40, p=60, *, seed=0, offset=3.0):
    """Points along a random walk, away from the origin."""
    return np.random.default_rng(seed).normal(size=(n, p)).cumsum(axis=0) + offset


def clusters(count=4, size=12, p=20, *, seed=0):
    """Groups of points far from each other, of which 5 neighbours never lead out."""
    rng = np.random.default_rng(seed)
    return np.repeat(rng.normal(size=(count, p)) * 100, size, axis=0) + rng.normal(size=(count * size, p))


def scores_naive(distances, axes):
    """Torgerson's scaling through the singular values of B."""
    n = len(distances)
    J = np.eye(n) - np.full((n, n), 1 / n)
    B = -J @ np.asarray(distances) ** 2 @ J / 2
    values, vectors = np.linalg.eigh(B)
    return vectors[:, ::-1][:, :axes] * np.sqrt(np.maximum(values[::-1][:axes], 0))


def phate_naive(distances, *, knn, decay, gamma, axes):
    """The sound map from distances between distinct points in one connected graph; also t and the potential's distances."""
    P = operator_naive(kernel_naive(distances, knn, decay))
    t = diffusion_time(np.abs(np.linalg.eigvals(P))).t  # which has tests and twins of its own
    drawn = euclidean_naive(potential_naive(P, t, gamma))
    here = scores_naive(drawn, axes)
    return majorised_naive(drawn, here, tolerance=1e-13, limit=20_000), t, drawn


def same_map(found, expected, tolerance):
    """Whether two maps are equal but for a turn, a mirror and a shift, relative to their size."""
    size = np.abs(expected - expected.mean(axis=0)).max()
    np.testing.assert_allclose(aligned(found, expected), expected, atol=tolerance * size, rtol=0)


@pytest.mark.parametrize(
    ("knn", "decay", "gamma", "axes"), [(5, 40.0, 1, 2), (3, 10.0, 0, 2), (4, None, -1, 3), (6, 2.0, 0.5, 1)]
)
def test_the_sound_map_equals_the_formulas_written_in_loops(knn, decay, gamma, axes):
    points = walk(20)
    found = phate(points, knn=knn, decay=decay, gamma=gamma, n_components=axes)
    assert found.connected_components == 1
    expected, t, drawn = phate_naive(cosine_naive(points), knn=knn, decay=decay, gamma=gamma, axes=axes)
    assert found.t == t
    # 1 - cos loses 1e-16 of some 1e-2, which the kernel's exponent magnifies 40 times and t steps of the walk somewhat more.
    np.testing.assert_allclose(found.potential_distances, drawn, rtol=1e-8, atol=1e-9 * drawn.max())
    # Two ways down to one minimum, each to 1e-10 of the stress or better: to the root of that.
    same_map(found.coordinates, expected, 1e-4)
    np.testing.assert_allclose(found.stress, stress_naive_scaled(drawn, expected), atol=1e-8)


def stress_naive_scaled(drawn, coordinates):
    """Stress-1 with the best common factor, relative to the coordinates."""
    factor = (euclidean_naive(coordinates) * drawn).sum() / (euclidean_naive(coordinates) ** 2).sum()
    return stress_naive(drawn, factor * coordinates) * np.sqrt(
        (drawn**2).sum() / ((factor * euclidean_naive(coordinates)) ** 2).sum()
    )


def test_euclidean_and_precomputed_distances_give_the_same_map():
    points = walk()
    found, other = phate(points, metric="euclidean"), phate(pairwise(points).euclidean, metric="precomputed")
    np.testing.assert_array_equal(found.coordinates, other.coordinates)
    assert (found.settings.metric, other.settings.metric) == ("euclidean", "precomputed")
    assert other.settings.origin == "none"


def test_points_and_their_pairwise_distances_give_the_same_map():
    points = walk()
    for origin in ("zero", "start", "centroid", points[7].copy()):
        found = phate(points, origin=origin)
        again = phate(pairwise(points, origin=origin))
        np.testing.assert_array_equal(found.coordinates, again.coordinates)
        assert found.settings.origin == again.settings.origin == (origin if isinstance(origin, str) else "point")


def test_the_origin_changes_the_map():
    points = walk()
    assert np.abs(phate(points, origin="centroid").potential - phate(points).potential).max() > 0.1


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_a_map_has_the_axes_that_are_asked_for(axes):
    for preset in ("sound", "paper"):
        found = phate(walk(), n_components=axes, preset=preset)
        assert found.coordinates.shape == (40, axes)
        assert np.isfinite(found.coordinates).all()
    assert phate(walk(), n_components=3).stress < phate(walk(), n_components=1).stress


@pytest.mark.parametrize("axes", [2, 3])
def test_the_axes_of_a_map_are_principal_and_their_largest_coordinates_positive(axes):
    for seed in range(4):
        drawn = phate(walk(seed=seed), n_components=axes).coordinates
        spread = drawn.T @ drawn
        np.testing.assert_allclose(drawn.mean(axis=0), 0, atol=1e-12 * np.abs(drawn).max())
        np.testing.assert_allclose(spread, np.diag(np.diag(spread)), atol=1e-10 * spread.max())
        assert (np.diff(np.diag(spread)) < 0).all()
        assert (drawn[np.abs(drawn).argmax(axis=0), np.arange(axes)] > 0).all()


@settings(max_examples=10, deadline=None)
@given(seed=SEEDS)
def test_order_of_points_does_not_matter(seed):
    points = walk(seed=seed % 1000)
    order = np.random.default_rng(seed).permutation(len(points))
    found, shuffled = phate(points), phate(points[order])
    assert shuffled.t == found.t
    # The classical start is formed from D² of the potential: half of float64's digits, and majorisation keeps them.
    same_map(shuffled.coordinates, found.coordinates[order], 1e-6)


def test_the_same_points_give_the_same_map_bit_for_bit():
    for preset in ("sound", "paper"):
        first, again = phate(walk(), preset=preset), phate(walk().copy(), preset=preset)
        np.testing.assert_array_equal(first.coordinates, again.coordinates)


def test_the_number_of_threads_does_not_matter():
    points = walk(150, 400)
    maps = []
    for threads in (1, 2):
        with threadpool_limits(limits=threads):
            maps.append(phate(points))
    assert maps[0].t == maps[1].t
    assert maps[0].iterations == maps[1].iterations
    # Sums in another order, through the whole of the method.
    same_map(maps[1].coordinates, maps[0].coordinates, 1e-8)


def test_the_seed_moves_the_papers_map_alone():
    assert not np.array_equal(phate(walk(), preset="paper").coordinates, phate(walk(), preset="paper", seed=1).coordinates)
    np.testing.assert_array_equal(phate(walk()).coordinates, phate(walk(), seed=1).coordinates)


@pytest.mark.parametrize("factor", [1e-6, 0.37, 1e6])
def test_the_unit_of_the_weights_does_not_matter(factor):
    # Each point's bandwidth is in the unit of its neighbours' distances, so units cancel; Euclidean distances too.
    found = phate(walk(), metric="euclidean")
    scaled = phate(walk() * factor, metric="euclidean")
    np.testing.assert_allclose(scaled.potential, found.potential, rtol=1e-9)  # a rounding of each weight, 40-fold by decay
    same_map(scaled.coordinates, found.coordinates, 1e-6)  # B is formed from D²


def test_points_on_a_line_are_drawn_in_their_order():
    # A straight path that does not aim at the origin: one dimension, the angle grows along it.
    rng = np.random.default_rng(0)
    at, along = rng.normal(size=(2, 300))
    points = at + np.outer(np.linspace(0, 2, 30), along)
    for metric in ("cosine", "euclidean"):
        found = phate(points, metric=metric)
        assert np.isfinite(found.coordinates).all()
        steps = np.diff(found.coordinates[:, 0])
        assert (steps > 0).all() or (steps < 0).all()


def test_coordinates_are_in_the_unit_of_the_potential():
    found = phate(walk())
    upper = np.triu_indices(40, 1)
    drawn, wanted = euclidean_naive(found.coordinates)[upper], found.potential_distances[upper]
    # Majorisation ends at the best common factor, sum d delta / sum d^2 = 1, to the root of its tolerance.
    assert abs((drawn @ wanted) / (drawn @ drawn) - 1) < 1e-3
    np.testing.assert_allclose(
        found.potential_distances, euclidean_naive(found.potential)[np.ix_(found.distinct, found.distinct)], rtol=1e-9
    )


def test_the_result_keeps_every_stage():
    found = phate(walk(), t=7, knn=4)
    assert found.t == 7
    assert found.entropy.shape == found.diffusion_time.times.shape
    P = operator_naive(found.affinities.toarray())
    np.testing.assert_allclose(found.potential, potential_naive(P, 7, 1), rtol=1e-10)
    assert found.iterations >= 2
    assert found.n_duplicates == 0
    np.testing.assert_array_equal(found.distinct, np.arange(40))
    assert (found.settings.knn, found.settings.t, found.settings.preset, found.settings.n_pca) == (4, 7, "sound", None)
    assert (found.settings.connect, found.settings.potential_metric) == ("mst", "euclidean")


def test_the_papers_walk_goes_as_many_steps_as_the_position_of_the_knee_from_zero():
    paper = phate(walk(), preset="paper")
    assert paper.t == knee_naive(paper.entropy, lead=1)  # off by one, as PHATE has it


def test_a_graph_in_pieces_is_counted_and_bridged():
    found = phate(clusters(), metric="euclidean", knn=5)
    assert found.connected_components == 4
    assert components(found.affinities)[0] == 1
    assert np.isfinite(found.potential).all()
    # Each group stays together: its points are nearer to each other than to those of any other group.
    middle = found.potential_distances.reshape(4, 12, 4, 12).mean(axis=(1, 3))
    assert (middle.argmin(axis=1) == np.arange(4)).all()


def test_a_bridged_walk_reaches_every_place_once_it_is_as_long_as_the_way_there():
    hops = csgraph.shortest_path(phate(clusters(), metric="euclidean").affinities > 0, unweighted=True)
    farthest = int(hops.max())
    found = phate(clusters(), metric="euclidean", t=3 * farthest)  # one way there is a chance of 1e-7 and less: lost in the floor
    assert np.isfinite(found.potential).all()
    assert found.potential.max() < CAP - 0.1
    # A shorter walk leaves what is farther than its steps at the cap, bridges or not.
    short = phate(clusters(), metric="euclidean", t=farthest - 2)
    np.testing.assert_array_equal(np.isclose(short.potential, CAP, rtol=1e-15, atol=0), hops > farthest - 2)


def test_pieces_are_left_apart_where_no_bridge_is_wanted():
    with pytest.warns(MapWarning, match=r"4 pieces, .* are arbitrary; pass connect='mst' or a knn above 5 to join them"):
        found = phate(clusters(), metric="euclidean", knn=5, connect=None)
    assert found.graph.unconnected == 4
    assert found.connected_components == 4
    assert components(found.affinities)[0] == 4
    np.testing.assert_allclose(found.potential[:12, 12:], CAP, rtol=1e-15)
    assert found.settings.connect is None


def test_the_paper_builds_no_bridge_unless_asked():
    points = clusters()
    with pytest.warns(MapWarning, match="4 pieces"):
        assert components(phate(points, metric="euclidean", preset="paper").affinities)[0] == 4
    assert components(phate(points, metric="euclidean", preset="paper", connect="mst").affinities)[0] == 1


def test_points_that_coincide_share_a_place_and_are_counted():
    points = walk()
    doubled = np.concatenate([points, points[[3, 3, 17]]])
    found, alone = phate(doubled, metric="euclidean"), phate(points, metric="euclidean")
    assert found.n_duplicates == 3
    assert found.coordinates.shape == (43, 2)
    assert found.potential.shape == (40, 40)
    np.testing.assert_array_equal(found.distinct, [*range(40), 3, 3, 17])
    np.testing.assert_array_equal(found.coordinates[40:], found.coordinates[[3, 3, 17]])
    np.testing.assert_array_equal(found.potential_distances[40, 3], 0)
    # They change nothing for the others: the centroid of the Gram matrix alone moves.
    same_map(found.coordinates[:40], alone.coordinates, 1e-6)


def test_copies_under_the_cosine_share_a_place_too():
    points = walk()
    found = phate(np.concatenate([points, points[:2]]))
    assert found.n_duplicates == 2
    np.testing.assert_array_equal(found.coordinates[40:], found.coordinates[:2])


def test_copies_of_the_start_share_a_place_when_the_angle_is_measured_there():
    # Runs that begin with one initialisation share their point 0.
    points = walk()
    points[20] = points[0]
    found = phate(points, origin="start")
    assert found.n_duplicates == 1
    np.testing.assert_array_equal(found.coordinates[20], found.coordinates[0])


def test_the_first_of_copies_stands_for_all():
    points = walk()
    found = phate(np.concatenate([points[[5]], points]), metric="euclidean")
    np.testing.assert_array_equal(found.distinct, [0, 1, 2, 3, 4, 5, 0, *range(6, 40)])


def test_the_paper_keeps_copies_apart_in_its_graph():
    points = np.concatenate([walk(), walk()[:2]])
    found = phate(points, metric="euclidean", preset="paper")
    assert found.n_duplicates == 0
    assert found.potential.shape == (42, 42)


def test_a_decreasing_bandwidth_of_copies_is_no_trouble_to_the_paper():
    # Six copies with knn 5 have a bandwidth of 0.
    points = np.concatenate([walk(), np.repeat(walk()[:1], 6, axis=0)])
    found = phate(points, metric="euclidean", preset="paper")
    assert np.isfinite(found.coordinates).all()


@pytest.mark.parametrize(("n", "p"), [(120, 300), (120, 130), (101, 102)])
def test_the_papers_cosine_is_about_the_centroid_of_100_principal_scores(n, p):
    points = np.random.default_rng(0).normal(size=(n, p)) * np.geomspace(1, 0.01, p) + 2
    found = phate(points, preset="paper", t=3)
    assert (found.settings.origin, found.settings.n_pca) == ("centroid", 100)
    scores = PCA(100, svd_solver="full").fit_transform(points)
    P = operator_naive(kernel_naive(cosine_naive(scores), 5, 40.0))
    # Scores through the Gram matrix have half of the digits on axes 1e-2 of the first; the cosine hardly sees those.
    np.testing.assert_allclose(found.potential, potential_naive(P, 3, 1), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(("n", "p"), [(100, 300), (60, 300), (150, 100), (150, 40)])
def test_the_paper_keeps_points_as_they_are_where_there_are_no_100_components_to_drop(n, p):
    points = np.random.default_rng(0).normal(size=(n, p)) + 0.5
    found = phate(points, preset="paper", t=3)
    assert (found.settings.origin, found.settings.n_pca) == ("zero", None)
    P = operator_naive(kernel_naive(cosine_naive(points), 5, 40.0))
    # The exponent 40 of the kernel magnifies 1e-16, and the logarithm of 1e-7 again.
    np.testing.assert_allclose(found.potential, potential_naive(P, 3, 1), rtol=1e-8)


def test_principal_components_can_be_asked_for_and_refused():
    points = np.random.default_rng(0).normal(size=(120, 130)) + 0.5
    few = phate(points, n_pca=20)
    assert (few.settings.n_pca, few.settings.origin, few.settings.preset) == (20, "centroid", "sound")
    scores = PCA(20, svd_solver="full").fit_transform(points)
    np.testing.assert_allclose(few.potential, phate(scores).potential, rtol=1e-6)  # scores from D², half of the digits
    assert phate(points, preset="paper", n_pca=None).settings.n_pca is None


def test_the_papers_map_is_without_unit():
    found = phate(walk(), preset="paper")
    assert found.iterations == 30
    assert found.settings.potential_metric == "cosine"
    np.testing.assert_allclose(found.potential_distances, cosine_naive(found.potential), atol=1e-12)
    # Procrustes: the start, centred and of norm 1, and the map that comes nearest to it by a turn and a factor. Their
    # products are then symmetric, and what is left of the start is at a right angle to the map. Sums of 40 terms.
    start = squared_classical_scaling(found.potential_distances)
    start = (start - start.mean(axis=0)) / np.linalg.norm(start - start.mean(axis=0))
    products = start.T @ found.coordinates
    np.testing.assert_allclose(found.coordinates.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(products, products.T, atol=1e-12)
    np.testing.assert_allclose(np.trace(products), (found.coordinates**2).sum(), rtol=1e-12)
    assert (np.linalg.eigvalsh(products) > 0).all()  # not mirrored


def reference(distances, *, t, knn, decay, gamma, **more):
    """PHATE itself, its warnings about pieces and duplicates apart."""
    import warnings

    package = pytest.importorskip("phate")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = package.PHATE(
            knn_dist="precomputed_distance",
            t=t,
            knn=knn,
            decay=decay,
            gamma=gamma,
            mds="classic",
            verbose=0,
            random_state=0,
            **more,
        )
        coordinates = made.fit_transform(distances)
    return made, coordinates


@pytest.mark.reference
@settings(max_examples=15, deadline=None)
@given(
    seed=SEEDS,
    n=st.integers(20, 150),
    choices=st.fixed_dictionaries(
        {
            "knn": st.integers(3, 10),
            "decay": st.sampled_from([2.0, 10.0, 40.0, 80.0]),
            "gamma": st.sampled_from([1, 0, -1]),
            "t": st.integers(1, 30),
        }
    ),
)
def test_the_papers_potential_agrees_with_phate(seed, n, choices):
    distances = la.cosine_distances(walk(n, 30, seed=seed))
    theirs, _ = reference(distances, **choices)
    ours = phate(distances, metric="precomputed", preset="paper", **choices)
    # The same formulas in float64; powers in another order of products. Small probabilities count in sums only.
    np.testing.assert_allclose(ours.potential, theirs.diff_potential, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(operator_naive(ours.affinities.toarray()), theirs.diff_op, rtol=1e-9, atol=1e-12)


@pytest.mark.reference
@settings(max_examples=15, deadline=None)
@given(seed=SEEDS, n=st.integers(20, 150), knn=st.integers(3, 10), decay=st.sampled_from([2.0, 10.0, 40.0]))
def test_the_papers_choice_of_t_is_phates(seed, n, knn, decay):
    distances = la.cosine_distances(walk(n, 30, seed=seed))
    theirs, _ = reference(distances, t="auto", knn=knn, decay=decay, gamma=1)
    assert phate(distances, metric="precomputed", preset="paper", knn=knn, decay=decay).t == theirs.optimal_t


@pytest.mark.reference
def test_the_papers_start_is_phates_classical_scaling():
    distances = la.cosine_distances(walk(60))
    for potential_metric in ("euclidean", "cosine"):
        _, theirs = reference(distances, t=8, knn=5, decay=40.0, gamma=1, mds_dist=potential_metric)
        ours = phate(distances, metric="precomputed", preset="paper", t=8, potential_metric=potential_metric)
        start = squared_classical_scaling(ours.potential_distances)
        same_signs = start * np.sign((start * theirs).sum(axis=0))
        # Their principal components are found by a random projection.
        np.testing.assert_allclose(same_signs, theirs, atol=1e-6 * np.abs(theirs).max())


@pytest.mark.reference
def test_the_papers_centred_cosine_is_phates():
    import warnings

    package = pytest.importorskip("phate")
    # Twenty directions, so that their random projection onto 100 components is exact.
    rng = np.random.default_rng(0)
    points = rng.normal(size=(150, 20)) @ rng.normal(size=(20, 300)) + 1.0
    for given_points in (points, points[:80], points[:, :60]):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = package.PHATE(knn_dist="cosine", t=5, mds="classic", verbose=0, random_state=0)
            theirs.fit_transform(given_points)
        ours = phate(given_points, preset="paper", t=5)
        # 1 - cos by subtraction, there, leaves 1e-16 of 0.1, which the kernel's exponent and the logarithm magnify.
        np.testing.assert_allclose(ours.potential, theirs.diff_potential, rtol=1e-4, atol=1e-4)


def test_points_that_all_coincide_are_refused():
    with pytest.raises(InputError, match=r"all 7 points coincide, so there is nothing to map; record points that differ"):
        phate(np.tile(walk()[:1], (7, 1)))


@pytest.mark.parametrize("n", [3, 5])
def test_no_more_points_than_neighbours_are_refused(n):
    with pytest.raises(InputError, match=rf"knn=5 needs at least 6 points, but there are {n}"):
        phate(walk(n))


def test_one_point_more_than_neighbours_is_enough():
    assert phate(walk(6)).coordinates.shape == (6, 2)
    assert phate(walk(2), knn=1).coordinates.shape == (2, 2)


def test_copies_do_not_count_as_neighbours():
    with pytest.raises(InputError, match=r"knn=5 needs at least 6 points, but there are 4"):
        phate(np.tile(walk(4), (3, 1)))


def test_as_many_points_as_landmarks_are_embedded_one_by_one():
    for limit in (40, None):
        assert phate(walk(), n_landmark=limit).graph.landmarks is None
    assert phate(walk(), n_landmark=39).graph.landmarks is not None


def test_a_misspelt_keyword_is_a_type_error():
    with pytest.raises(TypeError, match="knnn"):
        phate(walk(), knnn=3)


def test_settings_go_by_name():
    with pytest.raises(TypeError, match="positional"):
        phate(walk(), "cosine")


def test_a_map_without_axes_is_refused():
    with pytest.raises(InputError, match="n_components must be 1 or more, but is 0; a map has 2"):
        phate(walk(), n_components=0)


@pytest.mark.parametrize("t", [0, -4])
def test_a_walk_of_no_step_is_refused(t):
    with pytest.raises(InputError, match=rf"t must be 'auto' or a whole number from 1 on, but is {t}; pass one of these"):
        phate(walk(), t=t)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"gamma": 2.0}, r"gamma must be from -1 to 1, but is 2\.0"),
        ({"decay": 0.0}, r"decay must be above 0, but is 0\.0; 40 is the usual value"),
        ({"knn": 0}, r"knn=0 needs at least 2 points, but there are 40; record more or pass another knn"),
        ({"origin": np.ones(3)}, r"origin must be a point of 60 values, but its shape is \(3,\); flatten it"),
    ],
)
def test_settings_out_of_range_are_refused_by_their_name(keywords, message):
    with pytest.raises(InputError, match=message):
        phate(walk(), **keywords)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda D: D[:5], r"distances must be a square matrix, but the shape is \(5, 40\); pass one row and column a point"),
        (lambda D: D[0], r"distances must be a square matrix, but the shape is \(40,\)"),
        (lambda D: D[:1, :1], r"a map needs at least 2 points, but there is 1"),
        (lambda D: np.where(D > 0, np.nan, D), r"distances must be finite, .* leave those points out"),
        (lambda D: -D, r"distances must not be negative, but the least is -.*; pass distances, not affinities"),
        (lambda D: D + np.eye(40), r"distances must be 0 on the diagonal, .*; pass distances, not affinities"),
        (np.tril, r"distances must be symmetric, .*; pass \(D \+ D\.T\) / 2 if the difference is rounding"),
    ],
)
def test_what_are_no_distances_is_refused(change, message):
    with pytest.raises(InputError, match=message):
        phate(change(pairwise(walk()).euclidean), metric="precomputed")


def test_precomputed_distances_must_be_a_matrix():
    with pytest.raises(InputError, match=r"with metric='precomputed' points must be a matrix of distances \(n, n\); pass one"):
        phate(pairwise(walk()), metric="precomputed")


def test_points_that_are_not_finite_are_refused_by_their_number():
    points = walk()
    points[12, 4] = np.nan
    with pytest.raises(InputError, match=r"point 12 has 1 value that is NaN or infinite; leave that point out"):
        phate(points)


@pytest.mark.usefixtures("as_users_call")
@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        (
            {"metric": "cosin"},
            r"metric must be cosine, .* scikit-learn takes for these points, but is 'cosin'; choose another",
        ),
        ({"preset": "best"}, r"preset must be one of sound, paper, but is 'best'; choose one of these"),
        ({"connect": "knn"}, r"connect must be one of mst, temporal, None, but is 'knn'; choose one of these"),
        ({"potential_metric": "l1"}, r"potential_metric must be one of euclidean, cosine, but is 'l1'; choose one of these"),
        ({"device": "abacus"}, r"device 'abacus' is not there, or has no float64 \(.*\); pass device='cpu'"),
        ({"t": 2.5}, r"t must be 'auto' or a whole number from 1 on, but is 2\.5; pass one of these"),
        ({"t": "knee"}, r"t must be 'auto' or a whole number from 1 on, but is 'knee'; pass one of these"),
    ],
)
def test_words_that_are_none_of_the_choices_are_refused_with_those_there_are(keywords, message):
    with pytest.raises(InputError, match=message):
        phate(walk(), **keywords)


@pytest.mark.usefixtures("as_users_call")
def test_precomputed_distances_of_a_list_are_refused():
    with pytest.raises(InputError, match=r"with metric='precomputed' points must be a matrix of distances \(n, n\); pass one"):
        phate([[0.0, 1.0], [1.0, 0.0]], metric="precomputed")


@pytest.mark.usefixtures("as_users_call")
def test_a_number_of_steps_from_numpy_is_taken():
    assert phate(walk(), t=np.int64(4)).t == 4


@pytest.mark.usefixtures("as_users_call")
@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"knn": 2.5}, r"knn must be a whole number, 0 or more, but is 2\.5; pass one"),
        ({"n_components": True}, r"n_components must be a whole number, 0 or more, but is True; pass one"),
        ({"seed": -1}, r"seed must be a whole number, 0 or more, but is -1; pass one"),
        ({"n_pca": -1}, r"n_pca must be a whole number, 0 or more, but is -1; pass one"),
        ({"n_pca": 0}, r"n_pca must be 1 or more, but is 0; pass None to keep every dimension"),
    ],
)
def test_numbers_that_count_are_whole(refuses, keywords, message):
    with refuses(message):
        phate(walk(), **keywords)
