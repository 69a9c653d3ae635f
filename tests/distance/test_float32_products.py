"""Float32 points are multiplied in float32: what that costs in digits, and where it is not done."""

import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from naive_cosine import cosine_distances_naive, euclidean_distances_naive

from lossatlas.distance import close, gram, kernels, pairwise, threads
from lossatlas.distance.source import Slab

P = 2**14  # the least number of parameters that are multiplied in float32


def cloud(n, p=P, *, seed=0):
    return np.random.default_rng(seed).standard_normal((n, p), dtype=np.float32)


def walk(n=40, p=P, *, seed=0):
    return cloud(n, p, seed=seed).cumsum(axis=0)


def clusters(n=48, p=P, *, gap=1e-4):
    return np.repeat(cloud(3, p), n // 3, axis=0) + np.float32(gap) * cloud(n, p, seed=1)


def layers(n=40, p=P):
    scales = np.repeat(np.float32([1e-3, 1, 30, 0]), p // 4)
    return walk(n, p) * scales + np.float32(7) * (scales == 0) * (np.arange(n, dtype=np.float32) % 3)[:, None]


def smooth(n=40, p=P):
    t = np.linspace(0, 1, n)[:, None]
    a, b, c = cloud(3, p).astype(float)
    return (a * np.cos(3 * t) + b * np.sin(2 * t) + c * t).astype(np.float32)


def growth(n=20, p=P):
    """One vector that grows, nearly straight from the origin: a cosine keeps a millionth of the squared distance."""
    return (cloud(1, p) * np.linspace(1, 1.5, n, dtype=np.float32)[:, None] + 1e-3 * cloud(n, p, seed=1)).astype(np.float32)


KINDS = [walk, clusters, layers, smooth, growth]


def relative(found, true):
    others = ~np.eye(len(true), dtype=bool)
    return float((np.abs(found - true)[others] / true[others]).max())


@pytest.mark.parametrize("kind", KINDS)
def test_distances_keep_a_relative_error_of_1e_5(kind):
    points = kind()
    between = pairwise(points)
    true = euclidean_distances_naive(points)
    assert relative(between.euclidean, true) <= 1e-5
    # A squared distance has 2e-5, and so has what its cosine keeps of it.
    assert relative(between.cosine, cosine_distances_naive(points, np.zeros(P))) <= 2e-5


def test_products_are_in_float32_where_there_are_many_parameters(monkeypatch):
    seen = []
    monkeypatch.setattr(
        sys.modules[pairwise.__module__], "Gram", lambda products, dtype: seen.append(dtype) or gram.Gram(products, dtype)
    )
    points = cloud(5, P)
    pairwise(points)
    pairwise(points[:, :-1].copy())
    pairwise(points.astype(np.float64))
    assert seen == [np.float32, np.float64, np.float64]


@pytest.mark.parametrize("kind", KINDS)
def test_the_error_is_measured_not_assumed(kind):
    """What is measured on the diagonal bounds what the pairs have, with the factor that is taken."""
    points = kind()
    wide = points.astype(np.longdouble)
    wide -= wide.mean(axis=0)
    true = (wide @ wide.T).astype(float)
    with threads.workers() as pool:
        sums = gram.Gram(np.zeros((len(points),) * 2), np.float32)
        gram.add_parts(sums, [gram.Part(Slab(points, np.arange(len(points)), 0, P, 0))], pool, width=1500)
    own = np.diagonal(true)
    np.testing.assert_allclose(sums.own, own, rtol=1e-13)
    upper = np.triu_indices(len(points), k=1)
    error = 2 * np.abs(sums.products - true)[upper] / np.add.outer(own, own)[upper]
    assert 0 < error.max() <= 3 * sums.relative_error()


@pytest.mark.parametrize("scale", [1e22, 1e-25])
def test_values_whose_squares_leave_float32_are_measured_in_float64(scale):
    points = cloud(6) * np.float32(scale)
    # As float32 the squares are infinite, or 0.
    np.testing.assert_allclose(pairwise(points).euclidean, euclidean_distances_naive(points).astype(float), rtol=1e-12)


def test_clusters_are_measured_about_their_own_mean_and_once_more_inside(monkeypatch):
    # Clusters of clusters: 1, 1e-4 and, inside these, 1e-9 apart, in float64.
    rng = np.random.default_rng(0)
    points = np.repeat(rng.normal(size=(2, 300)), 32, axis=0)
    points += 1e-4 * np.repeat(rng.normal(size=(4, 300)), 16, axis=0)
    points += 1e-9 * rng.normal(size=(64, 300))
    alone = []
    add = kernels.add_differences
    monkeypatch.setattr(close, "add_differences", lambda *a: alone.append(len(a[2])) or add(*a))
    np.testing.assert_allclose(pairwise(points).euclidean, euclidean_distances_naive(points).astype(float), rtol=1e-7)
    assert not alone, "products about the mean were enough"


def test_a_tail_of_a_trajectory_that_converges_is_parted_in_rounds():
    rng = np.random.default_rng(0)
    steps = rng.normal(size=(60, 200)) * np.geomspace(1, 1e-8, 60)[:, None]
    points = steps.cumsum(axis=0)
    found = pairwise(points).euclidean
    # Neighbours at the end are 1e-9 of the weights apart: their values themselves have 7 digits of that left.
    np.testing.assert_allclose(found, euclidean_distances_naive(points).astype(float), rtol=1e-7)


def test_hundreds_of_copies_are_at_distance_zero():
    points = np.repeat(cloud(2), 100, axis=0)
    squared = pairwise(points).squared
    assert np.count_nonzero(squared == 0) == 2 * 100**2


def test_what_rounds_do_not_part_is_measured_alone_at_once(monkeypatch):
    # The mean of copies is off by some eps, and they all lie there: no product about it tells them apart.
    points = np.repeat(np.random.default_rng(0).normal(size=(2, 301)), 21, axis=0)
    rounds = []
    lost_pairs = close.lost_pairs
    monkeypatch.setattr(close, "lost_pairs", lambda *a: rounds.append(1) or lost_pairs(*a))
    assert np.count_nonzero(pairwise(points).squared == 0) == 2 * 21**2
    assert len(rounds) <= 3  # about their mean, alone, and a look that finds nothing


def test_a_pair_that_no_cluster_holds_is_measured_from_its_difference(monkeypatch):
    points = cloud(12).astype(np.float64)
    points[7] = points[3] + 1e-9
    alone = []
    add = kernels.add_differences
    monkeypatch.setattr(close, "add_differences", lambda *a: alone.extend(zip(a[2], a[3], strict=True)) or add(*a))
    found = pairwise(points).euclidean
    assert alone == [(3, 7)]
    assert found[3, 7] == pytest.approx(1e-9 * P**0.5, rel=1e-6)  # 1e-9 is added with an error of 1e-16


@pytest.mark.parametrize("n", [50, 700])
def test_the_number_of_threads_changes_no_digit(monkeypatch, n):
    points = cloud(n, P + 77)
    two = pairwise(points)
    monkeypatch.setattr(threads, "n_cores", lambda: 1)
    monkeypatch.setattr(gram, "n_cores", lambda: 1)
    one = pairwise(points)
    np.testing.assert_array_equal(one.squared, two.squared)
    np.testing.assert_array_equal(one.norms, two.norms)


def test_the_blas_gets_its_threads_back_also_from_callers_side_by_side():
    def blas():
        return [x["num_threads"] for x in threads._libraries().info() if x["user_api"] == "blas"]

    before = blas()
    entered, both, left, is_over = (threading.Event() for _ in range(4))
    seen = []

    def first():
        with threads.workers():
            entered.set()
            assert both.wait(60)
            seen.append(blas())
        left.set()
        is_over.wait(60)  # it lives on, and threadpoolctl would listen to it alone

    def second():
        assert entered.wait(60)
        with threads.workers():
            both.set()
            assert left.wait(60)
            seen.append(blas())

    calls = [threading.Thread(target=first), threading.Thread(target=second)]
    for one in calls:
        one.start()
    calls[1].join()
    after = blas()
    is_over.set()
    calls[0].join()
    assert seen == [[1] * len(before)] * 2
    assert after == before


def test_a_limit_that_the_caller_has_set_stays_his_and_is_not_brought_back_after_him():
    def blas():
        return [x["num_threads"] for x in threads._libraries().info()]

    before = blas()
    entered, is_over = threading.Event(), threading.Event()

    def call():
        with threads.workers():
            entered.set()
            assert is_over.wait(60)

    thread = threading.Thread(target=call)
    with threads._libraries().limit(limits=1):
        pairwise(cloud(3))
        assert set(blas()) == {1}
        thread.start()
        assert entered.wait(60)
    is_over.set()
    thread.join()
    assert blas() == before


def test_squares_that_exceed_float64_are_refused(refuses):
    with refuses("squares exceed float64; divide all by one number"):
        pairwise(np.full((3, 4), 1e200) * np.arange(3)[:, None])


@pytest.mark.parametrize(
    ("n", "p", "dtype", "most", "width"),
    [
        (2000, 100_000, np.float32, 10**6, 1024),  # 4 KiB of a row
        (2000, 100_000, np.float64, 10**6, 512),
        (2000, 2000, np.float64, 10**6, 167),  # of a potential: three blocks in use are a quarter of it
        (2000, 100_000, np.float32, 100, 100),
        (300, 10**6, np.float32, 10**6, 10_485),  # 12 MiB
        (10**9, 5, np.float64, 5, 1),
    ],
)
def test_blocks_fill_the_cache_or_are_small_beside_the_matrix(n, p, dtype, most, width):
    assert gram.block_width(n, p, dtype, most=most) == width


@pytest.mark.parametrize("width", [7, 50, 64])
def test_a_part_is_done_with_once_the_next_is_asked_for(width):
    points = np.random.default_rng(0).normal(size=(9, 500))
    slab = np.empty((9, 50))

    def parts():
        for first in range(0, 500, 50):
            slab[:] = points[:, first : first + 50]
            yield gram.Part(Slab(slab, np.arange(9), 0, 50, first))
            slab[:] = np.nan  # as a reader that goes on writes over it

    with threads.workers() as pool:
        sums = gram.Gram(np.zeros((9, 9)), np.float64)
        gram.add_parts(sums, parts(), pool, width=width)
    centred = points - points.mean(axis=0)
    np.testing.assert_allclose(np.triu(sums.products), np.triu(centred @ centred.T), rtol=1e-12, atol=1e-12)


def test_a_value_that_is_not_finite_is_found_by_its_parameter():
    points = np.random.default_rng(0).normal(size=(4, 90))
    points[2, 61] = np.inf
    parts = [gram.Part(Slab(points[:, first : first + 30].copy(), np.arange(4), 0, 30, first)) for first in (0, 30, 60)]
    with threads.workers() as pool, pytest.raises(gram.NotFiniteError) as found:
        gram.add_parts(gram.Gram(np.zeros((4, 4)), np.float64), parts, pool, width=10)
    assert (found.value.row, found.value.start, found.value.stop) == (2, 60, 70)


def test_no_block_is_overwritten_before_its_products_are_taken():
    class Slow(ThreadPoolExecutor):
        """Products take long, and centring does not."""

        def submit(self, function, *args):
            if function.__name__ != "_product":
                return super().submit(function, *args)
            return super().submit(lambda: time.sleep(0.02) or function(*args))

    points = np.random.default_rng(0).normal(size=(9, 120))
    with Slow(8) as pool:
        sums = gram.Gram(np.zeros((9, 9)), np.float64)
        gram.add_parts(sums, [gram.Part(Slab(points, np.arange(9), 0, 120, 0))], pool, width=10)
    centred = points - points.mean(axis=0)
    np.testing.assert_allclose(np.triu(sums.products), np.triu(centred @ centred.T), rtol=1e-12, atol=1e-12)
