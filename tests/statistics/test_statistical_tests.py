"""Tests of the tests: published oracles, degenerate cases, and properties."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from stabbench.statistics import (
    DirectedTest,
    failure_test,
    levene_test,
    mean_test,
    spread_test,
)

scores = st.lists(st.floats(0, 1, width=32), min_size=3, max_size=12)

# NIST/SEMATECH e-Handbook, GEAR.DAT: ten batches.
GEAR = [
    [1.006, 0.996, 0.998, 1.000, 0.992, 0.993, 1.002, 0.999, 0.994, 1.000],
    [0.998, 1.006, 1.000, 1.002, 0.997, 0.998, 0.996, 1.000, 1.006, 0.988],
    [0.991, 0.987, 0.997, 0.999, 0.995, 0.994, 1.000, 0.999, 0.996, 0.996],
    [1.005, 1.002, 0.994, 1.000, 0.995, 0.994, 0.998, 0.996, 1.002, 0.996],
    [0.998, 0.998, 0.982, 0.990, 1.002, 0.984, 0.996, 0.993, 0.980, 0.996],
    [1.009, 1.013, 1.009, 0.997, 0.988, 1.002, 0.995, 0.998, 0.981, 0.996],
    [0.990, 1.004, 0.996, 1.001, 0.998, 1.000, 1.018, 1.010, 0.996, 1.002],
    [0.998, 1.000, 1.006, 1.000, 1.002, 0.996, 0.998, 0.996, 1.002, 1.006],
    [1.002, 0.998, 0.996, 0.995, 0.996, 1.004, 1.004, 0.998, 0.999, 0.991],
    [0.991, 0.995, 0.984, 0.994, 0.997, 0.997, 0.991, 0.998, 1.004, 0.997],
]
GEAR_1, GEAR_2 = GEAR[:2]


def brown_forsythe(*batches: list[float], center: str = "median") -> float:
    """W of Levene (around the mean) or of Brown and Forsythe (around the median), written out."""
    groups = []
    for values in batches:
        ordered = sorted(values)
        middle = len(values) // 2
        median = ordered[middle] if len(values) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
        around = median if center == "median" else math.fsum(values) / len(values)
        groups.append([abs(v - around) for v in values])
    n, k = sum(map(len, groups)), len(groups)
    means = [sum(g) / len(g) for g in groups]
    grand = sum(map(sum, groups)) / n
    between = sum(len(g) * (m - grand) ** 2 for g, m in zip(groups, means, strict=True))
    within = sum(sum((d - m) ** 2 for d in g) for g, m in zip(groups, means, strict=True))
    return (n - k) / (k - 1) * between / within


def no_more_often(times: int, trials: int, rate: float) -> bool:
    """Whether a true rate of at most ``rate`` explains so many (one-sided, at .001)."""
    return float(stats.binomtest(times, trials, rate, alternative="greater").pvalue) > 0.001


@pytest.mark.parametrize(("center", "w"), [("median", 1.7059176930), ("mean", 2.1594598565)])
def test_the_formula_written_out_has_the_published_value(center: str, w: float) -> None:
    assert brown_forsythe(*GEAR, center=center) == pytest.approx(w, rel=1e-7)


@pytest.mark.parametrize("center", ["median", "mean"])
def test_levene_equals_the_formula_written_out(center: str) -> None:
    for x, y in itertools.pairwise(GEAR):
        result = levene_test(x, y, center)  # type: ignore[arg-type]
        w = brown_forsythe(x, y, center=center)
        assert result.statistic == pytest.approx(w)
        assert result.p == pytest.approx(float(stats.f.sf(w, 1, 18)))


def test_the_two_centers_differ_and_are_two_sided() -> None:
    for center in ("mean", "median"):
        forth, back = levene_test(GEAR_1, GEAR_2, center), levene_test(GEAR_2, GEAR_1, center)
        assert forth.p == pytest.approx(back.p)
    assert levene_test(GEAR_1, GEAR_2, "mean").p != levene_test(GEAR_1, GEAR_2, "median").p


def test_boschloo_has_scipys_published_value() -> None:
    assert failure_test(74, 117, 31, 63).p_worse == pytest.approx(0.0355641, abs=1e-6)


def test_mann_whitney_stands_in_where_a_set_is_constant() -> None:
    """Of the 20 ways to choose three of six one gives the lowest rank sum."""
    result = mean_test([0.5, 0.5, 0.5], [0.7, 0.71, 0.72])
    assert result.method == "Mann-Whitney"
    assert result.p_worse == pytest.approx(1 / 20)
    assert result.p_better == pytest.approx(1)
    assert "candidate" in result.note


def test_mann_whitney_is_exact_with_ties() -> None:
    """Against every way to choose, one by one."""
    x, y = [0.6, 0.6, 0.6], [0.5, 0.6, 0.7, 0.8]
    pool = x + y
    mid = [sum(v < w for v in pool) + (sum(v == w for v in pool) + 1) / 2 for w in pool]
    sums = [sum(mid[i] for i in chosen) for chosen in itertools.combinations(range(7), 3)]
    observed = sum(mid[:3])
    result = mean_test(x, y)
    assert result.p_worse == pytest.approx(sum(s <= observed for s in sums) / len(sums))
    assert result.p_better == pytest.approx(sum(s >= observed for s in sums) / len(sums))


def test_welch_is_one_sided_both_ways() -> None:
    low, high = [0.5, 0.52, 0.51, 0.49], [0.6, 0.61, 0.63, 0.59]
    result = mean_test(low, high)
    assert result.method == "Welch"
    assert result.p_worse is not None
    assert result.p_better is not None
    assert result.p_worse < 0.001
    assert result.p_worse + result.p_better == pytest.approx(1)


def test_collapsed_runs_look_steady_only_to_a_test_without_direction() -> None:
    """Ten of ten runs collapsed: the two-sided test is significant, the directed one does not call it worse."""
    collapsed, healthy = [0.5] * 10, [0.7 + 0.01 * i for i in range(10)]
    assert (levene_test(collapsed, healthy).p or 1) < 0.01
    spread = spread_test(collapsed, healthy)
    assert spread.p_worse is not None
    assert spread.p_worse > 0.99
    assert "candidate" in spread.note
    assert (failure_test(10, 10, 0, 10).p_worse or 1) < 1e-4


@pytest.mark.parametrize(
    ("x", "y", "note"),
    [
        ([0.5, 0.6], [0.5, 0.6, 0.7], "at least 3"),
        ([], [], "at least 3"),
        ([0.5] * 4, [0.6] * 4, "equal spread"),
        ([0.1, 0.1, 0.3, 0.3], [0.2, 0.2, 0.4, 0.4], "deviations"),
    ],
)
def test_what_is_not_defined_is_none_with_a_reason(x: list[float], y: list[float], note: str) -> None:
    assert levene_test(x, y).p is None
    assert note in levene_test(x, y).note
    assert spread_test(x, y).p_worse is None


def test_no_failed_runs_on_either_side_is_p_1_and_no_runs_is_none() -> None:
    assert failure_test(0, 10, 0, 12) == DirectedTest(1.0, 1.0, "Boschloo", "no failed runs on either side")
    assert failure_test(0, 0, 0, 12).p_worse is None


@pytest.mark.parametrize("counts", [(1, 1, 0, 50), (0, 1, 5, 50), (20, 20, 0, 1), (0, 20, 1, 1)])
def test_a_single_run_is_no_rate(counts: tuple[int, int, int, int]) -> None:
    found = failure_test(*counts)
    assert (found.p_worse, found.p_better) == (None, None)
    assert "at least 2 runs" in found.note
    assert (failure_test(2, 2, 0, 50).p_worse or 1) < 0.05 / 3


def test_a_mean_of_a_single_score_is_not_tested() -> None:
    assert mean_test([0.5], [0.5, 0.6]).p_worse is None


def test_scores_that_are_not_finite_are_refused_not_omitted() -> None:
    with pytest.raises(ValueError, match="finite"):
        levene_test([0.5, math.nan, 0.6], [0.5, 0.6, 0.7])


@given(scores, scores)
def test_p_values_are_probabilities_or_none_and_never_nan(x: list[float], y: list[float]) -> None:
    for result in (spread_test(x, y), mean_test(x, y)):
        for p in (result.p_worse, result.p_better):
            assert p is None or 0 <= p <= 1
    two_sided = levene_test(x, y).p
    assert two_sided is None or 0 <= two_sided <= 1


@given(scores, scores, st.randoms(use_true_random=False))
def test_the_order_of_seeds_does_not_matter(x: list[float], y: list[float], random: object) -> None:
    mixed = list(x)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    before, after = spread_test(x, y).p_worse, spread_test(mixed, y).p_worse
    assert before == pytest.approx(after, rel=1e-6) if before is not None else after is None


@given(scores, scores)
def test_swapping_the_sides_swaps_the_directions(x: list[float], y: list[float]) -> None:
    forth, back = spread_test(x, y), spread_test(y, x)
    if forth.p_worse is None:
        assert back.p_worse is None
    elif forth.p_worse != pytest.approx(0.5):
        assert forth.p_worse == pytest.approx(back.p_better, rel=1e-6, abs=1e-12)


@given(st.integers(0, 12), st.integers(0, 12))
def test_more_failed_runs_are_never_less_suspicious(failed: int, reference_failed: int) -> None:
    if failed < 12:
        fewer, more = failure_test(failed, 12, reference_failed, 12), failure_test(failed + 1, 12, reference_failed, 12)
        assert fewer.p_worse is not None
        assert more.p_worse is not None
        assert more.p_worse <= fewer.p_worse + 1e-9


def test_student_pools_the_variances() -> None:
    x, y = [0.5, 0.52, 0.51, 0.49, 0.5], [0.6, 0.5, 0.55]
    squares = sum((v - 0.504) ** 2 for v in x) + sum((v - 0.55) ** 2 for v in y)
    t = (0.504 - 0.55) / math.sqrt(squares / 6 * (1 / 5 + 1 / 3))
    result = mean_test(x, y, pooled=True)
    assert result.method == "Student"
    assert result.p_worse == pytest.approx(float(stats.t.cdf(t, 6)))
    assert result.p_better == pytest.approx(float(stats.t.sf(t, 6)))
    assert mean_test(x, y).p_worse != pytest.approx(result.p_worse)


def test_student_too_gives_way_where_a_set_is_constant() -> None:
    assert mean_test([0.5] * 3, [0.7, 0.71, 0.72], pooled=True).method == "Mann-Whitney"


@pytest.mark.parametrize("n", [3, 4, 5])
def test_all_against_none_is_at_least_as_clear_as_to_fisher(n: int) -> None:
    p = failure_test(n, n, 0, n).p_worse
    assert p is not None
    assert 0 < p <= 1 / math.comb(2 * n, n) + 1e-12


def test_the_rate_test_keeps_its_level_exactly() -> None:
    """Summed over all tables of 8 and 12 runs, at every tenth of a rate."""
    rejected = np.array(
        [[failure_test(i, 8, j, 12).p_worse <= 0.05 for j in range(13)] for i in range(9)]  # type: ignore[operator]
    )
    sizes = [
        float(stats.binom.pmf(range(9), 8, rate) @ rejected @ stats.binom.pmf(range(13), 12, rate))
        for rate in np.linspace(0.1, 0.9, 9)
    ]
    assert max(sizes) <= 0.05
    assert max(sizes) > 0.025  # Fisher's test is far below its level here


@pytest.mark.parametrize("collapsing", [0.0, 0.1])
def test_the_spread_test_keeps_its_level_with_and_without_collapsed_runs(collapsing: float) -> None:
    draw, trials, alarms = np.random.default_rng(1), 800, 0
    for _ in range(trials):
        x, y = draw.normal(0.7, 0.02, (2, 10)) - 0.2 * (draw.random((2, 10)) < collapsing)
        alarms += (spread_test(x, y).p_worse or 1) <= 0.05
    assert no_more_often(alarms, trials, 0.05)
    assert alarms > 0


def test_the_spread_test_has_the_power_that_the_documentation_claims() -> None:
    """20 runs an arm at a ratio of 2: .83."""
    draw, trials = np.random.default_rng(2), 600
    found = sum((spread_test(draw.normal(0, 2, 20), draw.normal(0, 1, 20)).p_worse or 1) <= 0.05 for _ in range(trials))
    assert abs(found / trials - 0.83) < 3.3 * math.sqrt(0.83 * 0.17 / trials)


@pytest.mark.parametrize("ratio", [1.0, 4.0])
def test_the_mean_test_keeps_its_level_with_unequal_spread(ratio: float) -> None:
    draw, trials = np.random.default_rng(4), 800
    alarms = sum(
        (mean_test(draw.normal(0, ratio, 8), draw.normal(0, 1, 25)).p_worse or 1) <= 0.05 for _ in range(trials)
    )
    assert no_more_often(alarms, trials, 0.05)
    assert no_more_often(trials - alarms, trials, 0.95)


def test_mann_whitney_of_many_scores_is_close_to_the_exact_one_and_small() -> None:
    reference = [0.49 + 0.0003 * i for i in range(100)]
    exact, many = mean_test([0.5] * 50, reference[:50]), mean_test([0.5] * 51, reference[:50])
    assert exact.p_worse is not None
    assert many.p_worse is not None
    assert many.p_worse == pytest.approx(exact.p_worse, rel=0.3)
    assert mean_test([0.5] * 5000, [0.5] * 5000).p_worse == 1.0


def test_scores_that_agree_to_the_last_bits_raise_no_warning() -> None:
    assert mean_test([0.7] * 9 + [0.7000000000000002], [0.71, 0.72, 0.73]).method == "Welch"


def test_many_runs_are_judged_at_once() -> None:
    """Boschloo's test of 10,000 runs against 10,000 would take days, and all their permutations gigabytes."""
    assert failure_test(5, 300, 9, 300).method == "Boschloo"
    found = failure_test(140, 10_000, 100, 10_000)
    assert found.method == "Fisher"
    # The normal approximation, z = 39 / 15.4 with its correction for continuity.
    assert found.p_worse == pytest.approx(0.0057, rel=0.05)
    assert failure_test(100, 10_000, 140, 10_000).p_better == pytest.approx(found.p_worse)
