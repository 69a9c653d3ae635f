"""What else draws points: each is its library's, on the distances that PHATE gets."""

import builtins
import os
import subprocess
import sys
import warnings

import numpy as np
import pytest
from naive_phate import aligned, cosine_naive, euclidean_naive, stress_naive
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE, Isomap

from lossatlas.distance import pairwise
from lossatlas.embed.baselines import isomap, pca, pcas, tsne, umap
from lossatlas.embed.scaling import classical_scaling


def walk(n=30, p=20, *, seed=0, offset=3.0):
    """Points along a random walk, away from the origin."""
    return np.random.default_rng(seed).normal(size=(n, p)).cumsum(axis=0) + offset


def same_up_to_sign(found, expected):
    """Whether each axis is the other's, or its mirror."""
    signs = np.sign((found * expected).sum(axis=0))
    np.testing.assert_allclose(found * signs, expected, atol=1e-9 * np.abs(expected).max(), rtol=0)


def stress_1(distances, coordinates):
    """Stress-1 relative to the coordinates, with the best common factor."""
    drawn = euclidean_naive(coordinates)
    factor = (drawn * distances).sum() / (drawn**2).sum()
    return stress_naive(distances, factor * coordinates) * np.sqrt((distances**2).sum() / ((factor * drawn) ** 2).sum())


# --- PCA


@pytest.mark.parametrize(("n", "p", "axes"), [(30, 20, 3), (20, 200, 2), (320, 6, 2)])
def test_pca_of_euclidean_points_is_scikit_learns(n, p, axes):
    points = walk(n, p)
    found, expected = pca(points, metric="euclidean", n_components=axes), PCA(axes, svd_solver="full").fit(points)
    same_up_to_sign(found.coordinates, expected.transform(points))
    shares = [found.diagnostics[f"explained_variance_{k}"] for k in range(1, axes + 1)]
    np.testing.assert_allclose(shares, expected.explained_variance_ratio_, rtol=1e-9)


def test_pca_of_the_cosine_is_that_of_the_directions():
    points = walk()
    for origin, centre in {"zero": 0.0, "centroid": points.mean(axis=0)}.items():
        directions = points - centre
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        found, expected = pca(points, origin=origin), PCA(2, svd_solver="full").fit(directions)
        same_up_to_sign(found.coordinates, expected.transform(directions))
        assert found.diagnostics["explained_variance_2"] == pytest.approx(expected.explained_variance_ratio_[1], rel=1e-9)
        assert found.settings.origin == origin
        assert found.stress == pytest.approx(stress_1(euclidean_naive(directions), found.coordinates), rel=1e-8)


def test_pca_of_other_distances_is_principal_coordinates():
    points = walk()
    D = np.abs(points[:, np.newaxis] - points[np.newaxis]).sum(axis=2)
    for found in (pca(points, metric="manhattan"), pca(D, metric="precomputed")):
        same_up_to_sign(found.coordinates, classical_scaling(D))
        assert found.stress == pytest.approx(stress_1(D, found.coordinates), rel=1e-8)


def test_a_random_walk_in_many_dimensions_explains_what_the_null_says():
    found = pca(walk(200, 20_000, offset=0.0), metric="euclidean", n_components=4).diagnostics
    for k in range(1, 5):
        # Shares of a walk in p dimensions scatter by about the root of 2 / p.
        assert found[f"explained_variance_{k}"] == pytest.approx(found[f"random_walk_{k}"], rel=0.05)
    # 6 / (pi k)^2 of a walk without end (Antognini and Sohl-Dickstein 2018).
    np.testing.assert_allclose([found[f"random_walk_{k}"] for k in (1, 2, 3)], 6 / (np.pi * np.arange(1, 4)) ** 2, rtol=1e-3)


def test_the_null_is_the_spectrum_of_the_walks_own_covariance():
    n = 12
    sums = np.tril(np.ones((n, n)))
    sums -= sums.mean(axis=0)
    values = np.linalg.eigvalsh(sums @ sums.T)[::-1]
    found = pca(walk(n), n_components=5).diagnostics
    np.testing.assert_allclose([found[f"random_walk_{k}"] for k in range(1, 6)], values[:5] / values.sum(), rtol=1e-10)


