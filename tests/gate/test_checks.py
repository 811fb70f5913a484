"""The three checks: their floors, margins and bounds."""

import math

import numpy as np
import pytest
from scipy import stats

from stabbench.gate.checks import Check, measure
from stabbench.gate.looks import FIXED, Look
from stabbench.gate.rules import Rules
from stabbench.statistics import (
    Effect,
    Sample,
    mean_difference,
    mean_test,
    permuted_mean_difference,
    permuted_mean_test,
    permuted_spread_test,
    rate_difference,
    spread_ratio,
    spread_test,
)

HEALTHY = [0.7 + 0.004 * (i % 11) for i in range(33)]
COLLAPSED = 0.53


def sample(scores: list[float], failed: int = 0) -> Sample:
    """Of which the first so many collapsed."""
    return Sample([COLLAPSED] * failed + scores[failed:], [i < failed for i in range(len(scores))])


def checks(
    candidate: Sample, baseline: Sample, rules: Rules | None = None, look: Look = FIXED
) -> tuple[Check, Check, Check]:
    rate, spread, mean = measure(candidate, baseline, rules or Rules(), look)
    assert (rate.name, spread.name, mean.name) == ("failed runs", "spread", "mean")
    return rate, spread, mean


def test_effects_are_at_95_percent_and_bounds_at_alpha() -> None:
    x, y = HEALTHY[:17], HEALTHY
    rate, spread, mean = checks(sample(x, 3), sample(y, 2), Rules(alpha=0.1))
    assert rate.effect == rate_difference(3, 17, 2, 33)
    assert rate.bound == rate_difference(3, 17, 2, 33, 0.1).high
    x, y = [COLLAPSED] * 3 + x[3:], [COLLAPSED] * 2 + y[2:]
    assert spread.effect == spread_ratio(x, y)
    assert spread.bound == spread_ratio(x, y, 0.1).high
    assert mean.margin == -0.02


def test_the_mean_is_what_both_tests_find_and_its_bounds_the_outer_ones() -> None:
    """Of a small set without a collapsed run and a large one with some, and the other way round."""
    steady, unsteady = HEALTHY[:8], [COLLAPSED] * 4 + HEALTHY[:28]
    for x, y in ((steady, unsteady), (unsteady, steady)):
        _, _, mean = checks(sample(x), sample(y), Rules(alpha=0.1))
        welch, permuted = mean_test(x, y), permuted_mean_test(x, y)
        assert mean.test.p_worse == max(welch.p_worse, permuted.p_worse)  # type: ignore[type-var]
        assert mean.test.p_better == max(welch.p_better, permuted.p_better)  # type: ignore[type-var]
        assert "permuted" in mean.test.method
        for found, alpha in ((mean.effect, 0.025), (Effect(mean.effect.estimate, mean.bound, None), 0.1)):
            both = [test(x, y, alpha) for test in (mean_difference, permuted_mean_difference)]
            assert found.low == min(b.low for b in both)  # type: ignore[type-var]
            assert found.high is None or found.high == max(b.high for b in both)  # type: ignore[type-var]
        # Welch's bound alone is narrower than it may be.
        assert mean.effect != mean_difference(x, y)


def test_a_candidate_without_the_runs_that_collapse_does_not_pass_on_its_mean_for_that() -> None:
    """Of a recipe whose runs are worse by the margin and collapse now and then: once in twenty, not once in seven."""
    draw, trials, rules = np.random.default_rng(21), 300, Rules()
    alone = held = 0
    for _ in range(trials):
        x, y = (np.where(draw.random(k) < 0.1, 0.53, draw.normal(0.78, 0.012, k)) for k in (14, 50))
        x -= rules.mean_margin
        alone += mean_difference(x.tolist(), y.tolist(), 0.05).low >= -rules.mean_margin  # type: ignore[operator]
        held += checks(sample(x.tolist()), sample(y.tolist()))[2].non_inferior
    assert alone > 0.1 * trials
    assert stats.binomtest(held, trials, 0.05, alternative="greater").pvalue > 0.001


@pytest.mark.parametrize(("margin", "runs"), [(0.1, 29), (0.2, 14), (0.3, 9)])
def test_without_failed_runs_no_worse_takes_so_many(margin: float, runs: int) -> None:
    rules, baseline = Rules(rate_margin=margin), sample(HEALTHY)
    held = [checks(sample(HEALTHY[:n]), baseline, rules)[0].non_inferior for n in (runs - 1, runs)]
    assert held == [False, True]


def test_a_bound_at_one_look_of_several_is_wider() -> None:
    alone = checks(sample(HEALTHY[:10]), sample(HEALTHY))
    early, last = (checks(sample(HEALTHY[:10]), sample(HEALTHY), look=Look((5, 10), i)) for i in (0, 1))
    for fixed, first, second in zip(alone[:2], early[:2], last[:2], strict=True):
        assert fixed.bound < second.bound < first.bound  # type: ignore[operator]
        assert fixed.effect == first.effect
    assert alone[2].bound > last[2].bound > early[2].bound  # type: ignore[operator]


