"""Whether numbers tell variants apart, against scipy and by hand; claims by what they must say."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from small_comparison import SMALL

from lossatlas.experiments.comparison import Findings, Measure, lower, not_testable, ranked
from lossatlas.experiments.comparison.claims import told_apart
from lossatlas.experiments.comparison.table import meanings, plain, table


def findings(seeds=3, **values):
    names = list(next(iter(values.values())))
    own = replace(SMALL, variants={name: {} for name in names}, seeds=tuple(range(seeds)))
    return Findings(
        settings=own,
        values={measure: {name: np.array(of, dtype=float) for name, of in groups.items()} for measure, groups in values.items()},
    )


@given(seed=st.integers(0, 2**31), sizes=st.lists(st.integers(1, 6), min_size=2, max_size=5), is_tied=st.booleans())
def test_the_share_is_that_of_kruskal_and_wallis(seed, sizes, is_tied):
    rng = np.random.default_rng(seed)
    groups = [rng.integers(0, 4, size=n) if is_tied else rng.normal(size=n) for n in sizes]
    found = findings(norm={f"v{place}": group for place, group in enumerate(groups)}).apart("norm")
    flat = np.concatenate(groups)
    if len(flat) == len(groups) or flat.min() == flat.max():
        assert found is None
    else:
        assert found.share == pytest.approx(scipy.stats.kruskal(*groups).statistic / (len(flat) - 1), rel=1e-9, abs=1e-9)


def test_p_is_the_share_of_the_ways_to_deal():
    # Of the 20 ways to choose three of six, two are as extreme: the three lowest first, or last.
    found = findings(norm={"a": [1, 2, 3], "b": [4, 5, 6]}).apart("norm")
    assert found.p == pytest.approx(2 / 20, abs=0.04)
    assert found.p == findings(norm={"a": [1, 2, 3], "b": [4, 5, 6]}).apart("norm").p
    assert found.share == pytest.approx(13.5 / 17.5)


def test_p_is_never_zero():
    # Of the 2.7 million ways to choose twelve of twenty-four none of 999 shuffles is as extreme: what is there is one of 1,000.
    assert findings(seeds=12, norm={"a": range(12), "b": range(12, 24)}).apart("norm").p == 1 / 1000


def test_a_deal_that_differs_by_rounding_alone_is_as_extreme():
    shares = {"a": [6, 7, 0], "b": [7, 4, 4], "c": [5, 2, 8]}  # the ranks' means are thirds, whose sums are rounded
    orders = itertools.permutations(shares)
    ps = {findings(norm={name: shares[name] for name in order}).apart("norm").p for order in orders}
    assert min(ps) >= 0.98


def test_variants_that_differ_by_chance_are_not_told_apart():
    rng = np.random.default_rng(0)
    ps = [findings(norm={name: rng.normal(size=4) for name in "abc"}).apart("norm").p for _ in range(100)]
    assert 0.35 < np.mean(ps) < 0.65
    assert np.mean(np.array(ps) < 0.1) < 0.2


def test_a_variant_without_a_number_is_left_out():
    found = findings(norm={"a": [1, 2, np.nan], "b": [3, 4, 5], "c": [np.nan] * 3})
    assert found.said("norm", "a") == "1.5 ± 0.71 (2 of 3)"
    assert found.said("norm", "c") == "–"
    assert found.apart("norm").share == findings(norm={"a": [1, 2], "b": [3, 4, 5]}).apart("norm").share
    row = next(row for row in table(found) if row[0] == "norm of the weights")
    assert row[1:4] == ["1.5 ± 0.71 (2 of 3)", "4 ± 1", "–"]
    assert plain(found)["norm"]["variants"]["a"] == {"mean": 1.5, "spread": pytest.approx(0.5**0.5), "values": [1.0, 2.0, None]}


def test_equal_numbers_have_no_spread_at_all():
    found = findings(norm={"a": [0.1, 0.1, 0.1], "b": [0.905] * 3})
    assert found.said("norm", "a") == "0.1 ± 0"
    assert found.said("norm", "b") == "0.905 ± 0"
    assert found.spread("norm", "a") == 0


def test_what_is_no_number_is_nothing_in_a_file():
    found = plain(findings(norm={"a": [1, np.nan, np.nan], "b": [np.nan] * 3}))["norm"]
    assert found["variants"]["a"] == {"mean": 1, "spread": None, "values": [1, None, None]}
    assert found["variants"]["b"] == {"mean": None, "spread": None, "values": [None] * 3}
    assert found["apart"] is None


def test_numbers_that_are_all_equal_tell_nothing_apart():
    found = findings(norm={"a": [2, 2, 2], "b": [2, 2, 2]})
    assert found.apart("norm") is None
    assert table(found)[1][-1] == "–"
    assert findings(norm={"a": [1, 2, 3], "b": [np.nan] * 3}).apart("norm") is None  # nor does one variant alone


def test_what_only_this_comparison_asks_stands_first_in_its_table():
    own = Measure(name="own", label="own", meaning="Of this one.")
    found = replace(findings(norm={"a": [1, 2, 3], "b": [3, 4, 5]}, own={"a": [1, 1, 2], "b": [3, 3, 3]}), further=(own,))
    assert [row[0] for row in table(found)[1:]] == ["own", "norm of the weights"]
    assert meanings(found)["own"] == "Of this one."


def test_shares_are_written_in_percent():
    found = findings(test_accuracy={"a": [0.9, 0.92, 0.94], "b": [0.5, 0.5, 0.5]})
    assert found.said("test_accuracy", "a") == "92.0% ± 2.0"


@pytest.mark.parametrize(
    ("low", "verdict", "counted"),
    [([1, 2, 3], "held", "3 of 3"), ([1, 9, 3], "not held", "2 of 3"), ([1, 2, 4], "not held", "2 of 3")],
)
def test_lower_is_held_in_every_seed_or_not_at_all(low, verdict, counted):
    claim = lower(findings(norm={"a": low, "b": [4, 4, 4]}), "norm", "a", "b", text="T.", source="S")
    assert claim.verdict == verdict
    assert f"lower in {counted} seeds" in claim.number
    assert "norm of the weights" in claim.number


def test_a_seed_without_both_numbers_speaks_against_a_claim_of_every_seed():
    found = findings(norm={"a": [1, 1, 1], "b": [2, np.nan, 2]})
    claim = lower(found, "norm", "a", "b", text="T.", source="S")
    assert claim.verdict == "not held"
    assert claim.number.endswith("1 ± 0 (a) beside 2 ± 0 (2 of 3) (b); lower in 2 of 3 seeds")


@pytest.mark.parametrize(
    ("a", "b", "verdict"),
    [
        ([3, 4, 5], [9, np.nan, 8], "held"),  # what never fits is later than all that do
        ([3, 4, 5], [np.nan] * 3, "held"),
        ([3, np.nan, 5], [9, 9, 9], "not held"),
        ([3, np.nan, 5], [9, np.nan, 9], "not held"),
        ([np.nan] * 3, [np.nan] * 3, "not testable here"),
    ],
)
def test_what_never_happened_is_later_than_what_did(a, b, verdict):
    assert lower(findings(epochs_to_fit={"a": a, "b": b}), "epochs_to_fit", "a", "b", text="T.", source="S").verdict == verdict


def test_pairs_share_networks_and_have_no_p():
    groups = {"a": [1, 2, 3], "b": [4, 5, 6]}
    found = findings(barrier_between_seeds=groups, norm=groups)
    assert found.apart("barrier_between_seeds").share == found.apart("norm").share
    assert np.isnan(found.apart("barrier_between_seeds").p)
    rows = {row[0]: row[-1] for row in table(found)}
    assert rows["barrier between seeds"] == "0.77"
    assert rows["norm of the weights"].startswith("0.77 (p 0.1")
    assert plain(found)["barrier_between_seeds"]["apart"]["p"] is None
    claim = lower(found, "barrier_between_seeds", "a", "b", text="T.", source="S")
    assert claim.number.endswith("lower in 3 of 3 pairs of seeds")
    claim = told_apart(found, "barrier_between_seeds", text="T.", source="S")
    assert claim.verdict == "not testable here"
    assert "pairs share networks" in claim.number


def test_a_claim_without_numbers_is_not_testable():
    found = findings(norm={"a": [np.nan] * 3, "b": [1, 2, 3]})
    assert lower(found, "norm", "a", "b", text="T.", source="S").verdict == "not testable here"
    assert told_apart(found, "length", text="T.", source="S").verdict == "not testable here"
    assert not_testable(text="T.", source="S", why="w").number == "w"


def test_told_apart_asks_for_less_than_one_in_twenty():
    apart = findings(norm={"a": [1, 2, 3, 4], "b": [5, 6, 7, 8]})
    mixed = findings(norm={"a": [1, 3, 5, 7], "b": [2, 4, 6, 8]})
    assert told_apart(apart, "norm", text="T.", source="S").verdict == "held"
    assert told_apart(mixed, "norm", text="T.", source="S").verdict == "not held"


@pytest.mark.parametrize(
    ("y", "options", "verdict"),
    [
        ([1.0, 2, 3, 4, 5, 6], {}, "held"),
        ([1.0, 2, 3, 4, 5, 6], {"falls": True}, "not held"),
        ([6.0, 5, 4, 3, 2, 1], {"falls": True}, "held"),
        ([6.0, 5, 4, 3, 2, 1], {}, "not held"),
        ([1.0, 3, 2, 5, 4, 6], {}, "held"),  # 0.886, p = 0.02
        ([1.0, 3, 2, 5, 4, 6], {"beyond": 0.9}, "not held"),
        ([3.0, 1, 2, 6, 4, 5], {}, "not held"),  # 0.66 of six is chance: p = 0.16
        ([2.0, 2, 2, 2, 2, 2], {}, "not testable here"),
        ([1.0, 2, np.nan, np.nan, np.nan, np.nan], {}, "not testable here"),
    ],
)
def test_a_rank_correlation_has_to_be_beyond_chance(y, options, verdict):
    x = np.arange(6.0)
    claim = ranked(x, np.array(y), of="y and x", text="It grows.", source="here", why="too few", **options)
    assert claim.verdict == verdict
    if verdict == "not testable here":
        assert claim.number == "too few"
    else:
        assert claim.number.startswith(f"y and x: rank correlation {scipy.stats.spearmanr(x, y).statistic:.2f} (p = ")