def test_a_straight_line_is_explained_by_one_axis_and_axes_that_are_not_there_are_0():
    found = pca(np.outer(np.arange(3.0), np.ones(4)), metric="euclidean", n_components=4)
    shares = [found.diagnostics[f"explained_variance_{k}"] for k in range(1, 5)]
    np.testing.assert_allclose(shares, [1, 0, 0, 0], atol=1e-12)
    np.testing.assert_allclose(found.coordinates[:, 1:], 0, atol=1e-7)
    assert (found.diagnostics["random_walk_3"], found.diagnostics["random_walk_4"]) == (0, 0)
    assert found.stress < 1e-9


def test_points_that_all_coincide_explain_nothing():
    found = pca(np.ones((4, 3)), metric="euclidean")
    assert found.diagnostics["explained_variance_1"] == 0
    np.testing.assert_array_equal(found.coordinates, 0)


# --- t-SNE


def test_tsne_is_scikit_learns_from_principal_coordinates():
    points = walk()
    D = pairwise(points).cosine
    start = classical_scaling(D)
    start = (start / start[:, 0].std() * 1e-4).astype(np.float32)
    method = TSNE(2, perplexity=8.0, metric="precomputed", init=start, random_state=3)
    expected = method.fit_transform(D)
    found = tsne(points, perplexity=8.0, seed=3)
    np.testing.assert_allclose(found.coordinates, expected, rtol=1e-6)
    assert found.diagnostics["kl_divergence"] == pytest.approx(method.kl_divergence_)
    assert found.stress == pytest.approx(stress_1(cosine_naive(points), found.coordinates), rel=1e-6)
    assert (found.method, found.settings.perplexity, found.settings.seed, found.settings.n_neighbors) == ("tsne", 8.0, 3, None)
    np.testing.assert_array_equal(tsne(D, metric="precomputed", perplexity=8.0, seed=3).coordinates, found.coordinates)


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({}, "perplexity must be above 0 and below the 30 points, but is 30.0; pass another"),
        ({"perplexity": 0.0}, "perplexity must be above 0"),
        ({"perplexity": float("nan")}, "perplexity must be above 0"),
        ({"perplexity": 5.0, "n_components": 4}, "t-SNE draws 1 to 3 axes, but n_components is 4; pass one of these"),
        ({"perplexity": 5.0, "n_components": 0}, "t-SNE draws 1 to 3 axes, but n_components is 0"),
    ],
)
def test_what_tsne_cannot_draw_is_refused(refuses, choices, message):
    with refuses(message):
        tsne(walk(), **choices)


# --- UMAP


def test_umap_is_umap_learns_and_the_seed_decides():
    points = walk()
    found = umap(points, n_neighbors=6, min_dist=0.3, seed=3)
    np.testing.assert_array_equal(umap(points, n_neighbors=6, min_dist=0.3, seed=3).coordinates, found.coordinates)
    assert np.abs(umap(points, n_neighbors=6, min_dist=0.3, seed=4).coordinates - found.coordinates).max() > 0.01
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what umap-learn says about TensorFlow, threads and precomputed distances
        from umap import UMAP

        D = pairwise(points).cosine
        expected = UMAP(n_neighbors=6, min_dist=0.3, metric="precomputed", random_state=3, n_jobs=1).fit_transform(D)
    np.testing.assert_array_equal(found.coordinates, expected)
    assert found.stress == pytest.approx(stress_1(D, found.coordinates), rel=1e-6)
    assert (found.settings.n_neighbors, found.settings.min_dist, found.settings.seed) == (6, 0.3, 3)
    assert found.coordinates.dtype == np.float64


def test_umap_leaves_the_users_threads_as_they_were():
    """In a process of its own: Numba takes threads once."""
    code = (
        "import numpy, torch, lossatlas\n"
        "before = torch.get_num_threads()\n"
        "lossatlas.umap(numpy.random.default_rng(0).normal(size=(40, 5)))\n"
        "print(before, torch.get_num_threads())"
    )
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "1"]


def test_umap_that_is_not_installed_is_said_with_what_to_install(monkeypatch, refuses):
    real = builtins.__import__

    def without(name, *rest):
        if name == "umap":
            raise ImportError("No module named 'umap'")
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with refuses(r"umap needs umap-learn, which is not installed; run: pip install 'lossatlas\[compare\]'"):
        umap(walk())