def test_the_spread_fails_only_on_what_both_tests_find() -> None:
    steady = [0.7 + 0.001 * (i % 11) for i in range(50)]
    _, spread, _ = checks(sample([0.7, 0.7, 0.703, 0.705, 0.708], 1), sample(steady))
    five = [COLLAPSED, 0.7, 0.703, 0.705, 0.708]
    assert (spread_test(five, steady).p_worse or 1) < 0.05
    assert spread.test.p_worse == permuted_spread_test(five, steady).p_worse
    _, steadier, _ = checks(sample(steady), sample([0.7, 0.7, 0.703, 0.705, 0.708], 1))
    assert steadier.test.p_better == permuted_spread_test(steady, five).p_better
    assert (spread_test(steady, five).p_better or 1) < 0.05 / 3
    assert "permuted" in spread.test.method
    _, unsuspicious, _ = checks(sample(HEALTHY[:11]), sample(HEALTHY))
    assert unsuspicious.test == spread_test(HEALTHY[:11], HEALTHY)


@pytest.mark.parametrize("floor", [0.05, 0.1, 0.15])
def test_a_rate_just_on_its_floor_is_over_it(floor: float) -> None:
    rules = Rules(rate_floor=floor)
    on, under = round(20 * floor), round(20 * floor) - 1
    assert checks(sample(HEALTHY[:20], on), sample(HEALTHY), rules)[0].exceeds_floor
    assert not checks(sample(HEALTHY[:20], under), sample(HEALTHY), rules)[0].exceeds_floor
    assert checks(sample(HEALTHY), sample(HEALTHY[:20], on), rules)[0].improves
    assert not checks(sample(HEALTHY), sample(HEALTHY[:20], under), rules)[0].improves


def test_a_mean_just_on_its_floor_is_over_it() -> None:
    for drop, over in ((0.01, True), (0.009, False)):
        lower = sample([s - drop for s in HEALTHY])
        assert checks(lower, sample(HEALTHY))[2].exceeds_floor is over
        assert checks(sample(HEALTHY), lower)[2].improves is over
        assert not checks(lower, sample(HEALTHY))[2].improves


def test_the_floor_of_the_spread_is_a_ratio_of_standard_deviations() -> None:
    for ratio, over in ((1.5, True), (1.49, False)):
        wide = sample([0.72 + ratio * (s - 0.72) for s in HEALTHY])
        assert checks(wide, sample(HEALTHY))[1].exceeds_floor is over
        assert not checks(wide, sample(HEALTHY))[1].improves
    assert checks(sample(HEALTHY), sample([0.72 + 1.6 * (s - 0.72) for s in HEALTHY]))[1].improves


def test_a_spread_that_rises_by_next_to_nothing_is_no_harm() -> None:
    """However many times the baseline's it is."""
    z = [(i % 11 - 5) / 5 for i in range(33)]
    for baseline in ([0.7] * 33, [0.7 + 1e-5 * v for v in z]):
        tiny, small, large = (sample([0.7 + width * v for v in z]) for width in (1e-4, 1e-3, 5e-3))
        for candidate, over, within in ((tiny, False, True), (small, False, True), (large, True, False)):
            _, spread, _ = checks(candidate, sample(baseline))
            assert (spread.exceeds_floor, spread.non_inferior) == (over, within)
            _, steadier, _ = checks(sample(baseline), candidate)
            assert steadier.improves is over
        assert checks(small, sample(baseline))[1].small_deviation == pytest.approx(1e-3, rel=0.5)
        assert not checks(small, sample(baseline), Rules(std_floor=0))[1].non_inferior
        assert checks(small, sample(baseline), Rules(std_floor=0))[1].exceeds_floor


def test_the_spread_of_collapsed_runs_is_no_virtue() -> None:
    rate, spread, _ = checks(sample(HEALTHY[:20], 20), sample(HEALTHY))
    assert rate.note == "every run of the candidate failed"
    assert spread.effect.estimate == 0
    assert not spread.improves


@pytest.mark.parametrize("scores", [[], [None, None, None], [0.7], [None, 0.7], [0.7, 0.71]])
def test_too_few_scores_hold_nothing(scores: list[float | None]) -> None:
    few = Sample(scores, [s is None for s in scores])
    for rate, spread, mean in (checks(few, sample(HEALTHY)), checks(sample(HEALTHY), few)):
        assert (spread.test.p_worse, spread.bound, spread.non_inferior) == (None, None, False)
        assert "at least 3" in spread.note
        if len(few.finite) < 2:
            assert (mean.test.p_worse, mean.non_inferior, spread.exceeds_floor) == (None, False, False)
        assert (rate.bound is None) == (not scores)
    assert not checks(few, sample(HEALTHY))[0].non_inferior


def test_an_open_bound_holds_no_margin() -> None:
    _, spread, mean = checks(sample([0.7]), sample(HEALTHY), Rules(spread_margin=1e6, mean_margin=1e6))
    assert (mean.bound, mean.non_inferior, spread.non_inferior) == (-math.inf, False, False)
    _, spread, _ = checks(sample([0.6, 0.7, 0.8]), sample([0.6, 0.7, 0.81]), Rules(spread_margin=1e6))
    assert (spread.bound, spread.non_inferior) == (math.inf, False)


@pytest.mark.parametrize("baseline_rate", [0.0, 0.04, 0.2])
def test_a_rate_just_at_the_margin_is_rarely_no_worse(baseline_rate: float) -> None:
    """Summed over all tables, not simulated."""
    n, m, rules = 20, 25, Rules()
    bounds = [[rate_difference(k, n, j, m, rules.alpha).high for j in range(m + 1)] for k in range(n + 1)]
    held = np.array([[bound <= rules.rate_margin for bound in row] for row in bounds])  # type: ignore[operator]
    candidate = stats.binom.pmf(range(n + 1), n, baseline_rate + rules.rate_margin)
    assert candidate @ held @ stats.binom.pmf(range(m + 1), m, baseline_rate) <= rules.alpha
