"""Permutation tests against scipy's and against every split, their inversions, and what they are there for."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from stabbench.statistics import (
    mean_test,
    permutation,
    permuted_mean_difference,
    permuted_mean_test,
    permuted_spread_test,
    spread_test,
)

# Sixteenths: sums and differences are exact, and ties are ties.
few = st.lists(st.integers(0, 40).map(lambda k: k / 16), min_size=3, max_size=6)
DRAW = np.random.default_rng(0)
WIDE, NARROW = DRAW.normal(0.7, 0.05, 12).tolist(), DRAW.normal(0.72, 0.02, 30).tolist()


def mean_deviation(scores: NDArray[np.float64], axis: int = -1) -> NDArray[np.float64]:
    return np.abs(scores - np.median(scores, axis=axis, keepdims=True)).mean(axis=axis)


def of_every_split(x: list[float], y: list[float], statistic: object) -> NDArray[np.float64]:
    """The statistic of the two sets of every split, the observed one first."""
    pool = np.array(x + y)
    found = []
    for places in itertools.combinations(range(len(pool)), len(x)):
        chosen = np.isin(np.arange(len(pool)), places)
        found.append(float(statistic(pool[chosen]) - statistic(pool[~chosen])))  # type: ignore[operator]
    return np.array(found)


def centred(scores: list[float]) -> list[float]:
    return [v - float(np.median(scores)) for v in scores]


quick = settings(deadline=None, max_examples=25)


@quick
@given(few, few)
def test_the_mean_is_exact_where_all_splits_fit(x: list[float], y: list[float]) -> None:
    splits, found = of_every_split(x, y, np.mean), permuted_mean_test(x, y)
    assert found.p_worse == pytest.approx((splits <= splits[0] + 1e-9).mean())
    assert found.p_better == pytest.approx((splits >= splits[0] - 1e-9).mean())


@quick
@given(few, few)
def test_the_spread_of_few_is_exact_and_found_in_scores_and_in_distances(x: list[float], y: list[float]) -> None:
    splits = [of_every_split(x, y, mean_deviation), of_every_split(centred(x), centred(y), mean_deviation)]
    found = permuted_spread_test(x, y)
    assert found.p_worse == pytest.approx(max((s >= s[0] - 1e-9).mean() for s in splits))
    assert found.p_better == pytest.approx(max((s <= s[0] + 1e-9).mean() for s in splits))


@pytest.mark.parametrize(
    ("test", "statistic", "worse"),
    [(permuted_mean_test, np.mean, "less"), (permuted_spread_test, mean_deviation, "greater")],
)
def test_random_splits_agree_with_scipys(test: object, statistic: object, worse: str) -> None:
    x, y = ([v - 0.005 for v in WIDE], NARROW) if worse == "less" else ([0.6 * v for v in WIDE], NARROW)
    expected = stats.permutation_test(
        (x, y) if worse == "less" else (centred(x), centred(y)),
        lambda a, b, axis: statistic(a, axis=axis) - statistic(b, axis=axis),  # type: ignore[operator]
        alternative=worse, vectorized=True, n_resamples=9_999, rng=np.random.default_rng(1),
    ).pvalue  # fmt: skip
    p = test(x, y).p_worse  # type: ignore[operator]
    assert 0.001 < p < 0.5
    assert abs(p - expected) < 4.5 * math.sqrt(2 * p * (1 - p) / 9_999)


def test_a_spread_is_found_beside_another_mean() -> None:
    wide = [0.9 + 4 * v for v in centred(NARROW[:20])]
    assert permuted_spread_test(wide, NARROW).p_worse == pytest.approx(1e-4)
    assert permuted_spread_test(NARROW, wide).p_better == pytest.approx(1e-4)


@pytest.mark.parametrize(("x", "y"), [(WIDE, NARROW), (WIDE[:3], NARROW[:4]), (WIDE[:5], NARROW[:6])])
@pytest.mark.parametrize("alpha", [0.3, 0.05, 0.025])
def test_a_bound_is_where_the_test_begins_to_reject(x: list[float], y: list[float], alpha: float) -> None:
    bounds = permuted_mean_difference(x, y, alpha)
    assert bounds.estimate == pytest.approx(np.mean(x) - np.mean(y))
    assert bounds.low is not None
    assert bounds.high is not None
    for bound, outwards, side in ((bounds.low, -1, "p_better"), (bounds.high, 1, "p_worse")):
        if math.isinf(bound):
            assert 1 / math.comb(len(x) + len(y), len(x)) > alpha
            continue
        for step, rejected in ((1e-9, True), (-1e-9, False)):
            shifted = [v - bound - outwards * step for v in x]
            p = getattr(permuted_mean_test(shifted, y), side)
            assert (p <= alpha) is rejected


def test_three_against_three_bound_nothing_at_95_percent() -> None:
    assert permuted_mean_difference([1.0, 2, 3], [7.0, 8, 9]).low == -math.inf
    assert permuted_mean_difference([1.0, 2, 3], [7.0, 8, 9], 0.05).high < 0  # type: ignore[operator]


@quick
@given(few, few, st.sampled_from([0.5, 2, 8]), st.integers(-8, 8), st.randoms(use_true_random=False))
def test_neither_units_nor_the_order_of_seeds_matter(
    x: list[float], y: list[float], scale: float, shift: int, random: object
) -> None:
    x, y = 4 * x, 2 * y  # too many for every split
    mixed = [scale * v + shift for v in x]
    random.shuffle(mixed)  # type: ignore[attr-defined]
    other = [scale * v + shift for v in y]
    for test in (permuted_mean_test, permuted_spread_test):
        assert test(mixed, other) == test(x, y)
    assert permuted_mean_difference(mixed, other).low == pytest.approx(
        scale * (permuted_mean_difference(x, y).low or 0), abs=1e-9
    )


def test_scores_that_are_apart_have_the_p_value_of_their_split_alone() -> None:
    low, high = [0.1 + 0.01 * i for i in range(10)], [0.5 + 0.01 * i for i in range(40)]
    assert permuted_mean_test(low, high).p_worse == pytest.approx(1 / math.comb(50, 10))
    assert permuted_mean_test(high, low).p_better == pytest.approx(1 / math.comb(50, 10))
    assert permuted_mean_test([*low, 0.55], high).p_worse == pytest.approx(1e-4)


@pytest.mark.parametrize("few", [[], [0.5], [0.5, 0.7]])
def test_the_spread_of_fewer_than_three_scores_is_not_tested(few: list[float]) -> None:
    for found in (permuted_spread_test(few, NARROW), permuted_spread_test(NARROW, few)):
        assert (found.p_worse, found.p_better) == (None, None)
        assert "at least 3" in found.note
    if not few:
        assert permuted_mean_test(few, NARROW).p_worse is None
        assert permuted_mean_difference(NARROW, few).estimate is None


def test_constants_have_no_spread() -> None:
    for y in ([0.5] * 4, [0.7] * 4):
        assert permuted_mean_test([0.5] * 4, y).p_better == 1
    assert permuted_spread_test([0.5] * 4, [0.5] * 4).p_worse == 1
    assert permuted_spread_test([0.5] * 4, NARROW).p_worse == pytest.approx(1)


def test_one_collapsed_run_of_five_is_no_spread() -> None:
    steady = [0.7 + 0.001 * (i % 11) for i in range(50)]
    five = [0.5, 0.7, 0.703, 0.705, 0.708]
    assert (spread_test(five, steady).p_worse or 1) < 0.01
    assert (permuted_spread_test(five, steady).p_worse or 0) > 0.05 / 3


def test_a_small_sets_smaller_deviations_are_not_taken_for_a_smaller_spread() -> None:
    """Six against four that collapse now and then, and fifty against three: the same recipe on both sides."""
    draw, trials = np.random.default_rng(5), 250
    for n, m, collapsing in ((6, 4, 0.3), (4, 4, 0.3), (50, 3, 0.0)):
        alarms = 0
        for _ in range(trials):
            x, y = (np.where(draw.random(k) < collapsing, 0.5, draw.uniform(0.7, 0.72, k)) for k in (n, m))
            if (spread_test(x, y).p_worse or 1) <= 0.05:
                alarms += (permuted_spread_test(x, y).p_worse or 0) <= 0.05
        assert stats.binomtest(alarms, trials, 0.05, alternative="greater").pvalue > 0.001


def test_a_baseline_without_the_runs_that_collapse_now_and_then_does_not_make_the_mean_worse() -> None:
    """Ten runs against fifty, one in ten collapsing: Welch's test alone alarms in a fifth of the cases."""
    draw, trials = np.random.default_rng(6), 300
    alone = both = 0
    for _ in range(trials):
        x, y = (np.where(draw.random(k) < 0.1, 0.527, draw.normal(0.78, 0.012, k)).tolist() for k in (50, 10))
        if (mean_test(x, y).p_worse or 1) <= 0.05:
            alone += 1
            both += (permuted_mean_test(x, y).p_worse or 0) <= 0.05
    assert alone > 0.12 * trials
    assert stats.binomtest(both, trials, 0.05, alternative="greater").pvalue > 0.001
    assert both > 0


def test_many_runs_are_split_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(7)
    many = draw.normal(0.7, 0.02, 600).tolist()
    fewer = [v - 0.002 for v in many[:300]]
    p = permuted_mean_test(fewer, many).p_worse
    monkeypatch.setattr(permutation, "AT_ONCE", 100_000)
    permutation._critical_shifts.cache_clear()
    in_parts = permuted_mean_test(fewer, many).p_worse
    assert p is not None
    assert in_parts is not None
    assert 0 < in_parts < 1
    assert abs(p - in_parts) < 0.03
    assert permutation._critical_shifts(tuple(sorted(fewer)), tuple(sorted(many))).size == permutation.PERMUTATIONS
