"""Looking early: the classical boundaries, false alarms of simulated paths, and the evidence of failed runs."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from stabbench.statistics import failure_evidence, information, nominal_levels, spent

FIVE = (0.2, 0.4, 0.6, 0.8, 1.0)
UNEQUAL = (0.3, 0.45, 1.0)
failures = st.lists(st.booleans(), max_size=25)


def explains(times: int, trials: int, rate: float) -> bool:
    """Whether a true rate of ``rate`` explains so many (two-sided, at .002)."""
    return float(stats.binomtest(times, trials, rate).pvalue) > 0.002


def test_the_levels_are_the_classical_boundaries_of_lan_and_demets() -> None:
    assert stats.norm.isf(nominal_levels(0.025, FIVE)) == pytest.approx([4.877, 3.357, 2.680, 2.290, 2.031], abs=1e-3)


def test_a_single_look_has_all_of_alpha() -> None:
    assert nominal_levels(0.05, (1.0,)) == pytest.approx((0.05,))


@given(st.floats(0.001, 0.4), st.floats(0, 1), st.floats(0, 1))
def test_alpha_is_spent_late_and_in_full(alpha: float, one: float, other: float) -> None:
    early, late = sorted((one, other))
    assert 0 == spent(alpha, 0) <= spent(alpha, early) <= spent(alpha, late) <= spent(alpha, 1) + 1e-12
    assert spent(alpha, 1) == spent(alpha, 1.5) == pytest.approx(alpha)
    assert spent(min(alpha, 0.1), 0.5) < min(alpha, 0.1) / 3


def test_the_first_level_is_what_may_be_spent_then() -> None:
    assert nominal_levels(0.05, UNEQUAL)[0] == pytest.approx(spent(0.05, 0.3))


def test_no_level_is_zero_however_early_the_look() -> None:
    levels = nominal_levels(0.01, (0.0005, 0.02, 1.0))
    assert all(0 < level < 0.01 + 1e-9 for level in levels)
    assert levels[-1] == pytest.approx(0.01, rel=1e-3)


@pytest.mark.parametrize("fractions", [FIVE, UNEQUAL])
def test_paths_without_a_trend_alarm_as_often_as_may_be_spent(fractions: tuple[float, ...]) -> None:
    alpha, trials = 0.05, 40_000
    steps = np.diff([0, *fractions])
    paths = np.random.default_rng(6).normal(size=(trials, len(steps))) * np.sqrt(steps)
    z = paths.cumsum(axis=1) / np.sqrt(fractions)
    alarmed = np.logical_or.accumulate(stats.norm.sf(z) <= nominal_levels(alpha, fractions), axis=1)
    for at, fraction in enumerate(fractions):
        assert explains(int(alarmed[:, at].sum()), trials, spent(alpha, fraction))


def test_peeking_without_a_rule_would_alarm_twice_as_often() -> None:
    """So that the test above could fail."""
    steps = np.full(5, 0.2)
    z = (np.random.default_rng(6).normal(size=(40_000, 5)) * np.sqrt(steps)).cumsum(axis=1) / np.sqrt(FIVE)
    assert (stats.norm.sf(z) <= 0.05).any(axis=1).mean() > 0.1


@given(st.integers(1, 50), st.integers(1, 50), st.integers(1, 100))
def test_information_grows_to_one(seeds: int, more: int, reference: int) -> None:
    planned = seeds + more
    assert 0 < information(seeds, planned, reference) < 1
    assert information(planned, planned, reference) == pytest.approx(1)
    assert information(seeds, planned, 10**12) == pytest.approx(seeds / planned)
    # The variance of a difference of means, the other way round.
    assert information(1, 2, 1) == pytest.approx(0.75)


def test_the_evidence_is_the_largest_likelihood_ratio() -> None:
    two = 0.3**2 / 0.05**2
    assert failure_evidence([True, True, False, False], 0.05, 0.3) == pytest.approx(1 / two)
    assert failure_evidence([True, False, True], 0.05, 0.3) == pytest.approx(1 / (two * 0.7 / 0.95))
    assert failure_evidence([], 0.05, 0.3) == 1
    assert failure_evidence([False] * 9, 0.05, 0.3) == 1


def test_a_rate_of_zero_is_refuted_by_one_failure_and_a_rate_of_one_by_one_success() -> None:
    assert failure_evidence([False, True], 0.0, 0.3) == 0
    assert failure_evidence([False] * 9, 0.0, 0.3) == 1
    assert failure_evidence([True, True, False, True], 0.5, 1.0) == pytest.approx(0.25)
    assert failure_evidence([True, True], 0.5, 1.0) == pytest.approx(0.25)
    assert failure_evidence([False, True, True], 0.5, 1.0) == 1
    assert [failure_evidence(runs, 0.0, 1.0) for runs in ([], [False], [False, True], [True])] == [1, 1, 0, 0]


@given(failures, st.floats(0, 1), st.floats(0, 1))
def test_the_evidence_of_any_rates_is_a_probability(failed: list[bool], tolerated: float, alarming: float) -> None:
    assert 0 <= failure_evidence(failed, tolerated, alarming) <= 1


@pytest.mark.parametrize("rates", [(-0.1, 0.3), (0.1, 1.1), (math.nan, 0.5), (0.1, math.inf)])
def test_what_is_no_rate_is_refused(rates: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        failure_evidence([True], *rates)


def test_without_a_worse_rate_to_look_for_nothing_is_found() -> None:
    assert failure_evidence([True] * 9, 1.0, 1.0) == 1


@given(failures, st.sampled_from([(0.05, 0.3), (0.4, 0.65), (0.97, 0.985)]))
def test_the_evidence_never_goes_away_and_a_failure_more_never_lessens_it(
    failed: list[bool], rates: tuple[float, float]
) -> None:
    p = [failure_evidence(failed[:n], *rates) for n in range(len(failed) + 1)]
    assert all(0 < b <= a <= 1 for a, b in itertools.pairwise([1.0, *p]))
    for i, run_failed in enumerate(failed):
        if not run_failed:
            assert failure_evidence([*failed[:i], True, *failed[i + 1 :]], *rates) <= p[-1] + 1e-12


def stopped(rate: float, trials: int, seed: int) -> list[int | None]:
    """After how many of up to 25 runs the evidence reached 20; None where it did not."""
    draws = np.random.default_rng(seed).random((trials, 25)) < rate
    found: list[int | None] = []
    for failed in draws.tolist():
        hits = (n for n in range(1, 26) if failed[n - 1] and failure_evidence(failed[:n], 0.05, 0.3) <= 0.05)
        found.append(next(hits, None))
    return found


def test_a_tolerated_rate_is_rarely_called_alarming() -> None:
    trials = 3000
    alarms = sum(n is not None for n in stopped(0.05, trials, 7))
    assert explains(alarms, trials, 0.022)


def test_an_alarming_rate_is_found_early() -> None:
    trials = 3000
    runs = stopped(0.3, trials, 8)
    assert explains(sum(n is not None for n in runs), trials, 0.92)
    used = [25 if n is None else n for n in runs]
    assert abs(np.mean(used) - 10.6) < 3.3 * np.std(used) / math.sqrt(trials) + 0.05


@settings(max_examples=8, deadline=None)
@given(st.floats(0.001, 0.3), st.lists(st.integers(1, 40), min_size=1, max_size=3, unique=True), st.integers(1, 60))
def test_levels_of_any_plan_are_between_bonferroni_and_alpha(alpha: float, waves: list[int], reference: int) -> None:
    seeds = sorted(waves)
    levels = nominal_levels(alpha, tuple(information(n, seeds[-1], reference) for n in seeds))
    assert all(0 < level <= alpha * (1 + 1e-3) for level in levels)
    assert sum(levels) >= alpha * (1 - 1e-3)
