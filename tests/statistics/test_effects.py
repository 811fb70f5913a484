"""Effects and their bounds: oracles, the tests that they are the inversion of, coverage, and what is not defined."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from stabbench.statistics import (
    UNDEFINED,
    Effect,
    clopper_pearson,
    mean_difference,
    mean_test,
    rate_difference,
    spread_ratio,
    spread_test,
    superiority,
    wilson,
)

scores = st.lists(st.floats(0, 1, width=32), max_size=12)
# Multiples of a power of two: shifting and doubling them is exact.
dyadic = st.lists(st.integers(0, 64).map(lambda k: k / 64), min_size=3, max_size=12)
alphas = st.sampled_from([0.001, 0.025, 0.05, 0.2])
inf = math.inf


def around_its_median(scores: list[float], scale: float) -> list[float]:
    median = float(np.median(scores))
    return [median + scale * (s - median) for s in scores]


def covers(inside: int, trials: int) -> bool:
    """Whether a coverage of at least 95% explains so few (one-sided, at .001)."""
    return float(stats.binomtest(inside, trials, 0.95, alternative="less").pvalue) > 0.001


def bounds(effect: Effect) -> list[float]:
    assert effect.estimate is not None
    assert effect.low is not None
    assert effect.high is not None
    return [effect.estimate, effect.low, effect.high]


def in_order(effect: Effect) -> bool:
    if effect == UNDEFINED:
        return True
    estimate, low, high = bounds(effect)
    return low <= estimate + 1e-9 and estimate <= high + 1e-9  # False for a NaN


@pytest.mark.parametrize(
    ("failed", "planned", "alpha", "low", "high"),
    [
        (20, 100, 0.025, 0.12666, 0.29184),
        (0, 10, 0.025, 0, 0.3084971),
        (0, 10, 0.05, 0, 0.2588656),
        (10, 10, 0.025, 0.6915029, 1),
        (0, 0, 0.025, 0, 1),
    ],
)
def test_clopper_pearson_has_the_published_bounds(
    failed: int, planned: int, alpha: float, low: float, high: float
) -> None:
    assert clopper_pearson(failed, planned, alpha) == pytest.approx((low, high), abs=1e-5)


@given(st.integers(1, 40), st.data(), alphas)
def test_clopper_pearson_inverts_the_binomial_test(planned: int, data: st.DataObject, alpha: float) -> None:
    failed = data.draw(st.integers(0, planned))
    low, high = clopper_pearson(failed, planned, alpha)
    assert low <= failed / planned <= high
    if failed > 0:
        assert stats.binom.sf(failed - 1, planned, low) == pytest.approx(alpha)
    if failed < planned:
        assert stats.binom.cdf(failed, planned, high) == pytest.approx(alpha)


def test_wilson_is_the_formula_written_out() -> None:
    z2 = stats.norm.ppf(0.975) ** 2
    for failed, planned in [(0, 10), (3, 10), (10, 10), (1, 1)]:
        rate = failed / planned
        middle = (rate + z2 / (2 * planned)) / (1 + z2 / planned)
        reach = math.sqrt(z2 * (rate * (1 - rate) + z2 / (4 * planned)) / planned) / (1 + z2 / planned)
        assert wilson(failed, planned) == pytest.approx((middle - reach, middle + reach), abs=1e-12)
    assert wilson(0, 0) is None


@pytest.mark.parametrize(("margin", "runs"), [(0.1, 29), (0.2, 14), (0.3, 9)])
def test_without_failed_runs_no_worse_takes_so_many(margin: float, runs: int) -> None:
    highs = [rate_difference(0, n, 0, 50, 0.05).high for n in range(1, runs + 1)]
    assert [high is not None and high <= margin for high in highs] == [False] * (runs - 1) + [True]


@given(st.integers(1, 30), st.integers(1, 60), st.data())
def test_against_a_reference_without_failed_runs_the_upper_bound_is_exact(n: int, m: int, data: st.DataObject) -> None:
    failed = data.draw(st.integers(0, n))
    assert rate_difference(failed, n, 0, m).high == pytest.approx(clopper_pearson(failed, n)[1])


@given(st.integers(1, 30), st.integers(1, 30), alphas, st.data())
def test_the_difference_of_rates_is_bounded_and_antisymmetric(
    n: int, m: int, alpha: float, data: st.DataObject
) -> None:
    k, j = data.draw(st.integers(0, n)), data.draw(st.integers(0, m))
    forth, back = rate_difference(k, n, j, m, alpha), rate_difference(j, m, k, n, alpha)
    assert in_order(forth)
    assert forth.estimate == pytest.approx(k / n - j / m)
    assert (forth.low, forth.high) == pytest.approx((-back.high, -back.low))  # type: ignore[operator]
    assert forth.low >= -1 - 1e-9  # type: ignore[operator]
    assert forth.high <= 1 + 1e-9  # type: ignore[operator]


@given(st.integers(2, 30), st.integers(1, 30), st.data())
def test_one_more_failed_run_raises_both_bounds(n: int, m: int, data: st.DataObject) -> None:
    k, j = data.draw(st.integers(0, n - 1)), data.draw(st.integers(0, m))
    fewer, more = rate_difference(k, n, j, m), rate_difference(k + 1, n, j, m)
    assert fewer.high < more.high + 1e-9  # type: ignore[operator]
    assert fewer.low < more.low + 1e-9  # type: ignore[operator]


def test_the_bounds_of_the_rates_cover_at_every_rate() -> None:
    """Summed over all tables, not simulated."""
    n, m = 14, 25
    effects = [[rate_difference(i, n, j, m) for j in range(m + 1)] for i in range(n + 1)]
    for rate, reference in itertools.product([0.02, 0.1, 0.3, 0.5, 0.9], repeat=2):
        inside = np.array([[e.low <= rate - reference <= e.high for e in row] for row in effects])  # type: ignore[operator]
        coverage = stats.binom.pmf(range(n + 1), n, rate) @ inside @ stats.binom.pmf(range(m + 1), m, reference)
        assert coverage >= 0.95


@given(scores, scores, alphas)
def test_the_bounds_of_the_spread_invert_the_spread_test(x: list[float], y: list[float], alpha: float) -> None:
    effect = spread_ratio(x, y, alpha)
    for bound, direction in ((effect.low, "p_worse"), (effect.high, "p_better")):
        if bound is not None and 0.01 < bound < 100:
            p = getattr(spread_test(x, around_its_median(y, bound)), direction)
            assert p is None or p == pytest.approx(alpha, rel=1e-3)


@given(dyadic, dyadic, alphas)
def test_a_ratio_of_one_is_outside_just_where_the_spread_test_alarms(
    x: list[float], y: list[float], alpha: float
) -> None:
    effect, test = spread_ratio(x, y, alpha), spread_test(x, y)
    assume(test.p_worse is not None and np.ptp(np.abs(np.array(y) - np.median(y))) > 0)
    assert (effect.low > 1) == (test.p_worse < alpha) or test.p_worse == pytest.approx(alpha, rel=1e-6)  # type: ignore[operator]
    assert (effect.high < 1) == (test.p_better < alpha) or test.p_better == pytest.approx(alpha, rel=1e-6)  # type: ignore[operator]


@given(dyadic, dyadic)
def test_the_spread_ratio_follows_scales_and_ignores_shifts_and_order(x: list[float], y: list[float]) -> None:
    before = spread_ratio(x, y)
    assert spread_ratio([s + 2 for s in x], [s - 1 for s in y]) == before
    assert spread_ratio([4 * s for s in x], [4 * s for s in y]) == before
    mixed = spread_ratio(x[::-1], y[1:] + y[:1])
    assert bounds(mixed) == pytest.approx(bounds(before), rel=1e-6, abs=1e-9)
    if before != Effect(1, 1, 1):  # all equal
        wider = spread_ratio([4 * s for s in x], y)
        assert bounds(wider) == pytest.approx([4 * bound for bound in bounds(before)], rel=1e-6, abs=1e-9)


@pytest.mark.parametrize(
    ("x", "y", "effect"),
    [
        ([], [], UNDEFINED),
        ([0.5, 0.6], [0.5, 0.6, 0.7], UNDEFINED),
        ([0.5, 0.6, 0.7], [0.5, 0.6], UNDEFINED),
        ([0.5] * 4, [0.6] * 9, Effect(1, 1, 1)),
        ([0.5, 0.6, 0.7], [0.6] * 9, Effect(inf, 0, inf)),
        # Clearly steadier; too few to tell.
        ([0.5] * 10, [0.6, 0.65, 0.7, 0.75, 0.8, 0.85], Effect(0, 0, 0)),
        ([0.5] * 3, [0.6, 0.7, 0.8], Effect(0, 0, inf)),
    ],
)
def test_the_spread_ratio_of_few_and_of_equal_scores(x: list[float], y: list[float], effect: Effect) -> None:
    assert spread_ratio(x, y) == effect


def test_too_few_runs_leave_the_spread_open_above() -> None:
    effect = spread_ratio([0.5, 0.6, 0.7], [0.5, 0.6, 0.71])
    assert effect.high == inf
    assert effect.low == 0
    much = spread_ratio([0.1, 0.3, 0.5, 0.7, 0.9, 0.2, 0.8], [0.5, 0.5, 0.5, 0.6])
    assert much.high == inf
    assert 0 < (much.low or 0) < inf


@given(scores, scores, alphas)
def test_the_bounds_of_the_mean_invert_welchs_test(x: list[float], y: list[float], alpha: float) -> None:
    effect = mean_difference(x, y, alpha)
    assume(min(len(x), len(y)) > 1 and min(np.ptp(x), np.ptp(y)) > 1e-3)
    for bound, direction in ((effect.low, "p_better"), (effect.high, "p_worse")):
        assert bound is not None
        assert getattr(mean_test([s - bound for s in x], y), direction) == pytest.approx(alpha, rel=1e-6)


@given(dyadic, dyadic)
def test_the_difference_of_means_follows_scales_and_ignores_shifts_and_order(x: list[float], y: list[float]) -> None:
    before = mean_difference(x, y)
    for after, factor in (
        (mean_difference([s + 2 for s in x], [s + 2 for s in y]), 1),
        (mean_difference([4 * s for s in x], [4 * s for s in y]), 4),
        (mean_difference(x[::-1], y[1:] + y[:1]), 1),
        (mean_difference(y, x), -1),
    ):
        assert after.estimate == pytest.approx(factor * before.estimate, abs=1e-12)  # type: ignore[operator]
        low, high = sorted(factor * bound for bound in bounds(before)[1:])
        assert bounds(after)[1:] == pytest.approx([low, high], abs=1e-12)


def test_the_difference_of_means_of_few_and_of_equal_scores() -> None:
    assert mean_difference([], [0.5]) == mean_difference([0.5], []) == UNDEFINED
    assert mean_difference([0.75], [0.5, 0.5, 0.5]) == Effect(0.25, -inf, inf)
    assert mean_difference([0.75] * 3, [0.5] * 2) == Effect(0.25, 0.25, 0.25)
    tiny = mean_difference([0.0, 1e-160], [0.0, 1e-160])
    assert tiny.estimate == 0
    assert in_order(tiny)


@given(scores, scores)
def test_no_bound_is_ever_nan_or_on_the_wrong_side(x: list[float], y: list[float]) -> None:
    for alpha in (1e-12, 0.025, 0.4):
        assert in_order(spread_ratio(x, y, alpha))
        assert in_order(mean_difference(x, y, alpha))


@pytest.mark.parametrize(("n", "m"), [(8, 50), (20, 20)])
def test_the_bounds_of_mean_and_spread_cover(n: int, m: int) -> None:
    draw, trials = np.random.default_rng(5), 1200
    mean = spread = 0
    for _ in range(trials):
        x, y = draw.normal(0.7, 0.03, n).tolist(), draw.normal(0.6, 0.03, m).tolist()
        difference, ratio = mean_difference(x, y), spread_ratio(x, y)
        mean += difference.low <= 0.1 <= difference.high  # type: ignore[operator]
        spread += ratio.low <= 1 <= ratio.high  # type: ignore[operator]
    assert covers(mean, trials)
    assert covers(spread, trials)


def test_superiority_has_the_published_value() -> None:
    share, p = superiority([19, 22, 16, 29, 24], [20, 11, 17, 12]) or (0, 0)
    assert share == pytest.approx(17 / 20)
    assert p == pytest.approx(0.1111111)


@given(scores, scores)
def test_superiority_counts_every_pair(x: list[float], y: list[float]) -> None:
    found = superiority(x, y)
    if found is None:
        assert not x or not y
    else:
        wins = [1.0 if a > b else 0.5 if a == b else 0.0 for a, b in itertools.product(x, y)]
        assert found[0] == pytest.approx(sum(wins) / len(wins))
        assert 0 <= found[1] <= 1
        assert superiority(y, x) == pytest.approx((1 - found[0], found[1]))


def test_superiority_of_ties_is_one_half() -> None:
    assert superiority([0.5, 0.5], [0.5]) == (0.5, 1.0)