@pytest.mark.parametrize("n_neighbors", [1, 30])
def test_neighbours_that_umap_cannot_have_are_refused(refuses, n_neighbors):
    with refuses(f"n_neighbors must be from 2 to 29 for 30 points, but is {n_neighbors}; pass another"):
        umap(walk(), n_neighbors=n_neighbors)


# --- Isomap


def test_isomap_is_scikit_learns():
    points = walk()
    D = pairwise(points).euclidean
    expected = Isomap(n_neighbors=4, n_components=2, metric="precomputed").fit_transform(D)
    for found in (isomap(points, metric="euclidean", n_neighbors=4), isomap(D, metric="precomputed", n_neighbors=4)):
        same_up_to_sign(found.coordinates, expected)
        assert found.diagnostics == {"connected_components": 1.0}
        assert found.stress == pytest.approx(stress_1(D, found.coordinates), rel=1e-8)
    assert (found.settings.n_neighbors, found.settings.seed) == (4, None)


def test_isomap_of_points_on_a_bent_line_is_the_line():
    angles = np.linspace(0, 1.5 * np.pi, 40)
    bow = np.column_stack([np.cos(angles), np.sin(angles)])
    found = isomap(bow, metric="euclidean", n_neighbors=2, n_components=1).coordinates
    step = 2 * np.sin(angles[1] / 2)
    line = (np.arange(40.0)[:, np.newaxis] - 19.5) * step
    # The second neighbour of each end is two steps away, by a chord that is a little shorter than the steps.
    np.testing.assert_allclose(aligned(found, line), line, atol=0.01 * step)
    assert np.abs(aligned(bow, np.column_stack([line, 0 * line]))[:, 0] - line[:, 0]).max() > 5 * step


@pytest.mark.parametrize("pieces", [2, 3])
def test_isomap_counts_the_pieces_that_it_joins(pieces):
    rng = np.random.default_rng(0)
    points = np.repeat(np.eye(3)[:pieces] * 1000, 10, axis=0) + rng.normal(size=(10 * pieces, 3))
    found = isomap(points, metric="euclidean", n_neighbors=4)
    assert found.diagnostics["connected_components"] == pieces
    assert np.isfinite(found.coordinates).all()


@pytest.mark.parametrize("n_neighbors", [0, 30])
def test_neighbours_that_isomap_cannot_have_are_refused(refuses, n_neighbors):
    with refuses(f"n_neighbors must be from 1 to 29 for 30 points, but is {n_neighbors}; pass another"):
        isomap(walk(), n_neighbors=n_neighbors)


# --- all


@pytest.mark.parametrize("method", [pca, umap, isomap])
@pytest.mark.parametrize("axes", [0, -1])
def test_a_map_without_axes_is_refused(refuses, method, axes):
    with refuses(f"n_components must be 1 or more, but is {axes}; a map has 2"):
        method(walk(), n_components=axes)


def test_settings_say_what_was_chosen():
    def gap(a, b):
        return float(np.abs(a - b).max())

    found = pca(walk(12), metric=gap, n_components=3)
    assert (found.method, found.settings.metric, found.settings.origin, found.settings.n_components) == (
        "pca",
        "callable",
        "none",
        3,
    )
    assert pca(walk(12), origin=walk(12)[3] + 1).settings.origin == "point"


@pytest.mark.parametrize("method", [pca, tsne, umap, isomap])
def test_points_that_are_not_finite_are_refused(refuses, method):
    points = walk()
    points[3, 2] = np.nan
    with refuses("point 3 has 1 value that is NaN or infinite"):
        method(points, metric="euclidean")


def test_components_in_several_numbers_of_axes_are_those_of_each():
    points = np.random.default_rng(0).normal(size=(12, 5))
    for made, n_components in zip(pcas(points, axes=(2, 3), metric="euclidean"), (2, 3), strict=True):
        alone = pca(points, metric="euclidean", n_components=n_components)
        # A truncated decomposition may end in the other direction of an axis.
        np.testing.assert_allclose(np.abs(made.coordinates), np.abs(alone.coordinates), atol=1e-9)
        assert made.stress == pytest.approx(alone.stress)
        assert made.settings == alone.settings
        assert made.diagnostics == pytest.approx(alone.diagnostics)
